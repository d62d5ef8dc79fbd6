#pragma once
// Money and tokens: what a request may cost, what it did cost, and a hard stop before a limit is passed. Every request reserves
// the most it can cost before it is sent and is settled with the usage the provider reports, so the limit holds with any number
// of workers. Money is counted in whole 1e-12 units of the currency: sums are exact. Used by governed.h, eval and data stages.
// Thread rule: Budget is safe from any thread, the rest are values. Errors: Error(kUsage, kInput), Error(kInterrupted).
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "llm/message.h"

namespace areason::llm {

// What a request needs at most. Text is guessed from its bytes on the safe side (no tokenizer of a provider is at hand), audio
// from its duration, the output is the request's own limit.
struct Estimate {
  std::int64_t text = 0;
  std::int64_t audio = 0;
  std::int64_t output = 0;
  std::int64_t total() const { return text + audio + output; }
  Estimate& operator+=(const Estimate& other);
};
Estimate estimate_of(const Request& request);

struct Money {
  std::int64_t pico = 0;                  // 1e-12 of the currency
  std::string text() const;               // "0.001234", six decimals, rounded up
  static Money from_units(double units);  // Throws Error(kUsage) for what is negative or above two million
};

// 1e-12 of the currency per token: the price of a million tokens, times 1e6.
struct Price {
  std::int64_t input = 0;
  std::int64_t audio_input = 0;
  std::int64_t output = 0;
  Money cost(const Estimate& estimate) const;
  // `audio_guess` prices audio apart when the provider does not say how much of its input was audio.
  Money cost(const Usage& usage, std::int64_t audio_guess) const;
};

struct PriceTable {
  std::string currency = "USD";
  std::map<std::string, Price> models;
};
// {"currency": "USD", "models": {"gemini-2.0-flash": {"input": 0.10, "audio_input": 0.70, "output": 0.40}}}, prices of a
// million tokens; audio_input defaults to input. Throws Error(kInput) naming the file and the model.
PriceTable read_prices(const std::string& path);
Price price_per_million(double input, double audio_input, double output);

struct BudgetLimits {
  std::optional<Money> money;
  std::int64_t tokens = 0;  // 0: no limit
};

struct Spent {
  std::int64_t answers = 0;  // attempts with a usage from the provider
  std::int64_t input = 0;
  std::int64_t output = 0;
  Money money;
  // Attempts that ended without one although the server may have worked (timeout, cut connection, no usage in the answer):
  // reckoned at the most they can have cost, so that the limit is safe.
  std::int64_t unconfirmed = 0;
  std::int64_t unconfirmed_tokens = 0;
  Money unconfirmed_money;
};

class Budget {
 public:
  // Throws Error(kUsage) when money is limited and there are no prices.
  Budget(BudgetLimits limits, PriceTable prices);
  // Throws Error(kUsage) when money is limited and the model has no price.
  void require_price(const std::string& model) const;
  // False when the request does not fit. Waits while requests on their way may still turn out cheaper than reserved.
  bool reserve(const std::string& model, const Estimate& estimate);
  // Each reservation ends in exactly one of these.
  void settle(const std::string& model, const Estimate& reserved, const Usage& usage);
  void settle_unknown(const std::string& model, const Estimate& reserved);
  void settle_free(const std::string& model, const Estimate& reserved);  // the server did nothing

  Spent spent() const;
  const std::string& currency() const { return prices_.currency; }
  Money cost(const std::string& model, const Estimate& estimate) const { return price_of(model).cost(estimate); }
  Money bill(const std::string& model, const Estimate& reserved, const Usage& usage) const {
    return price_of(model).cost(usage, reserved.audio);
  }

 private:
  Price price_of(const std::string& model) const;
  bool fits(const Estimate& estimate, Money cost, std::int64_t on_way_tokens, Money on_way) const;
  void release(const std::string& model, const Estimate& reserved);

  const BudgetLimits limits_;
  const PriceTable prices_;
  mutable std::mutex mutex_;
  std::condition_variable settled_;
  Spent spent_;
  std::int64_t on_way_tokens_ = 0;
  Money on_way_;
  int on_way_requests_ = 0;
};

}  // namespace areason::llm
