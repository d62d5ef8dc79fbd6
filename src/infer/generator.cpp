#include "infer/generator.h"

#include <algorithm>

#include "cot/named_choice.h"

namespace areason {
namespace {

constexpr std::size_t kMostOwnWords = 96;  // tokens

}  // namespace

AnswerWriter::AnswerWriter(const Tokenizer& tokenizer, const GenerateOptions& options, std::span<const int> prompt_ids,
                           const TextSink& sink)
    : options_(options), sink_(sink), sampler_(options.sampling), detokenizer_(tokenizer), tokenizer_(&tokenizer) {
  if (options.layout != nullptr) guide_.emplace(*options.layout, GuideOptions{options.max_new_tokens, options.section_budget});
  if (guide_ && !options.choices.empty()) guide_->hold_choice();
  sampler_.remember(prompt_ids);
}

bool AnswerWriter::advance() {
  if (!out_.finish_reason.empty()) return false;
  const auto take_forced = [this] {
    const auto forced = guide_->take_forced();
    for (const TokenId id : forced) append(id);
    sampler_.remember(forced);
  };
  if (guide_ && !own_words_) {
    take_forced();
    if (guide_->before_choice()) begin_own_words();
    if (own_words_ && own_words_->most == 0) {
      end_own_words();
      take_forced();
    }
  }
  return !finished();
}

void AnswerWriter::begin_own_words() {
  const std::size_t written = out_.ids.size(), most = static_cast<std::size_t>(std::max(0, options_.max_new_tokens));
  const std::size_t room = most > written ? most - written - 1 : 0;  // one less: the limit itself ends an answer
  own_words_.emplace(OwnWords{written, std::min(kMostOwnWords, room), sampler_, ""});
}

void AnswerWriter::end_own_words() {
  const int named = named_choice(own_words_->text.substr(0, own_words_->text.find('<')), options_.choices);
  out_.ids.resize(own_words_->from);
  // The last id before them goes to the model again: the logits behind it were theirs.
  fed_ = std::min(fed_, out_.ids.empty() ? 0 : out_.ids.size() - 1);
  sampler_ = own_words_->before;
  own_words_.reset();
  guide_->settle_choice(named < 0 ? "" : options_.choices[static_cast<std::size_t>(named)]);
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
  if (own_words_) {
    const int id = sampler_.pick(logits, nullptr);
    const bool ends = std::find(options_.end_ids.begin(), options_.end_ids.end(), id) != options_.end_ids.end();
    if (!ends) {
      out_.ids.push_back(id);
      own_words_->text += tokenizer_->bytes(id);
      sampler_.remember(std::span(&id, 1));
    }
    const bool said = ends || own_words_->text.find('<') != std::string::npos;
    if (said || out_.ids.size() - own_words_->from >= own_words_->most) end_own_words();
    return;
  }
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
  if (own_words_) end_own_words();  // stopped in the middle of them
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
