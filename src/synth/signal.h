#pragma once
// Small signal tools of the scene makers: levels, silence, filters, speed, noise. All work on mono samples at 16 kHz
// (kSynthRate). Called inside src/synth only. Levels are RMS in dB relative to full scale (1.0). Thread rule: free functions.
#include <cstddef>
#include <span>
#include <vector>

#include "base/random.h"

namespace areason {

inline constexpr int kSynthRate = 16000;
inline constexpr std::size_t kLongestRecording = 30 * kSynthRate;  // samples; the rest of a longer file is not used

using Samples = std::vector<float>;

inline double seconds_of(const Samples& samples) { return static_cast<double>(samples.size()) / kSynthRate; }

double rms(std::span<const float> samples);
double to_db(double amplitude);  // -120 for silence
double from_db(double db);
// RMS of the frames (20 ms) within 25 dB of the loudest one: how loud the sound is while it sounds.
double active_level_db(std::span<const float> samples);

struct SampleRange {
  std::size_t from = 0, to = 0;
  std::size_t size() const { return to - from; }
};

// The stretches that sound: frames (10 ms) louder than the loudest minus `depth_db`, joined over pauses of at most
// `gap_seconds`.
std::vector<SampleRange> sounding_ranges(std::span<const float> samples, double depth_db, double gap_seconds);
// From the first to the last sounding frame.
SampleRange trimmed_range(std::span<const float> samples, double depth_db);

// Second-order filters (R. Bristow-Johnson's audio EQ cookbook, Q = 0.707).
void low_pass(Samples& samples, double hertz);
void high_pass(Samples& samples, double hertz);
// A shelf that raises (or lowers) everything above `hertz` by `db`.
void high_shelf(Samples& samples, double hertz, double db);
// Plays faster (factor > 1) and higher, as a tape does.
Samples change_speed(std::span<const float> samples, double factor);
void fade(Samples& samples, double in_seconds, double out_seconds);
void scale(Samples& samples, double gain);

enum class NoiseColour { kWhite, kPink, kBrown };
// RMS 1.
Samples make_noise(NoiseColour colour, std::size_t count, Random& random);

}  // namespace areason
