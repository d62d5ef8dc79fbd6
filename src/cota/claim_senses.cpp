#include "cota/claim_senses.h"

#include <map>
#include <sstream>

namespace areason::claims {
namespace {

struct SenseRow {
  Sense sense;
  bool verb;            // the first word stands for all its forms
  const char* phrases;  // separated by commas
};

// "be over" needs a form of "be" before it: kAfterBe marks those words.
constexpr SenseRow kSenseRows[] = {
    {Sense::kStart, true,
     "start, begin, commence, set in, set off, kick in, kick off, come in, come on, come along, strike up, enter, arrive, "
     "appear, join, join in, chime in, show up, turn up, get going, get under way, get underway, take over, take up, emerge, "
     "burst in, cut in, break in, jump in, drop in, pipe up, go off, ring out, sound up, open up, weigh in, step in, butt in, "
     "barge in, crop up, come up, get started, fire up, start up, wake up, pick up, break the silence, make its entrance, "
     "make its appearance, make an appearance, make an entrance, raise its voice, become audible, become noticeable, crash in, "
     "sneak in, slip in, creep in, fade in, ease in, move in, roll in, set to work, first sound, speak up, intervene"},
    {Sense::kStart, false, "onset, outset, entry, entrance, arrival, commencement, beginning, inception, first heard"},
    {Sense::kEnd, true,
     "stop, end, finish, cease, quit, fade, fade out, fade away, die, die down, die away, die out, break off, subside, fall "
     "silent, go quiet, go silent, fall quiet, become silent, become quiet, conclude, run out, run its course, come to an end, "
     "come to a close, come to its end, come to a stop, come to a halt, come to rest, halt, clear off, let go, wind up, wind "
     "down, tail off, taper off, trail off, taper, vanish, disappear, leave off, shut up, expire, drop out, drop away, bow "
     "out, "
     "terminate, peter out, let up, run out of steam, have its say, have his say, have her say, make way, abate, ebb, cut out, "
     "pipe down, sign off, complete, knock off, give up, pull out, wrap up, close down, shut off, switch off, turn off, leave "
     "the "
     "stage, leave the scene, drive off, fly off, run dry, burn out, burn itself out, blow over, settle, lapse, leave, leave "
     "for good, go away, go home, depart, "
     "pass on, move on, move off, drive away, fly away"},
    {Sense::kEnd, false,
     "cessation, conclusion, offset, no longer sound, no longer sounds, no longer audible, no longer heard, no longer there, "
     "gone, silent, finished, ceased, long gone, well over, no more, over and done"},
    {Sense::kStill, true,
     "continue, go on, carry on, keep going, keep on, persist, hang on, remain, stay, last, drone on, run on, play on, rumble "
     "on, ring on, keep at it, linger"},
    {Sense::kStill, false,
     "still, under way, underway, in progress, at work, in full swing, ongoing, at it, in full flow, mid sentence, mid flow, "
     "halfway through, in full cry, to go, left to go, more to go, not over yet, in the middle of it"},
    {Sense::kAfter, false,
     "after, following, subsequent to, subsequently to, later than, only after, in the wake of, on the heels of, hard on the "
     "heels of, hot on the heels of, behind"},
    {Sense::kBefore, false, "before, prior to, ahead of, in advance of, earlier than, preceding, by the time, sooner than"},
    {Sense::kOnce, false,
     "once, only once, as soon as, the moment, the instant, now that, no sooner than, when, only when, just as"},
    {Sense::kWhile, false, "while, whilst, during, in the course of, throughout, amid, amidst, all the while that"},
    {Sense::kUntil, false, "until, till, not before, up to the point where"},
    {Sense::kInside, false,
     "on top of, inside, within, in the middle of, in the midst of, right on top of, over the top "
     "of, "
     "embedded in, enclosed by, surrounded by, covered by, inside of"},
    {Sense::kOutside, false, "clear of, outside, nowhere near, well away from, free of, outside of, separate from"},
    {Sense::kMeet, true,
     "overlap, coincide, collide, intersect, coexist, clash, meet, run into each other, sound together, sound at once, run "
     "together, share a moment, cross, be heard together"},
    {Sense::kMeet, false, "simultaneous, simultaneously, at the same time, in unison, side by side, concurrently, in parallel"},
    {Sense::kLonger, false,
     "longer, lengthier, longer lasting, more drawn out, more prolonged, more extended, more sustained, more long, more "
     "lengthy, less short, less brief"},
    {Sense::kShorter, false,
     "shorter, briefer, quicker, more short, more brief, less long, less lengthy, less sustained, snappier, more fleeting"},
    {Sense::kLouder, false,
     "louder, stronger, noisier, more powerful, more forceful, more intense, more loud, less quiet, less faint, less soft, "
     "mightier, more forcefully, more loudly, more strongly, more audible, with more force, with more power, higher in level, "
     "less quietly, less softly, more prominent"},
    {Sense::kQuieter, false,
     "quieter, softer, fainter, weaker, feebler, gentler, less loud, less loudly, less strong, less strongly, less powerful, "
     "less forceful, less intense, more quiet, more quietly, more soft, more softly, more faint, more faintly, more weak, "
     "more weakly, more subdued, with less force, with less power, more gently, lower in level, dimmer, less prominent, "
     "milder"},
    {Sense::kLongest, false,
     "longest, lengthiest, most prolonged, most extended, most drawn out, most long, longest lasting, most sustained"},
    {Sense::kShortest, false, "shortest, briefest, quickest, most brief, most short, most fleeting, least long, snappiest"},
    {Sense::kLoudest, false,
     "loudest, strongest, noisiest, most powerful, most forceful, most intense, most loud, most prominent, mightiest, "
     "least quiet, highest in level, most thunderous"},
    {Sense::kQuietest, false,
     "quietest, softest, faintest, weakest, feeblest, gentlest, most quiet, most soft, most faint, least loud, most subdued, "
     "least powerful, lowest in level, most timid, dimmest, most delicate, least prominent, mildest"},
};

constexpr const char* kAfterBe = "over|done|through|past|quiet|out|away|complete|up|off";
constexpr const char* kBe =
    "is|are|was|were|be|been|being|it's|that's|she's|he's|they're|all|already|i'm|isn't|well|long|fully|quite";

constexpr const char* kIrregular[] = {
    "begin begins beginning began begun",
    "come comes coming came come",
    "fall falls falling fell fallen",
    "go goes going went gone",
    "die dies dying died died",
    "quit quits quitting quit quit",
    "break breaks breaking broke broken",
    "get gets getting got got",
    "become becomes becoming became become",
    "run runs running ran run",
    "wind winds winding wound wound",
    "cut cuts cutting cut cut",
    "strike strikes striking struck struck",
    "ring rings ringing rang rung",
    "take takes taking took taken",
    "let lets letting let let",
    "bow bows bowing bowed bowed",
    "shut shuts shutting shut shut",
    "have has having had had",
    "make makes making made made",
    "burst bursts bursting burst burst",
    "set sets setting set set",
    "show shows showing showed shown",
    "leave leaves leaving left left",
    "keep keeps keeping kept kept",
    "hang hangs hanging hung hung",
    "meet meets meeting met met",
    "be is being was been",
    "sneak sneaks sneaking sneaked snuck",
    "creep creeps creeping crept crept",
    "drive drives driving drove driven",
    "fly flies flying flew flown",
    "speak speaks speaking spoke spoken",
    "carry carries carrying carried carried",
    "give gives giving gave given",
    "stay stays staying stayed stayed",
    "stop stops stopping stopped stopped",
    "drop drops dropping dropped dropped",
    "chip chips chipping chipped chipped",
    "wrap wraps wrapping wrapped wrapped",
    "step steps stepping stepped stepped",
    "overlap overlaps overlapping overlapped overlapped",
    "slip slips slipping slipped slipped",
    "ebb ebbs ebbing ebbed ebbed",
    "crop crops cropping cropped cropped",
};

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> out;
  for (std::string w; in >> w;) out.push_back(w);
  return out;
}

std::vector<std::string> forms_of(const std::string& verb) {
  for (const char* row : kIrregular)
    if (auto forms = words_of(row); forms[0] == verb) return forms;
  const bool e = verb.back() == 'e';
  const bool sibilant = verb.ends_with("sh") || verb.ends_with("s") || verb.ends_with("ch") || verb.ends_with("x");
  const std::string stem = e ? verb.substr(0, verb.size() - 1) : verb;
  return {verb, verb + (sibilant ? "es" : "s"), stem + "ing", stem + "ed"};
}

struct Phrase {
  Sense sense;
  std::vector<std::string> rest;
};

using Lexicon = std::map<std::string, std::vector<Phrase>, std::less<>>;

const Lexicon& lexicon() {
  static const Lexicon out = [] {
    Lexicon all;
    for (const SenseRow& row : kSenseRows) {
      std::istringstream in(row.phrases);
      for (std::string phrase; std::getline(in, phrase, ',');) {
        std::vector<std::string> words = words_of(phrase);
        const std::vector<std::string> rest(words.begin() + 1, words.end());
        const std::vector<std::string> firsts = row.verb ? forms_of(words[0]) : std::vector{words[0]};
        for (const std::string& first : firsts) all[first].push_back({row.sense, rest});
      }
    }
    return all;
  }();
  return out;
}

SensePlace sense_at(const Sentence& s, int i) {
  const int n = static_cast<int>(s.words.size());
  const auto word = [&](int k) -> const Word& { return s.words[static_cast<std::size_t>(k)]; };
  SensePlace out{Sense::kNone, i, i};
  if (word(i).quote) return out;
  if (const auto it = lexicon().find(word(i).text); it != lexicon().end()) {
    for (const Phrase& p : it->second) {
      const int end = i + 1 + static_cast<int>(p.rest.size());
      if (end > n || end <= out.end) continue;
      bool same = true;
      for (std::size_t k = 0; k < p.rest.size() && same; ++k) same = word(i + 1 + static_cast<int>(k)).text == p.rest[k];
      if (same) out = {p.sense, i, end};
    }
  }
  // "the thunder is over", but no "over half a second"
  if (out.sense == Sense::kNone && is_one(word(i), kAfterBe) && i > 0 && is_one(word(i - 1), kBe) &&
      !(i + 1 < n && (word(i + 1).number >= 0 || is_one(word(i + 1), "a|the|its|by|to|of|on|in"))))
    out = {Sense::kEnd, i, i + 1};
  return out;
}

}  // namespace

std::vector<SensePlace> senses_in(const Sentence& s) {
  std::vector<SensePlace> out;
  for (int i = 0; i < static_cast<int>(s.words.size());) {
    const SensePlace at = sense_at(s, i);
    if (at.sense != Sense::kNone) out.push_back(at);
    i = std::max(i + 1, at.end);
  }
  return out;
}

}  // namespace areason::claims
