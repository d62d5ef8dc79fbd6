// The steps around the rules: Python's text functions, extraction of the response, mapping to an option, judges' prompts.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "eval/airbench_chat.h"
#include "eval/airbench_foundation.h"
#include "eval/bleu.h"
#include "eval/classification.h"
#include "eval/mmar_rubrics.h"
#include "eval/option_map.h"
#include "eval/python_text.h"
#include "eval/response.h"

namespace areason {
namespace {

TEST(PythonText, LowerIsFullAndKnowsTheFinalSigma) {
  EXPECT_EQ(py::lower("ΟΔΟΣ ΣΑΣ"), "οδος σας");
  EXPECT_EQ(py::lower("\u0130"), "i\u0307");
  EXPECT_EQ(py::lower("STRA\u1E9EE"), "straße");
  EXPECT_EQ(py::upper("ß"), "SS");
}

TEST(PythonText, StripAndSplitTakePythonsWhiteSpace) {
  EXPECT_EQ(py::strip("\u3000\x1c a\u00a0b \u2028\x85"), "a\u00a0b \u2028\x85");  // a lone 0x85 is no character
  EXPECT_EQ(py::strip("\u00a0 a\u00a0b \u2028\u0085"), "a\u00a0b");
  EXPECT_EQ(py::split(" a\u2003b\n").size(), 2u);
  EXPECT_EQ(py::split_lines("a\r\nb\u2028c\n").size(), 3u);
}

TEST(PythonText, ReprOfFloats) {
  EXPECT_EQ(py::repr(1.0), "1.0");
  EXPECT_EQ(py::repr(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(py::repr(1e16), "1e+16");
  EXPECT_EQ(py::repr(std::string_view("it's")), "\"it's\"");
}

TEST(PythonText, BrokenUtf8IsNoCrash) {
  for (const std::string& text :
       {std::string("\xff\xfe"), std::string("a\xe2\x82"), std::string("\xed\xa0\x80 x"), std::string(1, '\0')}) {
    py::word_tokens(text);
    py::strip(text);
    py::to_int(text);
    foundation_letter(text);
    parse_judge_reply(text);
    bleu_counts(text, text, BleuTokenizer::kZh, Casing::kLower);
    map_option(text, {text, "b"});
    extract_response(text);
  }
}

TEST(ExtractResponse, EveryCaseHasItsName) {
  using How = ExtractedResponse::How;
  const auto how = [](const char* text) { return extract_response(text).how; };
  const auto text = [](const char* t) { return extract_response(t).text; };
  EXPECT_EQ(how("plain"), How::kNoTags);
  EXPECT_EQ(text("<THINK>x</THINK>\n<RESPONSE>\na </RESPONSE>"), "a");
  EXPECT_EQ(text("<RESPONSE>a</RESPONSE> and <RESPONSE>b</RESPONSE>"), "b");  // the last one
  EXPECT_EQ(how("<THINK>x</THINK><RESPONSE>cut of"), How::kUnclosed);
  EXPECT_EQ(text("<THINK>x</THINK><RESPONSE>cut of"), "cut of");
  EXPECT_EQ(how("<THINK>x</THINK> so: a"), How::kAfterThink);
  EXPECT_EQ(text("<THINK>x</THINK> so: a"), "so: a");
  EXPECT_EQ(how("<THINK><PLANNING>never ends"), How::kNoResponse);
  EXPECT_EQ(text("<response >a</Response>"), "a");
  EXPECT_TRUE(
      extract_response("<THINK><PLANNING>p</PLANNING><CAPTION>c</CAPTION><REASONING>r</REASONING><SUMMARY>s</SUMMARY></THINK>"
                       "<RESPONSE>a</RESPONSE>")
          .complete);
}

TEST(MapOption, InTheOrderOfTheAttempts) {
  using How = MappedOption::How;
  const std::vector<std::string> people = {"Man", "Woman", "Child", "Robot"};
  const std::vector<std::string> things = {"a guitar", "a piano", "the drums", "none of the above"};
  const std::vector<std::string> chords = {"A minor", "B minor", "C major", "D major"};
  const std::vector<std::string> keys = {"G", "A#", "D", "E"};
  struct Case {
    const char* reply;
    const std::vector<std::string>* choices;
    int index;
    How how;
  };
  const std::vector<Case> cases = {
      {"Woman.", &people, 1, How::kExactText},
      {"**robot**", &people, 3, How::kExactText},
      {"B", &people, 1, How::kLetter},
      {"(b)", &people, 1, How::kLetter},
      {"b.", &people, 1, How::kLetter},
      {"**C**", &people, 2, How::kLetter},
      {"The answer is a.", &people, 0, How::kLetter},
      {"So, the answer is: (D) Robot", &people, 3, How::kLetter},
      {"I think the correct option is B because of the pitch", &people, 1, How::kLetter},
      {"First A seemed right. The answer is B. No, the answer is C.", &people, 2, How::kLetter},
      {"A. Man", &people, 0, How::kLetter},
      {"A man is speaking", &people, 0, How::kTextInside},
      {"the speaker is a woman", &people, 1, How::kTextInside},
      {"a woman and a man", &people, -1, How::kAmbiguous},
      {"(A) Woman", &people, -1, How::kAmbiguous},
      {"The answer is a piano", &things, 1, How::kTextInside},
      {"a", &things, 0, How::kLetter},
      {"The answer is B minor", &chords, 1, How::kTextInside},
      {"B minor", &chords, 1, How::kExactText},
      {"The answer is D", &keys, -1, How::kAmbiguous},
      {"D", &keys, 2, How::kExactText},
      {"The answer is C", &keys, 2, How::kLetter},
      {"no idea", &people, -1, How::kUnread},
      {"", &people, -1, How::kUnread},
      {"The answer is E.", &people, -1, How::kUnread},
      {"答案是 (B)。", &people, 1, How::kLetter},
  };
  for (const Case& c : cases) {
    const MappedOption got = map_option(c.reply, *c.choices);
    EXPECT_EQ(got.index, c.index) << c.reply;
    EXPECT_EQ(mapping_name(got.how), mapping_name(c.how)) << c.reply;
  }
  EXPECT_EQ(map_option("h", {"1", "2", "3", "4", "5", "6", "7", "8"}).index, 7);
  EXPECT_EQ(map_option("x", {}).index, -1);
}

TEST(MeldLabels, OneLabelOrNone) {
  EXPECT_EQ(meld_label_in("The emotion is Joy.", LabelWords::kLabelsOnly), "joy");
  EXPECT_EQ(meld_label_in("joy or anger", LabelWords::kLabelsOnly), "");
  EXPECT_EQ(meld_label_in("happy", LabelWords::kLabelsOnly), "");
  EXPECT_EQ(meld_label_in("happy", LabelWords::kSynonyms), "joy");
}

TEST(JudgePrompt, OrdersAndMarkers) {
  const JudgeQuestion item = {"a dog", "What?", "gold", "said XAssistant2X"};
  const std::string plain = judge_prompt(item, JudgeOrder::kPlain), swapped = judge_prompt(item, JudgeOrder::kSwapped);
  EXPECT_NE(plain.find("[Detailed Audio Description]\na dog\n[Question]\nWhat?\n[The Start of Assistant 1s Answer]\ngold\n"),
            std::string::npos);
  // In the swapped order the marker inside the response is replaced too, as str.replace would.
  EXPECT_NE(swapped.find("[The Start of Assistant 1s Answer]\nsaid gold\n"), std::string::npos);
  EXPECT_TRUE(plain.ends_with("The two scores are separated by a space."));
  EXPECT_TRUE(judge_prompt_lmms(item, JudgeOrder::kPlain).ends_with("Please only output the 2 required number and no text."));
}

TEST(FoundationPrompt, AMissingChoiceIsNone) {
  const Json line = {{"question", "Q?"}, {"choice_a", "x"}, {"choice_b", "y"}, {"choice_c", nullptr}};
  EXPECT_TRUE(foundation_prompt(line).ends_with("C or D.\nQ?\nA. x\nB. y\nC. None\nD. None"));
}

TEST(Rubrics, ReplyAndMean) {
  const Json rubric =
      Json::parse(R"([{"name":"n1","scoring_point":"p","choices":[0,1]},{"name":"n2","scoring_point":"q","choices":[0,1]}])");
  const char* good = "Sure:\n[ {\"name\":\"n1\",\"score\":1,\"justification\":\"[x]\"}, {\"name\":\"n2\",\"score\":0} ] done";
  EXPECT_DOUBLE_EQ(parse_rubric_reply(good, rubric).score.value_or(-1), 0.5);
  for (const char* bad : {"", "[]", "no", "[{\"name\":\"n1\",\"score\":2},{\"name\":\"n2\",\"score\":0}]",
                          "[{\"name\":\"n1\",\"score\":\"1\"},{\"name\":\"n2\",\"score\":0}]",
                          "[{\"name\":\"n1\"},{\"name\":\"n2\",\"score\":0}]"})
    EXPECT_FALSE(parse_rubric_reply(bad, rubric).score) << bad;
  EXPECT_DOUBLE_EQ(trimmed_mean({1, 0, 0.5, 0.5, 0.8}), 0.6);
  EXPECT_DOUBLE_EQ(trimmed_mean({1, 0}), 0.5);
  EXPECT_THROW(rubric_prompt({{"question", "q"}}), Error);
}

}  // namespace
}  // namespace areason
