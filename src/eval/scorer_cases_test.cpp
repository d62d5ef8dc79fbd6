// Every case of $AREASON_REFERENCE/scorer_cases.json: what the original scorers said (the file's "meta" names scripts and
// versions). Floats within 1e-6, everything else exactly.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/json.h"
#include "eval/functions.h"

namespace areason {
namespace {

// The named reference's cases; without one, those of ../shared/reference or the repository's own copy.
std::string cases_path() {
  const char* dir = std::getenv("AREASON_REFERENCE");
  if (dir != nullptr && *dir != 0) return std::string(dir) + "/scorer_cases.json";
  const std::string shared = "../shared/reference/scorer_cases.json";
  return std::filesystem::exists(shared) ? shared : "tests/golden/scorer_cases.json";
}

class ScorerCases : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(cases_path()))
      GTEST_SKIP() << "SCORERS NOT CHECKED: " << cases_path() << " is missing (AREASON_REFERENCE)";
    cases_ = read_json_file(cases_path());
  }
  // Calls `each` for every case of a group, which must not be empty.
  template <typename F>
  void each(const char* group, F&& check) {
    if (!cases_.contains(group)) GTEST_SKIP() << "no group " << group << " in " << cases_path();
    ASSERT_GT(cases_[group].size(), 0u);
    for (const Json& c : cases_[group]) {
      SCOPED_TRACE(std::string(group) + " " + dump_json(c).substr(0, 300));
      check(c);
    }
  }
  Json cases_;
};

// `expected` may be less than `got`, but everything in it must be there.
void expect_same(const Json& expected, const Json& got, const std::string& where) {
  if (expected.is_object()) {
    for (const auto& [key, value] : expected.items()) {
      ASSERT_TRUE(got.is_object() && got.contains(key)) << where << "/" << key << " is missing in " << dump_json(got);
      expect_same(value, got[key], where + "/" + key);
    }
  } else if (expected.is_array()) {
    ASSERT_TRUE(got.is_array()) << where;
    ASSERT_EQ(expected.size(), got.size()) << where;
    for (std::size_t i = 0; i < expected.size(); ++i) expect_same(expected[i], got[i], where + "/" + std::to_string(i));
  } else if (expected.is_number()) {
    ASSERT_TRUE(got.is_number()) << where;
    EXPECT_NEAR(expected.get<double>(), got.get<double>(), 1e-6) << where;
  } else {
    EXPECT_EQ(expected, got) << where;
  }
}

Json call(const char* function, Json arguments) {
  arguments["function"] = function;
  return eval_function(arguments);
}

TEST_F(ScorerCases, MmauMatch) {
  each("mmau", [](const Json& c) {
    const Json got = call("mmau", c);
    EXPECT_EQ(c["expected_match"], got["match"]);
    if (c.contains("expected_match_v2024_10_24")) {
      EXPECT_EQ(c["expected_match_v2024_10_24"], got["match_2024"]);
    }
  });
}

TEST_F(ScorerCases, MmauTokens) {
  each("mmau_tokens", [](const Json& c) { expect_same(c["tokens_sorted"], call("mmau_tokens", c), "tokens"); });
}

TEST_F(ScorerCases, WholeScripts) {
  for (const char* group : {"mmau_aggregate", "mmar_aggregate", "airbench_foundation_aggregate", "airbench_chat_aggregate"}) {
    each(group, [&](const Json& c) {
      const Json got = call(group, c);
      for (const char* key : {"stdout", "returncode", "stderr_last"}) {
        if (c.contains(key)) {
          EXPECT_EQ(c[key], got[key]) << key;
        }
      }
    });
  }
}

TEST_F(ScorerCases, AirBenchFoundation) {
  each("airbench_foundation", [](const Json& c) { expect_same(c["expected"], call("airbench_foundation", c), "expected"); });
}

TEST_F(ScorerCases, AirBenchChatReplies) {
  each("airbench_chat_reply", [](const Json& c) {
    const Json got = call("airbench_chat_reply", c);
    expect_same(c["expected_cal_score"], got, "cal_score");
    if (c.contains("expected_lmms_eval_mean_for_same_reply_twice"))
      expect_same(c["expected_lmms_eval_mean_for_same_reply_twice"], got["lmms_mean"], "lmms");
  });
}

TEST_F(ScorerCases, Bleu) {
  each("bleu", [](const Json& c) { expect_same(c["expected"], call("bleu", c), "bleu"); });
}

TEST_F(ScorerCases, BleuTokenizers) {
  for (const char* tokenizer : {"13a", "zh"}) {
    each((std::string("bleu_tokenize_") + tokenizer).c_str(), [&](const Json& c) {
      Json arguments = c;
      arguments["tokenize"] = tokenizer;
      EXPECT_EQ(c["tokenized"], call("bleu_tokenize", arguments));
    });
  }
}

TEST_F(ScorerCases, Meld) {
  each("meld", [](const Json& c) { expect_same(c["expected"], call("meld", c), "meld"); });
}

TEST_F(ScorerCases, ChoiceExtractors) {
  each("choice_extractors", [](const Json& c) {
    const Json got = call("choice_extractors", c);
    for (const auto& [key, value] : c.items()) {
      if (key != "id" && key != "reply") {
        EXPECT_EQ(value, got.value(key, Json())) << key;
      }
    }
  });
}

}  // namespace
}  // namespace areason
