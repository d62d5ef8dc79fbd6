#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "train/checkpoint.h"
#include "train/run.h"

namespace areason::train {
namespace {

double share(double part, std::int64_t whole) { return whole > 0 ? part / static_cast<double>(whole) : 0; }

[[noreturn]] void refuse(const std::string& what, const std::string& hint) {
  throw Error(ErrorCode::kUsage, "--method grpo: " + what, hint);
}

// At most `wanted`, evenly over the file, which may be sorted by kind.
void thin_out(std::vector<Sample>& samples, std::size_t wanted) {
  if (samples.size() <= wanted) return;
  std::vector<Sample> picked;
  for (std::size_t i = 0; i < wanted; ++i) picked.push_back(std::move(samples[i * samples.size() / wanted]));
  samples = std::move(picked);
}

}  // namespace

void Run::check_grpo_options() const {
  const GrpoOptions& o = options_.grpo;
  if (ranks_->size() > 1 || options_.zero > 1) refuse("it runs as one process", "start it without mpirun and --zero");
  if (options_.init.empty()) refuse("there is no policy to start from", "give --init DIR: a model that sft has trained");
  if (options_.max_steps <= 0 && options_.max_minutes <= 0) refuse("it has no end", "give --max-steps or --max-minutes");
  if (o.group < 2) refuse("a group of one answer has nothing to be compared with", "give --group 2 or more");
  if (o.sampling.temperature <= 0) refuse("the best answers alone never differ", "give a --temperature above 0");
  if (o.rewards.length.budget > 0 && o.rewards.length.budget >= o.sampling.max_new_tokens)
    refuse("no answer can be longer than --length-budget", "raise --max-new-tokens or lower --length-budget");
}

void Run::prepare_grpo() {
  JudgedSamples read = read_judged_samples(options_.data, options_.rows.bad_rows);
  bad_rows_ = read.bad;
  if (options_.limit > 0 && static_cast<std::int64_t>(read.samples.size()) > options_.limit)
    read.samples.resize(static_cast<std::size_t>(options_.limit));
  if (read.free > 0) log_info(fmt::format("{} rows are not asked: their kinds have no right answer", read.free));
  std::vector<TrainingRow> held_out = held_out_rows();
  if (tower_frozen_) prepare_cache(audio_paths(read.samples), held_out);
  GrpoOptions& o = options_.grpo;
  o.rewards.length.limit = o.sampling.max_new_tokens;
  const QuestionSet::Tools tools{*tokenizer_, *extractor_, cache_.get(), options_.data_options.system_prompt,
                                 options_.data_options.max_length - o.sampling.max_new_tokens};
  questions_ = std::make_unique<QuestionSet>(std::move(read.samples), tools, o.prefer);
  if (!held_out.empty()) {
    std::vector<Sample> asked = read_judged_samples(options_.validation, options_.rows.bad_rows).samples;
    thin_out(asked, static_cast<std::size_t>(options_.eval_samples));
    asked_validation_ = std::make_unique<QuestionSet>(std::move(asked), tools, std::map<std::string, double>());
  }
  prepare_validation(std::move(held_out));
  if (o.limits.kl > 0) reference_ = frozen_reference();
  grpo_ = std::make_unique<Grpo>(
      o, Grpo::Parts{*model_, reference_.get(), *workers_, *tokenizer_, *questions_, files_, options_.out + "/sampling.tmp",
                     options_.data_options.seed, options_.data_options.micro_tokens});
}

// The policy as it was at the start, unless another checkpoint is named. A frozen tower is read from the cache.
std::unique_ptr<TrainModel> Run::frozen_reference() const {
  const std::string& from = options_.grpo.reference.empty() ? options_.init : options_.grpo.reference;
  auto out = std::make_unique<TrainModel>(model_->config(), model_->compute_type(), model_->device());
  out->allocate();
  const TensorStore store = TensorStore::open(from);
  for (const Parameter& p : out->parameters()) {
    if (p.part != PartOfModel::kAudioTower || !tower_frozen_) load_parameter(p, store);
  }
  return out;
}

void Run::loop_grpo() {
  const std::int64_t first = step_;
  if (step_ == 0) evaluate_and_log();
  while (!finished() && !stop_requested()) {
    if (options_.stop_after > 0 && step_ - first >= options_.stop_after) break;
    if (!grpo_step()) break;
    ++step_;
    ++window_steps_;
    epoch_ = static_cast<double>(step_ * options_.grpo.prompts) / static_cast<double>(questions_->size());
    if (step_ % options_.log_every == 0 || step_ == first + 1) log_grpo_step(last_norm_);
    if (options_.eval_every > 0 && step_ % options_.eval_every == 0) evaluate_and_log();
    if (options_.save_every > 0 && step_ % options_.save_every == 0) save();
  }
}

// False when it was interrupted: half of a step's answers are not used.
bool Run::grpo_step() {
  GrpoStats stats;
  GrpoBatch batch = grpo_->collect(step_, stats);
  if (interrupted()) return false;
  grpo_window_.merge(stats);
  if (batch.empty()) return true;  // no group has anything to compare
  const std::string why = update_weights(batch);
  if (why.empty()) return true;
  optimizer_->discard();
  write_line({{"skipped_step", step_ + 1}, {"reason", why}, {"samples", batch.ids}});
  guard_.refused(step_ + 1, why, batch.ids);
  return true;
}

// "" or what kept a step's answers away from the weights. The loss itself is near 0 whatever happens; what grows when a run
// goes wrong is the divergence.
std::string Run::update_weights(GrpoBatch& batch) {
  for (int update = 0; update < options_.grpo.updates; ++update) {
    const GrpoStats stats = grpo_->gradients(batch, update);
    const double divergence = share(stats.kl, stats.terms);
    std::string why = std::isfinite(stats.loss) ? guard_.objection(divergence, "divergence from the reference")
                                                : guard_.objection(stats.loss);
    if (why.empty()) {
      last_norm_ = optimizer_->step(rates());
      if (!std::isfinite(last_norm_)) why = "its gradient is not finite";
    }
    if (!why.empty()) return why;
    ++updates_;
    guard_.accepted(divergence);
    grpo_window_.merge(stats);
  }
  return "";
}

// Names as ms-swift's GRPO logs them.
void Run::log_grpo_step(double norm) {
  const GrpoStats& s = grpo_window_;
  Json line = {{"loss", s.loss / static_cast<double>(std::max<std::int64_t>(1, window_steps_))},
               {"reward", share(s.reward, s.answers)},
               {"reward_std", share(s.deviation, s.groups)},
               {"frac_reward_zero_std", share(static_cast<double>(s.dead_groups), s.groups)},
               {"kl", share(s.kl, s.terms)},
               {"clip_ratio", share(static_cast<double>(s.clipped), s.terms)},
               {"entropy", share(s.surprise, s.terms)},
               {"completions/mean_length", share(static_cast<double>(s.tokens), s.answers)},
               {"completions/clipped_ratio", share(static_cast<double>(s.cut), s.answers)},
               {"chosen_tokens", share(static_cast<double>(s.chosen), s.tokens)},
               {"grad_norm", norm},
               {"learning_rate", rates().parts[2]},
               {"sample_tokens/s", static_cast<double>(s.tokens) / std::max(1e-9, s.sample_seconds)},
               {"tokens/s", static_cast<double>(s.packed_tokens) / std::max(1e-9, s.train_seconds)},
               {"sample_seconds", share(s.sample_seconds, window_steps_)},
               {"train_seconds", share(s.train_seconds, window_steps_)},
               {"handover_seconds", share(s.handover_seconds, window_steps_)}};
  for (int p = 0; p < kRewardParts; ++p) {
    const auto i = static_cast<std::size_t>(p);
    line[fmt::format("rewards/{}/mean", reward_part_name(static_cast<RewardPart>(p)))] = share(s.parts[i], s.answers);
  }
  add_progress(line);
  write_line(line);
  log_info(fmt::format(
      "step {} ({:.1f}%) reward {:.3f} ± {:.3f} right {:.3f} dead {:.2f} KL {:.4f} clip {:.4f} length {:.0f} "
      "norm {:.3f} lr {:.2e}, {:.0f} tok/s written, {:.0f} tok/s trained, left {}",
      step_, 100 * progress(), line["reward"].get<double>(), line["reward_std"].get<double>(), share(s.parts[0], s.answers),
      line["frac_reward_zero_std"].get<double>(), line["kl"].get<double>(), line["clip_ratio"].get<double>(),
      line["completions/mean_length"].get<double>(), norm, line["learning_rate"].get<double>(),
      line["sample_tokens/s"].get<double>(), line["tokens/s"].get<double>(), line["remaining_time"].get<std::string>()));
  grpo_window_ = {};
  window_steps_ = 0;
}

// The loss on the true chains, as in supervised runs, and the best answers' accuracy, by which the best checkpoint is kept.
void Run::evaluate_grpo() {
  const auto start = Clock::now();
  std::vector<AskedQuestion> asked;
  for (std::int64_t i = 0; i < asked_validation_->size(); ++i) {
    if (auto question = asked_validation_->question(static_cast<std::size_t>(i))) asked.push_back(std::move(*question));
  }
  const Grpo::Greedy found = grpo_->answer_all(asked);
  if (interrupted() || found.right.empty()) return;
  std::map<std::string, std::pair<double, double>> kinds;  // all and right
  double right = 0;
  for (const auto& [kind, is_right] : found.right) {
    kinds[kind].first += 1;
    kinds[kind].second += is_right ? 1 : 0;
    right += is_right ? 1 : 0;
  }
  Json line = stats_json(evaluate(), "eval_");
  const auto answers = static_cast<std::int64_t>(found.right.size());
  line["eval_answer_acc"] = share(right, answers);
  for (int p = 0; p < kRewardParts; ++p) {
    const auto i = static_cast<std::size_t>(p);
    line[fmt::format("eval_rewards/{}", reward_part_name(static_cast<RewardPart>(p)))] = share(found.parts[i], answers);
  }
  line["eval_mean_length"] = share(static_cast<double>(found.tokens), answers);
  for (const auto& [kind, counts] : kinds) line["eval_task_acc"][kind] = counts.second / counts.first;
  line["eval_runtime"] = std::chrono::duration<double>(Clock::now() - start).count();
  line["epoch"] = epoch_;
  line["global_step/max_steps"] = fmt::format("{}/{}", step_, total_steps());
  write_line(line);
  log_info("held out: " + dump_json(line));
  point_at_best(1 - share(right, answers));
}

}  // namespace areason::train
