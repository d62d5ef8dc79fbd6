#include "eval/mmau.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/json.h"
#include "eval/python_text.h"

namespace areason {
namespace {

constexpr std::string_view kTableRule = "******************************\n";

bool contains_all(const std::set<std::string>& all, const std::set<std::string>& part) {
  return std::includes(all.begin(), all.end(), part.begin(), part.end());
}

// How the script sees `choices`: a str is iterated letter by letter, a dict by its keys.
std::vector<std::string> script_choices(const Json& choices) {
  std::vector<std::string> out;
  if (choices.is_string()) {
    for (const char32_t c : py::decode(choices.get_ref<const std::string&>())) out.push_back(py::encode({&c, 1}));
    return out;
  }
  if (choices.is_object()) {
    for (const auto& [key, value] : choices.items()) out.push_back(key);
    return out;
  }
  if (!choices.is_array()) throw ScriptStop{"TypeError: '" + std::string(script_type(choices)) + "' object is not iterable"};
  for (const Json& choice : choices) out.push_back(script_text(choice, "lower"));
  return out;
}

// `key in item`
bool script_contains(const Json& item, const std::string& key) {
  if (item.is_object()) return item.contains(key);
  if (item.is_string()) return item.get_ref<const std::string&>().find(key) != std::string::npos;
  if (item.is_array()) return std::find(item.begin(), item.end(), Json(key)) != item.end();
  throw ScriptStop{"TypeError: argument of type '" + std::string(script_type(item)) + "' is not iterable"};
}

void script_item(ChoiceBenchmark benchmark, const Json& item, AccuracyTable& table) {
  const char* const output = benchmark == ChoiceBenchmark::kMmau ? "model_output" : "answer_prediction";
  if (!script_contains(item, output)) return;  // skipped, not wrong
  const Json& prediction = script_field(item, output);
  const Json& answer = script_field(item, "answer");
  const Json* const groups[] = {&script_field(item, table.keys()[0].c_str()), &script_field(item, table.keys()[1].c_str())};
  const Json& choices = script_field(item, "choices");
  std::optional<std::string> sub;  // "" is one, too
  if (const auto found = item.find("sub-category"); found != item.end() && !found->is_null()) {
    if (found->is_structured()) throw ScriptStop{"TypeError: unhashable type: '" + std::string(script_type(*found)) + "'"};
    sub = script_print(*found);
    table.see_sub_category(*sub);
  }
  const std::string& said = script_text(prediction, "lower");
  const std::string& gold = script_text(answer, "lower");
  const bool right = !py::word_tokens(said).empty() && mmau_match(gold, said, script_choices(choices));
  std::array<std::string, 2> values;
  for (std::size_t i = 0; i < 2; ++i) {
    if (groups[i]->is_structured())
      throw ScriptStop{"TypeError: unhashable type: '" + std::string(script_type(*groups[i])) + "'"};
    values[i] = script_print(*groups[i]);
    if (!groups[i]->is_string() || !table.knows(i, values[i]))
      throw ScriptStop{"KeyError: " + (groups[i]->is_string() ? py::repr(std::string_view(values[i])) : values[i])};
  }
  table.count(values, sub, right ? Verdict::kRight : Verdict::kWrong);
}

}  // namespace

bool mmau_match(std::string_view answer, std::string_view prediction, const std::vector<std::string>& choices) {
  const auto said = py::word_tokens(prediction);
  if (said.empty()) return false;
  const auto gold = py::word_tokens(answer);
  if (!contains_all(said, gold)) return false;
  for (const std::string& choice : choices) {
    const auto tokens = py::word_tokens(choice);
    if (tokens == gold) continue;
    const bool wrong =
        std::any_of(tokens.begin(), tokens.end(), [&](const std::string& t) { return !gold.contains(t) && said.contains(t); });
    if (wrong) return false;
  }
  return true;
}

bool mmau_match_2024(std::string_view answer, std::string_view prediction, const std::vector<std::string>& choices) {
  if (prediction.empty()) return false;
  const std::string said = py::lower(prediction);
  if (said.find(py::lower(answer)) == std::string::npos) return false;
  return std::none_of(choices.begin(), choices.end(), [&](const std::string& choice) {
    return choice != answer && said.find(py::lower(choice)) != std::string::npos;
  });
}

// git show 1f675a9:mmau-test-mini.json | sha256sum and f0a4a97 of github.com/Sakshi113/MMAU.
std::string_view mmau_version_of_file(std::string_view sha256) {
  if (sha256 == "e8cc09223b497191781756212cb616315690aaa6ea7ac359db1b65d97d1e2433") return "v2025-03-25";
  if (sha256 == "9f18fda99f8dbc2bc5ecd6323fb5063309f54969810b5c6f1caeb3b8d904cf1c") return "v05.15.25";
  return "";
}

// `eval score --benchmark mmau --json` on the two files prints these as "items_sha256".
std::string_view mmau_version_of_items(std::string_view sha256) {
  if (sha256 == "c7a60bc40bb3041a26a5a0fe94c6b532a943f32e27c27f2bbfe253e2322d19df") return "v2025-03-25";
  if (sha256 == "30530501518a2d043a85096520109cf27953b5e9e3de6661b71a03b066f871e9") return "v05.15.25";
  return "";
}

AccuracyTable::AccuracyTable(ChoiceBenchmark benchmark) {
  const auto fill = [&](std::size_t i, const std::vector<const char*>& names) {
    for (const char* name : names) rows_[i].push_back({name});
  };
  if (benchmark == ChoiceBenchmark::kMmau) {
    keys_ = {"task", "difficulty"};
    titles_ = {"Task-wise", "Difficulty-wise", "Sub-category-wise"};
    fill(0, {"sound", "music", "speech"});
    fill(1, {"easy", "hard", "medium"});
  } else {
    keys_ = {"modality", "category"};
    titles_ = {"Modality-wise", "Category-wise", "Sub-category-wise"};
    fill(0, {"sound", "music", "speech", "mix-sound-music", "mix-sound-speech", "mix-music-speech", "mix-sound-music-speech"});
    fill(1, {"Signal Layer", "Perception Layer", "Semantic Layer", "Cultural Layer"});
  }
}

bool AccuracyTable::knows(std::size_t key, std::string_view value) const {
  return std::any_of(rows_[key].begin(), rows_[key].end(), [&](const Row& row) { return row.name == value; });
}

void AccuracyTable::see_sub_category(std::string_view sub_category) {
  auto& rows = rows_[2];
  if (std::none_of(rows.begin(), rows.end(), [&](const Row& row) { return row.name == sub_category; }))
    rows.push_back({std::string(sub_category)});
}

void AccuracyTable::count(const std::array<std::string, 2>& values, const std::optional<std::string>& sub_category,
                          Verdict verdict) {
  const bool right = verdict == Verdict::kRight;
  const auto add = [&](std::vector<Row>& rows, std::string_view name) {
    for (Row& row : rows) {
      if (row.name != name) continue;
      row.right += right ? 1 : 0;
      ++row.total;
    }
  };
  add(rows_[0], values[0]);
  add(rows_[1], values[1]);
  if (sub_category) {
    see_sub_category(*sub_category);
    add(rows_[2], *sub_category);
  }
  right_ += right ? 1 : 0;
  ++total_;
}

std::string AccuracyTable::tables() const {
  std::string out;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    out += std::string(kTableRule) + titles_[i] + " Accuracy:\n";
    for (const Row& row : rows_[i]) {
      const double share = row.total > 0 ? static_cast<double>(row.right) / static_cast<double>(row.total) * 100 : 0;
      out += fmt::format("{} : {:.2f}% over {} samples\n", row.name, share, row.total);
    }
  }
  return out + std::string(kTableRule);
}

ScriptRun AccuracyTable::run() const {
  if (total_ == 0) return {tables(), 1, "ZeroDivisionError: division by zero"};
  const double share = static_cast<double>(right_) / static_cast<double>(total_) * 100;
  return {
      tables() + fmt::format("Total Accuracy: {:.2f}% over {} samples\n{}No prediction count: 0\n", share, total_, kTableRule),
      0, ""};
}

ScriptRun run_choice_script(ChoiceBenchmark benchmark, const Json& items) {
  AccuracyTable table(benchmark);
  try {
    for (const Json& item : items) script_item(benchmark, item, table);
  } catch (const ScriptStop& stop) {
    return {"", 1, stop.error};
  }
  return table.run();
}

}  // namespace areason
