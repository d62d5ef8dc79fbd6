#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "base/thread_pool.h"
#include "train/checkpoint.h"
#include "train/flops.h"
#include "train/model_files.h"
#include "train/run.h"

namespace areason::train {
namespace {

namespace fs = std::filesystem;

// bf16 was 4.4 times as fast as f32 in the linears of nano on a Zen 5 with avx512_bf16, and slower without that instruction.
at::ScalarType compute_type(const std::string& precision, at::Device device) {
  if (precision == "f32") return at::kFloat;
  if (precision == "bf16") return at::kBFloat16;
  if (precision != "auto") throw Error(ErrorCode::kUsage, "--precision " + precision + " is not known", "auto, bf16 or f32");
  if (device.is_cuda()) return at::kBFloat16;
  return __builtin_cpu_supports("avx512bf16") ? at::kBFloat16 : at::kFloat;
}

ZeroStage zero_stage(int stage) { return stage == 2 ? ZeroStage::kGradients : ZeroStage::kParameters; }

// Where a run's weights come from; a checkpoint of the run itself comes last.
struct WeightSources {
  std::optional<TensorStore> init, tower, checkpoint;
  void fill(const TrainModel& model, Parameter& p, std::uint64_t seed) const {
    if (checkpoint && has_master(model, p)) return load_master(p, *checkpoint);
    if (tower && p.part == PartOfModel::kAudioTower) return load_parameter(p, *tower);
    if (init && !p.adapter) return load_parameter(p, *init);
    model.initialise(p, seed);
  }
};

}  // namespace

Run::Run(const TrainOptions& options, Ranks& ranks, at::Device device)
    : options_(options), files_(options.out + "/model_files"), ranks_(&ranks), device_(device), guard_(options.guard) {
  if (options_.method == Method::kGrpo && options_.freeze.empty()) options_.freeze = {part_name(PartOfModel::kAudioTower)};
  check_options();
  if (!ranks_->first()) set_log_level(LogLevel::kError);
  use_threads();
  if (ranks_->first()) {
    make_directories(options_.out);
    lock_.open_or_throw(options_.out + "/run.lock");
    if (options_.fresh) remove_old_run();
    prepare_files();
  }
  ranks_->barrier();
  tokenizer_ = std::make_unique<Tokenizer>(Tokenizer::load(files_));
  extractor_ = std::make_unique<LogMelExtractor>(load_log_mel_config(files_));
  prepare_model();
  // One rank looks, because looking sets broken checkpoints aside.
  const std::string found = ranks_->from_first(ranks_->first() ? newest_whole_checkpoint(options_.out).value_or("") : "");
  if (!found.empty()) check_same_run(found);
  fill_weights(found);
  optimizer_ = std::make_unique<Optimizer>(*model_, options_.optimizer, *workers_, Spread{ranks_, shards_.get()});
  if (!found.empty()) restore_state(found);
  prepare_data();
  if (shards_) shards_->begin();
}

void Run::check_options() const {
  if (options_.merge && options_.adapter.rank == 0)
    throw Error(ErrorCode::kUsage, "--merge needs --lora-rank", "without an adapter OUT/last is the whole model");
  if (options_.adapter.rank == 0 && options_.freeze.size() >= kParts.size())
    throw Error(ErrorCode::kUsage, "--freeze leaves nothing to train", "leave out one of its parts");
  if (options_.method == Method::kGrpo) check_grpo_options();
  if (ranks_->size() > 1 && options_.max_minutes > 0)
    throw Error(ErrorCode::kUsage, "--max-minutes has no meaning for several ranks", "give --max-steps or --epochs");
}

// Stage 1: a worker a core, each with its own micro-batches. Stages 2 and 3 exchange gradients or weights within a backward
// pass, which ranks can only do in step: one micro-batch at a time, with torch's threads inside. A device is one worker too.
void Run::use_threads() {
  const bool in_step = options_.zero >= 2 || !device_.is_cpu();
  const int threads = options_.threads > 0 ? options_.threads : available_cores();
  workers_ = std::make_unique<BatchWorkers>(in_step ? 1 : options_.threads, in_step ? threads : 1);
  options_.data_options.workers = workers_->size();
  options_.data_options.share = ranks_->rank();
  options_.data_options.shares = ranks_->size();
}

void Run::remove_old_run() {
  while (const auto old = newest_checkpoint(options_.out)) fs::remove_all(*old);
  remove_set_aside(options_.out);
  fs::remove_all(files_);
  fs::remove(options_.out + "/logging.jsonl");
  fs::remove(options_.out + "/best");
}

void Run::prepare_files() {
  if (!fs::exists(files_ + "/config.json")) {
    if (!options_.init.empty()) {
      if (!options_.config.empty() || !options_.tokenizer.empty())
        log_warning("--init brings its own sizes and tokenizer: --config and --tokenizer are not used");
      copy_model_files(options_.init, files_);
    } else if (!options_.config.empty() && !options_.tokenizer.empty()) {
      write_new_model_files(options_.config, options_.tokenizer, files_);
    } else {
      throw Error(ErrorCode::kUsage, "there is nothing to start from", "give --init DIR, or --config FILE and --tokenizer DIR");
    }
  }
  set_saved_dtype(files_, options_.save_dtype);
}

void Run::prepare_model() {
  const at::ScalarType type = compute_type(options_.precision, device_);
  const ModelConfig config = load_model_config(files_);
  check_memory(config, type);
  model_ = std::make_unique<TrainModel>(config, type, device_);
  model_->set_options(options_.forward);
  if (options_.adapter.rank > 0) {
    if (options_.init.empty())
      throw Error(ErrorCode::kUsage, "an adapter needs a model to stand beside", "give --init DIR with --lora-rank");
    options_.adapter.base = options_.init;
    model_->add_adapters(options_.adapter);
  }
  for (const PartOfModel part : kParts) {
    const bool frozen = options_.adapter.rank > 0 ||
                        std::find(options_.freeze.begin(), options_.freeze.end(), part_name(part)) != options_.freeze.end();
    model_->set_trained(part, !frozen);
    if (part == PartOfModel::kAudioTower) tower_frozen_ = frozen;
  }
  if (options_.zero >= 2) {
    shards_ = std::make_unique<Shards>(*model_, *ranks_, zero_stage(options_.zero),
                                       tower_frozen_ ? TowerUse::kCached : TowerUse::kEncodes);
  }
  model_->allocate();
  peak_flops_ = options_.peak_tflops > 0 ? options_.peak_tflops * 1e12 : measured_peak(*workers_, *model_);
}

// A checkpoint of other parameters, or of the other method, is no place to go on from.
void Run::check_same_run(const std::string& checkpoint) const {
  const Json state = read_json_file(checkpoint + "/trainer_state.json");
  const auto refuse = [&](const std::string& began, const std::string& now) {
    throw Error(ErrorCode::kUsage, fmt::format("the run in {} was begun with {}, not {}", options_.out, began, now),
                "give the flags that it was begun with, another --out, or --fresh to begin anew here");
  };
  const std::string method = state.value("method", method_name(options_.method));
  if (method != method_name(options_.method)) refuse("train " + method, std::string("train ") + method_name(options_.method));
  const int rank = state.value("lora_rank", options_.adapter.rank);
  if (rank != options_.adapter.rank)
    refuse(fmt::format("--lora-rank {}", rank), fmt::format("--lora-rank {}", options_.adapter.rank));
}

void Run::fill_weights(const std::string& checkpoint) {
  WeightSources from;
  if (!options_.init.empty()) from.init = TensorStore::open(options_.init);
  if (!options_.init_audio_tower.empty()) from.tower = TensorStore::open(options_.init_audio_tower);
  if (!checkpoint.empty()) from.checkpoint = TensorStore::open(checkpoint + "/optimizer.safetensors");
  const auto fill = [&](Parameter& p) { from.fill(*model_, p, options_.data_options.seed); };
  if (shards_) return shards_->fill(fill);
  for (Parameter& p : model_->parameters()) fill(p);
}

void Run::restore_state(const std::string& checkpoint) {
  const TensorStore store = TensorStore::open(checkpoint + "/optimizer.safetensors");
  optimizer_->load([&](const std::string& name, const StatePart& part) { load_state(name, part, store); });
  const Json state = read_json_file(checkpoint + "/trainer_state.json");
  step_ = last_saved_ = state.at("global_step");
  position_ = {state.at("data_epoch"), state.at("data_row")};
  epoch_ = state.at("epoch");
  last_full_epoch_ = position_.epoch;
  elapsed_before_ = state.at("elapsed_seconds");
  best_loss_ = state.at("best_loss");
  if (state.contains("guard")) guard_.restore(state["guard"]);
  updates_ = state.value("updates", step_ - guard_.skipped());
  optimizer_->set_steps(updates_);
  log_info(fmt::format("resumed from {} at step {}", checkpoint, step_));
}

// At most eval_samples of the validation rows, evenly over the file, which may be sorted by kind.
std::vector<TrainingRow> Run::held_out_rows() const {
  std::vector<TrainingRow> all = read_training_rows(options_.validation, options_.rows).rows;
  const auto wanted = static_cast<std::size_t>(options_.eval_samples);
  if (all.size() <= wanted) return all;
  std::vector<TrainingRow> picked;
  for (std::size_t i = 0; i < wanted; ++i) picked.push_back(all[i * all.size() / wanted]);
  return picked;
}

// A frozen tower's outputs: the first rank makes what is missing, the others read it.
void Run::prepare_cache(std::vector<std::string> paths, const std::vector<TrainingRow>& held_out) {
  const std::string directory = options_.feature_cache.empty() ? options_.out + "/features" : options_.feature_cache;
  const std::string fingerprint = tower_fingerprint(*model_);
  const auto more = audio_paths(held_out);
  paths.insert(paths.end(), more.begin(), more.end());
  const auto open = [&] {
    cache_ = std::make_unique<FeatureCache>(directory, fingerprint, model_->config().audio.width);
    cache_->build(paths, {*model_, *extractor_, *workers_});
  };
  if (ranks_->first()) open();
  ranks_->barrier();
  if (!ranks_->first()) open();
}

void Run::prepare_data() {
  options_.rows.seed = options_.data_options.seed;
  options_.data_options.unreadable = options_.rows.bad_rows;
  options_.data_options.max_length = std::min(options_.data_options.max_length, model_->config().text.max_positions);
  if (options_.method == Method::kGrpo) return prepare_grpo();
  RowSet read = read_training_rows(options_.data, options_.rows);
  bad_rows_ = read.bad;
  std::vector<TrainingRow> train = std::move(read.rows);
  if (options_.limit > 0 && static_cast<std::int64_t>(train.size()) > options_.limit) {
    train.resize(static_cast<std::size_t>(options_.limit));
  }
  std::vector<TrainingRow> held_out = held_out_rows();
  if (tower_frozen_) prepare_cache(audio_paths(train), held_out);
  data_ = std::make_unique<Dataset>(std::move(train), options_.data_options, *tokenizer_, *extractor_, cache_.get());
  prepare_validation(std::move(held_out));
}

void Run::prepare_validation(std::vector<TrainingRow> held_out) {
  if (held_out.empty()) return;
  DataOptions plain = options_.data_options;
  plain.time_masks = plain.frequency_masks = 0;
  validation_ = std::make_unique<Dataset>(std::move(held_out), plain, *tokenizer_, *extractor_, cache_.get());
  for (Step& step : validation_->all()) {
    for (MicroBatch& batch : step.batches) held_out_.push_back(std::move(batch));
  }
}

}  // namespace areason::train
