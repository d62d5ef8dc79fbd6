#pragma once
// Rate limits and a budget that hold for all processes of a job store together, so that workers which are killed and started
// again, or run on other machines, stay within them. Called by the stages of data. Thread rule: every function is safe from any
// thread; the store must outlive the objects. Units: seconds, tokens, money.
#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include "llm/purse.h"
#include "llm/rate_gate.h"
#include "llm/rate_limiter.h"
#include "store/job_store.h"

namespace areason {

class StoreGate : public llm::RateGate {
 public:
  StoreGate(store::JobStore& store, std::string name, const llm::RateLimits& rates);
  Turn enter(std::int64_t tokens) override;
  void leave(std::int64_t ticket, std::int64_t tokens) override;

 private:
  store::JobStore& store_;
  const std::string name_;
  std::vector<store::TurnLimit> limits_;
};

// What one currency's models may cost, in this run and all others of the store.
class StorePurse : public llm::Purse {
 public:
  struct Terms {
    std::string currency = "USD";
    llm::BudgetLimits limits;
    double lease_seconds = 600;  // what a process held that died is waited for no longer
  };
  StorePurse(store::JobStore& store, const Terms& terms);
  Hold hold(std::int64_t tokens, llm::Money money) override;
  void settle(std::int64_t ticket, std::int64_t tokens, llm::Money money, Bill bill) override;
  std::string state() override;
  // Must be called a few times within each lease.
  void beat();

 private:
  store::JobStore& store_;
  const Terms terms_;
  const std::string owner_;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point renewed_ = std::chrono::steady_clock::now();
};

}  // namespace areason
