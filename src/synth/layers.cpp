#include "synth/layers.h"

#include <algorithm>
#include <cmath>

#include "synth/loudness.h"
#include "synth/room.h"

namespace areason {
namespace {

constexpr float kMixPeak = 0.97F;
constexpr double kHeardDepth = 35;  // dB under its loudest frame an event counts as sounding

float peak_of(const Samples& samples) {
  float peak = 0;
  for (const float s : samples) peak = std::max(peak, std::abs(s));
  return peak;
}

// Scales, fades, and fills in what is known of the event. A click of huge crest factor is limited softly.
void prepare(Layer& layer) {
  const double now = integrated_loudness(layer.samples, kSynthRate);
  if (now > kSilenceLufs) scale(layer.samples, from_db(layer.lufs - now));
  for (float& s : layer.samples) {
    if (std::abs(s) > 0.9F) s = std::copysign(0.9F + 0.1F * std::tanh((std::abs(s) - 0.9F) / 0.1F), s);
  }
  fade(layer.samples, layer.fade_in, layer.fade_out);
  const SampleRange heard = trimmed_range(layer.samples, kHeardDepth);
  Event& e = layer.event;
  e.from = layer.at + static_cast<double>(heard.from) / kSynthRate;
  e.to = layer.at + static_cast<double>(heard.to) / kSynthRate;
  e.level_db = active_level_db(layer.samples);
  if (!e.detail) e.detail.emplace();
  e.detail->lufs = integrated_loudness(layer.samples, kSynthRate);
  e.detail->fade_in = layer.fade_in;
  e.detail->fade_out = layer.fade_out;
}

Samples sum_of(const std::vector<Layer>& layers, double seconds) {
  Samples out(static_cast<std::size_t>(seconds * kSynthRate), 0.F);
  for (const Layer& layer : layers) {
    const auto at = static_cast<std::size_t>(layer.at * kSynthRate);
    const std::size_t n = at >= out.size() ? 0 : std::min(layer.samples.size(), out.size() - at);
    for (std::size_t i = 0; i < n; ++i) out[at + i] += layer.samples[i];
  }
  return out;
}

double power_of(double lufs) { return std::pow(10, lufs / 10); }

}  // namespace

void mix_layers(LayerMix mix, Scene& scene, Random& random) {
  double end = 0;
  for (Layer& layer : mix.layers) {
    prepare(layer);
    end = std::max(end, layer.at + static_cast<double>(layer.samples.size()) / kSynthRate);
  }
  Samples out = sum_of(mix.layers, end + mix.tail_seconds);
  if (mix.decay_seconds > 0) add_room(out, {mix.decay_seconds, mix.wet_db, mix.room_size});
  const double loud = integrated_loudness(out, kSynthRate);
  Samples noise = make_noise(mix.noise, out.size(), random);
  scale(noise, from_db(loud - mix.noise_below_lu - integrated_loudness(noise, kSynthRate)));
  for (std::size_t i = 0; i < out.size(); ++i) out[i] += noise[i];
  const double wanted = from_db(mix.lufs - loud), most = kMixPeak / std::max(1e-6F, peak_of(out));
  const double gain = std::min(wanted, most);
  scale(out, gain);
  for (Layer& layer : mix.layers) {
    layer.event.level_db += to_db(gain);
    layer.event.detail->lufs += to_db(gain);
    scene.events.push_back(std::move(layer.event));
  }
  std::stable_sort(scene.events.begin(), scene.events.end(), [](const Event& a, const Event& b) { return a.from < b.from; });
  scene.audio = {std::move(out), kSynthRate};
  scene.seconds = scene.audio.seconds();
  if (!scene.staging) scene.staging.emplace();
  scene.staging->lufs = integrated_loudness(scene.audio.samples, kSynthRate);
  scene.staging->decay_seconds = mix.decay_seconds;
}

void fill_in_snr(Scene& scene) {
  double beneath = 0;
  for (const Event& e : scene.events) {
    if (e.kind == EventKind::kBackground && e.detail) beneath += power_of(e.detail->lufs);
  }
  if (beneath <= 0) return;
  for (Event& e : scene.events) {
    if (e.kind != EventKind::kBackground && e.detail) e.detail->snr_db = e.detail->lufs - 10 * std::log10(beneath);
  }
}

void mix_alone(Layer layer, Scene& scene, Random& random) {
  layer.at = random.uniform(0.15, 0.6);
  LayerMix mix;
  mix.layers.push_back(std::move(layer));
  mix.lufs = random.uniform(-27, -18);
  mix.noise_below_lu = random.uniform(30, 50);
  mix_layers(std::move(mix), scene, random);
}

}  // namespace areason
