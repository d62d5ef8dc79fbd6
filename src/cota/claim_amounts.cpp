// Numbers that are spread over several words, and how exactly they are meant.
#include <fmt/format.h>

#include "cota/claim_text.h"

namespace areason::claims {
namespace {

constexpr const char* kSecond = "second|seconds|s|sec|secs";
constexpr double kEndless = 1e9;

class Joiner {
 public:
  explicit Joiner(Sentence& s) : w_(s.words) {}
  void run() {
    for (at_ = 0; at_ < w_.size(); ++at_) {
      // "0.6 -> 1.0"
      if (at_ > 0 && is(at_, "then") && number(at_ - 1) && number(at_ + 1)) w_[at_].text = "to";
      twenty_four();
      if (half_second() || whole_second() || parts_of_second() || and_a_half() || point() || milliseconds() || a_second())
        continue;
    }
  }

 private:
  bool is(std::size_t i, std::string_view list) const { return i < w_.size() && is_one(w_[i], list); }
  bool number(std::size_t i) const { return i < w_.size() && w_[i].number >= 0; }
  // Puts "value seconds" in place of `count` words.
  bool put(double value, std::size_t count, bool unit) {
    Word& first = w_[at_];
    first.number = value;
    first.text = fmt::format("{:.3g}", value);
    first.ordinal = 0;
    first.stem.clear();
    const std::size_t keep = unit ? 2 : 1;
    if (unit) {
      w_[at_ + 1].text = "seconds";
      w_[at_ + 1].stem = "second";
      w_[at_ + 1].ordinal = 0;
      w_[at_ + 1].number = -1;
    }
    w_.erase(w_.begin() + static_cast<std::ptrdiff_t>(at_ + keep), w_.begin() + static_cast<std::ptrdiff_t>(at_ + count));
    return true;
  }
  // "twenty-four"
  bool twenty_four() {
    if (!number(at_) || w_[at_].number < 20 || w_[at_].number > 90 || w_[at_].stem.empty()) return false;
    const std::size_t k = is(at_ + 1, "-") ? at_ + 2 : at_ + 1;
    if (!number(k) || w_[k].number < 1 || w_[k].number > 9 || w_[k].stem.empty()) return false;
    return put(w_[at_].number + w_[k].number, k + 1 - at_, false);
  }
  // "half a second", "half of a second", "half second"
  bool half_second() {
    if (!is(at_, "half")) return false;
    std::size_t k = at_ + 1;
    while (is(k, "of|a|-")) ++k;
    return k < at_ + 3 && k > at_ && is(k, kSecond) && put(0.5, k + 1 - at_, true);
  }
  // "seven tenths of a second", "a quarter of a second", "two thirds of a second"
  bool parts_of_second() {
    if (!number(at_) && !is(at_, "a")) return false;
    std::size_t k = at_ + 1;
    if (is(k, "-")) ++k;
    const double part = is(k, "tenth|tenths")           ? 10
                        : is(k, "quarter|quarters")     ? 4
                        : is(k, "third|thirds")         ? 3
                        : is(k, "fifth|fifths")         ? 5
                        : is(k, "hundredth|hundredths") ? 100
                                                        : 0;
    if (part == 0 || !is(k + 1, "of") || !is(k + 2, "a") || !is(k + 3, kSecond)) return false;
    return put((number(at_) ? w_[at_].number : 1) / part, k + 4 - at_, true);
  }
  // "a half", "two thirds", "three quarters" at word i, up to `end`; 0 without one. "a third" may be another one.
  double fraction(std::size_t i, std::size_t& end) const {
    if (is(i, "a") && is(i + 1, "half|quarter")) return end = i + 2, is(i + 1, "half") ? 0.5 : 0.25;
    if (!number(i) || w_[i].number > 9) return 0;
    const double part = is(i + 1, "tenths")     ? 10
                        : is(i + 1, "quarters") ? 4
                        : is(i + 1, "thirds")   ? 3
                        : is(i + 1, "fifths")   ? 5
                                                : 0;
    end = i + 2;
    return part == 0 ? 0 : w_[i].number / part;
  }
  // "two and a half (seconds)", "a second and a half", "one and three quarters", "a second and two thirds"
  bool and_a_half() {
    std::size_t end = 0;
    if (number(at_) && is(at_ + 1, "and")) {
      if (const double more = fraction(at_ + 2, end); more > 0) return put(w_[at_].number + more, end - at_, false);
    }
    if ((number(at_) || is(at_, "a")) && is(at_ + 1, kSecond) && is(at_ + 2, "and")) {
      if (const double more = fraction(at_ + 3, end); more > 0)
        return put((number(at_) ? w_[at_].number : 1) + more, end - at_, true);
    }
    return false;
  }
  // "a whole second", and "several seconds" as three at least (amount_at)
  bool whole_second() {
    if (is(at_, "several") && is(at_ + 1, "seconds")) {
      w_[at_].number = 3;
      return true;
    }
    return is(at_, "a|one") && is(at_ + 1, "whole|full|mere") && is(at_ + 2, "second") &&
           (at_ + 3 >= w_.size() || w_[at_ + 3].stem.empty() || is(at_ + 3, "long|later|and|before|after|of|passes|or")) &&
           put(1, 3, true);
  }
  // "three point four"
  bool point() {
    if (!number(at_) || !is(at_ + 1, "point") || !number(at_ + 2) || w_[at_ + 2].number > 9) return false;
    return put(w_[at_].number + w_[at_ + 2].number / 10, 3, false);
  }
  bool milliseconds() {
    if (!number(at_) || !is(at_ + 1, "ms|millisecond|milliseconds")) return false;
    return put(w_[at_].number / 1000, 2, true);
  }
  // "for about a second", but not "a second bark"
  bool a_second() {
    if (!is(at_, "a|one") || !is(at_ + 1, "second") || at_ == 0 || (at_ > 1 && is(at_ - 2, "part|fraction"))) return false;
    const bool amount = is(at_ - 1,
                           "about|roughly|for|after|lasts|lasting|than|over|under|within|of|nearly|almost|only|just|"
                           "barely|around|approximately|or|every|some|by|is|quite|maybe");
    const bool ends =
        at_ + 2 >= w_.size() || is(at_ + 2,
                                   ",|:|)|-|later|long|or|and|after|before|into|in|of|apart|from|to|at|between|earlier|each|"
                                   "then|into|on|until|with|behind|past");
    if (!(is(at_, "one") || (amount && ends))) return false;
    // "one second" is a second; "a second, deeper voice" was not.
    return ends && put(1, 2, true);
  }

  std::vector<Word>& w_;
  std::size_t at_ = 0;
};

}  // namespace

void join_numbers(Sentence& s) { Joiner(s).run(); }

Amount amount_at(const Sentence& s, int i) {
  const double n = s.words[static_cast<std::size_t>(i)].number;
  Amount out{n, n, n, false};
  if (s.words[static_cast<std::size_t>(i)].text == "several") return {n, 2.2, kEndless, true};
  const auto near = [&](std::string_view list, int back) { return find_word(s, list, i - back, i) >= 0; };
  const bool just = near("just|little|bit|slightly|shade|touch|hair|fraction", 4);
  if (near("under|below|shy|short", 3) || (near("less|fewer", 3) && near("than", 2)))
    return just ? Amount{n, n * 0.7 - 0.2, n, true} : Amount{n, near("well|much|far", 5) ? 0 : n * 0.4 - 0.3, n, true};
  if (near("nearly|almost|barely|close", 3) || (near("not", 3) && near("quite", 2))) return {n, n * 0.75 - 0.3, n + 0.2, true};
  if ((near("no|not", 3) && near("more|longer|over", 2) && near("than", 1)) || (near("most", 2) && near("at", 3)) ||
      near("maximum", 2))
    return {n, 0, n, true};
  if (near("over|above|past|exceeding|upwards|beyond", 3) || (near("more|longer", 3) && near("than", 2)))
    return just ? Amount{n, n, n * 1.3 + 0.4, true} : Amount{n, n, n < 4 ? n * 2 + 1 : n * 1.6, true};
  if (near("least", 2) && near("at", 3)) return {n, n, kEndless, true};
  out.rough = near("about|around|roughly|approximately|approx|some|circa|ca|or|perhaps|maybe|near|odd|good", 4) ||
              find_word(s, "so|odd", i + 1, i + 4) >= 0;
  return out;
}

}  // namespace areason::claims
