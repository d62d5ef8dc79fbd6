#include "audio/log_mel.h"

#include <gtest/gtest.h>

#include <cmath>
#include <ctime>
#include <numbers>

#include "audio/mel_filters.h"
#include "audio/testing.h"
#include "base/random.h"
#include "base/testing.h"

namespace areason {
namespace {

using testing_audio::expect_error;

std::vector<float> noise(std::size_t n, std::uint64_t seed = 1) {
  Random random(seed);
  std::vector<float> out(n);
  for (float& v : out) v = static_cast<float>(0.1 * random.normal());
  return out;
}

TEST(LogMel, EqualsTheReference) {
  const std::string dir = tiny_reference();
  if (dir.empty()) GTEST_SKIP();
  const LogMelExtractor extractor(load_log_mel_config(dir + "/model"));
  const Json cases = read_json_file(dir + "/cases/cases.json");
  const int window = read_json_file(dir + "/model/preprocessor_config.json").at("nb_max_frames");
  for (const auto& [clip, about] : cases.at("clips").items()) {
    SCOPED_TRACE(clip);
    const std::string file = dir + "/cases/" + about.at("file").get<std::string>();
    const auto samples = testing_audio::read_tensor(file, "samples_16k");
    const auto expected = testing_audio::read_tensor(file, "log_mel");
    const LogMel mel = extractor.compute(samples.data);
    EXPECT_EQ(mel.valid_frames, about.at("mel_frames").get<int>());
    EXPECT_EQ(mel.frames, std::min(mel.valid_frames + 2, window));
    ASSERT_EQ(static_cast<std::size_t>(mel.bins), expected.shape[0]);
    const std::size_t columns = expected.shape[1];
    double worst = 0;
    for (std::size_t m = 0; m < expected.shape[0]; ++m)
      for (std::size_t t = 0; t < std::min(columns, static_cast<std::size_t>(mel.frames)); ++t)
        worst = std::max(worst, std::abs(double(mel.data[m * static_cast<std::size_t>(mel.frames) + t]) -
                                         double(expected.data[m * columns + t])));
    // Both sum 32-bit floats in different orders; an exact sum is up to 8e-5 away from the reference.
    EXPECT_LT(worst, 2e-4);
    ::testing::Test::RecordProperty("worst_" + clip, std::to_string(worst));
    std::printf("  %s: worst %.2e\n", clip.c_str(), worst);
    // What was not computed is padding: all of it equals the last computed column's floor in the reference.
    for (std::size_t m = 0; m < expected.shape[0]; ++m)
      for (std::size_t t = static_cast<std::size_t>(mel.frames); t < columns; ++t)
        ASSERT_NEAR(expected.data[m * columns + t], expected.data[columns - 1], 1e-6);
  }
}

TEST(LogMel, FrameCountsOfShortClips) {
  const LogMelExtractor extractor(LogMelConfig{});
  const LogMel nothing = extractor.compute({});
  EXPECT_EQ(nothing.frames, 0);
  EXPECT_EQ(nothing.valid_frames, 0);
  EXPECT_TRUE(nothing.data.empty());
  for (std::size_t n = 1; n <= 960; ++n) {
    const LogMel mel = extractor.compute(noise(n));
    ASSERT_EQ(mel.valid_frames, static_cast<int>((n + 159) / 160));
    ASSERT_EQ(mel.frames, mel.valid_frames + 2);
    for (const float v : mel.data) ASSERT_TRUE(std::isfinite(v) && v >= -1.5f && v < 1.5f);
  }
}

TEST(LogMel, FramesBeyondTheComputedOnesHearNothing) {
  // A click on the very last sample is heard by frames up to F + 1 and by none after: the same clip with 5 s of zeros
  // appended has the same columns there and the floor after.
  const LogMelExtractor extractor(LogMelConfig{});
  for (const std::size_t n : {std::size_t{161}, std::size_t{320}, std::size_t{799}, std::size_t{16000}, std::size_t{479000}}) {
    std::vector<float> samples = noise(n);
    samples.back() = 1.0f;
    const LogMel bare = extractor.compute(samples);
    samples.resize(std::min(n + 80000, std::size_t{480000}));
    const LogMel padded = extractor.compute(samples);
    const auto width = static_cast<std::size_t>(padded.frames);
    float floor = padded.data[width - 1];
    for (std::size_t m = 0; m < 128; ++m)
      for (std::size_t t = 0; t < width; ++t) {
        const float v = padded.data[m * width + t];
        if (t < static_cast<std::size_t>(bare.frames))
          ASSERT_EQ(v, bare.data[m * static_cast<std::size_t>(bare.frames) + t]) << n << " " << m << " " << t;
        else
          ASSERT_EQ(v, floor);
      }
  }
}

TEST(LogMel, InputBeyondTheWindowIsIgnored) {
  const LogMelExtractor extractor(LogMelConfig{});
  std::vector<float> samples = noise(480000);
  const LogMel exact = extractor.compute(samples);
  EXPECT_EQ(exact.valid_frames, 3000);
  EXPECT_EQ(exact.frames, 3000);
  samples.resize(500000, 0.9f);
  EXPECT_EQ(extractor.compute(samples).data, exact.data);
}

TEST(LogMel, SilenceIsTheFloor) {
  const LogMelExtractor extractor(LogMelConfig{});
  for (const float v : extractor.compute(std::vector<float>(16000, 0.0f)).data)
    ASSERT_FLOAT_EQ(v, -1.5f);  // (log10(1e-10) + 4) / 4
}

TEST(LogMel, EqualsAPlainDftInDouble) {
  // Independent of the reference: the definition, in double, on one loud frame in the middle, and on the reflected first frame.
  LogMelConfig config;
  config.bins = 80;
  const LogMelExtractor extractor(config);
  const std::vector<float> samples = noise(16000);
  const LogMel mel = extractor.compute(samples);
  const auto filters = slaney_mel_filters(80, 400, 16000);
  for (const int t : {0, 1, 50}) {
    std::vector<double> power(201);
    for (int k = 0; k <= 200; ++k) {
      double re = 0;
      double im = 0;
      for (int i = 0; i < 400; ++i) {
        const int at = std::abs(t * 160 - 200 + i);
        const double x = samples[static_cast<std::size_t>(at)] * (0.5 - 0.5 * std::cos(2 * std::numbers::pi * i / 400));
        re += x * std::cos(2 * std::numbers::pi * k * i / 400);
        im -= x * std::sin(2 * std::numbers::pi * k * i / 400);
      }
      power[static_cast<std::size_t>(k)] = re * re + im * im;
    }
    for (std::size_t m = 0; m < 80; ++m) {
      double sum = 0;
      for (std::size_t i = 0; i < filters[m].weights.size(); ++i)
        sum += filters[m].weights[i] * power[static_cast<std::size_t>(filters[m].first) + i];
      // White noise stays far above the clamp. Float FFT: relative 1e-6 in power, 1e-6 in log10 / 4.
      EXPECT_NEAR(mel.data[m * static_cast<std::size_t>(mel.frames) + static_cast<std::size_t>(t)], (std::log10(sum) + 4) / 4,
                  2e-5);
    }
  }
}

TEST(MelFilters, KnownShape) {
  // Constants of the Slaney scale: 80 filters over 0 … 8 kHz have centres 37.24 Hz apart below 1 kHz.
  const auto filters = slaney_mel_filters(80, 400, 16000);
  ASSERT_EQ(filters.size(), 80u);
  for (const MelFilter& f : filters) {
    EXPECT_FALSE(f.weights.empty());
    EXPECT_LE(static_cast<std::size_t>(f.first) + f.weights.size(), 201u);
    for (const float w : f.weights) EXPECT_GT(w, 0.0f);
  }
}

TEST(LogMel, ConfigErrorsNameTheFile) {
  const ScratchDir dir;
  const std::string root = std::filesystem::path(dir.file("x")).parent_path().string();
  expect_error(ErrorCode::kModel, "no preprocessor_config.json", [&] { load_log_mel_config(root); });
  dir.put("preprocessor_config.json", "{\"feature_size\": 80, \"n_fft\"");
  expect_error(ErrorCode::kModel, "preprocessor_config.json", [&] { load_log_mel_config(root); });
  for (const char* bad : {"[]", "{\"hop_length\": 0}", "{\"n_fft\": \"x\"}", "{\"feature_size\": 1e300}", "{\"n_fft\": 401}",
                          "{\"chunk_length\": -1}"}) {
    dir.put("preprocessor_config.json", bad);
    expect_error(ErrorCode::kModel, "preprocessor_config.json", [&] { load_log_mel_config(root); });
  }
  dir.put("preprocessor_config.json", "{\"feature_size\": 80}");
  EXPECT_EQ(load_log_mel_config(root).bins, 80);
  EXPECT_EQ(load_log_mel_config(root).hop, 160);
}

TEST(LogMel, ThirtySecondsAreFast) {
  const LogMelExtractor extractor(LogMelConfig{});
  const std::vector<float> samples = noise(480000);
  // The processor's time, not the clock's: a busy machine may hold the test up for seconds.
  const std::clock_t start = std::clock();
  extractor.compute(samples);
  const double ms = 1000.0 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  std::printf("  30 s of audio: %.1f ms\n", ms);
  EXPECT_LT(ms, 3000);  // some 30 ms in release; sanitizers get slack, an O(n^2) transform would not
}

}  // namespace
}  // namespace areason
