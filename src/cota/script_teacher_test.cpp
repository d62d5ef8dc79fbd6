// Scripts from a teacher: what the parser takes and refuses, mutated answers, and the job against a real HTTP server.
#include "cota/script_teacher.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/testing.h"
#include "llm/openai.h"
#include "llm/testing.h"

namespace areason {
namespace {

const std::string kGood =
    "<speakers>Mara (woman), Otto (man)</speakers>\n<dialogue>\nMara: Did you feed the horses?\nOtto: Not yet, I was late.\n"
    "Mara: They must be hungry by now.\nOtto: I will go at once.\n</dialogue>";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

TEST(ScriptParser, TakesWhatTeachersReallySend) {
  const std::pair<const char*, std::string> forms[] = {
      {"as asked", kGood},
      {"upper case", replaced(replaced(kGood, "dialogue>", "DIALOGUE>"), "speakers>", "Speakers>")},
      {"fence", "```\n" + kGood + "\n```"},
      {"text around", "Here is a script:\n\n" + kGood + "\n\nEnjoy!"},
      {"bold names", replaced(replaced(kGood, "Mara:", "**Mara:**"), "Otto:", "**Otto**:")},
      {"numbered", replaced(replaced(kGood, "\nMara:", "\n1. Mara:"), "\nOtto:", "\n2) Otto:")},
      {"quoted lines", replaced(replaced(kGood, ": ", ": \""), ".\n", ".\"\n")},
      {"directions", replaced(replaced(kGood, "Mara: ", "Mara: (sighs) "), "Otto: ", "Otto: [quietly] *nods* ")},
      {"windows lines", replaced(kGood, "\n", "\r\n")},
      {"no closing tag", replaced(kGood, "</dialogue>", "")},
  };
  for (const auto& [name, text] : forms) {
    SCOPED_TRACE(name);
    const auto parsed = parse_script(text);
    ASSERT_TRUE(parsed.value) << parsed.refusal;
    ASSERT_EQ(parsed.value->speakers.size(), 2u);
    EXPECT_EQ(parsed.value->speakers[0].name, "Mara");
    EXPECT_EQ(parsed.value->speakers[0].gender, "woman");
    EXPECT_EQ(parsed.value->speakers[1].gender, "man");
    ASSERT_EQ(parsed.value->lines.size(), 4u);
    EXPECT_EQ(parsed.value->lines[1].speaker, 1);
    EXPECT_EQ(spoken_words(parsed.value->lines[1].text), "not yet i was late");
  }
}

TEST(ScriptParser, TakesScriptsWithoutTags) {
  const auto parsed = parse_script(
      "Scenario: a stable\nMara (female): It\u2019s late \u2014 where is everybody?\nOtto (male): In the hay.\nMara: All of "
      "them?\n"
      "Otto: Nearly all.");
  ASSERT_TRUE(parsed.value) << parsed.refusal;
  EXPECT_EQ(parsed.value->speakers[0].gender, "woman");
  EXPECT_EQ(parsed.value->speakers[1].gender, "man");
  EXPECT_EQ(parsed.value->lines[0].text, "It's late  -  where is everybody?");
}

TEST(ScriptParser, RefusesTheRestWithAReason) {
  EXPECT_NE(parse_script("").refusal.find("fewer than four"), std::string::npos);
  EXPECT_NE(parse_script("I cannot write dialogues.").refusal.find("fewer than four"), std::string::npos);
  EXPECT_NE(parse_script(replaced(kGood, "Otto", "Mara")).refusal.find("one person"), std::string::npos);
  EXPECT_NE(parse_script(replaced(kGood, "I will go at once.", "Not yet, I was late!")).refusal.find("twice"),
            std::string::npos);
  EXPECT_NE(parse_script(replaced(kGood, "I will go at once.", "x <b>bold</b>")).refusal.find("cannot be spoken"),
            std::string::npos);
  std::string longest;
  for (int i = 0; i < 45; ++i) longest += "word" + std::to_string(i) + " ";
  EXPECT_NE(parse_script(replaced(kGood, "I will go at once.", longest)).refusal.find("40 words"), std::string::npos);
  EXPECT_FALSE(parse_script(std::string(200'000, 'a')).value);
}

// Ten thousand mutations: nothing crashes, and what is taken keeps the parser's promises.
TEST(ScriptParser, MutatedAnswers) {
  Random random(7);
  const std::string bits[] = {"<", ">", ":", "\n", "*", "(", ")", "\"", "\xff", "Mara", "</dialogue>", "<speakers>", "1. "};
  int taken = 0;
  for (int i = 0; i < 10'000; ++i) {
    std::string text = kGood;
    for (int k = random.between(1, 6); k > 0 && !text.empty(); --k) {
      const std::size_t at = random.below(static_cast<std::uint32_t>(text.size()));
      if (random.chance(0.5)) {
        text.erase(at, static_cast<std::size_t>(random.between(1, 30)));
      } else {
        text.insert(at, bits[random.below(std::size(bits))]);
      }
    }
    const auto parsed = parse_script(text);
    if (!parsed.value) {
      EXPECT_FALSE(parsed.refusal.empty());
      continue;
    }
    ++taken;
    EXPECT_GE(parsed.value->lines.size(), 4u);
    for (const ScriptLine& line : parsed.value->lines) {
      ASSERT_LT(static_cast<std::size_t>(line.speaker), parsed.value->speakers.size());
      EXPECT_FALSE(spoken_words(line.text).empty());
    }
  }
  EXPECT_GT(taken, 1000);
}

ScriptTeacherOptions teacher(const std::string& url) {
  llm::OpenAiOptions api;
  api.url = url;
  ScriptTeacherOptions options;
  options.provider = llm::make_openai_chat(api);
  options.model = "writer";
  options.prompt = read_prompt_file("prompts", "script/default");
  options.workers = 2;
  return options;
}

TEST(ScriptTeacher, AsksAgainWithTheReasonAndNeverTwiceForOneScript) {
  std::atomic<int> calls{0}, with_reason{0};
  llm::testing::Server server([&](const httplib::Request& request, httplib::Response& response) {
    ++calls;
    const Json body = parse_json(request.body, "request");
    const std::string text = dump_json(body["messages"]);
    const bool again = text.find("could not be used") != std::string::npos;
    with_reason += again ? 1 : 0;
    EXPECT_EQ(body["model"], "writer");
    EXPECT_NE(text.find("<dialogue>"), std::string::npos);
    // The first answer to every prompt is one that cannot be used.
    llm::testing::answer(response, llm::testing::chat_answer(again ? kGood : "Mara: Only one line.", 100, 50));
  });
  const std::string file = scratch_path("scripts.jsonl");
  const auto counts = write_scripts(file, {"a", "b", "c"}, teacher(server.url()));
  EXPECT_EQ(counts.written, 3);
  EXPECT_EQ(counts.refused_answers, 3);
  EXPECT_EQ(calls, 6);
  EXPECT_EQ(with_reason, 3);
  auto scripts = read_scripts(file);
  ASSERT_EQ(scripts.size(), 3u);
  EXPECT_EQ(scripts["b"].lines[3].text, "I will go at once.");
  EXPECT_EQ(scripts["b"].by, "writer");

  // A torn last line, as a killed run leaves it, is asked for again; the rest is not.
  {
    std::ofstream out(file, std::ios::app);
    out << "{\"id\": \"d\", \"scen";
  }
  const auto more = write_scripts(file, {"a", "b", "c", "d"}, teacher(server.url()));
  EXPECT_EQ(more.known, 3);
  EXPECT_EQ(more.written, 1);
  EXPECT_EQ(calls, 8);
  EXPECT_EQ(read_scripts(file).size(), 4u);
}

TEST(ScriptTeacher, GivesUpOneClipButStopsForABadKey) {
  int status = 200;
  llm::testing::Server server([&](const httplib::Request&, httplib::Response& response) {
    if (status == 200) return llm::testing::answer(response, llm::testing::chat_answer("no script", 1, 1));
    llm::testing::answer(response, Json{{"error", {{"message", "bad key"}}}}, status);
  });
  const std::string file = scratch_path("scripts.jsonl");
  EXPECT_EQ(write_scripts(file, {"a"}, teacher(server.url())).given_up, (std::vector<std::string>{"a"}));
  EXPECT_EQ(server.seen().size(), 3u);
  status = 401;
  try {
    write_scripts(file, {"a"}, teacher(server.url()));
    FAIL() << "a refused key was not an error";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kRemote);
  }
}

}  // namespace
}  // namespace areason
