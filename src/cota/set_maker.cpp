#include "cota/set_maker.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "cota/set_questions.h"
#include "synth/intents.h"
#include "synth/loudness.h"
#include "synth/multi_speaker.h"
#include "synth/phrases.h"
#include "synth/sound_pool.h"

namespace areason {
namespace {

// The sets that SceneMaker's scenes serve.
const std::pair<const char*, SceneType> kSceneSets[] = {
    {"packaged_sounds", SceneType::kSound}, {"acted_moods", SceneType::kActed}, {"composed_music", SceneType::kMusic}};

bool wanted(const SetMakerOptions& options, const std::string& set) {
  return options.sets.empty() || std::find(options.sets.begin(), options.sets.end(), set) != options.sets.end();
}

bool needs_scenes(const SetMakerOptions& options) {
  return std::any_of(std::begin(kSceneSets), std::end(kSceneSets), [&](const auto& s) { return wanted(options, s.first); });
}

}  // namespace

struct SetMaker::Parts {
  explicit Parts(const SetMakerOptions& o) : options(o) {
    for (const std::string& set : o.sets) find_paper_set(set);
    if (wanted(o, "complex_audio")) {
      pool = o.sounds.empty() ? SoundPool::of_packages(SoundLibrary(o.synth)) : std::make_unique<SoundPool>(o.sounds);
      ComplexAudioOptions complex_options;
      complex_options.seed = o.synth.seed;
      complex = std::make_unique<ComplexAudio>(*pool, complex_options);
    }
    if (wanted(o, "multi_speaker")) {
      if (!options.voices) options.voices = make_embedded_voices(o.synth.work_dir);
      MultiSpeakerOptions dialogue_options;
      dialogue_options.seed = o.synth.seed;
      dialogues = std::make_unique<MultiSpeaker>(*options.voices, dialogue_options);
    }
    if (needs_scenes(o)) scenes = std::make_unique<SceneMaker>(o.synth);
    if (wanted(o, "acted_intent")) intents = std::make_unique<ActedIntents>(o.synth.package_root);
    if (wanted(o, "spoken_phrases")) phrases = std::make_unique<PhraseBook>(o.synth.package_root, o.synth.work_dir);
  }
  DialogueScript script(const std::string& clip_id) const {
    if (options.scripts) return options.scripts(clip_id);
    Random random = Random::for_item(options.synth.seed, "script/" + clip_id);
    return make_grammar_script(random);
  }

  SetMakerOptions options;
  std::unique_ptr<SoundPool> pool;
  std::unique_ptr<ComplexAudio> complex;
  std::unique_ptr<MultiSpeaker> dialogues;
  std::unique_ptr<SceneMaker> scenes;
  std::unique_ptr<ActedIntents> intents;
  std::unique_ptr<PhraseBook> phrases;
};

SetMaker::SetMaker(const SetMakerOptions& options) : parts_(std::make_unique<const Parts>(options)) {}
SetMaker::~SetMaker() = default;

Scene SetMaker::make(const std::string& clip_id, const std::string& set, const std::string& split) const {
  if (!wanted(parts_->options, set)) throw Error(ErrorCode::kFailure, "the set " + set + " was not asked for", "see --set");
  const std::uint64_t seed = parts_->options.synth.seed;
  if (set == "complex_audio") return parts_->complex->make(clip_id, split);
  if (set == "multi_speaker") return parts_->dialogues->make(clip_id, split, parts_->script(clip_id));
  if (set == "acted_intent") return parts_->intents->make(clip_id, split, seed);
  if (set == "spoken_phrases") return parts_->phrases->make(clip_id, split, seed);
  for (const auto& [name, type] : kSceneSets) {
    if (set != name) continue;
    Scene scene = parts_->scenes->make(clip_id, type, split);
    scene.staging = Staging{set, "", integrated_loudness(scene.audio.samples, scene.audio.sample_rate), 0};
    return scene;
  }
  throw Error(ErrorCode::kUsage, "unknown set " + set, "see --set");
}

std::vector<NamedSound> SetMaker::own_sounds() const {
  std::vector<NamedSound> out;
  if (parts_->options.sounds.empty()) return out;
  std::set<std::string> names;
  for (const PoolSound& sound : parts_->options.sounds) {
    if (names.insert(sound.label).second) out.push_back({sound.label, sound.family});
  }
  return out;
}

}  // namespace areason
