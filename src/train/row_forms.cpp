#include "train/row_forms.h"

#include <initializer_list>

#include "base/json.h"

namespace areason::train {
namespace {

using Names = std::initializer_list<const char*>;
constexpr const char* kUserNames[] = {"user", "human"};
constexpr const char* kAssistantNames[] = {"assistant", "gpt", "bot"};

const Json* field(const Json& row, Names names) {
  for (const char* name : names) {
    const auto it = row.find(name);
    if (it != row.end() && !it->is_null()) return &*it;
  }
  return nullptr;
}

std::string text_of(const Json* value) { return value != nullptr && value->is_string() ? value->get<std::string>() : ""; }

Json message(const char* role, const Json& content) { return Json{{"role", role}, {"content", content}}; }

void add_system(const Json& row, Json& messages) {
  const Json* system = field(row, {"system", "system_prompt"});
  if (system != nullptr && system->is_string()) messages.push_back(message("system", *system));
}

std::string role_name(const std::string& role) {
  for (const char* name : kUserNames) {
    if (role == name) return "user";
  }
  for (const char* name : kAssistantNames) {
    if (role == name) return "assistant";
  }
  return role;
}

// {"role"|"from", "content"|"value"}, or ShareGPT's older {"human", "assistant"} pairs.
bool add_turns(const Json& turns, Json& messages) {
  if (!turns.is_array()) return false;
  for (const Json& turn : turns) {
    if (!turn.is_object()) return false;
    const Json* role = field(turn, {"role", "from"});
    const Json* content = field(turn, {"content", "value"});
    if (role != nullptr && role->is_string() && content != nullptr) {
      Json out = message(role_name(role->get<std::string>()).c_str(), *content);
      for (const char* key : {"loss", "loss_scale"}) {
        if (turn.contains(key)) out[key] = turn[key];
      }
      messages.push_back(std::move(out));
      continue;
    }
    const Json* user = field(turn, {"human", "user"});
    const Json* assistant = field(turn, {"assistant", "gpt", "bot"});
    if (user == nullptr || assistant == nullptr) return false;
    messages.push_back(message("user", *user));
    messages.push_back(message("assistant", *assistant));
  }
  return true;
}

bool add_history(const Json& row, Json& messages) {
  const Json* history = field(row, {"history"});
  if (history == nullptr) return true;
  if (!history->is_array()) return false;
  for (const Json& round : *history) {
    if (!round.is_array() || round.size() != 2) return false;
    messages.push_back(message("user", round[0]));
    messages.push_back(message("assistant", round[1]));
  }
  return true;
}

// Alpaca's instruction and input are one question; otherwise the first alias that is there.
std::optional<Json> question_of(const Json& row) {
  const Json* instruction = field(row, {"instruction"});
  const Json* input = field(row, {"input"});
  if (instruction != nullptr && instruction->is_string()) {
    const std::string more = text_of(input);
    const std::string first = instruction->get<std::string>();
    return Json(first.empty() || more.empty() ? first + more : first + "\n" + more);
  }
  const Json* query = field(row, {"query", "prompt", "input", "question", "problem"});
  return query != nullptr ? std::optional<Json>(*query) : std::nullopt;
}

// Why the row has no messages; "" when it has.
std::string fill_messages(const Json& row, Json& messages) {
  const Json* turns = field(row, {"messages", "conversations", "conversation"});
  if (turns != nullptr) {
    const bool named = turns->is_array() && !turns->empty() && (*turns)[0].is_object() &&
                       text_of(field((*turns)[0], {"role", "from"})) == "system";
    if (!named) add_system(row, messages);
    return add_turns(*turns, messages) ? "" : "its messages are no list of {\"role\", \"content\"} or {\"from\", \"value\"}";
  }
  add_system(row, messages);
  const std::optional<Json> query = question_of(row);
  const Json* response = field(row, {"response", "answer", "output", "targets", "target", "answer_key", "answers", "solution",
                                     "text", "completion", "content"});
  if (!query || response == nullptr) return "it has neither messages, nor conversations, nor a query and a response";
  if (!add_history(row, messages)) return "its history is no list of [question, answer]";
  messages.push_back(message("user", *query));
  messages.push_back(message("assistant", *response));
  return "";
}

}  // namespace

std::optional<Json> as_messages(const Json& row, std::string& why) {
  Json messages = Json::array();
  why = fill_messages(row, messages);
  if (!why.empty()) return std::nullopt;
  Json out = {{"messages", std::move(messages)}, {"audios", Json::array()}};
  const Json* audios = field(row, {"audios", "audio"});
  if (audios == nullptr) return out;
  if (audios->is_array()) {
    out["audios"] = *audios;
  } else {
    out["audios"].push_back(*audios);
  }
  return out;
}

}  // namespace areason::train
