// Facts about sounds: order, place, overlap, extremes, times.
#include <algorithm>

#include "cota/statement_judge.h"

namespace areason::claims {
namespace {

constexpr double kPlainly = 0.3;  // seconds beyond which an overlap or an order is beyond doubt

}  // namespace

bool StatementJudge::next_strictly(const Set& a, const Set& b) const {
  const std::vector<int> order = ordered(facts_.foreground(kAnyAudio));
  for (std::size_t i = 0; i + 1 < order.size(); ++i)
    if (a.contains(order[i]) && b.contains(order[i + 1]) && facts_.key(order[i + 1]) > facts_.key(order[i]) + kPlainly)
      return true;
  return false;
}

StatementJudge::Fit StatementJudge::fit_pair(const std::string& fact, const Set& a, const Set& b) const {
  Fit out{false, false, false};
  if (fact == "next") return {facts_.next(a, b), next_strictly(a, b), false};
  if (fact == "same_voice") {
    const Set x = speakers_of(a), y = speakers_of(b);
    if (x.empty() || y.empty()) return {true, false, true};
    const bool some = std::any_of(x.begin(), x.end(), [&](int who) { return y.contains(who); });
    return {some, some && x.size() == 1 && y.size() == 1, false};
  }
  for (const int i : a) {
    for (const int k : b) {
      if (i == k) continue;
      const Happening &x = facts_.at(i), &y = facts_.at(k);
      if (fact == "before") {
        out.lenient = out.lenient || facts_.key(i) < facts_.key(k) + kSame;
        continue;
      }
      if (x.audio != y.audio) continue;
      const double shared = std::min(x.to, y.to) - std::max(x.from, y.from);
      if (fact == "overlap") {
        out.lenient = out.lenient || shared > -0.15;
        out.strict = out.strict || shared > kPlainly;
      } else {  // during
        out.lenient = out.lenient || (x.from > y.from - 0.5 && x.to < y.to + 0.5);
        out.strict = out.strict || (x.from > y.from && x.to < y.to);
      }
    }
  }
  if (fact == "before" && !a.empty() && !b.empty()) {
    // "not before": all of the one begin plainly before all of the other.
    double last = -1e18, first = 1e18;
    for (const int i : a) last = std::max(last, facts_.key(i));
    for (const int k : b) first = std::min(first, facts_.key(k));
    out.strict = last < first - kPlainly;
  }
  return out;
}

StatementJudge::Fit StatementJudge::fit_place(const Set& events, int n) const {
  const int audio = events.empty() ? kAnyAudio : facts_.at(*events.begin()).audio;
  Fit out;
  out.lenient = facts_.nth(events, n, kAnyAudio) || facts_.nth(events, n, audio);
  const std::vector<int> order = ordered(facts_.foreground(kAnyAudio));
  if (!order.empty() && (n == 1 || n == -1)) out.strict = events.contains(n == 1 ? order.front() : order.back()) && out.lenient;
  return out;
}

// Among all, or among those of the file (from 1) that is named.
StatementJudge::Fit StatementJudge::fit_extreme(const std::string& fact, const Set& events, int file) const {
  const bool length = fact == "longest" || fact == "shortest", most = fact == "longest" || fact == "loudest";
  const auto value = [&](int i) {
    const Happening& h = facts_.at(i);
    const double v = length ? h.to - h.from : h.level_db;
    return most ? v : -v;
  };
  double best = -1e18, others = -1e18;
  for (const int i : events) best = std::max(best, value(i));
  const bool talk = std::all_of(events.begin(), events.end(), [&](int i) { return facts_.at(i).speaker > 0; });
  for (const int i : facts_.foreground(file == 0 ? kAnyAudio : file - 1)) {
    // Sounds are compared with sounds, and what is said with what is said, when that helps.
    if (!events.contains(i) && (facts_.at(i).speaker > 0) == talk) others = std::max(others, value(i));
  }
  const double slack = length ? 0.2 : 0.8;
  return {best >= others - slack, best > others + 2 * slack && others > -1e17, false};
}

StatementJudge::Fit StatementJudge::fit_alone(const Set& events) const {
  Set others = facts_.foreground(kAnyAudio);
  for (const int i : events) others.erase(i);
  Fit out{false, true, false};
  for (const int i : events) {
    const double shared = facts_.overlap({i}, others);
    out.lenient = out.lenient || shared < kPlainly;
    out.strict = out.strict && shared < 0;
  }
  return out;
}

StatementJudge::Fit StatementJudge::fit_at(const Set& events, const std::vector<double>& times) const {
  Fit out{false, false, false};
  for (const int i : events) {
    for (const double t : times) {
      out.lenient = out.lenient || (facts_.at(i).from - 0.8 <= t && t <= facts_.at(i).to + 0.8);
      out.strict = out.strict || (facts_.at(i).from + 0.2 <= t && t <= facts_.at(i).to - 0.2);
    }
  }
  return out;
}

StatementJudge::Fit StatementJudge::fit_within(const Set& events, const std::vector<double>& from,
                                               const std::vector<double>& to) const {
  Fit out{false, false, false};
  for (const int i : events) {
    for (const double a : from) {
      for (const double b : to) {
        out.lenient = out.lenient || (facts_.at(i).from >= a - 0.8 && facts_.at(i).to <= b + 0.8);
        out.strict = out.strict || (facts_.at(i).from >= a && facts_.at(i).to <= b);
      }
    }
  }
  return out;
}

// The stretch that is meant may be any from one of these times to a later one.
StatementJudge::Fit StatementJudge::fit_silence(const std::vector<double>& from, const std::vector<double>& to) const {
  Fit out{false, false, facts_.audios() > 1};
  for (const double a : from) {
    for (const double b : to) {
      double most = 0;
      for (const int i : facts_.foreground(kAnyAudio))
        most = std::max(most, std::min(facts_.at(i).to, b) - std::max(facts_.at(i).from, a));
      out.lenient = out.lenient || (most < 0.5 && b > a - 0.2);
      out.strict = out.strict || (most <= 0 && b > a);
    }
  }
  return out;
}

}  // namespace areason::claims
