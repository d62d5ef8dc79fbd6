#include "train/trainer.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <memory>

#include "base/error.h"
#include "base/files.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "train/batch_workers.h"
#include "train/checkpoint.h"
#include "train/metrics.h"
#include "train/model_files.h"
#include "train/plain/event_file.h"

namespace areason::train {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
constexpr std::array kParts = {PartOfModel::kAudioTower, PartOfModel::kProjector, PartOfModel::kDecoder};

DType save_type(const std::string& name) {
  if (name == "f32") return DType::kF32;
  if (name == "f16") return DType::kF16;
  if (name == "bf16") return DType::kBF16;
  throw Error(ErrorCode::kUsage, "--save-dtype " + name + " is not known", "f32, f16 or bf16");
}

// bf16 was 4.4 times as fast as f32 in the linears of nano on a Zen 5 with avx512_bf16, and slower without that instruction.
at::ScalarType compute_type(const std::string& precision) {
  if (precision == "f32") return at::kFloat;
  if (precision == "bf16") return at::kBFloat16;
  if (precision != "auto") throw Error(ErrorCode::kUsage, "--precision " + precision + " is not known", "auto, bf16 or f32");
  return __builtin_cpu_supports("avx512bf16") ? at::kBFloat16 : at::kFloat;
}

double peak_memory_gib() {
  struct rusage usage {};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / (1 << 20);  // Linux counts KiB
}

class Run {
 public:
  Run(const TrainOptions& options, Ranks& ranks);
  void train();

 private:
  void remove_old_run();
  void prepare_files();
  void prepare_weights();
  void prepare_data();
  void resume();
  double progress() const;
  double elapsed() const;
  bool finished() const;
  std::vector<MicroBatch> own_batches(const Step& step) const;
  void sum_over_ranks(TokenStats& stats);
  bool stop_requested();
  void write_line(const Json& line);
  TokenStats train_step(const Step& step);
  void loop();
  TokenStats evaluate();
  Json accuracy_by_task(const TokenStats& stats);
  void log_end();
  void log_step(const TokenStats& stats, double norm);
  void evaluate_and_log();
  void save();
  LearningRates rates() const;
  std::int64_t total_steps() const;

  TrainOptions options_;
  std::string files_;  // <out>/model_files
  bool tower_frozen_ = false;
  Ranks* ranks_;
  std::unique_ptr<BatchWorkers> workers_;
  std::unique_ptr<Tokenizer> tokenizer_;
  std::unique_ptr<LogMelExtractor> extractor_;
  std::unique_ptr<TrainModel> model_;
  std::unique_ptr<FeatureCache> cache_;
  std::unique_ptr<Dataset> data_, validation_;
  std::vector<Step> eval_steps_;
  std::unique_ptr<Optimizer> optimizer_;
  std::int64_t step_ = 0, last_saved_ = -1, bad_rows_ = 0;
  DataPosition position_;
  double epoch_ = 0, elapsed_before_ = 0, best_loss_ = 1e30;
  double last_norm_ = 0;
  StepGuard guard_;
  std::unique_ptr<EventFile> events_;
  Clock::time_point start_;
  // since the last log line
  TokenStats window_;
  std::int64_t window_tokens_ = 0, window_steps_ = 0;
  Clock::time_point window_start_;
};

Run::Run(const TrainOptions& options, Ranks& ranks)
    : options_(options), files_(options.out + "/model_files"), ranks_(&ranks), guard_(options.guard) {
  if (ranks_->size() > 1 && options_.max_minutes > 0)
    throw Error(ErrorCode::kUsage, "--max-minutes has no meaning for several ranks", "give --max-steps or --epochs");
  if (!ranks_->first()) set_log_level(LogLevel::kError);
  workers_ = std::make_unique<BatchWorkers>(options_.threads);
  options_.data_options.workers = workers_->size() * ranks_->size();
  if (ranks_->first()) {
    make_directories(options_.out);
    if (options_.fresh) remove_old_run();
    prepare_files();
  }
  ranks_->barrier();
  tokenizer_ = std::make_unique<Tokenizer>(Tokenizer::load(files_));
  extractor_ = std::make_unique<LogMelExtractor>(load_log_mel_config(files_));
  prepare_weights();
  prepare_data();
}

void Run::remove_old_run() {
  while (const auto old = newest_checkpoint(options_.out)) fs::remove_all(*old);
  fs::remove_all(files_);
  fs::remove(options_.out + "/logging.jsonl");
  fs::remove(options_.out + "/best");
}

void Run::prepare_files() {
  if (!fs::exists(files_ + "/config.json")) {
    if (!options_.init.empty()) {
      copy_model_files(options_.init, files_);
    } else if (!options_.config.empty() && !options_.tokenizer.empty()) {
      write_new_model_files(options_.config, options_.tokenizer, files_);
    } else {
      throw Error(ErrorCode::kUsage, "there is nothing to start from", "give --init DIR, or --config FILE and --tokenizer DIR");
    }
  }
  set_saved_dtype(files_, options_.save_dtype);
}

void Run::prepare_weights() {
  model_ = std::make_unique<TrainModel>(load_model_config(files_), compute_type(options_.precision));
  model_->set_options(options_.forward);
  if (options_.adapter.rank > 0) {
    if (options_.init.empty())
      throw Error(ErrorCode::kUsage, "an adapter needs a model to stand beside", "give --init DIR with --lora-rank");
    options_.adapter.base = options_.init;
    model_->add_adapters(options_.adapter);
  }
  model_->initialise(options_.data_options.seed);
  if (!options_.init.empty()) load_parameters(*model_, TensorStore::open(options_.init));
  if (!options_.init_audio_tower.empty()) load_audio_tower(*model_, TensorStore::open(options_.init_audio_tower));
  for (const PartOfModel part : kParts) {
    const bool frozen = options_.adapter.rank > 0 ||
                        std::find(options_.freeze.begin(), options_.freeze.end(), part_name(part)) != options_.freeze.end();
    model_->set_trained(part, !frozen);
    if (part == PartOfModel::kAudioTower) tower_frozen_ = frozen;
  }
  optimizer_ = std::make_unique<Optimizer>(*model_, options_.optimizer, *workers_, ranks_);
  resume();
}

void Run::prepare_data() {
  options_.rows.seed = options_.data_options.seed;
  options_.data_options.unreadable = options_.rows.bad_rows;
  RowSet read = read_training_rows(options_.data, options_.rows);
  bad_rows_ = read.bad;
  std::vector<TrainingRow> train = std::move(read.rows);
  if (options_.limit > 0 && static_cast<std::int64_t>(train.size()) > options_.limit) {
    train.resize(static_cast<std::size_t>(options_.limit));
  }
  auto held_out = read_training_rows(options_.validation, options_.rows).rows;
  if (static_cast<std::int64_t>(held_out.size()) > options_.eval_samples) {
    // Evenly over the file, which may be sorted by kind.
    std::vector<TrainingRow> picked;
    for (std::int64_t i = 0; i < options_.eval_samples; ++i) {
      picked.push_back(
          held_out[static_cast<std::size_t>(i) * held_out.size() / static_cast<std::size_t>(options_.eval_samples)]);
    }
    held_out = std::move(picked);
  }
  if (tower_frozen_) {
    const std::string directory = options_.feature_cache.empty() ? options_.out + "/features" : options_.feature_cache;
    cache_ = std::make_unique<FeatureCache>(directory, tower_fingerprint(*model_), model_->config().audio.width);
    auto paths = audio_paths(train);
    const auto more = audio_paths(held_out);
    paths.insert(paths.end(), more.begin(), more.end());
    if (ranks_->first()) cache_->build(paths, {*model_, *extractor_, *workers_});
    ranks_->barrier();
    if (!ranks_->first()) {
      cache_ = std::make_unique<FeatureCache>(directory, tower_fingerprint(*model_), model_->config().audio.width);
      cache_->build(paths, {*model_, *extractor_, *workers_});  // finds everything made
    }
  }
  options_.data_options.max_length = std::min(options_.data_options.max_length, model_->config().text.max_positions);
  data_ = std::make_unique<Dataset>(std::move(train), options_.data_options, *tokenizer_, *extractor_, cache_.get());
  if (held_out.empty()) return;
  DataOptions plain = options_.data_options;
  plain.time_masks = plain.frequency_masks = 0;
  validation_ = std::make_unique<Dataset>(std::move(held_out), plain, *tokenizer_, *extractor_, cache_.get());
  eval_steps_ = validation_->all();
}

void Run::resume() {
  // One rank looks, because looking sets broken checkpoints aside.
  const std::string found = ranks_->from_first(ranks_->first() ? newest_whole_checkpoint(options_.out).value_or("") : "");
  if (found.empty()) return;
  const Json state = parse_json(load_state(*model_, optimizer_->state(), found), found + "/trainer_state.json");
  step_ = last_saved_ = state.at("global_step");
  position_ = {state.at("data_epoch"), state.at("data_row")};
  epoch_ = state.at("epoch");
  elapsed_before_ = state.at("elapsed_seconds");
  best_loss_ = state.at("best_loss");
  if (state.contains("guard")) guard_.restore(state["guard"]);
  optimizer_->set_steps(step_ - guard_.skipped());
  log_info(fmt::format("resumed from {} at step {}", found, step_));
}

double Run::elapsed() const { return elapsed_before_ + std::chrono::duration<double>(Clock::now() - start_).count(); }

std::int64_t Run::total_steps() const {
  if (options_.max_steps > 0) return options_.max_steps;
  if (options_.max_minutes > 0) {
    const double done = progress();
    return done > 0.01 ? static_cast<std::int64_t>(static_cast<double>(step_) / done) : 0;
  }
  const auto batch = static_cast<double>(options_.data_options.batch_samples);
  return static_cast<std::int64_t>(std::ceil(options_.epochs * static_cast<double>(data_->samples()) / batch));
}

// How much of the run is over: by whichever limit is nearer.
double Run::progress() const {
  if (options_.max_minutes > 0) {
    const double by_time = elapsed() / (60 * options_.max_minutes);
    const double by_steps = options_.max_steps > 0 ? static_cast<double>(step_) / static_cast<double>(options_.max_steps) : 0;
    return std::min(1.0, std::max(by_time, by_steps));
  }
  if (options_.max_steps > 0) return std::min(1.0, static_cast<double>(step_) / static_cast<double>(options_.max_steps));
  return std::min(1.0, epoch_ / options_.epochs);
}

bool Run::finished() const { return progress() >= 1.0; }

LearningRates Run::rates() const {
  const double done = progress();
  const double rate = scheduled_rate(options_.schedule, step_, done);
  const auto scaled = [&](double peak) { return peak < 0 ? rate : rate * peak / options_.schedule.peak; };
  return {{scaled(options_.audio_rate), scaled(options_.projector_rate), rate}, scaled(options_.muon_rate)};
}

// Every rank makes the whole step's batches from the same data and computes every size-th of them.
std::vector<MicroBatch> Run::own_batches(const Step& step) const {
  if (ranks_->size() == 1) return step.batches;
  std::vector<MicroBatch> own;
  for (std::size_t i = static_cast<std::size_t>(ranks_->rank()); i < step.batches.size();
       i += static_cast<std::size_t>(ranks_->size()))
    own.push_back(step.batches[i]);
  return own;
}

void Run::sum_over_ranks(TokenStats& stats) {
  if (ranks_->size() == 1) return;
  std::vector<double> numbers = stats.numbers();
  ranks_->sum(numbers);
  stats.set_numbers(numbers);
}

// The ranks must agree, or one would wait for another for ever.
bool Run::stop_requested() {
  if (ranks_->size() == 1) return interrupted();
  std::vector<double> wanted = {interrupted() ? 1.0 : 0.0};
  ranks_->sum(wanted);
  return wanted[0] > 0;
}

void Run::write_line(const Json& line) {
  if (!ranks_->first()) return;
  append_line(options_.out + "/logging.jsonl", line);
  if (!line.contains("epoch")) return;
  if (!events_) events_ = std::make_unique<EventFile>(options_.out + "/runs");
  // transformers' names: train/loss, eval/loss.
  for (const auto& [key, value] : line.items()) {
    const bool held_out = key.rfind("eval_", 0) == 0;
    if (value.is_number()) events_->scalar((held_out ? "eval/" + key.substr(5) : "train/" + key), step_, value.get<double>());
  }
}

TokenStats Run::train_step(const Step& step) {
  TokenStats stats = workers_->gradients(*model_, own_batches(step), static_cast<float>(1.0 / step.weight));
  sum_over_ranks(stats);
  std::string why = guard_.objection(stats.mean_loss());
  if (why.empty()) {
    last_norm_ = optimizer_->step(rates());
    if (!std::isfinite(last_norm_)) why = "its gradient is not finite";
  }
  if (why.empty()) {
    guard_.accepted(stats.mean_loss());
    return stats;
  }
  optimizer_->discard();
  write_line({{"skipped_step", step_ + 1}, {"reason", why}, {"samples", step.ids}});
  guard_.refused(step_ + 1, why, step.ids);
  return {};
}

TokenStats Run::evaluate() {
  TokenStats stats;
  for (const Step& step : eval_steps_) stats.merge(workers_->losses(*model_, own_batches(step)));
  sum_over_ranks(stats);
  return stats;
}

void Run::log_step(const TokenStats& stats, double norm) {
  const double spent = std::chrono::duration<double>(Clock::now() - window_start_).count();
  const double done = progress();
  Json line = {{"loss", stats.mean_loss()},
               {"token_acc", stats.accuracy()},
               {"grad_norm", norm},
               {"learning_rate", rates().parts[2]},
               {"train_speed(iter/s)", static_cast<double>(window_steps_) / spent},
               {"tokens/s", static_cast<double>(window_tokens_) / spent},
               {"samples/s", static_cast<double>(stats.samples) / spent},
               {"response_acc",
                static_cast<double>(stats.responses_right) / static_cast<double>(std::max<std::int64_t>(1, stats.samples))},
               {"memory(GiB)", peak_memory_gib()},
               {"epoch", epoch_},
               {"global_step/max_steps", fmt::format("{}/{}", step_, total_steps())},
               {"percentage", fmt::format("{:.2f}%", 100 * done)},
               {"elapsed_time", duration_text(elapsed())},
               {"remaining_time", duration_text(done > 0 ? elapsed() * (1 - done) / done : 0)}};
  write_line(line);
  log_info(
      fmt::format("step {} ({:.1f}%) loss {:.4f} acc {:.4f} resp {:.3f} norm {:.2f} lr {:.2e} epoch {:.2f} {:.0f} tok/s {:.1f} "
                  "samples/s left {}",
                  step_, 100 * done, stats.mean_loss(), stats.accuracy(), line["response_acc"].get<double>(), norm,
                  line["learning_rate"].get<double>(), epoch_, line["tokens/s"].get<double>(), line["samples/s"].get<double>(),
                  line["remaining_time"].get<std::string>()));
  window_ = {};
  window_tokens_ = window_steps_ = 0;
  window_start_ = Clock::now();
}

// Share of samples with a right response, by kind or task of the rows.
Json Run::accuracy_by_task(const TokenStats& stats) {
  std::map<std::string, std::size_t> place;
  for (std::int64_t i = 0; i < validation_->samples(); ++i) {
    const std::string& task = validation_->task(static_cast<std::size_t>(i));
    if (!task.empty()) place.try_emplace(task, 2 * place.size());
  }
  std::vector<double> counts(2 * place.size(), 0.0);  // all and right
  for (const auto& [source, right] : stats.by_source) {
    const auto it = place.find(validation_->task(source));
    if (it == place.end()) continue;
    counts[it->second] += 1;
    counts[it->second + 1] += right ? 1 : 0;
  }
  if (!counts.empty()) ranks_->sum(counts);
  Json out = Json::object();
  for (const auto& [task, at] : place) {
    if (counts[at] > 0) out[task] = counts[at + 1] / counts[at];
  }
  return out;
}

void Run::evaluate_and_log() {
  if (eval_steps_.empty()) return;
  const auto start = Clock::now();
  const TokenStats stats = evaluate();
  Json line = stats_json(stats, "eval_");
  if (const Json tasks = accuracy_by_task(stats); !tasks.empty()) line["eval_task_acc"] = tasks;
  line["eval_runtime"] = std::chrono::duration<double>(Clock::now() - start).count();
  line["epoch"] = epoch_;
  line["global_step/max_steps"] = fmt::format("{}/{}", step_, total_steps());
  write_line(line);
  log_info("held out: " + dump_json(line));
  const bool best = stats.mean_loss() < best_loss_;
  best_loss_ = std::min(best_loss_, stats.mean_loss());
  save();
  if (best && ranks_->first()) point_link(options_.out, "best", fmt::format("checkpoint-{}", step_));
}

void Run::save() {
  if (last_saved_ == step_) return;
  const Json json = {{"global_step", step_},
                     {"data_epoch", position_.epoch},
                     {"data_row", position_.row},
                     {"epoch", epoch_},
                     {"elapsed_seconds", elapsed()},
                     {"best_loss", best_loss_},
                     {"seed", options_.data_options.seed},
                     {"guard", guard_.state()}};
  const auto tensors = optimizer_->collected_state();
  last_saved_ = step_;
  if (!ranks_->first()) return;
  commit_checkpoint(options_.out, step_, options_.keep, [&](const std::string& dir) {
    if (options_.adapter.rank > 0) {
      save_adapters(*model_, dir);
    } else {
      copy_model_files(files_, dir);
      save_weights(*model_, dir, save_type(options_.save_dtype));
    }
    save_state(*model_, {tensors, dump_json(json, 2)}, dir);
  });
}

void Run::train() {
  start_ = window_start_ = Clock::now();
  std::int64_t parameters = 0, trained = 0;
  for (const Parameter& p : model_->parameters()) {
    parameters += p.value.numel();
    if (p.value.requires_grad()) trained += p.value.numel();
  }
  log_info(fmt::format("{} samples, {:.2f} M parameters, {:.2f} M of them train, {} on {} threads", data_->samples(),
                       parameters / 1e6, trained / 1e6, model_->compute_type() == at::kFloat ? "f32" : "bf16",
                       workers_->size()));
  if (ranks_->size() > 1) log_info(fmt::format("{} ranks: data parallel, optimizer states divided (ZeRO 1)", ranks_->size()));
  try {
    loop();
  } catch (const Error&) {
    if (ranks_->size() > 1) throw;  // the others may be anywhere: the last checkpoint stands
    // Whatever ended the run, what it has learned is kept when that is possible.
    try {
      save();
    } catch (const std::exception& e) {
      log_warning(std::string("the state at the error could not be saved: ") + e.what());
    }
    throw;
  }
  if (finished()) evaluate_and_log();
  save();
  log_end();
  if (interrupted()) log_info(fmt::format("stopped at step {}; the same command goes on from there", step_));
  ranks_->barrier();
  if (finished() && options_.merge && options_.adapter.rank > 0 && ranks_->first()) {
    merge_adapter({options_.init, options_.out + "/last", options_.out + "/merged"});
    log_info("merged with its base: " + options_.out + "/merged");
  }
}

void Run::loop() {
  Loader loader(*data_, position_);
  const std::int64_t first = step_;
  while (!finished() && !stop_requested()) {
    if (options_.stop_after > 0 && step_ - first >= options_.stop_after) break;
    const Step step = loader.next();
    const TokenStats stats = train_step(step);
    ++step_;
    position_ = step.next;
    epoch_ = step.epoch;
    window_.merge(stats);
    window_tokens_ += step.tokens;
    ++window_steps_;
    if (step_ % options_.log_every == 0 || step_ == first + 1) log_step(window_, last_norm_);
    if (options_.eval_every > 0 && step_ % options_.eval_every == 0) evaluate_and_log();
    if (options_.save_every > 0 && step_ % options_.save_every == 0) save();
  }
}

// ms-swift's last line, with what the run left out.
void Run::log_end() {
  const LeftOut left = data_->left_out();
  std::error_code ignored;
  const fs::path best = fs::read_symlink(options_.out + "/best", ignored);
  Json line = {{"last_model_checkpoint", fmt::format("{}/checkpoint-{}", options_.out, step_)},
               {"best_model_checkpoint", best.empty() ? "" : options_.out + "/" + best.string()},
               {"best_metric", best_loss_ < 1e29 ? Json(best_loss_) : Json()},
               {"global_step", step_},
               {"skipped_steps", guard_.skipped()},
               {"left_out",
                {{"bad_rows", bad_rows_}, {"over_long", left.over_long}, {"cut", left.cut}, {"unreadable", left.unreadable}}},
               {"memory(GiB)", peak_memory_gib()}};
  write_line(line);
  const std::int64_t out = bad_rows_ + left.over_long + left.unreadable;
  if (out + left.cut + guard_.skipped() == 0) return;
  log_info(fmt::format("left out: {} bad rows, {} over-long samples, {} without readable audio; {} cut; {} steps skipped",
                       bad_rows_, left.over_long, left.unreadable, left.cut, guard_.skipped()));
}

}  // namespace

void run_training(const TrainOptions& options) {
  const auto ranks = Ranks::join();
  try {
    Run(options, *ranks).train();
  } catch (const Error& e) {
    if (ranks->size() > 1) {
      // The others wait in some exchange, which only an end of all can end.
      log_message(LogLevel::kError, fmt::format("rank {}: {} ({})", ranks->rank(), e.what(), e.hint()));
      ranks->end_all(static_cast<int>(e.code()));
    }
    throw;
  }
}

}  // namespace areason::train
