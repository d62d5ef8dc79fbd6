#pragma once
// A purse: what may be spent at a provider and what has been, kept in the store and so shared by all processes and all runs. A
// request first holds the most it can cost; its bill then takes the place of the hold. A hold whose bill never came (a killed
// process) keeps counting, for the server may have worked. Written by job_store.h's implementations, used by the CLI.
// Units: tokens, money in 1e-12 of the currency, seconds. Thread rule: values; the functions as SqlConnection.
#include <cstdint>
#include <optional>
#include <string>

namespace areason::store {

class SqlConnection;

struct Amount {
  std::int64_t tokens = 0, money_pico = 0;
};

struct SpendingLimit {
  std::int64_t tokens = 0;                 // 0: none
  std::optional<std::int64_t> money_pico;  // none: no limit
};

struct HoldRequest {
  std::string purse;  // its name; the currency
  std::string owner;  // who renews the hold (JobStore::renew_holds)
  Amount most;
  SpendingLimit limit;
  double lease_seconds = 600;
};

struct Hold {
  enum class Answer { kGranted, kLater, kNever } answer = Answer::kNever;  // kLater: others may turn out cheaper than they hold
  std::int64_t ticket = 0;
};

enum class Bill { kKnown, kUnknown, kNothing };  // kUnknown: reckoned at what was held; kNothing: the server did nothing

struct Spending {
  std::int64_t answers = 0, unconfirmed = 0;
  Amount billed;            // by the provider's own usage
  Amount unconfirmed_most;  // attempts without a bill, at the most they can have cost
  Amount held;              // on their way, or of processes that died
};

void make_spending_tables(SqlConnection& db);
Hold hold(SqlConnection& db, const HoldRequest& request);
// Amounts are taken with kKnown only. False when there is no such hold.
bool settle(SqlConnection& db, std::int64_t ticket, const Amount& billed, Bill bill);
Spending spending(SqlConnection& db, const std::string& purse);

}  // namespace areason::store
