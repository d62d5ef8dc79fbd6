#pragma once
// The data of a run: samples grouped by their audio, shuffled per epoch from a seed, tokenised and packed ahead on an own
// thread. Called by trainer.cpp. The position in the data is two numbers, so that a resumed run sees what it would have seen.
// Which samples make a step is decided before anything is decoded (batch_samples counts what will be left out too), so that
// readers with a share each agree on it: several ranks decode no clip twice.
// Thread rule: one consumer; the loader's thread reads the constant members only.
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "base/random.h"
#include "train/features.h"
#include "train/packing.h"
#include "train/rows.h"

namespace areason::train {

enum class RowOrder { kShuffled, kAsGiven };  // per epoch from the seed, or as the files have them

struct DataOptions {
  std::string system_prompt;         // of rows without their own
  int max_row_samples = 8;           // samples that share one audio prefix
  std::int64_t batch_samples = 64;   // samples a step, at least
  std::int64_t micro_tokens = 4096;  // tokens a micro-batch, about
  int workers = 1;                   // a step has a multiple of so many micro-batches
  int share = 0, shares = 1;         // of each step's rows this reader makes the share-th of every `shares`
  int max_length = 8192;             // tokens with the audio's own; longer samples are treated as `truncation` says
  Truncation truncation = Truncation::kDelete;
  BadRows unreadable = BadRows::kLeaveOut;  // audio that cannot be decoded
  std::uint64_t seed = 1;
  RowOrder order = RowOrder::kShuffled;
  int time_masks = 0, frequency_masks = 0;  // SpecAugment on the mel when there is no cache
  Sharing sharing = Sharing::kShared;
  std::string key_words;                // regular expression, see tokenize_sample(); empty: none
  KindWeights weights = kEqualWeights;  // of the training loss; losses are reported without them
};

struct DataPosition {
  std::int64_t epoch = 0, row = 0;
};

struct Step {
  std::vector<MicroBatch> batches;  // this reader's share, like the next four
  std::int64_t labels = 0, tokens = 0, samples = 0;
  double weight = 0;             // sum of the labels' weights
  std::vector<std::string> ids;  // of the whole step's samples, left out ones too
  DataPosition next;             // after this step
  double epoch = 0;              // epochs done after this step
};

// Samples that a run met and did not use as they are. Counted once each, however many epochs there are.
struct LeftOut {
  std::int64_t over_long = 0, cut = 0, unreadable = 0;
  std::int64_t missing = 0;  // their audio was not there at the start
};

class Dataset {
 public:
  // `cache` may be null: log-mels are computed when a row is made.
  Dataset(std::vector<TrainingRow> samples, const DataOptions& options, const Tokenizer& tokenizer,
          const LogMelExtractor& extractor, const FeatureCache* cache);
  std::int64_t samples() const { return static_cast<std::int64_t>(samples_.size()); }
  // The step that starts at `position` (training order, wraps into the next epoch).
  Step step_at(DataPosition position) const;
  // Everything once, in file order, in steps of about batch_samples.
  std::vector<Step> all() const;
  LeftOut left_out() const;
  [[noreturn]] void fail_empty() const;  // when two epochs gave no sample
  const std::string& task(std::size_t source) const { return samples_[source].task; }

 private:
  using RowPlan = std::vector<std::size_t>;  // indices of samples on the same audio
  void drop_without_audio();
  std::vector<RowPlan> plan_epoch(std::int64_t epoch) const;
  const std::vector<RowPlan>& epoch_plan(std::int64_t epoch) const;
  // None when no sample of the plan can be used; several when they cannot share their audio.
  std::vector<PackedRow> make_rows(const RowPlan& plan, Random& random) const;
  std::optional<PackedRow> load_audio(const RowPlan& plan, Random& random, std::vector<int>& windows) const;
  static void add_rows(std::vector<PackedRow>&& made, std::vector<PackedRow>& rows, Step& step);
  double label_weight(const std::vector<PackedRow>& rows) const;
  bool mine(std::int64_t row) const { return row % options_.shares == options_.share; }
  void mask_mel(LogMel& mel, Random& random) const;
  void note(std::size_t sample, std::int64_t LeftOut::*count, const std::string& why) const;

  std::vector<TrainingRow> samples_;
  DataOptions options_;
  const Tokenizer& tokenizer_;
  const LogMelExtractor& extractor_;
  const FeatureCache* cache_;
  std::vector<RowPlan> groups_;
  std::optional<std::regex> key_words_;
  mutable std::int64_t planned_ = -1;
  mutable std::vector<RowPlan> plan_;
  mutable std::mutex noted_mutex_;
  mutable std::unordered_set<std::size_t> noted_;
  mutable LeftOut left_out_;
};

// Makes steps ahead on a thread of its own.
class Loader {
 public:
  Loader(const Dataset& dataset, DataPosition start);
  ~Loader();
  Step next();  // rethrows what the thread threw

 private:
  void run(DataPosition position);
  const Dataset& dataset_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Step> ready_;
  std::exception_ptr error_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace areason::train
