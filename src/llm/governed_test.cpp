#include "llm/governed.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <ctime>
#include <thread>

#include "base/error.h"
#include "base/files.h"
#include "base/testing.h"
#include "llm/openai.h"
#include "llm/testing.h"

namespace areason::llm {
namespace {

using namespace testing;

ProviderPtr chat(const Server& server, const GovernedOptions& options) {
  OpenAiOptions openai;
  openai.url = server.url();
  openai.key = test_key();
  return make_governed(make_openai_chat(openai), options);
}

TEST(Governed, TriesAgainWithJitterAndHonoursRetryAfter) {
  int count = 0;
  Server server([&](const auto&, auto& response) {
    switch (count++) {
      case 0:
        return answer(response, Json::object(), 500);
      case 1:
        return response.set_header("Retry-After", "7"), answer(response, Json::object(), 429);
      case 2: {
        char date[64];
        const std::time_t then = std::time(nullptr) + 100;
        std::strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", std::gmtime(&then));
        response.set_header("Retry-After", date);
        return answer(response, Json::object(), 503);
      }
      case 3:
        return cut_off(response, std::string(400, ' '));
      default:
        return answer(response, chat_answer("at last", 3, 2));
    }
  });
  auto clock = std::make_shared<ManualClock>();
  GovernedOptions options;
  options.clock = clock;
  const Reply reply = chat(server, options)->complete(ask("x"));
  EXPECT_EQ(reply.finish, Finish::kStop);
  EXPECT_EQ(reply.text, "at last");
  EXPECT_EQ(reply.attempts, 5);
  ASSERT_EQ(clock->sleeps.size(), 4u);
  EXPECT_LE(clock->sleeps[0], 1);
  EXPECT_GE(clock->sleeps[1], 7);
  EXPECT_LE(clock->sleeps[1], 8);
  EXPECT_GE(clock->sleeps[2], 30);  // until the date, which a busy machine may come nearer to before it is read
  EXPECT_LE(clock->sleeps[2], 102);
  EXPECT_LE(clock->sleeps[3], 8);
}

// vLLM ends an answer with "abort" when its engine gives up, and bills it.
TEST(Governed, TheUsageOfAllAttemptsIsTheReplys) {
  int count = 0;
  Server server([&](const auto&, auto& response) {
    const bool first = ++count == 1;
    answer(response, chat_answer(first ? "half" : "whole", 100, first ? 20 : 30, first ? "abort" : "stop"));
  });
  GovernedOptions options;
  options.clock = std::make_shared<ManualClock>();
  options.budget = std::make_shared<Budget>(BudgetLimits{}, PriceTable{});
  const Reply reply = chat(server, options)->complete(ask("x"));
  EXPECT_EQ(reply.text, "whole");
  EXPECT_EQ(reply.attempts, 2);
  EXPECT_EQ(reply.usage.input, 200);
  EXPECT_EQ(reply.usage.output, 50);
  EXPECT_EQ(options.budget->spent().input, reply.usage.input);
  EXPECT_EQ(options.budget->spent().output, reply.usage.output);
}

TEST(Governed, BackOffGrowsAndIsSpreadOverItsWholeRange) {
  Server server([](const auto&, auto& response) { answer(response, Json::object(), 500); });
  auto clock = std::make_shared<ManualClock>();
  GovernedOptions options;
  options.clock = clock;
  options.retry = {6, 1, 5, 120, 42};
  const auto provider = chat(server, options);
  std::vector<std::vector<double>> delays(5);
  for (int i = 0; i < 40; ++i) {
    clock->sleeps.clear();
    const Reply reply = provider->complete(ask("x"));
    EXPECT_EQ(reply.finish, Finish::kServerError);
    EXPECT_EQ(reply.attempts, 6);
    ASSERT_EQ(clock->sleeps.size(), 5u);
    for (int n = 0; n < 5; ++n) delays[n].push_back(clock->sleeps[n]);
  }
  const double most[] = {1, 2, 4, 5, 5};
  for (int n = 0; n < 5; ++n) {
    const auto [low, high] = std::minmax_element(delays[n].begin(), delays[n].end());
    EXPECT_LE(*high, most[n]);
    EXPECT_GE(*high, 0.8 * most[n]);
    EXPECT_LE(*low, 0.2 * most[n]);
  }
}

TEST(Governed, GivesUpWhereWaitingIsPointless) {
  std::string retry_after = "3600";
  int status = 429;
  Json body = Json::object();
  std::string should_retry;
  Server server([&](const auto&, auto& response) {
    response.set_header("Retry-After", retry_after);
    if (!should_retry.empty()) response.set_header("x-should-retry", should_retry);
    answer(response, body, status);
  });
  auto clock = std::make_shared<ManualClock>();
  GovernedOptions options;
  options.clock = clock;
  const auto provider = chat(server, options);
  const auto attempts = [&] { return provider->complete(ask("x")).attempts; };
  EXPECT_EQ(attempts(), 1) << "an hour is too long";
  retry_after = "1";
  body = {{"error", {{"message", "x"}, {"code", "insufficient_quota"}}}};
  EXPECT_EQ(attempts(), 1) << "no credit";
  body = Json::object();
  should_retry = "false";
  EXPECT_EQ(attempts(), 1) << "x-should-retry";
  should_retry.clear();
  for (const int final_status : {400, 401, 403, 404, 413, 422}) {
    status = final_status;
    EXPECT_EQ(attempts(), 1) << final_status;
  }
  EXPECT_TRUE(clock->sleeps.empty());
}

TEST(RateLimiter, SpreadsRequestsOverItsWindows) {
  auto clock = std::make_shared<ManualClock>();
  RateLimiter limiter({{{10, 3, 0}, {100, 5, 0}}, 2}, clock);
  std::vector<double> times;
  for (int i = 0; i < 7; ++i) {
    const auto permit = limiter.acquire(1);
    times.push_back(clock->now() - 1000);
    clock->advance(1);  // a second to answer
    permit->finish(1, RateLimiter::Received::kYes);
  }
  // Each one leaves the window ten seconds after its answer, at t + 1 + 10.
  const std::vector<double> wanted = {0, 1, 2, 11, 12, 101, 102};
  EXPECT_EQ(times, wanted);
}

TEST(RateLimiter, CountsTokensWhenTheyAreKnown) {
  auto clock = std::make_shared<ManualClock>();
  RateLimiter limiter({{{60, 0, 1000}}, 10}, clock);
  limiter.acquire(900)->finish(100, RateLimiter::Received::kYes);  // reserved 900, used 100
  limiter.acquire(900)->finish(900, RateLimiter::Received::kYes);
  EXPECT_EQ(clock->now(), 1000) << "both fit";
  limiter.acquire(1)->finish(1, RateLimiter::Received::kYes);
  EXPECT_EQ(clock->now(), 1060);
  EXPECT_THROW(limiter.acquire(1001), Error) << "never fits";
}

TEST(RateLimiter, AnUnansweredRequestCountsAsLongAsItMayArrive) {
  auto clock = std::make_shared<ManualClock>();
  RateLimiter limiter({{{60, 1, 0}}, 10}, clock);
  limiter.acquire(1)->finish(1, RateLimiter::Received::kPerhaps);
  limiter.acquire(1)->finish(1, RateLimiter::Received::kYes);
  EXPECT_EQ(clock->now(), 1070);
  limiter.hold_until(1200);
  limiter.acquire(1);
  EXPECT_EQ(clock->now(), 1200);
}

TEST(Budget, NeverGoesOverWithManyThreadsAndUsesWhatIsThere) {
  PriceTable prices;
  prices.models["m"] = price_per_million(0.1, 0.7, 0.4);
  BudgetLimits limits;
  limits.tokens = 10000;
  limits.money = Money::from_units(1);
  Budget budget(limits, prices);
  std::atomic<int> granted{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      const Estimate estimate{40, 32, 128};  // 200 reserved, 50 used
      while (budget.reserve("m", estimate)) {
        ++granted;
        std::this_thread::yield();
        budget.settle("m", estimate, {true, 40, 10, 32, 0});
      }
    });
  for (auto& thread : threads) thread.join();
  const Spent spent = budget.spent();
  EXPECT_LE(spent.input + spent.output, 10000);
  EXPECT_GT(spent.input + spent.output, 10000 - 200) << "stops only when another request might not fit";
  EXPECT_EQ(spent.answers, granted);
  EXPECT_EQ(spent.input, granted * 40);
  EXPECT_EQ(spent.output, granted * 10);
  // 8 text at 0.1, 32 audio at 0.7, 10 output at 0.4 a million.
  EXPECT_EQ(spent.money.pico, granted * (8 * 100'000 + 32 * 700'000 + 10 * 400'000LL));
  EXPECT_EQ(Money{1'000'001}.text(), "0.000002");
  EXPECT_EQ(Money::from_units(12.5).text(), "12.500000");
}

TEST(Budget, StopsBeforeTheMoneyIsSpentAndCountsWhatNobodyConfirmed) {
  int count = 0;
  Server server([&](const auto&, auto& response) {
    if (++count == 2) return cut_off(response, dump_json(chat_answer("x", 100, 100)));
    answer(response, chat_answer("x", 100, 100));
  });
  PriceTable prices;
  prices.models["m"] = price_per_million(1, 1, 1);
  BudgetLimits limits;
  limits.money = Money::from_units(0.003);  // 3,000 tokens
  GovernedOptions options;
  options.clock = std::make_shared<ManualClock>();
  options.budget = std::make_shared<Budget>(limits, prices);
  const auto provider = chat(server, options);
  Request request = ask("x");
  request.parameters.max_output_tokens = 500;
  const std::int64_t most = estimate_of(request).total();
  int answered = 0;
  Reply last;
  while (is_answer((last = provider->complete(request)).finish)) ++answered;
  EXPECT_EQ(last.finish, Finish::kBudget);
  EXPECT_TRUE(stops_run(last.finish));
  const Spent spent = options.budget->spent();
  EXPECT_EQ(spent.money.pico, answered * 200 * 1'000'000LL);
  EXPECT_EQ(spent.unconfirmed, 1);
  EXPECT_EQ(spent.unconfirmed_tokens, most);
  EXPECT_LE(spent.money.pico + spent.unconfirmed_money.pico, limits.money->pico);
  EXPECT_GT(spent.money.pico + spent.unconfirmed_money.pico, limits.money->pico - most * 1'000'000);
  EXPECT_EQ(static_cast<int>(server.seen().size()), answered + 1);
  request.model = "without a price";
  EXPECT_THROW(provider->complete(request), Error);
  EXPECT_THROW(Budget(limits, {}), Error);
}

TEST(Prices, AreReadFromAFileAndRefusedWithTheModelsName) {
  const std::string path = scratch_path("prices.json");
  write_file_atomic(
      path,
      R"({"currency": "EUR", "models": {"a": {"input": 0.1, "output": 0.4}, "b": {"input": 1, "audio_input": 40, "output": 2}}})");
  const PriceTable table = read_prices(path);
  EXPECT_EQ(table.currency, "EUR");
  EXPECT_EQ(table.models.at("a").audio_input, 100'000);
  EXPECT_EQ(table.models.at("b").audio_input, 40'000'000);
  for (const char* bad :
       {"[]", "{}", R"({"models": []})", R"({"models": {"a": 1}})", R"({"models": {"a": {"input": 1}}})",
        R"({"models": {"a": {"input": -1, "output": 1}}})", R"({"models": {"a": {"input": 1e300, "output": 1}}})"}) {
    write_file_atomic(path, bad);
    EXPECT_THROW(read_prices(path), Error) << bad;
  }
}

TEST(Estimate, IsOnTheSafeSide) {
  Request request = ask_about(tone(32000), "What is heard in this clip, and how often does it happen?");
  request.parameters.max_output_tokens = 300;
  const Estimate estimate = estimate_of(request);
  EXPECT_EQ(estimate.audio, 64 + 8);  // two seconds, 32 a second
  EXPECT_GE(estimate.text, 13);       // GPT-2's BPE has 13 tokens for it
  EXPECT_EQ(estimate.output, 300);
}

}  // namespace
}  // namespace areason::llm
