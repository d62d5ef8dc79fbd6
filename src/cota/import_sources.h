#pragma once
// The sources that `data import` knows, as released (facts: column names, file names, traps of each). Each lists its rows;
// nothing here touches audio. Called by import.cpp and tests. Thread rule: free functions. Errors: Error(kInput) when the
// source as a whole cannot be read; single rows go to ImportSink::broken.
#include <string>
#include <vector>

#include "cota/import.h"

namespace areason {

struct ImportKind {
  const char* name;
  const char* about;  // one line for --help and docs/cota.md
  void (*list)(const ImportOptions& options, const ImportSink& sink);
};
const std::vector<ImportKind>& import_kinds();

void list_folder(const ImportOptions& options, const ImportSink& sink);
void list_table(const ImportOptions& options, const ImportSink& sink);
void list_synth(const ImportOptions& options, const ImportSink& sink);
void list_audioset(const ImportOptions& options, const ImportSink& sink);
void list_audiocaps(const ImportOptions& options, const ImportSink& sink);
void list_clotho(const ImportOptions& options, const ImportSink& sink);
void list_musicbench(const ImportOptions& options, const ImportSink& sink);
void list_meld(const ImportOptions& options, const ImportSink& sink);
void list_mustard(const ImportOptions& options, const ImportSink& sink);
void list_covost2(const ImportOptions& options, const ImportSink& sink);
void list_librispeech(const ImportOptions& options, const ImportSink& sink);

// ---- shared by the sources ----
// A clip with set, id, root and licence filled in; its group is its own id.
SourceClip new_source_clip(const std::string& set, const std::string& id, const std::string& root, const std::string& licence);
// The names a file may have: each with .wav, .flac, .mp3, .ogg, .m4a, .mp4.
std::vector<std::string> with_extensions(const std::vector<std::string>& stems);
// "train", "val" or "test" by the name of a file or folder; `fallback` when it says nothing.
std::string split_of_name(const std::string& name, const std::string& fallback);
std::string joined(const std::vector<std::string>& items, const std::string& between);

}  // namespace areason
