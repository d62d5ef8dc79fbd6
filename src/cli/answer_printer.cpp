#include "cli/answer_printer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/json.h"

namespace areason {
namespace {

constexpr const char* kReset = "\033[0m";
constexpr const char* kTitle = "\033[1;36m";
constexpr const char* kDim = "\033[2m";
constexpr const char* kBright = "\033[1m";

std::string without_controls(std::string text) {
  std::erase_if(text, [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f; });
  return text;
}

std::string title_of(Section section) {
  std::string title(section_key(section));
  title[0] = static_cast<char>(title[0] - 'a' + 'A');
  return title;
}

}  // namespace

Colour stdout_colour() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  const bool wanted = no_color == nullptr || *no_color == '\0';
  const bool able = terminal != nullptr && std::string(terminal) != "dumb" && isatty(STDOUT_FILENO) != 0;
  return wanted && able ? Colour::kOn : Colour::kOff;
}

void AnswerPrinter::write(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void AnswerPrinter::operator()(const SectionEvent& event) {
  const bool colour = colour_ == Colour::kOn;
  switch (event.kind) {
    case SectionEvent::Kind::kOpen: {
      const std::string title = title_of(event.section);
      const char* body = event.section == Section::kResponse ? kBright : kDim;
      write((any_ ? "\n" : "") + (colour ? kTitle + title + kReset + "\n" + body : title + ":\n"));
      any_ = true;
      line_open_ = true;
      break;
    }
    case SectionEvent::Kind::kText:
      write(without_controls(event.text));
      break;
    case SectionEvent::Kind::kClose:
      finish();
      break;
  }
}

void AnswerPrinter::print(const Answer& answer) {
  SectionStream sections;
  for (const SectionEvent& event : sections.push(answer.text)) (*this)(event);
  for (const SectionEvent& event : sections.finish()) (*this)(event);
  finish();
}

void AnswerPrinter::finish() {
  if (!line_open_) return;
  write((colour_ == Colour::kOn ? std::string(kReset) : std::string()) + "\n");
  line_open_ = false;
}

std::string describe(const HeardAudio& audio) {
  return fmt::format("{}: {:.1f} s, {:.1f} s heard{}, {} audio tokens{}", audio.path, audio.seconds, audio.heard_seconds,
                     audio.windows > 1 ? fmt::format(" in {} windows", audio.windows) : "", audio.tokens,
                     audio.truncated ? "; the rest was cut off" : "");
}

std::string describe(const Vote& vote) {
  std::string out;
  for (const VoteShare& share : vote.shares)
    out += fmt::format("{} of {}: {}\n", share.samples.size(), vote.voters, without_controls(share.answer));
  return out.empty() ? "no sample has an answer\n" : out;
}

Json infer_stats(long prompt_tokens, long generated_tokens, long samples, double seconds) {
  const double safe = std::max(seconds, 1e-9);
  return {{"num_prompt_tokens", prompt_tokens},
          {"num_generated_tokens", generated_tokens},
          {"num_samples", samples},
          {"runtime", seconds},
          {"samples/s", samples / safe},
          {"tokens/s", generated_tokens / safe}};
}

}  // namespace areason
