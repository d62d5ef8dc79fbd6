#pragma once
// One connection to a database, as little of it as sql_store.cpp needs. Both engines take $1, $2, … as parameters, RETURNING
// and ON CONFLICT DO NOTHING, so that one set of statements serves both; where they differ, the dialect says how. Implemented
// by sqlite.cpp and postgres.cpp. Thread rule: one thread at a time (sql_store.cpp has the mutex). Errors: Error(kFailure)
// naming the database.
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace areason::store {

using SqlValue = std::variant<std::int64_t, double, std::string>;
using SqlRow = std::vector<std::string>;  // NULL reads as ""

struct SqlDialect {
  const char* id_type;         // of a key that counts up by itself
  const char* now;             // seconds since 1970 with fractions, by the database's clock
  const char* skip_locked;     // ends the SELECT of a claim
  const char* lock_schema;     // a statement that lets one process at a time make the tables; "" when begin() does
  const char* case_sensitive;  // a statement that makes LIKE so, or ""
  // Statements around (and in) a transaction that a power cut may undo, as long as it breaks nothing; "" for none.
  const char *before_relaxed, *in_relaxed, *after_relaxed;
  const char* lock_turns;  // a statement that lets one process at a time take turns; "" when begin() does
};

class SqlConnection {
 public:
  virtual ~SqlConnection() = default;
  virtual const SqlDialect& dialect() const = 0;
  virtual std::string name() const = 0;
  virtual std::vector<SqlRow> query(const std::string& sql, const std::vector<SqlValue>& parameters = {}) = 0;
  // A transaction that may write. Reconnects when the server has gone away since.
  virtual void begin() = 0;
  virtual void commit() = 0;
  virtual void rollback() noexcept = 0;
};

std::unique_ptr<SqlConnection> open_sqlite(const std::string& path);
// Throws Error(kUsage) in a program that was built without libpq.
std::unique_ptr<SqlConnection> open_postgres(const std::string& address);

}  // namespace areason::store
