#pragma once
// Prints an answer while it is written: section titles, dim thinking and a bright response on a terminal, plain text elsewhere.
// Control characters of the model never reach the terminal. Called by ask and chat. Thread rule: one thread.
#include <string>

#include "reason/session.h"
#include "reason/vote.h"

namespace areason {

enum class Colour { kOff, kOn };
// On when standard output is a terminal that takes colours and NO_COLOR is unset or empty.
Colour stdout_colour();

class AnswerPrinter {
 public:
  explicit AnswerPrinter(Colour colour) : colour_(colour) {}
  void operator()(const SectionEvent& event);
  // A whole answer that is there already.
  void print(const Answer& answer);
  // Ends a line that an interrupted answer left open.
  void finish();

 private:
  void write(const std::string& text);
  Colour colour_;
  bool any_ = false;
  bool line_open_ = false;
};

// "clip.wav: 41.3 s, 41.3 s heard in 2 windows, 1032 audio tokens", or with "… cut off".
std::string describe(const HeardAudio& audio);
// "5 of 8: B. a dog", one line an answer, most votes first.
std::string describe(const Vote& vote);
// ms-swift's InferStats keys, as `--stats` prints them on one line.
Json infer_stats(long prompt_tokens, long generated_tokens, long samples, double seconds);

}  // namespace areason
