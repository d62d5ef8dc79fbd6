// Sources of one's own: a folder of sound files, a CSV or JSONL table, and what data synth wrote.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "cota/annotate.h"
#include "cota/import_sources.h"
#include "cota/import_table.h"

namespace areason {

namespace fs = std::filesystem;

namespace {

constexpr const char* kExtensions[] = {".wav", ".flac", ".mp3", ".ogg", ".m4a", ".mp4"};

// Columns that are the clip's own; every other one is a fact under its name.
const std::set<std::string> kOwnColumns = {"file",    "audio",   "path", "id",     "split",
                                           "licence", "license", "task", "domain", "group"};

// A table without one of these is some other table, or one with another delimiter.
bool can_name_files(const std::set<std::string>& columns) {
  return columns.contains("file") || columns.contains("audio") || columns.contains("path");
}

void require_file_column(const std::string& path, const std::set<std::string>& columns) {
  if (can_name_files(columns)) return;
  constexpr std::size_t kMostShown = 300;
  std::string found = joined({columns.begin(), columns.end()}, ", ");
  if (found.size() > kMostShown) found = found.substr(0, kMostShown) + " …";
  // As JSON: names of a file that is no table may hold anything.
  throw Error(
      ErrorCode::kInput, path + ": no column file, audio or path, but " + dump_json(Json(found)),
      "name the column of the sound files so; in .csv a comma parts columns, in .tsv a tab, .jsonl has an object a line");
}

std::string task_or(const std::string& task) { return task.empty() ? "sound_qa" : task; }
std::string domain_of_task(const std::string& task) {
  if (task == "music_qa") return "music";
  return task == "sound_qa" || task == "complex_audio" ? "sound" : "speech";
}

// One row of a table of one's own, by column name.
void own_row(const ImportOptions& options, const std::string& root, const std::map<std::string, std::string>& fields,
             const std::pair<const ImportSink&, std::string>& sink_where) {
  const auto& [sink, where] = sink_where;
  const auto get = [&](const char* name) {
    const auto it = fields.find(name);
    return it == fields.end() ? std::string() : it->second;
  };
  const std::string file = !get("file").empty() ? get("file") : !get("audio").empty() ? get("audio") : get("path");
  if (file.empty()) return sink.broken(where, "no file, audio or path");
  const std::string licence = !get("licence").empty() ? get("licence") : get("license");
  ImportRow row;
  row.clip = new_source_clip("own", get("id").empty() ? file : get("id"), root, licence);
  row.clip.split = get("split").empty() ? options.split : get("split");
  row.clip.task = task_or(get("task"));
  row.clip.domain = get("domain").empty() ? domain_of_task(row.clip.task) : get("domain");
  if (!get("group").empty()) row.clip.group = "own:" + get("group");
  row.candidates = {file};
  row.where = where;
  for (const auto& [name, value] : fields) {
    if (!kOwnColumns.contains(name)) row.clip.add_fact(lower_ascii(name), value);
  }
  sink.row(std::move(row));
}

std::string text_value(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return "";
  if (!value.is_array()) return dump_json(value);
  std::vector<std::string> parts;
  for (const Json& part : value) parts.push_back(text_value(part));
  return joined(parts, "; ");
}

void list_json_lines(const ImportOptions& options, const std::string& root, const ImportSink& sink) {
  std::ifstream in(options.path, std::ios::binary);
  if (!in) throw Error(ErrorCode::kInput, options.path + ": cannot be opened", "check the path");
  refuse_wide_text(in, options.path);
  std::set<std::string> columns;  // of all rows; once they will do, of no more
  std::string line;
  int number = 1;
  for (; std::getline(in, line); ++number) {
    if (trimmed(line).empty()) continue;
    const std::string where = options.path + ", line " + std::to_string(number);
    try {
      std::map<std::string, std::string> fields;
      const Json json = parse_json(line, where);
      for (const auto& [name, value] : json.items()) fields[name] = text_value(value);
      if (!can_name_files(columns))
        for (const auto& [name, value] : fields) columns.insert(name);
      own_row(options, root, fields, {sink, where});
    } catch (const Error& e) {
      sink.broken(where, e.what());
    }
  }
  if (number > 1) require_file_column(options.path, columns);
}

}  // namespace

SourceClip new_source_clip(const std::string& set, const std::string& id, const std::string& root, const std::string& licence) {
  SourceClip clip;
  clip.id = set + ":" + id;
  clip.source.set = set;
  clip.source.id = id;
  clip.source.licence = licence;
  clip.root = fs::absolute(root.empty() ? "." : root).lexically_normal().string();
  clip.group = clip.id;
  return clip;
}

std::vector<std::string> with_extensions(const std::vector<std::string>& stems) {
  std::vector<std::string> out;
  for (const std::string& stem : stems) {
    for (const char* extension : kExtensions) out.push_back(stem + extension);
  }
  return out;
}

std::string split_of_name(const std::string& name, const std::string& fallback) {
  const std::string low = lower_ascii(fs::path(name).filename().string());
  for (const char* word : {"eval", "test"}) {
    if (low.find(word) != std::string::npos) return "test";
  }
  for (const char* word : {"dev-", "dev.", "dev_sent", "dev_splits", "val"}) {
    if (low.find(word) != std::string::npos) return "val";
  }
  return low.find("train") != std::string::npos || low.find("development") != std::string::npos ? "train" : fallback;
}

std::string joined(const std::vector<std::string>& items, const std::string& between) {
  std::string out;
  for (const std::string& item : items) {
    if (item.empty()) continue;
    out += (out.empty() ? "" : between) + item;
  }
  return out;
}

void list_folder(const ImportOptions& options, const ImportSink& sink) {
  if (!fs::is_directory(options.path))
    throw Error(ErrorCode::kInput, options.path + ": no folder", "give the folder with the sound files");
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(options.path)) {
    const std::string extension = lower_ascii(entry.path().extension().string());
    // "._x.wav" are AppleDouble files that archives from a Mac bring along.
    if (entry.path().filename().string().rfind("._", 0) == 0) continue;
    if (entry.is_regular_file() &&
        std::find(std::begin(kExtensions), std::end(kExtensions), extension) != std::end(kExtensions))
      files.push_back(fs::relative(entry.path(), options.path).string());
  }
  std::sort(files.begin(), files.end());
  for (const std::string& file : files) own_row(options, options.path, {{"file", file}}, {sink, file});
}

void list_table(const ImportOptions& options, const ImportSink& sink) {
  const std::string root = options.audio.empty() ? fs::path(options.path).parent_path().string() : options.audio;
  const std::string extension = lower_ascii(fs::path(options.path).extension().string());
  if (extension == ".jsonl" || extension == ".json") return list_json_lines(options, root, sink);
  const bool tabs = extension == ".tsv";
  TableReader table(options.path, tabs ? '\t' : ',', tabs ? Quoting::kNone : Quoting::kRfc4180);
  const std::vector<std::string> columns = table.columns();
  require_file_column(options.path, {columns.begin(), columns.end()});
  while (table.next()) {
    if (!table.complete()) {
      sink.broken(table.where(), "fewer fields than the header has");
      continue;
    }
    std::map<std::string, std::string> fields;
    for (const std::string& name : columns) fields[name] = table[name];
    own_row(options, root, fields, {sink, table.where()});
  }
}

void list_synth(const ImportOptions& options, const ImportSink& sink) {
  bool any = false;
  for (const char* split : {"test-unseen", "test-known", "val", "train"}) {
    const std::string file = options.path + "/" + split + ".jsonl";
    if (!fs::exists(file)) continue;
    any = true;
    // In the order of the file; a clip's questions need not stand together.
    std::map<std::string, std::size_t> places;
    std::vector<SourceClip> clips;
    read_samples(file, [&](Sample&& s) {
      if (s.audio.empty()) return;
      const std::string key = joined(s.audio, "+");
      const auto [it, fresh] = places.emplace(key, clips.size());
      if (fresh) {
        clips.push_back(new_source_clip("nano-synth", s.source.id, options.path, s.source.licence));
        SourceClip& clip = clips.back();
        if (s.audio.size() > 1) clip.id += "+" + sha256_hex(key).substr(0, 8);
        clip.source = s.source;
        clip.audio = s.audio;
        clip.domain = s.domain;
        clip.task = s.task;
        clip.split = s.split.empty() ? split : s.split;
        clip.group = clip.id;
        clip.timeline = s.timeline;
      }
      SourceClip& clip = clips[it->second];
      const bool asked = std::any_of(clip.oracle.begin(), clip.oracle.end(),
                                     [&](const Sample& other) { return trimmed(other.question) == trimmed(s.question); });
      if (!asked) clip.oracle.push_back(std::move(s));
    });
    for (SourceClip& clip : clips) {
      ImportRow row;
      row.where = file + ", clip " + clip.source.id;
      row.clip = std::move(clip);
      sink.row(std::move(row));
    }
  }
  if (!any)
    throw Error(ErrorCode::kInput, options.path + ": no train.jsonl, val.jsonl or test-*.jsonl", "give a folder of data synth");
}

}  // namespace areason
