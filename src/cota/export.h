#pragma once
// `data export`: reviewed samples out of a store (or a sample file) in the form that a trainer reads. Samples are ordered by a
// hash of seed and id, so the order depends on nothing else; only ids and places lie in memory, samples are read one at a time.
// Called by the CLI and tests. Thread rule: one call at a time. Errors: Error(kUsage, kInput, kFailure), Error(kInterrupted).
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cota/import_clip.h"
#include "cota/sample.h"
#include "store/job_store.h"

namespace areason {

enum class ExportFormat { kJsonl, kSwift, kHuggingFace, kWebDataset };
ExportFormat export_format(const std::string& name);  // jsonl, swift, hf, webdataset. Throws Error(kUsage)

enum class Keep { kApproved, kAll };  // kAll: also what the reviewer refused, with its verdict

struct ExportItem {
  Sample sample;
  std::string root;  // folder of its audio; "" when the paths are absolute
  std::string group;
  double seconds = 0;
};

// Where samples come from: every item once to be listed, then single ones again by their place.
class ExportSource {
 public:
  virtual ~ExportSource() = default;
  virtual void each(const std::function<void(std::int64_t place, const ExportItem&)>& each) = 0;
  virtual ExportItem get(std::int64_t place) = 0;
};
// Finished reviews. `excluded` clips (duplicates that were found later) are left out.
std::unique_ptr<ExportSource> export_from_store(store::JobStore& store, const std::map<std::string, std::string>& where,
                                                std::vector<std::string> excluded);
// Audio lies in the file's folder, or in `audio_root`, where absolute paths (those of an earlier export) are taken too.
std::unique_ptr<ExportSource> export_from_file(const std::string& samples, const std::string& audio_root = "");
// Ids that a file of defects names (data check --defects). Throws Error(kInput) with the line that names none.
std::set<std::string> ids_with_defects(const std::string& file);

struct ExportOptions {
  ExportFormat format = ExportFormat::kJsonl;
  std::string out;
  std::uint64_t seed = 1;
  Keep keep = Keep::kApproved;
  double val_share = 0.02, test_share = 0;  // of the groups that have no split of their own
  int shard_samples = 1000;                 // WebDataset
  std::set<std::string> left_out;           // ids of samples
  // Folders that are read and must not become the export's: the set, the sample file's. Those of the audio are known.
  std::vector<std::string> inputs;
};

struct ExportReport {
  std::int64_t samples = 0, refused = 0, left_out = 0, skipped_files = 0;
  std::map<std::string, std::int64_t> splits, tasks, licences, sources;
  double hours = 0;
};
// Throws, and leaves the folder as it is, where nothing is to be exported or the folder is no place for it (export_folder.h).
ExportReport export_samples(ExportSource& source, const ExportOptions& options);

// ---- between export.cpp and export_formats.cpp ----
class ExportWriter {
 public:
  virtual ~ExportWriter() = default;
  // Items of one split come together, in their final order.
  virtual void add(const std::string& split, const ExportItem& item) = 0;
  virtual void finish(const ExportReport& report) = 0;
};
std::unique_ptr<ExportWriter> make_export_writer(const ExportOptions& options);
// All files that the writer makes of so many samples a split, relative to options.out; an audiofolder's clips, which its
// metadata.jsonl name, are not listed.
std::vector<std::string> export_files(const ExportOptions& options, const std::map<std::string, std::int64_t>& splits);
// The file of an item's clip; throws Error(kInput) when it leads out of its root.
std::string export_audio_path(const ExportItem& item, const std::string& audio);

}  // namespace areason
