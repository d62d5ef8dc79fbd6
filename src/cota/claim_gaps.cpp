#include "cota/claim_gaps.h"

#include <algorithm>

#include "cota/claim_subjects.h"

namespace areason::claims {
namespace {

constexpr const char* kSeconds = "s|sec|secs|second|seconds";

}  // namespace

bool unit(const Reading& r, int i) { return i < r.size() && is_one(r.word(i), kSeconds) && !r.word(i).open; }

Gap gap_kind(const Reading& r, int i) {
  const int from = r.segment_begin(i), to = std::min(r.size(), std::max(r.segment_end(i), i + 5));
  if (is_one(r.word(std::min(r.size() - 1, unit(r, i + 1) ? i + 2 : i + 1)), "later|after|before")) return Gap::kLater;
  if (r.find("overlap|overlaps|overlapping|share|shared|coincide|together|common", from, to) >= 0) return Gap::kOverlap;
  if (r.find("silence|pause|lull|gap|quiet|breather|daylight|nothing|clear|silent|apart|break|separated|separates", from, to) >=
      0)
    return Gap::kSilence;
  if (is_one(r.word(std::min(r.size() - 1, unit(r, i + 1) ? i + 2 : i + 1)), "later|after|before|behind|earlier|ahead"))
    return Gap::kLater;
  return Gap::kAny;
}

bool fits_gap(const Reading& r, const Amount& a, double tol, Gap kind) {
  const auto& all = r.facts.all();
  double end = 0;
  for (const Happening& x : all) {
    for (const Happening& y : all) {
      if (&x == &y || x.audio != y.audio) continue;
      if (kind == Gap::kOverlap) {
        const double both = std::min(x.to, y.to) - std::max(x.from, y.from);
        if (both > 0 && a.fits(both, tol)) return true;
        continue;
      }
      const std::initializer_list<double> differences = {y.from - x.to, x.to - y.from, y.from - x.from, y.to - x.to,
                                                         y.to - x.from};
      // Silence lies between an end and a start, an overlap between a start and an end.
      const auto first = differences.begin();
      const auto last = kind == Gap::kSilence ? first + 1 : differences.end();
      for (auto d = first; d != last; ++d)
        if (*d > -0.01 && a.fits(*d, tol)) return true;
    }
    if (kind == Gap::kOverlap) continue;
    if (a.fits(x.from, tol) || (kind != Gap::kSilence && a.fits(x.to - x.from, tol))) return true;
    end = std::max(end, x.to);
  }
  for (const auto& [file, length] : r.facts.lengths())
    if (kind == Gap::kSilence && a.fits(length - end, tol)) return true;
  return false;
}

bool fits_later(const Reading& r, const Amount& a, int i, double tol) {
  const int word = unit(r, i + 1) ? i + 2 : i + 1;
  const bool before = is_one(r.word(word), "before|earlier|ahead");
  const Mention* anchor = nullptr;
  if (is_one(r.word(word), "after|before|behind|ahead"))
    for (const Mention& m : r.mentions)
      if (m.begin > word && m.begin <= word + 6 && anchor == nullptr &&
          r.find("it|that|this|they|he|she|its", word + 1, m.begin) < 0)
        anchor = &m;
  const Set anchors = anchor != nullptr && !anchor->human ? events_of(r, *anchor) : Set{};
  const std::vector<Set> named = clear_subject(r, i) && anchors.empty() ? subjects(r, i).sets : std::vector<Set>{};
  for (int x = 0; x < static_cast<int>(r.facts.all().size()); ++x) {
    for (int y = 0; y < static_cast<int>(r.facts.all().size()); ++y) {
      const Happening &first = r.facts.at(x), &second = r.facts.at(y);
      if (x == y || first.audio != second.audio) continue;
      if (!anchors.empty() && !anchors.contains(before ? y : x)) continue;
      if (!named.empty() && std::none_of(named.begin(), named.end(), [&](const Set& s) { return s.contains(before ? x : y); }))
        continue;
      for (const double d : {second.from - first.to, second.from - first.from, second.to - first.to, second.to - first.from})
        if (d > -0.01 && a.fits(d, tol)) return true;
    }
  }
  return false;
}

bool silence(const Reading& r, int i) {
  constexpr const char* kSilence = "silence|pause|lull|gap|breather|daylight|clear";
  const int unit_end = unit(r, i + 1) ? i + 2 : i + 1;
  if (r.find("than|overlap|longer|shorter|except", r.segment_begin(i), r.segment_end(i)) >= 0) return false;
  return r.find(kSilence, unit_end, unit_end + 3) >= 0 ||
         (r.find(kSilence, i - 10, i) >= 0 && r.find("of|is|:|lasts|about", i - 3, i) >= 0);
}

}  // namespace areason::claims
