#include "eval/items.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "eval/predictions.h"
#include "eval/table_file.h"

namespace areason {
namespace {

namespace fs = std::filesystem;

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

// The released names by benchmark, the usual one first.
std::vector<std::string> released_names(const std::string& benchmark) {
  if (benchmark == "mmau") return {"mmau-test-mini.json", "mmau-test.json"};
  if (benchmark == "mmar") return {"MMAR-meta.jsonl", "MMAR-meta.json"};
  if (benchmark == "airbench-foundation") return {"Foundation_meta.json", "Foundation/Foundation_meta.json"};
  if (benchmark == "airbench-chat") return {"Chat_meta.json", "Chat/Chat_meta.json"};
  if (benchmark == "meld") return {"test_sent_emo.csv", "data/MELD/test_sent_emo.csv", "meld.jsonl"};
  if (benchmark == "covost2") return {"covost2.jsonl"};
  return {};
}

bool is_covost_test(const std::string& name) { return name.starts_with("covost_v2.") && name.ends_with(".test.tsv"); }

std::vector<std::string> find_files(const ItemSource& source) {
  std::error_code ignored;
  if (!fs::is_directory(source.data, ignored)) return {source.data};
  std::vector<std::string> found;
  for (const std::string& name : released_names(source.benchmark)) {
    if (found.empty() && is_file(fs::path(source.data) / name)) found.push_back((fs::path(source.data) / name).string());
  }
  if (source.benchmark == "covost2" && found.empty()) {
    for (const auto& entry : fs::directory_iterator(source.data, ignored))
      if (is_covost_test(entry.path().filename().string())) found.push_back(entry.path().string());
    std::sort(found.begin(), found.end());
  }
  if (!found.empty()) return found;
  std::string names = source.benchmark == "covost2" ? "covost_v2.{source}_{target}.test.tsv" : "";
  for (const std::string& name : released_names(source.benchmark)) names += (names.empty() ? "" : " or ") + name;
  throw Error(ErrorCode::kInput, source.data + " holds no file of " + source.benchmark,
              "name the file itself, or a folder with " + names);
}

// Where a clip may lie: folder by folder, the first that has it.
struct ClipSearch {
  std::vector<std::string> folders;
  std::vector<std::string> names;
};

std::string find_clip(const ClipSearch& search) {
  for (const std::string& folder : search.folders) {
    for (const std::string& name : search.names) {
      const fs::path path = fs::path(name).is_absolute() ? fs::path(name) : fs::path(folder) / name;
      if (is_file(path)) return path.lexically_normal().string();
    }
  }
  return "";
}

class ItemReader {
 public:
  ItemReader(const ItemSource& source, Counts& counts, BenchmarkItems& out) : source_(source), counts_(counts), out_(out) {}

  void read(const std::string& file) {
    folder_ = parent_directory(file);
    const std::string extension = fs::path(file).extension().string();
    const auto number = [this] { return out_.items.size() + 1; };
    if (extension == ".csv") {
      read_table({file, kCsv, source_.limits}, counts_, [&](TableRow&& row) { add(meld_item(row), number()); });
    } else if (extension == ".tsv") {
      const std::string source = covost_source(file);
      read_table({file, kCovostTsv, source_.limits}, counts_, [&](TableRow&& row) { add(covost_item(row, source), number()); });
    } else {
      read_records(file, source_.limits, counts_, [&](Json&& record, std::size_t n) { add(std::move(record), n); });
    }
  }

 private:
  // "covost_v2.en_zh-CN.test.tsv" gives "covost_en_zh_test", the name in Qwen's files, by which the scorer finds the tokenizer.
  static std::string covost_source(const std::string& file) {
    std::string name = fs::path(file).filename().string();
    if (!is_covost_test(name)) return "covost_unknown_test";
    name = name.substr(std::string("covost_v2.").size());
    name = name.substr(0, name.find('.'));
    const auto at = name.find("zh-CN");
    if (at != std::string::npos) name.replace(at, 5, "zh");
    return "covost_" + name + "_test";
  }

  static Json covost_item(const TableRow& row, const std::string& source) {
    Json item = Json::object();
    for (const auto& [column, value] : row) item[column] = value;
    item["id"] = source + "/" + (row.contains("path") ? row.at("path") : "");
    item["audio"] = row.contains("path") ? row.at("path") : "";
    item["gt"] = row.contains("translation") ? Json(row.at("translation")) : Json();
    item["source"] = source;
    return item;
  }

  static Json meld_item(const TableRow& row) {
    Json item = Json::object();
    for (const auto& [column, value] : row) item[column] = value;
    const auto part = [&](const char* column) { return row.contains(column) ? row.at(column) : std::string("?"); };
    item["id"] = "dia" + part("Dialogue_ID") + "_utt" + part("Utterance_ID");
    item["gt"] = row.contains("Emotion") ? Json(row.at("Emotion")) : Json();
    item["source"] = "meld_test";
    return item;
  }

  void add(Json&& record, std::size_t number) {
    BenchmarkItem item;
    item.id = item_id(record, number);
    if (item.id[0] == '#') item.id = "#" + std::to_string(out_.items.size() + 1);
    if (!ids_.insert(item.id).second) return counts_.add("duplicate_id_in_data");
    item.fields = std::move(record);
    // In the order in which prompts with letters name them (Kimi-Audio-Evalkit's; facts/evaluation.md 4).
    // A field "choices" (nano's own benchmark) is another order.
    if (source_.benchmark == "meld" && !item.fields.contains("choices"))
      item.fields["choices"] = {"neutral", "joy", "sadness", "anger", "surprise", "fear", "disgust"};
    find_audio(item);
    read_choices(item);
    out_.items.push_back(std::move(item));
  }

  void read_choices(BenchmarkItem& item) {
    Counts ignored;  // the scorer counts these
    if (source_.benchmark == "mmau" || source_.benchmark == "mmar" || source_.benchmark == "meld") {
      const auto choices = choices_field(item.fields, "choices", ignored);
      if (choices) item.choices = *choices;
      if (!choices && source_.benchmark != "meld") counts_.add("bad_choices");
    } else if (source_.benchmark == "airbench-foundation") {
      for (const char* key : {"choice_a", "choice_b", "choice_c", "choice_d"})
        if (const auto choice = text_field(item.fields, key, ignored)) item.choices.push_back(*choice);
    }
  }

  // The clips as the item names them.
  std::vector<std::string> named_audio(const Json& fields) {
    Counts ignored;
    const auto text = [&](const char* key) { return text_field(fields, key, ignored).value_or(""); };
    for (const char* key : {"audio", "audio_id", "audio_path"}) {
      if (fields.contains(key) && fields[key].is_array()) {
        std::vector<std::string> names;
        for (const Json& name : fields[key])
          if (name.is_string()) names.push_back(name.get<std::string>());
        return names.size() == fields[key].size() ? names : std::vector<std::string>();
      }
      if (!text(key).empty()) return {text(key)};
    }
    if (source_.benchmark.starts_with("airbench") && !text("path").empty()) {
      std::string path = text("path");
      // The format's own exception (Inference_Foundation.py; facts/evaluation.md 2.1).
      if (text("task_name") == "Audio_Grounding" && path.size() > 3) path.replace(path.size() - 3, 3, "flac");
      return {text("task_name") + "_" + text("dataset_name") + "/" + path};
    }
    if (source_.benchmark == "meld" && text("id").starts_with("dia")) return {text("id")};
    return {};
  }

  ClipSearch search_for(const std::string& name) const {
    ClipSearch search;
    const std::string root = source_.audio.empty() ? folder_ : source_.audio;
    search.folders = {root, root + "/clips", root + "/audio"};
    search.names = {name};
    if (source_.benchmark == "meld" && fs::path(name).extension().empty()) {
      search.folders.push_back(root + "/output_repeated_splits_test");
      search.folders.push_back(root + "/wav");
      search.names = {name + ".mp4", name + ".wav", name + ".flac", name + ".mp3"};
    }
    if (source_.benchmark == "covost2") {
      for (const char* language : {"en", "zh-CN"}) search.folders.push_back(root + "/" + language + "/clips");
      const fs::path bare = fs::path(name).replace_extension();
      search.names = {name, bare.string() + ".wav", bare.string() + ".flac", bare.string() + ".mp3"};
    }
    return search;
  }

  void find_audio(BenchmarkItem& item) {
    const auto names = named_audio(item.fields);
    if (names.empty()) return counts_.add("bad_audio_field");
    item.has_audio = true;
    for (const std::string& name : names) {
      const std::string path = name.find('\0') == std::string::npos ? find_clip(search_for(name)) : "";
      if (path.empty()) item.has_audio = false;
      item.audio.push_back(path.empty() ? name : path);
    }
    if (!item.has_audio) counts_.add("missing_audio");
  }

  const ItemSource& source_;
  Counts& counts_;
  BenchmarkItems& out_;
  std::string folder_;
  std::set<std::string> ids_;
};

}  // namespace

BenchmarkItems read_items(const ItemSource& source, Counts& counts) {
  BenchmarkItems out;
  out.files = find_files(source);
  ItemReader reader(source, counts, out);
  std::string hashes;
  for (const std::string& file : out.files) {
    reader.read(file);
    hashes += sha256_file(file);
  }
  out.sha256 = out.files.size() == 1 ? hashes : sha256_hex(hashes);
  if (out.items.empty())
    throw Error(ErrorCode::kInput, out.files.front() + " holds no item that can be read",
                "see docs/evaluation.md for the layouts");
  return out;
}

}  // namespace areason
