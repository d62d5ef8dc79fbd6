// The whole stack against a server that misbehaves: 2,000 requests on 16 workers.
#include "llm/workers.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <map>

#include "base/error.h"
#include "base/files.h"
#include "base/interrupt.h"
#include "llm/config.h"
#include "llm/testing.h"

namespace areason::llm {
namespace {

using namespace testing;

constexpr int kRequests = 2000;
constexpr int kWorkers = 16;

// What the server does on the first try of request i; every later try is answered.
enum class Trouble { kNone, k429, k429Seconds, k500, kCut, kMalformed, kHang, kBlocked, kLength };

Trouble trouble_of(int i) {
  if (i == 200) return Trouble::k429Seconds;
  if (i % 500 == 17) return Trouble::kHang;
  constexpr Trouble kByDigit[] = {Trouble::k429,    Trouble::k500,  Trouble::kCut,  Trouble::kMalformed, Trouble::kBlocked,
                                  Trouble::kLength, Trouble::kNone, Trouble::kNone, Trouble::kNone,      Trouble::kNone};
  return kByDigit[i % 10];
}

// Counts tries per request and what it charges.
class Misbehaving {
 public:
  Misbehaving() : server([this](const auto& request, auto& response) { handle(request, response); }) {}

  std::mutex mutex;
  std::map<int, int> tries;
  std::int64_t input = 0, output = 0, answers = 0;
  int unconfirmed = 0;
  std::size_t arrived = 0, paused_after = 0;  // requests that had come when everybody was told to wait
  Server server;

 private:
  void handle(const httplib::Request& request, httplib::Response& response) {
    const Json body = parse_json(request.body, "body");
    const int i = std::stoi(body["messages"][0]["content"].get<std::string>());
    int tried = 0;
    {
      const std::lock_guard lock(mutex);
      tried = ++tries[i];
      ++arrived;
      // Only on a machine that stalls: the answer to the second try was too late for the client, which cannot book it.
      if (trouble_of(i) == Trouble::kHang && tried > 2) take_back(i);
    }
    const Trouble trouble = tried == 1 ? trouble_of(i) : Trouble::kNone;
    if (trouble == Trouble::kHang || trouble == Trouble::kCut || trouble == Trouble::kMalformed) {
      const std::lock_guard lock(mutex);
      ++unconfirmed;
    }
    switch (trouble) {
      case Trouble::k429:
        return response.set_header("retry-after-ms", "3"), answer(response, Json::object(), 429);
      case Trouble::k429Seconds: {
        const std::lock_guard lock(mutex);
        paused_after = arrived;
        return response.set_header("Retry-After", "1"), answer(response, Json::object(), 429);
      }
      case Trouble::k500:
        return answer(response, Json::object(), 500);
      case Trouble::kCut:
        return cut_off(response, dump_json(chat_answer("half of it", 9, 9)));
      case Trouble::kMalformed:
        return response.set_content("{\"choices\": [", "application/json");
      case Trouble::kHang:
        return server.hang();
      default:
        charge_and_answer(i, trouble, response);
    }
  }

  static int prompt_tokens(int i) { return 10 + i % 7; }
  static int completion_tokens(int i) { return 1 + i % 5; }

  void take_back(int i) {
    input -= prompt_tokens(i);
    output -= completion_tokens(i);
    --answers;
    ++unconfirmed;
  }

  void charge_and_answer(int i, Trouble trouble, httplib::Response& response) {
    const int prompt = prompt_tokens(i), completion = trouble == Trouble::kBlocked ? 0 : completion_tokens(i);
    {
      const std::lock_guard lock(mutex);
      input += prompt;
      output += completion;
      ++answers;
    }
    const char* finish = trouble == Trouble::kBlocked ? "content_filter" : trouble == Trouble::kLength ? "length" : "stop";
    answer(response,
           chat_answer(trouble == Trouble::kBlocked ? "" : "answer " + std::to_string(i), prompt, completion, finish));
  }
};

// The most requests that arrived in any stretch of `seconds`.
std::size_t most_within(const std::vector<Seen>& seen, double seconds) {
  std::vector<double> at;
  for (const Seen& one : seen) at.push_back(one.at);
  std::sort(at.begin(), at.end());
  std::size_t most = 0, begin = 0;
  for (std::size_t end = 0; end < at.size(); ++end) {
    while (at[end] - at[begin] >= seconds) ++begin;
    most = std::max(most, end - begin + 1);
  }
  return most;
}

// Whether everybody kept still for a second after the `from`-th request: whatever was on its way then comes, which is at most
// one request a worker, and then nothing for the rest of the second.
bool paused_for_a_second(const std::vector<Seen>& seen, std::size_t from) {
  constexpr std::size_t kLater = 50;  // must follow: the last ones of a run are no such pause
  std::vector<double> at;
  for (const Seen& one : seen) at.push_back(one.at);
  std::sort(at.begin(), at.end());
  for (std::size_t i = from - 1; i + kWorkers + kLater < at.size(); ++i)
    if (at[i + kWorkers] - at[i] >= 1) return true;
  return false;
}

std::function<std::optional<Request>()> numbered(int count, int& position) {
  return [count, &position]() -> std::optional<Request> {
    if (position >= count) return {};
    Request request = ask(std::to_string(position));
    request.parameters.max_output_tokens = 16;
    if (trouble_of(position) == Trouble::kHang) request.timeout_seconds = 2;
    ++position;
    return request;
  };
}

TEST(Workers, TwoThousandRequestsThroughAMisbehavingServer) {
  Misbehaving teacher;
  PriceTable prices;
  prices.models["m"] = price_per_million(0.15, 0.15, 0.6);
  BudgetLimits limits;
  limits.money = Money::from_units(100);
  constexpr double kWindow = 0.1;
  constexpr int kPerWindow = 150;
  ProviderConfig config;
  config.url = teacher.server.url();
  config.retry = {5, 0.002, 0.01, 5, 1};
  config.rates.windows = {{kWindow, kPerWindow, 0}};
  config.budget = std::make_shared<Budget>(limits, prices);
  const auto provider = build_provider(config);

  int position = 0;
  std::map<std::size_t, int> handed_on;
  const double begin = steady_seconds();
  const RunSummary summary = run_requests(
      *provider, kWorkers, numbered(kRequests, position), [&](std::size_t index, const Request& request, Reply reply) {
        ++handed_on[index];
        const int i = static_cast<int>(index);
        EXPECT_EQ(request.messages[0].parts[0].text, std::to_string(i));
        const Trouble trouble = trouble_of(i);
        const Finish wanted = trouble == Trouble::kBlocked  ? Finish::kBlocked
                              : trouble == Trouble::kLength ? Finish::kLength
                                                            : Finish::kStop;
        EXPECT_EQ(reply.finish, wanted) << i << " " << reply.error;
        EXPECT_EQ(reply.text, trouble == Trouble::kBlocked ? "" : "answer " + std::to_string(i));
      });
  const double seconds = steady_seconds() - begin;

  EXPECT_EQ(handed_on.size(), static_cast<std::size_t>(kRequests));
  for (const auto& [index, times] : handed_on) EXPECT_EQ(times, 1) << index;
  EXPECT_EQ(summary.requests, static_cast<std::size_t>(kRequests));
  EXPECT_FALSE(summary.stopped_by);
  const auto seen = teacher.server.seen();
  EXPECT_EQ(summary.attempts, seen.size());
  const std::size_t most = most_within(seen, kWindow);
  EXPECT_LE(most, static_cast<std::size_t>(kPerWindow));
  // To the token, and to the last decimal of the money.
  const Spent spent = config.budget->spent();
  EXPECT_EQ(spent.input, teacher.input);
  EXPECT_EQ(spent.output, teacher.output);
  EXPECT_EQ(spent.answers, teacher.answers);
  EXPECT_EQ(spent.unconfirmed, teacher.unconfirmed);
  EXPECT_EQ(spent.money.pico, teacher.input * 150'000 + teacher.output * 600'000);
  EXPECT_TRUE(paused_for_a_second(seen, teacher.paused_after)) << "\"Retry-After: 1\" is for everybody";
  std::printf("2000 requests, %zu attempts, 16 workers: %.2f s, at most %zu of %d in %.1f s, cost %s USD\n", seen.size(),
              seconds, most, kPerWindow, kWindow, spent.money.text().c_str());
}

TEST(Workers, TokensStayWithinTheirLimitOnTheServer) {
  std::mutex mutex;
  std::vector<std::pair<double, int>> used;
  Server server([&](const auto&, auto& response) {
    {
      const std::lock_guard lock(mutex);
      used.emplace_back(steady_seconds(), 9 + 16);  // exactly what the client reckons with
    }
    answer(response, chat_answer("x", 9, 16));
  });
  constexpr double kWindow = 0.2;
  constexpr int kTokens = 1000;
  ProviderConfig config;
  config.url = server.url();
  config.rates.windows = {{kWindow, 0, kTokens}};
  const auto provider = build_provider(config);
  int position = 0;
  const RunSummary summary = run_requests(*provider, 8, numbered(180, position), [](auto, const auto&, auto) {});
  EXPECT_EQ(summary.outcomes.at(Finish::kStop), 180u);
  std::sort(used.begin(), used.end());
  for (std::size_t begin = 0; begin < used.size(); ++begin) {
    int tokens = 0;
    for (std::size_t end = begin; end < used.size() && used[end].first - used[begin].first < kWindow; ++end)
      tokens += used[end].second;
    ASSERT_LE(tokens, kTokens);
  }
  EXPECT_GE(used.back().first - used.front().first, 3 * kWindow) << "4,500 tokens need more than four windows";
}

TEST(Workers, ASpentBudgetOrAWrongKeyEndsTheRun) {
  std::atomic<int> status{200};
  Server server([&](const auto&, auto& response) { answer(response, chat_answer("x", 20, 10), status); });
  ProviderConfig config;
  config.url = server.url();
  BudgetLimits limits;
  limits.tokens = 600;
  config.budget = std::make_shared<Budget>(limits, PriceTable{});
  int position = 0;
  RunSummary summary = run_requests(*build_provider(config), 4, numbered(1000, position), [](auto, const auto&, auto) {});
  ASSERT_TRUE(summary.stopped_by);
  EXPECT_EQ(summary.stopped_by->finish, Finish::kBudget);
  EXPECT_LE(config.budget->spent().input + config.budget->spent().output, 600);
  EXPECT_GE(summary.outcomes[Finish::kStop], 18u);
  EXPECT_LT(position, 30);

  status = 401;
  config.budget = nullptr;
  position = 0;
  summary = run_requests(*build_provider(config), 4, numbered(1000, position), [](auto, const auto&, auto) {});
  ASSERT_TRUE(summary.stopped_by);
  EXPECT_EQ(summary.stopped_by->finish, Finish::kUnauthorised);
  EXPECT_LE(position, 8);
}

TEST(Workers, ExceptionsAndCtrlCEndTheRunAfterWhatCameIsHandedOn) {
  Server server([](const auto&, auto& response) { answer(response, chat_answer("x", 20, 10)); });
  ProviderConfig config;
  config.url = server.url();
  const auto provider = build_provider(config);
  int position = 0;
  EXPECT_THROW(run_requests(*provider, 4, numbered(1000, position),
                            [](std::size_t, const auto&, auto) { throw Error(ErrorCode::kFailure, "disk full", "x"); }),
               Error);
  EXPECT_LE(position, 8);

  struct sigaction before {};
  sigaction(SIGINT, nullptr, &before);
  install_interrupt_handler();
  position = 0;
  std::size_t done = 0;
  try {
    run_requests(*provider, 4, numbered(100000, position), [&](std::size_t, const auto&, auto) {
      if (++done == 20) ::raise(SIGINT);
    });
    ADD_FAILURE() << "not interrupted";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInterrupted);
  }
  clear_interrupt();
  sigaction(SIGINT, &before, nullptr);
  EXPECT_GE(done, 20u);
  EXPECT_LT(position, 40);
  EXPECT_THROW(run_requests(*provider, 0, numbered(1, position), [](auto, const auto&, auto) {}), Error);
}

TEST(Config, SaysWhatIsMissing) {
  ::unsetenv("GEMINI_API_KEY");
  ::unsetenv("OPENAI_API_KEY");
  ProviderConfig config;
  EXPECT_THROW(build_provider(config), Error) << "OpenAI itself wants a key";
  config.url = "http://127.0.0.1:8000/v1";
  EXPECT_EQ(build_provider(config)->name(), "openai http://127.0.0.1:8000/v1") << "a server of one's own may not";
  config.api = Api::kGemini;
  EXPECT_THROW(build_provider(config), Error);
  config.api = Api::kReplay;
  EXPECT_THROW(build_provider(config), Error);
  EXPECT_EQ(api_from_name("transcription"), Api::kTranscription);
  EXPECT_THROW(api_from_name("gpt"), Error);
}

}  // namespace
}  // namespace areason::llm
