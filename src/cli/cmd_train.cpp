// audio-reasoner train: the tokenizer, the memory planner and the merging of adapters here; everything with gradients in the
// program audio-reasoner-train, which alone needs libtorch and is started from here.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "chat/conversation.h"
#include "cli/commands.h"
#include "cli/paths.h"
#include "cot/sections.h"
#include "cota/sample.h"
#include "text/bpe_trainer.h"
#include "train/plain/adapter.h"
#include "train/plain/plan.h"
#include "train/plain/run_report.h"

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

// Both take the trainer's flags; --help is the trainer's too.
void register_train_method(CLI::App& train, const std::string& method, const std::string& about) {
  CLI::App* command = train.add_subcommand(method, about + ": starts audio-reasoner-train with these arguments");
  command->set_help_flag();
  command->prefix_command();
  command->footer("Flags: audio-reasoner train " + method + " --help (answered by audio-reasoner-train).");
  command->callback([command, method] {
    std::vector<std::string> arguments = {"--method", method};
    for (const std::string& argument : command->remaining()) arguments.push_back(argument);
    exec_trainer(arguments);
  });
}

struct PlanFlags {
  std::string model;
  train::PlanOptions options;
  std::string precision = "bf16", optimizer = "adamw", attention = "stored";
  std::vector<std::string> freeze;
  bool recompute = false;
  double memory_gib = 0;
  int stage = -1;
  bool json = false;
};

// The sizes of a checkpoint, or of a lone file like configs/*.json.
ModelConfig config_of(const std::string& model) {
  const bool lone_file = std::filesystem::is_regular_file(model) && !model.ends_with(".gguf");
  return lone_file ? read_model_config(model) : load_model_config(model);
}

Json plan_json(const train::Plan& plan) {
  Json rows = Json::array();
  for (const train::PlanRow& r : plan.rows) {
    rows.push_back({{"zero", r.stage},
                    {"weights", r.weights},
                    {"gradients", r.gradients},
                    {"master", r.master},
                    {"states", r.states},
                    {"passing", r.passing},
                    {"activations", r.activations},
                    {"logits", r.logits},
                    {"reserve", r.reserve},
                    {"total", r.total()}});
  }
  return {{"parameters", plan.parameters.all()}, {"trained", plan.trained}, {"bytes_per_rank", std::move(rows)}};
}

void add_plan_choices(CLI::App& command, PlanFlags& flags) {
  command
      .add_option("--precision", flags.precision,
                  "f32; bf16: f32 weights and gradients, bf16 arithmetic (what train sft does); bf16-master: bf16 weights and "
                  "gradients, f32 master weights (the scheme of GPU clusters)")
      ->capture_default_str()
      ->check(CLI::IsMember({"f32", "bf16", "bf16-master"}));
  command.add_option("--optimizer", flags.optimizer, "of train sft: adamw, adamw-8bit, muon; sgd for comparison")
      ->capture_default_str()
      ->check(CLI::IsMember({"adamw", "adamw-8bit", "muon", "sgd"}));
  command
      .add_option("--attention", flags.attention,
                  "stored: probabilities are kept for the gradient (train sft on the CPU); flash: they are not (on a GPU)")
      ->capture_default_str()
      ->check(CLI::IsMember({"stored", "flash"}));
  command.add_flag("--recompute", flags.recompute, "activations are computed twice instead of kept");
}

// The flags' words as the planner's terms.
train::PlanOptions plan_options(const PlanFlags& flags) {
  using train::PlanOptimizer;
  using train::PlanPrecision;
  static const std::map<std::string, PlanPrecision> kPrecisions = {
      {"f32", PlanPrecision::kF32}, {"bf16", PlanPrecision::kBf16Compute}, {"bf16-master", PlanPrecision::kBf16Master}};
  static const std::map<std::string, PlanOptimizer> kOptimizers = {{"adamw", PlanOptimizer::kAdamW},
                                                                   {"adamw-8bit", PlanOptimizer::kAdamW8},
                                                                   {"muon", PlanOptimizer::kMuon},
                                                                   {"sgd", PlanOptimizer::kSgd}};
  train::PlanOptions out = flags.options;
  out.precision = kPrecisions.at(flags.precision);
  out.optimizer = kOptimizers.at(flags.optimizer);
  out.attention = flags.attention == "flash" ? train::PlanAttention::kFlash : train::PlanAttention::kStored;
  out.activations = flags.recompute ? train::PlanActivations::kRecompute : train::PlanActivations::kKeep;
  for (const std::string& part : flags.freeze) {
    if (part == "audio_tower") out.train_tower = false;
    if (part == "projector") out.train_projector = false;
    if (part == "decoder") out.train_decoder = false;
  }
  return out;
}

void run_train_plan(const PlanFlags& flags) {
  const train::Plan plan = train::plan_memory(config_of(flags.model), plan_options(flags));
  const auto memory = static_cast<std::uint64_t>(flags.memory_gib * (1 << 30));
  const std::string text = flags.json ? dump_json(plan_json(plan), 2) + "\n" : train::plan_table(plan, memory);
  std::fputs(text.c_str(), stdout);
  if (memory == 0) return;
  const auto less = [](const train::PlanRow& a, const train::PlanRow& b) { return a.total() < b.total(); };
  const auto least = std::min_element(plan.rows.begin(), plan.rows.end(), less) - plan.rows.begin();
  const auto need = plan.rows[static_cast<std::size_t>(flags.stage < 0 ? least : flags.stage)].total();
  if (need <= memory) return;
  throw Error(ErrorCode::kFailure,
              fmt::format("{} does not fit: {:.2f} GiB a rank, {:.2f} GiB are there",
                          flags.stage < 0 ? fmt::format("even ZeRO {}", least) : fmt::format("ZeRO {}", flags.stage),
                          static_cast<double>(need) / (1 << 30), flags.memory_gib),
              "more --ranks, a higher --zero, --recompute, a shorter --max-length, --freeze, or --lora-rank");
}

void register_train_plan(CLI::App& train) {
  auto flags = std::make_shared<PlanFlags>();
  train::PlanOptions& o = flags->options;
  CLI::App* command = train.add_subcommand("plan", "memory that a training run needs on each rank, for ZeRO stages 0 to 3");
  command->add_option("--model", flags->model, "checkpoint, or a file of sizes (configs/*.json)")->required();
  command->add_option("--ranks", o.ranks, "processes that share the work")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000000));
  add_plan_choices(*command, *flags);
  command->add_option("--max-length", o.sequence, "tokens of a sample, audio included")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000000));
  command->add_option("--micro-batch", o.micro_batch, "samples at a time")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000000));
  command->add_option("--audio-seconds", o.audio_seconds, "of a sample")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 36000.0));
  command->add_option("--freeze", flags->freeze, "parts that do not train; several allowed")
      ->delimiter(',')
      ->check(CLI::IsMember({"audio_tower", "projector", "decoder"}));
  command->add_option("--lora-rank", o.lora_rank, "train an adapter of this rank instead; 0: the model")
      ->capture_default_str()
      ->check(CLI::Range(0, 4096));
  command->add_option("--memory", flags->memory_gib, "GiB of a rank; what cannot fit ends with status 1")
      ->check(CLI::Range(0.0, 100000.0));
  command->add_option("--zero", flags->stage, "the stage that must fit (default: any)")->check(CLI::Range(0, 3));
  command->add_flag("--json", flags->json, "print one JSON object, in bytes");
  command->callback([flags] { run_train_plan(*flags); });
}

void register_train_merge(CLI::App& train) {
  auto flags = std::make_shared<train::MergeOptions>();
  CLI::App* command = train.add_subcommand("merge", "write a model with a LoRA adapter (PEFT's files) in its weights");
  command->add_option("--adapter", flags->adapter, "folder with adapter_config.json and adapter_model.safetensors")
      ->required()
      ->type_name("DIR");
  command->add_option("--model", flags->base, "the checkpoint that the adapter was trained on (default: as the adapter says)")
      ->type_name("DIR");
  command->add_option("--out", flags->out, "folder for the merged checkpoint")->required()->type_name("DIR");
  command->callback([flags] {
    if (flags->base.empty()) flags->base = train::read_adapter_config(flags->adapter).base;
    for (const char* file : {"config.json", "model.safetensors", "adapter_config.json"})
      if (std::filesystem::exists(std::filesystem::path(flags->out) / file))
        throw Error(ErrorCode::kUsage, flags->out + " holds a " + file + " already",
                    "choose another --out, or remove that model first");
    train::merge_adapter(*flags);
    log_info("merged model in " + flags->out);
  });
}

void register_train_report(CLI::App& train) {
  auto run = std::make_shared<std::string>(), out = std::make_shared<std::string>();
  CLI::App* command = train.add_subcommand("report", "a run's curves and its accuracy by task as one HTML page");
  command->add_option("--run", *run, "the --out folder of a training run")->required()->type_name("DIR");
  command->add_option("--out", *out, "file to write (default: standard output)")->type_name("FILE");
  command->callback([run, out] {
    const std::string html = train::run_report(*run);
    if (out->empty()) {
      std::fputs(html.c_str(), stdout);
    } else {
      write_file_atomic(*out, html);
    }
  });
}

}  // namespace

void register_train(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("train", "train a tokenizer or a model, plan its memory, merge adapters, report on runs");
  command->require_subcommand(1);
  register_train_tokenizer(*command);
  register_train_method(*command, "sft", "supervised fine-tuning");
  register_train_method(*command, "grpo", "reinforcement by rules on the model's own answers (GRPO)");
  register_train_plan(*command);
  register_train_merge(*command);
  register_train_report(*command);
}

}  // namespace areason
