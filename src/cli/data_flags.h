#pragma once
// What the commands about a set of clips share: the set's folder and store, the choice of clips, and the two steps that
// `data run` can do on the way. Called by cmd_data_*.cpp. Thread rule: values. Errors: Error(kUsage, kInput).
#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "store/job_store.h"

namespace areason {

struct SetFlags {
  std::string set, store;
  std::vector<std::string> where;

  void add_to(CLI::App& app);
  std::string clips_file() const { return set + "/clips.jsonl"; }
  std::string store_address() const;
  // SET/jobs.db unless --store says otherwise; made when it is not there.
  std::unique_ptr<store::JobStore> open() const;
  // For commands that only read: refuses a store that is not there.
  std::unique_ptr<store::JobStore> open_existing() const;
  // Throws Error(kInput) unless the folder holds an imported set. Makes nothing.
  void require_set() const;
  // Throws Error(kUsage) when flags were given that a sample file has no use for.
  void refuse_with_samples() const;
  // "source=clotho,split=train" -> {source: clotho, split: train}
  std::map<std::string, std::string> filter() const;
};

// "synth:runs/demo" and "jsonl:runs/cota/out", with the defaults of data import and data export.
void import_into(const SetFlags& set, const std::string& kind_and_path);
// Throws what export_set() would find wrong with format and folder, before anything is paid for.
void check_export(const SetFlags& set, const std::string& format_and_folder);
void export_set(const SetFlags& set, const std::string& format_and_folder);
// prompts/ as installed (PREFIX/share/areason), in the source tree the program was built in, or in the current directory.
std::string default_prompts_dir();

void add_data_stages(CLI::App& data);
void add_data_files(CLI::App& data);  // import, export
void add_data_check(CLI::App& data);

}  // namespace areason
