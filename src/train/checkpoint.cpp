#include "train/checkpoint.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <functional>
#include <sstream>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/log.h"

namespace areason::train {
namespace {

namespace fs = std::filesystem;

const at::TensorOptions kHostFloats = at::TensorOptions().dtype(at::kFloat);

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

[[noreturn]] void wrong_shape(const TensorView& view, const std::vector<std::int64_t>& want, const std::string& where) {
  throw Error(ErrorCode::kModel,
              fmt::format("{}: {} has shape [{}], the model needs [{}]", where, view.name, fmt::join(view.shape, ", "),
                          fmt::join(want, ", ")),
              "the configuration and the weights must belong together");
}

void copy_into(const at::Tensor& parameter, const TensorView& view, const std::string& where) {
  const std::vector<std::int64_t> want = parameter.sizes().vec();
  if (want != view.shape) wrong_shape(view, want, where);
  const at::NoGradGuard guard;
  std::vector<float> values = view.to_f32();
  parameter.copy_(at::from_blob(values.data(), parameter.sizes(), kHostFloats));
}

// Part of a tensor: its f32 bytes are read where they are.
void copy_part(const StatePart& part, const TensorView& view, const std::string& where) {
  if (part.value.sizes().vec() == view.shape && part.offset == 0) return copy_into(part.value, view, where);
  const std::int64_t count = part.value.numel();
  if (view.dtype != DType::kF32 || part.offset + count > view.elements()) wrong_shape(view, part.value.sizes().vec(), where);
  // copy_() would want the file's bytes aligned.
  std::vector<float> values(static_cast<std::size_t>(count));
  std::memcpy(values.data(), view.data.data() + static_cast<std::size_t>(part.offset) * sizeof(float),
              values.size() * sizeof(float));
  part.value.copy_(at::from_blob(values.data(), part.value.sizes(), kHostFloats));
}

void load_one(const Parameter& p, const TensorStore& store) {
  for (const std::string& name : spellings(p.name)) {
    if (store.contains(name)) return copy_into(p.value, store.at(name), store.path());
  }
  store.at(p.name);  // throws, naming tensor and store
}

constexpr const char* kEmbedding = "language_model.model.embed_tokens.weight";
constexpr const char* kHead = "language_model.lm_head.weight";

// A tied head is written too: transformers 5 never ties Qwen2-Audio's head and would start it at random (4.x ties it itself).
bool copies_head(const TrainModel& model) { return model.adapters().rank == 0 && !model.contains(kHead); }

std::vector<TensorShape> weight_shapes(const TrainModel& model, DType dtype) {
  std::vector<TensorShape> out;
  for (const Parameter& p : model.parameters()) {
    if (!p.adapter) out.push_back({p.name, dtype, p.value.sizes().vec()});
  }
  if (!model.contains(kHead)) out.push_back({kHead, dtype, model.at(kEmbedding).sizes().vec()});
  return out;
}

std::vector<TensorShape> adapter_shapes(const TrainModel& model) {
  std::vector<TensorShape> out;
  for (const Parameter& p : model.parameters()) {
    if (p.adapter) out.push_back({adapter_file_name(p.name), DType::kF32, p.value.sizes().vec()});
  }
  return out;
}

constexpr const char* kSums = "SHA256SUMS";

void write_sums(const fs::path& dir) {
  std::string lines;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(dir)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) lines += sha256_file(file) + "  " + file.filename().string() + "\n";
  write_file_atomic(dir / kSums, lines);
}

// What is wrong with a checkpoint; "" when it is whole. One without sums is of an older version and believed.
std::string damage(const fs::path& dir) {
  for (const char* needed : {"trainer_state.json", "optimizer.safetensors"})
    if (!fs::exists(dir / needed)) return std::string(needed) + " is missing";
  if (!fs::exists(dir / kSums)) {
    log_warning(dir.string() + " has no " + kSums + ": nothing tells whether it is whole");
    return "";
  }
  std::istringstream lines(read_file(dir / kSums));
  for (std::string sum, file; lines >> sum >> file;) {
    if (!fs::is_regular_file(dir / file)) return file + " is missing";
    if (sha256_file(dir / file) != sum) return file + " has changed";
  }
  return "";
}

// Broken checkpoints that an earlier start has renamed.
std::vector<fs::path> set_aside(const std::string& out_dir) {
  std::vector<fs::path> found;
  if (!fs::is_directory(out_dir)) return found;
  for (const auto& entry : fs::directory_iterator(out_dir))
    if (entry.path().filename().string().starts_with("checkpoint-") && entry.path().extension() == ".broken")
      found.push_back(entry.path());
  return found;
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

void load_parameter(const Parameter& parameter, const TensorStore& store) { load_one(parameter, store); }

void load_parameters(TrainModel& model, const TensorStore& store) {
  for (const Parameter& p : model.parameters()) {
    if (!p.adapter) load_one(p, store);
  }
}

void load_audio_tower(TrainModel& model, const TensorStore& store) {
  for (const Parameter& p : model.parameters()) {
    if (p.part == PartOfModel::kAudioTower) load_one(p, store);
  }
}

void save_weights(const TrainModel& model, const std::string& dir, DType dtype, SavedAdapters adapters) {
  const at::NoGradGuard guard;
  TensorFile file(dir + "/model.safetensors", weight_shapes(model, dtype));
  for (const Parameter& p : model.parameters()) {
    if (p.adapter) continue;
    const std::string module = p.name.ends_with(".weight") ? p.name.substr(0, p.name.size() - 7) : "";
    const bool adapted = adapters == SavedAdapters::kMerged && model.contains(module + ".lora_A.weight");
    file.put(p.name, adapted ? p.value + model.at(module + ".lora_B.weight").matmul(model.at(module + ".lora_A.weight")) *
                                             model.adapters().scale()
                             : p.value);
  }
  if (!model.contains(kHead)) file.put(kHead, model.at(kEmbedding));
  file.finish();
}

void save_adapters(const TrainModel& model, const std::string& dir) {
  TensorFile file(dir + "/adapter_model.safetensors", adapter_shapes(model));
  for (const Parameter& p : model.parameters()) {
    if (p.adapter) file.put(adapter_file_name(p.name), p.value);
  }
  file.finish();
  write_adapter_config(model.adapters(), dir);
}

void load_adapters(TrainModel& model, const std::string& dir) {
  const TensorStore store = TensorStore::open(dir + "/adapter_model.safetensors");
  const auto tensors = adapter_tensors(store);
  for (const Parameter& p : model.parameters()) {
    if (!p.adapter) continue;
    const auto it = tensors.find(p.name);
    if (it == tensors.end())
      throw Error(ErrorCode::kModel, store.path() + " lacks " + p.name, "it was made with other targets");
    copy_into(p.value, it->second, store.path());
  }
}

bool has_master(const TrainModel& model, const Parameter& p) { return model.adapters().rank == 0 || p.adapter; }

void load_master(const Parameter& p, const TensorStore& store) {
  copy_into(p.value, store.at("master." + p.name), store.path());
}

void load_state(const std::string& name, const StatePart& state, const TensorStore& store) {
  // The file is whole (damage()), so what it lacks was never there.
  if (!store.contains(name))
    throw Error(ErrorCode::kUsage,
                store.path() + " has no " + name + ": the run was begun with other parts frozen or another optimizer",
                "go on with the flags that the run was begun with, or begin a new --out with --init at this checkpoint");
  copy_part(state, store.at(name), store.path());
}

CheckpointWriter::CheckpointWriter(const TrainModel& model, const Optimizer& optimizer, const std::string& dir, DType dtype)
    : adapters_(model.adapters().rank > 0) {
  weights_ = adapters_ ? std::make_unique<TensorFile>(dir + "/adapter_model.safetensors", adapter_shapes(model))
                       : std::make_unique<TensorFile>(dir + "/model.safetensors", weight_shapes(model, dtype));
  if (adapters_) write_adapter_config(model.adapters(), dir);
  std::vector<TensorShape> shapes;
  for (const Parameter& p : model.parameters()) {
    if (has_master(model, p)) shapes.push_back({"master." + p.name, DType::kF32, p.value.sizes().vec()});
  }
  for (const auto& [name, sizes] : optimizer.state_shapes()) shapes.push_back({name, DType::kF32, sizes});
  state_ = std::make_unique<TensorFile>(dir + "/optimizer.safetensors", shapes);
  copies_head_ = copies_head(model);
}

void CheckpointWriter::parameter(const std::string& name, const at::Tensor& whole) {
  const std::string in_file = adapters_ ? adapter_file_name(name) : name;
  if (weights_->has(in_file)) weights_->put(in_file, whole);
  if (copies_head_ && name == kEmbedding) weights_->put(kHead, whole);
  if (state_->has("master." + name)) state_->put("master." + name, whole);
}

void CheckpointWriter::finish() {
  weights_->finish();
  state_->finish();
}

std::optional<std::string> newest_checkpoint(const std::string& out_dir) {
  const auto found = checkpoints(out_dir);
  if (found.empty()) return std::nullopt;
  return found.back().second.string();
}

void remove_set_aside(const std::string& out_dir) {
  for (const fs::path& path : set_aside(out_dir)) fs::remove_all(path);
}

std::optional<std::string> newest_whole_checkpoint(const std::string& out_dir) {
  auto found = checkpoints(out_dir);
  const bool any = !found.empty();
  for (; !found.empty(); found.pop_back()) {
    const fs::path& path = found.back().second;
    const std::string what = damage(path);
    if (what.empty()) return path.string();
    log_warning(path.string() + " is broken and set aside: " + what);
    fs::remove_all(path.string() + ".broken");
    fs::rename(path, path.string() + ".broken");
  }
  // Beginning anew without a word at the second start would hide what was lost.
  if (any || !set_aside(out_dir).empty())
    throw Error(ErrorCode::kModel, out_dir + ": all checkpoints are broken", "start over with --fresh");
  return std::nullopt;
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
  try {
    fill(temporary.string());
    write_sums(temporary);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(temporary, ignored);  // the room is needed, and half a checkpoint is of no use
    throw;
  }
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
