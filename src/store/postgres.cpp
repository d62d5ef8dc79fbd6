#include "base/error.h"
#include "store/sql.h"

#ifdef AREASON_POSTGRES

#include <libpq-fe.h>

#include <cstdlib>
#include <cstring>

namespace areason::store {
namespace {

constexpr SqlDialect kPostgresDialect = {"BIGSERIAL PRIMARY KEY",
                                         "extract(epoch FROM clock_timestamp())::double precision",
                                         "FOR UPDATE SKIP LOCKED",
                                         "SELECT pg_advisory_xact_lock(7311902044)",
                                         "",
                                         "",
                                         "SET LOCAL synchronous_commit = off",
                                         "",
                                         "SELECT pg_advisory_xact_lock(7311902045)"};

// Checks the address and says how messages may call it. Throws Error(kUsage).
std::string public_name(const std::string& address) {
  char* why = nullptr;
  PQconninfoOption* options = PQconninfoParse(address.c_str(), &why);
  if (options == nullptr) {
    PQfreemem(why);  // may quote a password, so it is not shown
    throw Error(ErrorCode::kUsage, "the store's address is no PostgreSQL address",
                "write postgresql://user@host:port/database");
  }
  std::string host = "localhost", database;
  bool password = false;
  for (const PQconninfoOption* o = options; o->keyword != nullptr; ++o) {
    if (o->val == nullptr || *o->val == '\0') continue;
    if (std::strcmp(o->keyword, "host") == 0) host = o->val;
    if (std::strcmp(o->keyword, "dbname") == 0) database = o->val;
    password |= std::strcmp(o->keyword, "password") == 0 || std::strcmp(o->keyword, "sslpassword") == 0;
  }
  PQconninfoFree(options);
  if (password)
    throw Error(ErrorCode::kUsage, "the store's address holds a password, which the process list would show",
                "take it out and put it into PGPASSWORD or ~/.pgpass");
  return "postgresql " + host + "/" + database;
}

std::string one_line(const char* text) {
  std::string out(text);
  for (char& c : out) c = c == '\n' ? ' ' : c;
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

class Postgres : public SqlConnection {
 public:
  explicit Postgres(const std::string& address) : name_(public_name(address)), connection_(PQconnectdb(address.c_str())) {
    if (PQstatus(connection_) != CONNECTION_OK) {
      const std::string why = one_line(PQerrorMessage(connection_));
      PQfinish(connection_);
      throw Error(ErrorCode::kFailure, name_ + ": " + why, "does the server run, and may you connect to it (try psql)?");
    }
    PQsetNoticeProcessor(
        connection_, [](void*, const char*) {}, nullptr);
    PQsetClientEncoding(connection_, "UTF8");
  }
  ~Postgres() override { PQfinish(connection_); }
  Postgres(const Postgres&) = delete;
  Postgres& operator=(const Postgres&) = delete;

  const SqlDialect& dialect() const override { return kPostgresDialect; }
  std::string name() const override { return name_; }

  std::vector<SqlRow> query(const std::string& sql, const std::vector<SqlValue>& parameters) override {
    std::vector<std::string> texts;
    for (const SqlValue& value : parameters) texts.push_back(text_of(value));
    std::vector<const char*> values;
    for (const std::string& text : texts) values.push_back(text.c_str());
    PGresult* result =
        PQexecParams(connection_, sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(), nullptr, nullptr, 0);
    const ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
      const std::string why = one_line(PQerrorMessage(connection_));
      PQclear(result);
      throw Error(ErrorCode::kFailure, name_ + ": " + why, "see the server's log; nothing half-done is kept");
    }
    std::vector<SqlRow> rows = rows_of(result);
    PQclear(result);
    return rows;
  }

  void begin() override {
    // A server that was restarted is asked once more; inside a transaction that would be unsafe.
    if (PQstatus(connection_) != CONNECTION_OK) PQreset(connection_);
    query("BEGIN", {});
  }
  void commit() override { query("COMMIT", {}); }
  void rollback() noexcept override { PQclear(PQexec(connection_, "ROLLBACK")); }

 private:
  static std::string text_of(const SqlValue& value) {
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return std::to_string(*whole);
    if (const auto* real = std::get_if<double>(&value)) return std::to_string(*real);
    return std::get<std::string>(value);
  }
  static std::vector<SqlRow> rows_of(const PGresult* result) {
    std::vector<SqlRow> rows;
    for (int r = 0; r < PQntuples(result); ++r) {
      SqlRow row;
      for (int c = 0; c < PQnfields(result); ++c)
        row.emplace_back(PQgetvalue(result, r, c), static_cast<std::size_t>(PQgetlength(result, r, c)));
      rows.push_back(std::move(row));
    }
    return rows;
  }

  std::string name_;
  PGconn* connection_;
};

}  // namespace

std::unique_ptr<SqlConnection> open_postgres(const std::string& address) { return std::make_unique<Postgres>(address); }

}  // namespace areason::store

#else

namespace areason::store {

std::unique_ptr<SqlConnection> open_postgres(const std::string&) {
  throw Error(ErrorCode::kUsage, "this program was built without PostgreSQL",
              "apt-get install libpq-dev and build again, or use a file (SQLite) on one machine");
}

}  // namespace areason::store

#endif
