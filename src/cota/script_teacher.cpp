#include "cota/script_teacher.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <sstream>

#include "base/error.h"
#include "base/files.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/random.h"
#include "base/thread_pool.h"

namespace areason {
namespace {

constexpr std::size_t kLongestAnswer = 100'000, kFewestLines = 4, kMostSpeakers = 6, kMostNameBytes = 40;
constexpr int kMostWords = 40;

constexpr std::array<const char*, 20> kPlaces = {"a railway carriage in the evening",
                                                 "the kitchen of a shared flat",
                                                 "a hospital corridor",
                                                 "a school staff room",
                                                 "a garden party",
                                                 "a bicycle workshop",
                                                 "the queue of a bakery",
                                                 "a ship's deck in fog",
                                                 "a museum after closing time",
                                                 "a rehearsal of an amateur theatre",
                                                 "a camp site in the rain",
                                                 "an office on a friday afternoon",
                                                 "a repair counter for phones",
                                                 "a farm at harvest time",
                                                 "the waiting hall of an airport",
                                                 "a chess club",
                                                 "a hotel reception at night",
                                                 "a moving day",
                                                 "a neighbourhood meeting",
                                                 "a radio studio just before the programme"};
constexpr std::array<const char*, 8> kTurns = {"they have to decide something together",
                                               "one of them has bad news",
                                               "they disagree politely",
                                               "somebody tells a story",
                                               "they are in a hurry",
                                               "one of them is new there",
                                               "something does not work",
                                               "they make plans for the weekend"};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

std::string plain_marks(std::string text) {
  for (const auto& [from, to] : {std::pair{"\u2018", "'"},
                                 {"\u2019", "'"},
                                 {"\u201c", "\""},
                                 {"\u201d", "\""},
                                 {"\u2026", "..."},
                                 {"\u2013", "-"},
                                 {"\u2014", " - "},
                                 {"\u00a0", " "}})
    text = replaced(std::move(text), from, to);
  return text;
}

// Without (…), […], *…*: stage directions, and the marks of bold type.
std::string without_directions(const std::string& text) {
  std::string out;
  char close = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (close != 0) {
      if (c == close) close = 0;
      continue;
    }
    if (c == '(' || c == '[') {
      close = c == '(' ? ')' : ']';
    } else if (c == '*' && text.find('*', i + 1) != std::string::npos && i + 1 < text.size() && text[i + 1] != '*') {
      close = '*';
    } else if (c != '*' && c != '"') {
      out += c;
    }
  }
  return trimmed(out);
}

std::string gender_in(const std::string& text) {
  const std::string low = " " + lower_ascii(text) + " ";
  for (const char* word : {"woman", "female", "girl"}) {
    if (low.find(word) != std::string::npos) return "woman";
  }
  for (const char* word : {"man", "male", "boy"}) {
    if (low.find(word) != std::string::npos) return "man";
  }
  return "";
}

// The text between <tag> and its end, "" without it.
std::string between(const std::string& text, const std::string& tag) {
  const std::string low = lower_ascii(text);
  const std::size_t open = low.find("<" + tag + ">");
  if (open == std::string::npos) return "";
  const std::size_t from = open + tag.size() + 2, to = low.find("</" + tag, from);
  return text.substr(from, to == std::string::npos ? to : to - from);
}

// "Mara (woman), Otto (man)" -> by name in lower case
std::map<std::string, std::string> genders_in(const std::string& list) {
  std::map<std::string, std::string> out;
  std::istringstream in(replaced(replaced(list, "\n", ","), ";", ","));
  for (std::string entry; std::getline(in, entry, ',');) {
    const std::string name = lower_ascii(without_directions(entry));
    if (!name.empty()) out[name] = gender_in(entry.substr(std::min(entry.size(), name.size())));
  }
  return out;
}

struct NamedLine {
  std::string name, gender, text;
};

// "1. **Anna (woman):** "Hello."" -> {Anna, woman, Hello.}; none when the line has no speaker.
std::optional<NamedLine> named_line(std::string line) {
  line = trimmed(replaced(line, "**", ""));
  const std::size_t start = line.find_first_not_of("0123456789.-) \t#>");
  if (start == std::string::npos) return {};
  line = line.substr(start);
  const std::size_t colon = line.find(':');
  if (colon == std::string::npos || colon == 0 || colon > kMostNameBytes || line[0] == '<') return {};
  NamedLine out;
  const std::string head = line.substr(0, colon);
  out.name = without_directions(head);
  out.gender = gender_in(head.substr(std::min(head.size(), head.find('('))));
  if (head.find('(') == std::string::npos) out.gender.clear();
  out.text = without_directions(line.substr(colon + 1));
  const bool words = std::count(out.name.begin(), out.name.end(), ' ') <= 2 && !out.name.empty();
  return words && !out.text.empty() ? std::optional(out) : std::nullopt;
}

std::string refusal_of(const DialogueScript& script) {
  if (script.lines.size() < kFewestLines) return "there are fewer than four lines of the form \"NAME: words\"";
  if (script.speakers.size() < 2) return "only one person speaks";
  if (script.speakers.size() > kMostSpeakers) return "more than six people speak";
  std::set<std::string> said;
  for (const ScriptLine& line : script.lines) {
    const std::string words = spoken_words(line.text);
    if (words.empty()) return "a line has no words";
    if (std::count(words.begin(), words.end(), ' ') >= kMostWords) return "a line has more than 40 words";
    if (line.text.find_first_of("<>{}\\") != std::string::npos) return "a line has signs that cannot be spoken";
    if (!said.insert(words).second) return "a line stands there twice";
  }
  return "";
}

Json script_json(const std::string& id, const DialogueScript& script, const std::string& version) {
  Json speakers = Json::array(), lines = Json::array();
  for (const ScriptSpeaker& s : script.speakers) speakers.push_back(Json{{"name", s.name}, {"gender", s.gender}});
  for (const ScriptLine& l : script.lines) lines.push_back(Json{{"speaker", l.speaker}, {"text", l.text}});
  Json out = Json{{"id", id}, {"scenario", script.scenario}};
  out["speakers"] = std::move(speakers);
  out["lines"] = std::move(lines);
  out["by"] = script.by;
  out["prompt_version"] = version;
  return out;
}

class ScriptWriter {
 public:
  ScriptWriter(const std::string& file, const ScriptTeacherOptions& options) : options_(options), out_(file, std::ios::app) {
    if (!out_) throw Error(ErrorCode::kFailure, file + ": cannot be written", "check the folder's permissions");
  }

  ScriptCounts write(const std::vector<std::string>& open) {
    ThreadPool pool(std::min(options_.workers, static_cast<int>(std::max<std::size_t>(1, open.size()))));
    std::atomic<std::size_t> next{0};
    pool.parallel_for(static_cast<std::size_t>(pool.size()), 1, [&](std::size_t, std::size_t) {
      for (std::size_t i = next++; i < open.size() && !stopped_; i = next++) {
        throw_if_interrupted();
        one(open[i]);
      }
    });
    if (!stop_reason_.empty())
      throw Error(ErrorCode::kRemote, "the scripts' teacher stopped: " + stop_reason_,
                  "what came is kept; run the command again");
    return counts_;
  }

 private:
  void one(const std::string& id) {
    Random random = Random::for_item(options_.seed, "teacher script/" + id);
    const std::string place = kPlaces[random.below(kPlaces.size())];
    const PromptValues values = {{"scenario", place + "; " + kTurns[random.below(kTurns.size())]},
                                 {"speakers", std::to_string(random.between(2, 4))},
                                 {"lines", std::to_string(random.between(6, 10))}};
    std::string reason;
    for (int attempt = 0; attempt < options_.max_tries; ++attempt) {
      const llm::Reply reply = options_.provider->complete(request(values, reason, attempt));
      if (llm::stops_run(reply.finish)) return stop(reply.error);
      reason = reply.error.empty() ? std::string("it ended ") + llm::finish_name(reply.finish) : reply.error;
      if (reply.finish == llm::Finish::kStop) {
        auto script = parse_script(reply.text);
        if (script.value) {
          script.value->scenario = place;
          script.value->by = options_.model;
          return keep(script_json(id, *script.value, options_.prompt.version));
        }
        reason = script.refusal;
      }
      const std::lock_guard lock(mutex_);
      ++counts_.refused_answers;
    }
    const std::lock_guard lock(mutex_);
    counts_.given_up.push_back(id);
  }

  llm::Request request(const PromptValues& values, const std::string& reason, int attempt) const {
    llm::Request request;
    request.model = options_.model;
    request.sample = attempt;
    request.parameters = options_.parameters;
    request.parameters.max_output_tokens = options_.prompt.max_tokens;
    request.parameters.temperature = options_.prompt.temperature;
    request.timeout_seconds = options_.timeout_seconds;
    std::string text = render_prompt(options_.prompt, values);
    if (!reason.empty())
      text += "\n\nAn earlier answer to this could not be used: " + reason + ". Answer again, in the form described above.";
    request.messages = {llm::text_message(llm::Role::kUser, text)};
    return request;
  }

  void keep(const Json& line) {
    const std::lock_guard lock(mutex_);
    out_ << dump_json(line) + "\n" << std::flush;
    if (!out_) throw Error(ErrorCode::kFailure, "the scripts cannot be written", "is the disk full?");
    ++counts_.written;
  }
  void stop(const std::string& why) {
    const std::lock_guard lock(mutex_);
    stop_reason_ = why.empty() ? "no reason given" : why;
    stopped_ = true;
  }

  const ScriptTeacherOptions& options_;
  std::ofstream out_;
  std::mutex mutex_;
  std::atomic<bool> stopped_{false};
  std::string stop_reason_;
  ScriptCounts counts_;
};

DialogueScript script_of(const Json& json, const std::string& where) {
  DialogueScript script;
  try {
    script.scenario = json.at("scenario").get<std::string>();
    for (const Json& s : json.at("speakers")) script.speakers.push_back({s.at("name"), s.at("gender")});
    for (const Json& l : json.at("lines")) script.lines.push_back({l.at("speaker").get<int>(), l.at("text"), "", ""});
    script.by = json.at("by").get<std::string>();
  } catch (const Json::exception& e) {
    throw Error(ErrorCode::kInput, where + ": no script: " + e.what(), "delete the line; the script is asked for again");
  }
  for (const ScriptLine& line : script.lines) {
    if (line.speaker < 0 || line.speaker >= static_cast<int>(script.speakers.size()))
      throw Error(ErrorCode::kInput, where + ": a line of nobody", "delete the line; the script is asked for again");
  }
  return script;
}

}  // namespace

Parsed<DialogueScript> parse_script(std::string_view whole) {
  if (whole.size() > kLongestAnswer) return {{}, "the answer is far too long"};
  const std::string text = plain_marks(without_code_fences(whole));
  const auto genders = genders_in(between(text, "speakers"));
  const std::string inner = between(text, "dialogue");
  DialogueScript script;
  std::map<std::string, int> speakers;
  std::istringstream in(inner.empty() ? text : inner);
  for (std::string row; std::getline(in, row);) {
    const auto line = named_line(row);
    if (!line) continue;
    const std::string key = lower_ascii(line->name);
    if (inner.empty() && (key == "speakers" || key == "scenario" || key == "dialogue" || key == "note" || key == "title"))
      continue;
    const auto [it, fresh] = speakers.emplace(key, static_cast<int>(script.speakers.size()));
    if (fresh) {
      const auto known = genders.find(key);
      script.speakers.push_back({line->name, line->gender.empty() && known != genders.end() ? known->second : line->gender});
    }
    script.lines.push_back({it->second, line->text, "", ""});
  }
  const std::string refusal = refusal_of(script);
  return refusal.empty() ? Parsed<DialogueScript>{std::move(script), ""} : Parsed<DialogueScript>{{}, refusal};
}

ScriptCounts write_scripts(const std::string& file, const std::vector<std::string>& ids, const ScriptTeacherOptions& options) {
  const auto known = read_scripts(file);
  // A torn last line is cut off before anything is appended to it.
  if (std::filesystem::exists(file)) {
    const std::string text = read_file(file);
    const std::size_t end = text.rfind('\n');
    const std::size_t good = end == std::string::npos ? 0 : end + 1;
    if (good < text.size()) std::filesystem::resize_file(file, good);
  }
  std::vector<std::string> open;
  for (const std::string& id : ids) {
    if (!known.contains(id)) open.push_back(id);
  }
  ScriptCounts counts;
  if (!open.empty()) counts = ScriptWriter(file, options).write(open);
  counts.known = static_cast<int>(ids.size() - open.size());
  std::sort(counts.given_up.begin(), counts.given_up.end());
  return counts;
}

std::map<std::string, DialogueScript> read_scripts(const std::string& file) {
  std::map<std::string, DialogueScript> out;
  if (!std::filesystem::exists(file)) return out;
  const std::string text = read_file(file);
  int number = 0;
  for (std::size_t from = 0, to = text.find('\n'); to != std::string::npos; from = to + 1, to = text.find('\n', from)) {
    const std::string where = file + ", line " + std::to_string(++number);
    const std::string line = text.substr(from, to - from);
    if (trimmed(line).empty()) continue;
    const Json json = parse_json(line, where);
    if (!json.is_object() || !json.contains("id") || !json["id"].is_string())
      throw Error(ErrorCode::kInput, where + ": a script without \"id\"", "delete the line; the script is asked for again");
    out[json["id"].get<std::string>()] = script_of(json, where);
  }
  return out;
}

}  // namespace areason
