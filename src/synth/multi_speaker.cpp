#include "synth/multi_speaker.h"

#include <algorithm>

#include "base/error.h"
#include "synth/layers.h"

namespace areason {
namespace {

struct Cast {
  std::vector<Voice> voices;
  std::vector<VoiceStyle> styles;
  std::vector<double> lufs;
};

Cast cast_of(const DialogueScript& script, const VoiceBank& bank, const std::string& split, Random& random) {
  std::vector<std::string> genders;
  for (const ScriptSpeaker& s : script.speakers) genders.push_back(s.gender);
  Cast cast{bank.cast(genders, split, random), {}, {}};
  for (std::size_t i = 0; i < cast.voices.size(); ++i) {
    cast.styles.push_back(draw_style(random));
    cast.lufs.push_back(-23 + random.uniform(-2.5, 2.5));
  }
  return cast;
}

Event line_event(const ScriptLine& line, const Voice& voice) {
  Event event;
  event.kind = EventKind::kSpeech;
  event.label = "speech";
  event.recording = voice.id;
  event.speaker = voice.id;
  event.gender = voice.gender;
  event.language = "English";
  event.text = spoken_words(line.text);
  event.detail.emplace();
  event.detail->topic = line.topic;
  event.detail->statement = line.statement;
  return event;
}

// Where a line begins: after a pause, or before the end of the last one, if another speaker has it. Never more than two at
// once.
class Timing {
 public:
  Timing(double overlap_share, Random& random)
      : overlap_share_(overlap_share), random_(random), end_(random.uniform(0.2, 0.7)) {}
  double next(int speaker, double seconds) {
    double at = end_ + random_.uniform(0.15, 0.9);
    const bool other = last_ >= 0 && speaker != last_;
    if (other && random_.chance(overlap_share_))
      at = std::max(end_ - random_.uniform(0.2, 0.3) * std::min(seconds, end_ - start_), before_ + 0.1);
    before_ = std::max(before_, end_ * (last_ >= 0 ? 1 : 0));
    start_ = at;
    end_ = std::max(end_, at + seconds);
    last_ = speaker;
    return at;
  }

 private:
  double overlap_share_;
  Random& random_;
  double start_ = 0, end_, before_ = 0;  // of the last line; the end of the one before it
  int last_ = -1;
};

}  // namespace

MultiSpeaker::MultiSpeaker(const VoiceBank& voices, const MultiSpeakerOptions& options) : voices_(voices), options_(options) {}

Scene MultiSpeaker::make(const std::string& clip_id, const std::string& split, const DialogueScript& script) const {
  if (script.speakers.empty() || script.lines.empty())
    throw Error(ErrorCode::kInput, "the script of " + clip_id + " is empty", "take it out of scripts.jsonl");
  Random random = Random::for_item(options_.seed, "dialogue/" + split + "/" + clip_id);
  Scene scene;
  scene.id = clip_id;
  scene.type = SceneType::kDialogue;
  scene.split = split;
  scene.staging = Staging{"multi_speaker", script.scenario, 0, 0};
  const Cast cast = cast_of(script, voices_, split, random);
  Timing timing(options_.overlap_share, random);
  LayerMix mix;
  for (const ScriptLine& line : script.lines) {
    const auto who = static_cast<std::size_t>(line.speaker);
    Layer layer;
    layer.samples = voices_.speak(cast.voices[who], cast.styles[who], line.text);
    layer.event = line_event(line, cast.voices[who]);
    layer.lufs = cast.lufs[who] + random.uniform(-0.7, 0.7);
    layer.at = timing.next(line.speaker, seconds_of(layer.samples));
    if (!mix.layers.empty() && layer.at + seconds_of(layer.samples) > options_.longest_seconds - 0.5) break;
    add_source_once(scene, voices_.source(cast.voices[who]));
    mix.layers.push_back(std::move(layer));
  }
  if (random.chance(options_.room_share)) {
    mix.decay_seconds = random.uniform(0.15, 0.6);
    mix.wet_db = random.uniform(-20, -9);
    mix.room_size = random.uniform(0.6, 1.4);
  }
  static constexpr NoiseColour kNoises[] = {NoiseColour::kWhite, NoiseColour::kPink, NoiseColour::kBrown};
  mix.noise = kNoises[random.below(3)];
  mix.noise_below_lu = random.uniform(24, 50);
  mix.lufs = random.uniform(-28, -18);
  mix.tail_seconds = std::min(0.5, 0.2 + mix.decay_seconds / 2);
  mix_layers(std::move(mix), scene, random);
  return scene;
}

}  // namespace areason
