#pragma once
// One training run on one rank: what it holds, and its life. Files: run_setup.cpp (files, weights, data, resume), trainer.cpp
// (the loop, steps, evaluation, saving), run_grpo.cpp (the same for reinforcement), run_log.cpp (what is written about it).
// Called by run_training() only. Thread rule: the training thread; the loader decodes on its own. Every rank runs the same code
// in the same order.
#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/file_lock.h"
#include "base/json_fwd.h"
#include "train/batch_workers.h"
#include "train/grpo.h"
#include "train/metrics.h"
#include "train/plain/event_file.h"
#include "train/trainer.h"

namespace areason::train {

inline constexpr std::array kParts = {PartOfModel::kAudioTower, PartOfModel::kProjector, PartOfModel::kDecoder};

class Run {
 public:
  Run(const TrainOptions& options, Ranks& ranks, at::Device device);
  void train();

 private:
  using Clock = std::chrono::steady_clock;
  FileLock lock_;  // of the run's folder
  // run_setup.cpp
  void check_options() const;
  // run_memory.cpp
  void check_memory(const ModelConfig& config, at::ScalarType type) const;
  double free_memory() const;
  double peak_memory() const;  // GiB
  void use_threads();
  void remove_old_run();
  void prepare_files();
  void prepare_model();
  void check_same_run(const std::string& checkpoint) const;
  void fill_weights(const std::string& checkpoint);
  void restore_state(const std::string& checkpoint);
  void prepare_data();
  void prepare_validation(std::vector<TrainingRow> held_out);
  void prepare_cache(std::vector<std::string> paths, const std::vector<TrainingRow>& held_out);
  std::vector<TrainingRow> held_out_rows() const;
  // trainer.cpp
  double progress() const;
  double elapsed() const;
  bool finished() const;
  std::int64_t total_steps() const;
  LearningRates rates() const;
  bool stop_requested();
  void sum_over_ranks(TokenStats& stats);
  void sum_over_ranks(Step& step);
  TokenStats train_step(const Step& step);
  void loop();
  TokenStats evaluate();
  void evaluate_and_log();
  void point_at_best(double metric);
  void save();
  std::string state_json() const;
  // run_grpo.cpp
  void check_grpo_options() const;
  void prepare_grpo();
  std::unique_ptr<TrainModel> frozen_reference() const;
  void read_asked_validation();
  void loop_grpo();
  bool grpo_step();
  std::string update_weights(GrpoBatch& batch);
  void log_grpo_step(double norm);
  void evaluate_grpo();
  // run_log.cpp
  void write_line(const Json& line);
  Json accuracy_by_task(const TokenStats& stats);
  void add_progress(Json& line) const;
  void log_start();
  void log_step(const TokenStats& stats, double norm);
  void log_evaluation(const TokenStats& stats, double seconds);
  void log_end();

  TrainOptions options_;
  std::string files_;  // <out>/model_files
  bool tower_frozen_ = false;
  Ranks* ranks_;
  at::Device device_;
  std::unique_ptr<BatchWorkers> workers_;
  std::unique_ptr<Tokenizer> tokenizer_;
  std::unique_ptr<LogMelExtractor> extractor_;
  std::unique_ptr<TrainModel> model_;
  std::unique_ptr<Shards> shards_;  // ZeRO stages 2 and 3
  std::unique_ptr<FeatureCache> cache_;
  std::unique_ptr<Dataset> data_, validation_;
  std::vector<MicroBatch> held_out_;  // this rank's share of the validation set
  std::unique_ptr<Optimizer> optimizer_;
  // Reinforcement; null otherwise.
  std::unique_ptr<QuestionSet> questions_, asked_validation_;
  std::unique_ptr<TrainModel> reference_;
  std::unique_ptr<Grpo> grpo_;
  GrpoStats grpo_window_;     // since the last log line
  std::int64_t updates_ = 0;  // of the weights
  std::int64_t step_ = 0, last_saved_ = -1, bad_rows_ = 0;
  std::int64_t last_full_epoch_ = 0;  // the epoch of the last step that had samples
  DataPosition position_;
  double epoch_ = 0, elapsed_before_ = 0, best_loss_ = 1e30;
  double last_norm_ = 0;
  double peak_flops_ = 0;  // of this rank, a second
  StepGuard guard_;
  std::unique_ptr<EventFile> events_;
  Clock::time_point start_;
  // since the last log line
  TokenStats window_;
  std::int64_t window_tokens_ = 0, window_steps_ = 0;
  double window_flops_ = 0;  // of this rank
  Clock::time_point window_start_;
};

}  // namespace areason::train
