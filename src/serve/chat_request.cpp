#include "serve/chat_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <random>
#include <set>
#include <span>

#include "base/json.h"
#include "cot/sections.h"
#include "serve/base64.h"
#include "serve/fields.h"

namespace areason::serve {
namespace {

constexpr std::int64_t kMostAnswers = 128;

// Fields of OpenAI's with words of their own for "as it is".
constexpr const char* kWithWords[] = {"tool_choice", "function_call", "modalities", "response_format"};
// OpenAI's, vLLM's ("Extra parameters" of its OpenAI-compatible server) and llama.cpp's (tools/server/README.md).
constexpr const char* kUnsupported[] = {
    "tools",          "functions",   "logprobs",         "top_logprobs",      "logit_bias",  "stop",
    "audio",          "echo",        "presence_penalty", "frequency_penalty", "guided_json", "guided_regex",
    "guided_grammar", "min_tokens",  "stop_token_ids",   "allowed_token_ids", "bad_words",   "ignore_eos",
    "structural_tag", "json_schema", "use_beam_search",  "prompt_logprobs",   "grammar"};
// Of vLLM's structured_outputs, which replaces its guided_* fields; we take its `choice`.
constexpr const char* kStructured[] = {"json", "regex", "grammar", "json_object", "structural_tag"};

// True for a value that leaves the answer as it is: clients send many fields with their defaults.
bool is_nothing(const Json& value) {
  if (value.is_boolean()) return !value.get<bool>();
  if (value.is_number()) return value.get<double>() == 0;
  if (value.is_string()) return value == "";
  return value.empty();
}

bool is_openais_default(const Json& value) {
  if (value.is_string()) return value == "" || value == "none" || value == "auto";
  if (value.is_object() && value.size() == 1 && value.contains("type")) return value["type"] == "text";
  if (value.is_array() && value.size() == 1) return value[0] == "text";
  return is_nothing(value);
}

void refuse_unsupported(const Fields& fields, std::span<const char* const> names, bool (*is_neutral)(const Json&)) {
  for (const char* name : names) {
    const Json* found = fields.find(name);
    if (found != nullptr && !is_neutral(*found))
      throw RequestError(fields.path(name), "is not supported by this server", "leave it out of the request");
  }
}

// "audio/x-wav;…" or "wav" as the end of a file's name.
std::string extension_of(std::string kind) {
  if (const auto slash = kind.find('/'); slash != std::string::npos) kind = kind.substr(slash + 1);
  if (kind.rfind("x-", 0) == 0) kind = kind.substr(2);
  std::string out;
  for (const char c : kind.substr(0, 8)) {
    if (!std::isalnum(static_cast<unsigned char>(c))) break;
    out += c;
  }
  return out.empty() ? "bin" : out;
}

// "data:audio/wav;base64,UklGR…", or bare base64 whose kind is `extension`.
RequestClip clip_of(const std::string& name, std::string_view data, std::string extension) {
  if (data.rfind("data:", 0) == 0) {
    const auto comma = data.find(',');
    const std::string_view head = data.substr(5, comma == std::string_view::npos ? 0 : comma - 5);
    if (head.find(";base64") == std::string_view::npos)
      throw RequestError(name, "is a data: URL without base64", "write data:audio/wav;base64,…");
    extension = std::string(head.substr(0, head.find(';')));
    data.remove_prefix(comma + 1);
  }
  std::optional<std::string> bytes = from_base64(data);
  if (!bytes || bytes->empty()) throw RequestError(name, "holds no base64", "send the bytes of an audio file in base64");
  return {name, std::move(*bytes), extension_of(std::move(extension))};
}

RequestClip read_audio_part(const Fields& part, const std::string& type, const std::string& where) {
  const Json* inner = part.find(type);
  if (inner == nullptr) throw RequestError(part.path(type), "is missing", "see docs/serve.md for audio in messages");
  const Fields fields(*inner, part.path(type));
  if (type == "input_audio") {
    const auto data = fields.text("data");
    if (!data) throw RequestError(fields.path("data"), "is missing", "send the bytes of an audio file in base64");
    return clip_of(where, *data, fields.text("format").value_or("wav"));
  }
  const std::string url = fields.text("url").value_or("");
  if (url.rfind("data:", 0) != 0) {
    throw RequestError(fields.path("url"), "is no data: URL",
                       "this server fetches nothing; send the clip as data:audio/wav;base64,…");
  }
  return clip_of(where, url, "");
}

void read_part(const Json& part, const std::string& where, RequestTurn& turn) {
  const Fields fields(part, where);
  const std::string type = fields.text("type").value_or("");
  if (type == "text") {
    const auto text = fields.text("text");
    if (!text) throw RequestError(fields.path("text"), "is missing", "give the text of the part");
    turn.text += (turn.text.empty() ? "" : "\n") + *text;
  } else if (type == "input_audio" || type == "audio_url") {
    turn.clips.push_back(read_audio_part(fields, type, where));
  } else {
    throw RequestError(fields.path("type"), "is \"" + type + "\"", "this server takes text, input_audio and audio_url");
  }
}

RequestTurn read_content(const Fields& message) {
  RequestTurn out;
  const Json* content = message.find("content");
  if (content == nullptr) return out;
  if (content->is_string()) {
    out.text = content->get<std::string>();
  } else if (content->is_array()) {
    for (std::size_t i = 0; i < content->size(); ++i)
      read_part((*content)[i], message.path("content") + "[" + std::to_string(i) + "]", out);
  } else {
    throw RequestError(message.path("content"), "is neither a string nor a list of parts", "give one of the two");
  }
  return out;
}

// The assistant's text as the model wrote it, when the client sends the chain back with it.
std::string with_chain(const Fields& message, const std::string& content) {
  const std::string chain = message.text("reasoning_content").value_or(message.text("reasoning").value_or(""));
  return chain.empty() ? content : join_chain(chain, content);
}

void read_message(const Json& json, const std::string& where, ChatRequest& out, std::string& system) {
  const Fields message(json, where);
  const std::string role = message.text("role").value_or("");
  const bool sets_up = role == "system" || role == "developer", assistant = role == "assistant";
  if (!sets_up && !assistant && role != "user")
    throw RequestError(message.path("role"), "is \"" + role + "\"", "this server knows system, developer, user and assistant");
  RequestTurn turn = read_content(message);
  if (role != "user" && !turn.clips.empty()) throw RequestError(where, "has audio", "put clips into messages of the user");
  if (sets_up) {
    system += (system.empty() ? "" : "\n\n") + turn.text;
    return;
  }
  if (assistant) {
    turn.speaker = Speaker::kAssistant;
    turn.text = with_chain(message, turn.text);
  }
  out.turns.push_back(std::move(turn));
}

void read_messages(const Fields& fields, ChatRequest& out) {
  const Json* messages = fields.find("messages");
  if (messages == nullptr || !messages->is_array() || messages->empty())
    throw RequestError("messages", "is not a list with a message in it", "see docs/serve.md for an example");
  std::string system;
  for (std::size_t i = 0; i < messages->size(); ++i)
    read_message((*messages)[i], "messages[" + std::to_string(i) + "]", out, system);
  if (out.turns.empty() || out.turns.back().speaker != Speaker::kUser)
    throw RequestError("messages", "does not end with the user", "the last message asks the question");
  if (!system.empty()) out.options.system_prompt = std::move(system);
}

void read_sampling(const Fields& fields, AskOptions& options) {
  if (const auto value = fields.number("temperature", 0, 100)) options.temperature = static_cast<float>(*value);
  if (const auto value = fields.number("top_p", 0, 1)) options.top_p = static_cast<float>(*value);
  if (const auto value = fields.number("min_p", 0, 1)) options.min_p = static_cast<float>(*value);
  // vLLM writes "off" as -1.
  if (const auto value = fields.integer("top_k", -1, 1000000))
    options.top_k = static_cast<int>(std::max<std::int64_t>(0, *value));
  if (const auto value = fields.number("repetition_penalty", 0.01, 100))
    options.repetition_penalty = static_cast<float>(*value);
  const auto most = fields.integer("max_tokens", 1, 1000000);
  if (const auto value = most ? most : fields.integer("max_completion_tokens", 1, 1000000))
    options.max_new_tokens = static_cast<int>(*value);
  const auto seed = fields.integer("seed", std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max());
  if (seed) {
    options.seed = static_cast<std::uint64_t>(*seed);
  } else if (options.temperature > 0) {
    std::random_device device;
    options.seed = (std::uint64_t{device()} << 31) ^ device();
  }
}

// The three names that choices go by.
std::vector<std::string> read_choices(const Fields& fields) {
  std::vector<std::pair<std::string, const Json*>> given;
  for (const char* name : {"choices", "guided_choice"})
    if (const Json* list = fields.find(name)) given.emplace_back(name, list);
  if (const Json* structured = fields.find("structured_outputs")) {
    const Fields inner(*structured, "structured_outputs");
    refuse_unsupported(inner, kStructured, is_nothing);
    if (const Json* list = inner.find("choice")) given.emplace_back(inner.path("choice"), list);
  }
  if (given.empty()) return {};
  const auto& [name, found] = given.front();
  for (const auto& [other, list] : given)
    if (*list != *found) throw RequestError(other, "differs from " + name, "give the choices once");
  std::vector<std::string> out;
  if (found->is_array())
    for (const Json& choice : *found) out.push_back(choice.is_string() ? choice.get<std::string>() : "");
  const std::set<std::string> distinct(out.begin(), out.end());
  if (out.empty() || distinct.size() != out.size() || distinct.contains(""))
    throw RequestError(name, "is not a list of different texts", "write for example [\"A. a dog\", \"B. a cat\"]");
  return out;
}

void read_budget(const Fields& fields, AskOptions& options) {
  const Json* found = fields.find("section_budget");
  if (found == nullptr) return;
  const Fields budget(*found, "section_budget");
  for (const auto& item : found->items()) {
    const std::string key = item.key();
    const auto section = std::find_if(kSections.begin(), kSections.end(), [&](Section s) { return section_key(s) == key; });
    if (section == kSections.end())
      throw RequestError(budget.path(key), "is no section", "there are planning, caption, reasoning, summary and response");
    options.section_budget[*section] = static_cast<int>(budget.integer(key, 0, 1000000).value_or(0));
  }
}

void read_structure(const Fields& fields, AskOptions& options) {
  if (const auto structure = fields.text("structure")) {
    if (*structure != "guided" && *structure != "free")
      throw RequestError("structure", "is \"" + *structure + "\"", "give guided or free");
    options.structure = *structure == "free" ? Structure::kFree : Structure::kGuided;
  }
  if (auto choices = read_choices(fields); !choices.empty()) options.choices = std::move(choices);
  read_budget(fields, options);
  if (options.structure == Structure::kFree && (!options.choices.empty() || !options.section_budget.empty()))
    throw RequestError("structure", "is free, and choices or budgets are given", "they need structure \"guided\"");
  if (const auto policy = fields.text("long_audio")) {
    if (*policy != "windows" && *policy != "truncate" && *policy != "error")
      throw RequestError("long_audio", "is \"" + *policy + "\"", "give windows, truncate or error");
    options.long_audio = parse_long_audio(*policy);
  }
}

void read_form(const Fields& fields, ChatRequest& out) {
  out.stream = fields.flag("stream").value_or(false);
  if (const Json* options = fields.find("stream_options"))
    out.include_usage = Fields(*options, "stream_options").flag("include_usage").value_or(false);
  out.answers = static_cast<int>(fields.integer("n", 1, kMostAnswers).value_or(1));
  const std::string format = fields.text("reasoning_format").value_or("deepseek");
  if (format != "deepseek" && format != "none" && format != "auto")
    throw RequestError("reasoning_format", "is \"" + format + "\"",
                       "give deepseek (a field of its own) or none (in the content)");
  out.reasoning = format == "none" ? Reasoning::kInline : Reasoning::kSeparate;
}

}  // namespace

ChatRequest parse_chat_request(std::string_view body, const AskOptions& defaults) {
  const Json json = parse_json(body, "the request's body");
  const Fields fields(json, "");
  ChatRequest out;
  out.options = defaults;
  out.model = fields.text("model").value_or("");
  refuse_unsupported(fields, kWithWords, is_openais_default);
  refuse_unsupported(fields, kUnsupported, is_nothing);
  read_form(fields, out);
  read_sampling(fields, out.options);
  read_structure(fields, out.options);
  read_messages(fields, out);
  return out;
}

}  // namespace areason::serve
