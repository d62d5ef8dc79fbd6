// The stages' own texts: prompt files, the parsers' rules one by one, and ten thousand mutated answers.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/random.h"
#include "base/testing.h"
#include "cota/annotate.h"
#include "cota/review.h"
#include "cota/stage_prompt.h"
#include "cota/stage_run.h"
#include "cota/think.h"

namespace areason {
namespace {

const std::string kGood =
    "<caption>A dog barks twice near a road.</caption>\n"
    "<question1><question>What barks?</question> <answer>A dog barks.</answer></question1>\n"
    "<question2><question>How often? (a) once (b) twice (c) thrice (d) never</question> <answer>Two barks are heard, so the "
    "answer is B.</answer></question2>";

Annotation read(const std::string& text, int questions = 2) {
  const auto parsed = parse_annotation(text, {questions});
  EXPECT_TRUE(parsed.value) << parsed.refusal << "\nof: " << text;
  return parsed.value.value_or(Annotation{});
}
std::string refused(const std::string& text, int questions = 2) {
  const auto parsed = parse_annotation(text, {questions});
  EXPECT_FALSE(parsed.value) << text;
  return parsed.refusal;
}
std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

TEST(Annotation, ReadsTheFormAsAskedFor) {
  const Annotation a = read(kGood);
  EXPECT_EQ(a.caption, "A dog barks twice near a road.");
  ASSERT_EQ(a.pairs.size(), 2u);
  EXPECT_EQ(a.pairs[0].question, "What barks?");
  EXPECT_EQ(a.pairs[0].letter, "");
  EXPECT_EQ(a.pairs[1].choices, (std::vector<std::string>{"once", "twice", "thrice", "never"}));
  EXPECT_EQ(a.pairs[1].letter, "b");
}

// Every deviation reads as the good answer does.
TEST(Annotation, TakesWhatTeachersReallySend) {
  const std::pair<const char*, std::string> forms[] = {
      {"upper case", replaced(replaced(replaced(kGood, "caption>", "CAPTION>"), "question", "Question"), "answer>", "ANSWER>")},
      {"fence", "```xml\n" + kGood + "\n```"},
      {"text around", "Sure! Here you are:\n" + kGood + "\nI hope this helps."},
      {"ans", replaced(kGood, "answer>", "Ans>")},
      {"plural closing tag", replaced(kGood, "</caption>", "</CAPTIONs>")},
      {"no closing tags", replaced(replaced(replaced(kGood, "</answer>", ""), "</question>", ""), "</question1>", "")},
      {"one number twice", replaced(kGood, "question2>", "question1>")},
      {"no inner question", replaced(replaced(kGood, "<question>", ""), "</question>", "")},
      {"windows lines", replaced(kGood, "\n", "\r\n")},
      {"options on lines",
       replaced(replaced(replaced(replaced(kGood, " (a)", "\nA."), " (b)", "\nB."), " (c)", "\nC."), " (d)", "\nD.")},
      {"dotted options", replaced(replaced(kGood, "(a)", "(a)."), "(b)", "(b).")},
      {"letter in brackets", replaced(kGood, "answer is B.", "answer is (b)")},
      {"capitals", replaced(kGood, "answer is B.", "ANSWER IS B")},
  };
  for (const auto& [name, text] : forms) {
    SCOPED_TRACE(name);
    const Annotation a = read(text);
    ASSERT_EQ(a.pairs.size(), 2u);
    EXPECT_EQ(a.caption, "A dog barks twice near a road.");
    EXPECT_EQ(a.pairs[0].question, "What barks?");
    EXPECT_EQ(a.pairs[1].choices, (std::vector<std::string>{"once", "twice", "thrice", "never"}));
    EXPECT_EQ(a.pairs[1].letter, "b");
  }
  const Annotation list = read(
      "**Caption:** A dog barks twice near a road.\n\n1. **Question 1:** What barks?\n**Answer:** A dog.\n\n2. Question 2: How "
      "often?\n(a) once\n(b) twice\n(c) thrice\n(d) never\nAnswer: The answer is B.");
  EXPECT_EQ(list.pairs[1].letter, "b");
}

TEST(Annotation, RefusesTheRestWithAReason) {
  EXPECT_NE(refused("").find("<caption>"), std::string::npos);
  EXPECT_NE(refused("I cannot hear audio.").find("<caption>"), std::string::npos);
  EXPECT_NE(refused(replaced(kGood, "<answer>A dog barks.</answer>", "")).find("no answer"), std::string::npos);
  EXPECT_NE(refused(replaced(kGood, " (d) never", "")).find("exactly four"), std::string::npos);
  EXPECT_NE(refused(replaced(kGood, "so the answer is B.", "twice.")).find("answer is"), std::string::npos);
  EXPECT_NE(refused(replaced(kGood, " (a) once (b) twice (c) thrice (d) never", "")).find("no options"), std::string::npos);
  EXPECT_NE(refused(replaced(kGood, "(c) thrice", "(c) twice")).find("twice"), std::string::npos);
  EXPECT_NE(refused(kGood, 3).find("2 questions"), std::string::npos);
  EXPECT_NE(refused(replaced(kGood, "A dog barks twice near a road.", "...")).find("caption"), std::string::npos);
  EXPECT_NE(
      refused("<caption>long enough caption</caption><question1><question>Q?</question><answer>The answer is A.</answer>", 1)
          .find("no options"),
      std::string::npos);
}

TEST(Annotation, MovesTheRightOptionWithItsLetter) {
  std::map<std::string, int> letters;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    QuestionAnswer pair = read(kGood).pairs[1];
    shuffle_choices(pair, seed);
    ++letters[pair.letter];
    EXPECT_EQ(pair.choices[static_cast<std::size_t>(pair.letter[0] - 'a')], "twice");
    EXPECT_EQ(choices_in(pair.question), pair.choices);
    EXPECT_TRUE(pair.answer.ends_with(std::string("answer is ") + static_cast<char>(pair.letter[0] - 32) + ".")) << pair.answer;
  }
  for (const auto& [letter, count] : letters) EXPECT_NEAR(count, 100, 40) << letter;
  QuestionAnswer weighed = read(kGood).pairs[1];
  weighed.answer = "Not (a), since two are heard. The answer is B.";
  const std::string before = weighed.question;
  shuffle_choices(weighed, 1);
  EXPECT_EQ(weighed.question, before);
}

Sample asked() {
  Sample s;
  s.id = "x";
  s.question = "How often? (a) once (b) twice";
  s.choices = {"once", "twice"};
  s.answer_letter = "b";
  s.answer_text = "twice";
  return s;
}
const std::string kThought =
    "<THINK>\n<PLANNING>\nI count.</PLANNING>\n<CAPTION>\nTwo barks.</CAPTION>\n<REASONING>\nOne, two.</REASONING>\n"
    "<SUMMARY>\nTwo.</SUMMARY>\n</THINK>\n<RESPONSE>\nTwo barks. The answer is B.</RESPONSE>";

TEST(Thought, ReadsWhatIsCompleteAndRight) {
  for (const std::string& text :
       {kThought, lower_ascii(kThought), "```\n" + kThought + "\n```", replaced(kThought, "</SUMMARY>", ""),
        replaced(kThought, "</THINK>", ""), replaced(kThought, "\n", "\\n")}) {
    const auto parsed = parse_thought(text, asked());
    ASSERT_TRUE(parsed.value) << parsed.refusal << "\n" << text;
    EXPECT_EQ(lower_ascii((*parsed.value)[Section::kReasoning]), "one, two.");
  }
}

TEST(Thought, RefusesTheRestWithAReason) {
  const auto refusal = [](const std::string& text) {
    const auto parsed = parse_thought(text, asked());
    EXPECT_FALSE(parsed.value) << text;
    return parsed.refusal;
  };
  EXPECT_NE(refusal("Two.").find("PLANNING"), std::string::npos);
  EXPECT_NE(refusal(replaced(kThought, "<REASONING>\nOne, two.</REASONING>", "")).find("REASONING"), std::string::npos);
  EXPECT_NE(refusal(replaced(kThought, "answer is B", "answer is A")).find("another option"), std::string::npos);
  EXPECT_NE(refusal(replaced(kThought, " The answer is B.", "")).find("letter"), std::string::npos);
  EXPECT_NE(refusal(replaced(kThought, "One, two.", "The provided answer says two.")).find("provided answer"),
            std::string::npos);
}

TEST(Review, TheLastVerdictCountsAndNoneIsNoVerdict) {
  const std::pair<const char*, bool> verdicts[] = {
      {"<True>", true},
      {"All is right.\n<true>", true},
      {"Verdict: **False**", false},
      {"OK", true},
      {"No.", false},
      {"<True> at first, but <False>", false},
      {"It is true that a dog barks. <False>", false},
      {"```\n<TRUE>\n```", true},
  };
  for (const auto& [text, right] : verdicts) {
    const auto parsed = parse_review(text);
    ASSERT_TRUE(parsed.value) << text;
    EXPECT_EQ(parsed.value->right, right) << text;
  }
  for (const char* text : {"", "The chain looks plausible.", "untrue", "falsehood"})
    EXPECT_FALSE(parse_review(text).value) << text;
}

TEST(Rules, FindWhatIsWrongWithASample) {
  Sample s = asked();
  s.sections = *parse_thought(kThought, s).value;
  s.timeline = {{0, "speech", 0, 2, -20, "1", "The early bird catches the worm"},
                {0, "dog barking", 3, 3.5, -20, "", ""},
                {0, "dog barking", 4, 4.5, -20, "", ""}};
  EXPECT_EQ(sample_defects(s, nullptr), std::vector<std::string>());
  s.sections[Section::kCaption] =
      "A man says \"the early bird catches the worm\" and \u201cthe early bird sleeps all day\u201d.";
  const auto misheard = sample_defects(s, nullptr);
  EXPECT_FALSE(misheard.empty());
  for (const std::string& defect : misheard) EXPECT_NE(defect.find("sleeps"), std::string::npos) << defect;
  s.sections[Section::kPlanning] = "The answer is B.";
  s.sections[Section::kResponse] = "The answer is A.";
  // PLANNING that answers, and a wrong letter: by the rule of letters and by the known answer.
  EXPECT_EQ(sample_defects(s, nullptr).size(), misheard.size() + 3);
}

// Whatever arrives, nothing crashes, nothing hangs, and what is taken keeps the promises of its type.
TEST(Fuzz, TenThousandMutatedAnswers) {
  Random random(11);
  const std::string pieces[] = {"<",           ">",
                                "</",          "<caption>",
                                "</answer>",   "<question9>",
                                "(a)",         "(b) ",
                                "\n",          "```",
                                "\xff",        "\xe9\x9b",
                                "answer is ",  "<THINK>",
                                "</RESPONSE>", "{{",
                                "\"",          "**Question 1:**",
                                "<True>",      std::string(1, '\0')};
  int taken = 0;
  for (int i = 0; i < 10000; ++i) {
    std::string text = i % 2 == 0 ? kGood : kThought;
    for (int edits = random.between(0, 8); edits > 0; --edits) {
      const std::size_t at = random.below(static_cast<std::uint32_t>(text.size() + 1));
      const std::size_t cut = random.below(30);
      switch (random.below(4)) {
        case 0:
          text.erase(at, cut);
          break;
        case 1:
          text.insert(at, pieces[random.below(std::size(pieces))]);
          break;
        case 2:
          text.insert(at, text.substr(random.below(static_cast<std::uint32_t>(text.size() + 1)), cut));
          break;
        default:
          if (at < text.size()) text[at] = static_cast<char>(random.below(256));
      }
    }
    const auto annotation = parse_annotation(text, {random.between(1, 3)});
    ASSERT_NE(annotation.value.has_value(), !annotation.refusal.empty());
    if (annotation.value) {
      ++taken;
      for (QuestionAnswer pair : annotation.value->pairs) {
        ASSERT_FALSE(pair.question.empty() || pair.answer.empty());
        ASSERT_TRUE(pair.choices.empty() || pair.choices.size() == 4);
        shuffle_choices(pair, 3);
      }
    }
    const auto thought = parse_thought(text, asked());
    if (thought.value) {
      ++taken;
      Sample s = asked();
      s.sections = *thought.value;
      sample_defects(s, nullptr);
    }
    parse_review(text);
  }
  EXPECT_GT(taken, 1000) << "mutations that leave nothing to read test nothing";
  EXPECT_LT(taken, 9500);
}

// Every prompt of prompts/ with every fact, as tests/cases/prompts.json has it. AREASON_UPDATE_CASES=1 writes that file again.
StageItem full_item(const std::string& set, const std::string& task) {
  StageItem item;
  item.clip.source.set = set;
  item.clip.task = task;
  for (const char* name : {"labels", "caption", "keywords", "transcript", "translation", "language", "target_language",
                           "speaker", "gender", "emotion", "sentiment", "sarcasm", "context", "key", "bpm", "meter", "chords"})
    item.clip.add_fact(name, std::string("[") + name + "]");
  item.clip.timeline = {{0, "dog bark", 0.5, 1, -20, "", ""}, {0, "speech", 1, 2, -20, "2", "{{labels}} <caption>"}};
  item.sample = asked();
  item.sample.caption = "[the caption]";
  item.sample.sections = *parse_thought(kThought, asked()).value;
  return item;
}

TEST(Prompts, RenderAsTheGoldenFileHasThem) {
  const PromptLibrary library("prompts");
  Json rendered = Json::object();
  for (const auto& [name, prompt] : library.all()) {
    const Stage stage = name.rfind("annotate", 0) == 0 ? Stage::kAnnotate
                        : name.rfind("think", 0) == 0  ? Stage::kThink
                                                       : Stage::kReview;
    rendered[name] = {{"full", stage_prompt_text(prompt, stage, full_item("s", "t"), "")}, {"bare", render_prompt(prompt, {})}};
    const std::string full = rendered[name]["full"];
    EXPECT_EQ(full.find("{{"), full.find("{{labels}}")) << name << ": only a value may hold braces";
    EXPECT_EQ(rendered[name]["bare"].get<std::string>().find("{{"), std::string::npos) << name;
  }
  const StagePrompt script = read_prompt_file("prompts", "script/default");
  const PromptValues values = {{"scenario", "[scenario]"}, {"speakers", "[speakers]"}, {"lines", "[lines]"}};
  rendered["script/default"] = {{"full", render_prompt(script, values)}, {"bare", render_prompt(script, {})}};
  const StagePrompt check = read_prompt_file("prompts", "check/default");
  const PromptValues told = {{"labels", "[labels]"}, {"question", "[question]"}, {"turns", "[turns]"}, {"chain", "[chain]"}};
  rendered["check/default"] = {{"full", render_prompt(check, told)}, {"bare", render_prompt(check, {})}};
  for (const auto& file : std::filesystem::recursive_directory_iterator("prompts")) {
    const std::string name = file.path().parent_path().filename().string() + "/" + file.path().stem().string();
    if (file.is_regular_file() && !name.starts_with("parts/")) {
      EXPECT_TRUE(rendered.contains(name)) << name << " is rendered by no test";
    }
  }
  const std::string path = "tests/cases/prompts.json";
  if (std::getenv("AREASON_UPDATE_CASES") != nullptr) write_file_atomic(path, dump_json(rendered, 1) + "\n");
  const Json golden = read_json_file(path);
  for (const auto& [name, texts] : rendered.items()) EXPECT_EQ(texts, golden.value(name, Json())) << name;
  EXPECT_EQ(rendered.size(), golden.size());
}

TEST(Prompts, TheSetComesBeforeTheTaskBeforeTheDefault) {
  const PromptLibrary library("prompts");
  EXPECT_EQ(library.find(Stage::kAnnotate, "clotho", "sound_qa").name, "annotate/clotho");
  EXPECT_EQ(library.find(Stage::kThink, "clotho", "sound_qa").name, "think/sound_qa");
  EXPECT_EQ(library.find(Stage::kReview, "own", "birdsong").name, "review/default");
  EXPECT_EQ(library.find(Stage::kAnnotate, "covost2", "translation").questions, 1);
}

TEST(Prompts, ARefusedAnswerIsAskedAgainWithTheReason) {
  const PromptLibrary library("prompts");
  const StagePrompt& prompt = library.find(Stage::kAnnotate, "clotho", "sound_qa");
  EXPECT_NE(stage_prompt_text(prompt, Stage::kAnnotate, full_item("clotho", "sound_qa"), "question 2 has no answer")
                .find("question 2 has no answer"),
            std::string::npos);
}

TEST(Prompts, BrokenFilesAreNamed) {
  const ScratchDir scratch;
  const std::filesystem::path folder = scratch.file("prompts");
  for (const char* text :
       {"no settings", "version: 1\n---\n", "questions: 2\n---\nx", "version: 1\n---\n{{#a}} never closed",
        "version: 1\n---\n{{a", "version: 1\n---\n{{/a}}", "version: 1\nmax_tokens: no\n---\nx",
        "version: 1\nquestions: 2 or 3\n---\nx", "version: 1\ntemperature:\n---\nx", "version: 1\ncolour: red\n---\nx",
        "version: 1\n---\nlatin \xe9", "version: 1\n---\n{{> ../../etc/passwd}}", "version: 1\n---\n{{> missing}}"}) {
    std::filesystem::remove_all(folder);
    for (const char* stage : {"annotate", "think", "review"})
      write_file_atomic((std::filesystem::create_directories(folder / stage), folder / stage / "default.txt").string(),
                        "version: 1\n---\nx");
    write_file_atomic((folder / "think/default.txt").string(), text);
    EXPECT_THROW(PromptLibrary{folder.string()}, Error) << text;
  }
}

}  // namespace
}  // namespace areason
