#include "infer/sampling.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
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

typedef float Floats __attribute__((vector_size(16)));
typedef std::int32_t Integers __attribute__((vector_size(16)));

// e^x for x <= 0, within 2e-7 of its value; 0 below -87.
Floats exponential(Floats x) {
  const Floats lowest = {-87.0f, -87.0f, -87.0f, -87.0f};
  const Integers in_range = x >= lowest;
  x = reinterpret_cast<Floats>(reinterpret_cast<Integers>(x) & in_range);
  // x = n ln 2 + r with |r| <= ln 2 / 2, ln 2 in two parts.
  const Integers n = __builtin_convertvector(x * 1.44269504f - 0.5f, Integers);
  const Floats whole = __builtin_convertvector(n, Floats);
  const Floats r = x - whole * 0.693359375f - whole * -2.12194440e-4f;
  Floats p = r * (1.0f / 5040) + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r * r + r + 1.0f;
  const Integers bits = reinterpret_cast<Integers>(p) + (n << 23);
  return reinterpret_cast<Floats>(bits & in_range);
}

// x to e^x, in place; their sum. The same on every processor.
double exponentials(std::vector<float>& x) {
  constexpr std::size_t kLanes = 4, kBlock = 16 * kLanes;
  const std::size_t count = x.size();
  x.resize((count + kBlock - 1) / kBlock * kBlock, -1e30f);
  double total = 0;
  for (std::size_t at = 0; at < x.size(); at += kBlock) {
    Floats sum = {};
    for (std::size_t i = at; i < at + kBlock; i += kLanes) {
      Floats v;
      std::memcpy(&v, x.data() + i, sizeof v);
      v = exponential(v);
      std::memcpy(x.data() + i, &v, sizeof v);
      sum += v;
    }
    total +=
        static_cast<double>(sum[0]) + static_cast<double>(sum[1]) + static_cast<double>(sum[2]) + static_cast<double>(sum[3]);
  }
  x.resize(count);
  return total;
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
  const float most = logits[static_cast<std::size_t>(best)], floor = most - 40.0f * options_.temperature;
  std::vector<int> ids(logits.size());
  std::vector<float> weights(logits.size());
  std::size_t count = 0;
  const auto consider = [&](int id) {
    const float logit = logits[static_cast<std::size_t>(id)];
    ids[count] = id;
    weights[count] = (logit - most) / options_.temperature;
    count += logit >= floor ? 1 : 0;
  };
  if (allowed == nullptr) {
    for (int id = 0; id < static_cast<int>(logits.size()); ++id) consider(id);
  } else {
    allowed->for_each(consider);
  }
  weights.resize(count);
  const double total = exponentials(weights);
  if (!(total > 0)) return best;  // the best logit is infinite
  return draw({ids.data(), count}, weights, total);
}

// Tokens from the heaviest down, sorted only as far as they are asked for: of a vocabulary of 156 thousand a draw needs a few.
class Sampler::Descending {
 public:
  Descending(std::span<const int> ids, std::span<const float> weights) : ids_(ids), weights_(weights) {}
  struct Token {
    float weight;
    int id;
  };
  // Of as many as there are ids.
  const Token& operator[](std::size_t i) {
    while (i >= sorted_) sort_more();
    return found_[i];
  }

 private:
  static bool better(const Token& a, const Token& b) { return a.weight > b.weight || (a.weight == b.weight && a.id < b.id); }
  // Those of the next lighter weights.
  void find_more() {
    const float below = from_;
    from_ = from_ > 1e-16f ? from_ / 256 : 0;
    for (std::size_t i = 0; i < ids_.size(); ++i)
      if (weights_[i] < below && weights_[i] >= from_) found_.push_back({weights_[i], ids_[i]});
  }
  void sort_more() {
    while (sorted_ == found_.size()) find_more();
    const std::size_t count = std::min(found_.size() - sorted_, std::max(kFirst, 3 * sorted_));
    const auto begin = found_.begin() + static_cast<std::ptrdiff_t>(sorted_), end = begin + static_cast<std::ptrdiff_t>(count);
    if (end != found_.end()) std::nth_element(begin, end, found_.end(), better);
    std::sort(begin, end, better);
    sorted_ += count;
  }
  static constexpr std::size_t kFirst = 64;
  std::span<const int> ids_;
  std::span<const float> weights_;
  std::vector<Token> found_;
  std::size_t sorted_ = 0;
  float from_ = 2;  // all of at least this weight are found
};

int Sampler::draw(std::span<const int> ids, std::span<const float> weights, double total) {
  Descending sorted(ids, weights);
  std::size_t count = ids.size();
  if (options_.top_k > 0 && static_cast<std::size_t>(options_.top_k) < count) {
    count = static_cast<std::size_t>(options_.top_k);
    total = 0;
    for (std::size_t i = 0; i < count; ++i) total += static_cast<double>(sorted[i].weight);
  }
  double kept = total;
  if (options_.top_p < 1 || options_.min_p > 0) {
    // top-p keeps tokens until the sum of those before reaches p; min-p compares with the best, whose weight is 1.
    kept = 0;
    std::size_t n = 0;
    while (n < count && (n == 0 || (kept < static_cast<double>(options_.top_p) * total && sorted[n].weight >= options_.min_p)))
      kept += static_cast<double>(sorted[n++].weight);
    count = n;
  }
  double target = random_.uniform() * kept;
  for (std::size_t i = 0; i < count; ++i) {
    target -= static_cast<double>(sorted[i].weight);
    if (target < 0) return sorted[i].id;
  }
  return sorted[count - 1].id;
}

}  // namespace areason
