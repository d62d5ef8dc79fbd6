#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "train/run.h"

namespace areason::train {
namespace {

namespace fs = std::filesystem;

}  // namespace

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

void Run::log_start() {
  std::int64_t parameters = 0, trained = 0;
  for (const Parameter& p : model_->parameters()) {
    parameters += p.value.numel();
    if (p.value.requires_grad()) trained += p.value.numel();
  }
  const char* type = model_->compute_type() == at::kFloat ? "f32" : "bf16";
  log_info(fmt::format(
      "{} samples, {:.2f} M parameters, {:.2f} M of them train, {} on {}, peak {:.3g} TFLOP/s",
      data_ ? data_->samples() : questions_->size(), parameters / 1e6, trained / 1e6, type,
      device_.is_cpu() ? fmt::format("{} threads", std::max(workers_->size(), at::get_num_threads())) : device_.str(),
      peak_flops_ * ranks_->size() / 1e12));
  const char* divided = options_.zero == 1   ? "optimizer states"
                        : options_.zero == 2 ? "optimizer states and gradients"
                                             : "optimizer states, gradients and weights";
  if (ranks_->size() > 1)
    log_info(fmt::format("{} ranks: data parallel, {} divided (ZeRO {})", ranks_->size(), divided, options_.zero));
}

void Run::add_progress(Json& line) const {
  const double done = progress();
  line["memory(GiB)"] = peak_memory();
  line["epoch"] = epoch_;
  line["global_step/max_steps"] = fmt::format("{}/{}", step_, total_steps());
  line["percentage"] = fmt::format("{:.2f}%", 100 * done);
  line["elapsed_time"] = duration_text(elapsed());
  line["remaining_time"] = duration_text(done > 0 ? elapsed() * (1 - done) / done : 0);
}

void Run::log_step(const TokenStats& stats, double norm) {
  const double spent = std::chrono::duration<double>(Clock::now() - window_start_).count();
  // A peak that was measured beside other work is too low; no step is faster than the machine.
  if (options_.peak_tflops <= 0) peak_flops_ = std::max(peak_flops_, window_flops_ / spent);
  std::vector<double> flops = {window_flops_, peak_flops_};
  ranks_->sum(flops);
  Json line = {{"loss", stats.mean_loss()},
               {"token_acc", stats.accuracy()},
               {"grad_norm", norm},
               {"learning_rate", rates().parts[2]},
               {"train_speed(iter/s)", static_cast<double>(window_steps_) / spent},
               {"tokens/s", static_cast<double>(window_tokens_) / spent},
               {"samples/s", static_cast<double>(stats.samples) / spent},
               {"mfu", flops[0] / spent / flops[1]},
               {"response_acc",
                static_cast<double>(stats.responses_right) / static_cast<double>(std::max<std::int64_t>(1, stats.samples))}};
  add_progress(line);
  write_line(line);
  log_info(
      fmt::format("step {} ({:.1f}%) loss {:.4f} acc {:.4f} resp {:.3f} norm {:.2f} lr {:.2e} epoch {:.2f} {:.0f} tok/s {:.1f} "
                  "samples/s MFU {:.0f}% left {}",
                  step_, 100 * progress(), stats.mean_loss(), stats.accuracy(), line["response_acc"].get<double>(), norm,
                  line["learning_rate"].get<double>(), epoch_, line["tokens/s"].get<double>(), line["samples/s"].get<double>(),
                  100 * line["mfu"].get<double>(), line["remaining_time"].get<std::string>()));
  window_ = {};
  window_tokens_ = window_steps_ = 0;
  window_flops_ = 0;
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

void Run::log_evaluation(const TokenStats& stats, double seconds) {
  Json line = stats_json(stats, "eval_");
  if (const Json tasks = accuracy_by_task(stats); !tasks.empty()) line["eval_task_acc"] = tasks;
  line["eval_runtime"] = seconds;
  line["epoch"] = epoch_;
  line["global_step/max_steps"] = fmt::format("{}/{}", step_, total_steps());
  write_line(line);
  log_info("held out: " + dump_json(line));
}

// ms-swift's last line, with what the run left out.
void Run::log_end() {
  const LeftOut own = data_ ? data_->left_out() : LeftOut{};
  // Files are looked for by every rank, audio is decoded and measured by one.
  std::vector<double> counts = {static_cast<double>(own.over_long), static_cast<double>(own.cut),
                                static_cast<double>(own.unreadable)};
  ranks_->sum(counts);
  const LeftOut left{std::llround(counts[0]), std::llround(counts[1]), std::llround(counts[2]) + own.missing};
  std::error_code ignored;
  const fs::path best = fs::read_symlink(options_.out + "/best", ignored);
  Json line = {{"last_model_checkpoint", fmt::format("{}/checkpoint-{}", options_.out, step_)},
               {"best_model_checkpoint", best.empty() ? "" : options_.out + "/" + best.string()},
               {"best_metric", best_loss_ < 1e29 ? Json(best_loss_) : Json()},
               {"global_step", step_},
               {"skipped_steps", guard_.skipped()},
               {"left_out",
                {{"bad_rows", bad_rows_}, {"over_long", left.over_long}, {"cut", left.cut}, {"unreadable", left.unreadable}}},
               {"memory(GiB)", peak_memory()}};
  write_line(line);
  const std::int64_t out = bad_rows_ + left.over_long + left.unreadable;
  if (out + left.cut + guard_.skipped() == 0) return;
  log_info(fmt::format("left out: {} bad rows, {} over-long samples, {} without readable audio; {} cut; {} steps skipped",
                       bad_rows_, left.over_long, left.unreadable, left.cut, guard_.skipped()));
}

}  // namespace areason::train
