#include "cota/sample.h"

#include <fstream>
#include <utility>

#include "base/error.h"
#include "base/json.h"

namespace areason {
namespace {

constexpr std::size_t kLongestLine = std::size_t{16} << 20;  // no sane sample is longer; protects against binary files

[[noreturn]] void bad_sample(const std::string& where, const std::string& what) {
  throw Error(ErrorCode::kInput, where + ": " + what,
              "expected one sample of the project's schema a line (docs/nano_kinds.md)");
}

std::string text_of(const Json& json, const char* key, const std::string& where) {
  const auto it = json.find(key);
  if (it == json.end() || it->is_null()) return {};
  if (!it->is_string()) bad_sample(where, "\"" + std::string(key) + "\" is not a string");
  return it->get<std::string>();
}

double number_of(const Json& json, const char* key, const std::string& where) {
  const auto it = json.find(key);
  if (it == json.end() || it->is_null()) return 0;
  if (!it->is_number()) bad_sample(where, "\"" + std::string(key) + "\" is not a number");
  return it->get<double>();
}

// The value when it is there and has the wanted type; an empty one of that type otherwise.
Json part_of(const Json& json, const char* key, Json::value_t type, const std::string& where) {
  const auto it = json.find(key);
  if (it == json.end() || it->is_null()) return Json(type);
  if (it->type() != type) bad_sample(where, "\"" + std::string(key) + "\" has the wrong type");
  return *it;
}

std::vector<std::string> texts_of(const Json& json, const char* key, const std::string& where) {
  std::vector<std::string> out;
  for (const Json& item : part_of(json, key, Json::value_t::array, where)) {
    if (!item.is_string()) bad_sample(where, "\"" + std::string(key) + "\" holds something that is not a string");
    out.push_back(item.get<std::string>());
  }
  return out;
}

std::vector<TimelineEntry> timeline_of(const Json& json, const std::string& where) {
  std::vector<TimelineEntry> out;
  for (const Json& item : part_of(json, "timeline", Json::value_t::array, where)) {
    if (!item.is_object()) bad_sample(where, "\"timeline\" holds something that is not an object");
    TimelineEntry e;
    e.audio = static_cast<int>(number_of(item, "audio", where));
    e.label = text_of(item, "label", where);
    e.from = number_of(item, "from", where);
    e.to = number_of(item, "to", where);
    e.level_db = number_of(item, "level_db", where);
    e.speaker = text_of(item, "speaker", where);
    e.text = text_of(item, "text", where);
    out.push_back(std::move(e));
  }
  return out;
}

Json timeline_json(const std::vector<TimelineEntry>& timeline) {
  Json out = Json::array();
  for (const TimelineEntry& e : timeline) {
    out.push_back(Json{{"audio", e.audio},
                       {"label", e.label},
                       {"from", e.from},
                       {"to", e.to},
                       {"level_db", e.level_db},
                       {"speaker", e.speaker},
                       {"text", e.text}});
  }
  return out;
}

std::vector<Turn> turns_of(const Json& json, const std::string& where) {
  std::vector<Turn> out;
  for (const Json& item : part_of(json, "turns", Json::value_t::array, where)) {
    if (!item.is_object()) bad_sample(where, "\"turns\" holds something that is not an object");
    out.push_back({text_of(item, "question", where), text_of(item, "response", where)});
  }
  return out;
}

SampleSource source_of(const Json& json, const std::string& where) {
  const Json source = part_of(json, "source", Json::value_t::object, where);
  return {text_of(source, "set", where), text_of(source, "id", where), text_of(source, "path", where),
          text_of(source, "licence", where), text_of(source, "sha256", where)};
}

// Keys of the five sections in the order of kSections (cot/sections.h).
constexpr const char* kSectionKeys[kSectionCount] = {"planning", "caption", "reasoning", "summary", "response"};

}  // namespace

void put_clip_record(Json& out, const ClipRecord& r) {
  out["id"] = r.id;
  out["source"] = Json{{"set", r.source.set},
                       {"id", r.source.id},
                       {"path", r.source.path},
                       {"licence", r.source.licence},
                       {"sha256", r.source.sha256}};
  out["audio"] = r.audio;
  out["timeline"] = timeline_json(r.timeline);
  out["domain"] = r.domain;
  out["task"] = r.task;
}

ClipRecord clip_record_from_json(const Json& json, const std::string& where) {
  if (!json.is_object()) bad_sample(where, "a clip or sample must be a JSON object");
  ClipRecord r;
  r.id = text_of(json, "id", where);
  if (r.id.empty()) bad_sample(where, "no \"id\"");
  r.source = source_of(json, where);
  r.audio = texts_of(json, "audio", where);
  r.timeline = timeline_of(json, where);
  r.domain = text_of(json, "domain", where);
  r.task = text_of(json, "task", where);
  r.split = text_of(json, "split", where);
  return r;
}

Json sample_to_json(const Sample& s) {
  Json sections = Json::object();
  for (int i = 0; i < kSectionCount; ++i) sections[kSectionKeys[i]] = s.sections.text[static_cast<std::size_t>(i)];
  Json turns = Json::array();
  for (const Turn& t : s.turns) turns.push_back(Json{{"question", t.question}, {"response", t.response}});
  Json out = Json::object();
  put_clip_record(out, s);
  out["kind"] = s.kind;
  out["question"] = s.question;
  out["choices"] = s.choices;
  out["answer"] = Json{{"text", s.answer_text}, {"letter", s.answer_letter}};
  out["caption"] = s.caption;
  out["sections"] = std::move(sections);
  out["turns"] = std::move(turns);
  out["review"] = Json{{"verdict", s.review_verdict}, {"reason", s.review_reason}, {"by", s.review_by}};
  out["prompt_version"] = s.prompt_version;
  out["teacher"] = s.teacher;
  out["split"] = s.split;
  return out;
}

Sample sample_from_json(const Json& json, const std::string& where) {
  Sample s;
  static_cast<ClipRecord&>(s) = clip_record_from_json(json, where);
  s.kind = text_of(json, "kind", where);
  s.question = text_of(json, "question", where);
  if (s.question.empty()) bad_sample(where, "sample \"" + s.id + "\" has no \"question\"");
  s.choices = texts_of(json, "choices", where);
  const Json answer = part_of(json, "answer", Json::value_t::object, where);
  s.answer_text = text_of(answer, "text", where);
  s.answer_letter = text_of(answer, "letter", where);
  s.caption = text_of(json, "caption", where);
  const Json sections = part_of(json, "sections", Json::value_t::object, where);
  for (int i = 0; i < kSectionCount; ++i) {
    s.sections.text[static_cast<std::size_t>(i)] = text_of(sections, kSectionKeys[i], where);
  }
  s.turns = turns_of(json, where);
  const Json review = part_of(json, "review", Json::value_t::object, where);
  s.review_verdict = text_of(review, "verdict", where);
  s.review_reason = text_of(review, "reason", where);
  s.review_by = text_of(review, "by", where);
  s.prompt_version = text_of(json, "prompt_version", where);
  s.teacher = text_of(json, "teacher", where);
  return s;
}

void read_samples(const std::string& path, const std::function<void(Sample&&)>& each) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(ErrorCode::kInput, path + ": cannot be opened", "check the path and that you may read the file");
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    const std::string where = path + ", line " + std::to_string(number);
    if (line.size() > kLongestLine) bad_sample(where, "longer than 16 MiB");
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    each(sample_from_json(parse_json(line, where), where));
  }
  if (in.bad())
    throw Error(ErrorCode::kInput, path + ": reading stopped with an error", "is it a directory, or is the disk failing?");
}

std::vector<Sample> read_samples(const std::string& path) {
  std::vector<Sample> out;
  read_samples(path, [&](Sample&& s) { out.push_back(std::move(s)); });
  return out;
}

}  // namespace areason
