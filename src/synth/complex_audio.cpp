#include "synth/complex_audio.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "synth/layers.h"
#include "synth/sound_scenes.h"

namespace areason {
namespace {

constexpr double kLeastSustained = 1.2;  // seconds
constexpr double kCrossFade = 0.25;
constexpr std::size_t kFewestLabels = 6;  // a question has four options, some of which are heard

Event sound_event(const PoolSound& sound, EventKind kind) {
  Event event;
  event.kind = kind;
  event.label = sound.label;
  event.recording = sound.source.id;
  return event;
}

// Which label sounds at each place: all different, or one of them again and again so that counting means something.
std::vector<std::size_t> places(std::size_t labels, std::size_t count, Random& random) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < count; ++i)
    out.push_back(i < labels ? i : random.chance(0.7) ? 0 : random.below(static_cast<std::uint32_t>(labels)));
  random.shuffle(out);
  return out;
}

}  // namespace

bool is_sustained(const Samples& samples) {
  if (seconds_of(samples) < kLeastSustained) return false;
  std::size_t sounding = 0;
  for (const SampleRange& range : sounding_ranges(samples, 20, 0.1)) sounding += range.size();
  return static_cast<double>(sounding) > 0.9 * static_cast<double>(samples.size());
}

Samples sustained_track(const Samples& samples, double seconds, Random& random) {
  const auto wanted = static_cast<std::size_t>(seconds * kSynthRate);
  const auto cross = std::min(samples.size() / 3, static_cast<std::size_t>(kCrossFade * kSynthRate));
  const std::size_t room = samples.size() > wanted ? samples.size() - wanted : 0;
  std::size_t from = random.below(static_cast<std::uint32_t>(room + 1));
  Samples out(samples.begin() + static_cast<std::ptrdiff_t>(from), samples.end());
  while (out.size() < wanted) {
    const std::size_t start = out.size() - cross;
    for (std::size_t i = 0; i < cross; ++i) {
      // Constant power: the two ends are not alike.
      const double x = static_cast<double>(i) / static_cast<double>(cross) * 1.5707963;
      out[start + i] = static_cast<float>(out[start + i] * std::cos(x) + samples[i] * std::sin(x));
    }
    out.insert(out.end(), samples.begin() + static_cast<std::ptrdiff_t>(cross), samples.end());
  }
  out.resize(wanted);
  return out;
}

ComplexAudio::ComplexAudio(const SoundPool& pool, const ComplexAudioOptions& options) : pool_(pool), options_(options) {}

Scene ComplexAudio::make(const std::string& clip_id, const std::string& split) const {
  const bool unseen = split == "test-unseen";
  if (pool_.labels(unseen).size() < kFewestLabels) {
    throw Error(ErrorCode::kInput,
                "the sounds of split " + split + " have " + std::to_string(pool_.labels(unseen).size()) +
                    " labels, Complex Audio needs at least " + std::to_string(kFewestLabels),
                "give more labelled sounds");
  }
  Random random = Random::for_item(options_.seed, "complex/" + split + "/" + clip_id);
  Scene scene;
  scene.id = clip_id;
  scene.type = SceneType::kSound;
  scene.split = split;
  scene.staging = Staging{"complex_audio", "", 0, 0};
  random.chance(options_.composite_share) ? composite(scene, random) : temporal(scene, random);
  return scene;
}

std::string ComplexAudio::label_but(const std::vector<std::string>& avoid, bool unseen, Random& random) const {
  for (;;) {
    const std::string& label = random.pick(pool_.labels(unseen));
    if (std::find(avoid.begin(), avoid.end(), label) == avoid.end()) return label;
  }
}

void ComplexAudio::temporal(Scene& scene, Random& random) const {
  scene.staging->form = "temporal";
  const bool unseen = scene.split == "test-unseen";
  const auto count = static_cast<std::size_t>(random.between(3, 6));
  const bool repeats = random.chance(0.5);
  const auto distinct = repeats ? static_cast<std::size_t>(random.between(2, static_cast<int>(count) - 1)) : count;
  std::vector<std::string> labels;
  while (labels.size() < std::min(distinct, kFewestLabels)) labels.push_back(label_but(labels, unseen, random));
  std::vector<std::size_t> recordings;
  for (const std::string& label : labels) recordings.push_back(pool_.pick(label, unseen, random));

  LayerMix mix;
  double at = random.uniform(0.1, 0.5);
  std::size_t last = labels.size();
  for (const std::size_t place : places(labels.size(), count, random)) {
    const std::size_t sound = recordings[place];
    const double longest = random.uniform(1.2, 4.2);
    Layer layer;
    layer.event = sound_event(pool_.sounds()[sound], EventKind::kSound);
    layer.samples = as_sounded(labels[place], make_sound_event(*pool_.samples(sound), layer.event.recording, longest, random),
                               longest, random);
    layer.lufs = -23 + random.uniform(-5, 5);
    layer.fade_in = random.uniform(0.005, 0.03);
    layer.fade_out = random.uniform(0.02, 0.12);
    // A sound and its repetition need a pause between them to be two.
    layer.at = at + (place == last ? 0.8 : 0);
    at = layer.at + seconds_of(layer.samples) + random.uniform(0.15, 0.9);
    last = place;
    if (at > 29) break;  // as `ask` hears it in one window
    mix.layers.push_back(std::move(layer));
    add_source_once(scene, pool_.source(sound));
  }
  mix.lufs = random.uniform(options_.least_lufs, options_.most_lufs);
  mix.tail_seconds = random.uniform(0.1, 0.6);
  mix.noise_below_lu = random.uniform(38, 55);
  mix_layers(std::move(mix), scene, random);
}

void ComplexAudio::composite(Scene& scene, Random& random) const {
  scene.staging->form = "composite";
  const bool unseen = scene.split == "test-unseen";
  std::string label;
  std::size_t sound = 0;
  for (int attempt = 0; label.empty() && attempt < 200; ++attempt) {
    const std::string candidate = label_but({}, unseen, random);
    sound = pool_.pick(candidate, unseen, random);
    if (is_sustained(*pool_.samples(sound))) label = candidate;
  }
  if (label.empty()) return temporal(scene, random);  // a pool without long sounds

  const double seconds = random.uniform(8, 16);
  LayerMix mix;
  Layer track;
  track.event = sound_event(pool_.sounds()[sound], EventKind::kBackground);
  track.samples = sustained_track(*pool_.samples(sound), seconds, random);
  track.fade_in = random.uniform(0.1, 1.0);
  track.fade_out = random.uniform(0.3, 1.5);
  add_source_once(scene, pool_.source(sound));
  mix.layers.push_back(std::move(track));
  std::vector<std::string> labels = {label};
  const int count = random.between(1, 3);
  double at = random.uniform(0.5, 1.5);
  for (int i = 0; i < count; ++i) {
    labels.push_back(label_but(labels, unseen, random));
    const std::size_t over = pool_.pick(labels.back(), unseen, random);
    Layer layer;
    layer.event = sound_event(pool_.sounds()[over], EventKind::kSound);
    layer.samples =
        as_sounded(labels.back(), make_sound_event(*pool_.samples(over), layer.event.recording, 3.0, random), 3.0, random);
    if (at + seconds_of(layer.samples) > seconds - 0.3) break;
    layer.lufs = mix.layers[0].lufs + random.uniform(options_.least_snr_db, options_.most_snr_db);
    layer.fade_out = random.uniform(0.02, 0.2);
    layer.at = at;
    at += seconds_of(layer.samples) + random.uniform(0.4, std::max(0.5, seconds / 4));
    add_source_once(scene, pool_.source(over));
    mix.layers.push_back(std::move(layer));
  }
  mix.lufs = random.uniform(options_.least_lufs, options_.most_lufs);
  mix.tail_seconds = 0;
  mix.noise_below_lu = random.uniform(40, 55);
  mix_layers(std::move(mix), scene, random);
  fill_in_snr(scene);
}

}  // namespace areason
