#include "eval/response.h"

#include <optional>

#include "cot/sections.h"
#include "cot/tags.h"
#include "eval/python_text.h"

namespace areason {

ExtractedResponse extract_response(std::string_view reply) {
  using How = ExtractedResponse::How;
  constexpr int kResponse = static_cast<int>(Section::kResponse);
  constexpr std::size_t kNone = std::string_view::npos;
  std::size_t open = kNone, after_think = kNone;  // where the text behind a tag starts
  std::optional<std::string_view> response;       // of the last RESPONSE
  bool any = false, closed = false;
  const auto end_open = [&](std::size_t at, bool by_its_tag) {
    if (open == kNone) return;
    response = reply.substr(open, at - open);
    closed = by_its_tag;
    open = kNone;
  };
  for (std::size_t at = reply.find('<'); at != std::string_view::npos; at = reply.find('<', at)) {
    const TagMatch tag = match_tag(reply.substr(at));
    if (tag.kind != TagMatch::Kind::kTag) {
      ++at;
      continue;
    }
    any = true;
    end_open(at, tag.closing && tag.index == kResponse);
    at += tag.length;
    if (tag.index == kResponse && !tag.closing) open = at;
    if (tag.index == kThinkTag && tag.closing) after_think = at;
  }
  end_open(reply.size(), false);
  ExtractedResponse out;
  std::string_view text = reply;
  if (response) {
    text = *response;
    out.how = closed ? How::kClosed : How::kUnclosed;
  } else if (after_think != kNone) {
    text = reply.substr(after_think);
    out.how = How::kAfterThink;
  } else if (any) {
    out.how = How::kNoResponse;
  }
  out.text = std::string(py::strip(text));
  out.complete = any && parse_chain(reply).complete;
  return out;
}

std::string_view extraction_name(ExtractedResponse::How how) {
  switch (how) {
    case ExtractedResponse::How::kClosed:
      return "response_closed";
    case ExtractedResponse::How::kUnclosed:
      return "response_unclosed";
    case ExtractedResponse::How::kAfterThink:
      return "response_missing_after_think";
    case ExtractedResponse::How::kNoResponse:
      return "response_missing";
    default:
      return "response_without_tags";
  }
}

}  // namespace areason
