#include "synth/phrases.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>

#include "audio/decode.h"
#include "base/error.h"
#include "base/files.h"
#include "synth/layers.h"
#include "synth/packages.h"
#include "synth/recordings.h"
#include "synth/voices.h"

namespace areason {

namespace fs = std::filesystem;

namespace {

constexpr double kUnseenPhrases = 0.15;
constexpr double kLongestSeconds = 15;
constexpr std::array<std::pair<const char*, const char*>, 9> kRecorded = {{{"fr", "French"},
                                                                           {"ru", "Russian"},
                                                                           {"ca", "Catalan"},
                                                                           {"ro", "Romanian"},
                                                                           {"bg", "Bulgarian"},
                                                                           {"es", "Spanish"},
                                                                           {"be", "Belarusian"},
                                                                           {"el", "Greek"},
                                                                           {"da", "Danish"}}};

std::string trim(const std::string& text) {
  const std::size_t from = text.find_first_not_of(" \t\r\n"), to = text.find_last_not_of(" \t\r\n");
  return from == std::string::npos ? "" : text.substr(from, to - from + 1);
}

// Usable in a question: not empty, nothing that a tag, a slot or a quotation is made of.
bool usable(const std::string& text) { return text.size() >= 4 && text.find_first_of("\"<>{}\\") == std::string::npos; }

// The first line is English, the others are "code.utf8=text".
std::map<std::string, std::string> read_texts(const std::string& file) {
  std::map<std::string, std::string> out;
  const std::string content = read_file(file, 1 << 20);
  for (std::size_t from = 0; from < content.size();) {
    const std::size_t to = std::min(content.find('\n', from), content.size());
    const std::string line = content.substr(from, to - from);
    const std::size_t mark = line.find(".utf8=");
    if (from == 0) out["en"] = trim(line);
    if (mark != std::string::npos) out[line.substr(0, mark)] = trim(line.substr(mark + 6));
    from = to + 1;
  }
  return out;
}

// A phrase of at least two words: single words say little about translation.
bool is_phrase(const std::string& text) { return usable(text) && text.find(' ') != std::string::npos; }

}  // namespace

PhraseBook::PhraseBook(const std::string& package_root, std::string work_dir) : work_dir_(std::move(work_dir)) {
  const SoundPackage& package = *find_package("TP");
  const std::string root = below_root(package_root, package.root);
  if (!fs::is_directory(root)) throw_missing_package(package.package);
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const std::string path = entry.path().string();
    // Spoken letters, flags and coins differ from the written text.
    const bool words = path.find("/symbols/") == std::string::npos && path.find("/money/") == std::string::npos;
    if (words && path.ends_with(".txt")) files.push_back(path);
  }
  std::sort(files.begin(), files.end());
  for (const std::string& file : files) {
    const std::string stem = file.substr(0, file.size() - 4), name = fs::relative(stem, root).string();
    const bool unseen = Random::for_item(1, "phrase " + name).chance(kUnseenPhrases);
    auto texts = read_texts(file);
    const std::string english = texts["en"], chinese = texts["zh_CN"];
    if (!is_phrase(english)) continue;
    for (const auto& [code, language] : kRecorded) {
      const std::string path = stem + "_desc_" + code + ".ogg", text = texts[code];
      if (!is_phrase(text) || !fs::exists(path)) continue;
      const std::string id = package.package + ":" + name + "_desc_" + code + ".ogg";
      phrases_.push_back({id, path, language, text, "English", english, unseen});
      if (usable(chinese)) phrases_.push_back({id, path, language, text, "Chinese", chinese, unseen});
    }
    if (!usable(chinese)) continue;
    phrases_.push_back({package.package + ":" + name, "", "English", english, "Chinese", chinese, unseen});
    phrases_.push_back({package.package + ":" + name, "", "Chinese", chinese, "English", english, unseen});
  }
  std::map<std::pair<std::string, std::string>, std::vector<std::size_t>> sides[2];
  for (std::size_t i = 0; i < phrases_.size(); ++i)
    sides[phrases_[i].unseen ? 1 : 0][{phrases_[i].language, phrases_[i].target}].push_back(i);
  for (const int side : {0, 1}) {
    for (auto& [direction, members] : sides[side]) directions_[side].push_back(std::move(members));
  }
}

Samples PhraseBook::spoken(const SpokenPhrase& phrase, Event& event, Random& random) const {
  if (!phrase.path.empty()) {
    event.recording = phrase.id;
    event.speaker = "tuxpaint:" + phrase.language;
    return change_speed(load_audio_16k(phrase.path).samples, random.uniform(0.96, 1.04));
  }
  const VoiceStyle style = draw_style(random);
  if (phrase.language == "Chinese") {
    static const std::vector<std::string> variants = {"", "+m3", "+m7", "+f2", "+f4", "+f5"};
    const std::string voice = "cmn" + random.pick(variants);
    event.recording = event.speaker = "espeak-ng:" + voice;
    return speak_espeak(voice, style, phrase.text, work_dir_);
  }
  const Voice voice = choose_voices(1, phrase.unseen ? "test-unseen" : "train", random).front();
  event.recording = event.speaker = voice.id;
  event.gender = voice.gender;
  return speak(voice, style, phrase.text, work_dir_);
}

Scene PhraseBook::make(const std::string& clip_id, const std::string& split, std::uint64_t seed) const {
  Random random = Random::for_item(seed, "phrase/" + split + "/" + clip_id);
  Scene scene;
  scene.id = clip_id;
  scene.type = SceneType::kLanguage;
  scene.split = split;
  Layer layer;
  for (int attempt = 0; layer.samples.empty(); ++attempt) {
    if (attempt > 50)
      throw Error(ErrorCode::kInput, "no spoken phrase of a usable length", "reinstall tuxpaint-stamps-default");
    const SpokenPhrase& phrase = phrases_[random.pick(random.pick(directions_[split == "test-unseen" ? 1 : 0]))];
    layer.event = {};
    layer.event.kind = EventKind::kSpeech;
    layer.event.label = "speech";
    layer.event.language = phrase.language;
    layer.event.text = phrase.text;
    layer.event.translation = phrase.translation;
    layer.event.detail.emplace().translation_language = phrase.target;
    const Samples all = spoken(phrase, layer.event, random);
    const SampleRange range = trimmed_range(all, 38);
    const double seconds = static_cast<double>(range.size()) / kSynthRate;
    if (seconds < 0.6 || seconds > kLongestSeconds) continue;
    layer.samples.assign(all.begin() + static_cast<std::ptrdiff_t>(range.from),
                         all.begin() + static_cast<std::ptrdiff_t>(range.to));
    scene.staging = Staging{"spoken_phrases", phrase.language + " to " + phrase.target, 0, 0};
    scene.sources = {phrase.path.empty()
                         ? SourceRef{phrase.id, "tuxpaint-stamps-default", "", "GPL-2+ text, spoken by software", ""}
                         : source_of_file(phrase.id, *find_package("TP"), phrase.path)};
  }
  mix_alone(std::move(layer), scene, random);
  return scene;
}

}  // namespace areason
