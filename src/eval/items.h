#pragma once
// A benchmark's items as released: MMAU's and MMAR's JSON, AIR-Bench's meta files, CoVoST 2's TSV, MELD's CSV, with the path of
// every clip. Called by the runner and the judges. Layouts: facts/evaluation.md 1 to 4, docs/evaluation.md. Nothing odd in a
// file ends the reading; it is counted by name. Errors: Error(kInput) when a file cannot be found or read. Thread rule: values
// and free functions.
#include <string>
#include <vector>

#include "base/json.h"
#include "eval/counts.h"
#include "eval/record_reader.h"

namespace areason {

struct BenchmarkItem {
  std::string id;
  Json fields;  // as released; CoVoST and MELD: as Qwen's scorers want them (gt, source), and the columns
  std::vector<std::string> audio;
  bool has_audio = false;            // every clip is there
  std::vector<std::string> choices;  // multiple choice: the options in order
};

struct ItemSource {
  std::string benchmark;
  std::string data;   // the released file, or a folder that holds it under its released name
  std::string audio;  // where clips lie; empty: beside the file
  RecordLimits limits;
};

struct BenchmarkItems {
  std::vector<BenchmarkItem> items;
  std::vector<std::string> files;  // what was read
  std::string sha256;              // of the file; of several: of their hashes joined
};

// Counted beside read_records()' names: duplicate_id_in_data (the first counts), bad_audio_field, missing_audio, bad_choices,
// bad_row.
BenchmarkItems read_items(const ItemSource& source, Counts& counts);

}  // namespace areason
