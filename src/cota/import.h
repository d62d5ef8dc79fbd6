#pragma once
// `data import`: clips from outside into a set's DIR/clips.jsonl. A source (import_sources.h) lists rows; here their files are
// found, decoded, hashed and compared. Broken rows and missing files are listed in DIR/import-problems.jsonl, counted, and
// skipped. What an earlier import of the set has is not decoded again; a stopped import goes on. Called by the CLI and tests.
// Thread rule: run_import() starts its own threads. Errors: Error(kUsage, kInput), Error(kInterrupted).
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "cota/import_clip.h"

namespace areason {

struct ImportOptions {
  std::string kind;        // "audiocaps", …: import_kinds()
  std::string path;        // folder or table of the source
  std::string audio;       // folder of the audio files; "" where the source keeps them beside its tables
  std::string split;       // for sources that have none of their own
  std::string set;         // DIR
  std::int64_t limit = 0;  // rows; 0: all
  int threads = 2;
};

struct ImportReport {
  std::int64_t rows = 0, imported = 0, known = 0, missing = 0, broken = 0;  // the four others add up to the rows
  std::int64_t duplicates = 0, across_splits = 0;                           // in the whole set
  std::map<std::string, std::int64_t> licences;
};
using ImportProgress = std::function<void(const ImportReport&)>;
ImportReport run_import(const ImportOptions& options, const ImportProgress& progress = {});

// A row as a source lists it: everything but what the audio itself says.
struct ImportRow {
  SourceClip clip;                      // root is set; audio too, unless `candidates` are
  std::vector<std::string> candidates;  // names that the one file may have, relative to root
  double expected_seconds = 0;          // 0: unknown; a file far off this is broken (MELD's mis-cut clips)
  std::string where;                    // "file, line 12"
};
struct ImportSink {
  std::function<void(ImportRow&&)> row;
  std::function<void(const std::string& where, const std::string& what)> broken;
};

// Finds clips of equal sound among any number, told of them three times in the same order: test and validation clips stay, of
// equals on one side the first. Clips of equal sound come into one group, so that no later split parts them.
class Duplicates {
 public:
  void hear(const SourceClip& clip);
  void remember(const SourceClip& clip);
  void mark(SourceClip& clip);
  std::int64_t found() const { return found_; }
  std::int64_t across() const { return across_; }  // a train/test border

 private:
  struct Kept {
    std::int64_t at;
    int rank;
    bool shared;
  };
  struct Named {
    std::string id, split, group;
  };
  std::unordered_map<std::string, Kept> by_content_;
  std::unordered_map<std::string, Named> kept_;  // of shared sounds only
  std::int64_t heard_ = 0, remembered_ = 0, marked_ = 0, found_ = 0, across_ = 0;
};

}  // namespace areason
