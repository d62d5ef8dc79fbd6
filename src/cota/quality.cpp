#include "cota/quality.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/json.h"
#include "cota/check.h"

namespace areason {
namespace {

constexpr double kNear = 0.8;  // share of common words from which two questions ask the same
constexpr std::size_t kExamples = 10;

std::uint64_t hash_of(std::string_view text) {  // FNV-1a
  std::uint64_t h = 14695981039346656037ull;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  return h;
}

std::vector<std::string> lower_words(std::string_view text) {
  std::vector<std::string> out(1);
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (std::isalnum(u) || u >= 0x80)
      out.back() += static_cast<char>(std::tolower(u));
    else if (!out.back().empty())
      out.emplace_back();
  }
  if (out.back().empty()) out.pop_back();
  return out;
}

std::string_view stem_of_question(const Sample& s) {
  const std::string_view question = s.question;
  for (const char* mark : {"(a)", "(A)", "\nA."}) {
    if (const std::size_t at = question.find(mark); at != std::string_view::npos && !s.choices.empty())
      return question.substr(0, at);
  }
  return question;
}

double common_share(const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b) {
  std::vector<std::uint32_t> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  const std::size_t all = a.size() + b.size() - both.size();
  return all == 0 ? 1 : static_cast<double>(both.size()) / static_cast<double>(all);
}

std::vector<std::uint32_t> question_words(const Sample& s) {
  std::vector<std::uint32_t> out;
  for (const std::string& word : lower_words(stem_of_question(s))) out.push_back(static_cast<std::uint32_t>(hash_of(word)));
  std::sort(out.begin(), out.end());
  return out;
}

// The value that chi square passes once in a thousand times, for 1 … 9 degrees of freedom (NIST/SEMATECH handbook,
// table 1.3.6.7.4).
constexpr std::array<double, 10> kOneInThousand = {0, 10.828, 13.816, 16.266, 18.467, 20.515, 22.458, 24.322, 26.125, 27.877};

}  // namespace

bool planning_names_answer(const Sample& s) {
  const std::string& planning = s.sections[Section::kPlanning];
  if (answer_letter(planning) >= 0) return true;
  const auto answer = lower_words(s.answer_text), plan = lower_words(planning),
             asked = lower_words(s.question.substr(0, s.question.find("(a)")));
  if (answer.empty() || answer == std::vector<std::string>{"yes"} || answer == std::vector<std::string>{"no"}) return false;
  const auto holds = [&](const std::vector<std::string>& text) {
    return std::search(text.begin(), text.end(), answer.begin(), answer.end()) != text.end();
  };
  // "I compare the cat and the dog": an answer beside its rivals is not given away.
  int named = 0;
  for (const std::string& choice : s.choices) {
    const auto words = lower_words(choice);
    named += !words.empty() && std::search(plan.begin(), plan.end(), words.begin(), words.end()) != plan.end() ? 1 : 0;
  }
  return holds(plan) && !holds(asked) && named <= 1;
}

bool ask_nearly_the_same(const Sample& a, const Sample& b) {
  // The turns before belong to a question: "And how often?" may stand after each.
  const auto same_turn = [](const Turn& x, const Turn& y) { return x.question == y.question; };
  if (!std::equal(a.turns.begin(), a.turns.end(), b.turns.begin(), b.turns.end(), same_turn)) return false;
  return common_share(question_words(a), question_words(b)) >= kNear;
}

void QualityReport::add(const Sample& s) {
  ++samples_;
  leaks_ += planning_names_answer(s) ? 1 : 0;
  if (s.choices.size() >= 2 && s.choices.size() <= 4 && s.answer_letter.size() == 1) {
    const int letter = s.answer_letter[0] - 'a';
    if (letter >= 0 && letter < 4) ++gold_[s.choices.size()][static_cast<std::size_t>(letter)];
  }
  Asked now{s.id, question_words(s)};
  std::string joined;
  for (const std::string& word : lower_words(stem_of_question(s))) joined += word + " ";
  ++questions_[hash_of(joined)];
  std::string clip = s.source.set + "\n" + s.source.id;
  for (const std::string& audio : s.audio) clip += "\n" + audio;
  for (const Turn& turn : s.turns) clip += "\n" + turn.question;
  std::vector<Asked>& others = by_clip_[hash_of(clip)];
  for (const Asked& other : others) {
    if (common_share(now.words, other.words) < kNear) continue;
    ++near_count_;
    if (near_.size() < kExamples) near_.push_back({other.id, s.id});
    break;
  }
  others.push_back(std::move(now));
}

QualityReport::Letters QualityReport::letters() const {
  Letters out;
  for (const auto& [options, gold] : gold_) {
    std::int64_t all = 0;
    for (const std::int64_t n : gold) all += n;
    const double expected = static_cast<double>(all) / static_cast<double>(options);
    for (std::size_t i = 0; i < options; ++i) {
      out.gold[i] += gold[i];
      const double off = static_cast<double>(gold[i]) - expected;
      if (expected > 0) out.chi_square += off * off / expected;
    }
    out.degrees += static_cast<int>(options) - 1;
  }
  out.skewed = out.degrees > 0 && out.degrees < static_cast<int>(kOneInThousand.size()) &&
               out.chi_square > kOneInThousand[static_cast<std::size_t>(out.degrees)];
  return out;
}

Json QualityReport::to_json() const {
  const Letters l = letters();
  Json examples = Json::array();
  for (const NearDuplicate& n : near_) examples.push_back(Json{n.first, n.second});
  return {{"samples", samples_},
          {"distinct_questions", distinct_questions()},
          {"near_duplicates", near_count_},
          {"near_duplicate_examples", std::move(examples)},
          {"planning_names_answer", leaks_},
          {"letters",
           {{"a", l.gold[0]},
            {"b", l.gold[1]},
            {"c", l.gold[2]},
            {"d", l.gold[3]},
            {"chi_square", l.chi_square},
            {"skewed", l.skewed}}}};
}

std::string QualityReport::text() const {
  const Letters l = letters();
  std::string out =
      fmt::format("{} distinct questions, {} nearly the same as another about their clip, {} whose PLANNING names the answer\n",
                  distinct_questions(), near_count_, leaks_);
  for (const NearDuplicate& n : near_) out += fmt::format("          {} asks what {} asks\n", n.second, n.first);
  return out + fmt::format("gold letters: a {}, b {}, c {}, d {}: {} (chi square {:.1f})\n", l.gold[0], l.gold[1], l.gold[2],
                           l.gold[3], l.skewed ? "NOT evenly spread" : "evenly spread", l.chi_square);
}

}  // namespace areason
