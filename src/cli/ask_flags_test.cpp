#include "cli/ask_flags.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace areason {
namespace {

TEST(AskFlags, BudgetNamesSections) {
  const auto budget = parse_budget("planning=60, response = 0");
  EXPECT_EQ(budget, (std::map<Section, int>{{Section::kPlanning, 60}, {Section::kResponse, 0}}));
  EXPECT_TRUE(parse_budget("").empty());
  for (const char* bad :
       {"planning", "plan=3", "planning=", "planning=x", "planning=-1", "planning=3,", "planning=99999999999"}) {
    EXPECT_THROW(parse_budget(bad), Error) << bad;
  }
}

TEST(AskFlags, ChoicesAreSeveralDifferentTexts) {
  EXPECT_EQ(parse_choices("A. a dog | B. a cat"), (std::vector<std::string>{"A. a dog", "B. a cat"}));
  for (const char* bad : {"", " ", "one", "a|", "a|a", "|"}) EXPECT_THROW(parse_choices(bad), Error) << bad;
}

TEST(AskFlags, FreeStructureTakesNoChoicesOrBudgets) {
  AskFlags flags;
  flags.structure = "free";
  EXPECT_EQ(flags.finish().structure, Structure::kFree);
  EXPECT_FALSE(flags.finish().repetition_penalty.has_value());
  flags.choices = "a|b";
  EXPECT_THROW(flags.finish(), Error);
  flags.choices.reset();
  flags.budget = "planning=1";
  EXPECT_THROW(flags.finish(), Error);
}

TEST(AskFlags, TheSessionsOptions) {
  AskFlags flags;
  EXPECT_FALSE(flags.session().kv_type.has_value());
  EXPECT_EQ(flags.session().drafted, 0);
  EXPECT_TRUE(flags.session().cache_dir.empty());
  flags.kv_type = "f16";
  flags.cache_gb = 0.5;
  flags.threads = 3;
  EXPECT_EQ(flags.session().kv_type, KvType::kF16);
  EXPECT_EQ(flags.session().cache_bytes, 500000000u);
  EXPECT_EQ(flags.session().threads, 3);
}

}  // namespace
}  // namespace areason
