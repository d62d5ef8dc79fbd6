// Broken sounds: exit status 3 and two lines that help, whatever is wrong with the file.
#include <gtest/gtest.h>

#include <cmath>

#include "e2e/fixtures.h"
#include "e2e/process.h"

namespace areason::e2e {
namespace {

class BrokenAudio : public ::testing::Test {
 protected:
  void SetUp() override {
    model_ = small_checkpoint();
    if (model_.empty()) GTEST_SKIP();
  }
  Result ask(const std::string& clip, const RunOptions& options = {}) const {
    return run({"ask", "--model", model_, clip, "What is heard?"}, options);
  }
  Result ask_bytes(const std::string& name, std::string_view bytes) const { return ask(dir_.put(name, bytes)); }

  ScratchDir dir_;
  std::string model_;
};

TEST_F(BrokenAudio, MissingFile) { expect_failure(ask(dir_.file("none.wav")), kInput, "none.wav"); }
TEST_F(BrokenAudio, Directory) { expect_failure(ask(dir_.path()), kInput, dir_.path()); }
TEST_F(BrokenAudio, EmptyFile) { expect_failure(ask_bytes("empty.wav", ""), kInput, "empty.wav"); }
TEST_F(BrokenAudio, NoSamples) { expect_failure(ask_bytes("none.wav", wav_tone(0)), kInput, "none.wav"); }
TEST_F(BrokenAudio, TextNamedWav) { expect_failure(ask_bytes("notes.wav", "Dear diary,\ntoday …\n"), kInput, "notes.wav"); }
TEST_F(BrokenAudio, NotANumber) { expect_failure(ask_bytes("nan.wav", wav_float(16000, NAN)), kInput, "nan.wav"); }
TEST_F(BrokenAudio, Infinite) { expect_failure(ask_bytes("inf.wav", wav_float(16000, -INFINITY)), kInput, "inf.wav"); }

TEST_F(BrokenAudio, Truncated) {
  const std::string whole = wav_tone(2);
  for (const std::size_t keep : {std::size_t{12}, std::size_t{40}, std::size_t{45}, whole.size() / 2, whole.size() - 1})
    expect_failure(ask_bytes("cut.wav", std::string_view(whole).substr(0, keep)), kInput, "cut.wav");
}

TEST_F(BrokenAudio, TenHourHeader) {
  expect_failure(ask_bytes("long.wav", wav_tone(0.5, 36000ll * 32000)), kInput, "long.wav");
}

TEST_F(BrokenAudio, TooShortForAToken) {
  // Up to 320 samples give no audio token (design.md, decision 3).
  expect_failure(ask_bytes("short.wav", wav_tone(320 / 16000.0)), kInput, "short.wav");
}

TEST_F(BrokenAudio, SecondClipIsNamed) {
  const std::string good = dir_.put("good.wav", wav_tone(1));
  const std::string bad = dir_.put("bad.wav", "no");
  expect_failure(run({"ask", "--model", model_, good, bad, "Which is louder?"}), kInput, "bad.wav");
}

TEST_F(BrokenAudio, StandardInput) {
  expect_failure(ask("-", {.input = ""}), kInput, "standard input");
  expect_failure(ask("-", {.input = "text"}), kInput, "standard input");
  expect_failure(ask("-", {.input = wav_tone(2).substr(0, 5000)}), kInput, "standard input");
}

TEST_F(BrokenAudio, LongClipUnderErrorPolicy) {
  const std::string clip = dir_.put("long.wav", wav_tone(31));
  expect_failure(run({"ask", "--model", model_, "--long-audio", "error", clip, "What is heard?"}), kInput, "long.wav");
}

TEST_F(BrokenAudio, NameWithAControlCharacterStaysOneLine) {
  expect_failure(ask(dir_.file("a\nerror: b.wav")), kInput, "b.wav");
}

}  // namespace
}  // namespace areason::e2e
