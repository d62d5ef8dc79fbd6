// audio-reasoner ask: one question about some clips, or a file of questions.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/answer_printer.h"
#include "cli/ask_flags.h"
#include "cli/commands.h"
#include "cli/progress_line.h"
#include "reason/batch.h"

namespace areason {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

struct Ask {
  AskFlags flags;
  std::vector<std::string> inputs;  // clips, then the question
  bool json = false;
  bool stats = false;
  std::string jsonl, out;
  bool force_choices = false;
  int workers = 0;
};

void print_stats(const Json& stats) { std::cerr << dump_json(stats) << std::endl; }

// The last part of a path, also for "models/nano/".
std::string model_name(const std::string& dir) {
  std::filesystem::path path = std::filesystem::path(dir).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  return path.filename().string();
}

void ask_once(const Ask& ask) {
  if (ask.inputs.size() < 2) {
    throw Error(
        ErrorCode::kUsage, "ask needs at least one clip and a question",
        "audio-reasoner ask clip.wav \"What is heard?\", or audio-reasoner ask --jsonl questions.jsonl --out answers.jsonl");
  }
  const AskOptions options = ask.flags.finish();
  const std::vector<std::string> clips(ask.inputs.begin(), ask.inputs.end() - 1);
  Session session(ask.flags.model_dir(), ask.flags.threads);
  AnswerPrinter printer(stdout_colour());
  const double start = now();
  const Answer answer = session.ask(clips, ask.inputs.back(), options, ask.json ? SectionSink() : std::ref(printer));
  const double seconds = now() - start;
  if (ask.json) {
    std::cout << dump_json(answer_to_json(answer, model_name(session.model_dir())), 2) << std::endl;
  } else {
    printer.finish();
    for (const HeardAudio& audio : answer.audio) {
      if (audio.truncated || audio.windows > 1) log_info(describe(audio));
    }
    if (answer.finish_reason == "length")
      log_warning("the answer was cut at its token limit (--max-new-tokens, or the context)");
  }
  if (ask.stats) print_stats(infer_stats(answer.prompt_tokens, answer.completion_tokens, 1, seconds));
  if (answer.finish_reason == "interrupted") throw_if_interrupted();
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
  const auto questions = read_questions(ask.jsonl);
  AnswerFile out(ask.out);
  const BatchStats stats = answer_questions(questions, options, out, BatchProgressLine());
  if (ask.stats) {
    print_stats(infer_stats(stats.prompt_tokens, stats.generated_tokens, static_cast<long>(stats.answered), stats.seconds));
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
      ->type_name("FILE");
  command->add_flag("--force-choices", ask->force_choices, "with --jsonl: the RESPONSE is one of the question's \"choices\"");
  command->add_option("--workers", ask->workers, "with --jsonl: questions answered at the same time; 0: by the model's size")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command->callback([ask] { ask->jsonl.empty() ? ask_once(*ask) : ask_file(*ask); });
}

}  // namespace areason
