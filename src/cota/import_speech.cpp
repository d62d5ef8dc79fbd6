// MELD, MUStARD, CoVoST 2 on Common Voice, and LibriSpeech as released; and the table of all kinds.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/error.h"
#include "base/json.h"
#include "cota/annotate.h"
#include "cota/import_sources.h"
#include "cota/import_table.h"

namespace areason {

namespace fs = std::filesystem;

namespace {

std::string audio_root(const ImportOptions& options) { return options.audio.empty() ? options.path : options.audio; }

// "00:16:16,059" in seconds; 0 for anything else.
double clock_seconds(const std::string& text) {
  int h = 0, m = 0, s = 0, ms = 0;
  return std::sscanf(text.c_str(), "%d:%d:%d,%d", &h, &m, &s, &ms) == 4 ? h * 3600.0 + m * 60.0 + s + ms / 1000.0 : 0;
}

struct MeldSplit {
  const char* table;
  const char* split;
  std::vector<std::string> folders;
};

void meld_row(const ImportOptions& options, const MeldSplit& part, const TableReader& table, const ImportSink& sink) {
  const std::string dialogue = table["Dialogue_ID"], utterance = table["Utterance_ID"];
  if (dialogue.empty() || utterance.empty() || table["Utterance"].empty() || table["Emotion"].empty())
    return sink.broken(table.where(), "no dialogue, utterance or emotion");
  const std::string stem = "dia" + dialogue + "_utt" + utterance;
  ImportRow row;
  row.clip =
      new_source_clip("meld", std::string(part.split) + "/" + stem, audio_root(options), "GPL-3.0 annotations; TV audio");
  row.clip.domain = "speech";
  row.clip.task = "emotion";
  row.clip.split = part.split;
  row.clip.group = std::string("meld:") + part.split + "/" + dialogue;
  row.clip.add_fact("transcript", table["Utterance"]);
  row.clip.add_fact("speaker", table["Speaker"]);
  row.clip.add_fact("emotion", table["Emotion"]);
  row.clip.add_fact("sentiment", table["Sentiment"]);
  row.candidates = with_extensions({stem});
  for (const std::string& folder : part.folders) {
    for (const std::string& name : with_extensions({folder + "/" + stem})) row.candidates.push_back(name);
  }
  row.expected_seconds = clock_seconds(table["EndTime"]) - clock_seconds(table["StartTime"]);
  row.where = table.where();
  sink.row(std::move(row));
}

}  // namespace

void list_meld(const ImportOptions& options, const ImportSink& sink) {
  const MeldSplit parts[] = {{"test_sent_emo.csv", "test", {"output_repeated_splits_test", "test"}},
                             {"dev_sent_emo.csv", "val", {"dev_splits_complete", "dev"}},
                             {"train_sent_emo.csv", "train", {"train_splits", "train"}}};
  bool any = false;
  for (const MeldSplit& part : parts) {
    const std::string file = options.path + "/" + part.table;
    if (!fs::exists(file)) continue;
    any = true;
    TableReader table(file, ',', Quoting::kRfc4180);
    table.require({"Utterance", "Emotion", "Dialogue_ID", "Utterance_ID"});
    while (table.next()) meld_row(options, part, table, sink);
  }
  if (!any) throw Error(ErrorCode::kInput, options.path + ": no *_sent_emo.csv there", "give MELD's folder data/MELD");
}

void list_mustard(const ImportOptions& options, const ImportSink& sink) {
  const std::string file = fs::is_directory(options.path) ? options.path + "/sarcasm_data.json" : options.path;
  const std::string root = !options.audio.empty() ? options.audio : fs::path(file).parent_path().string();
  const Json all = read_json_file(file);
  if (!all.is_object()) throw Error(ErrorCode::kInput, file + ": no JSON object", "is it MUStARD's sarcasm_data.json?");
  for (const auto& [key, json] : all.items()) {
    const std::string where = file + ", " + key;
    const auto text = [&, &entry = json](const char* name) {
      const auto it = entry.find(name);
      return it != entry.end() && it->is_string() ? it->template get<std::string>() : std::string();
    };
    if (!json.is_object() || text("utterance").empty() || !json.contains("sarcasm") || !json["sarcasm"].is_boolean()) {
      sink.broken(where, "no utterance or sarcasm");
      continue;
    }
    ImportRow row;
    row.clip = new_source_clip("mustard", key, root, "MIT annotations; TV audio");
    row.clip.domain = "speech";
    row.clip.task = "sarcasm";
    row.clip.split = options.split;
    row.clip.add_fact("transcript", text("utterance"));
    row.clip.add_fact("speaker", text("speaker"));
    std::vector<std::string> lines;
    const Json context = json.value("context", Json::array()), speakers = json.value("context_speakers", Json::array());
    for (std::size_t i = 0; context.is_array() && i < context.size(); ++i) {
      const bool named = speakers.is_array() && i < speakers.size() && speakers[i].is_string();
      if (context[i].is_string())
        lines.push_back((named ? speakers[i].get<std::string>() + ": " : "") + context[i].get<std::string>());
    }
    row.clip.add_fact("context", joined(lines, " / "));
    row.clip.add_fact("sarcasm", json["sarcasm"].get<bool>() ? "sarcastic" : "not sarcastic");
    row.candidates = with_extensions({"utterances_final/" + key, key, "mmsd_raw_data/utterances_final/" + key});
    row.where = where;
    sink.row(std::move(row));
  }
}

namespace {

std::string language_name(const std::string& code) {
  // All of CoVoST 2 (arXiv 2007.10310, table 1).
  static const std::map<std::string, std::string> kNames = {
      {"en", "English"},    {"zh-CN", "Chinese"}, {"de", "German"},    {"fr", "French"},     {"es", "Spanish"},
      {"ja", "Japanese"},   {"ru", "Russian"},    {"it", "Italian"},   {"pt", "Portuguese"}, {"ca", "Catalan"},
      {"fa", "Persian"},    {"tr", "Turkish"},    {"et", "Estonian"},  {"mn", "Mongolian"},  {"nl", "Dutch"},
      {"sv-SE", "Swedish"}, {"lv", "Latvian"},    {"sl", "Slovenian"}, {"ta", "Tamil"},      {"ar", "Arabic"},
      {"id", "Indonesian"}, {"cy", "Welsh"}};
  const auto it = kNames.find(code);
  return it == kNames.end() ? code : it->second;
}

void list_translations(const ImportOptions& options, const std::string& file, const ImportSink& sink) {
  // covost_v2.<source>_<target>.tsv; language codes have no underscore.
  const std::string pair = fs::path(file).stem().string().substr(std::string("covost_v2.").size());
  const std::size_t bar = pair.find('_');
  if (bar == std::string::npos) return sink.broken(file, "its name has no language pair");
  const std::string from = language_name(pair.substr(0, bar)), to = language_name(pair.substr(bar + 1));
  std::map<std::string, std::pair<std::string, std::string>> spoken;  // path -> sentence, speaker
  const std::string validated = (fs::path(file).parent_path() / "validated.tsv").string();
  if (fs::exists(validated)) {
    TableReader table(validated, '\t', Quoting::kBackslash);
    table.require({"path", "sentence"});
    while (table.next()) spoken[table["path"]] = {table["sentence"], table["client_id"]};
  }
  TableReader table(file, '\t', Quoting::kBackslash);
  table.require({"path", "translation", "split"});
  while (table.next()) {
    const std::string path = table["path"], split = table["split"];
    const auto it = spoken.find(path);
    const std::string sentence = it != spoken.end() ? it->second.first : table["sentence"];
    if (path.empty() || sentence.empty() || table["translation"].empty()) {
      sink.broken(table.where(), "no path, translation, or sentence (validated.tsv of Common Voice belongs beside it)");
      continue;
    }
    ImportRow row;
    row.clip = new_source_clip("covost2", pair + "/" + path,
                               options.audio.empty() ? fs::path(file).parent_path().string() : options.audio, "CC0");
    row.clip.domain = "speech";
    row.clip.task = "translation";
    row.clip.split = split == "dev" ? "val" : split == "test" ? "test" : "train";
    const std::string speaker = it != spoken.end() ? it->second.second : table["client_id"];
    if (!speaker.empty()) row.clip.group = "commonvoice:" + speaker;
    row.clip.add_fact("transcript", sentence);
    row.clip.add_fact("translation", table["translation"]);
    row.clip.add_fact("language", from);
    row.clip.add_fact("target_language", to);
    row.candidates = {path, "clips/" + path};
    row.where = table.where();
    sink.row(std::move(row));
  }
}

}  // namespace

void list_covost2(const ImportOptions& options, const ImportSink& sink) {
  std::vector<std::string> files;
  if (fs::is_directory(options.path)) {
    for (const auto& entry : fs::directory_iterator(options.path)) {
      const std::string name = entry.path().filename().string();
      if (name.rfind("covost_v2.", 0) == 0 && name.ends_with(".tsv")) files.push_back(entry.path().string());
    }
  } else if (fs::path(options.path).filename().string().rfind("covost_v2.", 0) == 0) {
    files.push_back(options.path);
  }
  if (files.empty())
    throw Error(ErrorCode::kInput, options.path + ": no covost_v2.*.tsv there", "docs/cota.md says what CoVoST 2 needs");
  std::sort(files.begin(), files.end());
  for (const std::string& file : files) list_translations(options, file, sink);
}

namespace {

// SPEAKERS.TXT: id -> "woman" or "man". A name may hold the separator, so only the first fields are looked at.
std::map<std::string, std::string> reader_genders(const std::string& file) {
  std::map<std::string, std::string> out;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == ';') continue;
    const std::size_t first = line.find('|');
    const std::size_t second = first == std::string::npos ? first : line.find('|', first + 1);
    if (second == std::string::npos) continue;
    out[trimmed(line.substr(0, first))] = trimmed(line.substr(first + 1, second - first - 1)) == "F" ? "woman" : "man";
  }
  return out;
}

void list_chapter(const ImportOptions& options, const fs::path& file, const std::map<std::string, std::string>& genders,
                  const ImportSink& sink) {
  const fs::path folder = fs::relative(file.parent_path(), options.path);
  std::ifstream in(file);
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    const std::size_t blank = line.find(' ');
    const std::string where = file.string() + ", line " + std::to_string(number);
    if (blank == std::string::npos || blank == 0) {
      sink.broken(where, "no \"id WORDS\"");
      continue;
    }
    const std::string id = line.substr(0, blank), reader = id.substr(0, id.find('-'));
    ImportRow row;
    row.clip = new_source_clip("librispeech", id, options.path, "CC BY 4.0");
    row.clip.domain = "speech";
    row.clip.task = "speech_qa";
    row.clip.split = split_of_name(folder.begin()->string(), options.split);
    row.clip.group = "librispeech:" + reader;
    row.clip.add_fact("transcript", lower_ascii(trimmed(line.substr(blank + 1))));
    row.clip.add_fact("speaker", reader);
    if (const auto it = genders.find(reader); it != genders.end()) row.clip.add_fact("gender", it->second);
    row.candidates = {(folder / (id + ".flac")).string(), (folder / (id + ".wav")).string()};
    row.where = where;
    sink.row(std::move(row));
  }
}

}  // namespace

void list_librispeech(const ImportOptions& options, const ImportSink& sink) {
  if (!fs::is_directory(options.path))
    throw Error(ErrorCode::kInput, options.path + ": no folder", "give the folder LibriSpeech");
  const auto genders = reader_genders(options.path + "/SPEAKERS.TXT");
  std::vector<fs::path> chapters;
  for (const auto& entry : fs::recursive_directory_iterator(options.path)) {
    if (entry.path().filename().string().ends_with(".trans.txt")) chapters.push_back(entry.path());
  }
  if (chapters.empty())
    throw Error(ErrorCode::kInput, options.path + ": no *.trans.txt below it", "give the folder LibriSpeech");
  std::sort(chapters.begin(), chapters.end());
  for (const fs::path& chapter : chapters) list_chapter(options, chapter, genders, sink);
}

const std::vector<ImportKind>& import_kinds() {
  static const std::vector<ImportKind> kKinds = {
      {"folder", "a folder of sound files, nothing known about them", list_folder},
      {"table", "a .csv, .tsv or .jsonl: file, and optionally id, split, licence, task, domain, group; other columns are facts",
       list_table},
      {"synth", "a folder of data synth, with its questions for --teacher oracle", list_synth},
      {"audioset", "*_segments.csv with class_labels_indices.csv", list_audioset},
      {"audiocaps", "train.csv, val.csv, test.csv", list_audiocaps},
      {"clotho", "clotho_captions_*.csv, with clotho_metadata_*.csv", list_clotho},
      {"musicbench", "MusicBench_*.json", list_musicbench},
      {"meld", "train_, dev_, test_sent_emo.csv and the folders of clips", list_meld},
      {"mustard", "sarcasm_data.json and utterances_final/", list_mustard},
      {"covost2", "covost_v2.*.tsv with Common Voice's validated.tsv and clips/", list_covost2},
      {"librispeech", "LibriSpeech/<subset>/<reader>/<chapter>", list_librispeech},
  };
  return kKinds;
}

}  // namespace areason
