#include "cli/llm_flags.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace areason {
namespace {

TEST(LlmFlags, AMissingModelIsAskedForByTheFlagOfItsPrefix) {
  for (const std::string prefix : {"", "judge-"}) {
    LlmFlags flags;
    CLI::App app;
    flags.add_to(app, prefix, "x");
    app.parse("--" + prefix + "api openai");
    try {
      flags.build(nullptr, "");
      ADD_FAILURE();
    } catch (const Error& e) {
      EXPECT_NE(e.hint().find(" --" + prefix + "model"), std::string::npos) << e.hint();
    }
  }
}

TEST(LlmFlags, LimitsAreNotNegative) {
  for (const char* flag : {"--requests-per-minute", "--tokens-per-minute", "--max-cost-tokens"}) {
    LlmFlags flags;
    BudgetFlags budget;
    CLI::App app;
    flags.add_to(app, "", "x");
    budget.add_to(app);
    EXPECT_THROW(app.parse(std::string(flag) + " -1"), CLI::ValidationError) << flag;
  }
}

}  // namespace
}  // namespace areason
