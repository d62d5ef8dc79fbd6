// What a number of sounds is held against: how often one is heard, how many there are in all, what is asked for. A number is
// wrong only when no usual way of counting gives it.
#include <algorithm>
#include <cmath>

#include "cota/claim_counts.h"

namespace areason::claims {
namespace {

bool one_of(double n, std::initializer_list<std::size_t> counts) {
  return std::any_of(counts.begin(), counts.end(), [&](std::size_t c) { return n == static_cast<double>(c); });
}

// "two barks before the siren, and one after it" count parts of a whole. May n be such a part?
bool partial(const Reading& r, double n, std::size_t whole, Span number) {
  const auto [at, end] = number;
  if (n > static_cast<double>(whole)) return false;
  int from = at, to = end;
  while (from > 0 && r.word(from - 1).segment == r.word(at).segment) --from;
  while (to < r.size() && r.word(to).segment == r.word(at).segment) ++to;
  for (int i = from; i < to; ++i) {
    const bool file = r.word(i).ordinal != 0 && i + 1 < to && is_one(r.word(i + 1), "audio|clip|recording|file|track");
    if ((i < at || i >= end) && is_one(r.word(i), kPart) && !file) return true;
  }
  // The same sentence gives the whole: "twice: once early, once late".
  for (int i = 0; i < r.size(); ++i) {
    const Word& w = r.word(i);
    const bool amount = i + 1 < r.size() && is_one(r.word(i + 1), kUnits);
    const bool pronoun = w.text == "one" && i > 0 &&
                         (r.word(i - 1).ordinal != 0 || is_one(r.word(i - 1), "the|this|that|each|every|which|another|no"));
    // "audio 2" and "one single time" count nothing more.
    const bool name = i > 0 && is_one(r.word(i - 1), "audio|part|clip|recording|exhibit|speaker|option|track|file|half");
    if (w.number >= 0 && (amount || pronoun || name || (is_one(w, "single|lone|sole|solitary") && i == at + 1))) continue;
    const double other = is_one(w, "once") ? 1 : is_one(w, "twice") ? 2 : is_one(w, "thrice") ? 3 : w.number;
    if (i != at && other > 0 && other == static_cast<double>(whole)) return true;
    if (i != at && other > 0 && other + n == static_cast<double>(whole)) return true;
  }
  return false;
}

bool counts(const Mention& m) { return !m.quote && !m.denied && !m.neutral && (!m.human || m.speaker > 0); }

}  // namespace

// May this many of m be said, at word `at`?
bool fits_count(const Reading& r, double n, const Mention& m, Span number) {
  if (m.events.empty()) return n == 0 || !m.certain || m.elsewhere || r.facts.foreign();
  const std::size_t whole = m.events.size();
  if (one_of(n, {whole, m.wide.size()})) return true;
  // In the other file, or in both.
  std::map<int, std::size_t> by_file;
  for (const int i : m.wide) ++by_file[r.facts.at(i).audio];
  for (const auto& [file, count] : by_file)
    if (by_file.size() > 1 && n == static_cast<double>(count)) return true;
  return partial(r, n, std::max(whole, m.wide.size()), number);
}

void expect_count(Reading& r, double n, const Mention& m, Span number) {
  if (!counts(m) || m.nth != 0 || fits_count(r, n, m, number)) return;
  r.wrong("count", m.name + " is heard " + std::to_string(m.events.size()) + " times, not " + times(n));
}

namespace {

// Every usual way to count the sounds of a file, or of all.
bool fits_total(const Reading& r, double n, int audio) {
  std::set<std::string> kinds, front, quiet;
  std::size_t all = 0, front_count = 0, quiet_count = 0;
  for (const Happening& h : r.facts.all()) {
    if (audio != kAnyAudio && h.audio != audio) continue;
    ++all;
    kinds.insert(h.label);
    if (!h.background) front.insert(h.label), ++front_count;
    if (h.speaker == 0 && !h.background) quiet.insert(h.label), ++quiet_count;
  }
  const auto talk = r.facts.speech(audio).size();
  const auto speakers = static_cast<std::size_t>(std::max(0, r.facts.speakers(audio)));
  return one_of(n, {all, front_count, quiet_count, front_count - talk + (talk == 0 ? 0 : 1), kinds.size(), front.size(),
                    quiet.size(), front.size() + (speakers == 0 ? 0 : speakers - 1)});
}

// A smaller number may count a part of the sounds, unless the whole is spoken of.
bool of_a_part(const Reading& r, double n) {
  const auto in_file = static_cast<double>(std::count_if(r.facts.all().begin(), r.facts.all().end(), [&](const Happening& h) {
    return r.audio == kAnyAudio || h.audio == r.audio;
  }));
  if (n > in_file || r.answer) return false;
  if (r.has("contains|comprises|comprise|consists|consist") && !r.has("that|which|of|these|only|before|after|other"))
    return false;
  if (r.has("total|altogether|overall") || (r.has("all") && r.find("in", 0, r.size()) >= 0)) return false;
  if (r.section == Section::kReasoning) return true;
  return r.word(0).number < 0 &&
         r.find("there|hear|heard|count|contains|contain|consists|comprises|includes|holds|has|up|comes|exactly", 0, r.size()) <
             0;
}

}  // namespace

void expect_total(Reading& r, double n) {
  if (of_a_part(r, n)) return;
  if (fits_total(r, n, r.audio) || (r.facts.audios() > 1 && fits_total(r, n, kAnyAudio))) return;
  r.wrong("count", "there are " + std::to_string(r.facts.foreground(r.audio).size()) + " sounds, not " + times(n));
}

// A number that stands alone is of what is asked for.
void expect_asked(Reading& r, double n, int at) {
  const Sample& s = *r.sample;
  const bool number = !s.answer_text.empty() && s.answer_text.find_first_not_of("0123456789") == std::string::npos;
  if (r.has("every|each")) return;
  // "Two times two, that is four": the answer is among them.
  for (int i = 0; i < r.size() && number; ++i)
    if (i != at && r.word(i).number == std::stod(s.answer_text.substr(0, 4))) return;
  if (number && r.facts.audios() == 1 && s.kind.find("digits") == std::string::npos) {
    if (std::stod(s.answer_text.substr(0, 4)) != n) r.wrong("count", "the answer is " + s.answer_text + ", not " + times(n));
    return;
  }
  if (r.asked.what != Asked::What::kCount) return;
  if (r.asked.speakers) return expect_speakers(r, n);
  if (r.asked.mentions.size() > 1) return;
  if (r.asked.mentions.size() == 1) {
    Mention m = r.asked.mentions[0];
    if (!m.human) expect_count(r, n, m, {at, at + 1});
    return;
  }
  expect_total(r, n);
}

}  // namespace areason::claims
