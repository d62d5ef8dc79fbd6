#include "model/model_files.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "model/gguf_config.h"
#include "model/gguf_reader.h"

namespace areason {
namespace {

namespace fs = std::filesystem;

bool is_mmproj_name(const fs::path& path) { return path.filename().string().find("mmproj") != std::string::npos; }

enum class Kind { kText, kMmproj };

// The files of one kind in a directory: the plain name alone where it is there, else all.
std::vector<std::string> gguf_files(const fs::path& dir, Kind kind) {
  std::error_code ignored;
  const fs::path plain = dir / (kind == Kind::kText ? "model.gguf" : "mmproj.gguf");
  if (fs::exists(plain, ignored)) return {plain.string()};
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(dir, ignored))
    if (entry.path().extension() == ".gguf" && is_mmproj_name(entry.path()) == (kind == Kind::kMmproj))
      out.push_back(entry.path().string());
  std::sort(out.begin(), out.end());
  return out;
}

bool has_safetensors(const fs::path& dir) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(dir, ignored))
    if (entry.path().extension() == ".safetensors") return true;
  return false;
}

// mmproj-NAME.gguf belongs to NAME.gguf; otherwise there must be one only.
std::string mmproj_beside(const fs::path& text) {
  const fs::path dir = text.parent_path().empty() ? "." : text.parent_path();
  const fs::path own = dir / ("mmproj-" + text.filename().string());
  std::error_code ignored;
  if (fs::exists(own, ignored)) return own.string();
  const auto found = gguf_files(dir, Kind::kMmproj);
  if (found.size() == 1) return found.front();
  throw Error(ErrorCode::kModel,
              (found.empty() ? "no mmproj*.gguf" : std::to_string(found.size()) + " mmproj files") + std::string(" beside ") +
                  text.string(),
              "name both files: --model TEXT.gguf,MMPROJ.gguf");
}

ModelFiles in_directory(const std::string& dir) {
  ModelFiles out{dir, "", ""};
  if (has_safetensors(dir)) return out;
  const auto text = gguf_files(dir, Kind::kText), mmproj = gguf_files(dir, Kind::kMmproj);
  if (text.empty()) return out;
  if (text.size() > 1 || mmproj.size() != 1)
    throw Error(ErrorCode::kModel,
                dir + " holds " + std::to_string(text.size()) + " GGUF text models and " + std::to_string(mmproj.size()) +
                    " mmproj files",
                "name both files: --model TEXT.gguf,MMPROJ.gguf");
  out.text_gguf = text.front();
  out.mmproj_gguf = mmproj.front();
  return out;
}

bool exists_in(const std::string& dir, const char* name) {
  std::error_code ignored;
  return !dir.empty() && fs::exists(fs::path(dir) / name, ignored);
}

}  // namespace

ModelFiles find_model_files(const std::string& model) {
  std::error_code ignored;
  if (fs::is_directory(model, ignored)) return in_directory(model);
  const auto comma = model.find(".gguf,");
  if (comma != std::string::npos) {
    const std::size_t end = comma + std::string_view(".gguf").size();
    return {"", model.substr(0, end), model.substr(end + 1)};
  }
  if (model.ends_with(".gguf")) return {"", model, mmproj_beside(model)};
  return {model, "", ""};
}

std::uint64_t model_weight_bytes(const std::string& model) {
  const ModelFiles files = find_model_files(model);
  std::uint64_t total = 0;
  std::error_code error;
  const auto add = [&](const fs::path& path) {
    const auto size = fs::file_size(path, error);
    if (!error) total += size;
  };
  if (files.is_gguf()) {
    add(files.text_gguf);
    add(files.mmproj_gguf);
    return total;
  }
  for (const auto& entry : fs::directory_iterator(files.dir, error))
    if (entry.path().extension() == ".safetensors") add(entry.path());
  return total;
}

Tokenizer load_model_tokenizer(const std::string& model) {
  const ModelFiles files = find_model_files(model);
  const bool has_files = exists_in(files.dir, "tokenizer.json") || exists_in(files.dir, "vocab.json");
  if (!files.is_gguf() || has_files) return Tokenizer::load(files.dir);
  return gguf_tokenizer(GgufFile::open(files.text_gguf));
}

LogMelConfig load_model_log_mel_config(const std::string& model) {
  const ModelFiles files = find_model_files(model);
  const bool has_files = exists_in(files.dir, "preprocessor_config.json") || exists_in(files.dir, "processor_config.json");
  if (!files.is_gguf() || has_files) return load_log_mel_config(files.dir);
  return gguf_log_mel_config(GgufFile::open(files.mmproj_gguf));
}

}  // namespace areason
