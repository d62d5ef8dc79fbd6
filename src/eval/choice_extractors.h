#pragma once
// How other harnesses read a letter A to D from a reply, to explain their numbers: lmms-eval (75571cfe), evalscope's MMAU and
// its AIR-Bench foundation (fde259d2). None of them is used for our own figures. Called by tests and `eval function`. Thread
// rule: free functions.
#include <string>
#include <string_view>

namespace areason {

// parse_multi_choice_response with the choices A to D; "random" where it draws a letter.
std::string lmms_choice(std::string_view reply);
// MMAUAdapter._parse_choice; "A" where nothing parses.
std::string evalscope_mmau_choice(std::string_view reply);
// AIRBenchFoundationAdapter.extract_answer; may return any first character, or nothing.
std::string evalscope_foundation_choice(std::string_view reply);

}  // namespace areason
