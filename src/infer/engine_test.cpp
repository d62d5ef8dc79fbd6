// Many answers at once on the model that ships: each is what it would be alone, whatever joins, leaves, fails or is drafted.
#include "infer/engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "model/qwen2_audio.h"

namespace areason {
namespace {

class EngineTest : public ::testing::Test {
 protected:
  static std::string prompt_of(const std::string& question) {
    return "<|im_start|>system\nListen and answer.<|im_end|>\n<|im_start|>user\n" + question +
           "<|im_end|>\n<|im_start|>assistant\n";
  }
  EngineRequest request(const std::string& question, int most = 130) {
    EngineRequest out;
    out.ids = tokenizer_.encode(prompt_of(question), SpecialTokens::kParse);
    out.how.layout = &layout_;
    out.how.max_new_tokens = most;
    out.how.end_ids = model_.config().generation.eos_ids;
    return out;
  }
  // Various ways to answer: guided, free, penalised, sampled.
  std::vector<EngineRequest> requests() {
    std::vector<EngineRequest> out;
    for (const char* question :
         {"Which sound is heard? (a) dog bark, (b) bell, (c) rain", "How many beeps are heard?", "What is heard first?",
          "How does the speaker feel?", "Which of the following sounds is in the clip? (a) wolf howl, (b) coins", "Say all."})
      out.push_back(request(question, 120 + 10 * static_cast<int>(out.size())));
    out[1].how.sampling.repetition_penalty = 1.1f;
    out[2].how.sampling.temperature = 0.8f;
    out[4].how.layout = nullptr;
    out[4].how.sampling.repetition_penalty = 1.05f;
    out[5].how.sampling = {.temperature = 1.5f, .top_k = 40, .seed = 7};
    return out;
  }
  std::vector<Generation> answer(Engine& engine, std::vector<EngineRequest> asked) {
    std::vector<Generation> out(asked.size());
    for (std::size_t i = 0; i < asked.size(); ++i) {
      asked[i].done = [&out, i](EngineAnswer&& answer) {
        EXPECT_EQ(answer.error, nullptr);
        out[i] = std::move(answer.generation);
      };
      engine.submit(asked[i]);
    }
    while (engine.step()) {
    }
    return out;
  }
  static std::vector<std::vector<TokenId>> ids_of(const std::vector<Generation>& all) {
    std::vector<std::vector<TokenId>> out;
    for (const Generation& one : all) out.push_back(one.ids);
    return out;
  }

  Qwen2Audio model_ = Qwen2Audio::load("models/nano", 2);
  Tokenizer tokenizer_ = Tokenizer::load("models/nano");
  MaskVocabulary vocabulary_{tokenizer_};
  GuideLayout layout_{vocabulary_};
};

TEST_F(EngineTest, EveryAnswerOfABatchIsWhatItIsAlone) {
  std::vector<Generation> alone;
  for (const EngineRequest& one : requests()) {
    Engine engine(model_, tokenizer_, {.running = 1});
    alone.push_back(answer(engine, {one}).front());
    EXPECT_GT(alone.back().ids.size(), 20u);
  }
  for (const int running : {1, 3, 16}) {
    Engine engine(model_, tokenizer_, {.running = running});
    const auto together = answer(engine, requests());
    EXPECT_EQ(ids_of(together), ids_of(alone)) << running;
    for (std::size_t i = 0; i < alone.size(); ++i) EXPECT_EQ(together[i].finish_reason, alone[i].finish_reason);
    EXPECT_TRUE(engine.idle());
    if (running == 16) {
      EXPECT_GT(static_cast<double>(engine.stats().rows) / static_cast<double>(engine.stats().passes), 3.0);
    }
  }
}

TEST_F(EngineTest, DraftsChangeNothingButTheNumberOfPasses) {
  Engine plain(model_, tokenizer_, {.running = 2}), drafting(model_, tokenizer_, {.running = 2, .drafted = 7});
  auto asked = requests();
  const auto again = requests();
  asked.insert(asked.end(), again.begin(), again.end());  // the second time most tokens are drafted
  EXPECT_EQ(ids_of(answer(drafting, asked)), ids_of(answer(plain, asked)));
  EXPECT_GT(drafting.stats().accepted, 100);
  EXPECT_GT(drafting.stats().drafted, drafting.stats().accepted);  // some were wrong, and were taken back
  EXPECT_LT(drafting.stats().passes, plain.stats().passes * 4 / 5);
}

TEST_F(EngineTest, SamplesOfOnePromptShareIt) {
  Engine engine(model_, tokenizer_);
  std::vector<EngineRequest> asked(4, request("Which sound is heard? " + std::string(400, 'x')));
  std::vector<int> reused;
  std::vector<Generation> out;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    asked[i].how.sampling = {.temperature = 1, .seed = i / 2};  // two pairs
    asked[i].done = [&](EngineAnswer&& answer) {
      reused.push_back(answer.reused_tokens);
      out.push_back(std::move(answer.generation));
    };
    engine.submit(asked[i]);
  }
  std::size_t most_pages = 0;
  while (engine.step()) most_pages = std::max(most_pages, model_.kv_memory().bytes / model_.kv_page_bytes());
  std::sort(reused.begin(), reused.end());
  const int prompt = static_cast<int>(asked[0].ids.size());
  EXPECT_EQ(reused, (std::vector<int>{0, prompt, prompt, prompt}));
  std::set<std::vector<TokenId>> different;
  for (const Generation& one : out) different.insert(one.ids);
  EXPECT_EQ(different.size(), 2u);  // equal seeds, equal answers: with the prompt's own pass or with kept logits
  const auto alone = static_cast<std::size_t>((prompt + 130 + 31) / 32);
  EXPECT_LT(most_pages, 4 * alone - 2 * static_cast<std::size_t>(prompt / 32));
}

TEST_F(EngineTest, RequestsJoinAndLeaveBetweenSteps) {
  Engine engine(model_, tokenizer_, {.running = 2});
  std::vector<std::string> ends(4);
  const auto submit = [&](std::size_t i) {
    EngineRequest one = request("Question " + std::to_string(i), 140);
    one.done = [&ends, i](EngineAnswer&& answer) { ends[i] = answer.generation.finish_reason; };
    return engine.submit(one);
  };
  const int first = submit(0);
  for (int i = 0; i < 5; ++i) engine.step();
  submit(1);
  const int waiting = submit(2);
  for (int i = 0; i < 5; ++i) engine.step();
  EXPECT_EQ(ends, (std::vector<std::string>(4)));
  engine.cancel(first);
  engine.cancel(waiting);
  engine.cancel(12345);
  EXPECT_EQ(ends[0], "interrupted");
  EXPECT_EQ(ends[2], "interrupted");
  submit(3);
  while (engine.step()) {
  }
  for (const std::size_t i : {1u, 3u}) EXPECT_TRUE(ends[i] == "stop" || ends[i] == "length") << ends[i];
}

TEST_F(EngineTest, ARequestThatFailsFailsAlone) {
  Engine engine(model_, tokenizer_);
  std::vector<ErrorCode> errors;
  int good = 0;
  const auto submit = [&](EngineRequest one) {
    one.done = [&](EngineAnswer&& answer) {
      if (answer.error == nullptr) return void(++good);
      try {
        std::rethrow_exception(answer.error);
      } catch (const Error& e) {
        errors.push_back(e.code());
      }
    };
    engine.submit(std::move(one));
  };
  submit(request("One?"));
  EngineRequest unknown = request("Two?");
  unknown.ids.push_back(1000000);
  submit(unknown);
  submit(request("Three?", 3));  // too few tokens for five sections
  submit(request("Four?"));
  while (engine.step()) {
  }
  EXPECT_EQ(good, 2);
  EXPECT_EQ(errors, (std::vector<ErrorCode>{ErrorCode::kModel, ErrorCode::kUsage}));
}

TEST_F(EngineTest, TheNextTurnReusesTheAnswer) {
  Engine engine(model_, tokenizer_);
  EngineRequest first = request("Which sound?");
  first.keep = KeepPrefix::kAnswer;
  const Generation answer_one = answer(engine, {first}).front();
  EngineRequest second = first;
  second.ids.insert(second.ids.end(), answer_one.ids.begin(), answer_one.ids.end());
  const auto more =
      tokenizer_.encode("<|im_end|>\n<|im_start|>user\nAnd then?<|im_end|>\n<|im_start|>assistant\n", SpecialTokens::kParse);
  second.ids.insert(second.ids.end(), more.begin(), more.end());
  int reused = 0;
  Generation with, without;
  second.done = [&](EngineAnswer&& one) { reused = one.reused_tokens, with = std::move(one.generation); };
  engine.submit(second);
  while (engine.step()) {
  }
  EXPECT_GT(reused, static_cast<int>(first.ids.size() + answer_one.ids.size()) - 20);
  Engine fresh(model_, tokenizer_);
  EXPECT_EQ(answer(fresh, {second}).front().ids, with.ids);
}

TEST_F(EngineTest, KeptPrefixesAreBounded) {
  PrefixStore store(model_, {.entries = 3});
  const auto keys = [](std::uint64_t from, std::size_t count) {
    PositionKeys out;
    for (std::size_t i = 0; i < count; ++i) out.push_back((from + i) % 1000);
    return out;
  };
  const auto computed = [&](const PositionKeys& positions) {
    KvCache cache;
    const std::vector<int> ids(positions.begin(), positions.end());
    model_.forward(ids, {}, cache, Logits::kLast);
    return cache;
  };
  for (std::uint64_t i = 0; i < 5; ++i) store.keep(keys(100 * i, 40), computed(keys(100 * i, 40)));
  EXPECT_EQ(store.common_length(keys(0, 40)), 0);  // the oldest two are gone
  EXPECT_EQ(store.common_length(keys(200, 40)), 40);
  EXPECT_EQ(store.find(keys(200, 40)).length(), 39);  // somebody wants the logits of the last one
  EXPECT_EQ(store.find(keys(200, 50)).length(), 40);
  EXPECT_EQ(store.find(keys(777, 10)).length(), 0);
  EXPECT_FALSE(store.find_whole(keys(200, 40)).has_value());
  store.keep(keys(200, 60), computed(keys(200, 60)), {1.0f, 2.0f});  // takes the place of its beginning
  EXPECT_EQ(store.common_length(keys(300, 40)), 40);
  ASSERT_TRUE(store.find_whole(keys(200, 60)).has_value());
  EXPECT_EQ(store.find_whole(keys(200, 60))->logits, (std::vector<float>{1.0f, 2.0f}));
  PrefixStore small(model_, {.bytes = 1});
  small.keep(keys(0, 40), computed(keys(0, 40)));
  small.keep(keys(500, 40), computed(keys(500, 40)));
  EXPECT_EQ(small.common_length(keys(0, 40)), 0);
  EXPECT_EQ(small.common_length(keys(500, 40)), 40);  // the latest stays
}

TEST(NgramDrafts, ProposesWhatFollowedBefore) {
  NgramDrafts drafts;
  const std::vector<int> text = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  EXPECT_TRUE(drafts.propose(text, 5).empty());
  drafts.append(text);
  const auto next = [&](std::vector<int> ending, int count) { return drafts.propose(ending, count); };
  EXPECT_EQ(next({0, 2, 3, 4, 5}, 3), (std::vector<int>{6, 7, 8}));
  EXPECT_EQ(next({2, 3, 4, 5}, 9), (std::vector<int>{6, 7, 8, 9}));
  EXPECT_TRUE(next({0, 0, 0, 4, 5}, 3).empty());  // two tokens seen once say too little
  drafts.begin_text();
  const std::vector<int> again = {4, 5, 6};
  drafts.append(again);
  EXPECT_EQ(next({0, 0, 0, 4, 5}, 1), (std::vector<int>{6}));  // twice
  EXPECT_TRUE(next({6, 4, 5}, 0).empty());
  drafts.clear();
  EXPECT_TRUE(next({2, 3, 4, 5}, 3).empty());
}

}  // namespace
}  // namespace areason
