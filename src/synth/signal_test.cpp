#include "synth/signal.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace areason {
namespace {

Samples tone(double hertz, double seconds, double amplitude) {
  Samples samples(static_cast<std::size_t>(seconds * kSynthRate));
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i] = static_cast<float>(amplitude * std::sin(2 * std::numbers::pi * hertz * static_cast<double>(i) / kSynthRate));
  }
  return samples;
}

void append(Samples& to, const Samples& more) { to.insert(to.end(), more.begin(), more.end()); }

int zero_crossings(const Samples& samples) {
  int count = 0;
  for (std::size_t i = 1; i < samples.size(); ++i) count += (samples[i - 1] < 0) != (samples[i] < 0);
  return count;
}

TEST(Signal, ActiveLevelIgnoresSilence) {
  Samples samples = tone(440, 1, 0.5);
  const double alone = active_level_db(samples);
  EXPECT_NEAR(alone, 20 * std::log10(0.5 / std::sqrt(2)), 0.05);  // RMS of a sine
  append(samples, Samples(3 * kSynthRate, 0.F));
  EXPECT_NEAR(active_level_db(samples), alone, 0.1);
  EXPECT_EQ(active_level_db({}), -120);
}

TEST(Signal, SoundingRangesFollowTheBursts) {
  Samples samples(kSynthRate / 2, 0.F);
  append(samples, tone(500, 0.3, 0.4));
  append(samples, Samples(kSynthRate / 5, 0.F));  // 0.2 s: joined
  append(samples, tone(500, 0.3, 0.4));
  append(samples, Samples(kSynthRate, 0.F));  // 1 s: separates
  append(samples, tone(500, 0.3, 0.3));
  const auto ranges = sounding_ranges(samples, 30, 0.35);
  ASSERT_EQ(ranges.size(), 2u);
  // Frames are 10 ms long.
  EXPECT_NEAR(static_cast<double>(ranges[0].from) / kSynthRate, 0.5, 0.011);
  EXPECT_NEAR(static_cast<double>(ranges[0].to) / kSynthRate, 1.3, 0.011);
  EXPECT_NEAR(static_cast<double>(ranges[1].from) / kSynthRate, 2.3, 0.011);
  EXPECT_TRUE(sounding_ranges(Samples(8000, 0.F), 30, 0.35).empty());
}

TEST(Signal, SpeedChangesLengthAndPitch) {
  const Samples slow = tone(400, 1, 0.5);
  const Samples fast = change_speed(slow, 1.25);
  EXPECT_EQ(fast.size(), slow.size() * 4 / 5);
  EXPECT_NEAR(zero_crossings(fast), 800, 3);  // 500 Hz for 0.8 s
  EXPECT_NEAR(rms(fast), rms(slow), 0.01);
}

TEST(Signal, FiltersKeepAndRemove) {
  for (const double hertz : {200.0, 4000.0}) {
    Samples low = tone(hertz, 0.5, 0.5), high = low;
    low_pass(low, 1000);
    high_pass(high, 1000);
    // Second order: 12 dB an octave, two octaves away.
    EXPECT_EQ(rms(low) > 0.3, hertz < 1000);
    EXPECT_EQ(rms(high) > 0.3, hertz > 1000);
    EXPECT_LT(std::min(rms(low), rms(high)), 0.04);
  }
  Samples shelf = tone(5000, 0.5, 0.1);
  high_shelf(shelf, 1000, 6);
  EXPECT_NEAR(to_db(rms(shelf)) - to_db(0.1 / std::sqrt(2)), 6, 0.3);
}

TEST(Signal, NoiseHasUnitLevelAndItsColour) {
  for (const NoiseColour colour : {NoiseColour::kWhite, NoiseColour::kPink, NoiseColour::kBrown}) {
    Random random(3);
    EXPECT_NEAR(rms(make_noise(colour, 32000, random)), 1, 1e-3);
  }
  Random a(3), b(3);
  const int white = zero_crossings(make_noise(NoiseColour::kWhite, 32000, a));
  const int brown = zero_crossings(make_noise(NoiseColour::kBrown, 32000, b));
  EXPECT_GT(white, 4 * brown);
}

}  // namespace
}  // namespace areason
