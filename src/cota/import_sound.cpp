// AudioSet, AudioCaps, Clotho and MusicBench as released.
#include <algorithm>
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

[[noreturn]] void no_table(const std::string& path, const std::string& wanted) {
  throw Error(ErrorCode::kInput, path + ": no " + wanted + " there", "docs/cota.md says what each source needs");
}

// `path` itself when it is a file, else the files in it whose names begin and end so, in alphabetical order.
std::vector<std::string> tables_in(const std::string& path, const std::string& begin, const std::string& end) {
  if (fs::is_regular_file(path)) return {path};
  std::vector<std::string> out;
  if (fs::is_directory(path)) {
    for (const auto& entry : fs::directory_iterator(path)) {
      const std::string name = entry.path().filename().string();
      if (name.rfind(begin, 0) == 0 && name.ends_with(end)) out.push_back(entry.path().string());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string folder_of(const ImportOptions& options) {
  if (!options.audio.empty()) return options.audio;
  return fs::is_directory(options.path) ? options.path : fs::path(options.path).parent_path().string();
}

// mid -> name. Some copies of the table lack the quotes around names with commas, so everything after the mid is the name.
std::map<std::string, std::string> class_names(const std::string& path) {
  std::map<std::string, std::string> out;
  TableReader table(path, ',', Quoting::kRfc4180);
  while (table.next()) {
    const auto& fields = table.fields();
    if (fields.size() < 3) continue;
    std::string name = joined({fields.begin() + 2, fields.end()}, ",");
    std::replace(name.begin(), name.end(), '_', ' ');
    out[trimmed(fields[1])] = trimmed(name);
  }
  return out;
}

std::string fixed(double value, const char* format) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, format, value);
  return buffer;
}

// Downloaders name the same segment in five ways.
std::vector<std::string> segment_names(const std::string& id, double from, double to) {
  const std::string start = fixed(from, "%.3f"), end = fixed(to, "%.3f");
  return with_extensions({id + "_" + start, id + "_" + start + "_" + end, id + "_" + fixed(from * 1000, "%.0f"),
                          id + "_" + fixed(from, "%.0f"), "Y" + id, id});
}

void list_segments(const ImportOptions& options, const std::string& file, const std::map<std::string, std::string>& names,
                   const ImportSink& sink) {
  TableReader table(file, ',', Quoting::kRfc4180, {"ytid", "from", "to", "labels"});
  while (table.next()) {
    const std::string id = table["ytid"];
    const double from = std::atof(table["from"].c_str()), to = std::atof(table["to"].c_str());
    if (!table.complete() || id.empty() || to <= from) {
      sink.broken(table.where(), "not a segment: id, start, end, labels");
      continue;
    }
    std::vector<std::string> labels;
    std::string mid;
    for (const char c : table["labels"] + ",") {
      if (c != ',') {
        mid += c;
      } else if (const auto it = names.find(trimmed(mid)); it != names.end()) {
        labels.push_back(it->second);
        mid.clear();
      } else {
        mid.clear();
      }
    }
    if (labels.empty()) {
      sink.broken(table.where(), "none of its labels is in class_labels_indices.csv");
      continue;
    }
    ImportRow row;
    row.clip = new_source_clip("audioset", id + "_" + fixed(from, "%.3f"), folder_of(options), "YouTube; labels CC BY 4.0");
    row.clip.domain = "sound";
    row.clip.task = "sound_qa";
    row.clip.group = "youtube:" + id;
    row.clip.split = split_of_name(file, options.split);
    row.clip.add_fact("labels", joined(labels, "; "));
    row.candidates = segment_names(id, from, to);
    row.where = table.where();
    sink.row(std::move(row));
  }
}

}  // namespace

void list_audioset(const ImportOptions& options, const ImportSink& sink) {
  const std::string folder = fs::is_directory(options.path) ? options.path : fs::path(options.path).parent_path().string();
  const auto names = class_names(folder + "/class_labels_indices.csv");
  const auto tables = tables_in(options.path, "", "_segments.csv");
  if (tables.empty()) no_table(options.path, "*_segments.csv");
  for (const std::string& file : tables) list_segments(options, file, names, sink);
}

void list_audiocaps(const ImportOptions& options, const ImportSink& sink) {
  std::vector<std::string> tables;
  for (const char* split : {"test", "val", "train"}) {
    for (const std::string& file : tables_in(options.path, split, ".csv")) {
      if (tables.empty() || tables.back() != file) tables.push_back(file);
    }
  }
  if (tables.empty()) no_table(options.path, "train.csv, val.csv or test.csv");
  for (const std::string& file : tables) {
    TableReader table(file, ',', Quoting::kRfc4180);
    table.require({"youtube_id", "start_time", "caption"});
    // val and test have five rows a clip, one a caption.
    std::vector<ImportRow> rows;
    std::map<std::string, std::size_t> places;
    while (table.next()) {
      const std::string id = table["youtube_id"], start = table["start_time"];
      if (!table.complete() || id.empty() || table["caption"].empty()) {
        sink.broken(table.where(), "no youtube_id or caption");
        continue;
      }
      const auto [it, fresh] = places.emplace(id + "_" + start, rows.size());
      if (fresh) {
        ImportRow row;
        row.clip = new_source_clip("audiocaps", id + "_" + start, folder_of(options), "academic use; captions MIT");
        row.clip.domain = "sound";
        row.clip.task = "sound_qa";
        row.clip.group = "youtube:" + id;
        row.clip.split = split_of_name(file, options.split);
        const double from = std::atof(start.c_str());
        row.candidates = segment_names(id, from, from + 10);
        row.where = table.where();
        row.clip.add_fact("caption", table["caption"]);
        rows.push_back(std::move(row));
      } else {
        rows[it->second].clip.facts[0].second += " / " + table["caption"];
      }
    }
    for (ImportRow& row : rows) sink.row(std::move(row));
  }
}

namespace {

struct ClothoAbout {
  std::string keywords, licence, link;
};

std::map<std::string, ClothoAbout> clotho_metadata(const std::string& path) {
  std::map<std::string, ClothoAbout> out;
  if (!fs::exists(path)) return out;
  std::string first;
  std::getline(std::ifstream(path), first);
  // The test subset's file has another delimiter than the rest.
  const char delimiter = first.find(';') != std::string::npos && first.find(',') == std::string::npos ? ';' : ',';
  TableReader table(path, delimiter, Quoting::kRfc4180);
  while (table.next()) out[table["file_name"]] = {table["keywords"], table["license"], table["sound_link"]};
  return out;
}

}  // namespace

void list_clotho(const ImportOptions& options, const ImportSink& sink) {
  const auto tables = tables_in(options.path, "clotho_captions_", ".csv");
  if (tables.empty()) no_table(options.path, "clotho_captions_*.csv");
  for (const std::string& file : tables) {
    const std::string subset = fs::path(file).stem().string().substr(std::string("clotho_captions_").size());
    const auto about = clotho_metadata((fs::path(file).parent_path() / ("clotho_metadata_" + subset + ".csv")).string());
    TableReader table(file, ',', Quoting::kRfc4180);
    table.require({"file_name", "caption_1"});
    while (table.next()) {
      const std::string name = table["file_name"];
      if (name.empty() || table["caption_1"].empty()) {
        sink.broken(table.where(), "no file_name or caption_1");
        continue;
      }
      const auto it = about.find(name);
      ImportRow row;
      row.clip = new_source_clip("clotho", subset + "/" + name, folder_of(options),
                                 it == about.end() ? "unknown (Freesound)" : it->second.licence);
      row.clip.domain = "sound";
      row.clip.task = "sound_qa";
      row.clip.split = subset.rfind("validation", 0) == 0 ? "val" : split_of_name(subset, options.split);
      std::vector<std::string> captions;
      for (int i = 1; i <= 5; ++i) captions.push_back(table["caption_" + std::to_string(i)]);
      row.clip.add_fact("caption", joined(captions, " / "));
      if (it != about.end()) {
        row.clip.add_fact("keywords", it->second.keywords);
        if (!it->second.link.empty()) row.clip.group = it->second.link;
      }
      row.candidates = {name, subset + "/" + name};
      row.where = table.where();
      sink.row(std::move(row));
    }
  }
}

namespace {

// "C major" of ["C", "major"], "3 beats to the bar" of beats' second list, "" for what is empty.
std::string words_of_list(const Json& json, const char* name, const char* between) {
  const auto it = json.find(name);
  if (it == json.end()) return "";
  if (it->is_string()) return it->get<std::string>();
  if (it->is_number()) return fixed(it->get<double>(), "%.0f");
  if (!it->is_array()) return "";
  std::vector<std::string> parts;
  for (const Json& part : *it) {
    if (part.is_string()) parts.push_back(part.get<std::string>());
  }
  return joined(parts, between);
}

std::string meter_of(const Json& json) {
  const auto it = json.find("beats");
  if (it == json.end() || !it->is_array() || it->size() != 2 || !(*it)[1].is_array()) return "";
  double most = 0;
  for (const Json& place : (*it)[1]) most = place.is_number() ? std::max(most, place.get<double>()) : most;
  return most < 2 || most > 12 ? "" : fixed(most, "%.0f") + " beats to the bar";
}

// "data_aug2/-0SdAVK79lg_1.wav" -> "-0SdAVK79lg": augmented copies belong to their track.
std::string base_track(const std::string& location) {
  std::string stem = fs::path(location).stem().string();
  const std::size_t bar = stem.rfind('_');
  if (bar != std::string::npos && bar + 2 == stem.size() && stem.back() >= '0' && stem.back() <= '9') stem.resize(bar);
  return stem;
}

void musicbench_row(const ImportOptions& options, const std::string& file, const Json& json,
                    const std::pair<const ImportSink&, std::string>& sink_where) {
  const auto& [sink, where] = sink_where;
  const std::string location = words_of_list(json, "location", ""), caption = words_of_list(json, "main_caption", "");
  if (location.empty() || caption.empty()) return sink.broken(where, "no location or main_caption");
  const auto held_out = json.find("is_audioset_eval_mcaps");
  const bool is_test = held_out != json.end() && held_out->is_boolean() && held_out->get<bool>();
  ImportRow row;
  row.clip = new_source_clip("musicbench", location, folder_of(options), "CC BY-SA 3.0");
  row.clip.domain = "music";
  row.clip.task = "music_qa";
  row.clip.split = is_test ? "test" : split_of_name(file, options.split);
  row.clip.group = "musicbench:" + base_track(location);
  row.clip.add_fact("caption", caption);
  row.clip.add_fact("bpm", words_of_list(json, "bpm", ""));
  row.clip.add_fact("key", words_of_list(json, "key", " "));
  row.clip.add_fact("meter", meter_of(json));
  row.clip.add_fact("chords", words_of_list(json, "chords", " "));
  row.candidates = {location, "datashare/" + location};
  row.where = where;
  sink.row(std::move(row));
}

}  // namespace

void list_musicbench(const ImportOptions& options, const ImportSink& sink) {
  const auto tables = tables_in(options.path, "MusicBench_", ".json");
  if (tables.empty()) no_table(options.path, "MusicBench_*.json");
  for (const std::string& file : tables) {
    std::ifstream in(file, std::ios::binary);
    std::string line;
    for (int number = 1; std::getline(in, line); ++number) {  // JSON Lines, whatever the name says
      if (trimmed(line).empty()) continue;
      const std::string where = file + ", line " + std::to_string(number);
      try {
        const Json json = parse_json(line, where);
        if (json.is_object())
          musicbench_row(options, file, json, {sink, where});
        else
          sink.broken(where, "no JSON object");
      } catch (const Error& e) {
        sink.broken(where, e.what());
      }
    }
  }
}

}  // namespace areason
