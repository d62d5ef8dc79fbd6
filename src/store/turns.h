#pragma once
// The table of turns behind JobStore::take_turn(). Called by sql_store.cpp inside its transactions. Thread rule: as
// SqlConnection. Units: seconds by the database's clock, tokens.
#include <cstdint>
#include <string>
#include <vector>

#include "store/job_store.h"
#include "store/sql.h"

namespace areason::store {

void make_turn_table(SqlConnection& db);
Turn take_turn(SqlConnection& db, const std::string& gate, const std::vector<TurnLimit>& limits, std::int64_t tokens);
bool end_turn(SqlConnection& db, std::int64_t ticket, std::int64_t tokens);

}  // namespace areason::store
