#include "cota/review.h"

#include <cctype>
#include <set>

#include "cota/check.h"
#include "cota/claims.h"
#include "cota/think.h"

namespace areason {
namespace {

constexpr std::size_t kLongestReview = 100'000;
constexpr std::size_t kReasonBytes = 4000;

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

// The words and spaces of a text, everything else as one blank: "It's — fine!" -> " it s fine "
std::string plain_words(std::string_view text) {
  std::string out = " ";
  for (const char c : text) {
    if (is_word(c) || static_cast<unsigned char>(c) >= 0x80) {
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (out.back() != ' ') {
      out += ' ';
    }
  }
  return out.back() == ' ' ? out : out + ' ';
}

// Looks for `word` from the end, as <word> or as a word of its own where `marked` is false.
std::size_t last_verdict(const std::string& low, const std::string& word, bool marked) {
  for (std::size_t at = low.rfind(word); at != std::string::npos; at = at == 0 ? std::string::npos : low.rfind(word, at - 1)) {
    const char before = at == 0 ? ' ' : low[at - 1];
    const char after = at + word.size() < low.size() ? low[at + word.size()] : ' ';
    if (marked ? before == '<' && after == '>' : !is_word(before) && !is_word(after)) return at;
  }
  return std::string::npos;
}

std::optional<bool> verdict_in(const std::string& low) {
  for (const bool marked : {true, false}) {
    const std::size_t yes = last_verdict(low, "true", marked), no = last_verdict(low, "false", marked);
    if (yes == std::string::npos && no == std::string::npos) continue;
    if (yes == std::string::npos || no == std::string::npos) return yes != std::string::npos;
    return yes > no;
  }
  const std::string words = plain_words(low);
  if (words == " ok " || words == " yes ") return true;
  if (words == " no ") return false;
  return {};
}

// Quoted stretches of at least three words: shorter ones are terms, not quotations.
std::vector<std::string> quotations(const std::string& text) {
  std::vector<std::string> out;
  static const std::pair<std::string, std::string> kMarks[] = {{"\"", "\""}, {"\u201c", "\u201d"}};
  for (const auto& [open, close] : kMarks) {
    for (std::size_t at = text.find(open); at != std::string::npos;) {
      const std::size_t end = text.find(close, at + open.size());
      if (end == std::string::npos) break;
      const std::string inner = plain_words(std::string_view(text).substr(at + open.size(), end - at - open.size()));
      int blanks = 0;
      for (const char c : inner) blanks += c == ' ' ? 1 : 0;
      if (blanks >= 4) out.push_back(inner);
      at = text.find(open, end + close.size());
    }
  }
  return out;
}

// Everything that somebody says, or the question itself quotes, in plain words; "" when no words are known.
std::string said_in(const Sample& sample, const SourceClip* facts) {
  std::string out;
  for (const TimelineEntry& e : sample.timeline) out += e.text.empty() ? "" : " " + e.text;
  if (facts != nullptr) {
    for (const char* name : {"transcript", "translation", "context"}) out += " " + facts->fact(name);
  }
  const std::string words = plain_words(out);
  return words.size() <= 2 ? "" : words + plain_words(sample.question);
}

void check_structure(const Sample& s, std::vector<std::string>& out) {
  for (const Section section : kSections) {
    const std::string& text = s.sections[section];
    if (text.empty()) out.push_back("structure: " + std::string(section_tag(section)) + " is empty");
    if (const std::string leak = leak_in(text); !leak.empty()) out.push_back("leak: says \"" + leak + "\"");
    for (const char* copied : {"......", "here ***", "{{"}) {
      if (text.find(copied) != std::string::npos) out.push_back(std::string("placeholder: holds ") + copied);
    }
  }
}

void check_letter(const Sample& s, std::vector<std::string>& out) {
  if (s.answer_letter.empty()) return;
  const int gold = s.answer_letter[0] - 'a';
  if (gold < 0 || gold >= static_cast<int>(s.choices.size())) {
    out.push_back("letter: the answer's letter is no option");
    return;
  }
  const int said = answer_letter(s.sections[Section::kResponse]);
  if (said >= 0 && said != gold) out.push_back("letter: the response ends in another option than the answer");
  if (std::set<std::string>(s.choices.begin(), s.choices.end()).size() != s.choices.size())
    out.push_back("options: one stands there twice");
}

void check_planning(const Sample& s, std::vector<std::string>& out) {
  const int early = answer_letter(s.sections[Section::kPlanning]);
  if (early >= 0) out.push_back("planning: names the answer before anything was heard");
}

// The same sentence again and again: models that got stuck.
void check_repetition(const Sample& s, std::vector<std::string>& out) {
  for (const Section section : kSections) {
    const std::string words = plain_words(s.sections[section]);
    if (words.size() < 400) continue;
    std::size_t repeats = 0;
    for (std::size_t at = 0; at + 80 <= words.size(); at += 40)
      repeats += words.find(words.substr(at, 40), at + 40) != std::string::npos ? 1 : 0;
    if (repeats * 80 > words.size()) out.push_back("repetition: " + std::string(section_tag(section)) + " goes in circles");
  }
}

}  // namespace

Parsed<Review> parse_review(std::string_view whole) {
  if (whole.size() > kLongestReview) return {{}, "the answer is far too long"};
  const std::string text = trimmed(without_code_fences(whole));
  const std::string low = lower_ascii(text);
  const auto verdict = verdict_in(low);
  if (!verdict) return {{}, "there is no verdict; write <True> or <False>"};
  return {Review{*verdict, text.substr(0, kReasonBytes)}, ""};
}

std::vector<std::string> sample_defects(const Sample& s, const SourceClip* facts, const std::vector<std::string>* claims) {
  std::vector<std::string> out;
  check_structure(s, out);
  check_letter(s, out);
  check_planning(s, out);
  check_repetition(s, out);
  const std::vector<std::string> wrong = claims != nullptr ? *claims : false_claims(s, facts);
  out.insert(out.end(), wrong.begin(), wrong.end());
  if (const std::string said = said_in(s, facts); !said.empty()) {
    for (const Section section : kSections) {
      for (const std::string& quote : quotations(s.sections[section])) {
        if (said.find(quote) == std::string::npos) out.push_back("quote: nobody says \"" + trimmed(quote) + "\"");
      }
    }
  }
  return out;
}

}  // namespace areason
