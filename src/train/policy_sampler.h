#pragma once
// Answers from the policy as its weights stand now, written by the product's own engine (infer/engine.h), and which of their
// tokens the policy chose: with the structure guaranteed, tags and forced text are nobody's choice and carry no gradient, and a
// chosen token was drawn from the allowed ones only. Called by grpo.cpp. The weights travel through a checkpoint of the
// released layout in a scratch folder, which the engine maps; audio is embedded by the trainer's model. What an answer says
// depends on the weights, its prompt and its seed, not on what else is written. Thread rule: one thread, which borrows the
// workers.
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "infer/engine.h"
#include "train/batch_workers.h"
#include "train/grpo_options.h"
#include "train/questions.h"

namespace areason::train {

// The sets of tokens that chosen ones were drawn from, as what is added to the logits: 0, or enough to make a token impossible.
class AllowedTokens {
 public:
  explicit AllowedTokens(int vocabulary) : vocabulary_(vocabulary) {}
  // The row of a set that lives as long as this object.
  int row(const TokenMask& mask);
  // [K, V] f32; undefined without any row.
  at::Tensor shifts() const;

 private:
  int vocabulary_;
  std::map<const TokenMask*, int> rows_;
  std::vector<at::Tensor> shifts_;
};

struct Choice {
  int at = 0;          // index into the answer's ids
  int allowed = kAny;  // row of AllowedTokens
  static constexpr int kAny = -1;
};

struct PolicyAnswer {
  std::size_t question = 0;  // of those that were asked
  std::vector<TokenId> ids;  // with the end token, when the policy wrote it
  std::vector<Choice> choices;
  std::string text, finish_reason;
};

class PolicySampler {
 public:
  struct Parts {
    const TrainModel& model;
    const Tokenizer& tokenizer;
    BatchWorkers& workers;
    std::string files;    // folder with config.json and the tokenizer
    std::string scratch;  // folder for the weights; made, and removed at the end
  };
  PolicySampler(const Parts& parts, const SamplingRule& rule);
  ~PolicySampler();

  // Gives the model's present weights to the engines.
  void take_weights();
  struct Job {
    const std::vector<AskedQuestion>& questions;
    int answers = 1;   // to each question
    std::string name;  // with `seed`, of the random numbers
    std::uint64_t seed = 1;
    double temperature = 1;
  };
  // All answers to the first question, then those to the second … Ends early when the run is interrupted.
  std::vector<PolicyAnswer> sample(const Job& job);
  const AllowedTokens& allowed() const { return allowed_; }

 private:
  struct Writer;  // one engine
  EngineRequest request(const AskedQuestion& question, const std::vector<PromptAudio>& audio, const Job& job) const;
  std::vector<PromptAudio> audio_of(const AskedQuestion& question, std::size_t number) const;
  void write_answers(Writer& writer, const Job& job, std::size_t question, PolicyAnswer* answers);
  std::vector<Choice> choices_of(const PolicyAnswer& answer);

  Parts parts_;
  SamplingRule rule_;
  TokenId end_ = 0;
  MaskVocabulary vocabulary_;
  GuideLayout layout_;  // of choices_of()
  AllowedTokens allowed_;
  std::vector<std::unique_ptr<Writer>> writers_;  // one a worker
};

}  // namespace areason::train
