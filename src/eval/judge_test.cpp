// Judges as they are in life: replies that cannot be read, refusals, 429, cut connections, answers that come too late.
#include "eval/judge.h"

#include <atomic>
#include <cmath>

#include "eval/report.h"
#include "eval/run_testing.h"
#include "llm/config.h"
#include "llm/testing.h"

namespace areason {
namespace {

class JudgeTest : public RunTest {
 protected:
  // A run over `n` chat items whose answers are there.
  EvalRun chat_run(int n) {
    Json items = Json::array();
    for (int i = 0; i < n; ++i)
      items.push_back({{"path", "a.flac"},
                       {"question", "What is heard in clip " + std::to_string(i) + "?"},
                       {"answer_gt", "A bell."},
                       {"meta_info", "bell"},
                       {"task_name", i % 2 == 0 ? "sound_QA" : "music_QA"},
                       {"dataset_name", "x"},
                       {"uniq_id", i}});
    put_clip("chat/sound_QA_x/a.flac");
    put_clip("chat/music_QA_x/a.flac");
    put("chat/Chat_meta.json", dump_json(items));
    EvalRun run = open_run(options("airbench-chat", file("chat"), "run"));
    AnswerFile out(run.predictions);
    for (const RunItem& item : run.items)
      out.append(prediction_line(run, item, {"<THINK>x</THINK><RESPONSE>A small bell.</RESPONSE>", "stop", Json(), Json()}));
    return run;
  }
  JudgeOptions judge(const std::string& url, const std::string& recording) {
    llm::ProviderConfig config;
    config.url = url;
    config.recording = recording;
    if (url.empty()) config.api = llm::Api::kReplay;
    config.retry.attempts = 3;
    config.retry.first_seconds = 0.001;
    JudgeOptions options;
    options.judge.provider = llm::build_provider(config);
    options.judge.model = "judge";
    options.judge.workers = 8;
    options.judge.timeout_seconds = 300;
    return options;
  }
  static std::string chat_scores(const EvalRun& run) {
    Counts counts;
    RunScoreOptions options;
    options.score = {run.benchmark, ScoreStage::kRaw, "auto", {200, 1}};
    options.extra = chat_verdicts(run, counts);
    return dump_json(score_to_json(score_run(run, options), WithSamples::kYes));
  }
};

TEST_F(JudgeTest, EverySampleEndsWithAVerdictOrACountedFailure) {
  const EvalRun run = chat_run(60);
  std::atomic<int> calls = 0;
  llm::testing::Server server([&](const httplib::Request& request, httplib::Response& response) {
    const std::string prompt = parse_json(request.body, "request")["messages"].back()["content"].dump();
    EXPECT_NE(prompt.find("A small bell."), std::string::npos);
    EXPECT_EQ(prompt.find("THINK"), std::string::npos) << "the judge rates the answer, not the chain";
    switch (calls++ % 10) {
      case 0:
        response.set_header("Retry-After", "0");
        return llm::testing::answer(response, {{"error", {{"message", "slow down"}}}}, 429);
      case 1:
        return llm::testing::answer(response, {{"error", {{"message", "broken"}}}}, 500);
      case 2:
        return llm::testing::answer(response, llm::testing::chat_answer("I would say 8 and 9.", 50, 8));
      case 3:
        return llm::testing::answer(response, llm::testing::chat_answer("I cannot rate this.", 50, 5));
      case 4:
        return llm::testing::answer(response, llm::testing::chat_answer("", 50, 0));
      case 5:
        return llm::testing::cut_off(response, std::string(200, ' '));
      default:
        llm::testing::answer(response, llm::testing::chat_answer("8 6", 50, 3));
    }
  });
  const std::string recording = file("judge.jsonl");
  JudgeStats stats = judge_run(run, judge(server.url(), recording));
  EXPECT_EQ(stats.wanted, 120u);
  EXPECT_EQ(stats.judged + stats.failed, 120u);
  for (int i = 0; i < 5 && stats.failed > 0; ++i) stats = judge_run(run, judge(server.url(), recording));
  EXPECT_EQ(stats.failed, 0u);
  Counts counts;
  const auto verdicts = read_verdicts(run.folder, counts);
  ASSERT_EQ(verdicts.size(), 120u);
  std::size_t unread = 0;
  for (const auto& [id, verdict] : verdicts) {
    EXPECT_FALSE(verdict["prompt"].get<std::string>().empty());
    if (!verdict["parsed"].get<bool>()) ++unread;
  }
  const int asked = calls;
  judge_run(run, judge(server.url(), recording));
  EXPECT_EQ(calls, asked) << "verdicts that are there are not paid for again";

  // The recording alone gives the same verdicts and tables.
  const std::string scores = chat_scores(run);
  std::filesystem::remove_all(run.folder + "/judge");
  judge_run(run, judge("", recording));
  EXPECT_EQ(chat_scores(run), scores);
  EXPECT_NE(scores.find("\"sound\":{\"value\":"), std::string::npos) << scores;
  const Json parsed = parse_json(scores, "scores");
  const Json& c = parsed["counts"];
  EXPECT_EQ(c.value("unread_judge_reply", 0u) + c.value("unread_judge_reply_swapped", 0u), unread);
}

TEST_F(JudgeTest, OrdersArePutTogetherAsTheBenchmarkSays) {
  const EvalRun run = chat_run(4);
  // The model's answer is worth 6, the reference 9, wherever they stand; the first place gets one point more.
  llm::testing::Server server([&](const httplib::Request& request, httplib::Response& response) {
    const std::string text = request.body;
    const bool model_first = text.find("A small bell.") < text.find("A bell.");
    llm::testing::answer(response, llm::testing::chat_answer(model_first ? "7 9" : "10 6", 50, 3));
  });
  judge_run(run, judge(server.url(), ""));
  write_chat_scores(run);
  const Json figures = parse_json(chat_scores(run), "scores")["figures"];
  EXPECT_DOUBLE_EQ(figures["average"]["value"].get<double>(), 6.5);
  EXPECT_EQ(read_json_file(run.folder + "/judge/chat_score.json")[0]["gpt-score"], "10 6");
  EXPECT_EQ(read_json_file(run.folder + "/judge/chat_score_cir.json")[0]["gpt-score"], "7 9");
}

TEST_F(JudgeTest, ASlowJudgeIsACountedFailure) {
  const EvalRun run = chat_run(2);
  llm::testing::Server server([&](const httplib::Request&, httplib::Response&) { server.hang(); });
  JudgeOptions options = judge(server.url(), "");
  options.judge.timeout_seconds = 0.2;
  const JudgeStats stats = judge_run(run, options);
  EXPECT_EQ(stats.failed, 4u);
  EXPECT_EQ(stats.outcomes.of("error_timeout"), 4);
  server.release();
}

TEST_F(JudgeTest, RubricsRateRightAnswersOnly) {
  Json right = mmau_item("right"), wrong = mmau_item("wrong"), bare = mmau_item("bare");
  for (Json* item : {&right, &wrong}) {
    (*item)["modality"] = "speech";
    (*item)["category"] = "Signal Layer";
    (*item)["thinking"] = "It is deep.";
    (*item)["rubric"] = {{{"name", "hears"}, {"scoring_point", "names the pitch"}, {"choices", {0, 1}}},
                         {{"name", "concludes"}, {"scoring_point", "says man"}, {"choices", {0, 1}}}};
  }
  put_clip("audio/a.flac");
  put("MMAR-meta.jsonl", dump_json(right) + "\n" + dump_json(wrong) + "\n" + dump_json(bare) + "\n");
  const EvalRun run = open_run(options("mmar", dir_.path(), "run"));
  {
    AnswerFile out(run.predictions);
    const std::string chain =
        "<THINK><PLANNING>plan</PLANNING><CAPTION>deep voice</CAPTION><REASONING>so a man</REASONING>"
        "<SUMMARY>man</SUMMARY></THINK><RESPONSE>";
    for (const RunItem& item : run.items)
      out.append(prediction_line(
          run, item, {chain + (item.item->id == "wrong" ? "Robot" : "Man") + "</RESPONSE>", "stop", Json(), Json()}));
  }
  std::atomic<int> calls = 0;
  llm::testing::Server server([&](const httplib::Request& request, httplib::Response& response) {
    EXPECT_NE(request.body.find("deep voice"), std::string::npos);
    // Raters give 1, 1/2, 1/2, 1/2 and nothing readable on the first try, then 0.
    const int n = calls++;
    const std::string first = n == 0 ? "1" : "0", second = n == 5 ? "0" : "1";
    const std::string reply =
        "[{\"name\":\"hears\",\"score\":" + first + "},{\"name\":\"concludes\",\"score\":" + second + "}]";
    llm::testing::answer(response, llm::testing::chat_answer(n == 4 ? "no list" : "```json\n" + reply + "\n```", 50, 3));
  });
  JudgeOptions options = judge(server.url(), "");
  options.judge.workers = 1;
  const JudgeStats stats = judge_run(run, options);
  EXPECT_EQ(stats.wanted, 5u) << "five raters of the one right answer with a rubric";
  EXPECT_EQ(stats.outcomes.of("wrong_answer_not_judged"), 1);
  EXPECT_EQ(stats.outcomes.of("no_rubric"), 1);
  EXPECT_EQ(stats.outcomes.of("reply_unread"), 1);
  const BenchmarkScore score = score_rubrics(run, {100, 1});
  ASSERT_EQ(score.samples.size(), 2u);
  EXPECT_DOUBLE_EQ(score.samples[0].value, 0.5) << "the middle three of 1, 1/2, 1/2, 1/2, 0";
  EXPECT_DOUBLE_EQ(score.figures[0].value, 25) << "the wrong answer counts 0";
  // As evaluation_rubrics.py prints it (its f-strings give these lines for these scores).
  EXPECT_NE(score.official.out.find("speech                     score=25.00, acc=50.00% over   2 samples\n"), std::string::npos)
      << score.official.out;
  EXPECT_NE(score.official.out.find("Total Accuracy: 50.00% over 2 samples\nTotal Score: 25.00 over 2 samples\n"),
            std::string::npos);
  ReportOptions report;
  report.folders = {run.folder};
  const auto tables = report_tables(collect_runs(report));
  EXPECT_DOUBLE_EQ(*tables.back().rows.back().cells[5].value, 25) << "it stands in the report, too";
}

}  // namespace
}  // namespace areason
