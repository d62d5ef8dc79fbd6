#include "synth/mix.h"

#include <algorithm>
#include <cmath>

namespace areason {
namespace {

constexpr double kScenePeak = 0.97;
constexpr double kMinimumSeconds = 1.5;

}  // namespace

Mix::Mix(const std::string& id, SceneType type, const std::string& split, Random& random) : random_(random) {
  scene_.id = id;
  scene_.type = type;
  scene_.split = split;
  level_db_ = random.uniform(-28, -18);
  // Half of the clips have the bandwidth of the poorest packages (8 to 11 kHz sampling).
  low_pass_hz_ = random.chance(0.55) ? random.uniform(3400, 6000) : 0;
  high_pass_hz_ = random.chance(0.4) ? random.uniform(50, 220) : 0;
  tilt_db_ = random.uniform(-4, 4);
  floor_below_db_ = random.uniform(34, 52);
}

double Mix::place(Event event, Samples samples, double at, double level_offset_db) {
  if (low_pass_hz_ > 0) {
    low_pass(samples, low_pass_hz_);
    low_pass(samples, low_pass_hz_);
  }
  if (high_pass_hz_ > 0) high_pass(samples, high_pass_hz_);
  high_shelf(samples, 1500, tilt_db_);
  const double wanted = level_db_ + level_offset_db;
  const double now = active_level_db(samples);
  if (now > -110) scale(samples, from_db(wanted - now));
  // A click of huge crest factor would push the whole clip down: limit it softly.
  for (float& s : samples) {
    if (std::abs(s) > 0.9F) s = std::copysign(0.9F + 0.1F * std::tanh((std::abs(s) - 0.9F) / 0.1F), s);
  }
  const SampleRange heard = trimmed_range(samples, 35);
  const auto start = static_cast<std::size_t>(at * kSynthRate);
  event.from = static_cast<double>(start + heard.from) / kSynthRate;
  event.to = static_cast<double>(start + heard.to) / kSynthRate;
  event.level_db = active_level_db(samples);
  const double end = event.to;
  scene_.events.push_back(std::move(event));
  placed_.push_back({std::move(samples), start});
  return end;
}

void Mix::add_source(const SourceRef& source) {
  for (const SourceRef& known : scene_.sources) {
    if (known.id == source.id) return;
  }
  scene_.sources.push_back(source);
}

void Mix::set_background(NoiseColour colour, double below_db) {
  has_background_ = true;
  background_ = colour;
  background_below_db_ = below_db;
}

void Mix::maybe_background(double probability) {
  if (!random_.chance(probability)) return;
  const NoiseColour colour = random_.chance(0.5) ? NoiseColour::kPink : NoiseColour::kBrown;
  set_background(colour, random_.uniform(16, 30));
}

double Mix::end() const {
  double end = 0;
  for (const Event& event : scene_.events) end = std::max(end, event.to);
  return end;
}

Scene Mix::finish(double tail_seconds) {
  const double seconds = std::max(kMinimumSeconds, end() + tail_seconds);
  const auto count = static_cast<std::size_t>(seconds * kSynthRate);
  Samples mix = make_noise(NoiseColour::kWhite, count, random_);
  scale(mix, from_db(level_db_ - floor_below_db_));
  if (has_background_) {
    Samples noise = make_noise(background_, count, random_);
    if (low_pass_hz_ > 0) low_pass(noise, low_pass_hz_);
    const double level = level_db_ - background_below_db_;
    const double now = to_db(rms(noise));
    for (std::size_t i = 0; i < count; ++i) mix[i] += static_cast<float>(noise[i] * from_db(level - now));
    Event event;
    event.kind = EventKind::kBackground;
    event.label = "background noise";
    event.to = static_cast<double>(count) / kSynthRate;
    event.level_db = level;
    event.recording = background_ == NoiseColour::kPink ? "generated:pink noise" : "generated:brown noise";
    scene_.events.push_back(std::move(event));
  }
  float peak = 0;
  for (const Placed& placed : placed_) {
    const std::size_t n = placed.at >= count ? 0 : std::min(placed.samples.size(), count - placed.at);
    for (std::size_t i = 0; i < n; ++i) mix[placed.at + i] += placed.samples[i];
  }
  for (const float s : mix) peak = std::max(peak, std::abs(s));
  if (peak > kScenePeak) {
    const double gain = kScenePeak / peak;
    scale(mix, gain);
    for (Event& event : scene_.events) event.level_db += to_db(gain);
  }
  std::stable_sort(scene_.events.begin(), scene_.events.end(), [](const Event& a, const Event& b) { return a.from < b.from; });
  scene_.audio.samples = std::move(mix);
  scene_.audio.sample_rate = kSynthRate;
  scene_.seconds = scene_.audio.seconds();
  return std::move(scene_);
}

}  // namespace areason
