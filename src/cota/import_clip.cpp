#include "cota/import_clip.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/error.h"
#include "base/json.h"

namespace areason {

namespace fs = std::filesystem;

namespace {

std::string text_of(const Json& json, const char* key) {
  const auto it = json.find(key);
  return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
}

}  // namespace

std::string SourceClip::fact(const std::string& name) const {
  for (const auto& [key, value] : facts) {
    if (key == name) return value;
  }
  return {};
}

void SourceClip::add_fact(const std::string& name, const std::string& value) {
  if (!value.empty()) facts.emplace_back(name, value);
}

Json source_clip_to_json(const SourceClip& c) {
  Json out = Json::object();
  put_clip_record(out, c);
  out["split"] = c.split;
  out["root"] = c.root;
  out["seconds"] = c.seconds;
  out["group"] = c.group;
  out["facts"] = Json::object();
  for (const auto& [name, value] : c.facts) out["facts"][name] = value;
  out["content"] = c.content;
  out["excluded"] = c.excluded;
  out["oracle"] = Json::array();
  for (const Sample& s : c.oracle) out["oracle"].push_back(sample_to_json(s));
  return out;
}

SourceClip source_clip_from_json(const Json& json, const std::string& where) {
  SourceClip c;
  static_cast<ClipRecord&>(c) = clip_record_from_json(json, where);
  c.root = text_of(json, "root");
  c.group = text_of(json, "group");
  c.content = text_of(json, "content");
  c.excluded = text_of(json, "excluded");
  if (const auto it = json.find("seconds"); it != json.end() && it->is_number()) c.seconds = it->get<double>();
  if (const auto it = json.find("facts"); it != json.end() && it->is_object()) {
    for (const auto& [name, value] : it->items()) {
      if (value.is_string()) c.add_fact(name, value.get<std::string>());
    }
  }
  if (const auto it = json.find("oracle"); it != json.end() && it->is_array()) {
    for (const Json& sample : *it) c.oracle.push_back(sample_from_json(sample, where));
  }
  return c;
}

void read_source_clips(const std::string& path, const std::function<void(SourceClip&&)>& each) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(ErrorCode::kInput, path + ": cannot be opened", "make the set with audio-reasoner data import first");
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    if (line.empty()) continue;
    const std::string where = path + ", line " + std::to_string(number);
    each(source_clip_from_json(parse_json(line, where), where));
  }
}

std::string path_inside(const std::string& root, const std::string& relative) {
  const fs::path part = fs::path(relative).lexically_normal();
  const auto refuse = [&](const std::string& why) {
    throw Error(ErrorCode::kInput, "the path \"" + relative + "\" " + why,
                "paths in data files are relative to their folder and stay inside it");
  };
  if (relative.empty() || relative.find('\0') != std::string::npos) refuse("is no path");
  if (part.is_absolute() || *part.begin() == "..") refuse("leads out of " + root);
  std::error_code ignored;
  const fs::path base = fs::weakly_canonical(root, ignored), whole = fs::weakly_canonical(fs::path(root) / part, ignored);
  const fs::path inner = whole.lexically_relative(base);
  if (inner.empty() || *inner.begin() == "..") refuse("leads out of " + root + " by a symbolic link");
  return (fs::path(root) / part).string();
}

std::string describe_clip(const SourceClip& clip) {
  std::string out;
  for (const auto& [name, value] : clip.facts) out += name + ": " + value + "\n";
  for (const TimelineEntry& e : clip.timeline) {
    char times[64];
    std::snprintf(times, sizeof times, "%.1f to %.1f s: ", e.from, e.to);
    out += times + e.label;
    if (!e.speaker.empty()) out += ", speaker " + e.speaker;
    if (!e.text.empty()) out += ", says \"" + e.text + "\"";
    out += "\n";
  }
  return out;
}

}  // namespace areason
