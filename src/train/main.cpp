// audio-reasoner-train: supervised fine-tuning and reinforcement of Qwen2-Audio models with libtorch; `audio-reasoner train`
// starts it.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>

#include "base/error.h"
#include "base/flag_checks.h"
#include "base/interrupt.h"
#include "chat/conversation.h"
#include "train/grpo_flags.h"
#include "train/preset.h"
#include "train/trainer.h"

namespace {

using areason::kNotNegative;
using areason::kPositive;
using areason::train::BadRows;
using areason::train::Collectives;
using areason::train::DecayGroups;
using areason::train::Rounds;
using areason::train::ScheduleShape;
using areason::train::StateBits;
using areason::train::Target;
using areason::train::TrainOptions;
using areason::train::Truncation;

void add_data_options(CLI::App& app, TrainOptions& o) {
  app.add_option("--data", o.data, "training rows (.jsonl, .json, .csv; FILE#N takes N of them), several allowed")->required();
  app.add_option("--val", o.validation, "held-out rows");
  app.add_option("--bad-rows", o.rows.bad_rows, "leave-out: name, count and go on; stop: end at the first")
      ->transform(
          CLI::CheckedTransformer(std::map<std::string, BadRows>{{"leave-out", BadRows::kLeaveOut}, {"stop", BadRows::kStop}}))
      ->default_str("leave-out");
  app.add_option("--rounds", o.rows.rounds, "assistant turns that are learned: every one, or the last alone")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Rounds>{{"every", Rounds::kEvery}, {"last", Rounds::kLast}}))
      ->default_str("every");
  app.add_option("--target", o.rows.target, "chain: the five sections; answer: the response alone")
      ->transform(
          CLI::CheckedTransformer(std::map<std::string, Target>{{"chain", Target::kChain}, {"answer", Target::kAnswer}}));
  app.add_option("--system", o.data_options.system_prompt, "system prompt (default: the authors')");
  app.add_option("--batch-samples", o.data_options.batch_samples, "samples a step, at least")
      ->capture_default_str()
      ->check(kPositive);
  app.add_option("--micro-tokens", o.data_options.micro_tokens, "tokens a micro-batch, about")
      ->capture_default_str()
      ->check(kPositive);
  app.add_option("--max-row-samples", o.data_options.max_row_samples, "samples that share one audio prefix")
      ->capture_default_str()
      ->check(kPositive);
  app.add_option("--max-length", o.data_options.max_length, "tokens of a sample, its audio included")
      ->capture_default_str()
      ->check(kPositive);
  app.add_option("--truncation", o.data_options.truncation,
                 "of longer samples: delete leaves them out; left and right cut text at that side, never audio")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Truncation>{
          {"delete", Truncation::kDelete}, {"left", Truncation::kLeft}, {"right", Truncation::kRight}}))
      ->default_str("delete");
  app.add_option("--time-masks", o.data_options.time_masks, "SpecAugment when the tower trains")
      ->capture_default_str()
      ->check(kNotNegative);
  app.add_option("--frequency-masks", o.data_options.frequency_masks, "SpecAugment when the tower trains")
      ->capture_default_str()
      ->check(kNotNegative);
  for (int k = 0; k < areason::train::kLabelKinds; ++k) {
    const std::string kind = areason::train::label_kind_name(k);
    app.add_option("--" + kind + "-weight", o.data_options.weights[static_cast<std::size_t>(k)],
                   "weight of the loss on tokens of this part of the answer")
        ->capture_default_str()
        ->check(kNotNegative);
  }
  app.add_option("--key-words", o.data_options.key_words,
                 "regular expression; the loss on what its groups match in an answer has --key-weight");
  app.add_flag_callback(
      "--no-shuffle", [&o] { o.data_options.order = areason::train::RowOrder::kAsGiven; },
      "take the rows as the files have them (those of one clip together)");
  app.add_option("--limit", o.limit, "use only the first samples")->check(kNotNegative);
  app.add_option("--seed", o.data_options.seed, "initial weights, order of the data, dropout")
      ->check(kNotNegative)
      ->capture_default_str();
  app.add_option("--feature-cache", o.feature_cache, "folder for a frozen tower's outputs (default: OUT/features)");
}

void add_model_options(CLI::App& app, TrainOptions& o) {
  app.add_option("--out", o.out, "run folder; a run goes on from its newest checkpoint")->required();
  app.add_option("--config", o.config, "sizes of a new model (configs/*.json)");
  app.add_option("--tokenizer", o.tokenizer, "tokenizer folder of a new model");
  app.add_option("--init", o.init, "checkpoint to start from");
  app.add_option("--init-audio-tower", o.init_audio_tower, "Whisper encoder: a .safetensors file or folder");
  app.add_option("--freeze", o.freeze,
                 "audio_tower, projector, decoder; several allowed (default: none; of --method grpo audio_tower)")
      ->delimiter(',')
      ->check(CLI::IsMember({"none", "audio_tower", "projector", "decoder"}));
  app.add_option("--device", o.device,
                 "cpu; cuda (with several ranks each takes its own); cuda:N; auto: cuda where there is one")
      ->capture_default_str();
  app.add_option("--collectives", o.collectives.kind,
                 "how ranks exchange what lies on GPUs: nccl, mpi, or auto: nccl if it is there")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Collectives>{
          {"auto", Collectives::kAuto}, {"mpi", Collectives::kMpi}, {"nccl", Collectives::kNccl}}))
      ->default_str("auto");
  app.add_option("--nccl", o.collectives.nccl, "NCCL's library, or a path to it")->capture_default_str();
  app.add_option("--precision", o.precision, "auto, bf16 or f32")->capture_default_str();
  app.add_option("--save-dtype", o.save_dtype, "f32, f16 or bf16")->capture_default_str();
  app.add_option("--threads", o.threads, "of each process; 0: all cores")->capture_default_str()->check(kNotNegative);
  app.add_option("--zero", o.zero,
                 "what several processes (mpirun) divide: 1 optimizer states; 2 gradients too; 3 weights too, which recomputes "
                 "activations")
      ->capture_default_str()
      ->check(CLI::Range(1, 3));
  app.add_option("--memory", o.memory_gib, "GiB of one process, to refuse what cannot fit (default: its share of what is free)")
      ->check(kPositive);
  app.add_option("--peak-tflops", o.peak_tflops, "of one process, for the MFU (default: measured at the start)")
      ->check(kPositive);
}

void add_schedule_options(CLI::App& app, TrainOptions& o) {
  app.add_option("--lr", o.schedule.peak, "peak learning rate (default: 1e-3; of --method grpo 1e-5)")->check(kNotNegative);
  app.add_option("--audio-lr", o.audio_rate, "peak for the audio tower (default: --lr)")->check(kNotNegative);
  app.add_option("--projector-lr", o.projector_rate, "peak for the projector (default: --lr)")->check(kNotNegative);
  app.add_flag("--muon", o.optimizer.muon, "Muon for the decoder's matrices, AdamW for the rest");
  app.add_option("--muon-lr", o.muon_rate, "peak for what Muon updates (default: --lr)")->check(kNotNegative);
  app.add_option("--schedule", o.schedule.shape, "of the learning rate after warm-up")
      ->transform(CLI::CheckedTransformer(std::map<std::string, ScheduleShape>{
          {"cosine", ScheduleShape::kCosine}, {"linear", ScheduleShape::kLinear}, {"constant", ScheduleShape::kConstant}}))
      ->default_str("cosine");
  app.add_option("--min-lr", o.schedule.floor, "what cosine and linear end at")->capture_default_str()->check(kNotNegative);
  app.add_option("--warmup", o.schedule.warmup, "steps")->capture_default_str()->check(kNotNegative);
  app.add_option("--weight-decay", o.optimizer.weight_decay)->capture_default_str()->check(kNotNegative);
  app.add_option(
         "--decay-groups", o.optimizer.decay_groups,
         "what weight decay shrinks: all; transformers-4.48 (no biases, no LayerNorm); transformers-5 (no biases, no norms)")
      ->transform(
          CLI::CheckedTransformer(std::map<std::string, DecayGroups>{{"all", DecayGroups::kAll},
                                                                     {"transformers-4.48", DecayGroups::kTransformers448},
                                                                     {"transformers-5", DecayGroups::kTransformers5}}))
      ->default_str("all");
  app.add_option("--beta1", o.optimizer.beta1)->capture_default_str()->check(CLI::Range(0.0, 1.0));
  app.add_option("--beta2", o.optimizer.beta2)->capture_default_str()->check(CLI::Range(0.0, 1.0));
  app.add_option("--optimizer-states", o.optimizer.states,
                 "of AdamW: 32bit, or 8bit in blocks with a scale (a quarter of the memory)")
      ->transform(CLI::CheckedTransformer(std::map<std::string, StateBits>{{"32bit", StateBits::k32}, {"8bit", StateBits::k8}}))
      ->default_str("32bit");
  app.add_option("--clip", o.optimizer.clip, "of the gradient's global norm; 0: off")
      ->capture_default_str()
      ->check(kNotNegative);
  app.add_option("--dropout", o.forward.dropout)->capture_default_str()->check(CLI::Range(0.0, 0.99));
  app.add_option("--label-smoothing", o.forward.label_smoothing)->capture_default_str()->check(CLI::Range(0.0, 0.99));
  app.add_option("--neftune", o.forward.neftune, "alpha of NEFTune's noise on the embeddings")
      ->capture_default_str()
      ->check(kNotNegative);
  app.add_option("--z-loss", o.forward.z_loss, "weight of the squared log of the softmax's denominator")
      ->capture_default_str()
      ->check(kNotNegative);
  app.add_option("--max-steps", o.max_steps, "0: by --epochs or --max-minutes")->check(kNotNegative);
  app.add_option("--epochs", o.epochs)->capture_default_str()->check(kPositive);
  app.add_option("--max-minutes", o.max_minutes, "the schedule ends at this time of the run, earlier parts included")
      ->check(kNotNegative);
  app.add_option("--log-every", o.log_every)->capture_default_str()->check(kPositive);
  app.add_option("--eval-every", o.eval_every, "steps; saves too")->capture_default_str()->check(kNotNegative);
  app.add_option("--eval-samples", o.eval_samples)->capture_default_str()->check(kPositive);
  app.add_option("--save-every", o.save_every, "steps")->capture_default_str()->check(kNotNegative);
  app.add_option("--keep,--save-total-limit", o.keep, "checkpoints; the best one is always kept")
      ->capture_default_str()
      ->check(kNotNegative);
  app.add_option("--spike", o.guard.spike,
                 "a step whose loss is above this times the running mean (and 2 above it, after 20 steps) is skipped; 0: never")
      ->capture_default_str()
      ->check(kNotNegative);
  app.add_option("--max-skipped", o.guard.limit, "so many skipped steps in a row end the run")
      ->capture_default_str()
      ->check(kPositive);
  app.add_option("--stop-after", o.stop_after, "save and stop after this many steps of this process");
  app.add_flag("--fresh", o.fresh, "start over: removes the run folder's checkpoints");
}

void add_adapter_options(CLI::App& app, TrainOptions& o) {
  app.add_option("--lora-rank", o.adapter.rank, "train a LoRA adapter beside the model of --init; 0: the model itself")
      ->capture_default_str()
      ->check(kNotNegative);
  app.add_option("--lora-alpha", o.adapter.alpha)->capture_default_str();
  app.add_option("--lora-dropout", o.adapter.dropout)->capture_default_str()->check(CLI::Range(0.0, 0.99));
  app.add_flag_callback(
      "--rslora", [&o] { o.adapter.scaling = areason::train::AdapterScale::kRankStabilised; },
      "scale by alpha / sqrt(rank) instead of alpha / rank");
  app.add_option("--lora-targets", o.adapter.targets, "linears of the decoder's layers (default: all)")
      ->delimiter(',')
      ->check(CLI::IsMember(o.adapter.targets));
  app.add_flag("--merge", o.merge, "at the end, write OUT/merged: the model with the adapter in it");
  app.add_flag_callback(
      "--recompute", [&o] { o.forward.activations = areason::train::Activations::kRecompute; },
      "keep one tensor a layer for the gradient and compute the rest twice: less memory, about a third more time");
}

int fail(const areason::Error& e) {
  std::fprintf(stderr, "error: %s\nhint: %s\n", e.what(), e.hint().c_str());
  return static_cast<int>(e.code());
}

}  // namespace

int main(int argc, char** argv) {
  TrainOptions options;
  options.data_options.system_prompt = areason::kReasonerSystemPrompt;
  CLI::App app("Trains Qwen2-Audio models.", "audio-reasoner-train");
  add_data_options(app, options);
  add_model_options(app, options);
  add_schedule_options(app, options);
  add_adapter_options(app, options);
  areason::train::add_grpo_options(app, options);
  app.add_option("--preset", "flags from configs/NAME.json or a file; flags given here win")->type_name("NAME");
  try {
    std::vector<std::string> arguments = areason::train::with_presets({argv + 1, argv + argc});
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
    areason::refuse_not_finite(app);
    app.parse(arguments);
    // What supervised runs begin with would throw a policy far from its reference in a few steps.
    if (options.method == areason::train::Method::kGrpo && app.count("--lr") == 0) options.schedule.peak = 1e-5;
  } catch (const areason::Error& e) {
    return fail(e);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // --help
    return fail({areason::ErrorCode::kUsage, e.what(), "see audio-reasoner train sft --help"});
  }
  try {
    areason::install_interrupt_handler();
    areason::train::run_training(options);
    return areason::interrupted() ? static_cast<int>(areason::ErrorCode::kInterrupted) : 0;
  } catch (const areason::Error& e) {
    return fail(e);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "error: %s\nhint: this is a bug; please report it\n", e.what());
    return 1;
  }
}
