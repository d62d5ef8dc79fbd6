// audio-reasoner ask: one question about some clips, or a file of questions.
#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "base/clock.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/answer_printer.h"
#include "cli/ask_flags.h"
#include "cli/commands.h"
#include "cli/paths.h"
#include "cli/progress_line.h"
#include "reason/batch.h"
#include "reason/vote.h"

namespace areason {
namespace {

struct Ask {
  AskFlags flags;
  std::vector<std::string> inputs;  // clips, then the question
  bool json = false;
  bool stats = false;
  std::string jsonl, out;
  bool force_choices = false;
  int workers = 0;
  int batch = 0;
  int samples = 1;
  bool vote = false;
  bool temperature_given = false;
};

// Samples differ only when they are drawn; this is the reference's own order of magnitude for self-consistency (Wang et al.
// 2022 draw at 0.5 to 0.7).
constexpr float kSampleTemperature = 0.7f;

void print_stats(Json stats, const SessionStats& engine) {
  stats["kv_mb"] = static_cast<double>(engine.kv_bytes) / 1e6;
  stats["kv_type"] = engine.kv_type;
  stats["tokens_a_pass"] = engine.tokens_a_pass;
  if (engine.drafted > 0) stats["drafts_accepted"] = static_cast<double>(engine.accepted) / static_cast<double>(engine.drafted);
  std::cerr << dump_json(stats) << std::endl;
}

std::vector<std::string> clips_of(const Ask& ask) {
  if (ask.inputs.size() < 2) {
    throw Error(
        ErrorCode::kUsage, "ask needs at least one clip and a question",
        "audio-reasoner ask clip.wav \"What is heard?\", or audio-reasoner ask --jsonl questions.jsonl --out answers.jsonl");
  }
  return {ask.inputs.begin(), ask.inputs.end() - 1};
}

void report_answer(const Answer& answer) {
  for (const HeardAudio& audio : answer.audio) {
    if (audio.truncated || audio.windows > 1) log_info(describe(audio));
  }
  if (answer.finish_reason == "length") log_warning("the answer was cut at its token limit (--max-new-tokens, or the context)");
}

void ask_once(const Ask& ask) {
  const std::vector<std::string> clips = clips_of(ask);
  const AskOptions options = ask.flags.finish();
  Session session(ask.flags.model_dir(), ask.flags.session());
  AnswerPrinter printer(stdout_colour());
  const double start = monotonic_seconds();
  const Answer answer = session.ask(clips, ask.inputs.back(), options, ask.json ? SectionSink() : std::ref(printer));
  const double seconds = monotonic_seconds() - start;
  if (ask.json) {
    std::cout << dump_json(answer_to_json(answer, model_name(session.model_dir())), 2) << std::endl;
  } else {
    printer.finish();
    report_answer(answer);
  }
  if (ask.stats) print_stats(infer_stats(answer.prompt_tokens, answer.completion_tokens, 1, seconds), session.stats());
  if (answer.finish_reason == "interrupted") throw_if_interrupted();
}

// Several answers to one question, decoded together.
void ask_samples(const Ask& ask) {
  const std::vector<std::string> clips = clips_of(ask);
  AskOptions options = ask.flags.finish();
  if (!ask.temperature_given) options.temperature = kSampleTemperature;
  SessionOptions how = ask.flags.session();
  if (ask.batch > 0) how.running = ask.batch;
  Session session(ask.flags.model_dir(), how);
  const double start = monotonic_seconds();
  const std::vector<Answer> answers = session.ask_samples(clips, ask.inputs.back(), options, ask.samples);
  const double seconds = monotonic_seconds() - start;
  const Vote vote = count_votes(answers);
  const std::string model = model_name(session.model_dir());
  if (ask.json) {
    Json out = ask.vote ? vote_to_json(vote, answers, model) : Json::array();
    for (const Answer& answer : answers)
      if (!ask.vote) out.push_back(answer_to_json(answer, model));
    std::cout << dump_json(out, 2) << std::endl;
  } else if (ask.vote) {
    AnswerPrinter(stdout_colour()).print(answers[vote.winner()]);
    std::cout << "\n" << describe(vote) << std::flush;
    report_answer(answers[vote.winner()]);
  } else {
    for (std::size_t i = 0; i < answers.size(); ++i) {
      std::cout << (i == 0 ? "" : "\n") << "Sample " << i + 1 << " of " << answers.size() << "\n\n" << std::flush;
      AnswerPrinter(stdout_colour()).print(answers[i]);
    }
  }
  long tokens = 0;
  for (const Answer& answer : answers) tokens += answer.completion_tokens;
  if (ask.stats) print_stats(infer_stats(answers.front().prompt_tokens, tokens, ask.samples, seconds), session.stats());
  throw_if_interrupted();
}

void ask_file(const Ask& ask) {
  if (!ask.inputs.empty()) {
    throw Error(ErrorCode::kUsage, "--jsonl takes its clips and questions from the file",
                "leave out \"" + ask.inputs.front() + "\" or leave out --jsonl");
  }
  BatchOptions options;
  options.ask = ask.flags.finish();
  options.model_dir = ask.flags.model_dir();
  options.choices = ask.force_choices ? Choices::kForce : Choices::kIgnore;
  options.workers = ask.workers;
  options.session = ask.flags.session();
  if (ask.batch > 0) options.session.running = ask.batch;
  const auto questions = read_questions(ask.jsonl);
  require_other_file(ask.out, "--out", {ask.jsonl});
  AnswerFile out(ask.out);
  const BatchStats stats = answer_questions(questions, options, out, BatchProgressLine());
  if (ask.stats) {
    print_stats(infer_stats(stats.prompt_tokens, stats.generated_tokens, static_cast<long>(stats.answered), stats.seconds),
                stats.engine);
  }
  throw_if_interrupted();
  if (stats.failed > 0) {
    throw Error(ErrorCode::kInput, fmt::format("{} of {} questions could not be answered", stats.failed, stats.questions),
                "see the warnings above; run the same command again to answer those that are missing");
  }
}

}  // namespace

void register_ask(CLI::App& app) {
  const auto ask = std::make_shared<Ask>();
  CLI::App* command = app.add_subcommand("ask", "ask a question about one or more clips");
  command->add_option("inputs", ask->inputs, "clips (\"-\": standard input), then the question")->type_name("CLIP… QUESTION");
  ask->flags.add_to(*command);
  command->add_option("--choices", ask->flags.choices, "the RESPONSE is exactly one of these, e.g. \"A. a dog|B. a cat\"")
      ->type_name("LIST");
  command->add_flag("--json", ask->json, "print one JSON object instead of streaming the sections");
  command->add_flag("--stats", ask->stats, "print token counts and speed on standard error");
  command->add_option("--jsonl", ask->jsonl, "answer a file of questions: {\"id\", \"audio\", \"question\"} a line")
      ->type_name("FILE");
  command
      ->add_option("--out", ask->out,
                   "where --jsonl appends its answers as they are finished; ids that are there are skipped (default: standard "
                   "output, in "
                   "the order of the questions)")
      ->type_name("FILE")
      ->needs("--jsonl");
  command->add_flag("--force-choices", ask->force_choices, "with --jsonl: the RESPONSE is one of the question's \"choices\"")
      ->needs("--jsonl");
  command->add_option("--samples", ask->samples, "draw N answers at once (temperature 0.7 unless given)")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str()
      ->excludes("--jsonl");
  command->add_flag("--vote", ask->vote, "with --samples: the answer that most samples agree on, and how many agree on each")
      ->needs("--samples");
  command->add_option("--batch", ask->batch, "answers written at the same time by one model; 0: 16")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command->add_option("--workers", ask->workers, "with --jsonl: threads with a model each; 0: by the model's size")
      ->needs("--jsonl")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  const CLI::Option* temperature = command->get_option("--temperature");
  command->callback([ask, temperature] {
    ask->temperature_given = temperature->count() > 0;
    if (!ask->jsonl.empty()) return ask_file(*ask);
    ask->samples > 1 || ask->vote ? ask_samples(*ask) : ask_once(*ask);
  });
}

}  // namespace areason
