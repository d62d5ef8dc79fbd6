#include "cota/claim_subjects.h"

#include <algorithm>

#include "cota/claim_clauses.h"

namespace areason::claims {
Set events_of(const Reading& r, const Mention& m) {
  if (m.human && m.speaker == 0 && r.facts.has_speech()) return r.facts.speech(r.audio);
  return m.wide.empty() ? m.events : m.nth != 0 ? m.events : m.wide;
}

namespace {

// "the second", "the third one": which sound it is only the sentences before tell.
bool ordinal_alone(const Reading& r, int i) {
  for (int k = 0; k < i; ++k) {
    if (r.word(k).ordinal == 0 || is_one(r.word(k + 1), "audio|clip|recording|part|file|half|time|track")) continue;
    if (std::none_of(r.mentions.begin(), r.mentions.end(), [&](const Mention& m) { return m.begin > k && m.begin <= k + 3; }))
      return true;
  }
  return false;
}

// "the fourth event", "the third turn": by any way of counting.
Set nth_event(const Reading& r, int i) {
  Set out;
  int n = 0;
  for (int k = 0; k + 1 < r.size() && k < i + 4; ++k)
    if (r.word(k).ordinal != 0 && is_one(r.word(k + 1), "event|sound|turn|utterance|phrase"))
      n = n == 0 ? r.word(k).ordinal : 99;
  if (n == 0 || n == 99) return out;
  // "The first sound is a door, …, and the fourth starts at 7.2 s": of another
  int ordinals = 0;
  for (int k = 0; k < i; ++k) ordinals += r.word(k).ordinal != 0 ? 1 : 0;
  if (ordinals > 1) return out;
  for (int e = 0; e < static_cast<int>(r.facts.all().size()); ++e)
    if (r.facts.nth({e}, n, r.audio)) out.insert(e);
  return out;
}

// "the last one", "the second": the nth of what was named last, of each kind, and of all.
std::vector<Set> nth_of_named(const Reading& r, int i) {
  int n = 0, at = -1;
  for (int k = r.segment_begin(i); k < i; ++k)
    if (r.word(k).ordinal != 0) n = r.word(k).ordinal, at = k;
  if (n == 0 || r.find("time|audio|clip|recording|part|file|half", at, at + 2) >= 0) return {};
  std::vector<Set> out;
  const auto add = [&](const Set& events) {
    std::vector<int> order(events.begin(), events.end());
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return r.facts.key(a) < r.facts.key(b); });
    const int size = static_cast<int>(order.size());
    if (size > 1 && n <= size) out.push_back({order[static_cast<std::size_t>(n < 0 ? size - 1 : n - 1)]});
  };
  std::vector<const Mention*> named;
  for (const Mention& m : r.mentions)
    if (m.end <= at) named.push_back(&m);
  for (const auto* mentions : {&r.before, &r.earlier})
    for (const Mention& m : *mentions) named.push_back(&m);
  Set all, sure;
  for (const Mention* m : named) {
    add(m->wide);
    all.insert(m->wide.begin(), m->wide.end());
    sure.insert(m->events.begin(), m->events.end());
  }
  add(all);
  add(sure);
  add(r.facts.foreground(r.audio));
  if (n > 0 && n <= static_cast<int>(r.before.size())) out.push_back(r.before[static_cast<std::size_t>(n - 1)].wide);
  if (n < 0 && !r.before.empty()) out.push_back(r.before.back().wide);
  return out;
}

// Does the segment of word i name its sound by an ordinal alone?
bool own_ordinal(const Reading& r, int i) {
  const int from = r.segment_begin(i);
  for (const Mention& m : r.mentions)
    if (m.begin >= from && m.begin < r.segment_end(i)) return false;
  for (int k = from; k + 1 < i; ++k)
    if (r.word(k).ordinal != 0 && k > 0 && is_one(r.word(k - 1), "the|its") &&
        !is_one(r.word(k + 1), "second|seconds|s|audio|clip|recording|part|file|half|time|track|of"))
      return true;
  return false;
}

}  // namespace

Subjects subjects(const Reading& r, int i) {
  std::vector<Set> out;
  // "bird (10.0 s), fire (12.5 s)"
  for (const Mention& m : r.mentions)
    if (i > 1 && r.word(i - 1).text == "(" && m.end == i - 1 && is_asserted(m)) return {{events_of(r, m)}, false};
  // "The first arrow flies at 0.4 s, the second at 1.6 s": the second of what is named.
  if (own_ordinal(r, i))
    if (std::vector<Set> named = nth_of_named(r, i); !named.empty()) return {std::move(named), true};
  // "the siren is there at 5.4 s and the horse …"
  bool before = false;
  for (const Mention& m : r.mentions)
    before = before || (m.end <= i && r.word(m.begin).segment == r.word(i).segment && may_be_asserted(m));
  const auto take = [&](const auto& fits) {
    if (!out.empty()) return;
    for (const Mention& m : r.mentions)
      if (may_be_asserted(m) && fits(m) && !(before && m.begin > i && r.find("and|but|while", i, m.begin) >= 0))
        out.push_back(events_of(r, m));
  };
  take([&](const Mention& m) { return r.word(m.begin).segment == r.word(i).segment; });
  // "2.6 s against 0.3 s, so the cricket wins": of any.
  if (out.empty() && (r.find("against|vs|versus", i + 1, i + 4) >= 0 || r.find("against|vs|versus", i - 3, i) >= 0))
    for (int e = 0; e < static_cast<int>(r.facts.all().size()); ++e) out.push_back({e});
  take([&](const Mention& m) { return r.word(m.begin).clause == r.word(i).clause; });
  // What nobody could resolve may be meant as well.
  int from = i;
  while (from > 0 && r.word(from - 1).segment == r.word(i).segment) --from;
  const bool pronoun =
      (out.empty() && ordinal_alone(r, i)) ||
      r.find(out.empty() ? "it|this|that|which|they|one|these|its|both|each|them|he|she|another|ones|latter|former|other"
                         : "it|this|they|one|these|its|both|each|them|he|she|another|ones|latter|former|other",
             out.empty() ? 0 : from, i) >= 0;
  const bool explicitly = !out.empty();
  if (out.empty() || pronoun) {
    // "The last one starts at …"
    if (out.empty() && ordinal_alone(r, i))
      if (std::vector<Set> named = nth_of_named(r, i); !named.empty()) return {std::move(named), true};
    for (const Mention& m : r.mentions)
      if (may_be_asserted(m)) out.push_back(events_of(r, m));
    // "The second lasts …": any sound of the clip may be meant.
    if (const Set nth = nth_event(r, i); !nth.empty()) return {{nth}, true};
    // "it lasts …": of what this sentence or the last ones name.
    const bool plain = r.find("it|its|each|both", 0, i) >= 0 &&
                       r.find("one|this|that|which|they|these|them|another|latter|former|other|he|she", 0, i) < 0 &&
                       !ordinal_alone(r, i);
    if (plain && (!out.empty() || !r.before.empty())) {
      for (const Mention& m : r.mentions)
        if (!m.events.empty() && !m.quote && !may_be_asserted(m)) out.push_back(events_of(r, m));
      for (const auto* mentions : {&r.before, &r.earlier})
        for (const Mention& m : *mentions)
          if (!m.events.empty() && !m.quote) out.push_back(events_of(r, m));
      if (!out.empty()) return {std::move(out), !unknown_noun(r, i)};
    }
    if (pronoun || out.empty())
      for (int e = 0; e < static_cast<int>(r.facts.all().size()); ++e)
        if (r.audio == kAnyAudio || r.facts.at(e).audio == r.audio) out.push_back({e});
  }
  // Something that is only weighed, or named in another way, may be meant as well.
  bool weighed = false;
  for (const Mention& m : r.mentions) weighed = weighed || (m.end <= i && !m.quote && !may_be_asserted(m) && !m.wide.empty());
  return {std::move(out), explicitly && !pronoun && !weighed};
}

bool clear_subject(const Reading& r, int i) {
  const int from = r.segment_begin(i), to = r.segment_end(i);
  int named = 0;
  for (const Mention& m : r.mentions) {
    // "bird (10.0 s)"
    if (i > 1 && r.word(i - 1).text == "(" && m.end == i - 1 && is_asserted(m)) return true;
    if (m.begin >= from && m.begin < to)
      named += is_asserted(m) && (!m.human || m.speaker > 0 || r.facts.speakers(r.audio) == 1) ? 1 : 2;
  }
  constexpr const char* kPronouns = "it|they|this|that|which|he|she|these|those|one|other|another";
  if (named == 1) return r.find("it|they|this|he|she|these|those|one|other|another", from, i) < 0;
  // The only sound of the whole sentence, named before: "The beep, in contrast, lasts five seconds."
  if (named > 0 || r.mentions.empty() || r.mentions[0].begin > i || r.find(kPronouns, 0, i) >= 0 || ordinal_alone(r, i))
    return false;
  return std::all_of(r.mentions.begin(), r.mentions.end(),
                     [&](const Mention& m) { return is_asserted(m) && !m.human && m.wide == r.mentions[0].wide; });
}

}  // namespace areason::claims
