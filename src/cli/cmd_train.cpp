// audio-reasoner train: the tokenizer here; everything with gradients in the program audio-reasoner-train, which alone needs
// libtorch and is started from here.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "chat/conversation.h"
#include "cli/commands.h"
#include "cli/paths.h"
#include "cot/sections.h"
#include "cota/sample.h"
#include "text/bpe_trainer.h"

namespace areason {
namespace {

struct TokenizerFlags {
  std::vector<std::string> data;
  std::string out;
  BpeTrainerOptions options;
};

// What the model will see of a sample, without the special tokens.
void add_sample(const Sample& sample, BpeTrainer& trainer) {
  trainer.add("system\n" + std::string(kReasonerSystemPrompt));
  std::string audio = "user\n";
  for (std::size_t i = 0; i < sample.audio.size(); ++i) audio += "Audio " + std::to_string(i + 1) + ": ";
  trainer.add(audio);
  for (const Turn& turn : sample.turns) {
    trainer.add("\n" + turn.question);
    trainer.add("assistant\n" + turn.response);
  }
  trainer.add("\n" + sample.question);
  trainer.add("assistant\n" + render_chain(sample.sections));
}

void run_train_tokenizer(const TokenizerFlags& flags) {
  BpeTrainer trainer(flags.options);
  std::size_t samples = 0;
  for (const std::string& path : flags.data)
    read_samples(path, [&](Sample&& sample) {
      throw_if_interrupted();
      add_sample(sample, trainer);
      ++samples;
    });
  if (samples == 0)
    throw Error(ErrorCode::kInput, "no samples in " + flags.data.front(), "make some with audio-reasoner data synth");
  const int size = trainer.write(flags.out);
  log_info("tokenizer of " + std::to_string(size) + " tokens from " + std::to_string(samples) + " samples in " + flags.out);
  if (size < flags.options.vocab_size)
    log_warning("only " + std::to_string(size) + " of " + std::to_string(flags.options.vocab_size) +
                " tokens: no more pairs occur " + std::to_string(flags.options.min_count) + " times");
}

void register_train_tokenizer(CLI::App& train) {
  auto flags = std::make_shared<TokenizerFlags>();
  CLI::App* command = train.add_subcommand("tokenizer", "train a byte-level BPE vocabulary (Qwen2's pre-tokenizer) on samples");
  command->add_option("--data", flags->data, "samples (JSONL); may be given several times")->required()->type_name("FILE");
  command->add_option("--vocab-size", flags->options.vocab_size, "tokens, the 256 bytes and the special tokens included")
      ->capture_default_str();
  command->add_option("--min-count", flags->options.min_count, "pairs rarer than this are not merged")->capture_default_str();
  command->add_option("--out", flags->out, "directory for the tokenizer's files")->required()->type_name("DIR");
  command->callback([flags] { run_train_tokenizer(*flags); });
}

std::string trainer_path() {
  if (const char* named = std::getenv("AREASON_TRAINER"); named != nullptr && *named != '\0') return named;
  return (executable_dir() / "audio-reasoner-train").string();
}

// Takes the place of this process, so that signals and the exit status are the trainer's own.
[[noreturn]] void exec_trainer(const std::vector<std::string>& arguments) {
  const std::string path = trainer_path();
  std::vector<char*> argv = {const_cast<char*>(path.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  std::fflush(nullptr);
  execv(path.c_str(), argv.data());
  const std::string why = std::strerror(errno);
  throw Error(ErrorCode::kFailure, "the trainer " + path + " cannot be started: " + why,
              "it is built where libtorch is found: run scripts/setup --train and build again, or set AREASON_TRAINER");
}

void register_train_sft(CLI::App& train) {
  CLI::App* command = train.add_subcommand("sft", "supervised fine-tuning: starts audio-reasoner-train with these arguments");
  command->set_help_flag();  // --help is the trainer's
  command->prefix_command();
  command->footer("Flags: audio-reasoner train sft --help (answered by audio-reasoner-train).");
  command->callback([command] { exec_trainer(command->remaining()); });
}

}  // namespace

void register_train(CLI::App& app) {
  CLI::App* command = app.add_subcommand("train", "train a tokenizer or a model");
  command->require_subcommand(1);
  register_train_tokenizer(*command);
  register_train_sft(*command);
}

}  // namespace areason
