#include "eval/predictions.h"

#include <algorithm>
#include <map>
#include <set>

#include "eval/items.h"

namespace areason {
namespace {

constexpr std::size_t kLongestId = 1024;

std::optional<std::string> scalar_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number() || value.is_boolean()) return dump_json(value);
  return std::nullopt;
}

// A list of one text where a text is expected.
bool is_wrapped_text(const Json& value) { return value.is_array() && value.size() == 1 && value[0].is_string(); }

std::optional<std::string> read_reply(const Json& record, const std::vector<std::string>& keys, Counts& counts) {
  const auto key = std::find_if(keys.begin(), keys.end(), [&](const std::string& k) { return record.contains(k); });
  if (key == keys.end()) {
    counts.add("missing_reply");
    return std::nullopt;
  }
  const Json& value = record[*key];
  if (value.is_string()) return value.get<std::string>();
  if (is_wrapped_text(value)) {
    counts.add("list_typed_field");
    return value[0].get<std::string>();
  }
  counts.add(value.is_null() ? "null_reply" : "reply_not_text");
  return std::nullopt;
}

class Joiner {
 public:
  Joiner(const PredictionFiles& files, Counts& counts, const std::function<void(Prediction&&)>& each)
      : files_(files), counts_(counts), each_(each) {
    if (files.data.empty()) return;
    files.data.ends_with(".csv") || files.data.ends_with(".tsv") ? read_table_items() : read_record_items();
  }

  void add(Json&& record, std::size_t number) {
    std::string id = item_id(record, number);
    if (id[0] == '#') id = "#" + std::to_string(++unnamed_);  // numbers run on over several files
    if (!seen_.insert(id).second) {
      counts_.add("duplicate_id");
      if (files_.duplicates == PredictionFiles::Duplicates::kFirst) return;
    }
    Prediction p{std::move(id), Json(), read_reply(record, files_.reply_keys, counts_)};
    if (files_.data.empty()) {
      p.item = std::move(record);
      return each_(std::move(p));
    }
    const auto item = items_.find(p.id);
    if (item == items_.end()) return counts_.add("id_not_in_data");
    p.item = record;
    p.item.update(item->second);
    each_(std::move(p));
  }

  void finish() {
    for (const std::string& id : order_) {
      if (seen_.contains(id)) continue;
      counts_.add("no_prediction");
      each_(Prediction{id, items_[id], std::nullopt});
    }
  }

 private:
  void read_record_items() {
    read_records(files_.data, files_.limits, counts_, [&](Json&& item, std::size_t number) {
      const std::string id = item_id(item, number);
      if (!items_.try_emplace(id, std::move(item)).second) {
        counts_.add("duplicate_id_in_data");
        return;
      }
      order_.push_back(id);
    });
  }

  // MELD's and CoVoST's own tables.
  void read_table_items() {
    Counts counts;
    ItemSource source;
    source.benchmark = files_.data.ends_with(".csv") ? "meld" : "covost2";
    source.data = files_.data;
    source.limits = files_.limits;
    for (BenchmarkItem& item : read_items(source, counts).items) {
      order_.push_back(item.id);
      items_.try_emplace(item.id, std::move(item.fields));
    }
    for (const auto& [name, n] : counts.all())
      if (name != "missing_audio") counts_.add(name, n);  // nothing is listened to here
  }

  const PredictionFiles& files_;
  Counts& counts_;
  const std::function<void(Prediction&&)>& each_;
  std::map<std::string, Json> items_;
  std::vector<std::string> order_;
  std::set<std::string> seen_;
  std::size_t unnamed_ = 0;
};

}  // namespace

std::string item_id(const Json& item, std::size_t number) {
  const auto part = [&](const char* key) { return item.contains(key) ? scalar_text(item[key]).value_or("") : std::string(); };
  std::string id = part("id");
  if (id.empty() && !part("uniq_id").empty()) id = part("task_name") + "/" + part("dataset_name") + "/" + part("uniq_id");
  if (id.empty() || id[0] == '#' || id.size() > kLongestId) return "#" + std::to_string(number);
  return id;
}

void read_predictions(const PredictionFiles& files, Counts& counts, const std::function<void(Prediction&&)>& each) {
  Joiner joiner(files, counts, each);
  for (const std::string& path : files.paths)
    read_records(path, files.limits, counts, [&](Json&& record, std::size_t number) { joiner.add(std::move(record), number); });
  joiner.finish();
}

std::optional<std::string> text_field(const Json& item, std::string_view key, Counts& counts) {
  const auto found = item.find(key);
  if (found == item.end() || found->is_null()) return std::nullopt;
  if (is_wrapped_text(*found)) {
    counts.add("list_typed_field");
    return (*found)[0].get<std::string>();
  }
  if (!found->is_string()) counts.add(found->is_structured() ? "unsuitable_field" : "number_for_text");
  return scalar_text(*found);
}

std::optional<std::vector<std::string>> choices_field(const Json& item, std::string_view key, Counts& counts) {
  const auto found = item.find(key);
  Json list = found == item.end() ? Json() : *found;
  if (list.is_string()) {
    list = Json::parse(list.get_ref<const std::string&>(), nullptr, false);
    if (list.is_array()) counts.add("choices_as_json_string");
  }
  if (!list.is_array()) return std::nullopt;
  std::vector<std::string> out;
  for (const Json& choice : list) {
    const auto text = scalar_text(choice);
    if (!text) return std::nullopt;
    if (!choice.is_string()) counts.add("number_for_text");
    out.push_back(*text);
  }
  return out;
}

}  // namespace areason
