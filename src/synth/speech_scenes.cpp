#include "synth/speech_scenes.h"

#include <algorithm>

#include "synth/sound_scenes.h"

namespace areason {
namespace {

// Who speaks in each turn: everybody at least once, nobody twice in a row.
std::vector<std::size_t> speaker_order(std::size_t voices, std::size_t turns, Random& random) {
  std::vector<std::size_t> order;
  while (order.size() < turns) {
    std::size_t next = order.size();
    if (order.size() >= voices) {
      do {
        next = random.below(static_cast<std::uint32_t>(voices));
      } while (next == order.back());
    }
    order.push_back(next);
  }
  return order;
}

}  // namespace

double place_speech(Mix& mix, const SceneContext& context, const Voice& voice, const VoiceStyle& style,
                    const Sentence& sentence, const SpeechPlacement& placement) {
  Samples samples = speak(voice, style, sentence.written, context.work_dir);
  Event event;
  event.kind = EventKind::kSpeech;
  event.label = "speech";
  event.recording = voice.id;
  event.speaker = voice.id;
  event.gender = voice.gender;
  event.manner = voice.manner;
  event.language = "English";
  event.text = sentence.text;
  mix.add_source(source_of_voice(voice));
  return mix.place(std::move(event), std::move(samples), placement.at, placement.level_offset_db);
}

void compose_speech(Mix& mix, const SceneContext& context, Random& random) {
  const Voice voice = choose_voices(1, context.split, random).front();
  const VoiceStyle style = draw_style(random);
  const Sentence sentence = random.chance(0.35) ? make_digit_sentence(random) : make_sentence(random);
  SpeechPlacement placement;
  placement.at = random.uniform(0.15, 0.6);
  place_speech(mix, context, voice, style, sentence, placement);
  mix.maybe_background(0.3);
}

void compose_dialogue(Mix& mix, const SceneContext& context, Random& random) {
  const double draw = random.uniform();
  const int wanted = draw < 0.45 ? 2 : draw < 0.8 ? 3 : 4;
  const std::vector<Voice> voices = choose_voices(wanted, context.split, random);
  const int turns = random.between(std::max(3, static_cast<int>(voices.size())), 6);
  const std::vector<Sentence> sentences = make_dialogue(turns, random);
  const std::vector<std::size_t> order = speaker_order(voices.size(), sentences.size(), random);
  std::vector<VoiceStyle> styles;
  std::vector<double> levels;
  for (std::size_t i = 0; i < voices.size(); ++i) {
    styles.push_back(draw_style(random));
    levels.push_back(random.uniform(-2, 2));
  }
  SpeechPlacement placement;
  placement.at = random.uniform(0.15, 0.5);
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    placement.level_offset_db = levels[order[i]];
    placement.at = place_speech(mix, context, voices[order[i]], styles[order[i]], sentences[i], placement);
    placement.at += random.uniform(0.25, 0.6);
  }
  mix.maybe_background(0.25);
}

void compose_speech_with_sounds(Mix& mix, const SceneContext& context, Random& random) {
  const Voice voice = choose_voices(1, context.split, random).front();
  const Sentence sentence = random.chance(0.3) ? make_digit_sentence(random) : make_sentence(random);
  // Human cries and laughter would be taken for the speaker's.
  std::vector<std::string> avoid = {"laughter", "crowd", "person screaming"};
  SoundPlacement sound;
  sound.longest = 2.4;
  sound.at = random.uniform(0.1, 0.4);
  const bool before = random.chance(0.5);
  if (before) {
    const SoundChoice choice = choose_sound(context.library, context.split, avoid, random);
    avoid.push_back(choice.installed->definition->name);
    sound.level_offset_db = random.uniform(-3, 3);
    place_sound(mix, context.library, choice, sound, random);
  }
  SpeechPlacement speech;
  speech.at = before ? mix.end() + random.uniform(0.2, 0.6) : random.uniform(0.15, 0.5);
  const double spoken_to = place_speech(mix, context, voice, draw_style(random), sentence, speech);
  if (random.chance(0.5)) {  // under the speech, quieter so that the words stay clear
    const SoundChoice choice = choose_sound(context.library, context.split, avoid, random);
    avoid.push_back(choice.installed->definition->name);
    sound.at = speech.at + random.uniform(0.1, 0.5) * (spoken_to - speech.at);
    sound.level_offset_db = random.uniform(-8, -3);
    place_sound(mix, context.library, choice, sound, random);
  }
  if (mix.events().size() < 2 || random.chance(0.4)) {
    const SoundChoice choice = choose_sound(context.library, context.split, avoid, random);
    sound.at = mix.end() + random.uniform(0.2, 0.7);
    sound.level_offset_db = random.uniform(-3, 3);
    place_sound(mix, context.library, choice, sound, random);
  }
}

}  // namespace areason
