#pragma once
// One scene of any of the paper's sets (set_questions.h), made by what src/synth has for it. Builds only what the wanted sets
// need, so that missing packages of other sets do not matter. Called by the CLI (data synth --set), the bench and tests.
// Thread rule: make() may run on several threads at once. Errors: Error(kInput) naming a missing package; those of the voices.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cota/question.h"
#include "synth/complex_audio.h"
#include "synth/dialogue_script.h"
#include "synth/scene_maker.h"
#include "synth/voice_bank.h"

namespace areason {

// The script of a clip of multi_speaker.
using ScriptSource = std::function<DialogueScript(const std::string& clip_id)>;

struct SetMakerOptions {
  std::vector<std::string> sets;  // names; empty: all
  SynthOptions synth;
  std::vector<PoolSound> sounds;      // to mix complex_audio from; empty: the installed packages
  std::shared_ptr<VoiceBank> voices;  // of multi_speaker; null: the embedded ones
  ScriptSource scripts;               // null: the grammar
};

class SetMaker {
 public:
  explicit SetMaker(const SetMakerOptions& options);
  ~SetMaker();
  SetMaker(const SetMaker&) = delete;
  SetMaker& operator=(const SetMaker&) = delete;

  Scene make(const std::string& clip_id, const std::string& set, const std::string& split) const;
  // Names for wrong options about complex_audio, where they are not the sound table's; empty otherwise.
  std::vector<NamedSound> own_sounds() const;

 private:
  struct Parts;
  std::unique_ptr<const Parts> parts_;
};

}  // namespace areason
