#include "cota/script_teacher.h"

#include <algorithm>
#include <array>
#include <set>
#include <sstream>

#include "base/error.h"
#include "base/json.h"
#include "base/random.h"

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

PromptValues order_of(const std::string& id, std::uint64_t seed) {
  Random random = Random::for_item(seed, "teacher script/" + id);
  const std::string place = kPlaces[random.below(kPlaces.size())];
  return {{"place", place},
          {"scenario", place + "; " + kTurns[random.below(kTurns.size())]},
          {"speakers", std::to_string(random.between(2, 4))},
          {"lines", std::to_string(random.between(6, 10))}};
}

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

KeptCounts write_scripts(const std::string& file, const std::vector<std::string>& ids, const ScriptTeacherOptions& options) {
  const auto known = read_scripts(file);
  std::vector<AskedItem> open;
  for (const std::string& id : ids) {
    if (known.contains(id)) continue;
    const PromptValues values = order_of(id, options.seed);
    open.push_back({id, values, [&options, id, place = values.at("place")](std::string_view answer) {
                      auto script = parse_script(answer);
                      if (!script.value) return Parsed<Json>{{}, script.refusal};
                      script.value->scenario = place;
                      script.value->by = options.model;
                      return Parsed<Json>{script_json(id, *script.value, options.prompt.version), ""};
                    }});
  }
  KeptCounts counts = ask_and_keep(file, open, options, "the scripts' teacher");
  counts.known = static_cast<int>(ids.size() - open.size());
  return counts;
}

std::map<std::string, DialogueScript> read_scripts(const std::string& file) {
  std::map<std::string, DialogueScript> out;
  each_kept(file, "a script",
            [&](const std::string& id, const Json& line, const std::string& where) { out[id] = script_of(line, where); });
  return out;
}

}  // namespace areason
