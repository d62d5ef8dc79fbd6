#include "synth/scene_maker.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "synth/acted.h"
#include "synth/languages.h"
#include "synth/mix.h"
#include "synth/music_scenes.h"
#include "synth/recordings.h"
#include "synth/sound_scenes.h"
#include "synth/speech_scenes.h"

namespace areason {
namespace {

constexpr std::array<const char*, 4> kSplits = {"train", "val", "test-known", "test-unseen"};

void check_split(const std::string& split) {
  if (std::find(kSplits.begin(), kSplits.end(), split) != kSplits.end()) return;
  throw Error(ErrorCode::kUsage, "unknown split " + split, "use train, val, test-known or test-unseen");
}

}  // namespace

struct SceneMaker::Parts {
  explicit Parts(const SynthOptions& o) : options(o), library(o), acted(o.package_root), languages(o.package_root) {}
  SynthOptions options;
  SoundLibrary library;
  ActedVoices acted;
  LanguageLibrary languages;
};

SceneMaker::SceneMaker(const SynthOptions& options) : parts_(std::make_unique<const Parts>(options)) {}
SceneMaker::~SceneMaker() = default;

Scene SceneMaker::make(const std::string& clip_id, SceneType type, const std::string& split) const {
  check_split(split);
  Random random = Random::for_item(parts_->options.seed, split + "/" + clip_id);
  Mix mix(clip_id, type, split, random);
  const SceneContext context{parts_->library, parts_->options.work_dir, parts_->options.package_root, split};
  switch (type) {
    case SceneType::kSound:
      compose_sounds(mix, parts_->library, split, random);
      break;
    case SceneType::kLong:
      compose_long(mix, parts_->library, split, random);
      break;
    case SceneType::kSpeech:
      compose_speech(mix, context, random);
      break;
    case SceneType::kDialogue:
      compose_dialogue(mix, context, random);
      break;
    case SceneType::kActed:
      parts_->acted.compose(mix, context, random);
      break;
    case SceneType::kLanguage:
      parts_->languages.compose(mix, context, random);
      break;
    case SceneType::kMusic:
      compose_music(mix, context, random);
      break;
    case SceneType::kMixed:
      random.chance(0.65) ? compose_speech_with_sounds(mix, context, random) : compose_music_with_sounds(mix, context, random);
      break;
  }
  return mix.finish(type == SceneType::kLong ? random.uniform(0.5, 1.5) : random.uniform(0.2, 0.8));
}

}  // namespace areason
