#include "train/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "train/checkpoint.h"
#include "train/device.h"
#include "train/flops.h"
#include "train/model_files.h"
#include "train/run.h"

namespace areason::train {
namespace {

DType save_type(const std::string& name) {
  if (name == "f32") return DType::kF32;
  if (name == "f16") return DType::kF16;
  if (name == "bf16") return DType::kBF16;
  throw Error(ErrorCode::kUsage, "--save-dtype " + name + " is not known", "f32, f16 or bf16");
}

}  // namespace

double Run::elapsed() const { return elapsed_before_ + std::chrono::duration<double>(Clock::now() - start_).count(); }

std::int64_t Run::total_steps() const {
  if (options_.max_steps > 0) return options_.max_steps;
  if (options_.max_minutes > 0) {
    const double done = progress();
    return done > 0.01 ? static_cast<std::int64_t>(static_cast<double>(step_) / done) : 0;
  }
  if (!data_) return 0;
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

// A rank makes only its own share of a step; what the step weighs is everybody's.
void Run::sum_over_ranks(Step& step) {
  if (ranks_->size() == 1) return;
  std::vector<double> sums = {step.weight, static_cast<double>(step.labels), static_cast<double>(step.tokens),
                              static_cast<double>(step.samples)};
  ranks_->sum(sums);
  step.weight = sums[0];
  step.labels = std::llround(sums[1]);
  step.tokens = std::llround(sums[2]);
  step.samples = std::llround(sums[3]);
}

TokenStats Run::train_step(const Step& step) {
  const auto weight = static_cast<float>(1.0 / step.weight);
  TokenStats stats = shards_ ? shards_->gradients(step.batches, weight) : workers_->gradients(*model_, step.batches, weight);
  sum_over_ranks(stats);
  std::string why = guard_.objection(stats.mean_loss());
  if (why.empty()) {
    last_norm_ = optimizer_->step(rates());
    if (!std::isfinite(last_norm_)) why = "its gradient is not finite";
  }
  if (why.empty()) {
    ++updates_;
    guard_.accepted(stats.mean_loss());
    return stats;
  }
  optimizer_->discard();
  write_line({{"skipped_step", step_ + 1}, {"reason", why}, {"samples", step.ids}});
  guard_.refused(step_ + 1, why, step.ids);
  return {};
}

TokenStats Run::evaluate() {
  TokenStats stats = shards_ ? shards_->losses(held_out_) : workers_->losses(*model_, held_out_);
  sum_over_ranks(stats);
  return stats;
}

void Run::evaluate_and_log() {
  if (!validation_) return;
  if (grpo_) return evaluate_grpo();
  const auto start = Clock::now();
  const TokenStats stats = evaluate();
  log_evaluation(stats, std::chrono::duration<double>(Clock::now() - start).count());
  point_at_best(stats.mean_loss());
}

// Saves, and remembers the checkpoint with the smallest `metric`.
void Run::point_at_best(double metric) {
  const bool best = metric < best_loss_;
  best_loss_ = std::min(best_loss_, metric);
  save();
  if (best && ranks_->first()) point_link(options_.out, "best", fmt::format("checkpoint-{}", step_));
}

std::string Run::state_json() const {
  const Json json = {{"global_step", step_},
                     {"method", method_name(options_.method)},
                     {"lora_rank", options_.adapter.rank},
                     {"data_epoch", position_.epoch},
                     {"data_row", position_.row},
                     {"epoch", epoch_},
                     {"elapsed_seconds", elapsed()},
                     {"best_loss", best_loss_},
                     {"seed", options_.data_options.seed},
                     {"updates", updates_},
                     {"guard", guard_.state()}};
  return dump_json(json, 2);
}

// Every rank brings its parts; the first one writes, tensor by tensor.
void Run::save() {
  if (last_saved_ == step_) return;
  last_saved_ = step_;
  const auto collect = [this](const TensorSink& parameter, const TensorSink& state) {
    if (shards_) {
      shards_->collect(parameter);
    } else if (ranks_->first()) {
      for (const Parameter& p : model_->parameters()) parameter(p.name, p.value);
    }
    optimizer_->collect(state);
  };
  if (!ranks_->first()) {
    collect([](const std::string&, const at::Tensor&) {}, [](const std::string&, const at::Tensor&) {});
    return;
  }
  commit_checkpoint(options_.out, step_, options_.keep, [&](const std::string& dir) {
    if (options_.adapter.rank == 0) copy_model_files(files_, dir);
    CheckpointWriter writer(*model_, *optimizer_, dir, save_type(options_.save_dtype));
    const auto parameter = [&](const std::string& name, const at::Tensor& whole) {
      if (!at::isfinite(whole).all().item<bool>())
        throw Error(ErrorCode::kFailure, fmt::format("step {} left numbers in {} that are not finite", step_, name),
                    "the checkpoint before it stands: lower --lr, give --clip, or use --precision f32");
      writer.parameter(name, whole);
    };
    collect(parameter, [&](const std::string& name, const at::Tensor& whole) { writer.state(name, whole); });
    writer.finish();
    write_file_atomic(dir + "/trainer_state.json", state_json());
  });
}

void Run::train() {
  start_ = window_start_ = Clock::now();
  log_start();
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
  if (grpo_) return loop_grpo();
  Loader loader(*data_, position_);
  const std::int64_t first = step_;
  while (!finished() && !stop_requested()) {
    if (options_.stop_after > 0 && step_ - first >= options_.stop_after) break;
    Step step = loader.next();
    sum_over_ranks(step);
    position_ = step.next;
    epoch_ = step.epoch;
    if (step.samples == 0) {
      if (position_.epoch > last_full_epoch_ + 1) data_->fail_empty();
      continue;
    }
    last_full_epoch_ = position_.epoch;
    window_flops_ += training_flops(*model_, step.batches);
    const TokenStats stats = train_step(step);
    ++step_;
    window_.merge(stats);
    window_tokens_ += step.tokens;
    ++window_steps_;
    if (step_ % options_.log_every == 0 || step_ == first + 1) log_step(window_, last_norm_);
    if (options_.eval_every > 0 && step_ % options_.eval_every == 0) evaluate_and_log();
    if (options_.save_every > 0 && step_ % options_.save_every == 0) save();
  }
}

namespace {

// A device without room is no bug of ours, whatever libtorch's type for it says.
void run_on(std::unique_ptr<Ranks>& ranks, const TrainOptions& options) {
  try {
    const at::Device device = open_device(options.device);
    use_collectives(ranks, device, options.collectives);
    Run(options, *ranks, device).train();
  } catch (const c10::OutOfMemoryError& e) {
    const std::string text = e.what_without_backtrace();
    throw Error(ErrorCode::kFailure, "the device has not enough memory: " + text.substr(0, text.find('\n')),
                "fewer --micro-tokens, --recompute, --zero 2 or 3 with more ranks, --lora-rank; `train plan` shows the table");
  }
}

}  // namespace

void run_training(const TrainOptions& options) {
  auto ranks = Ranks::join();
  try {
    run_on(ranks, options);
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
