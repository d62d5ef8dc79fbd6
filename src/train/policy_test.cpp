// The arithmetic of GRPO against values by hand and finite differences.
#include "train/policy.h"

#include <gtest/gtest.h>

#include <cmath>

namespace areason::train {
namespace {

TEST(Advantages, AgainstTheGroup) {
  const std::vector<double> rewards = {1, 0, 0, 1, 1};  // mean 0.6, deviation sqrt(1.2 / 4)
  const auto plain = advantages(rewards, AdvantageScale::kNone);
  EXPECT_NEAR(plain[0], 0.4, 1e-12);
  EXPECT_NEAR(plain[1], -0.6, 1e-12);
  const auto scaled = advantages(rewards, AdvantageScale::kDeviation);
  EXPECT_NEAR(scaled[0], 0.4 / (std::sqrt(0.3) + 1e-4), 1e-12);
  EXPECT_NEAR(scaled[2], -0.6 / (std::sqrt(0.3) + 1e-4), 1e-12);
}

TEST(Advantages, EqualRewardsTeachNothing) {
  const std::vector<double> sums = {0.1 + 0.2, 0.3, 0.3};  // apart by rounding only
  EXPECT_TRUE(equal_rewards(sums));
  EXPECT_EQ(advantages(sums, AdvantageScale::kDeviation), std::vector<double>(3, 0.0));
  const std::vector<double> apart = {0.3, 0.31};
  EXPECT_FALSE(equal_rewards(apart));
}

TEST(PolicyTerm, K3IsTheDivergenceOnAverage) {
  // Over all three tokens of a small vocabulary the mean of k3 under the policy is KL(policy | reference) exactly.
  const double policy[] = {0.7, 0.2, 0.1}, reference[] = {0.5, 0.1, 0.4};
  double mean = 0, exact = 0;
  for (int i = 0; i < 3; ++i) {
    const double now = std::log(policy[i]), ref = std::log(reference[i]);
    const PolicyTerm term = policy_term({now, now, ref, 0}, {});
    EXPECT_GE(term.kl, 0);
    mean += policy[i] * term.kl;
    exact += policy[i] * (now - ref);
  }
  EXPECT_NEAR(mean, exact, 1e-12);
  EXPECT_EQ(policy_term({-1, -1, -1, 0}, {}).kl, 0);
}

TEST(PolicyTerm, ClipsOnlyWhatWouldGoFurtherTheSameWay) {
  const PolicyLimits limits{0.2, 0.3, 0};
  const double up = std::log(1.5), down = std::log(0.5);
  EXPECT_NEAR(policy_term({up, 0, 0, 2}, limits).loss, -2 * 1.3, 1e-12);
  EXPECT_TRUE(policy_term({up, 0, 0, 2}, limits).clipped);
  EXPECT_NEAR(policy_term({down, 0, 0, 2}, limits).loss, -2 * 0.5, 1e-12);
  EXPECT_FALSE(policy_term({down, 0, 0, 2}, limits).clipped);
  EXPECT_NEAR(policy_term({down, 0, 0, -2}, limits).loss, 2 * 0.8, 1e-12);
  EXPECT_TRUE(policy_term({down, 0, 0, -2}, limits).clipped);
  EXPECT_FALSE(policy_term({up, 0, 0, -2}, limits).clipped);
}

TEST(PolicyTerm, SlopeIsThatOfTheLoss) {
  const PolicyLimits limits{0.2, 0.3, 0.5};
  const double h = 1e-6;
  for (const double now : {-3.0, -1.3, -1.0, -0.9, -0.2}) {
    for (const double advantage : {-1.5, 0.0, 0.7}) {
      for (const double reference : {-2.0, -0.5}) {
        const auto at = [&](double x) { return policy_term({x, -1, reference, advantage}, limits); };
        // Central difference: second order in h, and rounding of about 1e-16 / h.
        EXPECT_NEAR(at(now).slope, (at(now + h).loss - at(now - h).loss) / (2 * h), 1e-8)
            << now << " " << advantage << " " << reference;
      }
    }
  }
}

TEST(PolicyTerm, StaysFinite) {
  const PolicyTerm term = policy_term({-500, -1, -0.1, -3}, {0.2, 0.2, 0.04});
  EXPECT_TRUE(std::isfinite(term.loss) && std::isfinite(term.slope));
}

}  // namespace
}  // namespace areason::train
