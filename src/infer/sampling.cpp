#include "infer/sampling.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace areason {
namespace {

int best_id(std::span<const float> logits, const TokenMask* allowed) {
  int best = -1;
  float best_logit = -std::numeric_limits<float>::infinity();
  const auto consider = [&](int id) {
    const float logit = logits[static_cast<std::size_t>(id)];
    if (logit > best_logit) best_logit = logit, best = id;
  };
  if (allowed == nullptr) {
    for (int id = 0; id < static_cast<int>(logits.size()); ++id) consider(id);
  } else {
    allowed->for_each(consider);
  }
  return best;
}

}  // namespace

void Sampler::remember(std::span<const int> ids) {
  for (const int id : ids) {
    if (id < 0) continue;
    const auto i = static_cast<std::size_t>(id);
    if (i >= seen_.size()) seen_.resize(i + 1);
    if (seen_[i]) continue;
    seen_[i] = true;
    seen_ids_.push_back(id);
  }
}

void Sampler::penalise(std::span<float> logits) const {
  if (options_.repetition_penalty == 1.0f) return;
  for (const int id : seen_ids_) {
    const auto i = static_cast<std::size_t>(id);
    if (i >= logits.size()) continue;
    float& logit = logits[i];
    logit = logit < 0 ? logit * options_.repetition_penalty : logit / options_.repetition_penalty;
  }
}

int Sampler::pick(std::span<float> logits, const TokenMask* allowed) {
  penalise(logits);
  const int best = best_id(logits, allowed);
  if (best < 0) {
    throw Error(ErrorCode::kModel, "the model's logits are not numbers",
                "the checkpoint is damaged or was trained to divergence");
  }
  if (options_.temperature <= 0) return best;
  // Candidates whose weight underflows beside the best one can never be drawn.
  const float floor = logits[static_cast<std::size_t>(best)] - 80.0f * options_.temperature;
  std::vector<Candidate> candidates;
  const auto consider = [&](int id) {
    const float logit = logits[static_cast<std::size_t>(id)];
    if (logit >= floor) candidates.push_back({logit / options_.temperature, id});
  };
  if (allowed == nullptr) {
    for (int id = 0; id < static_cast<int>(logits.size()); ++id) consider(id);
  } else {
    allowed->for_each(consider);
  }
  return draw(candidates);
}

int Sampler::draw(std::vector<Candidate>& candidates) {
  const auto better = [](const Candidate& a, const Candidate& b) {
    return a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
  };
  if (options_.top_k > 0 && static_cast<std::size_t>(options_.top_k) < candidates.size()) {
    std::nth_element(candidates.begin(), candidates.begin() + options_.top_k, candidates.end(), better);
    candidates.resize(static_cast<std::size_t>(options_.top_k));
  }
  std::sort(candidates.begin(), candidates.end(), better);
  std::vector<double> weights(candidates.size());
  double total = 0;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    weights[i] = std::exp(static_cast<double>(candidates[i].logit) - candidates[0].logit);
    total += weights[i];
  }
  // top-p keeps tokens until the sum of those before reaches p; min-p compares with the best, whose weight is 1.
  double kept = 0;
  std::size_t count = 0;
  while (count < candidates.size() && (count == 0 || (kept < options_.top_p * total && weights[count] >= options_.min_p))) {
    kept += weights[count++];
  }
  double target = random_.uniform() * kept;
  for (std::size_t i = 0; i < count; ++i) {
    target -= weights[i];
    if (target < 0) return candidates[i].id;
  }
  return candidates[count - 1].id;
}

}  // namespace areason
