#include "cota/clip_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"

namespace areason {
namespace {

constexpr std::array<std::string_view, 8> kTypes = {"sound",    "speech", "dialogue", "acted",
                                                    "language", "music",  "mixed",    "long"};
constexpr std::array<std::string_view, 4> kEventKinds = {"sound", "speech", "music", "background"};

template <std::size_t N>
int index_of(const std::array<std::string_view, N>& names, const std::string& name) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == name) return static_cast<int>(i);
  }
  throw Error(ErrorCode::kInput, "unknown name \"" + name + "\" in a clip record", "make the data set again");
}

// Loudness in whole hundredths: more digits would say nothing.
double rounded(double value) { return std::round(value * 100) / 100; }

Json detail_json(const Event& e) {
  const EventDetail& d = *e.detail;
  Json out = Json{{"lufs", rounded(d.lufs)}, {"fade_in", rounded(d.fade_in)}, {"fade_out", rounded(d.fade_out)}};
  if (d.snr_db) out["snr_db"] = rounded(*d.snr_db);
  if (!d.topic.empty()) out["topic"] = d.topic;
  if (!d.statement.empty()) out["statement"] = d.statement;
  if (!d.intent.empty()) out["intent"] = d.intent;
  if (!e.translation.empty()) out["translation"] = Json{{"language", d.translation_language}, {"text", e.translation}};
  return out;
}

void read_detail(const Json& j, Event& e) {
  EventDetail& d = e.detail.emplace();
  d.lufs = j.at("lufs").get<double>();
  d.fade_in = j.at("fade_in").get<double>();
  d.fade_out = j.at("fade_out").get<double>();
  if (j.contains("snr_db")) d.snr_db = j["snr_db"].get<double>();
  d.topic = j.value("topic", "");
  d.statement = j.value("statement", "");
  d.intent = j.value("intent", "");
  if (!j.contains("translation")) return;
  d.translation_language = j["translation"].at("language").get<std::string>();
  e.translation = j["translation"].at("text").get<std::string>();
}

Json event_json(const Event& e) {
  Json out = Json{{"kind", kEventKinds[static_cast<std::size_t>(e.kind)]},
                  {"label", e.label},
                  {"from", e.from},
                  {"to", e.to},
                  {"level_db", e.level_db},
                  {"recording", e.recording},
                  {"speaker", e.speaker},
                  {"gender", e.gender},
                  {"language", e.language},
                  {"text", e.text},
                  {"mood", e.mood}};
  if (!e.manner.empty()) out["manner"] = e.manner;
  if (e.detail) out["detail"] = detail_json(e);
  return out;
}

Event event_of(const Json& j) {
  Event e;
  e.kind = static_cast<EventKind>(index_of(kEventKinds, j.at("kind").get<std::string>()));
  e.label = j.at("label").get<std::string>();
  e.from = j.at("from").get<double>();
  e.to = j.at("to").get<double>();
  e.level_db = j.at("level_db").get<double>();
  e.recording = j.at("recording").get<std::string>();
  e.speaker = j.at("speaker").get<std::string>();
  e.gender = j.at("gender").get<std::string>();
  e.language = j.at("language").get<std::string>();
  e.text = j.at("text").get<std::string>();
  e.mood = j.at("mood").get<std::string>();
  e.manner = j.value("manner", "");
  if (j.contains("detail")) read_detail(j["detail"], e);
  return e;
}

Json music_json(const MusicFacts& m) {
  return Json{{"instruments", m.instruments},
              {"bpm", m.bpm},
              {"tempo", m.tempo},
              {"meter", m.meter},
              {"feel", m.feel},
              {"key", m.key},
              {"mode", m.mode},
              {"mood", m.mood}};
}

MusicFacts music_of(const Json& j) {
  MusicFacts m;
  m.instruments = j.at("instruments").get<std::vector<std::string>>();
  m.bpm = j.at("bpm").get<int>();
  m.tempo = j.at("tempo").get<std::string>();
  m.meter = j.at("meter").get<std::string>();
  m.feel = j.at("feel").get<std::string>();
  m.key = j.at("key").get<std::string>();
  m.mode = j.at("mode").get<std::string>();
  m.mood = j.at("mood").get<std::string>();
  return m;
}

Clip parse_clip(const Json& json) {
  Clip clip;
  Scene& s = clip.scene;
  s.id = json.at("id").get<std::string>();
  s.type = static_cast<SceneType>(index_of(kTypes, json.at("type").get<std::string>()));
  s.split = json.at("split").get<std::string>();
  s.seconds = json.at("seconds").get<double>();
  clip.audio = json.at("audio").get<std::vector<std::string>>();
  clip.sha256 = json.at("sha256").get<std::vector<std::string>>();
  clip.bandwidth_hz = json.at("bandwidth_hz").get<double>();
  s.audio_path = clip.audio.empty() ? "" : clip.audio.front();
  s.sha256 = clip.sha256.empty() ? "" : clip.sha256.front();
  for (const Json& e : json.at("events")) s.events.push_back(event_of(e));
  if (json.contains("music")) s.music = music_of(json["music"]);
  if (json.contains("staging")) {
    const Json& t = json["staging"];
    s.staging = Staging{t.at("set").get<std::string>(), t.at("form").get<std::string>(), t.at("lufs").get<double>(),
                        t.at("decay_seconds").get<double>()};
  }
  for (const Json& r : json.at("sources")) {
    s.sources.push_back({r.at("id").get<std::string>(), r.at("package").get<std::string>(), r.at("path").get<std::string>(),
                         r.at("licence").get<std::string>(), r.at("sha256").get<std::string>()});
  }
  return clip;
}

}  // namespace

std::string_view scene_type_name(SceneType type) { return kTypes[static_cast<std::size_t>(type)]; }

Json clip_to_json(const Clip& clip) {
  const Scene& s = clip.scene;
  Json events = Json::array(), sources = Json::array();
  for (const Event& e : s.events) events.push_back(event_json(e));
  for (const SourceRef& r : s.sources) {
    sources.push_back(
        Json{{"id", r.id}, {"package", r.package}, {"path", r.path}, {"licence", r.licence}, {"sha256", r.sha256}});
  }
  Json out = Json{{"id", s.id},
                  {"type", scene_type_name(s.type)},
                  {"split", s.split},
                  {"seconds", s.seconds},
                  {"audio", clip.audio},
                  {"sha256", clip.sha256},
                  {"bandwidth_hz", clip.bandwidth_hz}};
  out["events"] = std::move(events);
  if (s.music) out["music"] = music_json(*s.music);
  if (s.staging)
    out["staging"] = Json{{"set", s.staging->set},
                          {"form", s.staging->form},
                          {"lufs", rounded(s.staging->lufs)},
                          {"decay_seconds", rounded(s.staging->decay_seconds)}};
  out["sources"] = std::move(sources);
  return out;
}

Clip clip_from_json(const Json& json, const std::string& where) {
  try {
    return parse_clip(json);
  } catch (const Json::exception& e) {
    throw Error(ErrorCode::kInput, where + ": not a clip record: " + e.what(),
                "delete the data set's folder and make it again");
  }
}

StoredClips read_clips(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(ErrorCode::kInput, path + ": cannot be opened", "name a folder that data synth has written");
  StoredClips out;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    const Json json = Json::parse(line, nullptr, false);
    if (json.is_discarded() || in.eof()) {  // only a killed run leaves a line without its end
      log_warning(path + ": the last record was cut off; its clip is made again");
      return out;
    }
    const std::string where = path + ", line " + std::to_string(number);
    if (number == 1) {
      if (!json.is_object() || !json.contains("fingerprint") || !json["fingerprint"].is_string()) {
        throw Error(ErrorCode::kInput, where + ": not a clip store", "name a folder that data synth has written");
      }
      out.fingerprint = json["fingerprint"].get<std::string>();
    } else {
      Clip clip = clip_from_json(json, where);
      const std::string id = clip.scene.id;
      out.clips[id] = std::move(clip);
    }
    out.good_bytes += line.size() + 1;
  }
  return out;
}

ClipStore::ClipStore(const std::string& path, const std::string& fingerprint) : path_(path), fingerprint_(fingerprint) {
  lock_.open_or_throw(path + ".lock");
  if (std::filesystem::exists(path) && std::filesystem::file_size(path) > 0) {
    StoredClips stored = read_clips(path);
    if (stored.fingerprint != fingerprint && stored.good_bytes > 0) {
      throw Error(ErrorCode::kUsage, path + " was made with other options: " + stored.fingerprint,
                  "choose another --out, or delete that folder (wanted now: " + fingerprint + ")");
    }
    clips_ = std::move(stored.clips);
    std::filesystem::resize_file(path, stored.good_bytes);
  }
  out_.open(path, std::ios::binary | std::ios::app);
  if (std::filesystem::file_size(path) == 0) out_ << dump_json(Json{{"fingerprint", fingerprint}}) << '\n' << std::flush;
  if (!out_) throw Error(ErrorCode::kFailure, path + ": cannot be written", "check the folder's permissions and the disk");
}

const Clip* ClipStore::find(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto it = clips_.find(id);
  return it == clips_.end() ? nullptr : &it->second;
}

void ClipStore::append(Clip clip) {
  clip.scene.audio.samples = {};
  const std::string line = dump_json(clip_to_json(clip)) + '\n';
  const std::lock_guard lock(mutex_);
  out_ << line << std::flush;
  if (!out_) throw Error(ErrorCode::kFailure, path_ + ": writing failed", "is the disk full?");
  clips_[clip.scene.id] = std::move(clip);
}

void ClipStore::finish() {
  const std::lock_guard lock(mutex_);
  std::string text = dump_json(Json{{"fingerprint", fingerprint_}}) + "\n";
  for (const auto& [id, clip] : clips_) text += dump_json(clip_to_json(clip)) + '\n';
  out_.close();
  write_file_atomic(path_, text);
  out_.open(path_, std::ios::binary | std::ios::app);
}

}  // namespace areason
