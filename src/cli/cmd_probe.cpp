// audio-reasoner probe: everything that happens to a conversation on its way through the model, in one safetensors file, so
// that anybody can check us against the reference implementation.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "audio/decode.h"
#include "audio/log_mel.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "chat/conversation.h"
#include "chat/prompt.h"
#include "cli/ask_flags.h"
#include "cli/commands.h"
#include "cli/paths.h"
#include "infer/sampling.h"
#include "model/load_backend.h"
#include "model/model_files.h"
#include "model/safetensors.h"
#include "text/tokenizer.h"

namespace areason {
namespace {

struct ProbeFlags {
  std::string model;
  BackendOptions backend;
  std::string messages;
  std::string audio_root;
  std::string out;
  std::string logits = "all";
  int greedy = 0;
  float repetition_penalty = 1.0f;
};

Conversation read_conversation(const std::string& path) {
  const Json json = read_json_file(path);
  return conversation_from_json(json.is_object() && json.contains("messages") ? json.at("messages") : json);
}

struct ProbedAudio {
  std::vector<float> samples;  // 16 kHz, at most one window
  LogMel mel;
  AudioEmbeddings embeddings;
};

ProbedAudio probe_audio(const std::string& path, const LogMelExtractor& extractor, ModelBackend& model) {
  ProbedAudio out;
  out.samples = load_audio_16k(path).samples;
  const LogMelConfig& config = extractor.config();
  const auto window = static_cast<std::size_t>(config.chunk_seconds) * static_cast<std::size_t>(config.sample_rate);
  if (out.samples.size() > window) {
    log_warning(path + " is longer than " + std::to_string(config.chunk_seconds) + " s: the rest is not heard");
    out.samples.resize(window);
  }
  out.mel = extractor.compute(out.samples);
  out.embeddings = model.encode_audio(out.mel);
  return out;
}

std::vector<std::int64_t> widen(const std::vector<int>& ids) { return {ids.begin(), ids.end()}; }

void add_audio(const ProbedAudio& audio, std::size_t index, std::vector<TensorOut>& out) {
  const std::string suffix = "." + std::to_string(index);
  out.push_back(make_f32("samples_16k" + suffix, {static_cast<std::int64_t>(audio.samples.size())}, audio.samples));
  std::vector<float> valid;  // without the two frames of padding
  for (int b = 0; b < audio.mel.bins; ++b) {
    const auto row = audio.mel.data.begin() + static_cast<std::ptrdiff_t>(b) * audio.mel.frames;
    valid.insert(valid.end(), row, row + audio.mel.valid_frames);
  }
  out.push_back(make_f32("log_mel" + suffix, {audio.mel.bins, audio.mel.valid_frames}, valid));
  const std::int64_t tokens = audio.embeddings.tokens;
  const std::int64_t width = tokens == 0 ? 0 : static_cast<std::int64_t>(audio.embeddings.data.size()) / tokens;
  out.push_back(make_f32("audio_embeddings" + suffix, {tokens, width}, audio.embeddings.data));
}

struct Start {
  const std::vector<int>& prompt;
  std::vector<float> logits;  // after its last token
};

// Greedy tokens after the prompt, the end token included, as transformers' generate() returns them.
std::vector<int> generate(const ProbeFlags& flags, ModelBackend& model, KvCache& cache, Start start) {
  SamplingOptions options;
  options.repetition_penalty = flags.repetition_penalty;
  Sampler sampler(options);
  sampler.remember(start.prompt);
  const auto& ends = model.config().generation.eos_ids;
  std::vector<int> out;
  while (static_cast<int>(out.size()) < flags.greedy) {
    throw_if_interrupted();
    const int id = sampler.pick(start.logits, nullptr);
    out.push_back(id);
    const bool full = cache.length() >= model.config().text.max_positions;
    if (full || std::find(ends.begin(), ends.end(), id) != ends.end()) break;
    if (static_cast<int>(out.size()) == flags.greedy) break;
    sampler.remember(std::span(&id, 1));
    start.logits = model.forward(std::span(&id, 1), {}, cache, Logits::kLast);
  }
  return out;
}

void run_probe(const ProbeFlags& flags) {
  const std::string model_dir = flags.model.empty() ? default_model_dir() : flags.model;
  const std::filesystem::path messages(flags.messages);
  const Conversation conversation = read_conversation(flags.messages);
  const std::filesystem::path root =
      flags.audio_root.empty() ? messages.parent_path() : std::filesystem::path(flags.audio_root);
  const std::unique_ptr<ModelBackend> loaded = load_backend(model_dir, flags.backend);
  ModelBackend& model = *loaded;
  const Tokenizer tokenizer = load_model_tokenizer(model_dir);
  const LogMelExtractor extractor(load_model_log_mel_config(model_dir));

  std::vector<ProbedAudio> audio;
  std::vector<int> counts;
  for (const auto& path : conversation.audio_paths()) {
    audio.push_back(probe_audio((root / path).string(), extractor, model));
    counts.push_back(audio.back().embeddings.tokens);
  }
  const Prompt prompt = build_prompt(tokenizer, conversation, counts, {PromptEnd::kGeneration, SpecialTokens::kParse});
  std::vector<AudioInsert> inserts;
  for (std::size_t i = 0; i < audio.size(); ++i) inserts.push_back({prompt.audio[i].begin, &audio[i].embeddings});
  KvCache cache;
  const std::vector<float> logits =
      model.forward(prompt.ids, inserts, cache, flags.logits == "all" ? Logits::kAll : Logits::kLast);
  const auto vocabulary = static_cast<std::ptrdiff_t>(model.config().text.vocab_size);
  const auto rows = static_cast<std::int64_t>(logits.size()) / vocabulary;

  std::vector<TensorOut> out;
  for (std::size_t i = 0; i < audio.size(); ++i) add_audio(audio[i], i, out);
  out.push_back(make_i64("input_ids", {static_cast<std::int64_t>(prompt.ids.size())}, widen(prompt.ids)));
  out.push_back(make_f32("logits", {rows, vocabulary}, logits));
  const auto generated = widen(generate(flags, model, cache, {prompt.ids, {logits.end() - vocabulary, logits.end()}}));
  out.push_back(make_i64("generated", {static_cast<std::int64_t>(generated.size())}, generated));
  write_safetensors(flags.out, out);
}

}  // namespace

void register_probe(CLI::App& app) {
  auto flags = std::make_shared<ProbeFlags>();
  CLI::App* command =
      app.add_subcommand("probe", "a conversation's tensors, from samples to logits, for checks against the reference");
  command->add_option("--model", flags->model, "checkpoint directory, or TEXT.gguf[,MMPROJ.gguf] (default: the built-in nano)")
      ->type_name("MODEL");
  command->add_option("--messages", flags->messages, "the conversation: a JSON list of messages, as transformers takes it")
      ->type_name("FILE")
      ->required();
  command
      ->add_option("--audio-root", flags->audio_root,
                   "what audio paths are relative to (default: the directory of the messages)")
      ->type_name("DIR");
  command->add_option("--out", flags->out, "the safetensors file to write")->type_name("FILE")->required();
  command->add_option("--greedy", flags->greedy, "generate so many tokens, the best one each time, without structure")
      ->type_name("N")
      ->check(CLI::Range(0, 1 << 20))
      ->capture_default_str();
  command->add_option("--repetition-penalty", flags->repetition_penalty, "over the ids of prompt and answer")
      ->type_name("X")
      ->check(CLI::Range(0.001, 1000.0))
      ->capture_default_str();
  command->add_option("--logits", flags->logits, "logits of all positions or of the last one")
      ->type_name("WHICH")
      ->check(CLI::IsMember({"all", "last"}))
      ->capture_default_str();
  add_backend_flags(*command, flags->backend);
  command->callback([flags] { run_probe(*flags); });
}

}  // namespace areason
