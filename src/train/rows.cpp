#include "train/rows.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <unordered_set>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "base/random.h"
#include "cot/sections.h"
#include "cota/import_table.h"
#include "cota/sample.h"
#include "train/row_forms.h"

namespace areason::train {
namespace {

namespace fs = std::filesystem;
constexpr const char* kPlaceholder = "<audio>";  // ms-swift's

[[noreturn]] void bad(const std::string& where, const std::string& what) {
  throw Error(ErrorCode::kInput, where + ": " + what,
              "docs/training.md lists the forms of rows; --bad-rows stop ends at the first");
}

std::string audio_path(const Json& value, const std::string& where, const std::string& base) {
  std::string text;
  if (value.is_string()) text = value.get<std::string>();
  if (value.is_object()) {
    for (const char* key : {"path", "url"}) {
      if (value.contains(key) && value[key].is_string()) text = value[key].get<std::string>();
    }
  }
  if (text.empty()) bad(where, "an audio is no path");
  if (text.rfind("file://", 0) == 0) text = text.substr(7);
  for (const char* scheme : {"http://", "https://", "data:"}) {
    if (text.rfind(scheme, 0) == 0) bad(where, std::string("an audio is no file but ") + scheme + "…; save it first");
  }
  return (fs::path(base) / text).lexically_normal().string();
}

// Turns messages with placeholders and a list of audios into a conversation.
class ConversationMaker {
 public:
  ConversationMaker(const Json& row, const std::string& where, const std::string& base) : where_(where), base_(base) {
    for (const Json& audio : row["audios"]) audios_.push_back(audio_path(audio, where, base));
    for (const Json& message : row["messages"]) add(message);
    if (used_ < audios_.size()) add_missing_tags();
    check();
  }
  Conversation take(std::vector<float>& weights) {
    weights = std::move(weights_);
    return std::move(out_);
  }

 private:
  void add(const Json& json) {
    Message message;
    message.role = json["role"].get<std::string>();
    if (message.role != "system" && message.role != "user" && message.role != "assistant")
      bad(where_, "role \"" + message.role + "\" is not known (user, assistant, system)");
    add_content(json["content"], message);
    if (message.role == "assistant") {
      if (out_.messages.empty() || out_.messages.back().role == "system") out_.messages.push_back({"user", {}});
      weights_.push_back(weight_of(json));
    }
    out_.messages.push_back(std::move(message));
  }

  void add_content(const Json& content, Message& message) {
    if (content.is_string()) return add_text(content.get<std::string>(), message);
    if (!content.is_array()) bad(where_, "a message's content is neither text nor a list");
    for (const Json& item : content) {
      if (item.is_string()) {
        add_text(item.get<std::string>(), message);
      } else if (item.is_object() && item.contains("text") && item["text"].is_string()) {
        add_text(item["text"].get<std::string>(), message);
      } else if (item.is_object()) {
        add_audio_item(item, message);
      } else {
        bad(where_, "an item of a message's content is neither text nor an object");
      }
    }
  }

  void add_audio_item(const Json& item, Message& message) {
    for (const char* key : {"audio", "audio_url", "path"}) {
      if (item.contains(key)) return add_audio(audio_path(item[key], where_, base_), message);
    }
    if (!item.contains("type") || item["type"] != "audio")
      bad(where_, "an item of a message's content is neither text nor audio");
    add_audio(next_audio(), message);
  }

  void add_text(const std::string& text, Message& message) {
    std::size_t from = 0;
    for (std::size_t at = text.find(kPlaceholder); at != std::string::npos && message.role == "user";
         at = text.find(kPlaceholder, from)) {
      if (at > from) message.parts.push_back({Part::Kind::kText, text.substr(from, at - from)});
      add_audio(next_audio(), message);
      from = at + std::string_view(kPlaceholder).size();
    }
    if (from < text.size()) message.parts.push_back({Part::Kind::kText, text.substr(from)});
  }

  void add_audio(const std::string& path, Message& message) {
    if (message.role != "user") bad(where_, "only a user's message can hold audio");
    message.parts.push_back({Part::Kind::kAudio, path});
  }
  std::string next_audio() {
    if (used_ >= audios_.size()) bad(where_, fmt::format("it has more <audio> tags than its {} audios", audios_.size()));
    return audios_[used_++];
  }

  // As ms-swift: audios without a tag stand before the first question.
  void add_missing_tags() {
    for (Message& message : out_.messages) {
      if (message.role != "user") continue;
      std::vector<Part> parts;
      for (; used_ < audios_.size(); ++used_) parts.push_back({Part::Kind::kAudio, audios_[used_]});
      message.parts.insert(message.parts.begin(), parts.begin(), parts.end());
      return;
    }
  }

  float weight_of(const Json& json) const {
    if (json.contains("loss") && json["loss"].is_boolean() && !json["loss"].get<bool>()) return 0;
    if (!json.contains("loss_scale") || json["loss_scale"].is_null()) return 1;
    if (!json["loss_scale"].is_number() || json["loss_scale"].get<float>() < 0)
      bad(where_, "a loss_scale is no number of 0 or more");
    return json["loss_scale"].get<float>();
  }

  void check() const {
    bool user_next = true;
    for (std::size_t i = 0; i < out_.messages.size(); ++i) {
      const Message& message = out_.messages[i];
      if (message.role == "system") {
        if (i != 0) bad(where_, "a system message is not the first");
        continue;
      }
      if ((message.role == "user") != user_next) bad(where_, "its messages do not alternate between user and assistant");
      if (!user_next && message.parts.empty()) bad(where_, "an assistant's message is empty");
      user_next = !user_next;
    }
    if (out_.messages.empty() || out_.messages.back().role != "assistant")
      bad(where_, "its last message is not the assistant's");
  }

  const std::string& where_;
  const std::string& base_;
  std::vector<std::string> audios_;
  std::size_t used_ = 0;
  Conversation out_;
  std::vector<float> weights_;
};

// Audio first, then the text, as `ask` does; the audios of a sample belong to its first question.
Conversation conversation_of(const Sample& sample, const std::string& base) {
  Conversation c;
  std::vector<Part> parts;
  for (const std::string& path : sample.audio) {
    parts.push_back({Part::Kind::kAudio, (fs::path(base) / path).lexically_normal().string()});
  }
  for (const Turn& turn : sample.turns) {
    parts.push_back({Part::Kind::kText, turn.question});
    c.messages.push_back({"user", std::move(parts)});
    c.messages.push_back({"assistant", {{Part::Kind::kText, turn.response}}});
    parts.clear();
  }
  parts.push_back({Part::Kind::kText, sample.question});
  c.messages.push_back({"user", std::move(parts)});
  c.messages.push_back({"assistant", {{Part::Kind::kText, render_chain(sample.sections)}}});
  return c;
}

std::string text_or(const Json& json, std::initializer_list<const char*> keys, const std::string& otherwise) {
  for (const char* key : keys) {
    const auto it = json.find(key);
    if (it != json.end() && it->is_string() && !it->get<std::string>().empty()) return it->get<std::string>();
  }
  return otherwise;
}

void keep_answers(Conversation& conversation) {
  for (Message& message : conversation.messages) {
    if (message.role != "assistant") continue;
    std::string text;
    for (const Part& part : message.parts) text += part.value;
    message.parts = {{Part::Kind::kText, parse_chain(text).chain[Section::kResponse]}};
  }
}

// A table's cells are text; lists and objects in them are JSON.
Json table_row(const TableReader& table) {
  Json row = Json::object();
  for (const std::string& column : table.columns()) {
    const std::string value = table[column];
    const bool nested = !value.empty() && (value[0] == '[' || value[0] == '{');
    Json parsed = nested ? Json::parse(value, nullptr, false) : Json(Json::value_t::discarded);
    if (!value.empty()) row[column] = parsed.is_discarded() ? Json(value) : std::move(parsed);
  }
  return row;
}

void add_file(const std::string& path, const RowOptions& options, RowSet& out) {
  const auto guarded = [&](const std::function<void()>& read) {
    try {
      read();
    } catch (const Error& e) {
      if (e.code() != ErrorCode::kInput || options.bad_rows == BadRows::kStop) throw;
      if (++out.bad <= 10) log_warning(std::string("left out: ") + e.what());
    }
  };
  const std::string base = parent_directory(path);
  const auto add = [&](const Json& json, const std::string& where) {
    guarded([&] { out.rows.push_back(row_from_json(json, where, base, options)); });
  };
  if (path.ends_with(".csv") || path.ends_with(".tsv")) {
    const bool tabs = path.ends_with(".tsv");
    TableReader table(path, tabs ? '\t' : ',', tabs ? Quoting::kNone : Quoting::kRfc4180);
    while (table.next()) add(table_row(table), table.where());
  } else if (path.ends_with(".json")) {
    const Json all = read_json_file(path);
    if (!all.is_array()) throw Error(ErrorCode::kInput, path + " holds no list of rows", "name files of JSON lines .jsonl");
    for (std::size_t i = 0; i < all.size(); ++i) add(all[i], fmt::format("{}, row {}", path, i + 1));
  } else {
    each_line(path, [&](const std::string& text, const std::string& where) {
      guarded([&] { out.rows.push_back(row_from_json(parse_json(text, where), where, base, options)); });
    });
  }
}

// "path#N" -> path and N; a file whose own name has a '#' stays whole.
std::pair<std::string, std::int64_t> split_count(const std::string& file) {
  const std::size_t at = file.rfind('#');
  if (at == std::string::npos || at + 1 == file.size() || file.size() - at > 10 || fs::exists(file)) return {file, 0};
  if (file.find_first_not_of("0123456789", at + 1) != std::string::npos) return {file, 0};
  return {file.substr(0, at), std::stoll(file.substr(at + 1))};
}

// N rows drawn without replacement, and again from all when N is larger than the set (as ms-swift's path#N).
std::vector<TrainingRow> draw(const std::vector<TrainingRow>& rows, std::int64_t count, std::uint64_t seed) {
  std::vector<TrainingRow> out;
  Random random = Random::for_item(seed, "rows");
  std::vector<std::size_t> order(rows.size());
  while (!rows.empty() && static_cast<std::int64_t>(out.size()) < count) {
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    random.shuffle(order);
    for (std::size_t i = 0; i < order.size() && static_cast<std::int64_t>(out.size()) < count; ++i)
      out.push_back(rows[order[i]]);
  }
  return out;
}

}  // namespace

TrainingRow row_from_json(const Json& json, const std::string& where, const std::string& base, const RowOptions& options) {
  if (!json.is_object()) bad(where, "a row must be a JSON object");
  TrainingRow row;
  row.id = text_or(json, {"id"}, where);
  row.task = text_or(json, {"kind", "task", "channel"}, "");
  if (json.contains("sections") && json["sections"].is_object()) {
    row.conversation = conversation_of(sample_from_json(json, where), base);
    row.weights.assign(row.conversation.messages.size() / 2, 1.0f);
  } else {
    std::string why;
    const auto messages = as_messages(json, why);
    if (!messages) bad(where, why);
    row.conversation = ConversationMaker(*messages, where, base).take(row.weights);
  }
  if (options.rounds == Rounds::kLast) std::fill(row.weights.begin(), row.weights.end() - 1, 0.0f);
  if (std::all_of(row.weights.begin(), row.weights.end(), [](float w) { return w == 0; }))
    bad(where, "none of its messages is learned");
  if (options.target == Target::kAnswer) keep_answers(row.conversation);
  return row;
}

RowSet read_training_rows(const std::vector<std::string>& files, const RowOptions& options) {
  RowSet out;
  for (const std::string& file : files) {
    const auto [path, count] = split_count(file);
    if (count == 0) {
      add_file(path, options, out);
      continue;
    }
    RowSet all;
    add_file(path, options, all);
    out.bad += all.bad;
    for (TrainingRow& row : draw(all.rows, count, options.seed)) out.rows.push_back(std::move(row));
  }
  if (out.bad > 0) log_warning(fmt::format("{} bad rows are left out, {} remain", out.bad, out.rows.size()));
  return out;
}

void each_line(const std::string& path, const std::function<void(const std::string& text, const std::string& where)>& each) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(ErrorCode::kInput, path + ": cannot be opened", "check the path and that you may read the file");
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    if (line.find_first_not_of(" \t\r") != std::string::npos) each(line, fmt::format("{}, line {}", path, number));
  }
  if (in.bad()) throw Error(ErrorCode::kInput, path + ": reading stopped with an error", "is it a directory?");
}

Conversation with_windows(const Conversation& conversation, const std::vector<int>& windows, const std::string& system_prompt) {
  Conversation c;
  if (conversation.messages.front().role != "system" && !system_prompt.empty())
    c.messages.push_back({"system", {{Part::Kind::kText, system_prompt}}});
  std::size_t clip = 0;
  for (const Message& message : conversation.messages) {
    Message& out = c.messages.emplace_back(Message{message.role, {}});
    for (const Part& part : message.parts) {
      const int copies = part.kind == Part::Kind::kAudio ? windows[clip++] : 1;
      for (int i = 0; i < copies; ++i) out.parts.push_back(part);
    }
  }
  return c;
}

std::vector<std::string> audio_paths(const std::vector<TrainingRow>& rows) {
  std::unordered_set<std::string> seen;
  std::vector<std::string> out;
  for (const TrainingRow& row : rows) {
    for (const std::string& path : row.conversation.audio_paths()) {
      if (seen.insert(path).second) out.push_back(path);
    }
  }
  return out;
}

}  // namespace areason::train
