#pragma once
// Which of several choices a response in free words names. Called by infer, where the RESPONSE must be one of them: a model
// that has never written bare choices says what it means in its own words first. (src/eval/option_map.h is another rule: the
// one of the benchmarks' reports.) Thread rule: free function.
#include <string>
#include <string_view>
#include <vector>

namespace areason {

// The index of the choice whose text occurs in `response`, or which its letter names ("The answer is B.", "(b)", "B."): a
// choice's own label ("B. a dog"), without labels its place. Texts go before letters, since the caller's order may differ from
// the question's. -1 when none is named, or several are and no letter tells.
int named_choice(std::string_view response, const std::vector<std::string>& choices);

}  // namespace areason
