#include "text/pre_tokenizer.h"

#include <unicode/regex.h>
#include <unicode/utext.h>

#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "text/qwen2_files.h"
#include "text/split_words.h"

namespace areason {
namespace {

[[noreturn]] void unsupported(const std::string& file, const std::string& what) {
  throw Error(ErrorCode::kModel, file + ": " + what + " is not supported",
              "use a checkpoint with a byte-level BPE tokenizer (Qwen2, GPT-2, Llama 3, SmolLM2 …)");
}

std::string type_of(const Json& json, const std::string& file) {
  if (!json.is_object() || !json.contains("type") || !json["type"].is_string())
    unsupported(file, "a tokenizer part without a type");
  return json["type"].get<std::string>();
}

bool flag(const Json& json, const char* key, bool otherwise) {
  const auto at = json.find(key);
  return at != json.end() && at->is_boolean() ? at->get<bool>() : otherwise;
}

struct PatternStep : PreTokenizer::Step {
  enum class Kind { kQwen2, kLlama3, kGpt2, kDigits, kDigitRuns };
  explicit PatternStep(Kind k) : kind(k) {}
  void split(std::string_view text, std::vector<std::string_view>& words) const override {
    switch (kind) {
      case Kind::kQwen2:
        return split_qwen2(text, 1, words);
      case Kind::kLlama3:
        return split_qwen2(text, 3, words);
      case Kind::kGpt2:
        return split_gpt2(text, words);
      case Kind::kDigits:
        return split_digits(text, DigitGroups::kSingle, words);
      case Kind::kDigitRuns:
        return split_digits(text, DigitGroups::kRuns, words);
    }
  }
  Kind kind;
};

struct PrefixSpaceStep : PreTokenizer::Step {
  void split(std::string_view text, std::vector<std::string_view>& words) const override { words.push_back(text); }
  bool adds_prefix_space() const override { return true; }
};

// A regular expression of the file that has no hand-written twin, matched by ICU.
class RegexStep : public PreTokenizer::Step {
 public:
  enum class Matches { kKept, kRemoved };  // behaviours "Isolated" and "Removed"

  RegexStep(const std::string& pattern, std::uint32_t flags, Matches matches, std::string file)
      : matches_(matches), file_(std::move(file)) {
    UErrorCode status = U_ZERO_ERROR;
    UParseError where;
    pattern_.reset(icu::RegexPattern::compile(icu::UnicodeString::fromUTF8(pattern), flags, where, status));
    if (U_FAILURE(status)) unsupported(file_, "the pre-tokenizer pattern " + pattern.substr(0, 200));
  }

  void split(std::string_view text, std::vector<std::string_view>& words) const override {
    UErrorCode status = U_ZERO_ERROR;
    UText* input = utext_openUTF8(nullptr, text.data(), static_cast<std::int64_t>(text.size()), &status);
    const std::unique_ptr<UText, UText* (*)(UText*)> owner(input, utext_close);
    const std::unique_ptr<icu::RegexMatcher> matcher(pattern_->matcher(status));
    if (U_FAILURE(status)) fail(status);
    matcher->setTimeLimit(kTimeLimit, status);
    matcher->reset(input);
    std::size_t begin = 0;
    const auto add = [&](std::size_t from, std::size_t to) {
      if (to > from) words.push_back(text.substr(from, to - from));
    };
    while (matcher->find(status) && U_SUCCESS(status)) {
      const auto from = static_cast<std::size_t>(matcher->start64(status));
      const auto to = static_cast<std::size_t>(matcher->end64(status));
      add(begin, from);
      if (matches_ == Matches::kKept) add(from, to);
      begin = to;
    }
    if (U_FAILURE(status)) fail(status);
    add(begin, text.size());
  }

 private:
  // In ICU's units of about a millisecond: a hostile pattern must not hang.
  static constexpr std::int32_t kTimeLimit = 5000;

  [[noreturn]] void fail(UErrorCode status) const {
    throw Error(ErrorCode::kModel, file_ + ": the pre-tokenizer pattern failed: " + u_errorName(status),
                "use a shorter text or another checkpoint");
  }
  std::unique_ptr<icu::RegexPattern> pattern_;
  Matches matches_;
  std::string file_;
};

using Steps = std::vector<std::shared_ptr<const PreTokenizer::Step>>;

void add_pattern(PatternStep::Kind kind, Steps& steps) { steps.push_back(std::make_shared<PatternStep>(kind)); }

void add_split(const Json& json, const std::string& file, Steps& steps) {
  const std::string behavior = json.value("behavior", std::string("Isolated"));
  const auto pattern = json.find("pattern");
  if (pattern == json.end() || !pattern->is_object()) unsupported(file, "a Split without a pattern");
  if (flag(json, "invert", false) && behavior != "Isolated") unsupported(file, "an inverted Split");
  if (behavior != "Isolated" && behavior != "Removed") unsupported(file, "Split behaviour " + behavior);
  const auto matches = behavior == "Removed" ? RegexStep::Matches::kRemoved : RegexStep::Matches::kKept;
  if (pattern->contains("String")) {
    steps.push_back(std::make_shared<RegexStep>((*pattern)["String"].get<std::string>(), UREGEX_LITERAL, matches, file));
    return;
  }
  if (!pattern->contains("Regex")) unsupported(file, "a Split without a pattern");
  const std::string regex = (*pattern)["Regex"].get<std::string>();
  static const std::string kLlama3Pattern = [] {
    std::string p = kQwen2Pattern;
    return p.replace(p.find("|\\p{N}|") + 6, 0, "{1,3}");
  }();
  if (matches == RegexStep::Matches::kKept && regex == kQwen2Pattern) return add_pattern(PatternStep::Kind::kQwen2, steps);
  if (matches == RegexStep::Matches::kKept && regex == kLlama3Pattern) return add_pattern(PatternStep::Kind::kLlama3, steps);
  steps.push_back(std::make_shared<RegexStep>(regex, 0, matches, file));
}

void add_steps(const Json& json, const std::string& file, Steps& steps, bool& byte_level) {
  const std::string type = type_of(json, file);
  if (byte_level) unsupported(file, "a pre-tokenizer after ByteLevel");
  if (type == "Sequence") {
    const auto parts = json.find("pretokenizers");
    if (parts == json.end() || !parts->is_array()) unsupported(file, "a Sequence without pretokenizers");
    for (const Json& part : *parts) {
      if (part.is_object() && part.value("type", std::string()) == "Sequence") unsupported(file, "a nested Sequence");
      add_steps(part, file, steps, byte_level);
    }
  } else if (type == "Split") {
    add_split(json, file, steps);
  } else if (type == "Digits") {
    add_pattern(flag(json, "individual_digits", false) ? PatternStep::Kind::kDigits : PatternStep::Kind::kDigitRuns, steps);
  } else if (type == "ByteLevel") {
    byte_level = true;
    if (flag(json, "add_prefix_space", true)) steps.push_back(std::make_shared<PrefixSpaceStep>());
    if (flag(json, "use_regex", true)) add_pattern(PatternStep::Kind::kGpt2, steps);
  } else {
    unsupported(file, "the pre-tokenizer " + type);
  }
}

Normalization form_of(const std::string& type, const std::string& file) {
  if (type == "NFC") return Normalization::kNfc;
  if (type == "NFD") return Normalization::kNfd;
  if (type == "NFKC") return Normalization::kNfkc;
  if (type == "NFKD") return Normalization::kNfkd;
  unsupported(file, "the normalizer " + type);
}

}  // namespace

Normalizer Normalizer::from_json(const Json& json, const std::string& file) {
  Normalizer result;
  if (json.is_null()) return result;
  const std::string type = type_of(json, file);
  if (type != "Sequence") {
    result.forms_.push_back(form_of(type, file));
    return result;
  }
  const auto parts = json.find("normalizers");
  if (parts == json.end() || !parts->is_array()) unsupported(file, "a Sequence without normalizers");
  for (const Json& part : *parts) result.forms_.push_back(form_of(type_of(part, file), file));
  return result;
}

Normalizer Normalizer::nfc() {
  Normalizer result;
  result.forms_.push_back(Normalization::kNfc);
  return result;
}

std::string Normalizer::apply(std::string_view text) const {
  std::string result(text);
  for (const Normalization form : forms_) result = normalize_utf8(result, form);
  return result;
}

PreTokenizer PreTokenizer::from_json(const Json& json, const std::string& file) {
  PreTokenizer result;
  bool byte_level = false;
  if (!json.is_null()) add_steps(json, file, result.steps_, byte_level);
  if (!byte_level) unsupported(file, "a tokenizer that is not byte-level");
  return result;
}

PreTokenizer PreTokenizer::qwen2() {
  PreTokenizer result;
  add_pattern(PatternStep::Kind::kQwen2, result.steps_);
  return result;
}

PreTokenizer PreTokenizer::gpt2() {
  PreTokenizer result;
  add_pattern(PatternStep::Kind::kGpt2, result.steps_);
  return result;
}

std::vector<std::string_view> PreTokenizer::split(std::string_view text, std::deque<std::string>& storage) const {
  std::vector<std::string_view> words;
  if (!text.empty()) words.push_back(text);
  for (const auto& step : steps_) {
    std::vector<std::string_view> finer;
    for (const std::string_view word : words) {
      if (step->adds_prefix_space() && !word.starts_with(' '))
        step->split(storage.emplace_back(" " + std::string(word)), finer);
      else
        step->split(word, finer);
    }
    words = std::move(finer);
  }
  return words;
}

}  // namespace areason
