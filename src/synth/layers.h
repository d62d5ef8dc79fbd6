#pragma once
// A clip out of layers whose loudness is set and known: each is scaled to a loudness (BS.1770, loudness.h), faded, placed and
// summed; then the whole is brought to its own loudness. Used by complex_audio.cpp and multi_speaker.cpp (mix.h serves the
// nano scenes, whose levels are RMS). Thread rule: values. Units: seconds, LUFS; samples at kSynthRate.
#include <string>
#include <vector>

#include "synth/scene.h"
#include "synth/signal.h"

namespace areason {

struct Layer {
  Event event;      // from, to, level_db and detail are filled in
  Samples samples;  // as they are to sound but for level and fades
  double at = 0;
  double lufs = -23;  // before the whole is scaled
  double fade_in = 0.005, fade_out = 0.02;
};

struct LayerMix {
  std::vector<Layer> layers;
  double lufs = -23;           // of the finished clip; less where its peaks would clip
  double tail_seconds = 0.3;   // after the last layer
  double noise_below_lu = 45;  // a floor of noise under the clip, so far below its loudness
  NoiseColour noise = NoiseColour::kWhite;
  double decay_seconds = 0;  // of a room around all layers; 0: none
  double wet_db = -14;
  double room_size = 1;
};

// Sets audio, seconds, events (sorted) and staging.lufs. Layers of one clip: at most 30 s in all is the caller's business.
void mix_layers(LayerMix mix, Scene& scene, Random& random);
// One layer alone, after a short silence, at a drawn loudness over faint noise.
void mix_alone(Layer layer, Scene& scene, Random& random);

// `snr_db` of every event that is no background: its loudness minus that of the kBackground events under it, if there are any.
void fill_in_snr(Scene& scene);

}  // namespace areason
