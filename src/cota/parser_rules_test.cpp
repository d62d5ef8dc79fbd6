// One case for every rule of the parsers of teachers' answers, as tests/cases/parser_rules.json has them: what is taken, and
// how it reads; what is refused, and why. A rule that is taken out of the code fails its case.
#include <gtest/gtest.h>

#include "base/json.h"
#include "cota/annotate.h"
#include "cota/review.h"
#include "cota/script_teacher.h"
#include "cota/think.h"

namespace areason {
namespace {

Json refused(const std::string& why) { return {{"refused", why}}; }

Json annotation_of(const std::string& text, const Json& rules) {
  AnnotationRules asked{rules.value("questions", 1), rules.value("fewest_choices", std::size_t{4})};
  const auto parsed = parse_annotation(text, asked);
  if (!parsed.value) return refused(parsed.refusal);
  Json out = {{"caption", parsed.value->caption}};
  for (const QuestionAnswer& pair : parsed.value->pairs) {
    out["questions"].push_back(pair.question);
    out["answers"].push_back(pair.answer);
    out["choices"].push_back(pair.choices);
    out["letters"].push_back(pair.letter);
  }
  return out;
}

Json chain_of_thought(const std::string& text, const Json& rules) {
  Sample asked;
  asked.answer_letter = rules.value("letter", "b");
  const auto parsed = parse_thought(text, asked);
  if (!parsed.value) return refused(parsed.refusal);
  Json out = Json::object();
  for (const Section section : kSections) out[std::string(section_key(section))] = (*parsed.value)[section];
  return out;
}

Json review_of(const std::string& text, const Json&) {
  const auto parsed = parse_review(text);
  if (!parsed.value) return refused(parsed.refusal);
  return {{"right", parsed.value->right}, {"reason", parsed.value->reason}};
}

Json script_of(const std::string& text, const Json&) {
  const auto parsed = parse_script(text);
  if (!parsed.value) return refused(parsed.refusal);
  Json out = Json::object();
  for (const ScriptSpeaker& speaker : parsed.value->speakers) {
    out["speakers"].push_back(speaker.name);
    out["genders"].push_back(speaker.gender);
  }
  for (const ScriptLine& line : parsed.value->lines) {
    out["of"].push_back(line.speaker);
    out["lines"].push_back(line.text);
  }
  return out;
}

TEST(Parsers, KeepEveryRule) {
  const std::map<std::string, Json (*)(const std::string&, const Json&)> parsers = {
      {"annotate", annotation_of}, {"think", chain_of_thought}, {"review", review_of}, {"script", script_of}};
  const Json cases = read_json_file("tests/cases/parser_rules.json");
  std::map<std::string, int> count;
  for (const Json& c : cases) {
    const std::string stage = c.at("stage");
    std::string text;
    for (int i = c.value("times", 1); i > 0; --i) text += c.at("text").get<std::string>();
    const Json got = parsers.at(stage)(text, c);
    SCOPED_TRACE(stage + ": " + c.at("rule").get<std::string>() + "\nread as " + dump_json(got).substr(0, 500));
    for (const auto& [name, value] : c.at("result").items()) {
      if (name == "refused") {
        EXPECT_NE(got.value(name, "").find(value.get<std::string>()), std::string::npos) << value;
      } else {
        EXPECT_EQ(got.value(name, Json()), value);
      }
    }
    ++count[stage];
  }
  EXPECT_GE(count["annotate"], 60);
  EXPECT_GE(count["think"], 50);
  EXPECT_GE(count["review"], 20);
  EXPECT_GE(count["script"], 30);
}

}  // namespace
}  // namespace areason
