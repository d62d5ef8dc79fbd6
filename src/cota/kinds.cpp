#include "cota/kinds.h"

#include <fmt/format.h>

#include "base/error.h"

namespace areason {
namespace {

using enum AnswerForm;
using enum Tested;

constexpr double kOneOf4 = 0.25, kOneOf2 = 0.5, kOneOf3 = 1.0 / 3;
constexpr double kOneOfClasses = 0.015;  // about 70 sound classes

}  // namespace

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> table = {
      {"sound-name", "sound", kChoice, 1.3, kOneOf4, kYes, "which of four sounds is in the clip"},
      {"sound-name-open", "sound", kName, 1.6, kOneOfClasses, kYes, "the name of the only sound"},
      {"sound-count", "sound", kNumber, 1.2, 0.25, kYes, "how many sounds, or how many of one class"},
      {"sound-order", "sound", kChoice, 1.6, kOneOf4, kYes, "the order of three or four sounds"},
      {"sound-first", "sound", kChoice, 0.9, kOneOf4, kYes, "the first sound"},
      {"sound-last", "sound", kChoice, 0.9, kOneOf4, kYes, "the last sound"},
      {"sound-after", "sound", kChoice, 1.0, kOneOf4, kYes, "the sound right after a named one"},
      {"sound-before", "sound", kChoice, 0.8, kOneOf4, kYes, "the sound right before a named one"},
      {"sound-presence", "sound", kYesNo, 1.2, kOneOf2, kYes, "is a named sound in the clip"},
      {"sound-overlap", "sound", kYesNo, 2.5, kOneOf2, kYes, "do two named sounds overlap in time"},
      {"sound-longer", "sound", kEither, 2.0, kOneOf2, kYes, "which of two named sounds lasts longer"},
      {"sound-first-open", "sound", kName, 0.4, kOneOfClasses, kTrainOnly, "sound-first without options"},
      {"sound-last-open", "sound", kName, 0.4, kOneOfClasses, kTrainOnly, "sound-last without options"},
      {"sound-after-open", "sound", kName, 0.4, kOneOfClasses, kTrainOnly, "sound-after without options"},
      {"turn-after", "sound", kName, 1.0, kOneOfClasses, kYes, "second turn: what comes after the sound of the first turn"},
      {"turn-count", "sound", kNumber, 0.5, 0.4, kYes, "second turn: how often does the sound of the first turn occur"},
      {"speech-speakers", "speech", kNumber, 1.0, kOneOf3, kYes, "how many people speak"},
      {"speech-word", "speech", kChoice, 1.4, kOneOf4, kYes, "which of four words is said"},
      {"speech-digits", "speech", kDigits, 1.4, 0.001, kYes, "the spoken digits in order"},
      {"speech-who", "speech", kEither, 1.0, kOneOf2, kYes, "is the first or last speaker of a dialogue a man or a woman"},
      {"speech-gender", "speech", kEither, 0.8, kOneOf2, kYes, "is the speaker a man or a woman"},
      {"speech-language", "speech", kChoice, 1.4, kOneOf4, kYes, "which of four languages is spoken"},
      {"speech-language-open", "speech", kName, 0.8, 0.1, kTrainOnly, "speech-language without options"},
      {"speech-mood", "speech", kChoice, 1.4, kOneOf4, kYes, "the mood of an acted voice"},
      {"speech-mood-open", "speech", kName, 0.6, 0.2, kTrainOnly, "speech-mood without options"},
      {"music-instrument", "music", kChoice, 1.2, kOneOf4, kYes, "the melody instrument"},
      {"music-instrument-open", "music", kName, 0.6, 0.05, kTrainOnly, "music-instrument without options"},
      {"music-tempo", "music", kChoice, 1.0, kOneOf3, kYes, "slow, medium or fast"},
      {"music-metre", "music", kChoice, 1.4, kOneOf4, kYes, "rhythmic feel and time signature"},
      {"music-mode", "music", kEither, 0.8, kOneOf2, kYes, "major or minor"},
      {"music-mood", "music", kChoice, 1.0, kOneOf4, kYes, "the mood of the piece"},
      {"mixed-sound", "mixed", kChoice, 1.2, kOneOf4, kYes, "which sound occurs besides the speech or music"},
      {"mixed-during", "mixed", kYesNo, 1.0, kOneOf2, kYes, "does a named sound occur during the speech or music"},
      {"mixed-presence", "mixed", kYesNo, 0.8, kOneOf2, kYes, "is there speech, is there music"},
      {"pair-same", "sound", kYesNo, 1.2, kOneOf2, kYes, "do two clips hold the same sound"},
      {"pair-more", "sound", kEither, 1.0, kOneOf2, kYes, "which of two clips has more sounds"},
      {"pair-where", "sound", kEither, 1.0, kOneOf2, kYes, "in which of two clips is a named sound"},
      {"long-where", "sound", kEither, 1.0, kOneOf2, kYes, "in which part of a recording over 30 s is a named sound"},
      {"long-count", "sound", kNumber, 1.0, 0.2, kYes, "how many sounds in a recording over 30 s"},
      {"long-last", "sound", kChoice, 1.0, kOneOf4, kYes, "the last sound of a recording over 30 s"},
      {"look-up", "text", kChoice, 0.0, kOneOf4, kTrainOnly, "copying and looking up names of a written caption (no audio)"},
      {"describe", "mixed", kFree, 0.25, 0, kTrainOnly, "describe what is heard"},
  };
  return table;
}

const Kind& find_kind(std::string_view name) {
  for (const auto* table : {&kinds(), &set_kinds()}) {
    for (const Kind& kind : *table) {
      if (kind.name == name) return kind;
    }
  }
  throw Error(ErrorCode::kInput, "unknown question kind \"" + std::string(name) + "\"", "docs/nano_kinds.md lists the kinds");
}

std::string_view answer_form_rule(AnswerForm form) {
  switch (form) {
    case kChoice:
      return "the letter of the last \"answer is X\"; without one, the only option whose text the response holds";
    case kEither:
      return "the first alternative that the response names";
    case kYesNo:
      return "the first word is yes or no";
    case kNumber:
      return "the last number of the response, digits or words";
    case kDigits:
      return "all digits of the response in order, digits or words";
    case kName:
      return "the response holds the answer's name and no other sound's";
    case kFree:
      return "not scored";
  }
  return "";
}

std::string kinds_markdown() {
  std::string out =
      "# Question kinds of the nano data\n\n"
      "Printed by `audio-reasoner data kinds` from src/cota/kinds.cpp; fixed before training. `weight` is the weight of a "
      "kind\n"
      "among those possible on a clip; `chance` is what even guessing gets (the score table also prints the share of the most\n"
      "frequent answer). Kinds marked \"training only\" have no test items.\n\n"
      "| kind | domain | weight | chance | tested | what is asked | an answer is right when |\n|---|---|---|---|---|---|---|\n";
  for (const Kind& k : kinds()) {
    out += fmt::format("| {} | {} | {} | {:.1f} % | {} | {} | {} |\n", k.name, k.domain, k.share, 100 * k.chance,
                       k.tested == kYes ? "yes" : "training only", k.about, answer_form_rule(k.form));
  }
  return out;
}

}  // namespace areason
