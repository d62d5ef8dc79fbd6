// Letters of options as names of sounds: "option A is not in the audio", "C and D come first and second".
#include <algorithm>

#include "cota/claim_rules.h"

namespace areason::claims {
namespace {

constexpr const char* kHeard = "heard|present|audible|there|found|detected";

struct Letters {
  std::vector<int> options;  // indices into the choices
  int end = 0;
};

// "option A", "options C and D", "choice ( b )" at word i.
Letters letters_at(const Reading& r, int i) {
  Letters out;
  if (!is_one(r.word(i), "option|options|candidate|candidates|choice|choices|answer|answers|alternative|alternatives"))
    return out;
  const auto count = static_cast<int>(r.sample->choices.size());
  int k = i + 1;
  for (; k < r.size(); ++k) {
    const std::string& w = r.word(k).text;
    if (w.size() == 1 && w[0] >= 'a' && w[0] < 'a' + count) {
      // "option a dog" reads on
      if (w == "a" && !r.word(k).capital && (k + 1 >= r.size() || r.word(k + 1).text != ")")) break;
      out.options.push_back(w[0] - 'a');
    } else if (!is_one(r.word(k), "and|,|(|)|/") || (r.word(k).text == "," && !out.options.empty() && k + 1 < r.size() &&
                                                     r.word(k + 1).text.size() > 1 && r.word(k + 1).text != "and")) {
      break;
    }
  }
  out.end = k;
  return out;
}

Set sounds_of(const Reading& r, int option) {
  return r.facts.of_concepts(r.facts.words().of_label(r.sample->choices[static_cast<std::size_t>(option)]), kAnyAudio);
}

// Each letter at its place: "come first and second", "comes last".
void check_places_of(Reading& r, const Letters& l, int from, int to) {
  std::vector<int> places;
  for (int k = from; k < to; ++k)
    if (r.word(k).ordinal != 0) places.push_back(r.word(k).ordinal);
  if (places.size() != l.options.size() || r.find("come|comes|is|are|heard", from, to) < 0) return;
  for (std::size_t k = 0; k < places.size(); ++k)
    if (const Set sounds = sounds_of(r, l.options[k]); !sounds.empty() && !r.facts.nth(sounds, places[k], kAnyAudio))
      return r.wrong("order", "the option is not at this place");
}

void check_option(Reading& r, int i) {
  const Letters l = letters_at(r, i);
  if (l.options.empty() || l.end >= r.size()) return;
  int to = l.end;
  while (to < r.size() && to < l.end + 9 && !is_one(r.word(to), ",|:|--|(|because|but|while|so|though|since|as")) ++to;
  const Word& verb = r.word(l.end);
  const bool be = is_one(verb, "is|are|was|were|isn't|aren't|wasn't|weren't|can|cannot|never|does|doesn't|do|don't|did|didn't");
  const bool denied =
      r.find("not|isn't|aren't|wasn't|weren't|never|cannot|doesn't|don't|didn't|absent|missing|nowhere", l.end, to) >= 0;
  const bool place = r.find("in|of", l.end, to) >= 0 && r.find("audio|clip|recording|file", l.end, to) >= 0;
  const bool heard = (be && (r.find(kHeard, l.end, to) >= 0 ||
                             (place && is_one(r.word(l.end + (l.end + 1 < to ? 1 : 0)), "not|in|indeed|actually")) ||
                             r.find("absent|missing", l.end, to) >= 0)) ||
                     (is_one(verb, "appears|appear|occurs|occur|sounds") && l.end + 1 >= to) ||
                     (be && r.find("appear|occur", l.end, to) >= 0);
  if (!denied) check_places_of(r, l, l.end, to);
  if (!heard || r.find("first|second|third|last|only|before|after|until|than|alone|when|longer|shorter|would|could|said|loud|"
                       "correct|right|answer",
                       l.end, to) >= 0)
    return;
  for (const int option : l.options)
    if (sounds_of(r, option).empty() != denied)
      return r.wrong(denied ? "absence" : "presence", std::string("option ") + static_cast<char>('a' + option));
}

}  // namespace

void check_options(Reading& r) {
  const Sample& s = *r.sample;
  if (r.sentence.question || s.choices.size() < 2 || s.domain == "speech" || s.domain == "music" || s.kind == "sound-order" ||
      r.facts.audios() > 1 || r.has("if|would|could|might|should|whether|maybe|perhaps"))
    return;
  for (const std::string& choice : s.choices)
    if (r.facts.words().of_label(choice).empty()) return;
  for (int i = 0; i + 1 < r.size(); ++i) check_option(r, i);
}

}  // namespace areason::claims
