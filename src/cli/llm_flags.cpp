#include "cli/llm_flags.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/flag_checks.h"

namespace areason {

void LlmFlags::add_to(CLI::App& app, const std::string& prefix, const std::string& what, Sampling sampling) {
  const std::string flag = flag_prefix = "--" + prefix;
  app.add_option(flag + "api", api, what + ": openai (any compatible server), gemini, transcription, or replay of a recording")
      ->check(CLI::IsMember({"openai", "gemini", "transcription", "replay"}));
  app.add_option(flag + "model", model, what + ": the model's name at its server")->type_name("NAME");
  app.add_option(flag + "url", url, what + ": the server's address (default: the API's own)")->type_name("URL");
  app.add_option(flag + "key-variable", key_variable,
                 what + ": the environment variable with the key (default: OPENAI_API_KEY, GEMINI_API_KEY)")
      ->type_name("NAME");
  app.add_option(flag + "recording", recording, what + ": file of answers, read first and appended to; what replay reads")
      ->type_name("FILE");
  app.add_option(flag + "audio-field", audio_field, what + ": how compatible servers are sent a clip")
      ->check(CLI::IsMember({"input_audio", "input_audio_data_url", "audio_url"}))
      ->capture_default_str();
  app.add_option(flag + "extra", extra_json, what + ": a JSON object merged into each request's body")->type_name("JSON");
  if (sampling == Sampling::kByFlags) {
    app.add_option(flag + "temperature", temperature, what + ": 0: greedy")->check(CLI::Range(0.0, 2.0))->capture_default_str();
    app.add_option(flag + "max-tokens", parameters.max_output_tokens, what + ": most tokens of an answer")
        ->check(CLI::Range(1, 1000000))
        ->capture_default_str();
  }
  app.add_option(flag + "timeout", timeout, what + ": seconds for one attempt")
      ->check(CLI::Range(0.01, 86400.0))
      ->capture_default_str();
  app.add_option(flag + "attempts", attempts, what + ": of a request whose server fails for a while")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option(flag + "first-wait", first_wait, what + ": seconds before the second attempt at most, doubled each time")
      ->check(CLI::Range(0.0, 60.0))
      ->capture_default_str();
  app.add_option(flag + "workers", workers, what + ": requests at the same time")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option(flag + "requests-per-minute", requests_per_minute, what + ": 0: no limit")
      ->check(kNotNegative)
      ->capture_default_str();
  app.add_option(flag + "tokens-per-minute", tokens_per_minute, what + ": 0: no limit")
      ->check(kNotNegative)
      ->capture_default_str();
}

void LlmFlags::refuse_without_api() const {
  if (given()) return;
  for (const auto& [name, value] :
       {std::pair{"model", &model}, {"url", &url}, {"recording", &recording}, {"extra", &extra_json}}) {
    if (!value->empty())
      throw Error(ErrorCode::kUsage, flag_prefix + name + " needs " + flag_prefix + "api",
                  flag_prefix + "api openai, gemini or replay");
  }
}

llm::ProviderConfig LlmFlags::provider_config() const {
  llm::ProviderConfig config;
  config.api = llm::api_from_name(api);
  config.url = url;
  config.key_variable = key_variable;
  config.recording = recording;
  if (audio_field == "input_audio_data_url") config.audio_field = llm::AudioField::kInputAudioDataUrl;
  if (audio_field == "audio_url") config.audio_field = llm::AudioField::kAudioUrl;
  config.retry.attempts = attempts;
  config.retry.first_seconds = first_wait;
  if (requests_per_minute > 0 || tokens_per_minute > 0)
    config.rates.windows.push_back({60, requests_per_minute, tokens_per_minute});
  return config;
}

AskedModel LlmFlags::build(const std::shared_ptr<llm::Budget>& budget, const std::string& recording_default) const {
  if (model.empty())
    throw Error(ErrorCode::kUsage, "the api " + api + " needs a model's name",
                "give its name at the server with " + flag_prefix + "model");
  llm::ProviderConfig config = provider_config();
  if (config.recording.empty()) config.recording = recording_default;
  if (api == "replay" && config.recording.empty())
    throw Error(ErrorCode::kUsage, "replay needs the file of recorded answers", "give it with " + flag_prefix + "recording");
  config.budget = budget;
  if (budget) budget->require_price(model);
  AskedModel out;
  out.provider = llm::build_provider(config);
  out.model = model;
  out.parameters = parameters;
  out.parameters.temperature = temperature;
  out.parameters.extra_json = extra_json;
  out.timeout_seconds = timeout;
  out.workers = workers;
  return out;
}

Json LlmFlags::describe() const {
  Json out = {{"api", api}, {"name", model}, {"temperature", temperature}, {"max_tokens", parameters.max_output_tokens}};
  if (!extra_json.empty()) out["extra"] = extra_json;
  return out;
}

void BudgetFlags::add_to(CLI::App& app) {
  app.add_option("--prices", prices, "prices of models, a JSON file (docs/teachers.md)")->type_name("FILE");
  app.add_option("--max-cost", money, "most money to spend, in the currency of --prices; 0: no limit")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  app.add_option("--max-cost-tokens", tokens, "most tokens to use; 0: no limit")->check(kNotNegative)->capture_default_str();
}

llm::BudgetLimits BudgetFlags::limits() const {
  llm::BudgetLimits limits;
  if (money > 0) limits.money = llm::Money::from_units(money);
  limits.tokens = tokens;
  return limits;
}

std::string spent_line(const llm::Budget& budget) {
  const llm::Spent spent = budget.spent();
  std::string line = fmt::format("{} answers, {} tokens in, {} out, {} {}", spent.answers, spent.input, spent.output,
                                 spent.money.text(), budget.currency());
  if (spent.unconfirmed > 0)
    line += fmt::format("; {} attempts without a bill, at most {} {}", spent.unconfirmed, spent.unconfirmed_money.text(),
                        budget.currency());
  return line;
}

}  // namespace areason
