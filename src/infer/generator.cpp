#include "infer/generator.h"

#include <algorithm>

namespace areason {

AnswerWriter::AnswerWriter(const Tokenizer& tokenizer, const GenerateOptions& options, std::span<const int> prompt_ids,
                           const TextSink& sink)
    : options_(options), sink_(sink), sampler_(options.sampling), detokenizer_(tokenizer) {
  if (options.layout != nullptr) guide_.emplace(*options.layout, GuideOptions{options.max_new_tokens, options.section_budget});
  sampler_.remember(prompt_ids);
}

bool AnswerWriter::advance() {
  if (!out_.finish_reason.empty()) return false;
  if (guide_) {
    const auto forced = guide_->take_forced();
    for (const TokenId id : forced) append(id);
    sampler_.remember(forced);
  }
  return !finished();
}

bool AnswerWriter::finished() {
  if (guide_ && guide_->done()) {
    out_.finish_reason = "stop";
  } else if (static_cast<int>(out_.ids.size()) >= options_.max_new_tokens) {
    out_.finish_reason = "length";
  } else if (options_.stop && options_.stop()) {
    out_.finish_reason = "interrupted";
  }
  return !out_.finish_reason.empty();
}

void AnswerWriter::choose(std::span<float> logits) {
  // The forward pass is the long part, so the flag is read after it.
  if (finished()) return;
  const int id = sampler_.pick(logits, guide_ ? &guide_->allowed() : nullptr);
  if (!guide_ && std::find(options_.end_ids.begin(), options_.end_ids.end(), id) != options_.end_ids.end()) {
    out_.finish_reason = "stop";
    return;
  }
  if (guide_) guide_->accept(id);
  append(id);
  sampler_.remember(std::span(&id, 1));
}

void AnswerWriter::stop() {
  if (out_.finish_reason.empty()) out_.finish_reason = "interrupted";
}

Generation AnswerWriter::finish() {
  emit_text(detokenizer_.flush());
  if (guide_) {
    out_.cut = guide_->cut();
    if (out_.finish_reason == "stop" && guide_->out_of_tokens()) out_.finish_reason = "length";
  }
  return std::move(out_);
}

void AnswerWriter::append(TokenId id) {
  out_.ids.push_back(id);
  emit_text(detokenizer_.push(id));
}

void AnswerWriter::emit_text(const std::string& text) {
  if (text.empty()) return;
  out_.text += text;
  if (sink_) sink_(text);
}

Generation Generator::run(const StepFunction& step, std::span<const int> prompt_ids, const TextSink& sink) {
  AnswerWriter writer(*tokenizer_, options_, prompt_ids, sink);
  while (writer.advance()) {
    std::vector<float> logits = step(writer.pending());
    writer.fed(writer.pending().size());
    writer.choose(logits);
  }
  return writer.finish();
}

}  // namespace areason
