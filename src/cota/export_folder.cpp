#include "cota/export_folder.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "cota/import_clip.h"

namespace areason {

namespace fs = std::filesystem;

namespace {

constexpr const char* kNote = "export.json";
constexpr const char* kMaker = "audio-reasoner data export";

// The folder's one name, without links, dots and a slash at its end; it need not exist.
fs::path true_folder(const std::string& folder) {
  std::error_code ignored;
  const fs::path whole = fs::weakly_canonical(fs::absolute(folder.empty() ? "." : folder), ignored);
  return whole.has_filename() ? whole : whole.parent_path();
}

bool lies_in(const fs::path& inner, const fs::path& outer) {
  const fs::path way = inner.lexically_relative(outer);
  return !way.empty() && *way.begin() != "..";
}

// What the export that lies in the folder has said of itself; nothing when there is none.
std::optional<ExportPlan> plan_in(const std::string& out) {
  const std::string note = out + "/" + kNote;
  if (!fs::exists(note)) return {};
  const Json json = read_json_file(note);
  if (!json.is_object() || json.value("made_by", Json()) != Json(kMaker)) return {};
  try {
    return ExportPlan{json.at("fingerprint").get<std::string>(), json.at("files").get<std::vector<std::string>>()};
  } catch (const Json::exception& e) {
    throw Error(ErrorCode::kInput, note + ": not as data export writes it: " + e.what(), "take another folder for the export");
  }
}

void remove_file(const std::string& path) {
  std::error_code error;
  fs::remove(path, error);
  if (error) throw Error(ErrorCode::kFailure, path + ": cannot be removed", error.message());
}

// Clips first: the rows that name them go last, so that a removal that was stopped can be repeated.
void remove_listed(const std::string& out, const std::string& name) {
  for (const std::string& file : {name, name + ".part"}) {
    const std::string path = path_inside(out, file);
    if (!fs::is_regular_file(path)) continue;
    if (fs::path(name).filename() == "metadata.jsonl") {
      const std::string folder = parent_directory(path);
      each_exported_clip(path, [&](const std::string& clip) { remove_file(path_inside(folder, clip)); });
    }
    remove_file(path);
  }
  // Folders that are empty now; others stay.
  std::error_code not_empty;
  for (fs::path folder = fs::path(name).parent_path(); !folder.empty() && !not_empty; folder = folder.parent_path())
    fs::remove(fs::path(out) / folder, not_empty);
}

}  // namespace

void check_export_folder(const std::string& out, const std::vector<std::string>& inputs) {
  const fs::path folder = true_folder(out);
  for (const std::string& input : inputs) {
    if (!input.empty() && lies_in(true_folder(input), folder))
      throw Error(ErrorCode::kUsage, out + ": the export would go into the folder that it reads, " + input,
                  "give it a folder of its own, e.g. " + (fs::path(input) / "out").lexically_normal().string());
  }
  if (!fs::exists(out)) return;
  if (!fs::is_directory(out)) throw Error(ErrorCode::kUsage, out + ": no folder", "give a new or empty folder for the export");
  if (!fs::is_empty(out) && !plan_in(out))
    throw Error(ErrorCode::kUsage, out + ": holds files, and no export of this version made it",
                "give a new or empty folder, or move away what is there");
}

void take_export_folder(const std::string& out, const ExportPlan& plan) {
  make_directories(out);
  const ExportPlan before = plan_in(out).value_or(ExportPlan());
  if (before.fingerprint == plan.fingerprint && before.files == plan.files) return;
  for (const std::string& name : plan.files) {
    const bool own = std::find(before.files.begin(), before.files.end(), name) != before.files.end();
    if (!own && (fs::exists(out + "/" + name) || fs::exists(out + "/" + name + ".part")))
      throw Error(ErrorCode::kUsage, out + "/" + name + ": would be written over, and is of no earlier export",
                  "give the export another folder, or move that file away");
  }
  for (const std::string& name : before.files) remove_listed(out, name);
  const Json note = {{"made_by", kMaker}, {"fingerprint", plan.fingerprint}, {"files", plan.files}};
  write_file_atomic(out + "/" + kNote, dump_json(note) + "\n");
}

}  // namespace areason
