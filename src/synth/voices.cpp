#include "synth/voices.h"

#include <algorithm>
#include <cmath>

#include "audio/decode.h"
#include "base/error.h"
#include "base/files.h"
#include "synth/process.h"

namespace areason {
namespace {

Voice espeak(const std::string& name, const std::string& gender, bool unseen) {
  const std::string manner = gender == "man" ? "electronic" : "squeaky";
  return {"espeak-ng:" + name, "espeak-ng", name, gender, "espeak-ng " + gender, unseen, manner};
}

// flite's kal16 and festival's kal_diphone are the same man, and both slt are the same woman: each person is used in one
// engine only.
std::vector<Voice> make_voices() {
  std::vector<Voice> voices = {
      {"flite:kal16", "flite", "kal16", "man", "kal", false, "steady"},
      {"flite:awb", "flite", "awb", "man", "awb", false, "lilting"},
      {"flite:slt", "flite", "slt", "woman", "slt", false, "light"},
      {"flite:rms", "flite", "rms", "man", "rms", true, "light"},
      {"festival:ked_diphone", "festival", "ked_diphone", "man", "ked", true, "steady"},
  };
  for (const char* name : {"en-us", "en-us+m3", "en-us+m7", "en-us+Alex", "en-gb", "en-gb+m2", "en-gb+Gene", "en-gb-scotland",
                           "en-us+klatt2", "en-us+Michael"}) {
    voices.push_back(espeak(name, "man", false));
  }
  for (const char* name : {"en-us+f2", "en-us+f3", "en-us+f4", "en-gb+f1", "en-gb+f5", "en-us+belinda", "en-us+steph",
                           "en-gb+linda", "en-us+Alicia"}) {
    voices.push_back(espeak(name, "woman", false));
  }
  voices.push_back(espeak("en-gb-x-rp+Hugo", "man", true));
  voices.push_back(espeak("en-us-nyc+adam", "man", true));
  voices.push_back(espeak("en-gb-x-rp+Annie", "woman", true));
  voices.push_back(espeak("en-us-nyc+anika", "woman", true));
  return voices;
}

std::string number(double value) {
  const long rounded = std::lround(value * 100);
  const long fraction = std::abs(rounded % 100);
  return std::to_string(rounded / 100) + "." + (fraction < 10 ? "0" : "") + std::to_string(fraction);
}

void run_flite(const Voice& voice, const VoiceStyle& style, const std::string& text, const std::string& path) {
  // Mean pitches of the flite voices in Hz are about 105 (men) and 175 (slt).
  const double pitch = (voice.gender == "woman" ? 175 : 105) * (1 + 0.06 * style.pitch);
  run_command({{"flite", "-voice", voice.name, "--setf", "duration_stretch=" + number(1 / style.rate), "--setf",
                "int_f0_target_mean=" + number(pitch), "-t", text, "-o", path},
               "flite"});
}

void run_festival(const Voice& voice, const VoiceStyle& style, const std::string& text, const std::string& path) {
  const std::string script = path + ".txt";
  write_file_atomic(script, text + "\n");
  const std::string setup =
      "(begin (voice_" + voice.name + ") (Parameter.set 'Duration_Stretch " + number(1 / style.rate) + "))";
  try {
    run_command({{"text2wave", "-o", path, "-eval", setup, script}, "festival festvox-kdlpc16k"});
  } catch (const Error&) {
    std::remove(script.c_str());
    throw;
  }
  std::remove(script.c_str());
}

void run_espeak(const std::string& name, const VoiceStyle& style, const std::string& text, const std::string& path) {
  // espeak-ng's defaults are 175 words a minute and pitch 50 (0 to 99); a little slower is easier to understand.
  const std::string words = std::to_string(std::lround(160 * style.rate));
  const std::string pitch = std::to_string(std::lround(50 + 8 * style.pitch));
  // "--": a line of dialogue may begin with a dash.
  run_command({{"espeak-ng", "-v", name, "-s", words, "-p", pitch, "-w", path, "--", text}, "espeak-ng"});
}

Samples load_trimmed(const std::string& path) {
  Samples samples = load_audio_16k(path).samples;
  const SampleRange range = trimmed_range(samples, 40);
  return {samples.begin() + static_cast<std::ptrdiff_t>(range.from), samples.begin() + static_cast<std::ptrdiff_t>(range.to)};
}

}  // namespace

const std::vector<Voice>& english_voices() {
  static const std::vector<Voice> voices = make_voices();
  return voices;
}

VoiceStyle draw_style(Random& random) { return {random.uniform(0.88, 1.12), random.uniform(-1, 1)}; }

std::vector<Voice> choose_voices(int count, const std::string& split, Random& random) {
  const bool unseen = split == "test-unseen";
  // Draw the kin first: flite's few voices would otherwise drown among espeak-ng's many.
  std::vector<std::string> kins;
  for (const Voice& voice : english_voices()) {
    if (voice.unseen == unseen && std::find(kins.begin(), kins.end(), voice.kin) == kins.end()) kins.push_back(voice.kin);
  }
  random.shuffle(kins);
  std::vector<Voice> chosen;
  for (const std::string& kin : kins) {
    if (static_cast<int>(chosen.size()) == count) break;
    std::vector<Voice> members;
    for (const Voice& voice : english_voices()) {
      if (voice.unseen == unseen && voice.kin == kin) members.push_back(voice);
    }
    chosen.push_back(random.pick(members));
  }
  return chosen;
}

Samples speak(const Voice& voice, const VoiceStyle& style, const std::string& text, const std::string& work_dir) {
  const TemporaryFile file(work_dir + "/tmp", ".wav");
  if (voice.engine == "flite") {
    run_flite(voice, style, text, file.path());
  } else if (voice.engine == "festival") {
    run_festival(voice, style, text, file.path());
  } else {
    run_espeak(voice.name, style, text, file.path());
  }
  return load_trimmed(file.path());
}

Samples speak_espeak(const std::string& name, const VoiceStyle& style, const std::string& text, const std::string& work_dir) {
  const TemporaryFile file(work_dir + "/tmp", ".wav");
  run_espeak(name, style, text, file.path());
  return load_trimmed(file.path());
}

SourceRef source_of_voice(const Voice& voice) {
  // Speech made by these programs carries no licence of theirs; the engine's own licence is recorded for provenance.
  const std::string licence = voice.engine == "espeak-ng" ? "output of GPL-3+ software" : "output of BSD-like software";
  return {voice.id, voice.engine, voice.name, licence, ""};
}

}  // namespace areason
