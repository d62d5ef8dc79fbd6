#include "train/grpo_flags.h"

#include <fmt/format.h>

#include <map>
#include <string>

#include "base/error.h"
#include "base/flag_checks.h"
#include "cota/kinds.h"

namespace areason::train {
namespace {

template <typename T>
CLI::Option* add_choice(CLI::App& app, const std::string& flag, T& value, const std::string& help,
                        const std::map<std::string, T>& names) {
  CLI::Option* option = app.add_option(flag, value, help)->transform(CLI::CheckedTransformer(names))->group("Reinforcement");
  for (const auto& [name, meaning] : names) {
    if (meaning == value) option->default_str(name);
  }
  return option;
}

// KIND=WEIGHT
void add_preference(const std::string& text, std::map<std::string, double>& prefer) {
  const std::size_t at = text.find('=');
  char* end = nullptr;
  const std::string number = at == std::string::npos ? "" : text.substr(at + 1);
  const double weight = std::strtod(number.c_str(), &end);
  if (number.empty() || *end != '\0' || !(weight >= 0) || weight > 1e6)
    throw CLI::ValidationError("--prefer", text + " is not KIND=WEIGHT with a weight of 0 or more");
  try {
    find_kind(text.substr(0, at));
  } catch (const Error& e) {
    throw CLI::ValidationError("--prefer", e.what());
  }
  prefer[text.substr(0, at)] = weight;
}

void add_reward_options(CLI::App& app, GrpoOptions& o) {
  for (const auto& [part, help] : std::initializer_list<std::pair<RewardPart, const char*>>{
           {RewardPart::kAnswer, "weight of: the answer is right, as `data score` counts it"},
           {RewardPart::kStructure, "weight of: five sections, in order, closed, none empty"},
           {RewardPart::kCaption, "weight of: how much of the timeline CAPTION mentions, divided by 1 + its false claims"},
           {RewardPart::kLength, "weight of the penalty for more than --length-budget tokens (0 to -1)"}}) {
    app.add_option(fmt::format("--reward-{}", reward_part_name(part)), o.rewards.weights[static_cast<std::size_t>(part)], help)
        ->capture_default_str()
        ->group("Reinforcement");
  }
  app.add_option("--length-budget", o.rewards.length.budget, "tokens that cost nothing; 0: no answer is too long")
      ->capture_default_str()
      ->check(kNotNegative)
      ->group("Reinforcement");
}

void add_sampling_options(CLI::App& app, GrpoOptions& o) {
  const auto in_group = [](CLI::Option* option) { option->capture_default_str()->group("Reinforcement"); };
  in_group(app.add_option("--prompts", o.prompts, "questions a step")->check(kPositive));
  in_group(app.add_option("--group", o.group, "answers to each question")->check(kPositive));
  in_group(app.add_option("--temperature", o.sampling.temperature, "of the answers")->check(kPositive));
  in_group(app.add_option("--max-new-tokens", o.sampling.max_new_tokens, "of an answer")->check(kPositive));
  in_group(app.add_option("--running", o.sampling.running, "answers written at the same time")->check(kPositive));
  in_group(app.add_option("--resample", o.resample,
                          "so many times a step's questions whose answers have equal rewards are replaced (dynamic sampling)")
               ->check(kNotNegative));
  app.add_option_function<std::vector<std::string>>(
         "--prefer",
         [&o](const std::vector<std::string>& all) {
           for (const std::string& one : all) add_preference(one, o.prefer);
         },
         "how often a row of a kind is asked, others being 1; several allowed")
      ->delimiter(',')
      ->type_name("KIND=WEIGHT")
      ->group("Reinforcement");
  add_choice<AnswerShape>(app, "--structure", o.sampling.shape, "of the answers: guided (five sections guaranteed) or free",
                          {{"guided", AnswerShape::kGuided}, {"free", AnswerShape::kFree}});
  add_choice<DType>(app, "--sample-dtype", o.sampling.weights, "weights that the engine writes the answers with",
                    {{"f32", DType::kF32}, {"bf16", DType::kBF16}, {"f16", DType::kF16}});
}

}  // namespace

void add_grpo_options(CLI::App& app, TrainOptions& options) {
  GrpoOptions& o = options.grpo;
  add_choice<Method>(app, "--method", options.method,
                     "sft: the data's answers are learned; grpo: the model's own, by their rewards",
                     {{"sft", Method::kSupervised}, {"grpo", Method::kGrpo}});
  add_sampling_options(app, o);
  add_reward_options(app, o);
  const auto in_group = [](CLI::Option* option) { option->capture_default_str()->group("Reinforcement"); };
  in_group(app.add_option("--kl", o.limits.kl, "weight of the divergence from the reference; 0: none is loaded")
               ->check(kNotNegative));
  in_group(app.add_option("--reference", o.reference, "checkpoint that the divergence is from (default: --init)"));
  in_group(app.add_option("--updates", o.updates, "of the weights with one step's answers")->check(kPositive));
  in_group(app.add_option("--ratio-low", o.limits.ratio_low, "the ratio of probabilities is clipped at 1 minus this …")
               ->check(CLI::Range(0.0, 1.0)));
  in_group(app.add_option("--ratio-high", o.limits.ratio_high, "… and at 1 plus this")->check(kNotNegative));
  add_choice<AdvantageScale>(app, "--advantage", o.scale,
                             "reward minus the group's mean, divided by its standard deviation (std) or not (none)",
                             {{"std", AdvantageScale::kDeviation}, {"none", AdvantageScale::kNone}});
  add_choice<TokenWeights>(
      app, "--loss-mean", o.token_weights,
      "over: tokens of the step; answers (each the mean of its tokens); limit (tokens an answer may have)",
      {{"tokens", TokenWeights::kTokens}, {"answers", TokenWeights::kAnswers}, {"limit", TokenWeights::kLimit}});
}

}  // namespace areason::train
