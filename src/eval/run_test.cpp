// Runs: shards, resumption, a kill in the middle with the real nano, models behind HTTP, nano's own benchmark.
#include "eval/run.h"

#include <signal.h>

#include <atomic>
#include <set>

#include "base/error.h"
#include "eval/nano_benchmark.h"
#include "eval/nano_translation.h"
#include "eval/run_llm.h"
#include "eval/run_testing.h"
#include "llm/openai.h"
#include "llm/testing.h"
#include "synth/process.h"
#include "synth/sentences.h"

namespace areason {
namespace {

std::vector<std::string> ids_in(const std::string& path) {
  std::vector<std::string> ids;
  Counts counts;
  read_records(path, {}, counts, [&](Json&& line, std::size_t) { ids.push_back(line["id"]); });
  return ids;
}

TEST_F(RunTest, FourShardsScoreAsOne) {
  const std::string data = put_mmau(23);
  EvalRun whole = open_run(options("mmau", data, "one"));
  EXPECT_EQ(run_baseline(whole, Baseline::kChance, 5).answered, 23u);
  std::string merged;
  for (int i = 4; i >= 1; --i) {
    RunOptions sharded = options("mmau", data, "four");
    sharded.shard = {i, 4};
    EvalRun run = open_run(sharded);
    run_baseline(run, Baseline::kChance, 5);
    merged = scores_of(run);
    EXPECT_EQ(merged.find("shards are there") == std::string::npos, i == 1);
  }
  EXPECT_EQ(merged, scores_of(whole));
  EXPECT_EQ(scores_of(reopen_run(file("four"))), scores_of(whole));
}

TEST_F(RunTest, GoesOnBehindATornLineAndRefusesAnotherRun) {
  const std::string data = put_mmau(10);
  EvalRun first = open_run(options("mmau", data, "run"));
  run_baseline(first, Baseline::kMajority, 1);
  const std::string whole = read_file(first.predictions), scores = scores_of(first);
  put("run/predictions.jsonl", whole.substr(0, whole.find('\n', whole.find('\n') + 1) + 40));
  EvalRun again = open_run(options("mmau", data, "run"));
  const RunStats stats = run_baseline(again, Baseline::kMajority, 1);
  EXPECT_EQ(stats.skipped, 2u);
  EXPECT_EQ(stats.answered, 8u);
  EXPECT_EQ(read_file(again.predictions), whole);
  EXPECT_EQ(scores_of(again), scores);
  EXPECT_NE(scores.find("\"accuracy\":{\"value\":60.0"), std::string::npos) << "6 of 10 are a man: " << scores;
  RunOptions other = options("mmau", data, "run");
  other.prompt = "official";
  EXPECT_THROW(open_run(other), Error);
  put("mmau/mmau-test-mini.json", read_file(data) + " ");
  EXPECT_THROW(open_run(options("mmau", data, "run")), Error);
  EXPECT_THROW(reopen_run(file("run")), Error);
}

TEST_F(RunTest, TwoProcessesDoNotShareAFile) {
  EvalRun run = open_run(options("mmau", put_mmau(2), "run"));
  {
    const RunLock held(run);
    EXPECT_THROW(run_baseline(run, Baseline::kChance, 1), Error);
  }
  EXPECT_EQ(run_baseline(run, Baseline::kChance, 1).answered, 2u);
}

TEST_F(RunTest, ShardsAreWritten) {
  EXPECT_EQ(parse_shard("2/4").index, 2);
  for (const char* bad : {"", "4", "0/4", "5/4", "1/0", "a/b", "1/4x", "-1/4"}) EXPECT_THROW(parse_shard(bad), Error) << bad;
}

// The real model on real clips. What a kill leaves is finished by the next call, with the same answers as a run in one go.
TEST_F(RunTest, SlowKilledRunOfNanoLosesAndDoublesNothing) {
  Json items = Json::array();
  for (const char* clip : {"code", "sounds", "waltz", "dialogue", "none"}) {
    Json item = mmau_item(clip);
    item["audio_id"] = std::string("./audio/") + clip + ".flac";
    items.push_back(item);
    if (std::string(clip) == "none") continue;
    make_directories(file("d/audio"));
    std::filesystem::copy_file(std::string("examples/clips/") + clip + ".flac", file(std::string("d/audio/") + clip + ".flac"));
  }
  const std::string data = put("d/mmau-test-mini.json", dump_json(items));
  EngineOptions engine;
  engine.batch.model_dir = "models/nano";
  engine.batch.ask.max_new_tokens = 24;
  engine.batch.ask.structure = Structure::kFree;
  engine.batch.workers = 1;
  const auto killed = [&] {
    engine.progress = [](const BatchStats& stats) {
      if (stats.answered == 2) kill(getpid(), SIGKILL);
    };
    EvalRun run = open_run(options("mmau", data, "run"));
    run_engine(run, engine);
  };
  // The plain fork: the child goes on in this test's folder.
  ::testing::FLAGS_gtest_death_test_style = "fast";
  EXPECT_EXIT(killed(), ::testing::KilledBySignal(SIGKILL), "");
  EXPECT_EQ(ids_in(file("run/predictions.jsonl")).size(), 2u);
  engine.progress = {};
  EvalRun run = open_run(options("mmau", data, "run")), whole = open_run(options("mmau", data, "whole"));
  const RunStats stats = run_engine(run, engine);
  EXPECT_EQ(stats.skipped, 2u);
  EXPECT_EQ(stats.answered, 2u);
  EXPECT_EQ(stats.outcomes.at("missing_audio"), 1);
  run_engine(whole, engine);
  const auto ids = ids_in(run.predictions);
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 4u);
  EXPECT_EQ(ids.size(), 4u);
  EXPECT_EQ(scores_of(run), scores_of(whole));
  EXPECT_NE(scores_of(run).find("\"no_prediction\":1"), std::string::npos);
}

TEST_F(RunTest, AServerThatFailsNowAndThenIsAskedAgainAtTheNextCall) {
  const std::string data = put_mmau(6);
  std::atomic<bool> healthy = false;
  std::atomic<int> asked = 0;
  llm::testing::Server server([&](const httplib::Request& request, httplib::Response& response) {
    const Json body = parse_json(request.body, "request");
    EXPECT_NE(dump_json(body).find("input_audio"), std::string::npos);
    if (!healthy && asked++ % 2 == 0) return llm::testing::answer(response, {{"error", {{"message", "no"}}}}, 400);
    llm::testing::answer(response, llm::testing::chat_answer("It is a man. The answer is A.", 9, 3));
  });
  LlmRun llm_run;
  llm::OpenAiOptions openai;
  openai.url = server.url();
  llm_run.asked.provider = llm::make_openai_chat(openai);
  llm_run.asked.model = "m";
  llm_run.asked.workers = 3;
  EvalRun run = open_run(options("mmau", data, "run"));
  const RunStats first = run_llm(run, llm_run);
  EXPECT_EQ(first.answered, 3u);
  EXPECT_EQ(first.failed, 3u);
  EXPECT_EQ(first.outcomes.at("error_rejected"), 3);
  healthy = true;
  EXPECT_EQ(run_llm(run, llm_run).answered, 3u);
  EXPECT_EQ(ids_in(run.predictions).size(), 6u);
  EXPECT_NE(scores_of(run).find("\"mapped_by_letter\":6"), std::string::npos) << scores_of(run);
}

TEST_F(RunTest, ACascadeReadsWhatAnotherModelHeard) {
  const std::string data = put_mmau(4);
  std::atomic<int> transcripts = 0;
  llm::testing::Server server([&](const httplib::Request& request, httplib::Response& response) {
    if (request.path.ends_with("/transcriptions")) {
      ++transcripts;
      return llm::testing::answer(response, {{"text", "the code is zero nine"}});
    }
    EXPECT_EQ(request.body.find("input_audio"), std::string::npos) << "a text model is sent no sound";
    EXPECT_NE(request.body.find("the code is zero nine"), std::string::npos);
    llm::testing::answer(response, llm::testing::chat_answer("Man", 9, 1));
  });
  llm::OpenAiOptions openai;
  openai.url = server.url();
  ListenerUse listening;
  listening.listener.provider = llm::make_openai_transcription(openai);
  listening.listener.model = "whisper";
  LlmRun llm_run;
  llm_run.asked.provider = llm::make_openai_chat(openai);
  llm_run.asked.model = "m";
  EvalRun run = open_run(options("mmau", data, "run"));
  Counts outcomes;
  llm_run.heard = hear_clips(run, listening, outcomes, {});
  EXPECT_EQ(run_llm(run, llm_run).answered, 4u);
  EXPECT_EQ(hear_clips(run, listening, outcomes, {}).size(), 1u);
  EXPECT_EQ(transcripts, 1) << "one clip is heard once, over all items and calls";
}

TEST_F(RunTest, LettersOfAPromptWithOptionsAreLabels) {
  const std::string data =
      put("test_sent_emo.csv", "Utterance,Emotion,Dialogue_ID,Utterance_ID\nx,anger,0,0\ny,joy,0,1\nz,fear,0,2\n");
  const EvalRun run = open_run(options("meld", data, "run"));
  EXPECT_EQ(run.counts.of("missing_audio"), 3);
  AnswerFile out(run.predictions);
  const std::vector<std::string> replies = {"The answer is D.", "(a)", "It is fear."};
  for (std::size_t i = 0; i < 3; ++i) out.append(prediction_line(run, run.items[i], {replies[i], "stop", Json(), Json()}));
  const Json scores = parse_json(scores_of(run), "scores");
  EXPECT_NEAR(scores["figures"]["accuracy"]["value"].get<double>(), 200.0 / 3, 1e-9) << scores;
  EXPECT_EQ(scores["verdicts"][1]["answer"], "neutral");
}

Json sample_line(const std::string& kind, const std::string& domain, const Json& more) {
  Json line = {
      {"id", "x-" + kind},
      {"source", {{"set", "s"}, {"id", "c"}, {"path", "p"}, {"licence", "l"}, {"sha256", kind}}},
      {"audio", {"clips/" + kind + ".flac"}},
      {"timeline", Json::array()},
      {"domain", domain},
      {"task", domain + "_qa"},
      {"kind", kind},
      {"question", "Which? (a) one (b) two"},
      {"choices", {"one", "two"}},
      {"answer", {{"text", "two"}, {"letter", "b"}}},
      {"caption", "two."},
      {"sections",
       {{"planning", "p"}, {"caption", "c"}, {"reasoning", "r"}, {"summary", "s"}, {"response", "Two. The answer is B."}}},
      {"turns", Json::array()},
      {"review", {{"verdict", "true"}, {"reason", ""}, {"by", "oracle"}}},
      {"prompt_version", "1"},
      {"teacher", "oracle"},
      {"split", "test-known"}};
  line.update(more);
  return line;
}

TEST_F(RunTest, NanosBenchmarkRunsThroughEveryReader) {
  std::string lines;
  const auto add = [&](const std::string& kind, const std::string& domain, const Json& more = Json::object()) {
    put_clip("data/clips/" + kind + ".flac");
    lines += dump_json(sample_line(kind, domain, more)) + "\n";
  };
  add("sound-name", "sound");
  add("sound-presence", "sound",
      {{"question", "Is it there?"}, {"choices", Json::array()}, {"answer", {{"text", "yes"}, {"letter", ""}}}});
  add("speech-mood", "speech", {{"choices", {"sad", "angry"}}, {"answer", {{"text", "angry"}, {"letter", "b"}}}});
  add("sound-count", "sound", {{"choices", Json::array()}, {"answer", {{"text", "3"}, {"letter", ""}}}});
  const Json spoken = {{"audio", 0},
                       {"label", "speech"},
                       {"from", 0.1},
                       {"to", 2.0},
                       {"level_db", -20},
                       {"speaker", "v"},
                       {"text", "anna buys two apples and one hat"}};
  add("speech-gender", "speech", {{"timeline", Json::array({spoken})}});
  add("pair-same", "sound", {{"audio", {"clips/pair-same.flac", "clips/sound-name.flac"}}});
  put("data/test-known.jsonl", lines);
  const Json about = make_nano_benchmark({file("data"), file("bench")});
  const int voices = program_exists("espeak-ng") ? 1 : 0;  // it speaks the Chinese side
  EXPECT_EQ(about["items"]["mmau"], 4);
  EXPECT_EQ(about["items"]["airbench-foundation"], 3);
  EXPECT_EQ(about["items"]["airbench-chat"], 5);
  EXPECT_EQ(about["items"]["meld"], 1);
  EXPECT_EQ(about["items"]["covost2"], 1 + voices);
  EXPECT_EQ(about["left_out"]["several_clips pair-same"], 1);
  EXPECT_EQ(about["left_out"]["open sound-count"], 1);
  EXPECT_EQ(make_nano_benchmark({file("data"), file("bench2")}), about) << "the same data, the same hashes";
  const std::vector<std::pair<std::string, std::string>> parts = {{"mmau", "bench/mmau"},
                                                                  {"airbench-foundation", "bench/airbench"},
                                                                  {"airbench-chat", "bench/airbench"},
                                                                  {"covost2", "bench/covost2"},
                                                                  {"meld", "bench/meld"}};
  for (const auto& [benchmark, folder] : parts) {
    const EvalRun run = open_run(options(benchmark, file(folder), "run-" + benchmark));
    EXPECT_EQ(run.counts.all().size(), 0u) << benchmark << ": nothing odd in our own files";
    for (const RunItem& item : run.items) EXPECT_TRUE(item.item->has_audio && !item.prompt.empty()) << item.item->id;
  }
  const EvalRun translation = open_run(options("covost2", file("bench/covost2"), "run-covost2"));
  EXPECT_EQ(translation.items[0].item->fields["sentence"], "Anna buys two apples and one hat.");
  EXPECT_EQ(translation.items[0].item->fields["gt"], "安娜买两份苹果和一个帽子。");
  const EvalRun run = open_run(options("mmau", file("bench/mmau"), "run"));
  EXPECT_EQ(run.items[0].prompt, "Which? (a) one, (b) two");
  EXPECT_EQ(run.items[1].item->choices, (std::vector<std::string>{"yes", "no"}));
}

TEST(NanoTranslation, EverySentenceOfTheGeneratorHasOne) {
  Random random(5);
  std::set<std::string> english, chinese;
  for (int i = 0; i < 3000; ++i) {
    const Sentence sentence = i % 2 == 0 ? make_sentence(random) : make_digit_sentence(random);
    const auto pair = translate_sentence(sentence.text);
    ASSERT_TRUE(pair) << sentence.text;
    EXPECT_EQ(pair->english, sentence.written);
    english.insert(pair->english);
    chinese.insert(pair->chinese);
  }
  EXPECT_EQ(english.size(), chinese.size()) << "different sentences, different translations";
  EXPECT_EQ(translate_sentence("the kitchen code is eight nine")->chinese, "厨房的密码是八九。");
  EXPECT_EQ(translate_sentence("please bring the key to the park on sunday")->chinese, "请在星期天把钥匙带到公园。");
  for (const char* foreign : {"", "the", "hello there", "the code is", "the code is eight nine now", "two"})
    EXPECT_EQ(translate_sentence(foreign).has_value(), std::string(foreign) == "two") << foreign;
}

}  // namespace
}  // namespace areason
