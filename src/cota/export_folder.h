#pragma once
// The folder of an export: one that is new or empty, or one that an earlier export made. That one lists its files in its
// export.json before it writes them, and only what stands there is ever removed or written over. Called by export.cpp and,
// before a teacher is asked, by the CLI. Thread rule: free functions. Errors: Error(kUsage) for a folder that is no place for
// an export, Error(kInput) for an export.json that makes no sense.
#include <functional>
#include <string>
#include <vector>

namespace areason {

struct ExportPlan {
  std::string fingerprint;         // of what goes out and in which form
  std::vector<std::string> files;  // relative to the folder; each may lie there as FILE.part too
};

// Refuses a folder that is, or holds, one of `inputs` (folders that are read), and one with files of somebody else. Only looks.
void check_export_folder(const std::string& out, const std::vector<std::string>& inputs);
// Makes the folder ready for `plan`: what the same export has left there stays, the files of another one are removed.
void take_export_folder(const std::string& out, const ExportPlan& plan);

// Calls `each` for the clips that the rows of an audiofolder's metadata.jsonl name (export_formats.cpp); a torn row names none.
void each_exported_clip(const std::string& metadata, const std::function<void(const std::string& name)>& each);

}  // namespace areason
