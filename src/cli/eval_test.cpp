#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>
#include <sstream>
#include <string>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/testing.h"
#include "cli/testing.h"

namespace areason {
namespace {

const std::string kLines =
    R"({"id":"1","task_name":"Sound_AQA","dataset_name":"avqa","choice_a":"x","choice_b":"y","answer_gt":"y","response":"B"})"
    "\n"
    R"({"id":"2","task_name":"Sound_AQA","dataset_name":"avqa","choice_a":"x","choice_b":"y","answer_gt":"y","response":"y"})"
    "\n";

TEST(CmdEval, ScorePrintsTheOriginalsTextFirst) {
  const std::string text = run("eval score --benchmark airbench-foundation -", kLines);
  EXPECT_TRUE(text.starts_with("response is y\nSound_AQA_avqa: Sum=1, correct=1, acc=1.0\ntotal_sum: 1\nfail_num: 1\n"))
      << text;
  const Json json =
      parse_json(run("eval score --benchmark airbench-foundation --stage mapped --json --samples -", kLines), "output");
  EXPECT_EQ(json["figures"]["accuracy_of_all"]["value"], 100.0);
  EXPECT_EQ(json["figures"]["accuracy_of_all"]["interval_method"], "wilson");
  EXPECT_EQ(json["stages"]["raw"]["n"], 1);
  EXPECT_EQ(json["verdicts"].size(), 2u);
}

TEST(CmdEval, CompareSaysWhenItIsNoise) {
  const ScratchDir scratch;
  const std::string& dir = scratch.path();
  write_file_atomic(dir + "/a.jsonl", kLines);
  write_file_atomic(dir + "/b.jsonl", kLines);
  const std::string text = run("eval compare --benchmark airbench-foundation " + dir + "/a.jsonl " + dir + "/b.jsonl");
  EXPECT_NE(text.find("inside the noise"), std::string::npos) << text;
}

// Two items and no clip: baselines do not listen.
std::string put_benchmark(const std::string& dir) {
  make_directories(dir);
  const Json item = {{"id", "1"},         {"audio_id", "./a.flac"}, {"question", "Who?"},   {"choices", {"Man", "Woman"}},
                     {"answer", "Woman"}, {"task", "speech"},       {"difficulty", "easy"}, {"sub-category", "who"}};
  Json second = item;
  second["id"] = "2";
  write_file_atomic(dir + "/mmau-test-mini.json", dump_json(Json::array({item, second})));
  return dir;
}

TEST(CmdEval, AWrongFolderOfClipsIsAnErrorAndLeavesNoRun) {
  const ScratchDir scratch;
  const std::string& dir = scratch.path();
  const std::string data = put_benchmark(dir + "/data"), out = dir + "/runs/nano";
  make_directories(dir + "/elsewhere");
  const std::string command = "eval run --benchmark mmau --data " + data + " --out " + out + " --audio ";
  try {
    run(command + dir + "/elsewhere");
    FAIL() << "no clip was there";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInput);
    EXPECT_NE(std::string(e.what()).find("2 of 2 items have clips that are not there"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("a.flac"), std::string::npos) << e.what();
    EXPECT_NE(e.hint().find("--audio"), std::string::npos) << e.hint();
  }
  EXPECT_FALSE(std::filesystem::exists(out + "/manifest.json"));
}

TEST(CmdEval, RunScoresAndTheReportShowsIt) {
  const ScratchDir scratch;
  const std::string& dir = scratch.path();
  const std::string data = put_benchmark(dir + "/data");
  const std::string command =
      "eval run --benchmark mmau --data " + data + " --out " + dir + "/runs/majority --baseline majority --json";
  const Json first = parse_json(run(command), "output");
  EXPECT_EQ(first["answered"], 2);
  EXPECT_EQ(first["score"]["figures"]["accuracy"]["value"], 100.0);
  EXPECT_EQ(parse_json(run(command), "output")["already_there"], 2) << "a finished run is only scored again";
  const Json scored =
      parse_json(run("eval score --benchmark mmau --json " + dir + "/runs/majority/predictions.jsonl"), "output");
  EXPECT_EQ(scored["figures"]["accuracy"]["value"], 100.0) << "predictions carry their items";
  EXPECT_NE(run("eval report " + dir + "/runs").find("* majority: majority (prompt ours, n = 2, neither release of MMAU-mini)"),
            std::string::npos);
  run("eval report --format html --out " + dir + "/report.html " + dir + "/runs");
  EXPECT_NE(read_file(dir + "/report.html").find("no clip: ./a.flac"), std::string::npos);
  EXPECT_THROW(run(command + " --prompt official"), Error) << "another run's folder";
}

TEST(CmdEval, PromptsAreListed) {
  const std::string text = run("eval prompts --benchmark mmau");
  EXPECT_NE(text.find("mmau official (MMAU's author, issue 3)\n    {question}  Select one option"), std::string::npos) << text;
}

TEST(CmdEval, FunctionsAnswerLineByLine) {
  const std::string out =
      run("eval function", "{\"function\":\"mmau_tokens\",\"text\":\"A b\"}\n{\"function\":\"none\"}\ntorn\n");
  EXPECT_TRUE(out.starts_with("[\"a\",\"b\"]\n{\"error\":")) << out;
}

TEST(CmdEval, AServerThatAnswersNothingAndARunWithoutAJudgeAreFailures) {
  const ScratchDir scratch;
  const std::string& dir = scratch.path();
  const std::string data = put_benchmark(dir + "/data");
  write_file_atomic(data + "/a.flac", read_file("examples/clips/code.flac"));
  const auto code = [](const std::string& line) {
    try {
      run(line);
    } catch (const Error& e) {
      return e.code();
    }
    return ErrorCode::kFailure;
  };
  const std::string command = "eval run --benchmark mmau --data " + data + " --out " + dir + "/run";
  EXPECT_EQ(code(command + " --remote-api openai --remote-model x --remote-url http://127.0.0.1:9/v1 --remote-attempts 1"),
            ErrorCode::kRemote);
  EXPECT_EQ(code("eval judge " + dir + "/run"), ErrorCode::kUsage);
}

TEST(CmdEval, BadUseIsNamed) {
  const auto code = [](const std::string& line) {
    try {
      run(line);
    } catch (const Error& e) {
      return e.code();
    }
    return ErrorCode::kFailure;
  };
  EXPECT_EQ(code("eval score --benchmark mmau /nonexistent.jsonl"), ErrorCode::kInput);
  EXPECT_EQ(code("eval score --benchmark mmau --swapped x /nonexistent.jsonl"), ErrorCode::kUsage);
  EXPECT_EQ(code("eval run --benchmark mmau --data /nonexistent --out /tmp/x --baseline chance"), ErrorCode::kInput);
  EXPECT_EQ(code("eval run --benchmark mmau --data /nonexistent --out /tmp/x --shard 3/2"), ErrorCode::kUsage);
  EXPECT_EQ(code("eval run --benchmark mmau --data /nonexistent --out /tmp/x --listener-api openai"), ErrorCode::kUsage);
  EXPECT_EQ(code("eval judge /nonexistent"), ErrorCode::kInput);
  EXPECT_EQ(code("eval report /nonexistent"), ErrorCode::kInput);
  EXPECT_EQ(code("eval make-benchmark --data /nonexistent --out /tmp/x"), ErrorCode::kInput);
  EXPECT_THROW(run("eval score --benchmark nothing x"), CLI::ParseError);
}

}  // namespace
}  // namespace areason
