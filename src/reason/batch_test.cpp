#include "reason/batch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/reference_testing.h"
#include "base/testing.h"

namespace areason {
namespace {

class BatchTest : public ::testing::Test {
 protected:
  std::string file(const std::string& name) const { return dir_.file(name); }
  std::string write(const std::string& name, const std::string& text) const { return dir_.put(name, text); }
  std::vector<std::string> ids_of(const std::string& path) const {
    std::vector<std::string> ids;
    const std::string text = read_file(path);
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
      ids.push_back(parse_json(text.substr(at, text.find('\n', at) - at), path)["id"]);
    }
    return ids;
  }
  const ScratchDir dir_;
};

TEST_F(BatchTest, ReadsQuestions) {
  write("a.wav", "x");
  const auto path = write(
      "q.jsonl", R"({"id":"1","audio":"a.wav","question":"q","choices":["x","y"],"turns":[{"question":"e","response":"r"}]})"
                 "\n\n"
                 R"({"id":2,"audio":["a.wav","/b.wav","c.wav"],"question":"q2","other":[1]})");
  const auto questions = read_questions(path);
  ASSERT_EQ(questions.size(), 2u);
  EXPECT_EQ(questions[0].audio, (std::vector<std::string>{file("a.wav")}));
  EXPECT_EQ(questions[0].turns.at(0).response, "r");
  EXPECT_EQ(questions[0].choices.size(), 2u);
  EXPECT_EQ(questions[1].id, "2");
  EXPECT_EQ(questions[1].audio, (std::vector<std::string>{file("a.wav"), "/b.wav", "c.wav"}));
}

TEST_F(BatchTest, BadQuestionsNameTheLine) {
  const std::string good = R"({"id":"1","audio":"a","question":"q"})";
  for (const char* bad :
       {"{", "7", R"({"id":"2","audio":"a"})", R"({"audio":"a","question":"q"})", R"({"id":"2","audio":{},"question":"q"})",
        R"({"id":"1","audio":"a","question":"q"})", R"({"id":"2","question":"q","turns":[{"question":"x"}]})"}) {
    try {
      read_questions(write("q.jsonl", good + "\n" + bad));
      ADD_FAILURE() << bad;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInput);
      EXPECT_NE(std::string(e.what()).find("line 2"), std::string::npos) << e.what();
    }
  }
}

TEST_F(BatchTest, AnswerFileDropsATornLineAndAppends) {
  const auto path = write("out.jsonl", "{\"id\":\"a\"}\n{\"id\":\"b\",\"te");
  {
    AnswerFile out(path);
    EXPECT_TRUE(out.has("a"));
    EXPECT_FALSE(out.has("b"));
    out.append("{\"id\":\"b\"}");
    EXPECT_THROW(AnswerFile{path}, Error);  // another run would answer what this one does
  }
  EXPECT_EQ(ids_of(path), (std::vector<std::string>{"a", "b"}));
  EXPECT_THROW(AnswerFile(write("bad.jsonl", "{\"id\":\"a\"}\n{torn}\n{\"id\":\"b\"}\n")), Error);
}

TEST_F(BatchTest, AnswersAllAndResumes) {
  if (tiny_reference().empty()) GTEST_SKIP() << "NO REFERENCE DATA: set AREASON_REFERENCE to check this for real";
  const std::string tiny = std::filesystem::absolute(tiny_reference()).string();
  const std::string short_clip = reference_clips(tiny)[0], other_clip = reference_clips(tiny)[1];
  std::string text;
  const auto add = [&](const std::string& id, const std::string& clip, const Json& more = Json::object()) {
    Json line = {
        {"id", id}, {"audio", tiny + "/clips/" + clip}, {"question", "What is " + id + "?"}, {"choices", {"cat", "dog"}}};
    line.update(more);
    text += dump_json(line) + "\n";
  };
  add("a", short_clip);
  add("b", other_clip);
  add("missing", "nothing.wav");
  add("c", short_clip, {{"turns", {{{"question", "Before?"}, {"response", "Yes."}}}}});
  add("d", other_clip);
  const auto questions = read_questions(write("q.jsonl", text));
  BatchOptions options;
  options.model_dir = tiny + "/model";
  options.ask.max_new_tokens = 130;
  options.choices = Choices::kForce;
  options.workers = 2;
  {
    AnswerFile out(file("out.jsonl"));
    const BatchStats stats = answer_questions(questions, options, out);
    EXPECT_EQ(stats.answered, 4u);
    EXPECT_EQ(stats.failed, 1u);
    EXPECT_GT(stats.generated_tokens, 100);
  }
  auto ids = ids_of(file("out.jsonl"));
  std::sort(ids.begin(), ids.end());  // a file gets them as they are finished
  EXPECT_EQ(ids, (std::vector<std::string>{"a", "b", "c", "d"}));
  const std::string whole = read_file(file("out.jsonl"));
  const Json first = parse_json(whole.substr(0, whole.find('\n')), "out");
  const std::string response = first["sections"]["response"];
  EXPECT_TRUE(response == "cat" || response == "dog") << response;
  EXPECT_EQ(
      first["usage"]["audio_tokens"],
      read_json_file(
          tiny +
          "/cases/cases.json")["clips"][first["id"] == "a" || first["id"] == "c" ? short_clip : other_clip]["audio_tokens"]);

  // A run that was cut off after two answers and a half gives the same file when it goes on, with one worker as with two.
  const auto second_end = whole.find('\n', whole.find('\n') + 1) + 1;
  write("out2.jsonl", whole.substr(0, second_end + 20));
  options.workers = 1;
  AnswerFile out(file("out2.jsonl"));
  EXPECT_EQ(answer_questions(questions, options, out).skipped, 2u);
  const std::string resumed = read_file(file("out2.jsonl"));
  const auto texts = [&](const std::string& all) {
    std::map<std::string, std::string> t;
    for (std::size_t at = 0; at < all.size(); at = all.find('\n', at) + 1) {
      const Json line = parse_json(all.substr(at, all.find('\n', at) - at), "t");
      t[line["id"]] = line["text"];
    }
    return t;
  };
  EXPECT_EQ(texts(resumed), texts(whole));
}

}  // namespace
}  // namespace areason
