#include "synth/audit.h"

#include <fmt/format.h>
#include <kiss_fftr.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <memory>

#include "synth/mix.h"
#include "synth/sound_scenes.h"

namespace areason {
namespace {

constexpr int kFft = 1024;
constexpr int kClipsPerRecording = 3;

using Point = std::array<double, 2>;  // log2 of the roll-off, level in dB

Point measure(std::span<const float> samples) {
  return {std::log2(std::max(1.0, roll_off_hz(samples, 0.95))), active_level_db(samples)};
}

struct Sample {
  std::size_t label;
  bool unseen;
  Point point;
};

double nearest_centroid_accuracy(std::vector<Sample> samples, std::size_t classes) {
  // Both axes to unit variance.
  for (std::size_t axis = 0; axis < 2; ++axis) {
    double mean = 0, square = 0;
    for (const Sample& s : samples) mean += s.point[axis] / static_cast<double>(samples.size());
    for (const Sample& s : samples) square += std::pow(s.point[axis] - mean, 2) / static_cast<double>(samples.size());
    for (Sample& s : samples) s.point[axis] = (s.point[axis] - mean) / std::sqrt(square + 1e-12);
  }
  std::vector<Point> centroids(classes, Point{0, 0});
  std::vector<int> counts(classes, 0);
  for (const Sample& s : samples) counts[s.label] += !s.unseen;
  for (const Sample& s : samples) {
    if (s.unseen) continue;
    for (std::size_t axis = 0; axis < 2; ++axis) centroids[s.label][axis] += s.point[axis] / counts[s.label];
  }
  int right = 0, tested = 0;
  for (const Sample& s : samples) {
    if (!s.unseen) continue;
    std::size_t best = 0;
    double nearest = std::numeric_limits<double>::max();
    for (std::size_t c = 0; c < classes; ++c) {
      const double distance = std::hypot(s.point[0] - centroids[c][0], s.point[1] - centroids[c][1]);
      if (counts[c] > 0 && distance < nearest) nearest = distance, best = c;
    }
    right += best == s.label;
    ++tested;
  }
  return tested ? static_cast<double>(right) / tested : 0;
}

std::string class_line(const SoundLibrary& library, const InstalledClass& installed) {
  std::map<std::string, std::vector<Point>> by_package;
  double seconds = 0;
  for (const bool side : {false, true}) {
    for (const std::size_t r : installed.side(side)) {
      by_package[library.recordings()[r].package->abbreviation].push_back(measure(library.samples(r)));
      seconds += static_cast<double>(library.samples(r).size()) / kSynthRate;
    }
  }
  std::string line = fmt::format("{:18} {:2} + {:2} unseen, {:5.1f} s:", installed.definition->name, installed.known.size(),
                                 installed.unseen.size(), seconds);
  for (auto& [package, points] : by_package) {
    std::sort(points.begin(), points.end());
    const Point& middle = points[points.size() / 2];
    line += fmt::format("  {} {:.0f} Hz {:.0f} dB", package, std::exp2(middle[0]), middle[1]);
  }
  return line + "\n";
}

}  // namespace

double roll_off_hz(std::span<const float> samples, double share) {
  const std::unique_ptr<kiss_fftr_state, void (*)(void*)> plan(kiss_fftr_alloc(kFft, 0, nullptr, nullptr),
                                                               [](void* p) { kiss_fftr_free(p); });
  std::vector<double> power(kFft / 2 + 1, 0);
  std::vector<kiss_fft_scalar> frame(kFft);
  std::vector<kiss_fft_cpx> bins(kFft / 2 + 1);
  for (std::size_t at = 0; at == 0 || at + kFft <= samples.size(); at += kFft / 2) {
    for (std::size_t i = 0; i < kFft; ++i) {
      const double window = 0.5 - 0.5 * std::cos(2 * 3.14159265358979 * static_cast<double>(i) / kFft);
      frame[i] = at + i < samples.size() ? static_cast<float>(samples[at + i] * window) : 0.F;
    }
    kiss_fftr(plan.get(), frame.data(), bins.data());
    for (std::size_t i = 0; i < bins.size(); ++i) power[i] += bins[i].r * bins[i].r + bins[i].i * bins[i].i;
  }
  double total = 0, sum = 0;
  for (const double p : power) total += p;
  for (std::size_t i = 0; i < power.size(); ++i) {
    sum += power[i];
    if (sum >= share * total) return static_cast<double>(i) * kSynthRate / kFft;
  }
  return kSynthRate / 2.0;
}

SoundAudit audit_sounds(const SoundLibrary& library) {
  SoundAudit audit;
  std::vector<Sample> packaged, clips;
  for (std::size_t c = 0; c < library.classes().size(); ++c) {
    const InstalledClass& installed = library.classes()[c];
    audit.table += class_line(library, installed);
    for (const bool unseen : {false, true}) {
      for (const std::size_t r : installed.side(unseen)) {
        packaged.push_back({c, unseen, measure(library.samples(r))});
        for (int k = 0; k < kClipsPerRecording; ++k) {
          Random random = Random::for_item(static_cast<std::uint64_t>(k), "audit " + library.recordings()[r].id);
          Mix mix("audit", SceneType::kSound, unseen ? "test-unseen" : "train", random);
          place_sound(mix, library, {&installed, r}, {0, 3, 0}, random);
          clips.push_back({c, unseen, measure(mix.finish(0).audio.samples)});
        }
      }
    }
  }
  audit.accuracy_as_packaged = nearest_centroid_accuracy(std::move(packaged), library.classes().size());
  audit.accuracy_as_clips = nearest_centroid_accuracy(std::move(clips), library.classes().size());
  audit.chance = 1.0 / static_cast<double>(library.classes().size());
  return audit;
}

}  // namespace areason
