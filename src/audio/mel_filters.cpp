#include "audio/mel_filters.h"

#include <algorithm>
#include <cmath>

namespace areason {
namespace {

// Slaney's Auditory Toolbox scale: linear up to 1 kHz (15 mels), then 27 mels for each factor of 6.4.
constexpr double kLinearHz = 200.0 / 3.0;
constexpr double kBreakHz = 1000.0;
constexpr double kBreakMel = 15.0;
double log_step() { return 27.0 / std::log(6.4); }

double hertz_to_mel(double hz) { return hz < kBreakHz ? hz / kLinearHz : kBreakMel + std::log(hz / kBreakHz) * log_step(); }

double mel_to_hertz(double mel) {
  return mel < kBreakMel ? mel * kLinearHz : kBreakHz * std::exp((mel - kBreakMel) / log_step());
}

}  // namespace

std::vector<MelFilter> slaney_mel_filters(int bins, int n_fft, int sample_rate) {
  const int spectrum = n_fft / 2 + 1;
  const double top = hertz_to_mel(sample_rate / 2.0);
  std::vector<double> edges(static_cast<std::size_t>(bins) + 2);
  for (std::size_t i = 0; i < edges.size(); ++i) edges[i] = mel_to_hertz(top * static_cast<double>(i) / (bins + 1));
  const double bin_hz = (sample_rate / 2.0) / (spectrum - 1);  // numpy's linspace(0, rate // 2, spectrum)
  std::vector<MelFilter> filters(static_cast<std::size_t>(bins));
  for (std::size_t m = 0; m < filters.size(); ++m) {
    const double low = edges[m];
    const double mid = edges[m + 1];
    const double high = edges[m + 2];
    const double area = 2.0 / (high - low);  // every triangle has the same energy
    for (int k = 0; k < spectrum; ++k) {
      const double hz = k * bin_hz;
      const double weight = std::min((hz - low) / (mid - low), (high - hz) / (high - mid));
      if (weight <= 0) continue;
      if (filters[m].weights.empty()) filters[m].first = k;
      filters[m].weights.push_back(static_cast<float>(weight * area));
    }
  }
  return filters;
}

}  // namespace areason
