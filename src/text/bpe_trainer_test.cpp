#include "text/bpe_trainer.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/reference_testing.h"
#include "base/testing.h"
#include "text/qwen2_files.h"
#include "text/tokenizer.h"

namespace areason {
namespace {

class BpeTrainerTest : public testing::Test {
 protected:
  const ScratchDir scratch_;
  const std::string dir_ = scratch_.file("made");
};

TEST_F(BpeTrainerTest, MergesTheMostFrequentPairAndBreaksTiesByBytes) {
  BpeTrainerOptions options;
  options.vocab_size = 256 + 6 + 4;
  // low 5 times, lower twice, newest 6 times. (w,e) counts 8, (l,o) 7; then (e,we), (n,e), (s,t) and (we,s) tie at 6, then
  // (ewe,s), (n,ewe) and (s,t).
  train_bpe({"low\nlow\nlow\nlow\nlow\nlower\nlower", "newest\nnewest\nnewest\nnewest\nnewest\nnewest"}, options, dir_);
  const std::string merges = read_file(dir_ + "/merges.txt");
  EXPECT_EQ(merges, "#version: 0.2\nw e\nl o\ne we\newe s\n");
}

TEST_F(BpeTrainerTest, TheFilesLoadAndSpecialsFollowTheVocabulary) {
  BpeTrainerOptions options;
  options.vocab_size = 300;
  const std::string text = "the dog barks, then the dog barks again\n<THINK>\n<PLANNING>\nthe dog barks</PLANNING> 你好 café";
  train_bpe({text}, options, dir_);
  const Tokenizer tokenizer = Tokenizer::load(dir_);
  EXPECT_LE(tokenizer.size(), 300);
  for (std::size_t i = 0; i < options.special_tokens.size(); ++i) {
    const auto id = tokenizer.special_id(options.special_tokens[i]);
    ASSERT_TRUE(id.has_value());
    EXPECT_EQ(*id, tokenizer.size() - static_cast<int>(options.special_tokens.size() - i));
    EXPECT_TRUE(tokenizer.is_special(*id));
  }
  const auto ids = tokenizer.encode(text, SpecialTokens::kAsText);
  EXPECT_EQ(tokenizer.decode(ids), text);
  EXPECT_LT(ids.size(), text.size());
  const Json config = read_json_file(dir_ + "/tokenizer_config.json");
  EXPECT_EQ(config["tokenizer_class"], "Qwen2Tokenizer");
  EXPECT_EQ(config["chat_template"], kQwen2AudioChatTemplate);

  // The same ids from vocab.json and merges.txt alone.
  std::filesystem::remove(dir_ + "/tokenizer.json");
  EXPECT_EQ(Tokenizer::load(dir_).encode(text + "<|im_end|>", SpecialTokens::kParse),
            tokenizer.encode(text + "<|im_end|>", SpecialTokens::kParse));
}

TEST_F(BpeTrainerTest, IsDeterministicAndIndependentOfTheOrderOfTexts) {
  const std::string a = "one two three two one", b = "three two one\nfour four four";
  BpeTrainerOptions options;
  options.vocab_size = 280;
  train_bpe({a, b}, options, dir_);
  const std::string first = read_file(dir_ + "/tokenizer.json");
  train_bpe({b, a}, options, dir_);
  EXPECT_EQ(read_file(dir_ + "/tokenizer.json"), first);
}

TEST_F(BpeTrainerTest, RarePairsAreNotMerged) {
  BpeTrainerOptions options;
  options.min_count = 3;
  train_bpe({"ab\nab"}, options, dir_);
  EXPECT_EQ(read_file(dir_ + "/merges.txt"), "#version: 0.2\n");
  EXPECT_EQ(Tokenizer::load(dir_).size(), 256 + 6);
}

TEST_F(BpeTrainerTest, AVocabularyWithoutRoomForTheBytesIsAUsageError) {
  BpeTrainerOptions options;
  options.vocab_size = 200;
  try {
    train_bpe({"x"}, options, dir_);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kUsage);
  }
}

TEST(Qwen2Files, TheChatTemplateIsTheReleasedOne) {
  if (tiny_reference().empty()) GTEST_SKIP();
  const std::string model = tiny_reference() + "/model/";  // the template stands in either file
  const Json config = read_json_file(model + "tokenizer_config.json");
  EXPECT_EQ(
      config.contains("chat_template") ? config["chat_template"].get<std::string>() : read_file(model + "chat_template.jinja"),
      kQwen2AudioChatTemplate);
}

}  // namespace
}  // namespace areason
