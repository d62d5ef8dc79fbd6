#include "cli/store_limits.h"

#include <fmt/format.h>
#include <unistd.h>

namespace areason {
namespace {

std::string process_name() {
  char host[256] = "host";
  ::gethostname(host, sizeof host - 1);
  return fmt::format("{}/{}/{}", host, ::getpid(), std::chrono::system_clock::now().time_since_epoch().count());
}

store::Bill bill_of(llm::Purse::Bill bill) {
  return bill == llm::Purse::Bill::kKnown     ? store::Bill::kKnown
         : bill == llm::Purse::Bill::kUnknown ? store::Bill::kUnknown
                                              : store::Bill::kNothing;
}

}  // namespace

StoreGate::StoreGate(store::JobStore& store, std::string name, const llm::RateLimits& rates)
    : store_(store), name_(std::move(name)) {
  for (const llm::RateWindow& w : rates.windows) limits_.push_back({w.seconds, w.requests, w.tokens});
}

StoreGate::Turn StoreGate::enter(std::int64_t tokens) {
  const store::Turn turn = store_.take_turn(name_, limits_, tokens);
  return {turn.ticket, turn.wait_seconds};
}

void StoreGate::leave(std::int64_t ticket, std::int64_t tokens) { store_.end_turn(ticket, tokens); }

StorePurse::StorePurse(store::JobStore& store, const Terms& terms) : store_(store), terms_(terms), owner_(process_name()) {}

StorePurse::Hold StorePurse::hold(std::int64_t tokens, llm::Money money) {
  store::HoldRequest request;
  request.purse = terms_.currency;
  request.owner = owner_;
  request.most = {tokens, money.pico};
  request.limit.tokens = terms_.limits.tokens;
  if (terms_.limits.money) request.limit.money_pico = terms_.limits.money->pico;
  request.lease_seconds = terms_.lease_seconds;
  const store::Hold hold = store_.hold(request);
  return {hold.answer == store::Hold::Answer::kGranted ? Answer::kGranted
          : hold.answer == store::Hold::Answer::kLater ? Answer::kLater
                                                       : Answer::kSpent,
          hold.ticket};
}

void StorePurse::settle(std::int64_t ticket, std::int64_t tokens, llm::Money money, Bill bill) {
  store_.settle(ticket, {tokens, money.pico}, bill_of(bill));
}

void StorePurse::beat() {
  {
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (now - renewed_ < std::chrono::duration<double>(terms_.lease_seconds / 4)) return;
    renewed_ = now;
  }
  store_.renew_holds(owner_, terms_.lease_seconds);
}

std::string StorePurse::state() {
  const store::Spending s = store_.spending(terms_.currency);
  std::string limit;
  if (terms_.limits.money) limit = fmt::format("{} {}", terms_.limits.money->text(), terms_.currency);
  if (terms_.limits.tokens > 0) limit += fmt::format("{}{} tokens", limit.empty() ? "" : " and ", terms_.limits.tokens);
  std::string out = limit.empty() ? "" : "the budget of " + limit + " does not allow another request: ";
  out += fmt::format("{} {} and {} tokens billed for {} answers", llm::Money{s.billed.money_pico}.text(), terms_.currency,
                     s.billed.tokens, s.answers);
  const store::Amount open = {s.unconfirmed_most.tokens + s.held.tokens, s.unconfirmed_most.money_pico + s.held.money_pico};
  if (open.tokens > 0)
    out += fmt::format(", at most {} {} and {} tokens for requests without a bill", llm::Money{open.money_pico}.text(),
                       terms_.currency, open.tokens);
  return out;
}

}  // namespace areason
