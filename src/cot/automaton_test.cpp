#include "cot/automaton.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/random.h"

namespace areason {
namespace {

using Phase = ChainState::Phase;

ChainState run(const ChainAutomaton& automaton, std::string_view text, ChainState state = {}) {
  for (const char c : text) state = automaton.step(state, c);
  return state;
}

const char* const kGold =
    "<THINK>\n<PLANNING>\nListen: 1 < 2.</PLANNING>\n<CAPTION>\n<b>A dog</b> barks.\n</CAPTION>\n<REASONING>\nr <THINKING>\n\nx"
    "</REASONING>\n<SUMMARY>\ns</SUMMARY>\n</THINK>\n<RESPONSE>\nThe answer is C.</RESPONSE>";

TEST(ChainAutomaton, AcceptsTheCanonicalLayoutOnly) {
  const ChainAutomaton automaton;
  EXPECT_EQ(run(automaton, kGold).phase, Phase::kDone);
  for (const char* bad :
       {"x", "<THINK><", "<THINK>\n<PLANNING>\n ", "<THINK>\n<PLANNING>\n\n", "<THINK>\n<PLANNING>\n</PLANNING>",
        "<THINK>\n<PLANNING>\nx</CAPTION>", "<THINK>\n<PLANNING>\nx<RESPONSE>", "<THINK>\n<PLANNING>\nx</planning>",
        "<THINK>\n<PLANNING>\nx</PLANNINGs", "<THINK>\n<PLANNING>\nx<caption >", "<THINK>\n<PLANNING>\nx</PLANNING>\n<REASON",
        "<THINK>\n<PLANNING>\nx</PLANNING>x"}) {
    EXPECT_EQ(run(automaton, bad).phase, Phase::kRejected) << bad;
  }
  EXPECT_EQ(run(automaton, std::string(kGold) + "\n").phase, Phase::kRejected);
}

// Whatever is accepted parses into five closed sections whose text is what was written between the tags.
TEST(ChainAutomaton, AcceptedTextsParseCompletely) {
  const ChainAutomaton automaton;
  const std::string pieces[] = {"<", "/", ">", "</", "THINK", "planning", "CAPTION", "RESPONSE>", "s", " ", "\n", "a"};
  Random random(7);
  for (int round = 0; round < 300; ++round) {
    std::string text;
    ChainState state = automaton.start();
    while (state.phase != Phase::kDone) {
      std::string add = automaton.forced(state);
      if (add.empty()) add = pieces[random.below(std::size(pieces))];
      if (state.phase == Phase::kText && random.chance(0.1)) state = automaton.close(state), add = automaton.forced(state);
      const ChainState next = run(automaton, add, state);
      if (next.phase == Phase::kRejected) continue;
      state = next;
      text += add;
    }
    const ParsedChain parsed = parse_chain(text);
    EXPECT_TRUE(parsed.complete && parsed.problems.empty()) << text << "\n"
                                                            << (parsed.problems.empty() ? "" : parsed.problems[0]);
  }
}

TEST(ChainAutomaton, ForcedTextIsTheLayout) {
  const ChainAutomaton automaton;
  EXPECT_EQ(automaton.forced(automaton.start()), "<THINK>\n<PLANNING>\n");
  EXPECT_EQ(automaton.forced(run(automaton, "<THINK>\n<PLANNING>\nx</PLANNING>")), "\n<CAPTION>\n");
  EXPECT_EQ(automaton.forced(run(automaton, "<THINK>\n<PLANNING>\nx</PLANN")), "");
}

TEST(ChainAutomaton, CloseKeepsWhatIsWrittenOfTheTag) {
  const ChainAutomaton automaton;
  const auto rest = [&](const char* text) {
    return automaton.forced(automaton.close(run(automaton, std::string("<THINK>\n<PLANNING>\n") + text)));
  };
  EXPECT_EQ(rest("x"), "</PLANNING>\n<CAPTION>\n");
  EXPECT_EQ(rest(""), "</PLANNING>\n<CAPTION>\n");
  EXPECT_EQ(rest("x<"), "/PLANNING>\n<CAPTION>\n");
  EXPECT_EQ(rest("x</PLAN"), "NING>\n<CAPTION>\n");
  EXPECT_EQ(rest("x</PLANNING"), ">\n<CAPTION>\n");
  EXPECT_EQ(rest("x</plan"), "</PLANNING>\n<CAPTION>\n");
  EXPECT_EQ(rest("x<CAP"), "</PLANNING>\n<CAPTION>\n");
}

TEST(ChainAutomaton, ChoicesAreTheOnlyResponses) {
  const ChainAutomaton automaton({"a cat", "a cat purring", "a dog"});
  std::string head = kGold;
  head = head.substr(0, head.find("The answer"));
  EXPECT_EQ(run(automaton, head + "a cat</RESPONSE>").phase, Phase::kDone);
  EXPECT_EQ(run(automaton, head + "a cat purring</RESPONSE>").phase, Phase::kDone);
  EXPECT_EQ(run(automaton, head + "a cat p</RESPONSE>").phase, Phase::kRejected);
  EXPECT_EQ(automaton.forced(run(automaton, head)), "a ");
  EXPECT_EQ(automaton.forced(run(automaton, head + "a d")), "og</RESPONSE>");
  EXPECT_EQ(automaton.longest_choice(), std::string("a cat purring</RESPONSE>").size());
  EXPECT_THROW(ChainAutomaton({"a", ""}), Error);
  EXPECT_THROW(ChainAutomaton({"a<b"}), Error);
}

}  // namespace
}  // namespace areason
