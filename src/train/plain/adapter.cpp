#include "train/plain/adapter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

namespace areason::train {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kFilePrefix = "base_model.model.";

std::string swapped(const std::string& name, std::string_view from, std::string_view to) {
  return name.rfind(from, 0) == 0 ? std::string(to) + name.substr(from.size()) : name;
}

// Module names of transformers 5 -> those of the released files.
std::string released_name(const std::string& name) {
  return swapped(swapped(name, "model.language_model.", "language_model.model."), "lm_head.", "language_model.lm_head.");
}

[[noreturn]] void bad(const std::string& path, const std::string& what) {
  throw Error(ErrorCode::kModel, path + ": " + what, "the adapter must be a LoRA of PEFT's layout, made for this checkpoint");
}

// A list of module names, or PEFT's regular expression that ends in "(q_proj|k_proj)".
std::vector<std::string> targets_of(const Json& value, const std::string& path) {
  if (value.is_array()) return value.get<std::vector<std::string>>();
  if (!value.is_string()) bad(path, "target_modules is neither a list nor text");
  const std::string text = value.get<std::string>();
  std::vector<std::string> out;
  for (const std::string& name : AdapterOptions{}.targets) {
    if (text == "all-linear" || text.find(name) != std::string::npos) out.push_back(name);
  }
  return out;
}

std::vector<std::byte> encoded(const std::vector<float>& values, DType dtype, const std::string& name) {
  std::vector<std::byte> out(values.size() * dtype_size(dtype));
  if (dtype == DType::kF32) {
    std::memcpy(out.data(), values.data(), out.size());
  } else if (dtype == DType::kBF16) {
    auto* to = reinterpret_cast<std::uint16_t*>(out.data());
    std::transform(values.begin(), values.end(), to, f32_to_bf16);
  } else if (dtype == DType::kF16) {
    auto* to = reinterpret_cast<_Float16*>(out.data());
    std::transform(values.begin(), values.end(), to, [](float v) { return static_cast<_Float16>(v); });
  } else {
    bad(name, "its type cannot take an adapter");
  }
  return out;
}

// weight [out, in] += scale * b [out, r] * a [r, in]
void add_product(std::vector<float>& weight, const TensorView& a, const TensorView& b, double scale) {
  const std::int64_t rank = a.shape.at(0), in = a.shape.at(1), out = b.shape.at(0);
  const std::vector<float> left = b.to_f32(), right = a.to_f32();
  for (std::int64_t o = 0; o < out; ++o) {
    float* row = weight.data() + o * in;
    for (std::int64_t r = 0; r < rank; ++r) {
      const auto factor = static_cast<float>(scale * static_cast<double>(left[static_cast<std::size_t>(o * rank + r)]));
      const float* from = right.data() + r * in;
      for (std::int64_t i = 0; i < in; ++i) row[i] += factor * from[i];
    }
  }
}

class Merger {
 public:
  explicit Merger(const MergeOptions& options)
      : options_(options),
        base_(TensorStore::open(options.base)),
        store_(TensorStore::open(options.adapter + "/adapter_model.safetensors")),
        adapter_(adapter_tensors(store_)),
        config_(read_adapter_config(options.adapter)) {}

  void run() {
    std::vector<std::vector<const TensorView*>> shards(1);
    std::uint64_t bytes = 0;
    for (const auto& [name, view] : base_.tensors()) {
      if (bytes > 0 && bytes + view.data.size() > options_.shard_bytes) {
        shards.emplace_back();
        bytes = 0;
      }
      shards.back().push_back(&view);
      bytes += view.data.size();
    }
    make_directories(options_.out);
    Json map = Json::object();
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < shards.size(); ++i) {
      const std::string file =
          shards.size() == 1 ? "model.safetensors" : fmt::format("model-{:05d}-of-{:05d}.safetensors", i + 1, shards.size());
      std::vector<TensorOut> tensors;
      for (const TensorView* view : shards[i]) {
        tensors.push_back(merged(*view));
        map[view->name] = file;
        total += view->data.size();
      }
      if (i + 1 == shards.size()) add_head(tensors, map, file);
      write_safetensors(options_.out + "/" + file, tensors);
    }
    if (used_ != adapter_.size()) bad(options_.adapter, "it has tensors for modules that the base lacks");
    if (shards.size() == 1) return;
    const Json index = {{"metadata", {{"total_size", total}}}, {"weight_map", map}};
    write_file_atomic(options_.out + "/model.safetensors.index.json", dump_json(index, 2) + "\n");
  }

 private:
  TensorOut merged(const TensorView& view) {
    TensorOut out{view.name, view.dtype, view.shape, {}};
    const std::string module = released_name(view.name);
    const std::string stem = module.ends_with(".weight") ? module.substr(0, module.size() - 7) : module;
    const auto a = adapter_.find(stem + ".lora_A.weight"), b = adapter_.find(stem + ".lora_B.weight");
    if (a == adapter_.end() || b == adapter_.end()) {
      out.data.assign(view.data.begin(), view.data.end());
      return out;
    }
    const auto &sa = a->second.shape, &sb = b->second.shape;
    if (view.shape.size() != 2 || sa.size() != 2 || sb.size() != 2 || sa[1] != view.shape[1] || sb[0] != view.shape[0] ||
        sa[0] != sb[1])
      bad(options_.adapter, "the shapes of " + stem + " do not fit the base");
    // The scale is alpha / r: another r would merge another adapter.
    if (sa[0] != config_.rank)
      bad(options_.adapter, "adapter_config.json says r = " + std::to_string(config_.rank) + ", the tensors of " + stem +
                                " have " + std::to_string(sa[0]));
    std::vector<float> values = view.to_f32();
    add_product(values, a->second, b->second, config_.scale());
    out.data = encoded(values, view.dtype, view.name);
    used_ += 2;
    return out;
  }

  // transformers 5 never ties Qwen2-Audio's head and would start a missing one at random.
  void add_head(std::vector<TensorOut>& tensors, Json& map, const std::string& file) const {
    const std::string head = "language_model.lm_head.weight", embedding = "language_model.model.embed_tokens.weight";
    if (base_.contains(head) || base_.contains("lm_head.weight") || !base_.contains(embedding)) return;
    const TensorView& view = base_.at(embedding);
    tensors.push_back({head, view.dtype, view.shape, {view.data.begin(), view.data.end()}});
    map[head] = file;
  }

  const MergeOptions& options_;
  TensorStore base_, store_;
  std::map<std::string, TensorView> adapter_;
  const AdapterOptions config_;
  std::size_t used_ = 0;
};

// Small files of the checkpoint: everything but weights and their index.
void copy_small_files(const std::string& from, const std::string& to) {
  for (const auto& entry : fs::directory_iterator(from)) {
    const std::string name = entry.path().filename().string();
    const bool text = name.ends_with(".json") || name.ends_with(".txt") || name.ends_with(".jinja");
    if (!entry.is_regular_file() || !text || name.ends_with(".index.json") || name == "trainer_state.json") continue;
    fs::copy_file(entry.path(), fs::path(to) / name, fs::copy_options::overwrite_existing);
  }
}

}  // namespace

double AdapterOptions::scale() const {
  if (rank <= 0) return 0;
  return alpha / (scaling == AdapterScale::kPlain ? static_cast<double>(rank) : std::sqrt(static_cast<double>(rank)));
}

bool AdapterOptions::targets_module(const std::string& module) const {
  if (rank <= 0 || module.find("language_model.model.layers.") != 0) return false;
  return std::any_of(targets.begin(), targets.end(), [&](const std::string& t) { return module.ends_with("." + t); });
}

AdapterOptions read_adapter_config(const std::string& dir) {
  const std::string path = dir + "/adapter_config.json";
  const Json json = read_json_file(path);
  if (json.value("peft_type", "") != "LORA") bad(path, "peft_type is not LORA");
  if (json.value("use_dora", false)) bad(path, "DoRA is not supported");
  if (json.contains("bias") && json["bias"] != "none") bad(path, "an adapter with biases is not supported");
  for (const char* key : {"rank_pattern", "alpha_pattern"}) {
    if (json.contains(key) && !json[key].is_null() && !json[key].empty()) bad(path, std::string(key) + " is not supported");
  }
  AdapterOptions out;
  if (!json.contains("r") || !json["r"].is_number_integer() || json["r"] < 1) bad(path, "r is no whole number above 0");
  for (const char* key : {"lora_alpha", "lora_dropout"})
    if (json.contains(key) && !json[key].is_number()) bad(path, std::string(key) + " is no number");
  if (json.contains("use_rslora") && !json["use_rslora"].is_boolean()) bad(path, "use_rslora is neither true nor false");
  out.rank = json["r"];
  out.alpha = json.value("lora_alpha", 8.0);  // PEFT's default (LoraConfig)
  out.dropout = json.value("lora_dropout", 0.0);
  out.scaling = json.value("use_rslora", false) ? AdapterScale::kRankStabilised : AdapterScale::kPlain;
  if (json.contains("target_modules")) out.targets = targets_of(json["target_modules"], path);
  if (json.contains("base_model_name_or_path") && json["base_model_name_or_path"].is_string())
    out.base = json["base_model_name_or_path"].get<std::string>();
  return out;
}

void write_adapter_config(const AdapterOptions& options, const std::string& dir) {
  std::string modules;
  for (const std::string& target : options.targets) modules += (modules.empty() ? "" : "|") + target;
  // A regular expression, because the audio tower has modules of the same names.
  const Json json = {{"peft_type", "LORA"},
                     {"task_type", "CAUSAL_LM"},
                     {"base_model_name_or_path", options.base},
                     {"r", options.rank},
                     {"lora_alpha", options.alpha},
                     {"lora_dropout", options.dropout},
                     {"use_rslora", options.scaling == AdapterScale::kRankStabilised},
                     {"use_dora", false},
                     {"bias", "none"},
                     {"fan_in_fan_out", false},
                     {"inference_mode", true},
                     {"init_lora_weights", true},
                     {"modules_to_save", nullptr},
                     {"target_modules", ".*language_model.*\\.(" + modules + ")"}};
  write_file_atomic(dir + "/adapter_config.json", dump_json(json, 2) + "\n");
}

std::string adapter_file_name(const std::string& parameter) { return std::string(kFilePrefix) + parameter; }

std::map<std::string, TensorView> adapter_tensors(const TensorStore& store) {
  std::map<std::string, TensorView> out;
  for (const auto& [name, view] : store.tensors()) {
    if (name.rfind(kFilePrefix, 0) != 0) bad(store.path(), name + " does not begin with base_model.model.");
    const std::string own = released_name(name.substr(kFilePrefix.size()));
    if (!own.ends_with(".lora_A.weight") && !own.ends_with(".lora_B.weight")) bad(store.path(), name + " is no LoRA matrix");
    out[own] = view;
  }
  return out;
}

void merge_adapter(const MergeOptions& options) {
  if (!fs::is_directory(options.base))
    throw Error(ErrorCode::kModel, options.base + " is not a directory", "name a checkpoint");
  if (fs::exists(options.out) && fs::equivalent(options.out, options.base))
    throw Error(ErrorCode::kUsage, "the merged model would overwrite its base", "give another --out");
  Merger(options).run();
  copy_small_files(options.base, options.out);
}

}  // namespace areason::train
