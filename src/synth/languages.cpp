#include "synth/languages.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "audio/decode.h"
#include "base/error.h"
#include "base/files.h"
#include "synth/recordings.h"

namespace areason {
namespace {

namespace fs = std::filesystem;

struct LanguageCode {
  const char* name;
  const char* stamps;  // code in the stamps' file names and word lists
  const char* espeak;
};

constexpr std::array<LanguageCode, 13> kLanguages = {{{"English", "en", "en-us"},
                                                      {"French", "fr", "fr-fr"},
                                                      {"Spanish", "es", "es"},
                                                      {"Russian", "ru", "ru"},
                                                      {"Dutch", "nl", "nl"},
                                                      {"Czech", "cs", "cs"},
                                                      {"Italian", "it", "it"},
                                                      {"German", "de", "de"},
                                                      {"Danish", "da", "da"},
                                                      {"Catalan", "ca", "ca"},
                                                      {"Greek", "el", "el"},
                                                      {"Ukrainian", "uk", "uk"},
                                                      {"Romanian", "ro", "ro"}}};

const LanguageCode& code_of(const std::string& language) {
  return *std::find_if(kLanguages.begin(), kLanguages.end(), [&](const LanguageCode& c) { return language == c.name; });
}

LanguageSource make_source(const std::string& language, SoundPackage package, const std::string& filter, bool unseen) {
  LanguageSource source;
  source.language = language;
  source.code = code_of(language).stamps;
  source.package = std::move(package);
  source.filter = filter;
  source.unseen = unseen;
  return source;
}

SoundPackage stamps() { return *find_package("TP"); }
SoundPackage tuberling(const std::string& code) {
  return {"", "ktuberling-data", "usr/share/ktuberling/sounds/" + code, "GPL-2+ / CC-BY-SA-4.0"};
}
SoundPackage qabcs(const std::string& code) {
  return {"", "qabcs-data", "usr/share/qabcs/abcs/" + code + "/sounds/words", "GPL-3+"};
}
SoundPackage asterisk(const std::string& code, const std::string& folder) {
  return {"", "asterisk-core-sounds-" + code + "-wav", "usr/share/asterisk/sounds/" + folder, "CC-BY-SA-3.0"};
}
SoundPackage fillets(const std::string& code) {
  return {"", "fillets-ng-data-" + code, "usr/share/games/fillets-ng/sound", "GPL-2+"};
}

// The unseen sources are those of which speaker and channel occur nowhere else in that language.
std::vector<LanguageSource> make_sources() {
  std::vector<LanguageSource> list;
  const auto known = [&](const std::string& language, const SoundPackage& package, const std::string& filter = "") {
    list.push_back(make_source(language, package, filter, false));
  };
  const auto unseen = [&](const std::string& language, const SoundPackage& package, const std::string& filter = "") {
    list.push_back(make_source(language, package, filter, true));
  };
  known("English", asterisk("en", "en_US_f_Allison"));
  known("English", qabcs("en"));
  unseen("English", tuberling("en"));
  known("French", stamps(), "_desc_fr.ogg");
  known("French", tuberling("fr"));
  unseen("French", asterisk("fr", "fr_CA_f_June"));
  known("Spanish", stamps(), "_desc_es.ogg");
  unseen("Spanish", asterisk("es", "es_MX_f_Allison"));
  known("Russian", stamps(), "_desc_ru.ogg");
  known("Russian", tuberling("ru"));
  unseen("Russian", asterisk("ru", "ru_RU_f_IvrvoiceRU"));
  // The two fish of the game are two actors: "-m-" the small one, "-v-" the big one.
  known("Dutch", fillets("nl"), "-m-");
  known("Dutch", stamps(), "_desc_nl.ogg");
  unseen("Dutch", fillets("nl"), "-v-");
  known("Czech", fillets("cs"), "-m-");
  unseen("Czech", fillets("cs"), "-v-");
  known("Italian", asterisk("it", "it_IT_m_Carlo"));
  unseen("Italian", tuberling("it"));
  known("German", qabcs("de"));
  unseen("German", tuberling("de"));
  known("Danish", stamps(), "_desc_da.ogg");
  unseen("Danish", tuberling("da"));
  known("Catalan", stamps(), "_desc_ca.ogg");
  unseen("Catalan", tuberling("ca"));
  known("Greek", stamps(), "_desc_el.ogg");
  unseen("Greek", tuberling("el"));
  known("Ukrainian", qabcs("uk"));
  unseen("Ukrainian", tuberling("uk"));
  known("Romanian", stamps(), "_desc_ro.ogg");
  unseen("Romanian", tuberling("ro"));
  return list;
}

// Prompts only: no tones, no single letters and digits (the sub-folders).
bool usable_prompt(const fs::path& file) {
  for (const char* word : {"beep", "tone", "monkeys", "silence", "dtmf"}) {
    if (file.filename().string().find(word) != std::string::npos) return false;
  }
  std::error_code error;
  return fs::file_size(file, error) > 24000;  // 1.5 s at 8 kHz, 16 bits
}

bool belongs(const LanguageSource& source, const fs::path& file) {
  const std::string name = file.filename().string(), extension = file.extension().string();
  if (extension != ".ogg" && extension != ".wav") return false;
  if (!source.filter.empty() && name.find(source.filter) == std::string::npos) return false;
  const std::string& package = source.package.package;
  if (package.starts_with("asterisk")) return usable_prompt(file);
  // Spoken letters, signs and amounts of money differ from the written text ("0,20 €").
  const std::string path = file.string();
  if (path.find("/symbols/") != std::string::npos || path.find("/money/") != std::string::npos) return false;
  // The game keeps each language in a sub-folder of the level.
  if (package.starts_with("fillets")) return file.parent_path().filename() == source.code;
  return true;
}

std::vector<std::string> list_files(const std::string& folder, bool deep) {
  std::vector<std::string> files;
  std::error_code error;
  if (deep) {
    for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
      if (it->is_regular_file()) files.push_back(it->path().string());
    }
  } else {
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
      if (it->is_regular_file()) files.push_back(it->path().string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string word_list_of(const std::string& clip) {
  const std::size_t at = clip.rfind("_desc");
  const std::string file = at == std::string::npos ? "" : clip.substr(0, at) + ".txt";
  return !file.empty() && fs::exists(file) ? file : "";
}

struct Phrase {
  std::string text, english;
};

// A word list's first line is English, the others are "code.utf8=text".
Phrase read_phrase(const std::string& file, const std::string& code) {
  Phrase phrase;
  const std::string content = read_file(file, 1 << 20);
  const std::string key = code + ".utf8=";
  for (std::size_t from = 0; from < content.size();) {
    const std::size_t to = std::min(content.find('\n', from), content.size());
    const std::string line = content.substr(from, to - from);
    if (from == 0) phrase.english = line;
    if (line.starts_with(key)) phrase.text = line.substr(key.size());
    from = to + 1;
  }
  if (code == "en") phrase.text = phrase.english;
  return phrase;
}

}  // namespace

const std::vector<std::string>& scene_languages() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const LanguageCode& c : kLanguages) all.push_back(c.name);
    return all;
  }();
  return names;
}

LanguageLibrary::LanguageLibrary(const std::string& package_root) : sources_(make_sources()) {
  std::map<std::string, std::vector<std::string>> listed;
  for (LanguageSource& source : sources_) {
    const std::string folder = below_root(package_root, source.package.root);
    const bool deep = source.package.package == "tuxpaint-stamps-default" || source.package.package.starts_with("fillets");
    if (!listed.count(folder)) listed[folder] = list_files(folder, deep);
    for (const std::string& file : listed[folder]) {
      if (belongs(source, file)) source.clips.push_back({file, word_list_of(file)});
    }
  }
  for (const std::string& file : listed[below_root(package_root, stamps().root)]) {
    // Stamps of letters, flags and signs have no words worth speaking.
    if (file.ends_with(".txt") && file.find("/symbols/") == std::string::npos) word_lists_.push_back(file);
  }
}

void LanguageLibrary::compose(Mix& mix, const SceneContext& context, Random& random) const {
  const std::string language = random.pick(scene_languages());
  if (!context.unseen() && random.chance(0.35) && !word_lists_.empty()) {
    compose_synthetic(mix, context, language, random);
  } else {
    std::vector<const LanguageSource*> candidates;
    for (const LanguageSource& source : sources_) {
      if (source.language != language || source.unseen != context.unseen()) continue;
      if (source.clips.empty()) throw_missing_package(source.package.package);
      candidates.push_back(&source);
    }
    compose_recorded(mix, *random.pick(candidates), random);
  }
  mix.maybe_background(0.3);
}

void LanguageLibrary::compose_recorded(Mix& mix, const LanguageSource& source, Random& random) const {
  const double wanted = random.uniform(2.5, 5);
  const double speed = random.uniform(0.94, 1.06);
  double at = random.uniform(0.15, 0.5), spoken = 0;
  for (int i = 0; i < 6 && spoken < wanted; ++i) {
    const SpokenClip& clip = random.pick(source.clips);
    Samples samples = load_audio_16k(clip.path).samples;
    const SampleRange range = trimmed_range(samples, 35);
    const auto most = static_cast<std::size_t>(7 * kSynthRate);
    if (range.size() < kSynthRate / 5 || (range.size() > most && i < 5)) continue;
    samples = change_speed(std::span<const float>(samples).subspan(range.from, std::min(range.size(), most)), speed);
    Event event;
    event.kind = EventKind::kSpeech;
    event.label = "speech";
    const std::string name = fs::path(clip.path).filename().string();
    event.recording = source.package.package + ":" + name;
    event.speaker = source.package.package + ":" + source.code + source.filter;
    event.gender = source.gender;
    event.language = source.language;
    if (!clip.text_file.empty()) {
      const Phrase phrase = read_phrase(clip.text_file, source.code);
      event.text = phrase.text;
      if (source.language != "English") event.translation = phrase.english;
    }
    spoken += static_cast<double>(samples.size()) / kSynthRate;
    mix.add_source(source_of_file(event.recording, source.package, clip.path));
    at = mix.place(std::move(event), std::move(samples), at, 0) + random.uniform(0.25, 0.5);
  }
  if (mix.events().empty()) {
    throw Error(ErrorCode::kFailure, "no usable speech in " + source.package.root, "reinstall " + source.package.package);
  }
}

void LanguageLibrary::compose_synthetic(Mix& mix, const SceneContext& context, const std::string& language,
                                        Random& random) const {
  static const std::vector<std::string> variants = {"", "+m3", "+m7", "+f2", "+f3", "+f4", "+f5", "+Gene", "+belinda"};
  const LanguageCode& code = code_of(language);
  const std::string voice = std::string(code.espeak) + random.pick(variants);
  const VoiceStyle style = draw_style(random);
  const bool woman = voice.find("+f") != std::string::npos || voice.find("+belinda") != std::string::npos;
  double at = random.uniform(0.15, 0.5), spoken = 0;
  for (int attempt = 0; attempt < 60 && spoken < 2.5; ++attempt) {
    const Phrase phrase = read_phrase(random.pick(word_lists_), code.stamps);
    if (phrase.text.size() < 8) continue;
    Samples samples = speak_espeak(voice, style, phrase.text, context.work_dir);
    if (samples.size() < kSynthRate / 3 || samples.size() > 6 * kSynthRate) continue;
    Event event;
    event.kind = EventKind::kSpeech;
    event.label = "speech";
    event.recording = "espeak-ng:" + voice;
    event.speaker = event.recording;
    event.gender = woman ? "woman" : "man";
    event.language = language;
    event.text = phrase.text;
    if (language != "English") event.translation = phrase.english;
    spoken += static_cast<double>(samples.size()) / kSynthRate;
    mix.add_source({event.recording, "espeak-ng", voice, "output of GPL-3+ software", ""});
    at = mix.place(std::move(event), std::move(samples), at, 0) + random.uniform(0.25, 0.5);
  }
  if (mix.events().empty()) {
    throw Error(ErrorCode::kFailure, "no words in " + language, "reinstall tuxpaint-stamps-default");
  }
}

}  // namespace areason
