#include "train/checkpoint.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <functional>

#include "base/error.h"
#include "base/files.h"

namespace areason::train {
namespace {

namespace fs = std::filesystem;

std::string swap_prefix(const std::string& name, const std::string& from, const std::string& to) {
  return name.rfind(from, 0) == 0 ? to + name.substr(from.size()) : "";
}

// The names under which a file may hold a parameter.
std::vector<std::string> spellings(const std::string& name) {
  std::vector<std::string> out = {name};
  for (const auto& [from, to] :
       std::initializer_list<std::pair<const char*, const char*>>{{"language_model.model.", "model.language_model."},
                                                                  {"language_model.lm_head.", "lm_head."},
                                                                  {"audio_tower.", "model.audio_tower."},
                                                                  {"audio_tower.", "model.encoder."},
                                                                  {"audio_tower.", "encoder."},
                                                                  {"multi_modal_projector.", "model.multi_modal_projector."}}) {
    const std::string other = swap_prefix(name, from, to);
    if (!other.empty()) out.push_back(other);
  }
  return out;
}

void copy_into(const at::Tensor& parameter, const TensorView& view, const std::string& where) {
  const std::vector<std::int64_t> want = parameter.sizes().vec();
  if (want != view.shape) {
    throw Error(ErrorCode::kModel,
                fmt::format("{}: {} has shape [{}], the model needs [{}]", where, view.name, fmt::join(view.shape, ", "),
                            fmt::join(want, ", ")),
                "the configuration and the weights must belong together");
  }
  const at::NoGradGuard guard;
  const std::vector<float> values = view.to_f32();
  std::copy(values.begin(), values.end(), parameter.data_ptr<float>());
}

void load_one(const Parameter& p, const TensorStore& store) {
  for (const std::string& name : spellings(p.name)) {
    if (store.contains(name)) return copy_into(p.value, store.at(name), store.path());
  }
  store.at(p.name);  // throws, naming tensor and store
}

TensorOut to_out(const std::string& name, const at::Tensor& value, DType dtype) {
  const at::ScalarType type = dtype == DType::kF32 ? at::kFloat : dtype == DType::kF16 ? at::kHalf : at::kBFloat16;
  const at::Tensor data = value.detach().to(type).contiguous();
  TensorOut out{name, dtype, data.sizes().vec(), {}};
  out.data.resize(data.nbytes());
  std::memcpy(out.data.data(), data.data_ptr(), data.nbytes());
  return out;
}

void sync_path(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

std::int64_t step_of(const fs::path& path) {
  const std::string name = path.filename().string();
  const std::string digits = swap_prefix(name, "checkpoint-", "");
  if (digits.empty() || digits.size() > 12 || digits.find_first_not_of("0123456789") != std::string::npos) return -1;
  return std::stoll(digits);
}

std::vector<std::pair<std::int64_t, fs::path>> checkpoints(const std::string& out_dir) {
  std::vector<std::pair<std::int64_t, fs::path>> found;
  if (!fs::is_directory(out_dir)) return found;
  for (const auto& entry : fs::directory_iterator(out_dir)) {
    if (entry.is_directory() && step_of(entry.path()) >= 0) found.emplace_back(step_of(entry.path()), entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

void load_parameters(TrainModel& model, const TensorStore& store) {
  for (const Parameter& p : model.parameters()) load_one(p, store);
}

void load_audio_tower(TrainModel& model, const TensorStore& store) {
  for (const Parameter& p : model.parameters()) {
    if (p.part == PartOfModel::kAudioTower) load_one(p, store);
  }
}

void save_weights(const TrainModel& model, const std::string& dir, DType dtype) {
  std::vector<TensorOut> tensors;
  const Parameter* embedding = nullptr;
  bool has_head = false;
  for (const Parameter& p : model.parameters()) {
    tensors.push_back(to_out(p.name, p.value, dtype));
    if (p.name == "language_model.model.embed_tokens.weight") embedding = &p;
    has_head = has_head || p.name == "language_model.lm_head.weight";
  }
  // A tied head is written too: transformers 5 never ties Qwen2-Audio's head and would start it at random (4.x ties it itself).
  if (!has_head && embedding != nullptr) tensors.push_back(to_out("language_model.lm_head.weight", embedding->value, dtype));
  write_safetensors(dir + "/model.safetensors", tensors);
}

void save_state(const TrainModel& model, const RunState& state, const std::string& dir) {
  std::vector<TensorOut> tensors;
  for (const Parameter& p : model.parameters()) tensors.push_back(to_out("master." + p.name, p.value, DType::kF32));
  for (const auto& [name, value] : state.tensors) tensors.push_back(to_out(name, value, DType::kF32));
  write_safetensors(dir + "/optimizer.safetensors", tensors);
  write_file_atomic(dir + "/trainer_state.json", state.json);
}

std::string load_state(TrainModel& model, const std::map<std::string, at::Tensor>& tensors, const std::string& dir) {
  const TensorStore store = TensorStore::open(dir + "/optimizer.safetensors");
  for (const Parameter& p : model.parameters()) copy_into(p.value, store.at("master." + p.name), store.path());
  for (const auto& [name, value] : tensors) copy_into(value, store.at(name), store.path());
  return read_file(dir + "/trainer_state.json");
}

std::optional<std::string> newest_checkpoint(const std::string& out_dir) {
  const auto found = checkpoints(out_dir);
  if (found.empty()) return std::nullopt;
  return found.back().second.string();
}

void point_link(const std::string& out_dir, const std::string& name, const std::string& target) {
  const fs::path temporary = fs::path(out_dir) / (name + ".tmp");
  fs::remove(temporary);
  fs::create_directory_symlink(fs::path(target).filename(), temporary);
  fs::rename(temporary, fs::path(out_dir) / name);
}

std::string commit_checkpoint(const std::string& out_dir, std::int64_t step, int keep,
                              const std::function<void(const std::string&)>& fill) {
  const fs::path temporary = fs::path(out_dir) / "checkpoint.tmp";
  const fs::path target = fs::path(out_dir) / fmt::format("checkpoint-{}", step);
  fs::remove_all(temporary);
  make_directories(temporary.string());
  fill(temporary.string());
  sync_path(temporary.string());
  fs::remove_all(target);
  fs::rename(temporary, target);
  sync_path(out_dir);
  point_link(out_dir, "last", target.string());
  std::error_code ignored;
  const fs::path best = fs::read_symlink(fs::path(out_dir) / "best", ignored);
  auto found = checkpoints(out_dir);
  for (std::size_t i = 0; i + static_cast<std::size_t>(std::max(1, keep)) < found.size(); ++i) {
    if (found[i].second.filename() != best) fs::remove_all(found[i].second);
  }
  return target.string();
}

}  // namespace areason::train
