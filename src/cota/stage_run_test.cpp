// The stages at work on a real store (SQLite) with a teacher behind a real HTTP server: what is planned, asked, kept and handed
// on. Thousands of jobs, killed processes and PostgreSQL are in src/cli/data_jobs_test.cpp.
#include "cota/stage_run.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <set>
#include <thread>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/testing.h"
#include "llm/openai.h"
#include "llm/testing.h"

namespace areason {
namespace {

using store::JobState;

const std::string kAnnotation =
    "<caption>A dog barks twice near a road.</caption>"
    "<question1><question>How often? (a) twice (b) once (c) thrice (d) never</question><answer>The answer is "
    "A.</answer></question1>"
    "<question2><question>What barks?</question><answer>A dog.</answer></question2>"
    "<question3><question>Where is the dog?</question><answer>Near a road.</answer></question3>";

// What a teacher answers that does as it is told: the chain ends in the option that the prompt names.
std::string good_answer(const std::string& prompt) {
  if (prompt.find("<PLANNING>") == std::string::npos) return kAnnotation;
  const std::size_t at = prompt.find("(option ");
  const std::string letter = at == std::string::npos ? "" : " The answer is " + prompt.substr(at + 8, 1) + ".";
  return "<THINK><PLANNING>I listen.</PLANNING><CAPTION>Barks.</CAPTION><REASONING>Two "
         "barks.</REASONING><SUMMARY>Two.</SUMMARY>"
         "</THINK><RESPONSE>Two barks are heard." +
         letter + "</RESPONSE>";
}

class StageRun : public ::testing::Test {
 protected:
  using Handler = std::function<void(const std::string& prompt, httplib::Response&)>;

  void write_clips(int count, const std::string& excluded = "") {
    std::string lines;
    for (int i = 0; i < count; ++i) {
      SourceClip clip;
      clip.id = "own:" + std::to_string(i);
      clip.source.set = "own";
      clip.source.licence = "CC0";
      clip.task = "sound_qa";
      clip.audio = {"x.wav"};
      clip.add_fact("labels", "Dog");
      if (i == 0) clip.excluded = excluded;
      lines += dump_json(source_clip_to_json(clip)) + "\n";
    }
    write_file_atomic(clips(), lines);
  }
  std::string clips() const { return folder_.file("clips.jsonl"); }

  StageRunReport run(const Handler& handler, const StageRunOptions& options, const PromptLibrary& prompts) {
    llm::testing::Server server([&](const httplib::Request& request, httplib::Response& response) {
      handler(parse_json(request.body, "request").at("messages").at(0).at("content"), response);
    });
    llm::OpenAiOptions api;
    api.url = server.url();
    ProviderTeacherOptions teacher;
    teacher.provider = llm::make_openai_chat(api);
    teacher.model = "m";
    teacher.hearing = Hearing::kTextOnly;
    teacher.prices.models["m"] = llm::price_per_million(1, 1, 2);
    return run_stages(*store_, prompts, *make_provider_teacher(teacher), options);
  }
  static void say(httplib::Response& response, const std::string& text) {
    llm::testing::answer(response, llm::testing::chat_answer(text, 100, 10));
  }
  std::vector<store::Job> all(JobState state, Stage stage) {
    std::vector<store::Job> out;
    store_->each({stage_name(stage), {}, {}}, state, [&](store::Job&& job) { out.push_back(std::move(job)); });
    return out;
  }

  const ScratchDir folder_;
  const std::string address_ = folder_.file("jobs.db");
  const std::unique_ptr<store::JobStore> store_ = store::open_store(address_);
  const PromptLibrary prompts_{"prompts"};
};

TEST_F(StageRun, PlansWhatIsWantedAndNothingElse) {
  write_clips(5, "duplicate of another");
  EXPECT_EQ(plan_annotations(*store_, prompts_, clips(), {{{"clip", "own:9"}}, 0}), 0u);
  EXPECT_EQ(plan_annotations(*store_, prompts_, clips(), {{}, 2}), 2u);
  EXPECT_EQ(plan_annotations(*store_, prompts_, clips(), {}), 2u) << "one of five is excluded, two were planned";
  EXPECT_EQ(plan_annotations(*store_, prompts_, clips(), {}), 0u);
  // A changed prompt is another version, whose jobs are new.
  std::filesystem::copy("prompts", folder_.file("prompts"), std::filesystem::copy_options::recursive);
  const std::string file = folder_.file("prompts/annotate/default.txt");
  write_file_atomic(file, read_file(file) + "\nBe exact.\n");
  EXPECT_EQ(plan_annotations(*store_, PromptLibrary(folder_.file("prompts")), clips(), {}), 4u);
}

TEST_F(StageRun, AnAnswerBringsItsFollowUpsAndEveryTryIsPaidFor) {
  constexpr int kClips = 12;
  write_clips(kClips);
  plan_annotations(*store_, prompts_, clips(), {});
  std::atomic<int> with_reason{0};
  StageRunOptions options;
  options.stages = {Stage::kAnnotate, Stage::kThink};
  const StageRunReport report = run(
      [&](const std::string& prompt, httplib::Response& response) {
        const bool again = prompt.find("could not be used: there is no <caption>") != std::string::npos;
        with_reason += again ? 1 : 0;
        const bool first = prompt.find("<PLANNING>") == std::string::npos && !again;
        say(response, first ? "Which clip?" : good_answer(prompt));
      },
      options, prompts_);
  EXPECT_EQ(with_reason, kClips) << "the next try is told why the last was no use";
  EXPECT_EQ(report.totals.refused, kClips);
  const auto annotated = all(JobState::kDone, Stage::kAnnotate), thought = all(JobState::kDone, Stage::kThink);
  ASSERT_EQ(annotated.size(), static_cast<std::size_t>(kClips));
  ASSERT_EQ(thought.size(), static_cast<std::size_t>(3 * kClips));
  EXPECT_EQ(annotated[0].answer.cost.requests, 2);
  EXPECT_EQ(annotated[0].answer.cost.input_tokens, 200);
  EXPECT_EQ(annotated[0].answer.cost.money_pico, 2 * (100 + 2 * 10) * 1'000'000LL);
  std::set<std::string> letters;
  for (const store::Job& job : all(JobState::kOpen, Stage::kReview)) {
    const Sample sample = read_payload(job).sample;
    EXPECT_EQ(sample.teacher, "m");
    EXPECT_EQ(sample.source.licence, "CC0");
    EXPECT_NE(sample.prompt_version.find("annotate/default@"), std::string::npos) << sample.prompt_version;
    EXPECT_NE(sample.prompt_version.find(";think/sound_qa@"), std::string::npos) << sample.prompt_version;
    if (sample.answer_letter.empty()) continue;
    letters.insert(sample.answer_letter);
    EXPECT_EQ(sample.choices[static_cast<std::size_t>(sample.answer_letter[0] - 'a')], "twice");
  }
  EXPECT_GT(letters.size(), 2u) << "the teacher always put the right option first";
}

TEST_F(StageRun, ARunThatIsStoppedGivesBackWhatItHadBegun) {
  write_clips(6);
  plan_annotations(*store_, prompts_, clips(), {});
  const StageRunReport report =
      run([](const std::string&, httplib::Response& response) { llm::testing::answer(response, Json::object(), 401); }, {},
          prompts_);
  EXPECT_EQ(report.stopped_how, llm::Finish::kUnauthorised);
  EXPECT_FALSE(report.stopped_by.empty());
  const auto open = all(JobState::kOpen, Stage::kAnnotate);
  ASSERT_EQ(open.size(), 6u) << "nothing is leased, nothing has failed";
  for (const store::Job& job : open) EXPECT_EQ(job.claims + job.tries, 0);
}

// Finds no server for its first `away` requests.
class AwayAtFirst : public llm::Provider {
 public:
  explicit AwayAtFirst(int away) : away_(away) {}
  llm::Reply complete(const llm::Request& request) override {
    llm::Reply reply;
    if (asked_++ < away_) {
      reply.finish = llm::Finish::kUnreachable;
      reply.error = "Connection refused";
      return reply;
    }
    reply.finish = llm::Finish::kStop;
    reply.text = good_answer(request.messages.at(0).parts.back().text);
    return reply;
  }
  std::string name() const override { return "away"; }

 private:
  const int away_;
  std::atomic<int> asked_{0};
};

std::unique_ptr<Teacher> away_at_first(int requests) {
  ProviderTeacherOptions teacher;
  teacher.provider = std::make_shared<AwayAtFirst>(requests);
  teacher.model = "m";
  teacher.hearing = Hearing::kTextOnly;
  return make_provider_teacher(teacher);
}

TEST_F(StageRun, WithoutAServerTheRunStopsAndEveryJobIsOpen) {
  write_clips(3);
  plan_annotations(*store_, prompts_, clips(), {});
  for (int again = 0; again < 8; ++again) {  // more often than a job has tries
    const StageRunReport report = run_stages(*store_, prompts_, *away_at_first(1'000'000), {});
    EXPECT_EQ(report.stopped_how, llm::Finish::kUnreachable);
    EXPECT_EQ(report.stopped_by, "Connection refused");
    EXPECT_EQ(report.totals.failed + report.totals.refused + report.totals.done, 0);
    const auto open = all(JobState::kOpen, Stage::kAnnotate);
    ASSERT_EQ(open.size(), 3u);
    for (const store::Job& job : open) EXPECT_EQ(job.claims + job.tries, 0);
  }
}

TEST_F(StageRun, AServerThatComesBackIsAskedInTheSameRun) {
  write_clips(3);
  plan_annotations(*store_, prompts_, clips(), {});
  StageRunOptions options;
  options.stages = {Stage::kAnnotate};
  options.workers = 1;
  options.max_tries = 1;
  options.limit = 2;  // of jobs, not of attempts to find the server
  const StageRunReport report = run_stages(*store_, prompts_, *away_at_first(3), options);
  EXPECT_EQ(report.stopped_by, "");
  EXPECT_EQ(report.totals.done, 2);
  EXPECT_EQ(all(JobState::kDone, Stage::kAnnotate).size(), 2u);
  EXPECT_EQ(all(JobState::kOpen, Stage::kAnnotate).size(), 1u);
}

// The lease is shorter than the answer takes; another worker asks for the job all the time and never gets it.
TEST_F(StageRun, ALeaseIsRenewedWhileTheTeacherThinksSlow) {
  write_clips(1);
  plan_annotations(*store_, prompts_, clips(), {});
  const auto other = store::open_store(address_);
  std::atomic<int> stolen{0};
  StageRunOptions options;
  options.stages = {Stage::kAnnotate};
  options.workers = 1;
  options.lease_seconds = 2;
  run(
      [&](const std::string& prompt, httplib::Response& response) {
        for (const double end = llm::testing::steady_seconds() + 2.6; llm::testing::steady_seconds() < end;) {
          stolen += static_cast<int>(other->claim("thief", {"annotate", {}, {}}, 1, 1000).size());
          std::this_thread::sleep_for(std::chrono::milliseconds(20));  // others want the database too
        }
        say(response, good_answer(prompt));
      },
      options, prompts_);
  EXPECT_EQ(stolen, 0);
  EXPECT_EQ(all(JobState::kDone, Stage::kAnnotate).size(), 1u);
}

}  // namespace
}  // namespace areason
