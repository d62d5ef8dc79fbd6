// BS.1770 against the numbers that the standards print, and the rooms and layers that build on it.
#include "synth/loudness.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include "synth/layers.h"
#include "synth/room.h"

namespace areason {
namespace {

std::vector<float> sine(double hertz, double peak_db, double seconds, int rate) {
  std::vector<float> out(static_cast<std::size_t>(seconds * rate));
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] =
        static_cast<float>(std::pow(10, peak_db / 20) * std::sin(2 * std::numbers::pi * hertz * static_cast<double>(i) / rate));
  return out;
}

std::vector<float> joined(std::vector<float> a, const std::vector<float>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// ITU-R BS.1770-4, annex 1: a 997 Hz sine of full scale in one channel reads -3.01 LKFS.
TEST(Loudness, FullScaleSineAtEveryRate) {
  for (const int rate : {8000, 16000, 22050, 44100, 48000})
    EXPECT_NEAR(integrated_loudness(sine(997, 0, 5, rate), rate), -3.01, rate < 16000 ? 0.2 : 0.05) << rate;
}

// EBU Tech 3341 (2016), table 1, cases 1 to 4, for one channel instead of two: 3.01 LU less.
TEST(Loudness, GatesAsTheEbuTestSignalsWantIt) {
  constexpr int kRate = 48000;
  const auto tone = [](double db, double seconds) { return sine(1000, db, seconds, kRate); };
  EXPECT_NEAR(integrated_loudness(tone(-23, 20), kRate), -23 - 3.01, 0.1);
  EXPECT_NEAR(integrated_loudness(tone(-33, 20), kRate), -33 - 3.01, 0.1);
  const auto third = joined(joined(tone(-36, 10), tone(-23, 60)), tone(-36, 10));
  EXPECT_NEAR(integrated_loudness(third, kRate), -23 - 3.01, 0.1);
  const auto fourth = joined(joined(tone(-72, 10), third), tone(-72, 10));
  EXPECT_NEAR(integrated_loudness(fourth, kRate), -23 - 3.01, 0.1);
}

// The standard's tables 1 and 2 are the only coefficients that it prints (48 kHz). They show in the gain of a low, a middle and
// a high tone; the values below are the tables' own transfer functions, worked out apart.
TEST(Loudness, WeightsFrequenciesAsTheTables) {
  const double at_997 = integrated_loudness(sine(997, -20, 5, 48000), 48000);
  const auto gain = [](double hertz) {
    const double w = 2 * std::numbers::pi * hertz / 48000;
    const auto power = [&](double b0, double b1, double b2, double a1, double a2) {
      const std::complex<double> z = std::polar(1.0, -w);
      return std::norm((b0 + b1 * z + b2 * z * z) / (1.0 + a1 * z + a2 * z * z));
    };
    return 10 * std::log10(power(1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585) *
                           power(1.0, -2.0, 1.0, -1.99004745483398, 0.99007225036621));
  };
  for (const double hertz : {25.0, 100.0, 500.0, 2000.0, 10000.0})
    EXPECT_NEAR(integrated_loudness(sine(hertz, -20, 5, 48000), 48000) - at_997, gain(hertz) - gain(997), 0.05) << hertz;
}

TEST(Loudness, SilenceAndShortClips) {
  EXPECT_EQ(integrated_loudness({}, 16000), kSilenceLufs);
  EXPECT_EQ(integrated_loudness(std::vector<float>(16000, 0.F), 16000), kSilenceLufs);
  // 100 ms: one block as long as the clip.
  EXPECT_NEAR(integrated_loudness(sine(997, -20, 0.1, 16000), 16000), -23.0, 0.5);
  EXPECT_EQ(integrated_loudness(sine(997, -80, 5, 16000), 16000), kSilenceLufs);
}

TEST(Room, EchoesFadeAndKeepTheirLevel) {
  Samples click(2 * kSynthRate, 0.F);
  for (int i = 0; i < 160; ++i) click[static_cast<std::size_t>(i)] = 0.5F;
  Samples wet = click;
  add_room(wet, {0.3, -12, 1});
  ASSERT_EQ(wet.size(), click.size());
  Samples echoes = wet;
  for (std::size_t i = 0; i < echoes.size(); ++i) echoes[i] -= click[i];
  EXPECT_NEAR(to_db(rms(echoes)) - to_db(rms(click)), -12, 0.1);
  const std::span<const float> all(echoes);
  const double early = to_db(rms(all.subspan(800, 1600))), late = to_db(rms(all.subspan(800 + 4800, 1600)));
  EXPECT_LT(late, early - 30);  // RT60 of 0.3 s: 60 dB in theory; the low-pass in the loops only adds to it
  Samples silent(100, 0.F);
  add_room(silent, {});
  EXPECT_EQ(silent, Samples(100, 0.F));
}

TEST(Layers, LevelsOfTheTruthAreThoseOfTheSound) {
  Random random(1);
  LayerMix mix;
  for (int i = 0; i < 2; ++i) {
    Layer layer;
    layer.event.label = i == 0 ? "low" : "high";
    layer.event.kind = i == 0 ? EventKind::kBackground : EventKind::kSound;
    layer.samples = sine(i == 0 ? 300 : 1500, -6, i == 0 ? 8 : 2, kSynthRate);
    layer.at = i == 0 ? 0 : 3;
    layer.lufs = i == 0 ? -30 : -20;
    mix.layers.push_back(std::move(layer));
  }
  mix.lufs = -21;
  mix.noise_below_lu = 50;
  Scene scene;
  mix_layers(std::move(mix), scene, random);
  fill_in_snr(scene);
  ASSERT_EQ(scene.events.size(), 2u);
  EXPECT_NEAR(integrated_loudness(scene.audio.samples, kSynthRate), -21, 0.2);
  EXPECT_NEAR(scene.staging->lufs, -21, 0.2);
  EXPECT_NEAR(*scene.events[1].detail->snr_db, 10, 0.2);
  EXPECT_FALSE(scene.events[0].detail->snr_db);
  EXPECT_NEAR(scene.events[1].from, 3, 0.02);
  EXPECT_NEAR(scene.events[1].to, 5, 0.05);
  // What is heard where only the track sounds is as loud as the truth says.
  const std::span<const float> all(scene.audio.samples);
  EXPECT_NEAR(integrated_loudness(all.subspan(6 * kSynthRate, kSynthRate), kSynthRate), scene.events[0].detail->lufs, 0.3);
}

TEST(Layers, PeaksDoNotClip) {
  Random random(1);
  LayerMix mix;
  Layer layer;
  layer.samples = Samples(kSynthRate, 0.F);
  for (std::size_t i = 0; i < layer.samples.size(); i += 1600) layer.samples[i] = 1;  // clicks: quiet, but with high peaks
  mix.layers.push_back(std::move(layer));
  mix.lufs = -10;
  Scene scene;
  mix_layers(std::move(mix), scene, random);
  for (const float s : scene.audio.samples) ASSERT_LE(std::abs(s), 0.98F);
  EXPECT_LT(scene.staging->lufs, -10);
}

}  // namespace
}  // namespace areason
