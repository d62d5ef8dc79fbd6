#pragma once
// The generation loop of one answer: sampling, structure, stop conditions, streamed text. The model is a function from token
// ids to the logits after the last of them, so that tests can put a fake in its place. Called by reason. Thread rule: one
// thread.
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "infer/guide.h"
#include "infer/sampling.h"

namespace areason {

struct GenerateOptions {
  SamplingOptions sampling;
  int max_new_tokens = 2048;
  std::vector<int> end_ids;       // end the answer (free structure only; guided answers end with </RESPONSE>)
  GuideLayout* layout = nullptr;  // null: free structure
  std::map<Section, int> section_budget;
  std::function<bool()> stop;  // true ends the answer before the next token
};

struct Generation {
  std::vector<TokenId> ids;  // without the end token
  std::string text;
  std::string finish_reason;  // "stop", "length", "interrupted"
  std::vector<Section> cut;   // sections that a budget closed
};

// Appends the ids to the sequence and returns the logits after the last one. The first call must also feed the prompt.
using StepFunction = std::function<std::vector<float>(std::span<const int> ids)>;
using TextSink = std::function<void(std::string_view text)>;

class Generator {
 public:
  Generator(const Tokenizer& tokenizer, const GenerateOptions& options) : tokenizer_(&tokenizer), options_(options) {}
  // `prompt_ids` only feed the repetition penalty. The last ids of the answer may not have been given to `step`.
  Generation run(const StepFunction& step, std::span<const int> prompt_ids, const TextSink& sink = {});

 private:
  const Tokenizer* tokenizer_;
  GenerateOptions options_;
};

}  // namespace areason
