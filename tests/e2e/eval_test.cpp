// The evaluation as a user runs it: nano over a small slice of its own benchmark in every layout, judged and reported; models
// behind a real HTTP server; input with a line of 1 GB.
#include <gtest/gtest.h>
#include <sys/types.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/files.h"
#include "base/json.h"
#include "e2e/fixtures.h"
#include "e2e/process.h"
#include "llm/testing.h"

namespace areason::e2e {
namespace {

namespace fs = std::filesystem;
using llm::testing::answer;
using llm::testing::chat_answer;
using llm::testing::Server;

class EvalCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    // A machine without a voice for Chinese has no zh-en items; everything else is there.
    has_espeak_ = std::system("command -v espeak-ng >/dev/null 2>&1") == 0;
    const Result made =
        run({"eval", "make-benchmark", "--data", "tests/golden/nano-slice", "--split", "test-unseen", "--out", bench_});
    ASSERT_EQ(made.status, 0) << made.err;
    about_ = parse_json(made.out, "benchmark");
  }
  Json eval(const std::vector<std::string>& more) const {
    std::vector<std::string> all = {"eval"};
    all.insert(all.end(), more.begin(), more.end());
    const Result result = run(all);
    EXPECT_EQ(result.status, 0) << result.err;
    return result.status == 0 && !result.out.empty() && result.out[0] == '{' ? parse_json(result.out, "output")
                                                                             : Json::object();
  }
  std::string text_of(const std::vector<std::string>& all) const {
    const Result result = run(all);
    EXPECT_EQ(result.status, 0) << result.err;
    return result.out;
  }
  // Lines of a run's predictions; ids must be distinct.
  std::vector<Json> predictions(const std::string& name) const {
    std::ifstream in(dir_.file(name) + "/predictions.jsonl");
    std::vector<Json> lines;
    std::set<std::string> ids;
    for (std::string line; std::getline(in, line);) {
      lines.push_back(parse_json(line, "prediction"));
      EXPECT_TRUE(ids.insert(lines.back()["id"].get<std::string>()).second);
    }
    return lines;
  }

  ScratchDir dir_;
  std::string bench_ = dir_.file("bench");
  Json about_;
  bool has_espeak_ = false;
};

TEST_F(EvalCommand, SlowNanoOverEveryLayoutOfItsBenchmark) {
  if (!fs::exists("models/nano/config.json")) GTEST_SKIP() << "models/nano is not there";
  EXPECT_EQ(about_["items"]["mmau"], 14);
  EXPECT_EQ(about_["items"]["covost2"], has_espeak_ ? 2 : 1);
  const std::vector<std::vector<std::string>> runs = {{"mmau", "mmau", "asked"},
                                                      {"airbench-foundation", "airbench", "ours"},
                                                      {"airbench-chat", "airbench", "ours"},
                                                      {"covost2", "covost2", "ours"},
                                                      {"meld", "meld", "asked"}};
  for (const auto& one : runs) {
    SCOPED_TRACE(one[0]);
    const Json out = eval({"run", "--benchmark", one[0], "--data", bench_ + "/" + one[1], "--prompt", one[2], "--out",
                           dir_.file("runs/" + one[0]), "--model", "models/nano", "--resamples", "50", "--json"});
    EXPECT_EQ(out["items"], about_["items"][one[0]]);
    EXPECT_EQ(out["answered"], out["items"]);
    EXPECT_EQ(out["outcomes"]["finish_stop"], out["items"]);
    if (one[0] == "airbench-chat") continue;
    const Json& counts = out["score"]["counts"];
    EXPECT_EQ(counts["response_closed"], out["items"]) << "nano's chains are whole";
    EXPECT_FALSE(counts.contains("no_prediction") || counts.contains("bad_gold")) << counts;
  }
  // The four questions on plain sounds are of the kinds that nano knows best (96 to 99 % known, 67 to 86 % unseen recordings).
  const Json mmau = eval(
      {"score", "--benchmark", "mmau", "--stage", "mapped", "--json", "--samples", dir_.file("runs/mmau/predictions.jsonl")});
  int right = 0;
  for (const Json& verdict : mmau["verdicts"])
    right += verdict["id"].get<std::string>().find("-sound-") != std::string::npos && verdict["outcome"] == "right" ? 1 : 0;
  EXPECT_GE(right, 3) << mmau["verdicts"];

  // The judge sees reference and answer in both orders and prefers what stands first by one point.
  Server judge([](const auto&, auto& response) { answer(response, chat_answer("9 8", 50, 3)); });
  const Json chat = eval({"judge", dir_.file("runs/airbench-chat"), "--judge-api", "openai", "--judge-model", "judge",
                          "--judge-url", judge.url(), "--json", "--resamples", "50"});
  const std::string verdicts = read_file(dir_.file("runs/airbench-chat/judge/verdicts.jsonl"));
  EXPECT_EQ(std::count(verdicts.begin(), verdicts.end(), '\n'), 30) << "15 answers in both orders";
  EXPECT_LE(judge.seen().size(), 30u) << "an answer that is the reference's words is one question in both orders";
  for (const char* bucket : {"average", "speech", "sound", "music", "speech_and_sound", "speech_and_music", "mixed"})
    EXPECT_DOUBLE_EQ(chat["figures"][bucket]["value"].get<double>(), 8.5) << bucket;

  const std::string text = text_of({"eval", "report", dir_.file("runs"), "--resamples", "50"});
  for (const char* number : {"4", "5", "6", "7", "8"}) {
    const auto at = text.find(std::string("Table ") + number + ": ");
    ASSERT_NE(at, std::string::npos);
    const std::string table = text.substr(at, text.find("\n\n", at) - at);
    EXPECT_NE(table.find("items of eval make-benchmark, not the paper's"), std::string::npos) << table;
  }
  text_of({"eval", "report", dir_.file("runs"), "--resamples", "50", "--format", "html", "--out", dir_.file("report.html")});
  const std::string page = read_file(dir_.file("report.html"));
  EXPECT_NE(page.find("data:audio/flac;base64,"), std::string::npos);
  EXPECT_NE(page.find("<dt>planning</dt>"), std::string::npos);
}

TEST_F(EvalCommand, CascadeCaptionAndGeminiAnswerTheSlice) {
  ASSERT_EQ(::setenv("OPENAI_API_KEY", "sk-none", 1), 0);
  ASSERT_EQ(::setenv("GEMINI_API_KEY", "none", 1), 0);
  std::atomic<int> transcripts = 0, captions = 0;
  Server server([&](const httplib::Request& request, httplib::Response& response) {
    if (request.path.ends_with("/transcriptions")) {
      ++transcripts;
      return answer(response, {{"text", "the code is eight nine"}});
    }
    if (request.path.ends_with(":generateContent")) {
      const bool listens = request.body.find("inlineData") != std::string::npos;
      EXPECT_TRUE(listens);
      const bool captioning = request.body.find("Describe everything") != std::string::npos;
      captions += captioning ? 1 : 0;
      const std::string said = captioning ? "A bell rings." : "The answer is B.";
      return answer(response,
                    {{"candidates", Json::array({{{"content", {{"role", "model"}, {"parts", Json::array({{{"text", said}}})}}},
                                                  {"finishReason", "STOP"}}})},
                     {"usageMetadata", {{"promptTokenCount", 5}, {"candidatesTokenCount", 2}, {"totalTokenCount", 7}}}});
    }
    EXPECT_EQ(request.body.find("input_audio"), std::string::npos) << "a text model is sent no sound";
    const bool heard = request.body.find("the code is eight nine") != std::string::npos ||
                       request.body.find("A bell rings.") != std::string::npos;
    EXPECT_TRUE(heard) << request.body;
    answer(response, chat_answer("The answer is B.", 9, 4));
  });
  const auto asked = [&](const std::string& name, std::vector<std::string> more) {
    std::vector<std::string> all = {"run",   "--benchmark",   "mmau",   "--data",      bench_ + "/mmau",
                                    "--out", dir_.file(name), "--json", "--resamples", "0"};
    all.insert(all.end(), more.begin(), more.end());
    const Json out = eval(all);
    EXPECT_EQ(out["answered"], 14) << name;
    EXPECT_EQ(out["score"]["counts"]["mapped_by_letter"], 14) << name;
    EXPECT_EQ(predictions(name).size(), 14u);
    return eval(all);  // nothing is asked a second time
  };
  const std::string url = server.url();
  const std::vector<std::string> reader = {"--remote-api", "openai", "--remote-model", "text", "--remote-url", url};
  std::vector<std::string> cascade = {"--listener-api", "transcription", "--listener-model", "whisper", "--listener-url", url};
  cascade.insert(cascade.end(), reader.begin(), reader.end());
  EXPECT_EQ(asked("cascade", cascade)["already_there"], 14);
  EXPECT_EQ(transcripts, 6) << "each of the six clips is transcribed once";
  std::vector<std::string> caption = {"--listener-api",   "gemini",         "--listener-model",
                                      "gemini-2.0-flash", "--listener-url", url};
  caption.insert(caption.end(), reader.begin(), reader.end());
  EXPECT_EQ(asked("caption", caption)["already_there"], 14);
  EXPECT_EQ(captions, 6);
  EXPECT_EQ(
      asked("gemini", {"--remote-api", "gemini", "--remote-model", "gemini-2.0-flash", "--remote-url", url})["already_there"],
      14);
  EXPECT_EQ(server.seen().size(), 6u + 14 + 6 + 14 + 14);
  const std::string text = text_of({"eval", "report", dir_.path(), "--resamples", "0"});
  for (const char* name : {"* cascade: ", "* caption: ", "* gemini: "}) EXPECT_NE(text.find(name), std::string::npos) << text;
}

TEST(EvalHostile, SlowOddItemsAreRunAndCountedByName) {
  if (!fs::exists("models/nano/config.json")) GTEST_SKIP() << "models/nano is not there";
  ScratchDir dir;
  fs::create_directories(dir.file("audio"));
  fs::copy_file("examples/clips/code.flac", dir.file("audio/a.flac"));
  dir.put("audio/text.wav", "this is no sound");
  const auto item = [](const std::string& id, const Json& more) {
    Json out = {{"id", id},
                {"audio_id", "./audio/a.flac"},
                {"question", "Who speaks?"},
                {"choices", {"Man", "Woman"}},
                {"answer", "Man"},
                {"task", "speech"},
                {"difficulty", "easy"},
                {"sub-category", "who"}};
    out.update(more);
    return out;
  };
  const Json items = {item("plain", Json::object()),
                      item("plain", {{"question", "a second item of that id"}}),
                      item("lost", {{"audio_id", "./audio/none.flac"}}),
                      item("no-sound", {{"audio_id", "./audio/text.wav"}}),
                      item("listed-clip", {{"audio_id", {"./audio/a.flac"}}}),
                      item("odd-clip", {{"audio_id", 7}}),
                      item("null-clip", {{"audio_id", nullptr}}),
                      item("choices-text", {{"choices", "[\"Man\", \"Woman\"]"}}),
                      item("choices-prose", {{"choices", "Man or Woman"}}),
                      item("choices-null", {{"choices", nullptr}}),
                      item("five", {{"choices", {"Man", "b", "c", "d", "e"}}}),
                      item("eight", {{"choices", {"Man", "b", "c", "d", "e", "f", "g", "h"}}}),
                      item("listed-fields", {{"category", {"Reasoning"}}, {"question", {"Who speaks?"}}, {"task", {"speech"}}}),
                      item("null-question", {{"question", nullptr}}),
                      item("null-answer", {{"answer", nullptr}}),
                      item("odd-answer", {{"answer", {"Man", "Woman"}}}),
                      "no object",
                      nullptr};
  dir.put("mmau-test-mini.json", dump_json(items));
  const Result result = run({"eval", "run", "--benchmark", "mmau", "--data", dir.path(), "--out", dir.file("run"), "--model",
                             "models/nano", "--max-new-tokens", "4", "--structure", "free", "--json", "--resamples", "0"});
  ASSERT_EQ(result.status, 0) << result.err;
  const Json json = parse_json(result.out, "output");
  EXPECT_EQ(json["items"], 15);
  EXPECT_EQ(json["answered"], 8) << json["outcomes"];
  EXPECT_EQ(json["failed"], 7);
  const Json& outcomes = json["outcomes"];
  EXPECT_EQ(outcomes["finish_length"], 8) << outcomes;
  EXPECT_EQ(outcomes["missing_audio"], 3);
  EXPECT_EQ(outcomes["unusable_audio"], 1);
  EXPECT_EQ(outcomes["no_prompt_field"], 3);
  const Json& counts = json["score"]["counts"];
  const std::vector<std::pair<const char*, int>> wanted = {
      {"duplicate_id_in_data", 1}, {"not_an_object", 2}, {"bad_audio_field", 1}, {"bad_gold", 2}, {"no_prediction", 7}};
  for (const auto& [name, n] : wanted) EXPECT_EQ(counts[name], n) << name << " " << counts;
  for (const char* name : {"choices_as_json_string", "5_choices", "8_choices", "list_typed_field"})
    EXPECT_GE(counts.value(name, 0), 1) << name << " " << counts;
}

// `good`, a line of 1 GB, and `good` again with another id. The gigabyte is a hole in the file and takes no disk.
std::string put_gigabyte(const ScratchDir& dir, const std::string& name, const std::string& good, const std::string& opening) {
  const std::string path = dir.put(name, good + opening);
  fs::resize_file(path, (std::uintmax_t{1} << 30) + good.size() + opening.size());
  std::ofstream(path, std::ios::binary | std::ios::app) << "\n";
  return path;
}

TEST(EvalHostile, SlowALineOfAGigabyteIsCountedInBoundedMemory) {
  const RunOptions small = {.input = "", .memory_mb = 700};
  ScratchDir dir;
  const auto item = [](const std::string& id) {
    return dump_json({{"id", id},
                      {"audio_id", "./a.flac"},
                      {"task", "sound"},
                      {"difficulty", "easy"},
                      {"question", "Who?"},
                      {"answer", "Man"},
                      {"choices", {"Man", "Woman"}},
                      {"model_output", "man"}}) +
           "\n";
  };
  const std::string lines = put_gigabyte(dir, "lines.jsonl", item("a"), "{\"id\": \"long\", \"model_output\": \"");
  std::ofstream(lines, std::ios::app) << item("b");
  const Result scored = run({"eval", "score", "--benchmark", "mmau", "--json", lines}, small);
  ASSERT_EQ(scored.status, 0) << scored.err;
  const Json json = parse_json(scored.out, "score");
  EXPECT_EQ(json["counts"]["record_too_long"], 1);
  EXPECT_EQ(json["samples"], 2);
  EXPECT_EQ(json["figures"]["accuracy"]["value"], 100.0);

  const std::string columns = "Utterance,Emotion,Dialogue_ID,Utterance_ID\n";
  const std::string table = put_gigabyte(dir, "test_sent_emo.csv", columns + "x,joy,0,0\n", "x,");
  std::ofstream(table, std::ios::app) << "y,fear,0,1\n";
  const Result listed =
      run({"eval", "run", "--benchmark", "meld", "--data", table, "--out", dir.file("run"), "--baseline", "majority", "--json"},
          small);
  ASSERT_EQ(listed.status, 0) << listed.err;
  const Json run_json = parse_json(listed.out, "run");
  EXPECT_EQ(run_json["items"], 2);
  EXPECT_EQ(run_json["score"]["counts"]["record_too_long"], 1) << run_json;
}

}  // namespace
}  // namespace areason::e2e
