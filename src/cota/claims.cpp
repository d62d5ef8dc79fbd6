#include "cota/claims.h"

#include <algorithm>

#include "cota/claim_rules.h"

namespace areason {
namespace claims {
namespace {

// Sentences that weigh, plan or ask instead of saying how it is.
bool hedged(const Sentence& s) {
  if (s.question) return true;
  constexpr const char* kHedges =
      "if|whether|would|might|may|perhaps|maybe|possibly|suppose|assume|assuming|option|options|choice|choices|candidate|"
      "candidates|distractor|distractors|alternative|alternatives|eliminate|eliminated|excluded|exclude|discard|wrong|"
      "incorrect|"
      "incorrectly|question|questions|asked|asks|determine|wanted|mistake|mistaken|confuse|confused|imagine|unlikely|should|"
      "plausible|hypothesis|ruled|unclear|typical|typically|usually|consider";
  const int n = static_cast<int>(s.words.size());
  const int at = find_word(s, kHedges, 0, n);
  if (at >= 0) {
    // "he asks" and "the woman asked" are speech.
    if (!is_one(s.words[static_cast<std::size_t>(at)], "asks|asked|question|wanted")) return true;
    if (is_one(s.words[static_cast<std::size_t>(at)], "question|wanted")) return true;
    if (find_word(s, "question|i|me", 0, at) >= 0) return true;
  }
  for (int i = 0; i + 1 < n; ++i) {
    const Word &a = s.words[static_cast<std::size_t>(i)], &b = s.words[static_cast<std::size_t>(i + 1)];
    if (is_one(a, "could") && !is_one(b, "be|hear")) return true;
    if (is_one(a, "i") && is_one(b, "will|need|must|want|should|check|look|listen|compare|find|go")) return true;
    if (is_one(a, "let|rule|look|listen|listening|looking|need|to") && is_one(b, "us|me|out|for|find|check|see|decide"))
      return true;
    if (is_one(a, "rather|other|different|opposed|instead") && is_one(b, "than|from|to|of")) return true;
  }
  return false;
}

bool simile(const Reading& r, const Mention& m) {
  return r.find("like|similar|resembles|resembling|reminiscent|unlike|as", m.begin - 4, m.begin) >= 0;
}

constexpr const char* kQualified =
    "until|before|after|again|anymore|during|twice|overlap|overlaps|than|while|when|other|more|further|second|third|additional|"
    "another|else|longer|shorter|louder|quieter|first|last|between|audio|start|end|once|stop|stops|continue|only|just|alone|"
    "three|four|two|immediately|directly|following|preceded|followed|until";

// Words that may stand between "no" and what is not there.
bool passes_no(const Reading& r, int i) {
  for (const Mention& m : r.mentions)
    if (i >= m.begin && i < m.end) return true;
  return is_one(r.word(i),
                "any|a|an|the|of|or|nor|and|,|sound|sounds|sign|signs|trace|hint|single|such|kind|hear|hears|contain|"
                "include|have|has|feature|detect|notice|heard|evidence|audible|distinct|at|all|actual|either|"
                "perceive|suggests|indicates|recorded|human|there|be|find|make|can|one");
}

// "no dog", "without any dog", "does not contain a dog".
bool denied_before(const Reading& r, const Mention& m, bool& neutral) {
  // "neither is a sheep", "none of them is a sheep"
  if (r.find("neither|none", std::max(0, m.begin - 7), m.begin) >= 0 && r.find("is|are|was|were", m.begin - 3, m.begin) >= 0)
    return true;
  for (int i = m.begin - 1; i >= std::max(0, m.begin - 14); --i) {
    const Word& w = r.word(i);
    if (is_one(w, "no") && r.word(i + 1).text == ",") return false;  // "No, the dog …"
    if (is_one(w, "no|without|neither|nor|never|lacks|lack|lacking|absence|zero|nobody|none|nothing")) return true;
    if (is_one(w, "not|cannot|can't|don't|doesn't|didn't|couldn't|isn't|aren't|wasn't|weren't|hardly")) {
      const bool existence = is_one(w, "isn't|aren't|wasn't|weren't|not") && i >= 1 && r.find("there", i - 2, i) >= 0;
      const bool heard = r.find("hear|hears|contain|include|have|feature|detect|notice|perceive|find|any", i, m.begin) >= 0;
      if (existence || heard) return true;
      neutral = true;  // "it is not a dog": of one sound, not of the clip
      return false;
    }
    if (!passes_no(r, i)) return false;
  }
  return false;
}

// "the dog is not heard", "the dog is absent", "the dog never appears".
bool denied_after(const Reading& r, const Mention& m) {
  const int clause = r.word(m.end - 1).clause;
  for (int i = m.end; i < std::min(r.size(), m.end + 7) && r.word(i).clause == clause; ++i) {
    const Word& w = r.word(i);
    if (is_one(w, "absent|missing|nowhere")) return true;
    if (is_one(w, "not|never|cannot|can't|isn't|aren't|wasn't|weren't|doesn't|don't|didn't")) {
      return r.find(
                 "heard|present|audible|there|appear|appears|occur|occurs|occurred|detected|featured|included|found|sound|"
                 "sounds|happen|exist|bark|ring|speak|speaks|talk|talks",
                 i, std::min(r.size(), i + 5)) >= 0;
    }
    if (!is_one(
            w,
            "is|are|was|were|can|could|be|does|do|did|has|have|or|and|,|sound|sounds|itself|simply|completely|entirely|at")) {
      bool mention = false;
      for (const Mention& other : r.mentions) mention = mention || (i >= other.begin && i < other.end);
      if (!mention) return false;
    }
  }
  return false;
}

void mark_denials(Reading& r) {
  for (Mention& m : r.mentions) {
    // "dog yes, horn no": a comparison with what is wanted.
    if (m.end < r.size() && is_one(r.word(m.end), "yes|no")) m.neutral = true;
    if (m.neutral) continue;
    const bool denied = denied_before(r, m, m.neutral) || denied_after(r, m);
    if (!denied) continue;
    const int clause = r.word(m.begin).clause;
    int from = m.begin, to = m.end;
    while (from > 0 && r.word(from - 1).clause == clause) --from;
    while (to < r.size() && r.word(to).clause == clause) ++to;
    (r.find(kQualified, from, to) >= 0 ? m.neutral : m.denied) = true;
  }
}

// What people talk about need not be heard; what plays in music is not in the timeline.
bool spoken_of(const Reading& r, const Mention& m) {
  if (r.find("words|word", 0, m.begin) >= 0) return true;
  for (int i = m.begin; i < m.end; ++i)
    if (r.facts.spoken().find(" " + r.word(i).text + " ") != std::string::npos) return true;
  const bool music =
      std::any_of(r.facts.all().begin(), r.facts.all().end(), [](const Happening& h) { return SoundWords::music(h.concepts); });
  std::vector<std::string> stems;
  for (int i = m.begin; i < m.end; ++i) stems.push_back(r.word(i).stem);
  return music && SoundWords::instrument(r.facts.words().read(stems, 0).sure);
}

void check_presence(Reading& r) {
  bool people = false, voices = false;
  for (const Happening& h : r.facts.all()) {
    people = people || SoundWords::human(h.concepts);
    voices = voices || SoundWords::voice(h.concepts);
  }
  for (const Mention& m : r.mentions) {
    if (m.quote || m.neutral) continue;
    if (m.denied) {
      const bool whom = m.human && !is_one(r.word(m.begin), "voice|voices|someone|somebody|anyone|anybody|people|person");
      Set there = m.sure_events;
      if (m.human) there = r.facts.speech(r.audio);
      if (!whom && !there.empty()) r.wrong("absence", m.name + " is there");
      continue;
    }
    if (m.speaker > 0) {
      if (r.facts.speakers(kAnyAudio) > 0 && m.speaker > r.facts.speakers(kAnyAudio))
        r.wrong("speakers", "there is no " + m.name);
      continue;
    }
    if (!m.events.empty() || simile(r, m) || spoken_of(r, m)) continue;
    if (m.human ? !people : m.certain) {
      // Talk about people is only an error where nobody is heard at all.
      const SoundWord word = r.facts.words().read({r.word(m.begin).stem}, 0);
      if (!m.human && SoundWords::speech(word.sure) && voices) continue;
      if (m.human && is_one(r.word(m.begin), "human|humans|male|female|party|parties|person|man|people")) continue;
      r.wrong("presence", "there is no " + m.name);
    }
  }
}

// "Audio 2: …" speaks of that file until another is named; "in audio 2" of this sentence's.
struct Scope {
  int lasting = kAnyAudio;
  int of(const Sentence& s, int audios) {
    if (audios < 2) return kAnyAudio;
    int named = kAnyAudio, count = 0;
    const int n = static_cast<int>(s.words.size());
    for (int i = 0; i + 1 < n; ++i) {
      const Word &a = s.words[static_cast<std::size_t>(i)], &b = s.words[static_cast<std::size_t>(i + 1)];
      int audio = kAnyAudio;
      if (is_one(a, "audio|clip|recording|part|file|track") && b.number >= 1 && b.number <= 9)
        audio = static_cast<int>(b.number) - 1;
      if (a.ordinal > 0 && is_one(b, "audio|clip|recording|part|file|track")) audio = a.ordinal - 1;
      if (audio == kAnyAudio) continue;
      if (i == 0 && n > 2 && s.words[2].text == ":") lasting = audio;
      count += audio == named ? 0 : 1;
      named = audio;
    }
    if (count > 1) return kAnyAudio - 1;  // two at once: not understood
    return count == 1 ? named : lasting;
  }
};

void check_section(const std::string& text, Section section, Reading& r) {
  Scope scope;
  r.before.clear();
  r.interval = {-1, -1};
  r.answer = section == Section::kSummary || section == Section::kResponse;
  for (Sentence& s : sentences_of(text)) {
    r.audio = scope.of(s, r.facts.audios());
    r.sentence = std::move(s);
    if (r.audio < kAnyAudio) continue;
    r.mentions = mentions_in(r.sentence, r.facts, r.audio);
    check_quotations(r);
    if (hedged(r.sentence)) {
      r.before = r.mentions;
      continue;
    }
    mark_denials(r);
    check_presence(r);
    for (const auto rule : {check_counts, check_order, check_places, check_times, check_overlaps, check_lengths}) rule(r);
    if (r.answer) check_short_answer(r);
    if (!r.mentions.empty()) r.before = r.mentions;
  }
}

}  // namespace

void Reading::wrong(const std::string& code, const std::string& what) {
  errors.push_back(code + ": " + what + " (\"" + sentence.source.substr(0, 160) + "\")");
}

const Mention* Reading::mention_before(int i, Within within) const {
  const Mention* out = nullptr;
  for (const Mention& m : mentions)
    if (m.end <= i && (within == Within::kSentence || word(m.end - 1).clause == word(std::min(i, size() - 1)).clause)) out = &m;
  return out;
}
const Mention* Reading::mention_after(int i, Within within) const {
  for (const Mention& m : mentions)
    if (m.begin >= i && (within == Within::kSentence || word(m.begin).clause == word(std::min(i, size() - 1)).clause))
      return &m;
  return nullptr;
}

}  // namespace claims

std::vector<std::string> false_claims(const Sample& sample, const SourceClip* clip) {
  if (sample.timeline.empty()) return {};
  const claims::Facts facts(sample, clip);
  claims::Asked asked = claims::read_question(sample.question, facts);
  // "How many?" goes on from an earlier turn.
  if (!sample.turns.empty() && asked.mentions.empty()) asked = {};
  claims::Reading reading{facts, std::move(asked), {}, {}, {}, {-1, -1}, claims::kAnyAudio, false, {}};
  // PLANNING says what will be listened for.
  for (const Section section : {Section::kCaption, Section::kReasoning, Section::kSummary, Section::kResponse})
    claims::check_section(sample.sections[section], section, reading);
  auto& errors = reading.errors;
  std::sort(errors.begin(), errors.end());
  errors.erase(std::unique(errors.begin(), errors.end()), errors.end());
  return std::move(errors);
}

}  // namespace areason
