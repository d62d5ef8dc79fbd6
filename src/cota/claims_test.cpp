// The checker against the timeline: single claims, chains written by hand in many styles (tests/cases/free_chains.jsonl), and
// chains with errors that tools/plant_errors.py has planted (tests/cases/planted_chains.jsonl).
#include "cota/claims.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <functional>
#include <map>

#include "base/json.h"
#include "cota/stage_teacher.h"

namespace areason {
namespace {

Sample told(const std::string& text, const std::string& question = "What is heard?") {
  Sample s;
  s.id = "x";
  s.question = question;
  s.timeline = {{0, "dog bark", 0.5, 1.0, -20, "", ""},
                {0, "dog bark", 2.0, 2.5, -20, "", ""},
                {0, "siren", 4.0, 8.0, -30, "", ""},
                {0, "speech", 5.0, 6.5, -20, "anna", "Where are you going?"},
                {0, "speech", 9.0, 10.0, -20, "ben", "to the fire"}};
  s.sections[Section::kReasoning] = text;
  return s;
}
std::string first(const Sample& s) {
  const auto claims = false_claims(s, nullptr);
  return claims.empty() ? "" : claims[0].substr(0, claims[0].find(':'));
}

TEST(Claims, TrueOnesPass) {
  for (const char* text :
       {"A dog barks twice.", "Two barks are heard.", "The dog is heard before the siren.",
        "The siren lasts about four seconds.", "No cat can be heard.", "Two people talk.",
        "Anna says \"where are you going\" while the siren is wailing.", "The siren and the first voice overlap.",
        "First a dog, then a siren.", "The siren starts at 4 s.", "There is no car.",
        "The second speaker says \"to the fire\".", "The siren is the longest sound.", "I look for a cat. Is there a cow?",
        "If there were a train, I would hear it.", "It sounds sharp, like a gunshot.", "Not a cat but a dog is barking.",
        "(a) cat (b) cow (c) dog (d) owl. It is the dog."})
    EXPECT_EQ(false_claims(told(text), nullptr), std::vector<std::string>()) << text;
}

TEST(Claims, FalseOnesAreNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {"A dog barks three times.", "count"},
      {"There are four barks.", "count"},
      {"The siren is heard before the dog.", "order"},
      {"The siren lasts ten seconds.", "length"},
      {"A cat is heard too.", "presence"},
      {"No siren can be heard.", "absence"},
      {"Three people talk.", "speakers"},
      {"Somebody says \"where is the dog going\".", "quote"},
      {"The dog and the siren overlap.", "overlap"},
      {"First a siren, then a dog.", "order"},
      {"The siren starts at 1 s.", "time"},
      {"The first speaker says \"to the fire\".", "quote"},
      {"The last sound is the dog.", "order"},
      {"The dog barks longer than the siren.", "length"},
      {"There is only one speaker.", "speakers"},
      {"The dog is heard from 6.0 to 8.0 s.", "time"},
  };
  for (const auto& [text, code] : cases) EXPECT_EQ(first(told(text)), code) << text;
}

TEST(Claims, WhoSpeaksIsKnownByVoice) {
  const auto judged = [](const char* text) {
    Sample s = told(text);
    s.timeline = {{0, "speech", 0.5, 2.0, -20, "flite:slt", "where is the hotel"},
                  {0, "speech", 2.5, 4.0, -20, "flite:kal16", "it is in the car"},
                  {0, "speech", 4.5, 6.0, -20, "flite:slt", "thank you very much"}};
    return first(s);
  };
  for (const char* text : {"A woman opens the talk.", "The man answers \"it is in the car\".", "She has two turns.",
                           "The woman speaks twice, the man once.", "\"thank you very much\" closes the talk.",
                           "\"it is in the car\" comes from the second speaker."})
    EXPECT_EQ(judged(text), "") << text;
  for (const char* text : {"A man opens the talk.", "The woman answers \"it is in the car\".", "She has three turns.",
                           "The second speaker has two turns.", "\"where is the hotel\" closes the talk.", "Two women speak.",
                           "\"it is in the car\" comes from the first speaker.", "The man asks where the hotel is."})
    EXPECT_NE(judged(text), "") << text;
}

TEST(Claims, PatternsOfWords) {
  for (const char* text :
       {"The dog precedes the siren.", "The siren outlasts the dog.", "The dog is over before the siren starts.",
        "The dog, short and sharp, is followed by the siren.", "A dog opens the clip.", "The dog comes early on.",
        "The siren lasts longer than every bark.", "Each bark is as loud as the one before."})
    EXPECT_EQ(first(told(text)), "") << text;
  for (const char* text :
       {"The siren precedes the dog.", "The dog outlasts the siren.", "The siren is over before the dog starts.",
        "The siren, short and sharp, is followed by the dog.", "The siren opens the clip.", "The dog barks near the end.",
        "The dog barks in the middle of the siren."})
    EXPECT_NE(first(told(text)), "") << text;
}

// Who begins, ends or goes on when another does; whom an amount is about; degrees of whatever is spoken of.
TEST(Claims, ClausesAreRead) {
  for (const char* text :
       {"The siren only sets in once the dog has fallen silent.", "When the siren starts, the dog is long gone.",
        "While the siren is still wailing, Anna asks something.", "The siren is still going when Anna has finished.",
        "The siren starts at 4 s. It lasts about four seconds.", "The dog barks twice, the last one starting at 2.0 s.",
        "It is the siren that is the feeblest.", "No siren is heard until the dog has stopped.",
        "Not a cat is heard, but there is a dog.", "A pause of 1.5 s lies between the second bark and the siren."})
    EXPECT_EQ(first(told(text)), "") << text;
  for (const char* text :
       {"The dog only sets in once the siren has fallen silent.", "When the dog starts, the siren is long gone.",
        "The siren first starts while Ben is still talking.", "The siren is over before Anna begins.",
        "The siren starts at 4 s. It lasts about nine seconds.", "The dog barks twice, the last one starting at 7.0 s.",
        "The siren is by far the most powerful sound.", "No dog is heard until the siren has stopped.",
        "Not a dog is heard, but there is a cat.", "A lull of twenty seconds lies between the second bark and the siren."})
    EXPECT_NE(first(told(text)), "") << text;
}

// Amounts with one meaning: silences, decibels, lists of times; places of two of a kind; fractions in words.
TEST(Claims, AmountsWithOneMeaning) {
  for (const char* text :
       {"A pause of one second lies between the two barks.", "The dog rests for a second and barks again.",
        "A dog barks, then there is about a second of silence, and it barks again.", "The siren is ten decibels below the dog.",
        "The dog barks at 0.5 and 2.0 s.", "The second bark is as long as the first.", "The two barks are one second apart.",
        "Several seconds of siren follow."})
    EXPECT_EQ(first(told(text)), "") << text;
  for (const char* text :
       {"A pause of six seconds lies between the two barks.", "The dog rests for four seconds and barks again.",
        "A dog barks, then there are about six seconds of silence, and it barks again.",
        "The siren is thirty decibels below the dog.", "The siren wails for a second and two thirds.",
        "The siren starts 0.2 s after the first bark has started."})
    EXPECT_NE(first(told(text)), "") << text;
}

// What a chain asks and answers itself is one statement.
TEST(Claims, OwnQuestionsAreAnswered) {
  for (const char* text :
       {"When does the siren start? At 4 seconds.", "What comes first? The dog.", "How long is the siren? Four seconds.",
        "What comes first? It could be the siren.", "What comes first? Not the siren."})
    EXPECT_EQ(first(told(text)), "") << text;
  for (const char* text : {"When does the siren start? At 1.2 seconds.", "Which sound comes first? The siren.",
                           "How long does the siren last? Nine seconds."})
    EXPECT_NE(first(told(text)), "") << text;
}

Sample in_two_files(const std::string& text) {
  Sample s;
  s.id = "x";
  s.question = "In which audio is the dog, audio 1 or audio 2?";
  s.kind = "pair-where";
  s.domain = "sound";
  s.answer_text = "audio 1";
  s.timeline = {
      {0, "dog bark", 0.5, 1.0, -20, "", ""}, {0, "dog bark", 2.0, 2.5, -20, "", ""}, {1, "siren", 1.0, 3.0, -30, "", ""}};
  s.sections[Section::kReasoning] = text;
  return s;
}

// A sentence about two files falls into its halves.
TEST(Claims, FilesAreToldApart) {
  for (const char* text :
       {"In audio 1 a dog barks twice, while in audio 2 there is a siren.",
        "A dog barks in audio 1 and a siren wails in audio 2.", "The first recording is of a dog, the second of a siren.",
        "Audio 2 has a siren. No dog there.", "Audio 1 has more sounds than audio 2."})
    EXPECT_EQ(first(in_two_files(text)), "") << text;
  for (const char* text : {"In 2 there is a cat.", "In audio 1 a dog barks four times, while in audio 2 there is a siren.",
                           "A dog barks in audio 1 and a cat meows in audio 2."})
    EXPECT_NE(first(in_two_files(text)), "") << text;
}

// Heard again, ranks among a total, differences of two lengths.
TEST(Claims, AgainAndByHowMuch) {
  for (const char* text : {"The dog is heard again at 2 s.", "The siren is never heard again.",
                           "The siren exceeds the dog by about three seconds.", "Silence between the barks: 1 s."})
    EXPECT_EQ(first(told(text)), "") << text;
  for (const char* text : {"The siren is heard again at the end.", "The siren exceeds the dog by about twenty seconds."})
    EXPECT_NE(first(told(text)), "") << text;
}

// SUMMARY is held against the known answer where it can say nothing else.
TEST(Claims, SummariesDrawTheConclusion) {
  const auto judged = [](const char* summary) {
    Sample s = in_two_files("");
    s.sections[Section::kSummary] = summary;
    return first(s);
  };
  for (const char* text : {"Audio 1 wins.", "The dog is in the first file, the siren in the second.", "Not audio 2."})
    EXPECT_EQ(judged(text), "") << text;
  for (const char* text : {"Tape two wins.", "It is in the second one."}) EXPECT_EQ(judged(text), "answer") << text;
  Sample s = told("", "Do the dog bark and the siren overlap?");
  s.answer_text = "no";
  s.sections[Section::kSummary] = "They do not overlap.";
  EXPECT_EQ(first(s), "");
  s.sections[Section::kSummary] = "They overlap for half a second.";
  EXPECT_NE(first(s), "");
}

// Letters of options stand for their sounds; what an option says is nobody's claim.
TEST(Claims, LettersOfOptions) {
  const auto judged = [](const char* text) {
    Sample s = told(text, "Which sound is heard last? (a) cow moo (b) siren (c) dog bark (d) owl hoot");
    s.choices = {"cow moo", "siren", "dog bark", "owl hoot"};
    s.domain = "sound";
    s.timeline.resize(3);
    return first(s);
  };
  for (const char* text : {"Option A is not in the audio.", "Options C and B come first and second.",
                           "In b and c the siren comes first, which is wrong."})
    EXPECT_EQ(judged(text), "") << text;
  for (const char* text :
       {"Option A is heard at the beginning of the audio.", "Options B and C come first and third.", "Option B is absent."})
    EXPECT_NE(judged(text), "") << text;
}

TEST(Claims, AnswersAreHeldAgainstTheKnownOne) {
  struct Case {
    const char *answer, *letter, *response;
  };
  const auto judged = [](const Case& c) {
    Sample s = told("", "Which sound is heard last? (a) cow moo (b) siren (c) dog bark (d) owl hoot");
    if (*c.letter != 0) s.choices = {"cow moo", "siren", "dog bark", "owl hoot"};
    s.domain = "sound";
    s.answer_text = c.answer;
    s.answer_letter = c.letter;
    s.sections[Section::kResponse] = c.response;
    return first(s);
  };
  for (const Case& c : {Case{"siren", "b", "B"}, Case{"siren", "b", "(b) siren"}, Case{"siren", "b", "**B - siren**"},
                        Case{"siren", "b", "It is the wailing siren."}, Case{"yes", "", "Yes, they do."},
                        Case{"3", "", "Three."}, Case{"3", "", "There are 3 of them."}})
    EXPECT_EQ(judged(c), "") << c.response;
  for (const Case& c : {Case{"siren", "b", "C"}, Case{"siren", "b", "(a) cow moo"}, Case{"siren", "b", "The answer is D."},
                        Case{"siren", "b", "It is the dog bark."}, Case{"yes", "", "No, they do not."}, Case{"3", "", "Four."}})
    EXPECT_EQ(judged(c), "answer") << c.response;
}

TEST(Claims, SexesAreReadFromBothFormsOfCaptions) {
  for (const char* caption :
       {"5.0 to 6.5 s: speaker 1, a woman, in English, says \"where\". 9.0 to 10.0 s: speaker 2, a man, in English.",
        "5.0 to 6.5 s: a woman, squeaky one, in English, says \"where\". 9.0 to 10.0 s: a man, lilting two, in English."}) {
    const auto judged = [&](const char* text) {
      Sample s = told(text);
      s.caption = caption;
      return first(s);
    };
    EXPECT_EQ(judged("The first speaker is a woman."), "") << caption;
    EXPECT_EQ(judged("The first speaker is a man."), "trait") << caption;
    EXPECT_EQ(judged("The second speaker is a woman."), "trait") << caption;
  }
}

TEST(Claims, TraitsAreHeldAgainstWhatIsKnown) {
  const auto judged = [](const char* text) {
    Sample s = told(text);
    s.caption = "0.0 to 9.0 s: music. The music: organ, slow, 3/4, waltz feel, minor, sad.";
    s.timeline = {{0, "music", 0.0, 9.0, -20, "", ""}};
    s.kind = "music-mood";
    return first(s);
  };
  for (const char* text :
       {"A slow waltz in minor.", "An organ plays.", "It is not a piano.", "The mood of the piece is melancholy."})
    EXPECT_EQ(judged(text), "") << text;
  for (const char* text : {"A fast tune.", "A violin plays.", "The piece is in major.", "It is a waltz with a happy mood."})
    EXPECT_EQ(judged(text), "trait") << text;
}

TEST(Claims, NothingIsSaidWithoutATimeline) {
  Sample s = told("A cat is heard three times.");
  s.timeline.clear();
  EXPECT_TRUE(false_claims(s, nullptr).empty());
}

struct Tally {
  int clean = 0, alarms = 0, wrong = 0, found = 0;
  double recall() const { return wrong == 0 ? 1 : static_cast<double>(found) / wrong; }
  double false_alarms() const { return clean == 0 ? 0 : static_cast<double>(alarms) / clean; }
};

void each_line(const std::string& path, const std::function<void(const Json&)>& each) {
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) each(parse_json(line, path));
}

Sample with(const Sample& sample, const std::string& from, const std::string& to) {
  Sample out = sample;
  for (const Section section : {Section::kResponse, Section::kSummary, Section::kReasoning, Section::kCaption}) {
    const std::size_t at = out.sections[section].find(from);
    if (at == std::string::npos) continue;
    out.sections[section].replace(at, from.size(), to);
    return out;
  }
  ADD_FAILURE() << sample.id << " does not hold " << from;
  return out;
}

// Chains with errors by hand ("wrong": pairs of text and what to put for it): as they are, and with one error each.
Tally tally_of(const std::string& path) {
  Tally tally;
  each_line(path, [&](const Json& json) {
    const Sample sample = sample_from_json(json, path);
    ++tally.clean;
    const auto alarms = false_claims(sample, nullptr);
    tally.alarms += alarms.empty() ? 0 : 1;
    if (!alarms.empty()) std::printf("false alarm: %s %s\n", sample.id.c_str(), alarms[0].c_str());
    for (const Json& pair : json.value("wrong", Json::array())) {
      ++tally.wrong;
      const Sample bad = with(sample, pair[0].get<std::string>(), pair[1].get<std::string>());
      tally.found += false_claims(bad, nullptr).empty() ? 0 : 1;
    }
  });
  std::printf("%s: %d of %d errors found, %d false alarms in %d chains\n", path.c_str(), tally.found, tally.wrong, tally.alarms,
              tally.clean);
  return tally;
}

// The recall that is wanted is 95 %; these are the shares that are reached (docs/cota.md), to see when one is lost.
TEST(Claims, ChainsWrittenByTheCheckersAuthor) {
  const Tally tally = tally_of("tests/cases/free_chains.jsonl");
  EXPECT_GE(tally.clean, 100);
  EXPECT_GE(tally.wrong, 300);
  EXPECT_GE(tally.recall(), 0.88);
  EXPECT_LE(tally.false_alarms(), 0.02);
}

TEST(Claims, ChainsWrittenByOthers) {
  const Tally tally = tally_of("tests/cases/free_chains_dev.jsonl");
  EXPECT_GE(tally.clean, 100);
  EXPECT_GE(tally.wrong, 500);
  EXPECT_GE(tally.recall(), 0.79);
  EXPECT_LE(tally.false_alarms(), 0.02);
}

// Sixty chains with errors, and two hundred true ones in as many moods, to which the rules were made precise.
TEST(Claims, ChainsWrittenByTheSecondAuthor) {
  const Tally tally = tally_of("tests/cases/free_chains_second.jsonl");
  EXPECT_GE(tally.clean, 200);
  EXPECT_GE(tally.wrong, 300);
  EXPECT_GE(tally.recall(), 0.77);
  EXPECT_LE(tally.false_alarms(), 0.02);
}

// Twenty-one chains with errors and forty true ones of dense wording, in batches that were each run once before the checker
// was corrected by them (docs/cota.md has what was found then).
TEST(Claims, ChainsInMoodsNobodyHadTried) {
  const Tally tally = tally_of("tests/cases/free_chains_third.jsonl");
  EXPECT_GE(tally.clean, 50);
  EXPECT_GE(tally.wrong, 100);
  EXPECT_GE(tally.recall(), 0.59);
  EXPECT_LE(tally.false_alarms(), 0.02);
}

// Eleven batches by the checker's fourth author, in styles that no other file has, each run once before the checker was
// corrected by it (docs/cota.md has what was found then).
TEST(Claims, ChainsByTheFourthAuthor) {
  const Tally tally = tally_of("tests/cases/free_chains_fourth.jsonl");
  EXPECT_GE(tally.clean, 200);
  EXPECT_GE(tally.wrong, 300);
  EXPECT_GE(tally.recall(), 0.66);
  EXPECT_LE(tally.false_alarms(), 0.02);
}

// Chains that the checker was never corrected by: what strangers' may expect.
TEST(Claims, ChainsByAFifthAuthor) {
  const Tally tally = tally_of("tests/cases/free_chains_fifth.jsonl");
  EXPECT_GE(tally.clean, 31);
  EXPECT_GE(tally.wrong, 130);
  EXPECT_GE(tally.recall(), 0.55);
  EXPECT_LE(tally.false_alarms(), 0.4);
}

// Two more authors, denser.
TEST(Claims, ChainsBySixthAuthors) {
  const Tally tally = tally_of("tests/cases/free_chains_sixth.jsonl");
  EXPECT_GE(tally.clean, 42);
  EXPECT_GE(tally.wrong, 214);
  EXPECT_GE(tally.recall(), 0.7);
  EXPECT_LE(tally.false_alarms(), 0.33);
}

TEST(Claims, PlantedErrorsAreFoundByTheCheckerAndTheReviewer) {
  Tally checker, reviewer;
  const auto oracle = make_oracle_teacher();
  each_line("tests/cases/planted_chains.jsonl", [&](const Json& json) {
    const Sample sample = sample_from_json(json, "planted_chains.jsonl");
    const bool planted = !json["planted"].get<std::string>().empty();
    const bool found = !false_claims(sample, nullptr).empty(), refused = oracle_refuses(*oracle, sample);
    for (auto [tally, alarm] : {std::pair{&checker, found}, std::pair{&reviewer, refused}}) {
      ++(planted ? tally->wrong : tally->clean);
      if (alarm) ++(planted ? tally->found : tally->alarms);
    }
    if (planted && !found) std::printf("missed: %s\n", sample.id.c_str());
  });
  for (const auto& [name, t] : {std::pair{"checker", checker}, std::pair{"reviewer", reviewer}}) {
    std::printf("%s: %d of %d planted errors found, %d false alarms in %d chains\n", name, t.found, t.wrong, t.alarms, t.clean);
    EXPECT_GE(t.recall(), 0.95) << name;
    EXPECT_LE(t.false_alarms(), 0.02) << name;
    EXPECT_GE(t.wrong, 100) << name;
  }
}

}  // namespace
}  // namespace areason
