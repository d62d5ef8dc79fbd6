#pragma once
// What the scorers take: a benchmark's item with a model's whole reply. Reads predictions files of every benchmark (JSON lines
// or one JSON array, the benchmark's own keys) and joins them with a data file by id. Everything odd is counted by name,
// nothing makes it fail but a file that cannot be read. Called by `eval score`, `eval compare` and, later, the runner, which
// makes Predictions itself. Thread rule: values and free functions.
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "eval/counts.h"
#include "eval/record_reader.h"

namespace areason {

struct Prediction {
  std::string id;                    // the item's id, or "#17", its place in the file
  Json item;                         // the benchmark's fields: answer, choices, task …
  std::optional<std::string> reply;  // the model's whole text, before any extraction; empty: none
};

struct PredictionFiles {
  std::vector<std::string> paths;       // read one after the other; "-" is standard input
  std::string data;                     // the benchmark's own file, joined by id; empty: the predictions carry their items
  std::vector<std::string> reply_keys;  // where the reply stands; the first that is there counts
  enum class Duplicates { kFirst, kKeep } duplicates = Duplicates::kFirst;
  RecordLimits limits;
};

// The id of an item: "id"; AIR-Bench's uniq_id with its task and data set; else "#number".
std::string item_id(const Json& item, std::size_t number);

// Calls `each` for every prediction, then, with a data file, for every item without one. Counted beside read_records()'
// names: duplicate_id, missing_reply (no key), null_reply, reply_not_text, list_typed_field (a one-element list unwrapped),
// id_not_in_data, no_prediction. Throws Error(kInput).
void read_predictions(const PredictionFiles& files, Counts& counts, const std::function<void(Prediction&&)>& each);

// Fields with the type traps of the released files. Empty for null, missing or unsuitable ones.
std::optional<std::string> text_field(const Json& item, std::string_view key, Counts& counts);
// A list of texts, or a JSON list in a string (counted as choices_as_json_string). Numbers become text.
std::optional<std::vector<std::string>> choices_field(const Json& item, std::string_view key, Counts& counts);

}  // namespace areason
