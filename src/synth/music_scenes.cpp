#include "synth/music_scenes.h"

#include <filesystem>

#include "audio/decode.h"
#include "base/files.h"
#include "synth/composer.h"
#include "synth/packages.h"
#include "synth/process.h"
#include "synth/sound_scenes.h"

namespace areason {
namespace {

constexpr double kDecaySeconds = 0.7;  // of the last chord

Samples render(const Composition& composition, const std::string& font, const std::string& work_dir) {
  const TemporaryFile midi(work_dir + "/tmp", ".mid"), wav(work_dir + "/tmp", ".wav");
  write_file_atomic(midi.path(), write_midi(composition.piece));
  run_command({{"fluidsynth", "-ni", "-q", "-g", "0.6", "-r", "16000", "-o", "synth.dynamic-sample-loading=1", "-F", wav.path(),
                font, midi.path()},
               "fluidsynth"});
  Samples samples = load_audio_16k(wav.path()).samples;
  const auto most = static_cast<std::size_t>((composition.seconds + kDecaySeconds) * kSynthRate);
  if (samples.size() > most) samples.resize(most);
  fade(samples, 0.002, kDecaySeconds);
  return samples;
}

double place_music(Mix& mix, const SceneContext& context, Random& random) {
  std::vector<SoundFont> fonts;
  for (const SoundFont& font : sound_fonts()) {
    if (font.unseen == context.unseen()) fonts.push_back(font);
  }
  const SoundFont& font = random.pick(fonts);
  const std::string path = below_root(context.package_root, font.path);
  if (!std::filesystem::exists(path)) throw_missing_package(font.package);
  const Composition composition = compose_piece(random);
  Event event;
  event.kind = EventKind::kMusic;
  event.label = "music";
  event.recording = font.package + ":program " + std::to_string(composition.piece.programs.front().program);
  mix.set_music(composition.facts);
  mix.add_source({font.package, font.package, path, font.licence, ""});
  return mix.place(std::move(event), render(composition, path, context.work_dir), random.uniform(0.1, 0.4), 0);
}

}  // namespace

const std::vector<SoundFont>& sound_fonts() {
  static const std::vector<SoundFont> fonts = {
      {"timgm6mb-soundfont", "usr/share/sounds/sf2/TimGM6mb.sf2", "GPL-2", false},
      {"fluid-soundfont-gm", "usr/share/sounds/sf2/FluidR3_GM.sf2", "MIT", false},
      {"csound-soundfont", "usr/share/sounds/sf2/sf_GMbank.sf2", "LGPL-2.1+", false},
      {"musescore-general-soundfont-small", "usr/share/sounds/sf3/MuseScore_General_Lite.sf3", "MIT", true},
  };
  return fonts;
}

void compose_music(Mix& mix, const SceneContext& context, Random& random) { place_music(mix, context, random); }

void compose_music_with_sounds(Mix& mix, const SceneContext& context, Random& random) {
  const double end = place_music(mix, context, random);
  // Musical sounds would be taken for a part of the piece.
  std::vector<std::string> avoid = {"drum", "cymbal", "bell", "horn signal", "electronic beep", "hammering", "applause"};
  const int count = random.between(1, 2);
  for (int i = 0; i < count; ++i) {
    const SoundChoice choice = choose_sound(context.library, context.split, avoid, random);
    avoid.push_back(choice.installed->definition->name);
    SoundPlacement sound;
    sound.longest = 2.4;
    // One third each: early, late, after the end.
    sound.at = i == 0 ? random.uniform(0.1, 0.4) * end : random.chance(0.5) ? random.uniform(0.6, 0.8) * end : end + 0.4;
    sound.level_offset_db = sound.at < end ? random.uniform(1, 5) : random.uniform(-3, 3);
    place_sound(mix, context.library, choice, sound, random);
  }
}

}  // namespace areason
