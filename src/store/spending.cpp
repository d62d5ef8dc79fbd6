#include "store/spending.h"

#include <algorithm>

#include "store/sql.h"

namespace areason::store {
namespace {

std::int64_t number(const SqlRow& row, std::size_t column) { return std::stoll(row.at(column)); }

// Amounts come from prices and servers: their sums must not run over.
std::int64_t sum(std::int64_t a, std::int64_t b) {
  constexpr std::int64_t kMost = INT64_MAX / 4;
  return std::clamp<std::int64_t>(a, 0, kMost) + std::clamp<std::int64_t>(b, 0, kMost);
}

bool within(const SpendingLimit& limit, const Amount& spent, const Amount& more) {
  if (limit.tokens > 0 && sum(spent.tokens, more.tokens) > limit.tokens) return false;
  return !limit.money_pico || sum(spent.money_pico, more.money_pico) <= *limit.money_pico;
}

Amount plus(const Amount& a, const Amount& b) { return {sum(a.tokens, b.tokens), sum(a.money_pico, b.money_pico)}; }

// Makes the purse where it is missing, and locks it until the transaction ends.
void lock_purse(SqlConnection& db, const std::string& purse) {
  db.query("INSERT INTO purses (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET answers = purses.answers", {purse});
}

// What is held; `since`: only by those that have renewed it.
Amount held(SqlConnection& db, const std::string& purse, double since) {
  const auto rows =
      db.query("SELECT coalesce(sum(tokens), 0), coalesce(sum(money_pico), 0) FROM holds WHERE purse = $1 AND lease_until > $2",
               {purse, since});
  return {number(rows.at(0), 0), number(rows.at(0), 1)};
}

}  // namespace

void make_spending_tables(SqlConnection& db) {
  db.query(
      "CREATE TABLE IF NOT EXISTS purses (name TEXT PRIMARY KEY, answers BIGINT NOT NULL DEFAULT 0, "
      "tokens BIGINT NOT NULL DEFAULT 0, money_pico BIGINT NOT NULL DEFAULT 0, unconfirmed BIGINT NOT NULL DEFAULT 0, "
      "unconfirmed_tokens BIGINT NOT NULL DEFAULT 0, unconfirmed_pico BIGINT NOT NULL DEFAULT 0)");
  db.query(std::string("CREATE TABLE IF NOT EXISTS holds (id ") + db.dialect().id_type +
           ", purse TEXT NOT NULL, owner TEXT NOT NULL, tokens BIGINT NOT NULL, money_pico BIGINT NOT NULL, "
           "lease_until DOUBLE PRECISION NOT NULL)");
  db.query("CREATE INDEX IF NOT EXISTS holds_of_purse ON holds (purse)");
}

Hold hold(SqlConnection& db, const HoldRequest& r) {
  lock_purse(db, r.purse);
  const double now = std::stod(db.query(std::string("SELECT ") + db.dialect().now).at(0).at(0));
  const Spending s = spending(db, r.purse);
  const Amount final = plus(s.billed, s.unconfirmed_most), all = plus(final, s.held);
  if (!within(r.limit, all, r.most)) {
    const Amount alive = held(db, r.purse, now);
    const Amount certain = {all.tokens - alive.tokens, all.money_pico - alive.money_pico};
    const bool may_shrink = (alive.tokens > 0 || alive.money_pico > 0) && within(r.limit, certain, r.most);
    return {may_shrink ? Hold::Answer::kLater : Hold::Answer::kNever, 0};
  }
  const auto rows =
      db.query("INSERT INTO holds (purse, owner, tokens, money_pico, lease_until) VALUES ($1, $2, $3, $4, $5) RETURNING id",
               {r.purse, r.owner, r.most.tokens, r.most.money_pico, now + r.lease_seconds});
  return {Hold::Answer::kGranted, number(rows.at(0), 0)};
}

bool settle(SqlConnection& db, std::int64_t ticket, const Amount& billed, Bill bill) {
  const auto rows = db.query("DELETE FROM holds WHERE id = $1 RETURNING purse, tokens, money_pico", {ticket});
  if (rows.empty()) return false;
  const std::string& purse = rows[0][0];
  if (bill == Bill::kKnown)
    db.query("UPDATE purses SET answers = answers + 1, tokens = tokens + $1, money_pico = money_pico + $2 WHERE name = $3",
             {billed.tokens, billed.money_pico, purse});
  if (bill == Bill::kUnknown)
    db.query(
        "UPDATE purses SET unconfirmed = unconfirmed + 1, unconfirmed_tokens = unconfirmed_tokens + $1, "
        "unconfirmed_pico = unconfirmed_pico + $2 WHERE name = $3",
        {number(rows[0], 1), number(rows[0], 2), purse});
  return true;
}

Spending spending(SqlConnection& db, const std::string& purse) {
  Spending out;
  const auto rows = db.query(
      "SELECT answers, tokens, money_pico, unconfirmed, unconfirmed_tokens, unconfirmed_pico FROM purses WHERE name = $1",
      {purse});
  if (!rows.empty()) {
    const SqlRow& row = rows[0];
    out.answers = number(row, 0);
    out.billed = {number(row, 1), number(row, 2)};
    out.unconfirmed = number(row, 3);
    out.unconfirmed_most = {number(row, 4), number(row, 5)};
  }
  out.held = held(db, purse, 0);
  return out;
}

}  // namespace areason::store
