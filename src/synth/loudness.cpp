#include "synth/loudness.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

namespace areason {
namespace {

constexpr double kBlockSeconds = 0.4;
constexpr int kHopsPerBlock = 4;  // 75 % overlap
constexpr double kAbsoluteGate = -70, kRelativeGate = -10;
constexpr double kOffset = -0.691;  // of the standard's formula: a 997 Hz sine of full scale reads -3.01

struct Filter {
  double b0, b1, b2, a1, a2;
  double x1 = 0, x2 = 0, y1 = 0, y2 = 0;
  double operator()(double x) {
    const double y = b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2;
    x2 = x1, x1 = x, y2 = y1, y1 = y;
    return y;
  }
};

// The standard tabulates both filters at 48 kHz only. These are the analogue prototypes behind its tables, found by undoing the
// bilinear transform; at 48 kHz they give the tabulated coefficients back (loudness_test.cpp).
struct Prototype {
  double hertz, q;
};
constexpr Prototype kShelf = {1681.974450955533, 0.7071752369554196};
constexpr double kShelfDb = 3.999843853973347, kShelfSlope = 0.4996667741545416;
constexpr Prototype kHighPass = {38.13547087602444, 0.5003270373238773};

Filter shelf_filter(int rate) {
  const double k = std::tan(std::numbers::pi * kShelf.hertz / rate);
  const double high = std::pow(10, kShelfDb / 20), middle = std::pow(high, kShelfSlope);
  const double a0 = 1 + k / kShelf.q + k * k;
  return {(high + middle * k / kShelf.q + k * k) / a0, 2 * (k * k - high) / a0, (high - middle * k / kShelf.q + k * k) / a0,
          2 * (k * k - 1) / a0, (1 - k / kShelf.q + k * k) / a0};
}

Filter high_pass_filter(int rate) {
  const double k = std::tan(std::numbers::pi * kHighPass.hertz / rate);
  const double a0 = 1 + k / kHighPass.q + k * k;
  return {1, -2, 1, 2 * (k * k - 1) / a0, (1 - k / kHighPass.q + k * k) / a0};
}

double lufs_of(double power) { return power <= 1e-12 ? kSilenceLufs : kOffset + 10 * std::log10(power); }

// Energy of every hop (a quarter of a block) after K-weighting; a rest shorter than a hop is left out, as the standard's last
// incomplete block is.
std::vector<double> hop_energies(std::span<const float> samples, int rate, std::size_t hop) {
  Filter shelf = shelf_filter(rate), high = high_pass_filter(rate);
  std::vector<double> out;
  double sum = 0;
  std::size_t in_hop = 0;
  for (const float s : samples) {
    const double y = high(shelf(s));
    sum += y * y;
    if (++in_hop < hop) continue;
    out.push_back(sum);
    sum = 0;
    in_hop = 0;
  }
  return out;
}

double mean_above(const std::vector<double>& powers, double gate) {
  double sum = 0;
  int count = 0;
  for (const double p : powers) {
    if (lufs_of(p) <= gate) continue;
    sum += p;
    ++count;
  }
  return count == 0 ? 0 : sum / count;
}

}  // namespace

double integrated_loudness(std::span<const float> samples, int sample_rate) {
  if (samples.empty()) return kSilenceLufs;
  const auto block = std::min(samples.size(), static_cast<std::size_t>(std::lround(kBlockSeconds * sample_rate)));
  const std::size_t hop = std::max<std::size_t>(1, block / kHopsPerBlock);
  const std::vector<double> energies = hop_energies(samples, sample_rate, hop);
  std::vector<double> powers;
  for (std::size_t i = 0; i + kHopsPerBlock <= energies.size(); ++i) {
    double sum = 0;
    for (std::size_t k = 0; k < kHopsPerBlock; ++k) sum += energies[i + k];
    powers.push_back(sum / static_cast<double>(hop * kHopsPerBlock));
  }
  const double relative = lufs_of(mean_above(powers, kAbsoluteGate)) + kRelativeGate;
  return lufs_of(mean_above(powers, std::max(kAbsoluteGate, relative)));
}

}  // namespace areason
