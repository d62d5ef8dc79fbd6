#include "synth/signal.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace areason {
namespace {

constexpr double kPi = std::numbers::pi;

struct Biquad {
  double b0, b1, b2, a1, a2;  // a0 = 1
};

void run_filter(Samples& samples, const Biquad& f) {
  double x1 = 0, x2 = 0, y1 = 0, y2 = 0;
  for (float& s : samples) {
    const double x = s;
    const double y = f.b0 * x + f.b1 * x1 + f.b2 * x2 - f.a1 * y1 - f.a2 * y2;
    x2 = x1, x1 = x, y2 = y1, y1 = y;
    s = static_cast<float>(y);
  }
}

struct Angle {
  double cosine, alpha;
};

Angle angle_of(double hertz) {
  const double w = 2 * kPi * std::min(hertz, 0.49 * kSynthRate) / kSynthRate;
  return {std::cos(w), std::sin(w) / (2 * 0.7071)};
}

std::vector<double> frame_levels(std::span<const float> samples, std::size_t frame) {
  std::vector<double> levels;
  for (std::size_t at = 0; at < samples.size(); at += frame) {
    levels.push_back(rms(samples.subspan(at, std::min(frame, samples.size() - at))));
  }
  return levels;
}

// Windowed sinc, 16 taps, 256 phases.
constexpr int kTaps = 16, kPhases = 256;

std::array<float, static_cast<std::size_t>(kTaps) * (kPhases + 1)> make_sinc_table() {
  std::array<float, static_cast<std::size_t>(kTaps) * (kPhases + 1)> table{};
  for (int phase = 0; phase <= kPhases; ++phase) {
    for (int tap = 0; tap < kTaps; ++tap) {
      const double t = tap - (kTaps / 2 - 1) - static_cast<double>(phase) / kPhases;
      const double window = 0.5 + 0.5 * std::cos(kPi * t / (kTaps / 2));
      const double value = t == 0 ? 1.0 : std::sin(kPi * t) / (kPi * t) * std::max(0.0, window);
      table[static_cast<std::size_t>(phase * kTaps + tap)] = static_cast<float>(value);
    }
  }
  return table;
}

}  // namespace

double rms(std::span<const float> samples) {
  if (samples.empty()) return 0;
  double sum = 0;
  for (const float s : samples) sum += static_cast<double>(s) * s;
  return std::sqrt(sum / static_cast<double>(samples.size()));
}

double to_db(double amplitude) { return amplitude <= 1e-6 ? -120 : 20 * std::log10(amplitude); }
double from_db(double db) { return std::pow(10.0, db / 20); }

double active_level_db(std::span<const float> samples) {
  const std::vector<double> levels = frame_levels(samples, kSynthRate / 50);
  if (levels.empty()) return -120;
  const double floor = *std::max_element(levels.begin(), levels.end()) * from_db(-25);
  double sum = 0;
  int count = 0;
  for (const double level : levels) {
    if (level < floor) continue;
    sum += level * level;
    ++count;
  }
  return count ? to_db(std::sqrt(sum / count)) : -120;
}

std::vector<SampleRange> sounding_ranges(std::span<const float> samples, double depth_db, double gap_seconds) {
  constexpr std::size_t kFrame = kSynthRate / 100;
  const std::vector<double> levels = frame_levels(samples, kFrame);
  std::vector<SampleRange> ranges;
  if (levels.empty()) return ranges;
  const double peak = *std::max_element(levels.begin(), levels.end());
  if (peak < 1e-6) return ranges;
  const double floor = peak * from_db(-depth_db);
  const auto gap = static_cast<std::size_t>(gap_seconds * kSynthRate);
  for (std::size_t i = 0; i < levels.size(); ++i) {
    if (levels[i] < floor) continue;
    const std::size_t from = i * kFrame, to = std::min((i + 1) * kFrame, samples.size());
    if (!ranges.empty() && from - ranges.back().to <= gap) {
      ranges.back().to = to;
    } else {
      ranges.push_back({from, to});
    }
  }
  return ranges;
}

SampleRange trimmed_range(std::span<const float> samples, double depth_db) {
  const std::vector<SampleRange> ranges = sounding_ranges(samples, depth_db, 1e6);
  return ranges.empty() ? SampleRange{} : ranges.front();
}

void low_pass(Samples& samples, double hertz) {
  const auto [c, alpha] = angle_of(hertz);
  const double a0 = 1 + alpha;
  run_filter(samples, {(1 - c) / 2 / a0, (1 - c) / a0, (1 - c) / 2 / a0, -2 * c / a0, (1 - alpha) / a0});
}

void high_pass(Samples& samples, double hertz) {
  const auto [c, alpha] = angle_of(hertz);
  const double a0 = 1 + alpha;
  run_filter(samples, {(1 + c) / 2 / a0, -(1 + c) / a0, (1 + c) / 2 / a0, -2 * c / a0, (1 - alpha) / a0});
}

void high_shelf(Samples& samples, double hertz, double db) {
  const auto [c, alpha] = angle_of(hertz);
  const double a = std::pow(10.0, db / 40), root = 2 * std::sqrt(a) * alpha;
  const double a0 = (a + 1) - (a - 1) * c + root;
  run_filter(samples,
             {a * ((a + 1) + (a - 1) * c + root) / a0, -2 * a * ((a - 1) + (a + 1) * c) / a0,
              a * ((a + 1) + (a - 1) * c - root) / a0, 2 * ((a - 1) - (a + 1) * c) / a0, ((a + 1) - (a - 1) * c - root) / a0});
}

Samples change_speed(std::span<const float> samples, double factor) {
  static const auto table = make_sinc_table();
  const auto count = static_cast<std::size_t>(static_cast<double>(samples.size()) / factor);
  Samples result(count);
  const auto size = static_cast<std::ptrdiff_t>(samples.size());
  for (std::size_t i = 0; i < count; ++i) {
    const double at = static_cast<double>(i) * factor;
    const auto whole = static_cast<std::ptrdiff_t>(at);
    const auto phase = static_cast<std::size_t>((at - static_cast<double>(whole)) * kPhases + 0.5);
    const float* taps = &table[phase * kTaps];
    const std::ptrdiff_t first = whole - (kTaps / 2 - 1);
    float sum = 0;
    for (std::ptrdiff_t k = 0; k < kTaps; ++k) {
      const std::ptrdiff_t index = first + k;
      if (index >= 0 && index < size) sum += taps[k] * samples[static_cast<std::size_t>(index)];
    }
    result[i] = sum;
  }
  return result;
}

void fade(Samples& samples, double in_seconds, double out_seconds) {
  const std::size_t in = std::min(samples.size() / 2, static_cast<std::size_t>(in_seconds * kSynthRate));
  const std::size_t out = std::min(samples.size() / 2, static_cast<std::size_t>(out_seconds * kSynthRate));
  for (std::size_t i = 0; i < in; ++i) samples[i] *= static_cast<float>(i) / static_cast<float>(in);
  for (std::size_t i = 0; i < out; ++i) samples[samples.size() - 1 - i] *= static_cast<float>(i) / static_cast<float>(out);
}

void scale(Samples& samples, double gain) {
  for (float& s : samples) s = static_cast<float>(s * gain);
}

Samples make_noise(NoiseColour colour, std::size_t count, Random& random) {
  Samples noise(count);
  // Pink: P. Kellet's three-pole filter of white noise (musicdsp.org #76, "economy"). Brown: a leaky integral.
  double p0 = 0, p1 = 0, p2 = 0, sum = 0;
  for (float& s : noise) {
    const double white = 2 * random.uniform() - 1;
    if (colour == NoiseColour::kWhite) {
      s = static_cast<float>(white);
    } else if (colour == NoiseColour::kPink) {
      p0 = 0.99765 * p0 + white * 0.0990460;
      p1 = 0.96300 * p1 + white * 0.2965164;
      p2 = 0.57000 * p2 + white * 1.0526913;
      s = static_cast<float>(p0 + p1 + p2 + white * 0.1848);
    } else {
      sum = 0.995 * sum + white;
      s = static_cast<float>(sum);
    }
  }
  const double level = rms(noise);
  if (level > 0) scale(noise, 1 / level);
  return noise;
}

}  // namespace areason
