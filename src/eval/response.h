#pragma once
// The part of a model's reply that answers: the last RESPONSE section of a chain, or what is left where tags are missing or
// unclosed, each case by name (facts/evaluation.md 7). Called by the scorers and the runner. Thread rule: free functions.
#include <string>
#include <string_view>

namespace areason {

struct ExtractedResponse {
  // kNoTags: the whole reply; kClosed: the last <RESPONSE>…</RESPONSE>; kUnclosed: all behind the last <RESPONSE> that lacks
  // its end (cut off); kAfterThink: no RESPONSE, what follows </THINK>; kNoResponse: tags, but neither; the whole reply.
  enum class How { kNoTags, kClosed, kUnclosed, kAfterThink, kNoResponse } how = How::kNoTags;
  std::string text;       // without white space at its ends
  bool complete = false;  // all five sections there, in order and closed
};
ExtractedResponse extract_response(std::string_view reply);
// "response_closed", "response_unclosed", … for counting.
std::string_view extraction_name(ExtractedResponse::How how);

}  // namespace areason
