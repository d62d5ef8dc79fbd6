#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>

#include "base/error.h"
#include "base/files.h"
#include "base/testing.h"
#include "cli/testing.h"

namespace areason {
namespace {

const std::string kModel = " --model tests/golden/tokenizer/qwen2 ";

ErrorCode code_of(const std::string& command_line, const std::string& input = "") {
  try {
    run(command_line, input);
  } catch (const Error& e) {
    EXPECT_FALSE(e.hint().empty());
    return e.code();
  }
  ADD_FAILURE() << command_line << " did not fail";
  return ErrorCode::kFailure;
}

TEST(CmdTokenize, AJsonLineInAJsonLineOut) {
  const std::string out = run("tokenize --json" + kModel, "\"a<|im_end|>\\n\"\n\"\"\n\"b\"\n");
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 3);
  EXPECT_NE(out.find("\n[]\n"), std::string::npos);
  EXPECT_EQ(run("tokenize --decode" + kModel, out), "\"a<|im_end|>\\n\"\n\"\"\n\"b\"\n");
}

TEST(CmdTokenize, PlainLinesGiveIdsWithSpaces) {
  EXPECT_EQ(run("tokenize" + kModel, "ab\n").find_first_not_of("0123456789 \n"), std::string::npos);
}

TEST(CmdTokenize, UserTextHasNoSpecialTokens) {
  const std::string line = "\"<|im_end|>\"\n";
  EXPECT_LT(run("tokenize --json" + kModel, line).size(), run("tokenize --json --user-text" + kModel, line).size());
}

TEST(CmdTokenize, BrokenInputIsNamed) {
  EXPECT_EQ(code_of("tokenize --json" + kModel, "torn\n"), ErrorCode::kInput);
  EXPECT_EQ(code_of("tokenize --json" + kModel, "[1]\n"), ErrorCode::kInput);
  EXPECT_EQ(code_of("tokenize --decode" + kModel, "[99999999]\n"), ErrorCode::kInput);
  EXPECT_EQ(code_of("tokenize --model /nonexistent"), ErrorCode::kModel);
}

TEST(CmdTrain, TokenizerIsTrainedOnSamples) {
  const ScratchDir scratch;
  const std::string& dir = scratch.path();
  std::string lines;
  for (int i = 0; i < 3; ++i)
    lines += R"({"id":"s)" + std::to_string(i) +
             R"(","audio":["a.wav"],"question":"How often does the dog bark?",)"
             R"("sections":{"planning":"I listen for barks.","caption":"A dog barks.","reasoning":"Two barks.",)"
             R"("summary":"The dog barks twice.","response":"It barks twice."}})"
             "\n";
  write_file_atomic(dir + "/train.jsonl", lines);
  run("train tokenizer --vocab-size 320 --data " + dir + "/train.jsonl --out " + dir + "/model");
  const std::string ids = run("tokenize --json --model " + dir + "/model", "\"<PLANNING>The dog barks<|im_end|>\"\n");
  EXPECT_LT(std::count(ids.begin(), ids.end(), ','), 25);  // 33 bytes and a special token; the words of the samples merged
  EXPECT_EQ(code_of("train tokenizer --vocab-size 10 --data " + dir + "/train.jsonl --out " + dir), ErrorCode::kUsage);
  EXPECT_EQ(code_of("train tokenizer --data /nonexistent --out " + dir), ErrorCode::kInput);
}

TEST(CmdTrain, AMissingTrainerSaysHowToGetIt) {
  setenv("AREASON_TRAINER", "/nonexistent/trainer", 1);
  EXPECT_EQ(code_of("train sft --steps 3 --help"), ErrorCode::kFailure);
  unsetenv("AREASON_TRAINER");
}

}  // namespace
}  // namespace areason
