#include "store/turns.h"

#include <algorithm>

namespace areason::store {
namespace {

constexpr double kTransit = 10;   // seconds after which a server surely has what was sent
constexpr double kAnswer = 600;   // and after which the tokens of an answer that never ended are forgotten
constexpr double kMargin = 0.01;  // databases round their clocks to milliseconds
constexpr double kLookAgain = 0.25;

struct Wanted {
  std::string gate;
  std::int64_t tokens = 0;
  double now = 0;
};

// How long the requests of one limit keep the next from going; 0 when there is room.
double requests_wait(SqlConnection& db, const TurnLimit& limit, const Wanted& wanted) {
  const auto& [gate, tokens, now] = wanted;
  const SqlValue after = now - limit.seconds - kMargin;
  const auto used =
      std::stoll(db.query("SELECT count(*) FROM turns WHERE gate = $1 AND received > $2", {gate, after}).at(0).at(0));
  if (used < limit.requests) return 0;
  const auto rows = db.query("SELECT received FROM turns WHERE gate = $1 AND received > $2 ORDER BY received LIMIT 1 OFFSET $3",
                             {gate, after, std::int64_t{used - limit.requests}});
  return std::max(0.001, std::stod(rows.at(0).at(0)) + limit.seconds + kMargin - now);
}

double tokens_wait(SqlConnection& db, const TurnLimit& limit, const Wanted& wanted) {
  const auto& [gate, tokens, now] = wanted;
  const auto used = std::stoll(db.query("SELECT coalesce(sum(tokens), 0) FROM turns WHERE gate = $1 AND finished > $2",
                                        {gate, now - limit.seconds - kMargin})
                                   .at(0)
                                   .at(0));
  // A request that is larger than the limit goes alone.
  return used > 0 && used + tokens > limit.tokens ? kLookAgain : 0;
}

}  // namespace

void make_turn_table(SqlConnection& db) {
  db.query(std::string("CREATE TABLE IF NOT EXISTS turns (id ") + db.dialect().id_type +
           ", gate TEXT NOT NULL, received DOUBLE PRECISION NOT NULL, finished DOUBLE PRECISION NOT NULL, "
           "tokens BIGINT NOT NULL)");
  db.query("CREATE INDEX IF NOT EXISTS turns_received ON turns (gate, received)");
  db.query("CREATE INDEX IF NOT EXISTS turns_finished ON turns (gate, finished)");
}

Turn take_turn(SqlConnection& db, const std::string& gate, const std::vector<TurnLimit>& limits, std::int64_t tokens) {
  const SqlDialect& d = db.dialect();
  if (*d.lock_turns != '\0') db.query(d.lock_turns);
  const double now = std::stod(db.query(std::string("SELECT ") + d.now).at(0).at(0));
  double wait = 0, longest = 0;
  for (const TurnLimit& limit : limits) {
    longest = std::max(longest, limit.seconds + kMargin);
    if (limit.requests > 0) wait = std::max(wait, requests_wait(db, limit, {gate, tokens, now}));
    if (limit.tokens > 0) wait = std::max(wait, tokens_wait(db, limit, {gate, tokens, now}));
  }
  if (wait > 0) return {0, wait};
  db.query("DELETE FROM turns WHERE gate = $1 AND received < $2 AND finished < $2", {gate, now - longest});
  const auto row = db.query("INSERT INTO turns (gate, received, finished, tokens) VALUES ($1, $2, $3, $4) RETURNING id",
                            {gate, now + kTransit, now + kAnswer, tokens});
  return {std::stoll(row.at(0).at(0)), 0};
}

bool end_turn(SqlConnection& db, std::int64_t ticket, std::int64_t tokens) {
  const std::string now = db.dialect().now;
  return !db.query("UPDATE turns SET received = CASE WHEN received < " + now + " THEN received ELSE " + now +
                       " END, finished = " + now + ", tokens = $1 WHERE id = $2 RETURNING id",
                   {tokens, ticket})
              .empty();
}

}  // namespace areason::store
