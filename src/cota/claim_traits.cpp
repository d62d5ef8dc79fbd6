// "a woman speaks", "the voice sounds sad", "a slow waltz in minor": against what is known of voices and music.
#include <algorithm>

#include "cota/claim_rules.h"

namespace areason::claims {
namespace {

struct Found {
  std::string value;
  int at = 0;
};

bool refused(const Reading& r, int i) {
  int from = i, to = i;
  while (from > 0 && r.word(from - 1).segment == r.word(i).segment) --from;
  while (to < r.size() && r.word(to).segment == r.word(i).segment) ++to;
  if (r.find("don't|doesn't|didn't|can't|cannot|couldn't|without|nowhere|missing|absent|lacks|lacking|isn't|aren't", from,
             to) >= 0)
    return true;
  if (r.find("would|wouldn't|could|might", 0, r.size()) >= 0 || r.find("missing|absent", 0, r.size()) >= 0) return true;
  return r.find(
             "not|no|never|without|neither|nor|nothing|than|unlike|like|rather|instead|isn't|aren't|wasn't|from|hardly|too|"
             "less|"
             "more|excludes|excluded|lack|lacks|less|anything",
             std::max(0, i - 4), i) >= 0 ||
         r.find("further|farther|away|different|differs|unlikely|impossible|ruled", i + 1, std::min(to, i + 8)) >= 0 ||
         r.find("would|like|sounding|missing|absent|excluded|out|usually|often|ish", i + 1, std::min(r.size(), i + 3)) >= 0;
}

std::vector<Found> found_in(const Reading& r, Trait trait) {
  std::vector<Found> out;
  for (int i = 0; i < r.size(); ++i) {
    int taken = 0;
    const std::string value = trait_value(trait, r.sentence, i, &taken);
    if (value.empty()) continue;
    if (!r.word(i).open && !refused(r, i) &&
        !r.facts.talked_of(r.word(i), trait == Trait::kLanguage ? r.sample->answer_text : ""))
      out.push_back({value, i});
    i += taken - 1;
  }
  return out;
}

bool about(const Reading& r, std::string_view words) { return r.find(words, 0, r.size()) >= 0; }

// Is the sentence about what the trait belongs to?
bool context(const Reading& r, Trait trait, const Found& f) {
  const bool conclusion = r.section != Section::kReasoning;
  if (r.answer && !trait_value(trait, r.sample->answer_text).empty() &&
      r.sample->choices.size() + r.sample->answer_text.size() > 0 &&
      r.sample->kind.find(trait == Trait::kMode         ? "mode"
                          : trait == Trait::kTempo      ? "tempo"
                          : trait == Trait::kMetre      ? "metre"
                          : trait == Trait::kInstrument ? "instrument"
                                                        : "mood") != std::string::npos)
    return true;
  switch (trait) {
    case Trait::kMood:
      return conclusion ||
             about(r, "voice|speaker|tone|mood|emotion|delivery|feel|feels|speaks|sounds|person|utterance|he|she");
    case Trait::kMusicMood:
      return about(r, "mood|character|feel|feeling|atmosphere|music|piece|emotion|tune|song");
    case Trait::kTempo:
      return r.find("tempo|pace|speed|music|piece|tune|song|waltz|beat|beats|pulse|melody|rate", std::max(0, f.at - 6),
                    std::min(r.size(), f.at + 6)) >= 0;
    case Trait::kMode:
      return r.find("third|second|sixth|seventh|role|difference|change|event|part|detail|issue", f.at + 1, f.at + 2) < 0;
    case Trait::kInstrument:
      return r.find(
                 "accompaniment|accompanied|accompanying|backing|chords|bass|background|beneath|under|underneath|behind|"
                 "support",
                 0, r.size()) < 0;
    case Trait::kMetre:
      return r.find("per|each|every", f.at, f.at + 3) < 0;
    default:
      return true;
  }
}

bool compatible(Trait trait, const std::string& known, const std::string& said) {
  if (known == said) return true;
  if (trait == Trait::kInstrument) return known.ends_with(said) || said.ends_with(known);
  if (trait == Trait::kMusicMood)
    return (known == "happy" && said == "energetic") || (known == "energetic" && said == "happy") ||
           (known == "calm" && said == "sad") || (known == "sad" && said == "calm");
  return false;
}

void check_trait(Reading& r, Trait trait, const std::set<std::string>& known) {
  std::vector<Found> found = found_in(r, trait);
  // A translation's question names the language that it is to be in.
  if (trait == Trait::kLanguage && r.sample->kind.find("language") == std::string::npos)
    std::erase_if(found,
                  [&](const Found& f) { return trait_value(trait, r.sample->question) == f.value || f.value == "english"; });
  std::set<std::string> said;
  for (const Found& f : found) said.insert(f.value);
  if (said.size() != 1 || !context(r, trait, found[0])) return;
  for (const std::string& value : known)
    if (compatible(trait, value, *said.begin())) return;
  r.wrong("trait", "it is " + *known.begin() + ", not " + *said.begin());
}

// "the first speaker is a man", "Speaker 2 (a woman)", "a woman speaks first", "two men and a woman".
void check_sexes(Reading& r) {
  const Known& known = r.facts.known();
  if (known.sex.empty()) return;
  const std::vector<Found> found = found_in(r, Trait::kSex);
  if (found.empty() || std::any_of(found.begin(), found.end(), [&](const Found& f) { return f.value != found[0].value; }))
    return;
  for (const Found& f : found) {
    // Nobody of that sex at all.
    if (known.all_sexes && known.with_sex(f.value) == 0) return r.wrong("trait", "there is no " + f.value);
  }
  if (found.size() != 1) return;
  const Found& f = found[0];
  // "the second man" is told apart by the rule for people.
  if (f.at > 0 && (r.word(f.at - 1).ordinal != 0 || is_one(r.word(f.at - 1), "other|another|same|different|and|or|/"))) return;
  int who = 0;
  for (const Mention& m : r.mentions)
    if (m.speaker > 0 && r.word(m.begin).segment <= r.word(f.at).segment && std::abs(m.begin - f.at) <= 8)
      who = who == 0 || who == m.speaker ? m.speaker : -1;
  const int speakers = r.facts.speakers(kAnyAudio);
  if (who == 0 && speakers > 1) {
    const int from = r.segment_begin(f.at), to = r.segment_end(f.at);
    const bool speaks =
        r.find("speak|speaks|voice|starts|begins|opens|talks|word|says|heard|speaker|conversation", from, to) >= 0;
    if (speaks && r.find("first|opens|starts|begins", from, to) >= 0 &&
        r.find("second|last|then|other|third|her|his", from, to) < 0)
      who = 1;
    if (speaks && r.find("last|closes|ends|final", from, to) >= 0 &&
        r.find("second|first|then|other|third|her|his", from, to) < 0) {
      const Set talk = r.facts.speech(kAnyAudio);
      for (const int i : talk) who = r.facts.at(i).speaker;
    }
    // A short answer is about whom the question asks for.
    if (who == 0 && r.answer && r.size() <= 5 && known.sex.size() == 1) who = known.sex.begin()->first;
  }
  if (speakers == 1) who = 1;
  const auto it = known.sex.find(who);
  if (it != known.sex.end() && it->second != f.value)
    r.wrong("trait", "speaker " + std::to_string(who) + " is a " + it->second);
}

}  // namespace

void check_traits(Reading& r) {
  if (r.sentence.question) return;
  for (const auto& [trait, known] : r.facts.known().values) check_trait(r, trait, known);
  check_sexes(r);
}

}  // namespace areason::claims
