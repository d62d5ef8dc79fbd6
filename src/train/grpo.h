#pragma once
// Group relative policy optimisation (DeepSeekMath, arXiv 2402.03300): groups of answers to a step's questions, written by our
// engine with the present weights, judged by rules (rewards.h); an answer's advantage is its reward against its group's; the
// gradient raises the log-probabilities of what did better, held near a frozen reference. This class makes a step's batch and
// its gradients; the run around it (run_grpo.cpp) updates, logs, evaluates and saves. Log-probabilities are of the distribution
// that the tokens were drawn from: softmax(logits / temperature) over the allowed tokens; forced tokens do not count. The old
// ones are those of a step's first update, computed by the same model as the new ones, so that roundings of the engine do not
// look like a change of the policy. Thread rule: the training thread.
#include <memory>
#include <string>
#include <vector>

#include "train/grpo_options.h"
#include "train/policy_sampler.h"
#include "train/questions.h"

namespace areason::train {

// Sums over answers and chosen tokens.
struct GrpoStats {
  std::int64_t answers = 0, groups = 0, dead_groups = 0;
  double reward = 0, deviation = 0;  // deviation: of the groups' rewards, summed over groups
  RewardNumbers parts{};
  std::int64_t tokens = 0, cut = 0;                 // of all answers; answers cut by the limit
  std::int64_t chosen = 0, clipped = 0, terms = 0;  // terms: chosen tokens of live groups, once for each update
  double loss = 0, kl = 0, surprise = 0;            // over terms; surprise: -log-probability, an estimate of the entropy
  std::int64_t packed_tokens = 0;                   // that went through the trainer's model, once for each pass
  double handover_seconds = 0, sample_seconds = 0, train_seconds = 0;
  void merge(const GrpoStats& other);
};

// What a step trains on: answers of groups whose rewards differ.
struct GrpoBatch {
  std::vector<AskedQuestion> questions;
  std::vector<PolicyAnswer> answers;
  std::vector<double> advantages;  // one per answer
  std::vector<std::string> ids;    // of the questions' samples
  // Packed. Of each micro-batch its chosen tokens in the order of its labels:
  std::vector<MicroBatch> packed;
  struct Chosen {
    at::Tensor allowed;  // [N] i64 rows of AllowedTokens; undefined: everything was
    std::vector<float> old, reference, advantage, weight;
  };
  std::vector<Chosen> chosen;
  bool empty() const { return packed.empty(); }
};

class Grpo {
 public:
  struct Parts {
    TrainModel& model;
    const TrainModel* reference;  // null: no divergence is measured
    BatchWorkers& workers;
    const Tokenizer& tokenizer;
    const QuestionSet& questions;
    std::string files, scratch;  // as PolicySampler has them
    std::uint64_t seed = 1;
    std::int64_t micro_tokens = 4096;
  };
  Grpo(const GrpoOptions& options, const Parts& parts);

  // Samples, judges and packs a step's answers. An interrupted one is incomplete.
  GrpoBatch collect(std::int64_t step, GrpoStats& stats);
  // Leaves the gradient of the loss in the parameters. `update` counts from 0 within a batch.
  GrpoStats gradients(GrpoBatch& batch, int update);

  struct Greedy {
    std::vector<std::pair<std::string, bool>> right;  // kind and whether the answer is
    RewardNumbers parts{};                            // sums
    std::int64_t tokens = 0;
  };
  // The best answer to each question, judged. Takes the weights first.
  Greedy answer_all(const std::vector<AskedQuestion>& questions);
  at::Tensor allowed_shifts() const { return sampler_.allowed().shifts(); }  // for tests

 private:
  void add_groups(const std::vector<AskedQuestion>& asked, std::vector<PolicyAnswer>&& answers, GrpoBatch& out,
                  GrpoStats& stats);
  JudgedAnswer judged(const Sample& sample, const PolicyAnswer& answer) const;
  void pack(GrpoBatch& batch) const;
  PackedRow row_of(const GrpoBatch& batch, std::size_t first) const;
  GrpoBatch::Chosen chosen_of(const GrpoBatch& batch, const MicroBatch& micro) const;
  HeadLossOptions head(const GrpoBatch::Chosen& chosen) const;
  void read_reference(GrpoBatch& batch) const;

  GrpoOptions options_;
  Parts parts_;
  PolicySampler sampler_;
};

}  // namespace areason::train
