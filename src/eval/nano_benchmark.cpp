#include "eval/nano_benchmark.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include "audio/write.h"
#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "cota/sample.h"
#include "eval/mmau.h"
#include "eval/nano_translation.h"
#include "synth/process.h"
#include "synth/voices.h"

namespace areason {
namespace {

namespace fs = std::filesystem;

// How hard a kind is by the number of things that must be heard and put together; "" where MMAU's layout does not fit.
std::string difficulty_of(const std::string& kind) {
  static const std::map<std::string, std::string> table = {
      {"sound-name", "easy"},     {"sound-presence", "easy"}, {"sound-first", "medium"},    {"sound-last", "medium"},
      {"sound-after", "hard"},    {"sound-before", "hard"},   {"sound-order", "hard"},      {"sound-overlap", "hard"},
      {"sound-longer", "hard"},   {"speech-gender", "easy"},  {"speech-word", "medium"},    {"speech-language", "medium"},
      {"speech-mood", "medium"},  {"speech-who", "hard"},     {"music-instrument", "easy"}, {"music-tempo", "easy"},
      {"music-mode", "medium"},   {"music-mood", "medium"},   {"music-metre", "hard"},      {"mixed-sound", "medium"},
      {"mixed-presence", "easy"}, {"mixed-during", "hard"}};
  const auto found = table.find(kind);
  return found == table.end() ? "" : found->second;
}

// The question without its list of options; prompts put the list where they want it.
std::string bare_question(const Sample& sample) {
  const auto at = sample.question.find(" (a) ");
  return at == std::string::npos ? sample.question : sample.question.substr(0, at);
}

std::vector<std::string> choices_of(const Sample& sample) {
  if (!sample.choices.empty()) return sample.choices;
  if (sample.answer_text == "yes" || sample.answer_text == "no") return {"yes", "no"};
  return {};
}

// MELD's names for the acted moods (cota writes adjectives); "" for one that MELD does not have.
std::string meld_label(const std::string& mood) {
  static const std::map<std::string, std::string> table = {
      {"angry", "anger"}, {"surprised", "surprise"}, {"happy", "joy"},        {"afraid", "fear"},
      {"sad", "sadness"}, {"neutral", "neutral"},    {"disgusted", "disgust"}};
  const auto found = table.find(mood);
  return found == table.end() ? "" : found->second;
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

// "It is the siren. The answer is B." without its last sentence.
std::string spoken_answer(const Sample& sample) {
  const std::string& response = sample.sections[Section::kResponse];
  return response.substr(0, response.find(" The answer is "));
}

class NanoBenchmark {
 public:
  explicit NanoBenchmark(const NanoBenchmarkOptions& options) : options_(options) {
    read_samples(options.data + "/" + options.split + ".jsonl", [&](Sample&& sample) {
      if (options_.per_kind > 0 && seen_[sample.kind]++ >= options_.per_kind) return;
      take(sample);
    });
    if (mmau_.empty())
      throw Error(ErrorCode::kInput, options.data + " has no question that fits MMAU's layout", "name a folder of data synth");
  }

  Json write() {
    make_directories(options_.out);
    put("mmau/mmau-test-mini.json", dump_json(mmau_, 1) + "\n");
    put("airbench/Foundation/Foundation_meta.json", dump_json(foundation_, 1) + "\n");
    put("airbench/Chat/Chat_meta.json", dump_json(chat_, 1) + "\n");
    if (meld_rows_ > 0) put("meld/test_sent_emo.csv", meld_);
    put_translations();
    Json about = {{"made_from",
                   {{"split", options_.split},
                    {"sha256", sha256_file(options_.data + "/" + options_.split + ".jsonl")},
                    {"per_kind", options_.per_kind}}},
                  {"items",
                   {{"mmau", mmau_.size()},
                    {"airbench-foundation", foundation_.size()},
                    {"airbench-chat", chat_.size()},
                    {"meld", meld_rows_},
                    {"covost2", translations_}}},
                  {"files", files_},
                  {"clips", clips_.size()},
                  {"clips_sha256", clips_hash()},
                  {"left_out", Json::object()}};
    for (const auto& [why, n] : left_out_) about["left_out"][why] = n;
    write_file_atomic(options_.out + "/benchmark.json", dump_json(about, 2) + "\n");
    return about;
  }

 private:
  void take(const Sample& sample) {
    if (sample.audio.size() != 1) return leave_out("several_clips", sample);
    if (!sample.turns.empty()) return leave_out("earlier_turns", sample);
    add_chat(sample);
    if (sample.kind == "speech-mood") add_meld(sample);
    add_translation(sample);
    const auto choices = choices_of(sample);
    if (choices.empty()) return leave_out("open", sample);
    const std::string difficulty = difficulty_of(sample.kind);
    if (difficulty.empty()) return leave_out("no_difficulty", sample);
    add_foundation(sample, choices);
    if (!rule_can_tell(sample, choices)) return leave_out("options_equal_for_mmaus_rule", sample);
    const std::string clip = "audio/" + fs::path(sample.audio[0]).filename().string();
    add_clip("mmau/" + clip, sample);
    mmau_.push_back({{"id", sample.id},
                     {"audio_id", "./" + clip},
                     {"question", bare_question(sample)},
                     {"choices", choices},
                     {"answer", sample.answer_text},
                     {"dataset", "nano-synth"},
                     {"task", sample.domain == "mixed" ? "sound" : sample.domain},
                     {"split", options_.split},
                     {"category", difficulty == "easy" ? "Information Extraction" : "Reasoning"},
                     {"sub-category", sample.kind},
                     {"difficulty", difficulty},
                     {"asked", sample.question}});
  }

  // MMAU compares sets of words: the options of sound-order, the same names in other orders, are all right to it.
  static bool rule_can_tell(const Sample& sample, const std::vector<std::string>& choices) {
    return std::none_of(choices.begin(), choices.end(), [&](const std::string& choice) {
      return choice != sample.answer_text && mmau_match(sample.answer_text, choice, choices);
    });
  }

  void leave_out(const std::string& why, const Sample& sample) { ++left_out_[why + " " + sample.kind]; }

  // AIR-Bench has two to four options; its task names are the data's own spelling.
  void add_foundation(const Sample& sample, const std::vector<std::string>& choices) {
    if (choices.size() > 4) return;
    std::string task = sample.domain == "music" ? "Music_AQA" : "Sound_AQA";
    if (sample.kind == "speech-mood") task = "Speaker_Emotion_Recontion";
    if (sample.domain == "speech" && sample.kind != "speech-mood") return;  // no task of AIR-Bench asks these
    const std::string file = fs::path(sample.audio[0]).filename().string();
    add_clip("airbench/Foundation/" + task + "_nano/" + file, sample);
    Json item = {{"path", file}, {"question", bare_question(sample)}};
    for (std::size_t i = 0; i < choices.size(); ++i)
      item[std::string("choice_") + static_cast<char>('a' + static_cast<char>(i))] = choices[i];
    item["answer_gt"] = sample.answer_text;
    item["task_name"] = task;
    item["dataset_name"] = "nano";
    item["uniq_id"] = sample.id;
    foundation_.push_back(item);
  }

  void add_chat(const Sample& sample) {
    std::string task = sample.domain + "_QA";
    if (sample.domain == "mixed")
      task = sample.caption.find("music") != std::string::npos ? "speech_and_music_QA" : "speech_and_sound_QA";
    const std::string file = fs::path(sample.audio[0]).filename().string();
    add_clip("airbench/Chat/" + task + "_nano/" + file, sample);
    chat_.push_back({{"path", file},
                     {"question", bare_question(sample)},
                     {"answer_gt", spoken_answer(sample)},
                     {"meta_info", sample.caption},
                     {"task_name", task},
                     {"dataset_name", "nano"},
                     {"uniq_id", sample.id}});
  }

  void add_meld(const Sample& sample) {
    const std::string label = meld_label(sample.answer_text);
    if (label.empty()) return leave_out("no_meld_label " + sample.answer_text, sample);
    if (meld_.empty())
      meld_ =
          "Sr "
          "No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime,asked,choices\r\n";
    ++meld_rows_;
    Json labels = Json::array();  // of the question's options, in their order
    for (const std::string& choice : sample.choices) labels.push_back(meld_label(choice));
    add_clip(fmt::format("meld/dia{}_utt0{}", meld_rows_, fs::path(sample.audio[0]).extension().string()), sample);
    const char* sentiment = label == "neutral" ? "neutral" : label == "joy" || label == "surprise" ? "positive" : "negative";
    meld_ +=
        fmt::format("{},{},{},{},{},{},0,1,1,\"00:00:00,000\",\"00:00:00,000\",{},{}\r\n", meld_rows_, quoted(sample.caption),
                    "Speaker", label, sentiment, meld_rows_, quoted(sample.question), quoted(dump_json(labels)));
  }

  // Clips in which one English sentence of the generator's little language is all that is said.
  void add_translation(const Sample& sample) {
    std::string spoken;
    int lines = 0;
    for (const TimelineEntry& entry : sample.timeline) {
      if (entry.text.empty()) continue;
      spoken = entry.text;
      ++lines;
    }
    const std::string file = fs::path(sample.audio[0]).filename().string();
    if (sample.domain != "speech" || lines != 1 || sentences_.contains(file)) return;
    const auto pair = translate_sentence(spoken);
    if (!pair) return;
    sentences_.emplace(file, *pair);
    add_clip("covost2/en/clips/" + file, sample);
  }

  // CoVoST 2's two files. Nobody speaks Chinese in the data, so espeak-ng reads the Chinese sentences here.
  void put_translations() {
    constexpr std::string_view kColumns = "path\tsentence\ttranslation\tclient_id\n";
    std::string to_chinese(kColumns), to_english(kColumns);
    const bool has_voice = program_exists("espeak-ng");
    for (const auto& [file, pair] : sentences_) {
      to_chinese += file + "\t" + pair.english + "\t" + pair.chinese + "\tnano\n";
      ++translations_;
      if (!has_voice) {
        ++left_out_["no_espeak-ng for Chinese speech"];
        continue;
      }
      const std::string spoken = fs::path(file).stem().string() + ".flac";
      speak_chinese("covost2/zh-CN/clips/" + spoken, pair.chinese);
      to_english += spoken + "\t" + pair.chinese + "\t" + pair.english + "\tespeak-ng\n";
      ++translations_;
    }
    std::error_code ignored;
    fs::remove(options_.out + "/tmp", ignored);  // the voice's scratch folder
    if (sentences_.empty()) return;
    put("covost2/covost_v2.en_zh-CN.test.tsv", to_chinese);
    if (has_voice) put("covost2/covost_v2.zh-CN_en.test.tsv", to_english);
  }

  void speak_chinese(const std::string& to, const std::string& text) {
    const std::string path = options_.out + "/" + to;
    if (!fs::exists(path)) {
      make_directories(parent_directory(path));
      Waveform wave;
      wave.samples = speak_espeak("cmn", {}, text, options_.out);
      write_flac(path, wave);
    }
    clips_.emplace(path, sha256_file(path));
  }

  void add_clip(const std::string& to, const Sample& sample) {
    const fs::path target = fs::path(options_.out) / to;
    const fs::path from =
        fs::path(sample.audio[0]).is_absolute() ? fs::path(sample.audio[0]) : fs::path(options_.data) / sample.audio[0];
    clips_.emplace(from.string(), sample.source.sha256);
    if (!made_.insert(to).second || fs::exists(target)) return;
    make_directories(target.parent_path().string());
    std::error_code error;
    fs::create_hard_link(from, target, error);
    if (error) fs::copy_file(from, target, error);
    if (error)
      throw Error(ErrorCode::kInput, "cannot copy " + from.string() + " to " + target.string() + ": " + error.message(),
                  "check the clip and the free space");
  }

  // The clips by content, whatever their paths: the hashes that the data's generator recorded, sorted.
  std::string clips_hash() const {
    std::set<std::string> hashes;
    for (const auto& [path, hash] : clips_) hashes.insert(hash);
    std::string all;
    for (const std::string& hash : hashes) all += hash;
    return sha256_hex(all);
  }

  void put(const std::string& name, const std::string& bytes) {
    const std::string path = options_.out + "/" + name;
    make_directories(parent_directory(path));
    write_file_atomic(path, bytes);
    files_[name] = sha256_hex(bytes);
  }

  const NanoBenchmarkOptions& options_;
  std::map<std::string, int> seen_, left_out_;
  std::map<std::string, std::string> clips_;
  std::set<std::string> made_;
  Json mmau_ = Json::array(), foundation_ = Json::array(), chat_ = Json::array(), files_ = Json::object();
  std::map<std::string, SentencePair> sentences_;  // by clip
  std::string meld_;
  int meld_rows_ = 0, translations_ = 0;
};

}  // namespace

Json make_nano_benchmark(const NanoBenchmarkOptions& options) { return NanoBenchmark(options).write(); }

}  // namespace areason
