#include <sqlite3.h>

#include <map>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "store/sql.h"

namespace areason::store {
namespace {

constexpr int kBusyMilliseconds = 60'000;  // how long to wait for another process's transaction

constexpr SqlDialect kSqliteDialect = {"INTEGER PRIMARY KEY AUTOINCREMENT",
                                       "((julianday('now') - 2440587.5) * 86400.0)",
                                       "",
                                       "",
                                       "PRAGMA case_sensitive_like = ON",
                                       "PRAGMA synchronous = NORMAL",
                                       "",
                                       "PRAGMA synchronous = FULL",
                                       ""};

class Sqlite : public SqlConnection {
 public:
  explicit Sqlite(const std::string& path) : path_(path) {
    make_directories(parent_directory(path));
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path.c_str(), &db_, flags, nullptr) != SQLITE_OK) {
      const std::string why = message();
      sqlite3_close(db_);
      throw Error(ErrorCode::kFailure, path + ": the job store cannot be opened: " + why,
                  "check the path and that you may write there");
    }
    sqlite3_busy_timeout(db_, kBusyMilliseconds);
    try {
      // Readers do not wait for writers; FULL makes every commit outlast a power cut, not only a killed process.
      query("PRAGMA journal_mode = WAL");
      query("PRAGMA synchronous = FULL");
    } catch (...) {
      close();
      throw;
    }
  }
  ~Sqlite() override { close(); }
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;

  const SqlDialect& dialect() const override { return kSqliteDialect; }
  std::string name() const override { return path_ + " (SQLite)"; }

  std::vector<SqlRow> query(const std::string& sql, const std::vector<SqlValue>& parameters) override {
    sqlite3_stmt* statement = prepared(sql);
    for (std::size_t i = 0; i < parameters.size(); ++i) bind(statement, i, parameters[i]);
    std::vector<SqlRow> rows;
    int step = SQLITE_OK;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) rows.push_back(row(statement));
    const std::string why = step == SQLITE_DONE ? "" : message();
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    if (step != SQLITE_DONE) fail(why);
    return rows;
  }
  // IMMEDIATE: the lock is taken at once, where waiting for it is safe, not at the first write, where it would be a deadlock.
  void begin() override { query("BEGIN IMMEDIATE", {}); }
  void commit() override { query("COMMIT", {}); }
  void rollback() noexcept override {
    if (sqlite3_get_autocommit(db_) == 0) sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
  }

 private:
  using SqlConnection::query;
  void query(const char* sql) { query(std::string(sql), {}); }

  std::string message() const { return db_ == nullptr ? "out of memory" : sqlite3_errmsg(db_); }
  [[noreturn]] void fail(const std::string& why) const {
    throw Error(ErrorCode::kFailure, name() + ": " + why,
                "is the disk full, the file no job store, or on a network file system (use PostgreSQL there)?");
  }
  void close() {
    for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
    statements_.clear();
    sqlite3_close(db_);
    db_ = nullptr;
  }

  sqlite3_stmt* prepared(const std::string& sql) {
    const auto it = statements_.find(sql);
    if (it != statements_.end()) return it->second;
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) fail(message());
    return statements_[sql] = statement;
  }

  void bind(sqlite3_stmt* statement, std::size_t i, const SqlValue& value) {
    const int index = sqlite3_bind_parameter_index(statement, ("$" + std::to_string(i + 1)).c_str());
    if (index == 0) return;
    if (const auto* whole = std::get_if<std::int64_t>(&value)) {
      sqlite3_bind_int64(statement, index, *whole);
    } else if (const auto* real = std::get_if<double>(&value)) {
      sqlite3_bind_double(statement, index, *real);
    } else {
      const auto& text = std::get<std::string>(value);
      // The parameters outlive the step, so SQLite need not copy them.
      sqlite3_bind_text64(statement, index, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
    }
  }

  static SqlRow row(sqlite3_stmt* statement) {
    SqlRow out;
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, i));
      out.emplace_back(text == nullptr ? "" : text,
                       text == nullptr ? 0 : static_cast<std::size_t>(sqlite3_column_bytes(statement, i)));
    }
    return out;
  }

  std::string path_;
  sqlite3* db_ = nullptr;
  std::map<std::string, sqlite3_stmt*> statements_;
};

}  // namespace

std::unique_ptr<SqlConnection> open_sqlite(const std::string& path) { return std::make_unique<Sqlite>(path); }

}  // namespace areason::store
