// Which events, and which speakers, the names of a statement may mean.
#include <algorithm>

#include "cota/annotate.h"
#include "cota/statement_judge.h"

namespace areason::claims {

bool StatementJudge::is_in(int event, int audio) const { return audio == kAnyAudio || facts_.at(event).audio == audio; }

std::vector<int> StatementJudge::ordered(const Set& events) const {
  std::vector<int> out(events.begin(), events.end());
  std::stable_sort(out.begin(), out.end(), [&](int a, int b) { return facts_.key(a) < facts_.key(b); });
  return out;
}

Set StatementJudge::speakers_of(const Set& events) const {
  Set out;
  for (const int i : events)
    if (facts_.at(i).speaker > 0) out.insert(facts_.at(i).speaker);
  return out;
}

Set StatementJudge::voices_meant(const Name& name) const {
  const int all = facts_.speakers(kAnyAudio);
  Set out;
  if (name.what == Name::What::kSpeech) {
    for (int who = 1; who <= all; ++who)
      if (name.person == 0 || name.person == who) out.insert(who);
    return out;
  }
  const std::string wanted = name.what == Name::What::kMan ? "man" : "woman";
  const auto& sexes = facts_.known().sex;
  bool doubt = false;
  int number = 0;
  for (int who = 1; who <= all; ++who) {
    const auto it = sexes.find(who);
    if (it != sexes.end() && it->second != wanted) continue;
    doubt = doubt || it == sexes.end();
    ++number;
    // Where a sex is not known before, the second man may be any later one.
    if (name.person == 0 || number == name.person || (doubt && number > name.person) || (doubt && it == sexes.end()))
      out.insert(who);
  }
  return out;
}

StatementJudge::Meant StatementJudge::words_meant(const Name& name, int audio) const {
  Meant out;
  const std::string words = plain(name.text);
  for (const int i : facts_.saying(words))
    if (is_in(i, audio)) out.events.insert(i);
  out.open = out.events.empty() && (!facts_.knows_words() || facts_.foreign() || words.size() < 3);
  return out;
}

// By the timeline's own name; without one of that name what a related one means.
StatementJudge::Meant StatementJudge::sounds_meant(const Name& name, int audio) const {
  Meant out;
  for (int i = 0; i < static_cast<int>(facts_.all().size()); ++i)
    if (is_in(i, audio) && lower_ascii(facts_.at(i).label) == name.text) out.events.insert(i);
  if (!out.events.empty()) return out;
  out.exact = false;
  const SoundConcepts concepts = facts_.words().of_label(name.text);
  out.events = facts_.of_concepts(concepts, audio);
  out.open = concepts.empty() || name.text.find("noise") != std::string::npos || name.text == "silence";
  return out;
}

StatementJudge::Meant StatementJudge::meant(const Name& name) const {
  Meant out;
  const int audio = name.audio == 0 ? kAnyAudio : name.audio - 1;
  if (name.what == Name::What::kSound) {
    out = sounds_meant(name, audio);
  } else if (name.what == Name::What::kWords) {
    out = words_meant(name, audio);
  } else if (name.what == Name::What::kAny) {
    out.events = facts_.foreground(audio);
  } else if (name.what == Name::What::kMusic) {
    for (int i = 0; i < static_cast<int>(facts_.all().size()); ++i)
      if (is_in(i, audio) && SoundWords::music(facts_.at(i).concepts)) out.events.insert(i);
  } else {
    for (const int who : voices_meant(name)) out.events.merge(facts_.of_speaker(who, audio));
  }
  if (name.nth == 0 || out.events.empty()) return out;
  const std::vector<int> order = ordered(out.events);
  const int count = static_cast<int>(order.size());
  const int place = name.nth < 0 ? count + name.nth : name.nth - 1;
  out.events = place >= 0 && place < count ? Set{order[static_cast<std::size_t>(place)]} : Set{};
  return out;
}

StatementJudge::Meant StatementJudge::meant(const Names& names) const {
  Meant out;
  out.exact = true;
  for (const Name& name : names) {
    Meant one = meant(name);
    out.open = out.open || one.open;
    out.exact = out.exact && one.exact;
    out.events.merge(one.events);
  }
  if (!out.events.empty()) out.open = false;
  return out;
}

}  // namespace areason::claims
