// The stream of sections: however the bytes are cut into pieces, the events say the same; the whole-text parser survives them.
#include <vector>

#include "cot/sections.h"
#include "fuzz.h"

namespace {

using areason::SectionEvent;

// Joins neighbouring text events, and checks that opening and closing alternate.
std::vector<SectionEvent> normal_form(const std::vector<SectionEvent>& events) {
  std::vector<SectionEvent> out;
  bool open = false;
  for (const SectionEvent& e : events) {
    areason::fuzz::require((e.kind == SectionEvent::Kind::kOpen) != open, "sections open and close in turn");
    if (e.kind != SectionEvent::Kind::kText) open = e.kind == SectionEvent::Kind::kOpen;
    areason::fuzz::require(e.kind != SectionEvent::Kind::kText || !e.text.empty(), "text is not empty");
    if (e.kind == SectionEvent::Kind::kText && !out.empty() && out.back().kind == SectionEvent::Kind::kText)
      out.back().text += e.text;
    else
      out.push_back(e);
  }
  areason::fuzz::require(!open, "the last section is closed");
  return out;
}

std::vector<SectionEvent> stream(std::string_view text, std::size_t piece) {
  areason::SectionStream parser;
  std::vector<SectionEvent> events;
  for (std::size_t at = 0; at < text.size(); at += piece)
    for (auto& e : parser.push(text.substr(at, piece))) events.push_back(std::move(e));
  for (auto& e : parser.finish()) events.push_back(std::move(e));
  return normal_form(events);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  areason::parse_chain(text);
  const auto whole = stream(text, text.size() + 1);
  const auto cut = stream(text, 1 + data[0] % 16);
  areason::fuzz::require(whole.size() == cut.size(), "cutting changes no event");
  for (std::size_t i = 0; i < whole.size(); ++i)
    areason::fuzz::require(whole[i].kind == cut[i].kind && whole[i].section == cut[i].section && whole[i].text == cut[i].text,
                           "cutting changes no text");
  return 0;
}
