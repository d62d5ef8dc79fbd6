#pragma once
// Pauses, overlaps and distances in time as amounts: "a lull of one second", "four seconds later come the hooves", "both sound
// for half a second". Called by the rule for times. Thread rule: free functions. Units: seconds.
#include "cota/claim_rules.h"

namespace areason::claims {

enum class Gap { kAny, kSilence, kOverlap, kLater };

// Is word i "s", "seconds", …, and said plainly?
bool unit(const Reading& r, int i);
// What kind of gap the words beside the amount at word i speak of.
Gap gap_kind(const Reading& r, int i);
// Does the amount fit one between any two sounds of the clip?
bool fits_gap(const Reading& r, const Amount& a, double tol, Gap kind);
// "four seconds later come the hooves", "some 3 s after the beep": from any border to the start of what is named, or from what
// is named on.
bool fits_later(const Reading& r, const Amount& a, int i, double tol);
// "a lull of one second", "4 s silence in between": the amount is the silence's own.
bool silence(const Reading& r, int i);

}  // namespace areason::claims
