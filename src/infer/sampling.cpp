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
  // e^-40 beside the best: a whole vocabulary of such tokens would not be drawn once in a trillion.
  const float floor = logits[static_cast<std::size_t>(best)] - 40.0f * options_.temperature;
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

// Candidates from the best down, sorted only as far as they are asked for: of a vocabulary of 156 thousand a draw needs a few.
class Sampler::Descending {
 public:
  explicit Descending(std::vector<Candidate>& candidates) : all_(candidates) {}
  const Candidate& operator[](std::size_t i) {
    while (i >= sorted_) sort_more();
    return all_[i];
  }
  void keep(std::size_t best) {
    if (best >= all_.size()) return;
    std::nth_element(all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(best), all_.end(), better);
    all_.resize(best);
  }

 private:
  static bool better(const Candidate& a, const Candidate& b) {
    return a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
  }
  void sort_more() {
    const auto from = all_.begin() + static_cast<std::ptrdiff_t>(sorted_);
    const std::size_t count = std::min(all_.size() - sorted_, std::max(kFirst, 3 * sorted_));
    const auto to = from + static_cast<std::ptrdiff_t>(count);
    if (to != all_.end()) std::nth_element(from, to, all_.end(), better);
    std::sort(from, to, better);
    sorted_ += count;
  }
  static constexpr std::size_t kFirst = 64;
  std::vector<Candidate>& all_;
  std::size_t sorted_ = 0;
};

int Sampler::draw(std::vector<Candidate>& candidates) {
  Descending sorted(candidates);
  if (options_.top_k > 0) sorted.keep(static_cast<std::size_t>(options_.top_k));
  const double best = sorted[0].logit;
  const auto weight = [&](const Candidate& candidate) { return std::exp(candidate.logit - best); };
  double total = 0;
  for (const Candidate& candidate : candidates) total += weight(candidate);
  double kept = total;
  std::size_t count = candidates.size();
  if (options_.top_p < 1 || options_.min_p > 0) {
    // top-p keeps tokens until the sum of those before reaches p; min-p compares with the best, whose weight is 1.
    kept = 0;
    std::size_t n = 0;
    while (n < count && (n == 0 || (kept < options_.top_p * total && weight(sorted[n]) >= options_.min_p)))
      kept += weight(sorted[n++]);
    count = n;
  }
  double target = random_.uniform() * kept;
  for (std::size_t i = 0; i < count; ++i) {
    target -= weight(sorted[i]);
    if (target < 0) return sorted[i].id;
  }
  return sorted[count - 1].id;
}

}  // namespace areason
