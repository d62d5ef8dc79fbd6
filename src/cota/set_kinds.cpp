// The question kinds of the paper's sets (kinds.h): the same table, apart from nano's, whose draws must not change.
#include "cota/kinds.h"

namespace areason {

const std::vector<Kind>& set_kinds() {
  using enum AnswerForm;
  using enum Tested;
  constexpr double kOneOf4 = 0.25, kOneOf2 = 0.5;
  static const std::vector<Kind> table = {
      {"complex-background", "sound", kChoice, 3.0, kOneOf4, kYes, "the sound that lies beneath a named one"},
      {"complex-foreground", "sound", kChoice, 1.0, kOneOf4, kYes, "a sound in front of the named background"},
      {"complex-duration", "sound", kChoice, 1.6, kOneOf4, kYes, "how many seconds a named sound lasts"},
      {"complex-place", "sound", kChoice, 1.2, kOneOf4, kYes, "the second, third … sound"},
      {"complex-loudest", "sound", kChoice, 1.6, kOneOf4, kYes, "the sound that is clearly louder than the others"},
      {"complex-most", "sound", kChoice, 1.2, kOneOf4, kYes, "the sound that is heard most often"},
      {"dialogue-about", "speech", kChoice, 3.0, kOneOf4, kYes, "what the second, third … speaker says about a matter"},
      {"dialogue-who", "speech", kChoice, 2.0, 0.4, kYes, "which speaker says a quoted line"},
      {"dialogue-next", "speech", kChoice, 1.6, kOneOf4, kYes, "what is said right after a quoted line"},
      {"dialogue-scenario", "speech", kChoice, 1.2, kOneOf4, kYes, "what the conversation is about"},
      {"dialogue-turns", "speech", kNumber, 1.2, 0.3, kYes, "how often one of the speakers takes the word"},
      {"dialogue-overlap", "speech", kYesNo, 0.8, kOneOf2, kYes, "do two speakers talk at the same time"},
      {"emotion-scenario", "speech", kChoice, 1.4, kOneOf4, kYes, "the situation that an acted voice fits"},
      {"intent", "speech", kChoice, 1.5, kOneOf4, kYes, "what an acted speaker wants by the line"},
      {"intent-is", "speech", kYesNo, 1.0, kOneOf2, kYes, "whether an acted speaker has the named intent"},
      {"translation", "speech", kFree, 2.0, 0, kTrainOnly, "the translation of a spoken phrase"},
      {"translation-choice", "speech", kChoice, 1.0, kOneOf4, kYes, "which of four is the translation of a spoken phrase"},
      {"translation-language", "speech", kChoice, 0.7, kOneOf4, kYes, "the language of a spoken phrase"},
  };
  return table;
}

}  // namespace areason
