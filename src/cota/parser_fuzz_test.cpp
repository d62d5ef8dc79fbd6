// Ten thousand mutations of answers as teachers send them, of all four parsers and of what the stages make of them: nothing
// crashes or hangs, and each ends in a result that keeps the promises of its type or in a refusal that says why.
#include <gtest/gtest.h>

#include <set>

#include "base/json.h"
#include "base/random.h"
#include "cota/annotate.h"
#include "cota/review.h"
#include "cota/script_teacher.h"
#include "cota/stage_run.h"
#include "cota/think.h"

namespace areason {
namespace {

// The answers that tests/cases/parser_rules.json takes, by stage.
std::vector<std::string> golden_answers(const std::string& stage) {
  std::vector<std::string> out;
  for (const Json& c : read_json_file("tests/cases/parser_rules.json")) {
    if (c.at("stage") == stage && !c.at("result").contains("refused")) out.push_back(c.at("text"));
  }
  return out;
}

Sample asked() {
  Sample s;
  s.id = "x";
  s.question = "How often? (a) once (b) twice (c) thrice (d) never";
  s.choices = {"once", "twice", "thrice", "never"};
  s.answer_letter = "b";
  s.answer_text = "twice";
  return s;
}

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_(seed) {}

  std::string operator()(std::string text) {
    for (int edits = random_.between(0, 6); edits > 0; --edits) text = edited(std::move(text));
    return text;
  }

 private:
  std::size_t place(const std::string& text) { return random_.below(static_cast<std::uint32_t>(text.size() + 1)); }

  // A tag of the text, from < to >; all of it when there is none.
  std::pair<std::size_t, std::size_t> tag(const std::string& text) {
    std::size_t from = text.find('<', place(text));
    if (from == std::string::npos) from = text.find('<');
    if (from == std::string::npos) return {0, text.size()};
    const std::size_t to = text.find('>', from);
    return {from, to == std::string::npos ? text.size() : to + 1};
  }

  std::string edited(std::string text) {
    static const std::vector<std::string> pieces = {
        "<", ">", "</", "<caption>", "</answer>", "<question9>", "<THINK>", "</RESPONSE>", "<True>", "<dialogue>", "(a)",
        "\nB. ", "answer is ", "```\n", "{{", "\"", "\\n", "**Question 1:**", "Mara:", "...", "\xef\xbb\xbf", "&lt;caption&gt;",
        // broken UTF-8: a lone byte, a cut character, an overlong one, a surrogate
        "\xff", "\xe9\x9b", "\xc0\xaf", "\xed\xa0\x80", std::string(1, '\0'), "<question99999999999999999999999>",
        "99999999999999999999999999999999", "-1e999"};
    const auto [from, to] = tag(text);
    const std::string one = text.substr(from, to - from);
    const std::size_t at = place(text), cut = random_.below(40);
    switch (random_.below(14)) {
      case 0:
        return text.substr(0, at);  // the answer was cut off
      case 1:
        return text.erase(at, cut);
      case 2:
        return text.erase(from, to - from);  // a tag is missing
      case 3:
        return text.insert(from, one);  // … or there twice
      case 4:
        return text.insert(at, one);  // … or within another
      case 5:
        return text.replace(from, to - from, lower_ascii(one));
      case 6:
        return random_.chance(0.5) ? "```xml\n" + text + "\n```" : "```" + text;
      case 7:
        return text.insert(at, random_.pick(pieces));
      case 8:
        return text.insert(at, text.substr(place(text), cut));
      case 9:
        if (at < text.size()) text[at] = static_cast<char>(random_.below(256));
        return text;
      case 10:
        return text.substr(at) + text.substr(0, at);  // in another order
      case 11:
        return random_.chance(0.9) || text.size() > 20'000 ? text : text + text;
      case 12:
        return repeated(text, one);
      default:
        return text.insert(at, std::string(cut, random_.chance(0.5) ? ' ' : '\n'));
    }
  }

  // Nested far too deep, now and then.
  std::string repeated(const std::string& text, const std::string& one) {
    if (random_.chance(0.9) || one.size() > 40) return text;
    std::string deep;
    for (int i = 0; i < 300; ++i) deep += one;
    return deep + text;
  }

  Random random_;
};

void expect_text(const std::string& text, const char* what) {
  EXPECT_FALSE(text.empty()) << what;
  EXPECT_EQ(trimmed(text), text) << what;
}

void expect_whole(const Annotation& a, int questions) {
  expect_text(a.caption, "caption");
  EXPECT_GE(a.caption.size(), 10u);
  EXPECT_EQ(a.pairs.size(), static_cast<std::size_t>(questions));
  std::set<std::string> seen;
  for (const QuestionAnswer& pair : a.pairs) {
    expect_text(pair.question, "question");
    expect_text(pair.answer, "answer");
    EXPECT_TRUE(seen.insert(pair.question).second) << "asked twice: " << pair.question;
    ASSERT_EQ(pair.letter.empty(), pair.choices.empty());
    if (pair.choices.empty()) continue;
    ASSERT_EQ(pair.choices.size(), 4u);
    EXPECT_EQ(std::set<std::string>(pair.choices.begin(), pair.choices.end()).size(), 4u);
    for (const std::string& choice : pair.choices) expect_text(choice, "choice");
    ASSERT_TRUE(pair.letter.size() == 1 && pair.letter[0] >= 'a' && pair.letter[0] <= 'd') << pair.letter;
    QuestionAnswer moved = pair;
    shuffle_choices(moved, 3);
    const auto gold = [](const QuestionAnswer& p) { return p.choices[static_cast<std::size_t>(p.letter[0] - 'a')]; };
    EXPECT_EQ(gold(moved), gold(pair));
  }
}

void expect_whole(const DialogueScript& script) {
  EXPECT_GE(script.lines.size(), 4u);
  EXPECT_GE(script.speakers.size(), 2u);
  EXPECT_LE(script.speakers.size(), 6u);
  for (const ScriptSpeaker& speaker : script.speakers) {
    expect_text(speaker.name, "name");
    EXPECT_TRUE(speaker.gender.empty() || speaker.gender == "man" || speaker.gender == "woman") << speaker.gender;
  }
  for (const ScriptLine& line : script.lines) {
    ASSERT_TRUE(line.speaker >= 0 && static_cast<std::size_t>(line.speaker) < script.speakers.size());
    EXPECT_FALSE(spoken_words(line.text).empty());
  }
}

// A sample goes into the store and out again as JSON, whatever bytes it holds.
void expect_storable(const StageResult& result) {
  ASSERT_NE(result.samples.empty(), result.refusal.empty());
  for (const Sample& s : result.samples) {
    const std::string line = dump_json(sample_to_json(s));
    EXPECT_EQ(line.find('\n'), std::string::npos);
    EXPECT_EQ(dump_json(sample_to_json(sample_from_json(parse_json(line, "sample"), "sample"))), line);
  }
}

// How many of the parsers took the text.
int read_by_all(const std::string& text, int questions) {
  const auto annotation = parse_annotation(text, {questions});
  const auto thought = parse_thought(text, asked());
  const auto review = parse_review(text);
  const auto script = parse_script(text);
  EXPECT_NE(annotation.value.has_value(), !annotation.refusal.empty());
  EXPECT_NE(thought.value.has_value(), !thought.refusal.empty());
  EXPECT_NE(review.value.has_value(), !review.refusal.empty());
  EXPECT_NE(script.value.has_value(), !script.refusal.empty());
  if (annotation.value) expect_whole(*annotation.value, questions);
  if (script.value) expect_whole(*script.value);
  if (review.value) {
    EXPECT_LE(review.value->reason.size(), 4000u);
  }
  if (thought.value) {
    for (const Section section : kSections) expect_text((*thought.value)[section], "section");
  }
  StageItem item;
  item.clip.id = "clip";
  item.sample = asked();
  StagePrompt prompt;
  prompt.questions = questions;
  for (const Stage stage : kStages) expect_storable(read_stage_answer(stage, item, text, prompt));
  return (annotation.value ? 1 : 0) + (thought.value ? 1 : 0) + (review.value ? 1 : 0) + (script.value ? 1 : 0);
}

TEST(ParserFuzz, TenThousandMutatedAnswers) {
  std::vector<std::vector<std::string>> golden;
  for (const char* stage : {"annotate", "think", "review", "script"}) golden.push_back(golden_answers(stage));
  Mutator mutate(11);
  Random random(12);
  int taken = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string text = mutate(random.pick(golden[static_cast<std::size_t>(i) % golden.size()]));
    taken += read_by_all(text, random.between(1, 3));
    ASSERT_FALSE(HasFailure()) << "mutation " << i << ": " << Json(text).dump(-1, ' ', true, Json::error_handler_t::replace);
  }
  EXPECT_GT(taken, 3000) << "mutations that leave nothing to read test nothing";
  EXPECT_LT(taken, 9000) << "mutations that change nothing test nothing";
}

// What no random edit makes: answers of hundreds of kilobytes whose shape is the worst for a parser.
TEST(ParserFuzz, HugeAnswersEnd) {
  for (const std::string unit :
       {"<question1>", "</",         "<",          "*",   "**",   "(a) ",
        "\nA. ",       "```\n",      "{{",         "\"",  "1. ",  "true ",
        "Mara: x\n",   "<PLANNING>", "answer is ", "\\n", "\n\n", "<caption>long enough caption</caption>",
        "- ",          "[(*"}) {
    for (const std::size_t bytes : {90'000, 190'000, 400'000}) {
      std::string text;
      while (text.size() < bytes) text += unit;
      read_by_all(text, 3);
      ASSERT_FALSE(HasFailure()) << unit << " for " << bytes << " bytes";
    }
  }
}

}  // namespace
}  // namespace areason
