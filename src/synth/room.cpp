#include "synth/room.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace areason {
namespace {

// Seconds; without common divisors, so that the echoes do not fall on each other.
constexpr std::array<double, 6> kCombs = {0.02531, 0.02691, 0.02896, 0.03107, 0.03374, 0.03669};
constexpr std::array<double, 2> kAllPasses = {0.00507, 0.01261};
constexpr double kAllPassGain = 0.7, kDamping = 0.25, kFirstEcho = 0.008;

std::size_t frames(double seconds) { return std::max<std::size_t>(1, static_cast<std::size_t>(seconds * kSynthRate)); }

// Adds the comb's answer to `in` into `out`.
void comb(const Samples& in, Samples& out, double delay, double gain) {
  Samples line(frames(delay), 0.F);
  const auto feedback = static_cast<float>(gain), damping = static_cast<float>(kDamping);
  float low = 0;
  std::size_t at = 0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const float echo = line[at];
    low = echo + damping * (low - echo);
    line[at] = in[i] + feedback * low;
    out[i] += echo;
    if (++at == line.size()) at = 0;
  }
}

void all_pass(Samples& samples, double delay) {
  Samples line(frames(delay), 0.F);
  const auto gain = static_cast<float>(kAllPassGain);
  std::size_t at = 0;
  for (float& s : samples) {
    const float delayed = line[at];
    const float in = s + gain * delayed;
    s = delayed - gain * in;
    line[at] = in;
    if (++at == line.size()) at = 0;
  }
}

}  // namespace

void add_room(Samples& samples, const Room& room) {
  const double dry = rms(samples);
  if (dry <= 0 || room.decay_seconds <= 0) return;
  const std::size_t first = std::min(samples.size(), frames(kFirstEcho * room.size));
  Samples delayed(samples.size(), 0.F), wet(samples.size(), 0.F);
  std::copy(samples.begin(), samples.end() - static_cast<std::ptrdiff_t>(first),
            delayed.begin() + static_cast<std::ptrdiff_t>(first));
  for (const double c : kCombs) {
    const double delay = c * room.size;
    comb(delayed, wet, delay, std::pow(10.0, -3 * delay / room.decay_seconds));
  }
  for (const double a : kAllPasses) all_pass(wet, a * room.size);
  const double now = rms(wet);
  if (now <= 0) return;
  const auto gain = static_cast<float>(dry * from_db(room.wet_db) / now);
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] += gain * wet[i];
}

}  // namespace areason
