#include "cota/export.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/random.h"
#include "cota/export_folder.h"
#include "cota/review.h"
#include "cota/stage_run.h"

namespace areason {

namespace fs = std::filesystem;

namespace {

class StoreSource : public ExportSource {
 public:
  StoreSource(store::JobStore& store, std::map<std::string, std::string> where, std::vector<std::string> excluded)
      : store_(store), where_(std::move(where)), excluded_(excluded.begin(), excluded.end()) {}
  void each(const std::function<void(std::int64_t, const ExportItem&)>& each) override {
    store_.each({stage_name(Stage::kReview), {}, where_}, store::JobState::kDone, [&](store::Job&& job) {
      throw_if_interrupted();
      if (!excluded_.contains(job.labels.clip)) each(job.id, item_of(job));
    });
  }
  ExportItem get(std::int64_t place) override { return item_of(store_.get(place)); }

 private:
  static ExportItem item_of(const store::Job& job) {
    StageItem item = read_payload(job);
    ExportItem out{std::move(item.sample), item.clip.root, item.clip.group, item.clip.seconds};
    const auto review = parse_review(job.answer.text);
    out.sample.review_verdict = review.value && review.value->right ? "true" : "false";
    out.sample.review_reason = review.value ? review.value->reason : "";
    out.sample.review_by = job.answer.teacher;
    out.sample.prompt_version += ";" + job.key.version;
    // Another annotation of the clip may have a question of the same number.
    out.sample.id = job.key.item;
    return out;
  }
  store::JobStore& store_;
  std::map<std::string, std::string> where_;
  std::set<std::string> excluded_;
};

class FileSource : public ExportSource {
 public:
  FileSource(const std::string& path, const std::string& root)
      : path_(path),
        root_(root.empty() ? parent_directory(path) : root),
        absolute_(!root.empty()),
        in_(path, std::ios::binary) {
    if (!in_) throw Error(ErrorCode::kInput, path + ": cannot be opened", "give a file of the sample schema");
  }
  void each(const std::function<void(std::int64_t, const ExportItem&)>& each) override {
    std::string line;
    for (std::int64_t place = 0; std::getline(in_, line); place = static_cast<std::int64_t>(in_.tellg())) {
      throw_if_interrupted();
      if (line.find_first_not_of(" \t\r") != std::string::npos) each(place, item_of(line));
      if (in_.eof()) break;
    }
    in_.clear();
  }
  ExportItem get(std::int64_t place) override {
    in_.clear();
    in_.seekg(place);
    std::string line;
    std::getline(in_, line);
    return item_of(line);
  }

 private:
  ExportItem item_of(const std::string& line) const {
    Sample sample = sample_from_json(parse_json(line, path_), path_);
    if (absolute_)
      for (std::string& audio : sample.audio)
        if (fs::path(audio).is_absolute()) audio = fs::path(audio).lexically_relative(fs::absolute(root_).lexically_normal());
    const std::string group = sample.source.id.empty() ? sample.id : sample.source.set + ":" + sample.source.id;
    return {std::move(sample), root_, group, 0};
  }
  std::string path_, root_;
  bool absolute_;
  std::ifstream in_;
};

std::string split_of(const ExportItem& item, const ExportOptions& options) {
  if (!item.sample.split.empty()) return item.sample.split;
  // By group, so that no recording lies on both sides.
  const double u = Random::for_item(options.seed, "split/" + item.group).uniform();
  return u < options.test_share ? "test" : u < options.test_share + options.val_share ? "val" : "train";
}

// A split's name becomes a file's name.
std::string safe_name(const std::string& name) {
  std::string out;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    out += plain ? c : '_';
  }
  return out.empty() ? "train" : out;
}

struct Place {
  std::uint32_t split;
  std::uint64_t order;
  std::int64_t place;
  bool operator<(const Place& other) const {
    return std::tie(split, order, place) < std::tie(other.split, other.order, other.place);
  }
};

}  // namespace

ExportFormat export_format(const std::string& name) {
  const std::map<std::string, ExportFormat> kNames = {{"jsonl", ExportFormat::kJsonl},
                                                      {"swift", ExportFormat::kSwift},
                                                      {"hf", ExportFormat::kHuggingFace},
                                                      {"webdataset", ExportFormat::kWebDataset}};
  const auto it = kNames.find(name);
  if (it == kNames.end())
    throw Error(ErrorCode::kUsage, "unknown export format \"" + name + "\"", "use jsonl, swift, hf or webdataset");
  return it->second;
}

std::unique_ptr<ExportSource> export_from_store(store::JobStore& store, const std::map<std::string, std::string>& where,
                                                std::vector<std::string> excluded) {
  return std::make_unique<StoreSource>(store, where, std::move(excluded));
}
std::unique_ptr<ExportSource> export_from_file(const std::string& samples, const std::string& audio_root) {
  return std::make_unique<FileSource>(samples, audio_root);
}

std::set<std::string> ids_with_defects(const std::string& file) {
  std::istringstream in(read_file(file));
  std::set<std::string> ids;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    const std::string where = file + ", line " + std::to_string(number);
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const Json json = parse_json(line, where);
    if (!json.is_object() || !json.contains("id") || !json["id"].is_string())
      throw Error(ErrorCode::kInput, where + ": no \"id\"", "give a file that data check --defects has written");
    ids.insert(json["id"].get<std::string>());
  }
  return ids;
}

std::string export_audio_path(const ExportItem& item, const std::string& audio) {
  if (item.root.empty() && fs::path(audio).is_absolute()) return audio;
  return fs::absolute(path_inside(item.root.empty() ? "." : item.root, audio)).lexically_normal().string();
}

namespace {

// Hashes what goes out and in which form: an export that was stopped goes on only as the same one.
class Fingerprint {
 public:
  explicit Fingerprint(const ExportOptions& o) {
    text_ = std::to_string(static_cast<int>(o.format)) + " " + std::to_string(o.seed) + " " + std::to_string(o.shard_samples) +
            " " + std::to_string(static_cast<int>(o.keep));
  }
  void add(const std::string& what) {
    text_ += what + "\n";
    if (text_.size() > 1 << 16) text_ = sha256_hex(text_);
  }
  std::string hex() const { return sha256_hex(text_); }

 private:
  std::string text_;
};

// What goes out of an item, and where its audio lies: an export goes on only where both are as they were.
std::string content_of(const ExportItem& item) { return item.root + "\n" + dump_json(sample_to_json(item.sample)); }

Error nothing_to_export(const ExportReport& report) {
  if (report.left_out > 0)
    return Error(
        ErrorCode::kInput,
        "nothing to export: --leave-out names all " + std::to_string(report.left_out) + " samples that the review approved",
        "is that the right file?");
  return report.refused > 0
             ? Error(ErrorCode::kInput,
                     "nothing to export: the review approved none of " + std::to_string(report.refused) + " samples",
                     "--keep all exports them with their verdicts")
             : Error(ErrorCode::kInput, "nothing to export: no sample is finished, or --where lets none through",
                     "data run finishes the samples of a set; what was exported before is as it was");
}

// What will be exported, without the samples themselves.
struct Listing {
  std::vector<std::string> splits;
  std::vector<Place> places;
  std::map<std::string, std::int64_t> counts;  // by split
  std::string fingerprint;
};

Listing list_samples(ExportSource& source, const ExportOptions& options, ExportReport& report) {
  Listing list;
  Fingerprint fingerprint(options);
  std::set<std::string> roots;
  source.each([&](std::int64_t place, const ExportItem& item) {
    if (options.keep == Keep::kApproved && item.sample.review_verdict != "true") {
      ++report.refused;
      return;
    }
    if (options.left_out.contains(item.sample.id)) {
      ++report.left_out;
      return;
    }
    if (roots.insert(item.root).second) check_export_folder(options.out, {item.root});
    const std::string split = safe_name(split_of(item, options));
    auto it = std::find(list.splits.begin(), list.splits.end(), split);
    if (it == list.splits.end()) it = list.splits.insert(it, split);
    ++list.counts[split];
    fingerprint.add(split + " " + item.sample.id + " " + sha256_hex(content_of(item)));
    Random random = Random::for_item(options.seed, "order/" + item.sample.id);
    const std::uint64_t high = random.next_u32();
    list.places.push_back({static_cast<std::uint32_t>(it - list.splits.begin()), high << 32 | random.next_u32(), place});
  });
  list.fingerprint = fingerprint.hex();
  return list;
}

}  // namespace

ExportReport export_samples(ExportSource& source, const ExportOptions& options) {
  check_export_folder(options.out, options.inputs);
  ExportReport report;
  Listing list = list_samples(source, options, report);
  if (list.places.empty()) throw nothing_to_export(report);
  if (!options.left_out.empty() && report.left_out == 0)
    throw Error(ErrorCode::kInput,
                "none of the " + std::to_string(options.left_out.size()) +
                    " samples that --leave-out names is among these, e.g. " + *options.left_out.begin(),
                "list the defects of what is exported: data check --set for --set, data check --samples for --samples");
  std::sort(list.places.begin(), list.places.end());
  take_export_folder(options.out, {list.fingerprint, export_files(options, list.counts)});
  const auto writer = make_export_writer(options);
  for (const Place& p : list.places) {
    throw_if_interrupted();
    ExportItem item = source.get(p.place);
    item.sample.split = list.splits[p.split];
    writer->add(item.sample.split, item);
    ++report.samples;
    ++report.splits[item.sample.split];
    ++report.tasks[item.sample.task];
    ++report.licences[item.sample.source.licence.empty() ? "unknown" : item.sample.source.licence];
    ++report.sources[item.sample.source.set];
    report.hours += item.seconds / 3600;
  }
  writer->finish(report);
  return report;
}

}  // namespace areason
