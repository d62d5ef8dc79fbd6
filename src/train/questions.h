#pragma once
// The questions that a policy answers and is judged by: samples of this project's schema, whose kind says when an answer is
// right, drawn anew for each step; and their prompts. Called by grpo.cpp. Which questions a step has depends on the seed and
// the step alone. Errors: Error(kInput) naming the file. Thread rule: one thread.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "chat/prompt.h"
#include "cota/sample.h"
#include "train/features.h"
#include "train/rows.h"

namespace areason::train {

struct JudgedSamples {
  std::vector<Sample> samples;  // audio paths as the trainer has them: relative to the working directory, or absolute
  std::int64_t bad = 0;         // unreadable rows
  std::int64_t free = 0;        // rows whose kind has no right answer (AnswerForm::kFree of cota/kinds.h)
};
JudgedSamples read_judged_samples(const std::vector<std::string>& files, BadRows bad_rows);
std::vector<std::string> audio_paths(const std::vector<Sample>& samples);

struct AskedQuestion {
  const Sample* sample = nullptr;
  std::vector<TokenId> ids;          // the prompt, up to where the answer begins
  std::vector<TokenSpan> audio;      // where the audio's embeddings go
  std::vector<at::Tensor> features;  // per audio [tokens, W] from the cache, or empty and …
  std::vector<LogMel> mels;          // … per audio its log-mel
};

class QuestionSet {
 public:
  struct Tools {
    const Tokenizer& tokenizer;
    const LogMelExtractor& extractor;
    const FeatureCache* cache;  // null: log-mels are computed
    std::string system_prompt;
    int longest = 8192;  // tokens of a prompt
  };
  // Samples without their audio are left out. `prefer`: how often a kind is drawn, 1 without an entry.
  QuestionSet(std::vector<Sample> samples, const Tools& tools, const std::map<std::string, double>& prefer);
  std::int64_t size() const { return static_cast<std::int64_t>(samples_.size()); }
  const Sample& sample(std::size_t i) const { return samples_[i]; }
  // `count` different questions of this draw (as many as there are); over-long ones are passed over. `name` tells draws apart.
  std::vector<AskedQuestion> draw(std::uint64_t seed, const std::string& name, int count) const;
  // None when the prompt is too long.
  std::optional<AskedQuestion> question(std::size_t i) const;

 private:
  bool has_audio(const Sample& sample) const;
  std::vector<Sample> samples_;
  Tools tools_;
  std::vector<double> until_;  // sums of the weights up to and with each sample
};

}  // namespace areason::train
