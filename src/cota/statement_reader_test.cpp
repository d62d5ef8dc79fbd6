// Chains read by a language model: the job against a real HTTP server, what is kept, and what the checker finds with readings
// that a large model made of chains in free English (tests/cases/readings_*.jsonl, docs/cota.md).
#include "cota/statement_reader.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <sstream>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/testing.h"
#include "llm/openai.h"
#include "llm/testing.h"

namespace areason {
namespace {

Sample sample(const std::string& id, const std::string& reasoning) {
  Sample s;
  s.id = id;
  s.question = "How often does the dog bark?";
  s.timeline = {
      {0, "dog bark", 0.5, 1.0, -20, "", ""}, {0, "siren", 4.0, 8.0, -30, "", ""}, {0, "background noise", 0, 9, -50, "", ""}};
  s.sections[Section::kPlanning] = "I will count.";
  s.sections[Section::kReasoning] = reasoning;
  return s;
}

AskedModelOptions reader(const std::string& url) {
  llm::OpenAiOptions api;
  api.url = url;
  AskedModelOptions options;
  options.provider = llm::make_openai_chat(api);
  options.model = "reader";
  options.prompt = read_prompt_file("prompts", "check/default");
  options.workers = 2;
  return options;
}

TEST(StatementReader, ReadsEachChainOnceAndTellsNoTimeline) {
  std::atomic<int> calls{0};
  llm::testing::Server server([&](const httplib::Request& request, httplib::Response& response) {
    ++calls;
    const std::string text = parse_json(request.body, "request")["messages"][0].dump();
    EXPECT_NE(text.find("Names of sounds: dog bark; siren"), std::string::npos) << text;
    EXPECT_EQ(text.find("background noise"), std::string::npos);
    EXPECT_EQ(text.find("-20"), std::string::npos);
    EXPECT_EQ(text.find("I will count"), std::string::npos);
    const bool again = text.find("could not be used") != std::string::npos;
    const bool twice = text.find("barks twice") != std::string::npos;
    const std::string claims =
        twice ? "<claims>\ncount(dog bark) = 2\nheard(siren)\n</claims>" : "<claims>count(dog bark) = 1</claims>";
    llm::testing::answer(response, llm::testing::chat_answer(again ? claims : "It barks. I think so.", 100, 20));
  });
  const std::string file = scratch_path("readings.jsonl");
  const std::vector<Sample> samples = {sample("a", "It barks twice."), sample("b", "It barks once.")};
  std::set<std::string> labels;
  for (const Sample& s : samples) add_labels(s, labels);
  const KeptCounts counts = read_chains(file, samples, labels, reader(server.url()));
  EXPECT_EQ(counts.written, 2);
  EXPECT_EQ(counts.refused_answers, 2);
  EXPECT_EQ(calls, 4);
  const Readings readings(file);
  ASSERT_NE(readings.find(samples[0]), nullptr);
  EXPECT_EQ(judge_claims(samples[0], nullptr, *readings.find(samples[0])).wrong,
            (std::vector<std::string>{"count: count(dog bark) = 2"}));
  EXPECT_TRUE(judge_claims(samples[1], nullptr, *readings.find(samples[1])).wrong.empty());

  // Other words under the same id are another chain.
  const std::vector<Sample> later = {samples[0], sample("b", "It barks twice.")};
  EXPECT_EQ(readings.find(later[1]), nullptr);
  EXPECT_EQ(read_chains(file, later, labels, reader(server.url())).known, 1);
  EXPECT_EQ(calls, 6);
  EXPECT_NE(Readings(file).find(later[1]), nullptr);
  EXPECT_NE(Readings(file).find(samples[1]), nullptr) << "what was read before stays";
}

// A last line without its end: kept when it is whole, cut when it is torn, and a file of something else is left alone.
TEST(StatementReader, LastLinesAreKeptWhenTheyAreWhole) {
  llm::testing::Server server([](const httplib::Request&, httplib::Response& response) {
    llm::testing::answer(response, llm::testing::chat_answer("count(dog bark) = 1", 1, 1));
  });
  const std::string file = scratch_path("readings.jsonl");
  std::remove(file.c_str());
  const std::vector<Sample> samples = {sample("a", "It barks."), sample("b", "It barks once.")};
  EXPECT_EQ(read_chains(file, {samples[0]}, {}, reader(server.url())).written, 1);
  const std::string whole = read_file(file);
  write_file_atomic(file, whole.substr(0, whole.size() - 1));
  EXPECT_EQ(Readings(file).size(), 1u);
  EXPECT_EQ(read_chains(file, samples, {}, reader(server.url())).written, 1);
  EXPECT_EQ(Readings(file).size(), 2u);
  write_file_atomic(file, whole + whole.substr(0, whole.size() / 2));
  EXPECT_EQ(read_chains(file, samples, {}, reader(server.url())).written, 1);
  EXPECT_EQ(Readings(file).size(), 2u);
  const std::string other = "{\"models\": {}}";
  write_file_atomic(file, other);
  EXPECT_THROW(read_chains(file, samples, {}, reader(server.url())), Error);
  EXPECT_EQ(read_file(file), other);
}

// Two samples under one name are two chains; the same one twice is read once.
TEST(StatementReader, SamplesThatShareAName) {
  std::atomic<int> calls{0};
  llm::testing::Server server([&](const httplib::Request&, httplib::Response& response) {
    ++calls;
    llm::testing::answer(response, llm::testing::chat_answer("count(dog bark) = 1", 1, 1));
  });
  const std::string file = scratch_path("shared.jsonl");
  std::remove(file.c_str());
  const std::vector<Sample> samples = {sample("a", "It barks."), sample("a", "It barks once."), sample("a", "It barks.")};
  EXPECT_EQ(read_chains(file, samples, {}, reader(server.url())).written, 2);
  EXPECT_EQ(read_chains(file, samples, {}, reader(server.url())).known, 3);
  EXPECT_EQ(calls, 2);
}

TEST(StatementReader, BrokenReadingsAreNamed) {
  const std::string file = scratch_path("readings.jsonl");
  write_file_atomic(file, "{\"id\": \"a\", \"chain\": \"x\"}\n");
  try {
    Readings readings(file);
    FAIL() << "a reading without claims was taken";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("line 1"), std::string::npos) << e.what();
  }
}

Sample with(const Sample& sample, const std::string& from, const std::string& to, std::size_t number) {
  Sample out = sample;
  out.id += "~hand" + std::to_string(number);
  for (const Section section : {Section::kResponse, Section::kSummary, Section::kReasoning, Section::kCaption}) {
    const std::size_t at = out.sections[section].find(from);
    if (at == std::string::npos) continue;
    out.sections[section].replace(at, from.size(), to);
    return out;
  }
  ADD_FAILURE() << sample.id << " does not hold " << from;
  return out;
}

struct Tally {
  int clean = 0, accused = 0, wrong = 0, found = 0, unread = 0;
};

// Chains as they are and with each error by hand, as far as they have been read.
Tally tally_of(const std::vector<std::string>& names, const std::string& read) {
  const Readings readings("tests/cases/readings_" + read + ".jsonl");
  Tally tally;
  std::string all;
  for (const std::string& name : names) all += read_file("tests/cases/free_chains_" + name + ".jsonl");
  std::istringstream in(all);
  const auto accused = [&](const Sample& s) {
    const auto* claims = readings.find(s);
    if (claims == nullptr) return -1;
    return judge_claims(s, nullptr, *claims).wrong.empty() ? 0 : 1;
  };
  for (std::string line; std::getline(in, line);) {
    const Json json = parse_json(line, "chains");
    const Sample sample = sample_from_json(json, "chains");
    if (const int result = accused(sample); result >= 0) {
      ++tally.clean;
      tally.accused += result;
    } else {
      ++tally.unread;
    }
    const Json pairs = json.value("wrong", Json::array());
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const int result = accused(with(sample, pairs[i][0].get<std::string>(), pairs[i][1].get<std::string>(), i));
      if (result < 0) {
        ++tally.unread;
        continue;
      }
      ++tally.wrong;
      tally.found += result;
    }
  }
  std::printf("%s: %d of %d errors found, %d of %d true chains accused, %d not read\n", read.c_str(), tally.found, tally.wrong,
              tally.accused, tally.clean, tally.unread);
  return tally;
}

// Nobody who wrote reader, judge or prompt has read these chains. Two readings, each by readers of its own.
TEST(StatementReader, ChainsThatNobodyHadSeen) {
  for (const char* read : {"holdout", "holdout_again"}) {
    const Tally tally = tally_of({"holdout"}, read);
    EXPECT_EQ(tally.unread, 0);
    EXPECT_EQ(tally.clean, 140);
    EXPECT_EQ(tally.wrong, 559);
    EXPECT_GE(tally.found, 0.95 * tally.wrong) << read;
    EXPECT_LE(tally.accused, 0.02 * tally.clean) << read;
  }
}

// 200 of these, drawn by lot, each read by a reader of its own that got one request of `data check --reader-api` and nothing
// else.
TEST(StatementReader, OneChainARequest) {
  const Tally tally = tally_of({"holdout"}, "holdout_single");
  EXPECT_EQ(tally.clean, 100);
  EXPECT_EQ(tally.wrong, 100);
  EXPECT_GE(tally.found, 94);
  EXPECT_LE(tally.accused, 2);
}

// Written, and read, after the judge was done.
TEST(StatementReader, NewChains) {
  const Tally tally = tally_of({"sixth"}, "sixth");
  EXPECT_EQ(tally.unread, 0);
  EXPECT_EQ(tally.clean, 42);
  EXPECT_EQ(tally.wrong, 214);
  EXPECT_GE(tally.found, 0.95 * tally.wrong);
  EXPECT_LE(tally.accused, 0.02 * tally.clean);
}

// Mostly true ones, which the judge's margins were corrected by.
TEST(StatementReader, ChainsThatTheJudgeWasCorrectedBy) {
  const Tally tally = tally_of({"dev", "second", "third", "fourth"}, "dev");
  EXPECT_EQ(tally.clean, 480);
  EXPECT_EQ(tally.wrong, 48);
  EXPECT_GE(tally.found, 46);
  EXPECT_LE(tally.accused, 5);
}

}  // namespace
}  // namespace areason
