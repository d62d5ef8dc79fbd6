#include "llm/governed.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <random>
#include <utility>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/random.h"

namespace areason::llm {
namespace {

std::uint64_t seed_of(const RetryPolicy& policy) {
  if (policy.seed != 0) return policy.seed;
  std::random_device device;  // processes that were refused together must not come back together
  return (std::uint64_t{device()} << 32) | device();
}

// The server may have read the prompt and written an answer that we do not have.
bool may_have_cost(const Reply& reply) {
  switch (reply.finish) {
    case Finish::kTimeout:
    case Finish::kCutOff:
    case Finish::kMalformed:
      return true;
    case Finish::kTooLarge:
      return reply.http_status == 200;
    default:
      return is_answer(reply.finish);
  }
}

constexpr double kAskPurseAgain = 0.3;  // seconds

// What one attempt has reserved. It ends exactly once, also when complete() is left by an exception (Ctrl-C in the middle of an
// answer).
class Reservation {
 public:
  Reservation(const GovernedOptions& options, const std::string& model, const Estimate& estimate)
      : options_(options), model_(model), estimate_(estimate) {}
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;
  ~Reservation() {
    try {
      end(sent_ ? Purse::Bill::kUnknown : Purse::Bill::kNothing, {});
    } catch (const Error& e) {  // the hold stays, which is on the safe side
      log_warning(std::string("the shared budget: ") + e.what());
    }
  }
  // Why the budget does not allow the attempt; "" when it does.
  std::string reserve() {
    if (options_.budget && !options_.budget->reserve(model_, estimate_)) return "the budget does not allow another request";
    reserved_ = true;
    if (!options_.purse) return "";
    for (;;) {
      throw_if_interrupted();
      const Purse::Hold hold = options_.purse->hold(estimate_.total(), options_.budget->cost(model_, estimate_));
      ticket_ = hold.ticket;
      if (hold.answer == Purse::Answer::kGranted) return "";
      if (hold.answer == Purse::Answer::kSpent) return options_.purse->state();
      options_.clock->sleep_until(options_.clock->now() + kAskPurseAgain);
    }
  }
  void about_to_send() { sent_ = true; }
  void settle(const Reply& reply) {
    end(reply.usage.known      ? Purse::Bill::kKnown
        : may_have_cost(reply) ? Purse::Bill::kUnknown
                               : Purse::Bill::kNothing,
        reply.usage);
  }

 private:
  void end(Purse::Bill bill, const Usage& usage) {
    if (!std::exchange(reserved_, false) || !options_.budget) return;
    Budget& budget = *options_.budget;
    if (bill == Purse::Bill::kKnown) budget.settle(model_, estimate_, usage);
    if (bill == Purse::Bill::kUnknown) budget.settle_unknown(model_, estimate_);
    if (bill == Purse::Bill::kNothing) budget.settle_free(model_, estimate_);
    if (ticket_ != 0) options_.purse->settle(ticket_, usage.total(), budget.bill(model_, estimate_, usage), bill);
  }

  const GovernedOptions& options_;
  const std::string& model_;
  const Estimate& estimate_;
  std::int64_t ticket_ = 0;
  bool reserved_ = false, sent_ = false;
};

// All attempts of a request were paid for, not only the last one.
void add_usage(Usage& sum, const Usage& attempt) {
  sum.known |= attempt.known;
  sum.input += attempt.input;
  sum.output += attempt.output;
  sum.audio += attempt.audio;
  sum.thinking += attempt.thinking;
}

class Governed : public Provider {
 public:
  Governed(ProviderPtr inner, const GovernedOptions& options)
      : inner_(std::move(inner)), options_(options), limiter_(options.rates, options.clock), random_(seed_of(options.retry)) {}

  Reply complete(const Request& request) override {
    const Estimate estimate = estimate_of(request);
    Usage usage;
    for (int attempt = 1;; ++attempt) {
      Reply reply = attempt_once(request, estimate);
      reply.attempts = attempt;
      add_usage(usage, reply.usage);
      reply.usage = usage;
      if (!is_transient(reply.finish) || attempt >= options_.retry.attempts) return reply;
      const double asked = reply.retry_after_seconds.value_or(0);
      if (asked > options_.retry.longest_retry_after_seconds) {
        reply.error += " (asks to wait " + std::to_string(std::llround(std::min(asked, 1e9))) + " s)";
        return reply;
      }
      const double now = options_.clock->now();
      if (reply.finish == Finish::kRateLimited && asked > 0) limiter_.hold_until(now + asked);
      const double delay = asked + jitter(attempt, asked > 0);
      log_debug("attempt " + std::to_string(attempt) + ": " + reply.error + "; again in " + std::to_string(delay) + " s");
      options_.clock->sleep_until(now + delay);
    }
  }

  std::string name() const override { return inner_->name(); }

 private:
  Reply attempt_once(const Request& request, const Estimate& estimate) {
    Reservation reservation(options_, request.model, estimate);
    if (const std::string refusal = reservation.reserve(); !refusal.empty()) return over_budget(refusal);
    const auto permit = limiter_.acquire(estimate.total());
    const std::int64_t ticket = pass_gate(estimate.total());
    reservation.about_to_send();
    Reply reply = inner_->complete(request);
    reservation.settle(reply);
    // Without an answer the request may still be on its way: its turn is left to end by itself.
    if (options_.gate && reply.http_status > 0)
      options_.gate->leave(ticket, reply.usage.known ? reply.usage.total() : estimate.total());
    permit->finish(reply.usage.known ? reply.usage.total() : estimate.total(),
                   reply.http_status > 0 ? RateLimiter::Received::kYes : RateLimiter::Received::kPerhaps);
    return reply;
  }

  std::int64_t pass_gate(std::int64_t tokens) {
    if (!options_.gate) return 0;
    for (;;) {
      throw_if_interrupted();
      const RateGate::Turn turn = options_.gate->enter(tokens);
      if (turn.wait_seconds <= 0) return turn.ticket;
      options_.clock->sleep_until(options_.clock->now() + turn.wait_seconds);
    }
  }

  static Reply over_budget(const std::string& why) {
    Reply reply;
    reply.finish = Finish::kBudget;
    reply.detail = "budget";
    reply.error = why;
    return reply;
  }

  // Full jitter. After a Retry-After only the spread of the first delay is added: the server has already said how long.
  double jitter(int attempt, bool server_said) {
    const RetryPolicy& retry = options_.retry;
    const double grown = retry.first_seconds * std::pow(2.0, std::min(attempt - 1, 30));
    const double most = std::min(retry.longest_seconds, server_said ? retry.first_seconds : grown);
    const std::lock_guard lock(random_mutex_);
    return random_.uniform(0, most);
  }

  ProviderPtr inner_;
  GovernedOptions options_;
  RateLimiter limiter_;
  std::mutex random_mutex_;
  Random random_;
};

}  // namespace

ProviderPtr make_governed(ProviderPtr inner, const GovernedOptions& options) {
  if (options.retry.attempts < 1)
    throw Error(ErrorCode::kUsage, "a request needs at least one attempt", "give 1 to never try again");
  if (options.purse && !options.budget)
    throw Error(ErrorCode::kUsage, "a shared budget needs the prices of one of its own", "set GovernedOptions::budget");
  return std::make_shared<Governed>(std::move(inner), options);
}

}  // namespace areason::llm
