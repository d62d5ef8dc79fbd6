#include "cot/sections.h"

#include <gtest/gtest.h>

namespace areason {
namespace {

Chain example() {
  Chain chain;
  chain.text = {"Listen first.", "A dog barks < 3 times.", "Two, then one.\n\nSo 3 <THIN>.", "Three.", "The answer is C."};
  return chain;
}

std::string events_text(std::string_view text, std::size_t step) {
  SectionStream stream;
  std::string out;
  const auto add = [&](const std::vector<SectionEvent>& events) {
    for (const SectionEvent& e : events) {
      if (e.kind == SectionEvent::Kind::kOpen) out += "[" + std::string(section_key(e.section)) + ":";
      if (e.kind == SectionEvent::Kind::kText) out += e.text;
      if (e.kind == SectionEvent::Kind::kClose) out += "]";
      EXPECT_EQ(e.kind == SectionEvent::Kind::kText, !e.text.empty());
    }
  };
  for (std::size_t i = 0; i < text.size(); i += step) add(stream.push(text.substr(i, step)));
  add(stream.finish());
  return out;
}

TEST(Sections, RenderIsTheCanonicalLayout) {
  Chain chain;
  chain.text = {"p", "c", "r", "s", "a"};
  EXPECT_EQ(render_chain(chain),
            "<THINK>\n<PLANNING>\np</PLANNING>\n<CAPTION>\nc</CAPTION>\n<REASONING>\nr</REASONING>\n<SUMMARY>\ns</SUMMARY>\n"
            "</THINK>\n<RESPONSE>\na</RESPONSE>");
}

TEST(Sections, ParseInvertsRender) {
  const ParsedChain parsed = parse_chain(render_chain(example()));
  EXPECT_EQ(parsed.chain.text, example().text);
  EXPECT_TRUE(parsed.complete);
  EXPECT_TRUE(parsed.problems.empty());
}

TEST(Sections, ParseTakesAnyWhiteSpaceAndCase) {
  const ParsedChain parsed = parse_chain(
      "<think><PLANNING>p</PLANNING><CAPTION >\n\n c \n</CAPTIONs>\t<reasoning>r</REASONING><SUMMARY>s</SUMMARY></think> "
      "<RESPONSE>a</RESPONSE>\n");
  EXPECT_EQ(parsed.chain.text, (std::array<std::string, 5>{"p", "c", "r", "s", "a"}));
  EXPECT_TRUE(parsed.complete);
}

TEST(Sections, MissingClosingTagEndsAtTheNextTagOrTheEnd) {
  const ParsedChain parsed = parse_chain("<THINK><PLANNING>p<CAPTION>c</THINK><RESPONSE>a");
  EXPECT_EQ(parsed.chain.text, (std::array<std::string, 5>{"p", "c", "", "", "a"}));
  EXPECT_FALSE(parsed.complete);
  EXPECT_EQ(parsed.problems,
            (std::vector<std::string>{"PLANNING is not closed", "CAPTION is not closed", "RESPONSE is not closed",
                                      "REASONING is missing", "SUMMARY is missing"}));
}

TEST(Sections, OrderAndRepetitionAreProblems) {
  const ParsedChain parsed = parse_chain(
      "<THINK><CAPTION>c</CAPTION><PLANNING>p</PLANNING><CAPTION>again</CAPTION><REASONING>r</REASONING><SUMMARY>s</SUMMARY>"
      "</THINK><RESPONSE>a</RESPONSE>");
  EXPECT_EQ(parsed.chain[Section::kCaption], "c");
  EXPECT_FALSE(parsed.complete);
  EXPECT_EQ(parsed.problems, (std::vector<std::string>{"PLANNING comes after CAPTION", "CAPTION comes twice"}));
}

TEST(Sections, NoTagsMeansResponse) {
  const ParsedChain parsed = parse_chain("  A bell <b>rings</b>. ");
  EXPECT_EQ(parsed.chain[Section::kResponse], "A bell <b>rings</b>.");
  EXPECT_FALSE(parsed.complete);
}

TEST(SectionStream, EqualsTheParserForEveryPieceSize) {
  const std::string text = render_chain(example());
  const std::string want =
      "[planning:Listen first.][caption:A dog barks < 3 times.][reasoning:Two, then one.\n\nSo 3 <THIN>.][summary:Three.]"
      "[response:The answer is C.]";
  for (std::size_t step = 1; step <= text.size(); ++step) EXPECT_EQ(events_text(text, step), want) << step;
}

TEST(SectionStream, FreeTextIsTheResponse) {
  for (std::size_t step : {1, 2, 100}) EXPECT_EQ(events_text(" A bell <i>.\n", step), "[response:A bell <i>.]");
  EXPECT_EQ(events_text("", 1), "");
  EXPECT_EQ(events_text("<THI", 1), "[response:<THI]");
}

TEST(SectionStream, UnclosedAndStrayTags) {
  for (std::size_t step : {1, 3, 100}) {
    EXPECT_EQ(events_text("<THINK><PLANNING>p <CAPTION>\nc</REASONING> lost <RESPONSE>a </RESPO", step),
              "[planning:p][caption:c][response:a </RESPO]");
  }
}

TEST(Sections, ThoughtsAndResponseSentApartAreJoinedAsTheyWereWritten) {
  Chain chain;
  for (const Section s : kSections) chain[s] = std::string(section_key(s)) + " text";
  const std::string whole = render_chain(chain);
  const std::size_t from = std::string("<THINK>\n").size(), to = whole.find("</THINK>");
  // With and without the line's end that a server may cut off.
  EXPECT_EQ(join_chain(whole.substr(from, to - from), chain[Section::kResponse]), whole);
  EXPECT_EQ(join_chain(whole.substr(from, to - from - 1), chain[Section::kResponse]), whole);
  const ParsedChain cut = parse_chain(join_chain("<PLANNING>\nplanning text</PLANNING>", ""));
  EXPECT_FALSE(cut.complete);
  EXPECT_EQ(cut.chain[Section::kPlanning], "planning text");
}

}  // namespace
}  // namespace areason
