#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "base/json.h"
#include "text/tokenizer_data.h"

namespace areason {
namespace {

std::string reference_dir() {
  const char* env = std::getenv("AREASON_REFERENCE");
  return env != nullptr ? env : "../shared/reference";
}

void check_cases(const Tokenizer& tokenizer, const std::string& path) {
  const Json cases = read_json_file(path);
  ASSERT_GT(cases.size(), 0u);
  for (const Json& c : cases) {
    const auto text = c["text"].get<std::string>();
    const auto ids = c["ids"].get<std::vector<TokenId>>();
    EXPECT_EQ(tokenizer.encode(text, SpecialTokens::kParse), ids) << path << ": " << c["text"];
    EXPECT_EQ(tokenizer.decode(ids), c["decoded"].get<std::string>()) << path << ": " << c["text"];
    StreamDetokenizer stream(tokenizer);
    std::string streamed;
    for (const TokenId id : ids) streamed += stream.push(id);
    EXPECT_EQ(streamed + stream.flush(), c["decoded"].get<std::string>());
  }
}

class ReferenceTokenizer : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(reference_dir() + "/tiny/model/tokenizer.json"))
      GTEST_SKIP() << "NOT CHECKED: no reference tokenizer in " << reference_dir() << " (set AREASON_REFERENCE)";
  }
  std::string model_dir() const { return reference_dir() + "/tiny/model"; }
};

TEST_F(ReferenceTokenizer, AllCasesFromTokenizerJson) {
  check_cases(Tokenizer::load(model_dir()), reference_dir() + "/tokenizer_cases.json");
}

TEST_F(ReferenceTokenizer, AllCasesFromVocabAndMerges) {
  const auto dir = std::filesystem::path(testing::TempDir()) / "areason_vocab_merges";
  std::filesystem::create_directories(dir);
  for (const char* name : {"vocab.json", "merges.txt", "tokenizer_config.json"})
    std::filesystem::copy_file(model_dir() + "/" + name, dir / name, std::filesystem::copy_options::overwrite_existing);
  check_cases(Tokenizer::load(dir.string()), reference_dir() + "/tokenizer_cases.json");
  std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace areason
