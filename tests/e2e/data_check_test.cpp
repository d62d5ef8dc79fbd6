// Chains read by a language model (a real HTTP server on loopback), judged, listed, and left out of an export.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/files.h"
#include "base/json.h"
#include "e2e/fixtures.h"
#include "e2e/process.h"
#include "llm/testing.h"

namespace areason::e2e {
namespace {

class DataCheck : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_.put("bark.wav", wav_tone(2));
    samples_ = dir_.put("train.jsonl", line("a", "The dog barks twice.", "The dog barks twice.") +
                                           line("b", "The dog barks a single time.", "The dog barks once."));
  }

  static std::string line(const std::string& id, const std::string& reasoning, const std::string& response) {
    Json sample = {{"id", id},
                   {"audio", {"bark.wav"}},
                   {"timeline", {{{"audio", 0}, {"label", "dog bark"}, {"from", 0.5}, {"to", 1.0}, {"level_db", -20}}}},
                   {"domain", "sound"},
                   {"task", "sound_qa"},
                   {"question", "How often does the dog bark?"},
                   {"sections",
                    {{"planning", "I count the barks."},
                     {"caption", "A dog."},
                     {"reasoning", reasoning},
                     {"summary", "Counted."},
                     {"response", response}}},
                   {"review", {{"verdict", "true"}, {"reason", "fine"}, {"by", "somebody"}}}};
    return dump_json(sample) + "\n";
  }

  ScratchDir dir_;
  std::string samples_;
};

TEST_F(DataCheck, ChainsAreReadJudgedListedAndLeftOut) {
  llm::testing::Server server([](const httplib::Request& request, httplib::Response& response) {
    const bool twice = request.body.find("barks twice") != std::string::npos;
    response.status = 200;
    llm::testing::answer(
        response, llm::testing::chat_answer(twice ? "<claims>\ncount(dog bark) = 2\n</claims>" : "count(dog bark) = 1", 9, 9));
  });
  const std::string defects = dir_.file("defects.jsonl");
  const Result read = run({"data", "check", "--samples", samples_, "--reader-api", "openai", "--reader-model", "m",
                           "--reader-url", server.url(), "--defects", defects});
  EXPECT_EQ(read.status, 0) << read.err;
  EXPECT_NE(read.out.find("2 samples, 1 with defects"), std::string::npos) << read.out << read.err;
  EXPECT_NE(read.out.find("2 chains read, 0 not"), std::string::npos) << read.out;
  const Json listed = parse_json(read_file(defects), defects);
  EXPECT_EQ(listed["id"], "a");
  EXPECT_EQ(listed["defects"], Json::array({"count: count(dog bark) = 2"}));

  // What was read is judged again without anybody being asked.
  const std::size_t asked = server.seen().size();
  const std::string kept = samples_ + ".readings.jsonl";
  const Result again = run({"data", "check", "--samples", samples_, "--readings", kept, "--defects", defects});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(again.out, read.out);
  EXPECT_EQ(server.seen().size(), asked);

  const std::string out = dir_.file("out");
  const std::vector<std::string> exported = {"data",         "export",    "--samples", samples_,
                                             "--audio-root", dir_.path(), "--out",     out};
  const auto leaving_out = [&](const std::string& file) {
    std::vector<std::string> arguments = exported;
    arguments.insert(arguments.end(), {"--leave-out", file});
    return run(arguments);
  };
  const Result left = leaving_out(defects);
  EXPECT_EQ(left.status, 0) << left.err;
  EXPECT_NE(left.out.find("1 samples in"), std::string::npos) << left.out;
  EXPECT_NE(left.out.find("1 more by --leave-out"), std::string::npos) << left.out;
  expect_failure(leaving_out(dir_.file("nowhere.jsonl")), kInput, "nowhere.jsonl");
  expect_failure(leaving_out(dir_.put("wrong.jsonl", "{\"name\": \"a\"}\n")), kInput, "wrong.jsonl, line 1");
  expect_failure(leaving_out(dir_.path()), kInput, dir_.path());
  expect_failure(leaving_out(dir_.put("others.jsonl", "{\"id\": \"c\"}\n")), kInput, "--leave-out");
  expect_failure(leaving_out(dir_.put("all.jsonl", "{\"id\": \"a\"}\n{\"id\": \"b\"}\n")), kInput, "--leave-out");
}

TEST_F(DataCheck, ChainsThatNobodyCouldReadAreNotCalledRight) {
  llm::testing::Server server([](const httplib::Request&, httplib::Response& response) {
    llm::testing::answer(response, llm::testing::chat_answer("The dog barks, as far as I can tell.", 9, 9));
  });
  const auto read_by = [&](const std::string& url) {
    return run({"data", "check", "--samples", samples_, "--reader-api", "openai", "--reader-model", "m", "--reader-url", url,
                "--reader-workers", "1", "--reader-attempts", "1"});
  };
  expect_failure(read_by(server.url()), kRemote, "there is no statement in it");

  // Port 1 (tcpmux) of loopback has no listener.
  expect_failure(read_by("http://127.0.0.1:1/v1"), kRemote, "the reader stopped");
}

TEST_F(DataCheck, FlagsThatDoNotGoTogether) {
  const auto check = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"data", "check", "--samples", samples_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  };
  expect_failure(check({"--measure", "--defects", dir_.file("d")}), kUsage, "--defects");
  expect_failure(check({"--measure", "--json"}), kUsage, "--json");
  expect_failure(check({"--where", "task=x"}), kUsage, "--where");
  expect_failure(check({"--reader-model", "m"}), kUsage, "--reader-api");
  expect_failure(check({"--reader-api", "replay", "--reader-model", "m"}), kUsage, "replay");
  expect_failure(check({"--max-cost-tokens", "5"}), kUsage, "cost");
  expect_failure(check({"--defects", dir_.file("nowhere/d")}), kInput, "nowhere");
  // No file that is read is written over.
  const std::string before = read_file(samples_);
  expect_failure(check({"--defects", samples_}), kUsage, "--defects");
  expect_failure(check({"--defects", dir_.path() + "/./train.jsonl"}), kUsage, "--defects");
  expect_failure(run({"data", "stats", samples_, "--html", samples_}), kUsage, "--html");
  EXPECT_EQ(read_file(samples_), before);
  expect_failure(run({"data", "check", "--samples", samples_, "--readings", dir_.file("none.jsonl")}), kInput, "none.jsonl");
}

}  // namespace
}  // namespace areason::e2e
