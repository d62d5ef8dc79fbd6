// The timed runs of `bench`. Every number stands beside what the machine allows: bytes that a token needs over the measured
// read bandwidth, or operations over the measured peak of the arithmetic that the weights' format allows.
#include <algorithm>
#include <functional>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/random.h"
#include "cli/cmd_bench.h"
#include "model/gguf_reader.h"
#include "model/model_files.h"
#include "model/qwen2_audio.h"
#include "model/safetensors.h"

namespace areason {
namespace {

double seconds_of(const std::function<void()>& work) {
  const double start = monotonic_seconds();
  work();
  return monotonic_seconds() - start;
}

// What a file says about the cost of a token.
struct Cost {
  double token_bytes = 0;  // weights that one decoded token reads
  std::string text_type, encoder_type;
};

Cost cost_of(const std::string& model) {
  const ModelFiles files = find_model_files(model);
  Cost cost;
  if (!files.is_gguf()) {
    const TensorStore store = TensorStore::open(files.dir);
    for (const auto& [name, tensor] : store.tensors()) {
      const bool text = name.find("language_model") != std::string::npos;
      if (text && name.find("embed_tokens") == std::string::npos) cost.token_bytes += static_cast<double>(tensor.data.size());
      if (name.find("layers.0.fc1.weight") != std::string::npos) cost.encoder_type = dtype_name(tensor.dtype);
      if (name.find("layers.0.mlp.up_proj.weight") != std::string::npos) cost.text_type = dtype_name(tensor.dtype);
    }
    return cost;
  }
  const GgufFile text = GgufFile::open(files.text_gguf), mmproj = GgufFile::open(files.mmproj_gguf);
  const bool tied = text.find_tensor("output.weight") == nullptr;
  for (const auto& [name, tensor] : text.tensors())
    if (tied || name != "token_embd.weight") cost.token_bytes += static_cast<double>(tensor.data.size());
  if (const GgufTensor* tensor = text.find_tensor("blk.0.ffn_up.weight")) cost.text_type = tensor->type->name;
  if (const GgufTensor* tensor = mmproj.find_tensor("a.blk.0.ffn_up.weight")) cost.encoder_type = tensor->type->name;
  return cost;
}

// The peak of the arithmetic that a weight format allows.
double peak_of(const BenchMachine& machine, const std::string& type) {
  if (type == "F32") return machine.f32;
  if (type == "F16" || type == "BF16") return std::max(machine.bf16, machine.f32);
  return std::max(machine.int8, machine.f32);
}

// "VmHWM" of /proc/self/status, in bytes: the most memory this process has had, mapped files included.
double peak_memory() {
  const std::string status = read_file("/proc/self/status");
  const std::size_t at = status.find("VmHWM:");
  return at == std::string::npos ? 0 : 1024 * std::stod(status.substr(at + 6));
}

struct MeasuredRun {
  std::string name;
  double seconds = 0;
  double amount = 0;  // of `unit` in these seconds
  const char* unit = "";
  double limit_seconds = 0;  // 0: no limit is known
};

class Bench {
 public:
  Bench(const BenchRunOptions& options, const BenchMachine& machine)
      : options_(options), machine_(machine), cost_(cost_of(options.model)) {}

  Json run() {
    load();
    for (const int tokens : options_.prefill) prefill(tokens);
    if (options_.decode > 0) decode(1);
    if (options_.decode > 0 && options_.batch > 1) decode(options_.batch);
    for (const double seconds : options_.audio) clip(seconds);
    memory();
    return std::move(results_);
  }

 private:
  double best(const std::function<void()>& work) {
    double least = 1e30;
    for (int i = 0; i < options_.repeat; ++i) least = std::min(least, seconds_of(work));
    return least;
  }

  void add(const MeasuredRun& m) {
    Json item = {{"name", m.name}, {"seconds", m.seconds}, {"rate", m.amount / m.seconds}, {"unit", m.unit}};
    if (m.limit_seconds > 0) {
      item["limit"] = m.amount / m.limit_seconds;
      item["ratio"] = m.limit_seconds / m.seconds;
    }
    results_.push_back(std::move(item));
  }

  // Multiply-adds of the text model's matrices for one position, without the vocabulary's.
  double layer_weights() const {
    const DecoderConfig& c = model_->config().text;
    const double width = c.width, q = static_cast<double>(c.heads) * c.head_dim,
                 kv = static_cast<double>(c.kv_heads) * c.head_dim;
    return c.layers * (width * (2 * q + 2 * kv) + 3 * width * c.ffn);
  }

  double text_operations(double tokens) const {
    const DecoderConfig& c = model_->config().text;
    const double attention = tokens * tokens * c.heads * c.head_dim * c.layers;  // half of all pairs, scores and values
    return 2 * (layer_weights() * tokens + attention + static_cast<double>(c.width) * c.vocab_size);
  }

  double encoder_operations(double seconds) const {
    const AudioEncoderConfig& c = model_->config().audio;
    const double t = std::min(seconds * 50, static_cast<double>(c.max_positions)), w = c.width;
    const double layer = t * (4 * w * w + 2 * w * c.ffn) + 2 * t * t * w;
    return 2 * (c.layers * layer + 2 * t * 3 * w * c.mel_bins + t * 3 * w * w + t / 2 * w * model_->config().text.width);
  }

  std::vector<int> ids(int n) {
    std::vector<int> out(static_cast<std::size_t>(n));
    for (int& id : out) id = static_cast<int>(random_.below(1000));
    return out;
  }

  void load() {
    const double load = seconds_of([&] { model_ = Qwen2Audio::load(options_.model, options_.threads); });
    KvCache cache;
    const std::vector<int> first = ids(1);
    const double forward = seconds_of([&] { model_->forward(first, {}, cache, Logits::kLast); });
    add({"load", load, 1, "loads", 0});
    add({"load to the end of the first pass over one token", load + forward, 1, "loads", cost_.token_bytes / machine_.read});
  }

  void prefill(int tokens) {
    const std::vector<int> prompt = ids(tokens);
    const double seconds = best([&] {
      KvCache cache;
      model_->forward(prompt, {}, cache, Logits::kLast);
    });
    add({"prefill " + std::to_string(tokens), seconds, static_cast<double>(tokens), "tokens",
         text_operations(tokens) / peak_of(machine_, cost_.text_type)});
  }

  // `sequences` that share a prompt of options.context positions, one token each a step.
  void decode(int sequences) {
    KvCache prompt;
    model_->forward(ids(options_.context), {}, prompt, Logits::kLast);
    std::vector<KvCache> caches;
    for (int i = 0; i < sequences; ++i) caches.push_back(prompt.clone());
    const std::vector<int> next = ids(sequences);
    std::vector<BatchItem> items;
    for (std::size_t i = 0; i < caches.size(); ++i) items.push_back({std::span(next).subspan(i, 1), {}, &caches[i], 1});
    model_->forward_batch(items);
    double least = 1e30;
    for (int step = 0; step < options_.decode; ++step)
      least = std::min(least, seconds_of([&] { model_->forward_batch(items); }));
    const double total = seconds_of([&] {
      for (int step = 0; step < options_.decode; ++step) model_->forward_batch(items);
    });
    const double keys = static_cast<double>(model_->kv_page_bytes()) / Qwen2Audio::kv_page_positions() *
                        (options_.context + 1.5 * options_.decode) * sequences;
    const double amount = static_cast<double>(sequences) * options_.decode;
    const std::string name = "decode" + (sequences > 1 ? " of " + std::to_string(sequences) + " at once" : std::string());
    add({name, total, amount, "tokens", options_.decode * (cost_.token_bytes + keys) / machine_.read});
    add({name + ", best step", least, static_cast<double>(sequences), "tokens", (cost_.token_bytes + keys) / machine_.read});
  }

  void clip(double seconds) {
    LogMel mel;
    mel.bins = model_->config().audio.mel_bins;
    mel.valid_frames = static_cast<int>(100 * seconds);
    mel.frames = std::min(mel.valid_frames + 2, 2 * model_->config().audio.max_positions);
    mel.data.resize(static_cast<std::size_t>(mel.bins) * static_cast<std::size_t>(mel.frames));
    for (float& value : mel.data) value = static_cast<float>(0.4 * random_.normal());
    AudioEmbeddings embeddings;
    const double encode = best([&] { embeddings = model_->encode_audio(mel); });
    const std::string name = std::to_string(static_cast<int>(seconds)) + " s clip: ";
    add({name + "encoder", encode, seconds, "seconds of audio",
         encoder_operations(seconds) / peak_of(machine_, cost_.encoder_type)});
    // About the length of a question with the system prompt and the template around it.
    constexpr int kText = 60;
    const std::vector<int> prompt = ids(embeddings.tokens + kText);
    const AudioInsert insert{kText / 2, &embeddings};
    const double prefill = best([&] {
      KvCache cache;
      model_->forward(prompt, {&insert, 1}, cache, Logits::kLast);
    });
    add({name + "prompt of " + std::to_string(prompt.size()), prefill, static_cast<double>(prompt.size()), "tokens",
         text_operations(static_cast<double>(prompt.size())) / peak_of(machine_, cost_.text_type)});
    add({name + "encoder and prompt", encode + prefill, 1, "clips", 0});
  }

  void memory() {
    const double weights = static_cast<double>(model_weight_bytes(options_.model));
    const double keys = static_cast<double>(model_->kv_memory().peak);
    results_.push_back({{"name", "memory"},
                        {"peak_bytes", peak_memory()},
                        {"weight_bytes", weights},
                        {"kv_bytes", keys},
                        {"kv_bytes_per_token", model_->kv_page_bytes() / Qwen2Audio::kv_page_positions()},
                        {"other_bytes", peak_memory() - weights - keys}});
  }

  BenchRunOptions options_;
  BenchMachine machine_;
  Cost cost_;
  Random random_{1};
  std::optional<Qwen2Audio> model_;
  Json results_ = Json::array();
};

}  // namespace

Json run_bench(const BenchRunOptions& options, const BenchMachine& machine) { return Bench(options, machine).run(); }

}  // namespace areason
