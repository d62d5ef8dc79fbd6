#include "audio/write.h"

#include <gtest/gtest.h>

#include <cmath>

#include "audio/decode.h"
#include "audio/testing.h"
#include "audio/windows.h"
#include "base/testing.h"

namespace areason {
namespace {

using testing_audio::expect_error;

TEST(Write, ReadsBackWithinHalfAStepAndClips) {
  const ScratchDir dir;
  Waveform w{{0.0f, 0.5f, -0.5f, 1.0f, -1.0f, 3.0f, -3.0f, 0.25001f}, 22050};
  write_wav(dir.file("a.wav"), w);
  write_flac(dir.file("a.flac"), w);
  for (const char* name : {"a.wav", "a.flac"}) {
    const DecodedAudio back = decode_audio(dir.file(name));
    EXPECT_EQ(back.sample_rate, 22050);
    ASSERT_EQ(back.samples.size(), w.samples.size());
    for (std::size_t i = 0; i < w.samples.size(); ++i)
      EXPECT_NEAR(back.samples[i], std::clamp(w.samples[i], -1.0f, 32767.0f / 32768), 0.5001 / 32768) << i;
  }
}

TEST(Write, SameBytesEveryTime) {
  const ScratchDir dir;
  const Waveform w{std::vector<float>(5000, 0.125f), 16000};
  write_flac(dir.file("a.flac"), w);
  write_flac(dir.file("b.flac"), w);
  EXPECT_EQ(read_file(dir.file("a.flac")), read_file(dir.file("b.flac")));
}

TEST(Write, ErrorsNameThePath) {
  expect_error(ErrorCode::kFailure, "/nowhere/a.wav", [] { write_wav("/nowhere/a.wav", {{0.0f}, 16000}); });
  const ScratchDir dir;
  expect_error(ErrorCode::kFailure, "a.wav", [&] { write_wav(dir.file("a.wav"), {{NAN}, 16000}); });
  EXPECT_FALSE(std::filesystem::exists(dir.file("a.wav")));
}

Waveform seconds(double s) { return {std::vector<float>(static_cast<std::size_t>(std::lround(s * 16000)), 0.1f), 16000}; }

TEST(Windows, SplitsIntoPieces) {
  const auto parts = split_long_audio(seconds(65), LongAudio::kWindows, 30, "x.wav");
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].audio.samples.size(), 480000u);
  EXPECT_EQ(parts[2].audio.samples.size(), 80000u);
  EXPECT_EQ(parts[2].from_seconds, 60.0);
  for (const auto& p : parts) EXPECT_FALSE(p.truncated);
}

TEST(Windows, ShortTailIsDropped) {
  const auto parts = split_long_audio(seconds(30.05), LongAudio::kWindows, 30, "x.wav");
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_TRUE(parts[0].truncated);
  EXPECT_EQ(split_long_audio(seconds(30.1), LongAudio::kWindows, 30, "x.wav").size(), 2u);
}

TEST(Windows, TruncateAndError) {
  const auto parts = split_long_audio(seconds(65), LongAudio::kTruncate, 30, "x.wav");
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_TRUE(parts[0].truncated);
  EXPECT_EQ(parts[0].audio.samples.size(), 480000u);
  expect_error(ErrorCode::kInput, "x.wav is 65.0 s long",
               [] { split_long_audio(seconds(65), LongAudio::kError, 30, "x.wav"); });
  for (const LongAudio policy : {LongAudio::kWindows, LongAudio::kTruncate, LongAudio::kError}) {
    const auto whole = split_long_audio(seconds(30), policy, 30, "x.wav");
    ASSERT_EQ(whole.size(), 1u);
    EXPECT_FALSE(whole[0].truncated);
  }
}

TEST(Windows, PolicyNames) {
  EXPECT_EQ(parse_long_audio("windows"), LongAudio::kWindows);
  EXPECT_EQ(parse_long_audio("truncate"), LongAudio::kTruncate);
  EXPECT_EQ(parse_long_audio("error"), LongAudio::kError);
  expect_error(ErrorCode::kUsage, "later", [] { parse_long_audio("later"); });
}

}  // namespace
}  // namespace areason
