#pragma once
// One answer: sampling, structure, stop conditions, streamed text. The engine (engine.h) writes many side by side; Generator is
// the loop over a function from token ids to logits, so that tests can put a fake in the model's place. Thread rule: one
// thread.
#include <functional>
#include <optional>
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
  // Of the layout, when the RESPONSE must be one of them. The model first says in its own words what it means; that is not
  // shown, and the choice that it names (named_choice.h) is the RESPONSE. Only where it names none it is made to spell one.
  // Empty: it spells one at once.
  std::vector<std::string> choices;
  std::map<Section, int> section_budget;
  std::function<bool()> stop;  // true ends the answer before the next token
};

struct Generation {
  std::vector<TokenId> ids;  // without the end token
  std::string text;
  std::string finish_reason;  // "stop", "length", "interrupted"
  std::vector<Section> cut;   // sections that a budget closed
};

using TextSink = std::function<void(std::string_view text)>;

// One answer, token by token; whoever owns it runs the model:
//   while (writer.advance()) { feed writer.pending() to the model; writer.fed(its size); writer.choose(logits after it); }
class AnswerWriter {
 public:
  // `prompt_ids` only feed the repetition penalty. Throws Error(kUsage) when max_new_tokens cannot hold the structure.
  AnswerWriter(const Tokenizer& tokenizer, const GenerateOptions& options, std::span<const int> prompt_ids,
               const TextSink& sink = {});
  // Appends what the structure forces. False: the answer is finished.
  bool advance();
  // Accepted, not yet given to the model.
  std::span<const int> pending() const { return std::span(out_.ids).subspan(fed_); }
  void fed(std::size_t count) { fed_ += count; }
  // How many ids of the answer the model has. Falls when words that are not to be shown are taken back: what the model knows of
  // more ids than these must be forgotten.
  std::size_t fed() const { return fed_; }
  // Appends one token; `logits` are changed. Nothing when the answer was stopped in the meantime.
  void choose(std::span<float> logits);
  void stop();  // as the options' stop
  std::span<const int> ids() const { return out_.ids; }
  // The answer so far; call once.
  Generation finish();

 private:
  bool finished();
  void begin_own_words();
  // Takes them back and settles the choice that they name.
  void end_own_words();
  void append(TokenId id);
  void emit_text(const std::string& text);

  GenerateOptions options_;
  TextSink sink_;
  Sampler sampler_;
  StreamDetokenizer detokenizer_;
  std::optional<StructureGuide> guide_;
  // What the model says before it is held to a choice; its ids are the last of out_.ids until they are taken back.
  struct OwnWords {
    std::size_t from;  // of out_.ids
    std::size_t most;  // ids
    Sampler before;
    std::string text;
  };
  std::optional<OwnWords> own_words_;
  const Tokenizer* tokenizer_;
  std::size_t fed_ = 0;
  Generation out_;
};

// Appends the ids to the sequence and returns the logits after the last one. The first call must also feed the prompt.
using StepFunction = std::function<std::vector<float>(std::span<const int> ids)>;

// An answer from a function in place of a model.
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
