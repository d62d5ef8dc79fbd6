// Comparisons: the values that an expression may have, and how near they have to be.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "cota/spoken_words.h"
#include "cota/statement_judge.h"

namespace areason::claims {
namespace {

bool is_call(const Expression& e, const char* name) { return e.what == Expression::What::kFunction && e.function == name; }

}  // namespace

std::vector<double> StatementJudge::counts(const Names& names, const Set& events) const {
  std::set<double> out = {static_cast<double>(events.size())};
  const std::vector<int> order = ordered(events);
  // Bursts that follow each other at once are heard as one; what one voice says in one go is one turn.
  int bursts = 0, runs = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const Happening& now = facts_.at(order[i]);
    const bool first = i == 0 || facts_.at(order[i - 1]).audio != now.audio;
    const Happening* last = first ? nullptr : &facts_.at(order[i - 1]);
    bursts += last == nullptr || now.label != last->label || now.speaker != last->speaker || now.from - last->to > 0.35 ? 1 : 0;
    runs += last == nullptr || now.label != last->label || now.speaker != last->speaker ? 1 : 0;
  }
  out.insert(bursts);
  const bool any = std::any_of(names.begin(), names.end(), [](const Name& n) { return n.what == Name::What::kAny; });
  const bool talk = std::any_of(names.begin(), names.end(), [](const Name& n) {
    return n.what == Name::What::kSpeech || n.what == Name::What::kMan || n.what == Name::What::kWoman;
  });
  if (talk || any) out.insert(runs);
  if (!any || (!names.empty() && names[0].nth != 0)) return {out.begin(), out.end()};
  // All sounds: with what lies under everything, without talk, each kind once.
  const int audio = names[0].audio == 0 ? kAnyAudio : names[0].audio - 1;
  double whole = 0, silent = 0;
  for (const Happening& h : facts_.all()) {
    if (audio != kAnyAudio && h.audio != audio) continue;
    ++whole;
    silent += h.speaker > 0 || h.background ? 0 : 1;
  }
  out.insert(whole);
  if (silent > 0) out.insert(silent);
  return {out.begin(), out.end()};
}

std::vector<double> StatementJudge::count_kinds(int audio) const {
  std::set<std::string> sounds, under;
  Set voices;
  for (const Happening& h : facts_.all()) {
    if (audio != kAnyAudio && h.audio != audio) continue;
    if (h.speaker > 0) {
      voices.insert(h.speaker);
    } else {
      (h.background ? under : sounds).insert(h.label);
    }
  }
  std::set<double> out;
  for (const double with_under : {0.0, static_cast<double>(under.size())})
    for (const double with_voices : {0.0, voices.empty() ? 0.0 : 1.0, static_cast<double>(voices.size())})
      out.insert(static_cast<double>(sounds.size()) + with_under + with_voices);
  return {out.begin(), out.end()};
}

// Pairs that sound together: for a while, or at all; and the stretches of time in which any do.
std::vector<double> StatementJudge::count_overlaps(const Set& events) const {
  std::set<double> out;
  for (const double least : {0.3, 0.15, 0.02}) {
    int pairs = 0, stretches = 0;
    std::map<int, double> until;  // of the last stretch, by file
    for (const int k : ordered(events)) {
      const Happening& later = facts_.at(k);
      bool fresh = false;
      for (const int i : events) {
        const Happening& x = facts_.at(i);
        if (i == k || x.audio != later.audio || std::pair(x.from, i) > std::pair(later.from, k)) continue;
        if (std::min(x.to, later.to) - later.from < least) continue;
        ++pairs;
        fresh = fresh || !until.contains(x.audio) || until[x.audio] < later.from;
        until[x.audio] = std::max(until[x.audio], std::min(x.to, later.to));
      }
      stretches += fresh ? 1 : 0;
    }
    out.insert(pairs);
    out.insert(stretches);
  }
  return {out.begin(), out.end()};
}

StatementJudge::Values StatementJudge::pair_values(const std::string& function, const Set& a, const Set& b) const {
  Values out;
  out.unit = Values::Unit::kTime;
  for (const int i : a) {
    for (const int k : b) {
      if (i == k || facts_.at(i).audio != facts_.at(k).audio) continue;
      const Happening &x = facts_.at(i), &y = facts_.at(k);
      if (function == "gap") {
        if (facts_.key(k) >= facts_.key(i)) out.any.push_back(y.from - x.to);
      } else {
        out.any.push_back(std::max(0.0, std::min(x.to, y.to) - std::max(x.from, y.from)));
      }
    }
  }
  if (out.any.empty()) out.open = true;
  return out;
}

// Of a whole file, or of all.
StatementJudge::Values StatementJudge::file_values(const Expression& e) const {
  Values out;
  const int audio = e.of.empty() || e.of[0].empty() || e.of[0][0].audio == 0 ? kAnyAudio : e.of[0][0].audio - 1;
  out.unit = e.function == "clip" ? Values::Unit::kTime : Values::Unit::kCount;
  if (e.function == "kinds") out.any = count_kinds(audio);
  if (e.function == "files") out.any = {static_cast<double>(facts_.audios())};
  if (e.function != "clip") return out;
  // Noise under a clip ends with it; otherwise the file may go on a little behind its last sound.
  const auto length = facts_.lengths().find(std::max(audio, 0));
  if (length == facts_.lengths().end()) return out;
  for (const double behind : {0.0, 0.5, 1.0}) out.any.push_back(length->second + behind);
  return out;
}

StatementJudge::Values StatementJudge::count_voices(const Expression& e) const {
  Values out;
  out.unit = Values::Unit::kCount;
  Name anybody;
  anybody.what = Name::What::kSpeech;
  const Names names = e.of.empty() ? Names{anybody} : e.of[0];
  const bool sexed = names[0].what == Name::What::kMan || names[0].what == Name::What::kWoman;
  out.open = sexed && !facts_.known().all_sexes;
  Set voices;
  for (const Name& name : names) voices.merge(voices_meant(name.what == Name::What::kAny ? anybody : name));
  if (names[0].audio > 0) voices = speakers_of(meant(names).events);
  out.any = {static_cast<double>(voices.size())};
  return out;
}

// Of each event, and of several of a kind that are spoken of as one.
StatementJudge::Values StatementJudge::event_values(const std::string& name, const Set& events) const {
  Values out;
  using Unit = Values::Unit;
  const bool spoken = name == "words" || name == "digits";
  out.unit = name == "level" ? Unit::kLevel : spoken ? Unit::kCount : Unit::kTime;
  double first = 1e18, last = -1e18, sum = 0;
  bool one_file = true;
  for (const int i : events) {
    const Happening& h = facts_.at(i);
    first = std::min(first, h.from), last = std::max(last, h.to), sum += h.to - h.from;
    one_file = one_file && h.audio == facts_.at(*events.begin()).audio;
    if (name == "start") out.any.push_back(h.from);
    if (name == "end") out.any.push_back(h.to);
    if (name == "length") out.any.push_back(h.to - h.from);
    if (name == "level") out.any.push_back(h.level_db);
    if (!spoken) continue;
    out.open = out.open || h.words.size() < 2;
    const auto words = spoken_words(h.words);
    const auto figures = figures_of(words, Figures::kDigits);
    const auto digits = std::count_if(figures.begin(), figures.end(), [](double f) { return f < 10; });
    out.any.push_back(name == "words" ? static_cast<double>(words.size()) : static_cast<double>(digits));
  }
  if (name == "length" && events.size() > 1) {
    out.any.push_back(sum);
    if (one_file) out.any.push_back(last - first);
  }
  return out;
}

StatementJudge::Values StatementJudge::function(const Expression& e) const {
  const std::string& name = e.function;
  if (name == "clip" || name == "files" || name == "kinds") return file_values(e);
  if (name == "voices") return count_voices(e);
  Values out;
  std::vector<Set> sets;
  for (const Names& names : e.of) {
    const Meant found = meant(names);
    out.open = out.open || found.open;
    sets.push_back(found.events);
  }
  if (out.open) return out;
  if (name == "count") {
    out.unit = Values::Unit::kCount;
    out.any = counts(e.of[0], sets[0]);
    return out;
  }
  if (name == "overlaps") {
    out.unit = Values::Unit::kCount;
    out.any = count_overlaps(sets.empty() ? facts_.foreground(kAnyAudio) : sets[0]);
    return out;
  }
  if (sets.size() == 1) return event_values(name, sets[0]);
  // What is not there has no values; two sounds of which neither comes before the other leave it open.
  return sets[0].empty() || sets[1].empty() ? out : pair_values(name, sets[0], sets[1]);
}

StatementJudge::Values StatementJudge::values(const Expression& e) const {
  Values out;
  if (e.what == Expression::What::kNumber) {
    out.any = {e.number};
    out.decimals = e.decimals;
    return out;
  }
  if (e.what == Expression::What::kFunction) return function(e);
  const Values a = values(e.sides[0]);
  Values b = values(e.sides[1]);
  // "A second after the pig" may count from the pig's end.
  if (e.operation == '-' && is_call(e.sides[0], "start") && is_call(e.sides[1], "start")) {
    Expression behind = e.sides[1];
    behind.function = "end";
    const Values ends = values(behind);
    b.any.insert(b.any.end(), ends.any.begin(), ends.any.end());
  }
  out.open = a.open || b.open;
  using Unit = Values::Unit;
  const bool scaled = (e.operation == '/' || e.operation == '*') && (a.unit != Unit::kPlain || b.unit != Unit::kPlain);
  const bool quotient = e.operation == '/' && a.unit != Unit::kPlain && b.unit != Unit::kPlain;
  out.unit = quotient ? Unit::kPlain : a.unit != Unit::kPlain ? a.unit : b.unit;
  out.ratio = a.ratio || b.ratio || (scaled && out.unit != Unit::kCount);
  for (const double x : a.any) {
    for (const double y : b.any) {
      if (out.any.size() > 4096) break;
      if (e.operation == '+') out.any.push_back(x + y);
      if (e.operation == '-') out.any.push_back(x - y);
      if (e.operation == '*') out.any.push_back(x * y);
      if (e.operation == '/' && y != 0) out.any.push_back(x / y);
    }
  }
  return out;
}

Verdict StatementJudge::compare(const Statement& s) const {
  const Values a = values(s.left), b = values(s.right);
  if (a.open || b.open) return Verdict::kOpen;
  // Nothing has no length, but it may be counted.
  if (a.any.empty() || b.any.empty()) return Verdict::kFalse;
  using Unit = Values::Unit;
  const Unit unit = a.unit != Unit::kPlain ? a.unit : b.unit;
  const bool ratio = a.ratio || b.ratio, about = s.relation == "~";
  const int decimals = std::max(a.decimals, b.decimals);
  const auto slack = [&](double x, double y) {
    const double size = std::max(std::abs(x), std::abs(y));
    if (unit == Unit::kCount) return about ? std::max(1.0, 0.2 * size) : ratio ? 0.25 * size : 0.4;
    if (ratio) return (about ? 0.35 : 0.25) * size;
    if (unit == Unit::kLevel) return (about ? 2.5 : 1.2) + 0.05 * size;
    const double written = decimals < 0 ? 0.35 : decimals == 0 ? 0.7 : decimals == 1 ? 0.25 : 0.15;
    return about ? std::max(0.4, 1.4 * written) + 0.15 * size : written + 0.05 * size;
  };
  const auto margin = [&](double x, double y) {
    const double size = ratio ? 0.05 * std::max(std::abs(x), std::abs(y)) : 0;
    const double time = decimals == 0 ? 0.3 : decimals == 1 ? 0.15 : 0.12;  // "over three seconds"
    return size + (unit == Unit::kTime ? time : unit == Unit::kLevel ? 0.6 : 1e-9);
  };
  const bool exact = !ratio && (unit == Unit::kCount || unit == Unit::kPlain);
  bool all_equal = true;
  for (const double x : a.any) {
    for (const double y : b.any) {
      all_equal = all_equal && std::abs(x - y) < 0.05;
      const double more = s.relation == "<" || s.relation == "<=" ? y - x : x - y;  // than is needed
      const bool equal = s.relation == "=" || s.relation == "~";
      const bool strictly = exact && (s.relation == "<" || s.relation == ">");
      const bool holds =
          equal ? std::abs(x - y) <= slack(x, y) : s.relation != "!=" && (strictly ? more > 1e-9 : more > -margin(x, y));
      if (holds) return Verdict::kHolds;
    }
  }
  return s.relation == "!=" && !all_equal ? Verdict::kHolds : Verdict::kFalse;
}

}  // namespace areason::claims
