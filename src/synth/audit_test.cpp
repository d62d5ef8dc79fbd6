#include "synth/audit.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "base/testing.h"

namespace areason {
namespace {

TEST(SoundAudit, RollOffOfTwoTones) {
  Samples samples(16000);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double t = 2 * std::numbers::pi * static_cast<double>(i) / kSynthRate;
    samples[i] = static_cast<float>(0.5 * std::sin(500 * t) + 0.25 * std::sin(4000 * t));  // 80 % and 20 % of the power
  }
  // The Hann window spreads a tone over three bins of 15.6 Hz.
  EXPECT_NEAR(roll_off_hz(samples, 0.7), 500, 32);
  EXPECT_NEAR(roll_off_hz(samples, 0.95), 4000, 32);
  EXPECT_EQ(roll_off_hz({}, 0.95), 0);
}

TEST(SoundAudit, SliceGivesALinePerClass) {
  SynthOptions options;
  options.package_root = "tests/golden/sounds";
  options.work_dir = scratch_path("work");
  options.missing = MissingPackages::kSkip;
  const SoundLibrary library(options);
  const SoundAudit audit = audit_sounds(library);
  EXPECT_NE(audit.table.find("cymbal"), std::string::npos);
  EXPECT_NEAR(audit.chance, 1.0 / 3, 1e-9);
  EXPECT_GE(audit.accuracy_as_clips, 0);
  EXPECT_LE(audit.accuracy_as_clips, 1);
}

}  // namespace
}  // namespace areason
