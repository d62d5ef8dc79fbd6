// The data commands where they are told something wrong: mistyped sets, folders that hold other things, a teacher that is not
// there. Nothing that lies on the disk may be lost, and nothing new appear.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/json.h"
#include "e2e/fixtures.h"
#include "e2e/process.h"
#include "llm/testing.h"

namespace areason::e2e {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kClips = 3;

class DataCommands : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string table;
    for (std::size_t i = 0; i < kClips; ++i) {
      const std::string name = std::to_string(i) + ".wav";
      dir_.put(name, wav_tone(0.2 + 0.1 * static_cast<double>(i)));
      table += dump_json(Json{{"file", name}, {"caption", "a tone"}}) + "\n";
    }
    const Result made = run({"data", "import", "table", dir_.put("table.jsonl", table), "--set", set_});
    ASSERT_EQ(made.status, 0) << made.err;
    EXPECT_NE(made.out.find("3 rows: 3 imported"), std::string::npos) << made.out;
  }
  Result annotate(const std::string& url) const {
    return run({"data", "annotate", "--set", set_, "--teacher", "openai", "--model", "m", "--url", url, "--text-only",
                "--attempts", "2", "--first-wait", "0.01"});
  }

  ScratchDir dir_;
  const std::string set_ = dir_.file("set");
};

TEST_F(DataCommands, AMistypedSetIsRefusedAndNotMade) {
  const std::string typo = dir_.file("typo");
  for (const char* command : {"check", "annotate", "think", "review", "run"})
    expect_failure(run({"data", command, "--set", typo}), kInput, "typo");
  expect_failure(run({"data", "export", "--set", typo, "--out", dir_.file("out")}), kInput, "typo");
  EXPECT_FALSE(fs::exists(typo));
  fs::create_directory(typo);
  expect_failure(run({"data", "check", "--set", typo}), kInput, "no set");
  expect_failure(run({"data", "run", "--set", typo}), kInput, "no set");
  EXPECT_TRUE(fs::is_empty(typo));
}

TEST_F(DataCommands, AFullDiskIsNoImport) {
  std::string table;
  for (std::size_t i = 0; i < 400; ++i) {
    const std::string name = std::to_string(i % kClips) + ".wav";
    table += dump_json(Json{{"file", name}, {"id", std::to_string(i)}, {"caption", std::string(200, 'x')}}) + "\n";
  }
  const std::string file = dir_.put("long.jsonl", table);
  const Result full = run({"data", "import", "table", file, "--set", dir_.file("full")}, {.file_bytes = 20000});
  EXPECT_EQ(full.status, 1) << full.err;
  EXPECT_EQ(full.out, "");
  EXPECT_NE(full.err.find("error: "), std::string::npos) << full.err;
}

TEST_F(DataCommands, ReadingASetThatNobodyWorkedOnMakesNoStore) {
  expect_failure(run({"data", "check", "--set", set_}), kInput, "jobs.db");
  expect_failure(run({"data", "export", "--set", set_, "--out", dir_.file("out")}), kInput, "jobs.db");
  expect_failure(run({"data", "check", "--set", set_, "--store", dir_.file("typo.db")}), kInput, "typo.db");
  EXPECT_FALSE(fs::exists(set_ + "/jobs.db"));
  EXPECT_FALSE(fs::exists(dir_.file("typo.db")));
  EXPECT_FALSE(fs::exists(dir_.file("out")));
}

TEST_F(DataCommands, AWrongExportIsRefusedBeforeAnybodyIsAsked) {
  const std::string clips = read_file(set_ + "/clips.jsonl");
  fs::create_directory(dir_.file("proj"));
  dir_.put("proj/notes.jsonl", "mine");
  const auto with_export = [&](const std::string& target) { return run({"data", "run", "--set", set_, "--export", target}); };
  expect_failure(with_export("foo:" + dir_.file("out")), kUsage, "foo");
  expect_failure(with_export("jsonl"), kUsage, "jsonl");
  expect_failure(with_export("jsonl:" + set_), kUsage, "set");
  expect_failure(with_export("jsonl:" + dir_.file("proj")), kUsage, "proj");
  EXPECT_FALSE(fs::exists(set_ + "/jobs.db"));
  EXPECT_EQ(read_file(set_ + "/clips.jsonl"), clips);
  EXPECT_EQ(read_file(dir_.file("proj/notes.jsonl")), "mine");
}

TEST_F(DataCommands, AnExportDoesNotEatItsInput) {
  fs::create_directory(dir_.file("demo"));
  const std::string samples = dir_.put("demo/train.jsonl", "{}\n");
  for (const std::string& out : {dir_.file("demo"), dir_.path(), dir_.file("demo/../demo/")})
    expect_failure(run({"data", "export", "--samples", samples, "--audio-root", dir_.file("demo"), "--out", out}), kUsage,
                   "folder that it reads");
  EXPECT_EQ(read_file(samples), "{}\n");
}

TEST_F(DataCommands, LimitsAreNotNegative) {
  expect_failure(run({"data", "import", "table", dir_.file("table.jsonl"), "--set", dir_.file("new"), "--limit", "-1"}), kUsage,
                 "limit");
  expect_failure(run({"data", "annotate", "--set", set_, "--limit", "-1"}), kUsage, "limit");
  EXPECT_FALSE(fs::exists(dir_.file("new")));
}

TEST_F(DataCommands, WithoutATeacherNothingIsGivenUp) {
  // Port 1 (tcpmux) of loopback has no listener.
  for (int again = 0; again < 4; ++again) {
    const Result dead = annotate("http://127.0.0.1:1/v1");
    EXPECT_EQ(dead.status, kRemote) << dead.err;
    EXPECT_NE(dead.err.find("run the same command again"), std::string::npos) << dead.err;
    EXPECT_EQ(dead.out.find("unreachable"), std::string::npos) << dead.out;
  }
  const std::string good =
      "<caption>A dog barks twice near a road.</caption>"
      "<question1><question>How many barks are heard?</question><answer>Two barks.</answer></question1>"
      "<question2><question>What barks?</question><answer>A dog.</answer></question2>"
      "<question3><question>Where is the dog?</question><answer>Near a road.</answer></question3>";
  llm::testing::Server server([&](const httplib::Request&, httplib::Response& response) {
    llm::testing::answer(response, llm::testing::chat_answer(good, 100, 10));
  });
  const Result alive = annotate(server.url());
  EXPECT_EQ(alive.status, 0) << alive.err;
  EXPECT_EQ(server.seen().size(), kClips) << "the same command goes on with every clip\n" << alive.out;
}

}  // namespace
}  // namespace areason::e2e
