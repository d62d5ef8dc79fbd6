#pragma once
// The flags that name a model behind HTTP or in a recording, under a prefix (--judge-api, --listener-api …), and the stack that
// follows from them. Called by the eval commands and the stages of data. Keys come from the environment only. Thread rule:
// values; the flags must outlive the parsing. Errors: Error(kUsage, kInput).
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "eval/run_llm.h"
#include "llm/budget.h"
#include "llm/config.h"

namespace areason {

struct LlmFlags {
  std::string api, model, url, key_variable, recording, extra_json;
  std::string flag_prefix = "--";  // for messages; add_to() sets it
  std::string audio_field = "input_audio";
  llm::GenerationParameters parameters;
  double temperature = 0, timeout = 600, first_wait = 1;
  int workers = 4, attempts = 5;
  std::int64_t requests_per_minute = 0, tokens_per_minute = 0;

  // `prefix` is "judge-" for --judge-api; `what` begins the help texts. A prompt's file may say temperature and length itself.
  enum class Sampling { kByFlags, kByPrompt };
  void add_to(CLI::App& app, const std::string& prefix, const std::string& what, Sampling sampling = Sampling::kByFlags);
  bool given() const { return !api.empty(); }
  // Throws Error(kUsage) when a model, an address or a recording is named, but no api: nobody would be asked.
  void refuse_without_api() const;
  // Everything but the budget.
  llm::ProviderConfig provider_config() const;
  // `recording_default` keeps every answer there unless a file is named.
  AskedModel build(const std::shared_ptr<llm::Budget>& budget, const std::string& recording_default) const;
  // For manifests: no keys, no addresses with secrets.
  Json describe() const;
};

// Limits of money and tokens over all models of a command.
struct BudgetFlags {
  std::string prices;
  double money = 0;
  std::int64_t tokens = 0;
  void add_to(CLI::App& app);
  llm::PriceTable price_table() const { return prices.empty() ? llm::PriceTable() : llm::read_prices(prices); }
  llm::BudgetLimits limits() const;
  std::shared_ptr<llm::Budget> build() const { return std::make_shared<llm::Budget>(limits(), price_table()); }
};
// One line on what was spent, for standard error.
std::string spent_line(const llm::Budget& budget);

}  // namespace areason
