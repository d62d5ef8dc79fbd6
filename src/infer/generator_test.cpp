// Structured generation with fake models, on the reference's tokenizer (151,643 ranks) and on a small one trained here.
#include "infer/generator.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.h"
#include "base/files.h"
#include "base/random.h"
#include "base/reference_testing.h"
#include "base/testing.h"
#include "text/bpe_trainer.h"

namespace areason {
namespace {

Chain gold_chain(int kind) {
  Chain chain;
  chain.text = {"I listen for the order of the sounds.", "A dog barks (twice), then a bell: \"ding\".",
                "1. Dog\n2. Bell\n\nSo two.", "Dog before bell.", "The answer is B."};
  if (kind == 1) chain.text = {"(a) or (b)?", "3 beats, 4/4 < 5", "**Bold** 你好", "émigré", "a"};
  if (kind == 2) chain.text = {"'s", "-1", "\"quoted\"", "<b>tag</b>", "…"};
  return chain;
}

std::string small_tokenizer_dir() {
  static const std::string dir = [] {
    const std::string path = scratch_path("tokenizer");
    make_directories(path);
    std::vector<std::string> texts;
    for (int i = 0; i < 3; ++i) texts.insert(texts.end(), 4, render_chain(gold_chain(i)));
    train_bpe(texts, {.vocab_size = 420}, path);
    return path;
  }();
  return dir;
}

// "small", or "reference" for the tokenizer of the reference model.
class Guided : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    std::string dir = small_tokenizer_dir();
    if (std::string(GetParam()) == "reference") {
      if (tiny_reference().empty()) GTEST_SKIP() << "NO REFERENCE DATA: set AREASON_REFERENCE to check this for real";
      dir = tiny_reference() + "/model";
    }
    tokenizer_ = std::make_unique<Tokenizer>(Tokenizer::load(dir));
    vocabulary_ = std::make_unique<MaskVocabulary>(*tokenizer_);
    layout_ = std::make_unique<GuideLayout>(*vocabulary_);
  }

  // A model that wants to write `ids`.
  StepFunction scribe(std::vector<TokenId> ids) {
    return [this, ids = std::move(ids), at = std::size_t{0}](std::span<const int> given) mutable {
      at += given.size();
      std::vector<float> logits(static_cast<std::size_t>(tokenizer_->size()));
      if (at < ids.size()) logits[static_cast<std::size_t>(ids[at])] = 10;
      return logits;
    };
  }

  // A model whose every step is noise.
  StepFunction noise(std::uint64_t seed) {
    return [this, random = Random(seed)](std::span<const int>) mutable {
      std::vector<float> logits(static_cast<std::size_t>(tokenizer_->size()));
      for (float& logit : logits) logit = static_cast<float>(random.uniform());
      return logits;
    };
  }

  GenerateOptions options(int max_new_tokens) {
    GenerateOptions out;
    out.layout = layout_.get();
    out.max_new_tokens = max_new_tokens;
    return out;
  }

  std::unique_ptr<Tokenizer> tokenizer_;
  std::unique_ptr<MaskVocabulary> vocabulary_;
  std::unique_ptr<GuideLayout> layout_;
};

TEST_P(Guided, AGoldChainGetsItsCanonicalIds) {
  for (int kind = 0; kind < 3; ++kind) {
    const std::string text = render_chain(gold_chain(kind));
    const auto ids = tokenizer_->encode(text, SpecialTokens::kAsText);
    const Generation out = Generator(*tokenizer_, options(2048)).run(scribe(ids), {});
    EXPECT_EQ(out.text, text);
    EXPECT_EQ(out.ids, ids);
    EXPECT_EQ(out.finish_reason, "stop");
    EXPECT_TRUE(out.cut.empty());
  }
}

TEST_P(Guided, ForcedTextTakesNoModelSteps) {
  const std::string text = render_chain(gold_chain(0));
  const auto ids = tokenizer_->encode(text, SpecialTokens::kAsText);
  int steps = 0;
  const auto inner = scribe(ids);
  const StepFunction counting = [&](std::span<const int> given) { return ++steps, inner(given); };
  EXPECT_EQ(Generator(*tokenizer_, options(2048)).run(counting, {}).text, text);
  // Four borders with two tokens at least, and all of the beginning.
  const auto opening = tokenizer_->encode(layout_->automaton().fixed(0), SpecialTokens::kAsText).size();
  EXPECT_LE(steps, static_cast<int>(ids.size() - opening) - 8);
}

TEST_P(Guided, NoiseIsStillCompleteWithinTheBudget) {
  for (int spare : {0, 1, 7, 60, 300}) {
    const int limit = layout_->least_tokens() + spare;
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      std::string streamed;
      const Generation out =
          Generator(*tokenizer_, options(limit)).run(noise(seed), {}, [&](std::string_view t) { streamed += t; });
      EXPECT_LE(static_cast<int>(out.ids.size()), limit);
      const ParsedChain parsed = parse_chain(out.text);
      EXPECT_TRUE(parsed.complete && parsed.problems.empty()) << out.text;
      EXPECT_EQ(out.finish_reason, "length");
      EXPECT_EQ(streamed, out.text);
      if (spare >= 60) {
        for (const std::string& section : parsed.chain.text) EXPECT_FALSE(section.empty()) << out.text;
      }
    }
  }
  EXPECT_THROW(Generator(*tokenizer_, options(layout_->least_tokens() - 1)).run(noise(0), {}), Error);
}

TEST_P(Guided, SectionBudgetsCloseEarly) {
  GenerateOptions with = options(1500);
  with.section_budget = {{Section::kPlanning, 5}, {Section::kCaption, 0}, {Section::kReasoning, 40}, {Section::kResponse, 3}};
  const Generation out = Generator(*tokenizer_, with).run(noise(1), {});
  const ParsedChain parsed = parse_chain(out.text);
  EXPECT_TRUE(parsed.complete) << out.text;
  EXPECT_TRUE(parsed.chain[Section::kCaption].empty());
  EXPECT_FALSE(parsed.chain[Section::kPlanning].empty());
  const auto tokens = [&](Section s) { return tokenizer_->encode(parsed.chain[s], SpecialTokens::kAsText).size(); };
  EXPECT_GT(tokens(Section::kReasoning), tokens(Section::kPlanning));
  EXPECT_EQ(out.cut.front(), Section::kPlanning);
}

TEST_P(Guided, BudgetsDoNotCutCharacters) {
  Chain chain = gold_chain(0);
  chain[Section::kCaption] = "𝄞𝄞é你好𝄞é𝄞𝄞";  // up to four tokens a character
  const auto ids = tokenizer_->encode(render_chain(chain), SpecialTokens::kAsText);
  for (int budget = 1; budget < 12; ++budget) {
    GenerateOptions with = options(1500);
    with.section_budget = {{Section::kCaption, budget}};
    const Generation out = Generator(*tokenizer_, with).run(scribe(ids), {});
    const std::string caption = parse_chain(out.text).chain[Section::kCaption];
    EXPECT_EQ(chain[Section::kCaption].find(caption), 0u) << caption;  // no U+FFFD
    EXPECT_FALSE(caption.empty());
    EXPECT_LE(static_cast<int>(tokenizer_->encode(caption, SpecialTokens::kAsText).size()), budget + 3);
  }
}

TEST_P(Guided, TheChoiceIsTheOneThatTheModelsOwnWordsName) {
  const std::vector<std::string> choices = {"drum", "siren", "bell"};
  GuideLayout layout(*vocabulary_, choices);
  const auto answer = [&](const std::string& own_words, int more_tokens) {
    Chain chain = gold_chain(0);
    chain[Section::kResponse] = own_words;
    const auto ids = tokenizer_->encode(render_chain(chain), SpecialTokens::kAsText);
    GenerateOptions with = options(layout.least_tokens() + more_tokens);
    with.layout = &layout;
    with.choices = choices;
    std::string shown;
    const Generation out = Generator(*tokenizer_, with).run(scribe(ids), {}, [&](std::string_view text) { shown += text; });
    EXPECT_EQ(shown, out.text);
    EXPECT_EQ(tokenizer_->decode(out.ids), out.text);
    const ParsedChain parsed = parse_chain(out.text);
    EXPECT_TRUE(parsed.complete) << out.text;
    for (const Section s : {Section::kPlanning, Section::kCaption, Section::kSummary}) {
      EXPECT_EQ(parsed.chain[s], chain[s]);
    }
    return parsed.chain[Section::kResponse];
  };
  EXPECT_EQ(answer("The first sound is the bell.", 400), "bell");
  EXPECT_EQ(answer("The answer is B.", 400), "siren");
  EXPECT_EQ(answer("drum", 400), "drum");
  // Words without end are read as far as they go.
  std::string long_winded = "The siren";
  for (int i = 0; i < 60; ++i) long_winded += " is heard, is heard";
  EXPECT_EQ(answer(long_winded, 400), "siren");
  const std::string other = answer("Nobody knows.", 400);
  EXPECT_TRUE(std::count(choices.begin(), choices.end(), other)) << other;
}

TEST_P(Guided, ChoicesBindTheResponse) {
  const std::vector<std::string> choices = {"a cat", "a cat purring", "B. a dög", "cafe\xCC\x81"};  // the last one is not NFC
  GuideLayout layout(*vocabulary_, choices);
  std::map<std::string, int> seen;
  for (std::uint64_t seed = 0; seed < 24; ++seed) {
    GenerateOptions with = options(layout.least_tokens() + 10);
    with.layout = &layout;
    const Generation out = Generator(*tokenizer_, with).run(noise(seed), {});
    const ParsedChain parsed = parse_chain(out.text);
    EXPECT_TRUE(parsed.complete) << out.text;
    ++seen[parsed.chain[Section::kResponse]];
  }
  for (const auto& [text, count] : seen) EXPECT_TRUE(std::count(choices.begin(), choices.end(), text)) << text;
  EXPECT_GE(seen.size(), 2u);
  const Chain gold = [] {
    Chain c = gold_chain(0);
    c[Section::kResponse] = "a cat purring";
    return c;
  }();
  const auto ids = tokenizer_->encode(render_chain(gold), SpecialTokens::kAsText);
  GenerateOptions with = options(2048);
  with.layout = &layout;
  EXPECT_EQ(Generator(*tokenizer_, with).run(scribe(ids), {}).ids, ids);
}

TEST_P(Guided, MasksAdmitTokensThatStraddleATag) {
  const auto state_after = [&](std::string_view text) {
    ChainState state;
    for (const char c : text) state = layout_->automaton().step(state, c);
    return state;
  };
  const TokenMask& inside = layout_->mask(state_after("<THINK>\n<PLANNING>\nx"));
  const TokenMask& named = layout_->mask(state_after("<THINK>\n<PLANNING>\nx</PLANNING"));
  int straddling = 0, ends = 0;
  for (TokenId id = 0; id < tokenizer_->size(); ++id) {
    const std::string bytes(tokenizer_->bytes(id));
    if (tokenizer_->is_special(id) || bytes.empty()) {
      EXPECT_FALSE(inside.allows(id)) << bytes;
      continue;
    }
    EXPECT_TRUE(inside.allows(id) || bytes.find('<') != std::string::npos) << bytes;
    straddling += bytes == ".</" && inside.allows(id) ? 1 : 0;
    ends += named.allows(id) ? 1 : 0;
    if (named.allows(id) && bytes[0] == '>') {
      EXPECT_EQ(std::string(">\n<CAPTION>\n").find(bytes), 0u) << bytes;
    }
  }
  EXPECT_GE(ends, 1);
  EXPECT_EQ(straddling, 1);
}

INSTANTIATE_TEST_SUITE_P(Tokenizers, Guided, ::testing::Values("small", "reference"),
                         [](const auto& i) { return std::string(i.param); });

TEST(FreeGeneration, StopsAtEndTokensLimitsAndTheStopFlag) {
  const Tokenizer tokenizer = Tokenizer::load(small_tokenizer_dir());
  const auto ids = tokenizer.encode("A bell.", SpecialTokens::kAsText);
  const int end = *tokenizer.special_id("<|im_end|>");
  const auto model = [&, at = std::size_t{0}, first = true](std::span<const int> given) mutable {
    if (!first) at += given.size();
    first = false;
    std::vector<float> logits(static_cast<std::size_t>(tokenizer.size()));
    logits[static_cast<std::size_t>(at < ids.size() ? ids[at] : end)] = 1;
    return logits;
  };
  GenerateOptions options;
  options.end_ids = {end};
  const Generation whole = Generator(tokenizer, options).run(model, {});
  EXPECT_EQ(whole.text, "A bell.");
  EXPECT_EQ(whole.ids, ids);
  EXPECT_EQ(whole.finish_reason, "stop");
  options.max_new_tokens = 2;
  const Generation cut = Generator(tokenizer, options).run(model, {});
  EXPECT_EQ(cut.finish_reason, "length");
  EXPECT_EQ(cut.ids.size(), 2u);
  bool stop = false;
  options.max_new_tokens = 100;
  options.stop = [&] { return stop; };
  const Generation stopped = Generator(tokenizer, options).run(model, {}, [&](std::string_view) { stop = true; });
  EXPECT_EQ(stopped.finish_reason, "interrupted");
  EXPECT_LT(stopped.ids.size(), ids.size());
}

}  // namespace
}  // namespace areason
