#include "infer/generator.h"

#include <algorithm>
#include <optional>

namespace areason {
namespace {

// The state of one run.
class Run {
 public:
  Run(const Tokenizer& tokenizer, const GenerateOptions& options, const TextSink& sink)
      : options_(options), sink_(sink), sampler_(options.sampling), detokenizer_(tokenizer) {
    if (options.layout != nullptr)
      guide_.emplace(*options.layout, GuideOptions{options.max_new_tokens, options.section_budget});
  }

  Generation run(const StepFunction& step, std::span<const int> prompt_ids) {
    sampler_.remember(prompt_ids);
    while (out_.finish_reason.empty()) {
      take_forced();
      if (finished()) break;
      std::vector<float> logits = step(pending_);
      pending_.clear();
      // The forward pass is the long part, so the flag is read after it.
      if (finished()) break;
      choose(logits);
    }
    emit_text(detokenizer_.flush());
    if (guide_) {
      out_.cut = guide_->cut();
      if (out_.finish_reason == "stop" && guide_->out_of_tokens()) out_.finish_reason = "length";
    }
    return std::move(out_);
  }

 private:
  void take_forced() {
    if (!guide_) return;
    const auto forced = guide_->take_forced();
    for (const TokenId id : forced) append(id);
    sampler_.remember(forced);
  }

  bool finished() {
    if (guide_ && guide_->done()) {
      out_.finish_reason = "stop";
    } else if (static_cast<int>(out_.ids.size()) >= options_.max_new_tokens) {
      out_.finish_reason = "length";
    } else if (options_.stop && options_.stop()) {
      out_.finish_reason = "interrupted";
    }
    return !out_.finish_reason.empty();
  }

  void choose(std::vector<float>& logits) {
    const int id = sampler_.pick(logits, guide_ ? &guide_->allowed() : nullptr);
    if (!guide_ && std::find(options_.end_ids.begin(), options_.end_ids.end(), id) != options_.end_ids.end()) {
      out_.finish_reason = "stop";
      return;
    }
    if (guide_) guide_->accept(id);
    append(id);
    sampler_.remember(std::span(&id, 1));
  }

  void append(TokenId id) {
    out_.ids.push_back(id);
    pending_.push_back(id);
    emit_text(detokenizer_.push(id));
  }

  void emit_text(const std::string& text) {
    if (text.empty()) return;
    out_.text += text;
    if (sink_) sink_(text);
  }

  const GenerateOptions& options_;
  const TextSink& sink_;
  Sampler sampler_;
  StreamDetokenizer detokenizer_;
  std::optional<StructureGuide> guide_;
  std::vector<int> pending_;  // accepted, not yet given to the model
  Generation out_;
};

}  // namespace

Generation Generator::run(const StepFunction& step, std::span<const int> prompt_ids, const TextSink& sink) {
  return Run(*tokenizer_, options_, sink).run(step, prompt_ids);
}

}  // namespace areason
