#include "infer/sampling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>

#include "base/error.h"

namespace areason {
namespace {

using Logits = std::vector<float>;

std::set<int> drawn(const SamplingOptions& options, const Logits& logits, const TokenMask* mask = nullptr) {
  std::set<int> out;
  Sampler sampler(options);
  for (int i = 0; i < 400; ++i) {
    Logits copy = logits;
    out.insert(sampler.pick(copy, mask));
  }
  return out;
}

TEST(Sampler, GreedyTakesTheFirstBest) {
  Sampler sampler({});
  Logits logits = {1, 3, 3, -1};
  EXPECT_EQ(sampler.pick(logits, nullptr), 1);
}

TEST(Sampler, PenaltyCountsADistinctIdOnce) {
  Sampler sampler({.repetition_penalty = 2});
  const std::vector<int> ids = {1, 1, 3, 3, 99};
  sampler.remember(ids);
  Logits logits = {1.2f, 2.0f, 0.9f, -1.0f};
  EXPECT_EQ(sampler.pick(logits, nullptr), 0);
  EXPECT_EQ(logits, (Logits{1.2f, 1.0f, 0.9f, -2.0f}));
}

TEST(Sampler, MaskLimitsTheChoice) {
  TokenMask mask(4);
  mask.allow(2);
  mask.allow(3);
  Sampler sampler({});
  Logits logits = {9, 8, 1, 2};
  EXPECT_EQ(sampler.pick(logits, &mask), 3);
  EXPECT_EQ(drawn({.temperature = 1}, logits, &mask), (std::set<int>{2, 3}));
}

TEST(Sampler, TopKTopPMinP) {
  // Probabilities 0.5, 0.25, 0.125, 0.125.
  const Logits logits = {std::log(8.f), std::log(4.f), std::log(2.f), std::log(2.f)};
  EXPECT_EQ(drawn({.temperature = 1}, logits), (std::set<int>{0, 1, 2, 3}));
  EXPECT_EQ(drawn({.temperature = 1, .top_k = 2}, logits), (std::set<int>{0, 1}));
  EXPECT_EQ(drawn({.temperature = 1, .top_p = 0.4f}, logits), (std::set<int>{0}));
  EXPECT_EQ(drawn({.temperature = 1, .top_p = 0.6f}, logits), (std::set<int>{0, 1}));
  EXPECT_EQ(drawn({.temperature = 1, .min_p = 0.4f}, logits), (std::set<int>{0, 1}));
}

TEST(Sampler, EveryTokenOfALargeVocabularyCanBeDrawn) {
  // Far more than are sorted at first. 20 times as many draws as tokens leave one out once in half a million runs.
  constexpr int kTokens = 1000;
  const Logits logits(kTokens, 0.5f);
  std::array<int, kTokens> counts{};
  Sampler sampler({.temperature = 0.7f, .seed = 5});
  for (int i = 0; i < 20 * kTokens; ++i) {
    Logits copy = logits;
    ++counts[static_cast<std::size_t>(sampler.pick(copy, nullptr))];
  }
  EXPECT_GT(*std::min_element(counts.begin(), counts.end()), 0);
  EXPECT_LT(*std::max_element(counts.begin(), counts.end()), 60) << "nine standard deviations above 20";
}

TEST(Sampler, TopPAndTopKReachBeyondTheFirstSortedTokens) {
  Logits logits(500);
  for (std::size_t i = 0; i < logits.size(); ++i) logits[i] = -0.01f * static_cast<float>(i * 7 % logits.size());
  const auto rank = [](int id) { return id * 7 % 500; };
  std::set<int> ranks;
  for (const int id : drawn({.temperature = 1, .top_k = 150}, logits)) ranks.insert(rank(id));
  EXPECT_LT(*ranks.rbegin(), 150);
  EXPECT_GT(*ranks.rbegin(), 100);
  ranks.clear();
  // The best n hold (1 - e^(-n / 100)) / (1 - e^-5) of the weight: 0.8 of it are the best 158.
  for (const int id : drawn({.temperature = 1, .top_p = 0.8f}, logits)) ranks.insert(rank(id));
  EXPECT_LT(*ranks.rbegin(), 159);
  EXPECT_GT(*ranks.rbegin(), 110);
}

TEST(Sampler, DrawsWithTheRightFrequencies) {
  const Logits logits = {std::log(8.f), std::log(4.f), std::log(2.f), std::log(2.f)};
  Sampler sampler({.temperature = 1, .seed = 3});
  std::array<int, 4> counts{};
  constexpr int kDraws = 20000;
  for (int i = 0; i < kDraws; ++i) {
    Logits copy = logits;
    ++counts[static_cast<std::size_t>(sampler.pick(copy, nullptr))];
  }
  // 0.015 is more than four standard deviations of a frequency of 20,000 draws (0.0035).
  EXPECT_NEAR(counts[0] / double{kDraws}, 0.5, 0.015);
  EXPECT_NEAR(counts[1] / double{kDraws}, 0.25, 0.015);
  EXPECT_NEAR(counts[3] / double{kDraws}, 0.125, 0.015);
}

TEST(Sampler, RareTokensAreDrawnAsRarelyAsTheyShould) {
  constexpr int kDraws = 40000;
  for (const float temperature : {0.5f, 1.0f, 2.0f}) {
    Sampler sampler({.temperature = temperature, .seed = 11});
    int rare = 0;
    for (int i = 0; i < kDraws; ++i) {
      Logits logits = {-4.0f * temperature, 100.0f, 100.0f, -30.0f};
      logits[0] += 100.0f;
      rare += sampler.pick(logits, nullptr) == 0 ? 1 : 0;
    }
    // 363 of 40,000; five standard deviations.
    EXPECT_NEAR(rare, kDraws * std::exp(-4.0) / (2 + std::exp(-4.0)), 95) << temperature;
  }
}

TEST(Sampler, AnInfiniteLogitIsTheBest) {
  Sampler sampler({.temperature = 0.7f});
  Logits logits = {1, std::numeric_limits<float>::infinity(), 2};
  EXPECT_EQ(sampler.pick(logits, nullptr), 1);
}

TEST(Sampler, SameSeedSameTokens) {
  const Logits logits(50, 1.0f);
  Sampler a({.temperature = 1, .seed = 9}), b({.temperature = 1, .seed = 9}), c({.temperature = 1, .seed = 10});
  int equal_c = 0;
  for (int i = 0; i < 100; ++i) {
    Logits la = logits, lb = logits, lc = logits;
    const int id = a.pick(la, nullptr);
    EXPECT_EQ(id, b.pick(lb, nullptr));
    equal_c += id == c.pick(lc, nullptr) ? 1 : 0;
  }
  EXPECT_LT(equal_c, 30);
}

TEST(Sampler, NanLogitsAreAnError) {
  Sampler sampler({});
  Logits logits(3, std::numeric_limits<float>::quiet_NaN());
  EXPECT_THROW(sampler.pick(logits, nullptr), Error);
}

}  // namespace
}  // namespace areason
