#pragma once
// AdamW over a model's trained parameters with a learning rate per part, gradient clipping, and the schedule; or Muon for the
// decoder's matrices (embeddings excepted) with AdamW for the rest. Called by trainer.cpp. AdamW's update is ATen's fused
// kernel. Muon: K. Jordan, "Muon: an optimizer for hidden layers" (2024); its update is scaled to AdamW's usual size as in
// arXiv 2502.16982, so that one learning rate means about the same for both. With several ranks each parameter has an owner
// that alone keeps its states and updates it (ZeRO stage 1), or each rank its pieces of all (stages 2 and 3, shards.h).
// Thread rule: the training thread, which borrows the workers.
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "train/batch_workers.h"
#include "train/quantised.h"
#include "train/ranks.h"
#include "train/shards.h"
#include "train/train_model.h"

namespace areason::train {

// Which parameters weight decay shrinks. Names as in transformers' checkpoints.
enum class DecayGroups {
  kAll,
  kTransformers448,  // no biases, no nn.LayerNorm; RMSNorm weights are decayed (trainer.py and pytorch_utils.py of 4.48)
  kTransformers5,    // no biases, no norms of any kind (trainer.py of 5.23: by name)
};
bool is_decayed(const Parameter& parameter, DecayGroups groups);

enum class StateBits {
  k32,  // f32
  k8,   // quantised.h; tensors of less than kSmallState numbers stay f32
};
inline constexpr std::int64_t kSmallState = 1024;

struct OptimizerOptions {
  double beta1 = 0.9;
  double beta2 = 0.95;
  double eps = 1e-8;
  double weight_decay = 0.1;
  DecayGroups decay_groups = DecayGroups::kAll;  // as the reference case has it
  double clip = 1.0;                             // of the global norm; 0: off
  StateBits states = StateBits::k32;             // of AdamW's two moments
  bool muon = false;                             // for the decoder's matrices
  double muon_momentum = 0.95;
};

struct LearningRates {
  std::array<double, 3> parts{};  // indexed by PartOfModel
  double muon = 0;                // of the matrices that Muon updates
};

// The nearest semi-orthogonal matrix, about: five Newton-Schulz steps in `type`. matrix [rows, columns] f32 -> the same shape,
// f32.
at::Tensor orthogonalised(const at::Tensor& matrix, at::ScalarType type);

// Over whom the work is spread; null: one process, whole parameters.
struct Spread {
  Ranks* ranks = nullptr;
  Shards* shards = nullptr;
};

// A state tensor of this rank: all of a parameter's, or [count] of them from `offset`.
struct StatePart {
  at::Tensor value;
  std::int64_t offset = 0;
};

class Optimizer {
 public:
  Optimizer(TrainModel& model, const OptimizerOptions& options, BatchWorkers& workers, Spread spread = {});
  // One update with the gradients in the parameters, summed over the ranks, then clears them. Returns the global norm before
  // clipping; when that is not finite nothing is updated.
  double step(const LearningRates& rates);
  // Clears the gradients without an update.
  void discard();
  // Calls fill(name, part) with room for each of this rank's states, one after the other: "exp_avg.NAME", "exp_avg_sq.NAME" and
  // "momentum.NAME"; the number of steps is the caller's to keep.
  void load(const std::function<void(const std::string&, const StatePart&)>& fill);
  // Names and sizes of all states of all ranks, in the order of collect().
  std::vector<std::pair<std::string, std::vector<std::int64_t>>> state_shapes() const;
  // Whole states, one after the other, to `sink` on the first rank. Every rank calls it.
  void collect(const TensorSink& sink) const;
  void set_steps(std::int64_t steps);

 private:
  // What is updated as one: a parameter or a piece of it.
  struct Entry {
    std::string name;
    PartOfModel part;
    double decay = 0;
    std::int64_t offset = 0;
    at::Tensor value;
    at::Tensor exp_avg, exp_avg_sq, step;
    std::shared_ptr<QuantisedState> small_avg, small_avg_sq;  // in place of the first two
    at::Tensor momentum;                                      // Muon's, in place of all
    at::Tensor average() const { return small_avg ? small_avg->read() : exp_avg; }
    at::Tensor average_square() const { return small_avg ? small_avg_sq->read() : exp_avg_sq; }
  };
  // What _fused_adamw_ takes.
  struct AdamGroup {
    std::vector<at::Tensor> values, grads, exp_avg, exp_avg_sq, steps;
    void add(const Entry& entry, const at::Tensor& grad);
  };
  struct RateAndDecay {
    double rate, decay;
    auto operator<=>(const RateAndDecay&) const = default;
  };
  struct Owned {
    std::string name;
    at::Tensor value;
    int owner = 0;
    bool muon = false;
  };
  void add(const Parameter& parameter, const Piece& piece);
  void add_owned(TrainModel& model);
  void reduce_gradients();
  double square_norm() const;
  double global_norm() const;
  void step_adamw(const LearningRates& rates, double scale);
  void update(const AdamGroup& group, const RateAndDecay& by) const;
  void update_plainly(const AdamGroup& group, const RateAndDecay& by) const;
  void step_muon(double scale, double rate);
  void clear_gradients();
  void collect_owned(const Owned& owned, const char* kind, const TensorSink& sink) const;

  OptimizerOptions options_;
  at::ScalarType compute_;
  BatchWorkers& workers_;
  Spread spread_;
  std::vector<Entry> entries_;  // this rank's; with shards as their pieces()
  std::vector<Owned> owned_;    // every trained parameter, in the same order on every rank
};

enum class ScheduleShape { kCosine, kLinear, kConstant };

struct Schedule {
  ScheduleShape shape = ScheduleShape::kCosine;
  double peak = 1e-3;
  double floor = 0;           // what cosine and linear end at
  std::int64_t warmup = 100;  // steps of linear warm-up: step s (from 0) has (s + 1) / warmup of the peak
};
// `progress` in [0, 1]: how much of the run is over, by steps or by time.
double scheduled_rate(const Schedule& schedule, std::int64_t step, double progress);

}  // namespace areason::train
