#include "cli/ask_flags.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/flag_checks.h"
#include "cli/paths.h"

namespace areason {
namespace {

std::string trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\n");
  return begin == std::string_view::npos ? "" : std::string(text.substr(begin, text.find_last_not_of(" \t\n") - begin + 1));
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  for (;;) {
    const auto end = text.find(separator);
    out.push_back(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

[[noreturn]] void bad_budget(const std::string& part) {
  throw Error(ErrorCode::kUsage, "cannot read the budget \"" + part + "\"",
              "write for example --budget planning=60,caption=120,reasoning=200,summary=60,response=40");
}

}  // namespace

std::map<Section, int> parse_budget(std::string_view text) {
  std::map<Section, int> out;
  if (trimmed(text).empty()) return out;
  for (const std::string& part : split(text, ',')) {
    const auto equals = part.find('=');
    if (equals == std::string::npos) bad_budget(part);
    const std::string key = trimmed(std::string_view(part).substr(0, equals));
    const std::string value = trimmed(std::string_view(part).substr(equals + 1));
    const auto section = std::find_if(kSections.begin(), kSections.end(), [&](Section s) { return section_key(s) == key; });
    int tokens = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), tokens);
    if (section == kSections.end() || error != std::errc() || end != value.data() + value.size() || tokens < 0)
      bad_budget(part);
    out[*section] = tokens;
  }
  return out;
}

std::vector<std::string> parse_choices(std::string_view text) {
  auto out = split(text, '|');
  auto sorted = out;
  std::sort(sorted.begin(), sorted.end());
  const bool twice = std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end();
  if (out.size() < 2 || twice || sorted.front().empty()) {
    throw Error(ErrorCode::kUsage, "--choices needs at least two different texts separated by |",
                "write for example --choices \"A. a dog|B. a cat\"");
  }
  return out;
}

void add_backend_flags(CLI::App& command, BackendOptions& backend) {
  command
      .add_option("--backend", backend.name,
                  "what computes the network: native, or torch (libtorch, a plug-in: docs/torch-backend.md)")
      ->check(CLI::IsMember({"native", "torch"}))
      ->capture_default_str();
  command.add_option("--device", backend.device, "of --backend torch: cpu, cuda, cuda:1 …")
      ->type_name("DEVICE")
      ->capture_default_str();
  command
      .add_option("--dtype", backend.dtype, "numbers of --backend torch: f32, bf16, f16; auto: f32 on the CPU, bf16 elsewhere")
      ->check(CLI::IsMember({"auto", "f32", "bf16", "f16"}))
      ->capture_default_str();
}

void AskFlags::add_to(CLI::App& command) {
  const auto positive = CLI::Range(1, 1000000);
  command.add_option("-m,--model", model, "checkpoint directory, or TEXT.gguf[,MMPROJ.gguf] (default: the built-in nano)")
      ->type_name("MODEL");
  command.add_option("--system", options.system_prompt, "system prompt (default: the one Audio-Reasoner was trained on)")
      ->type_name("TEXT");
  command.add_option("--structure", structure, "guided: the five sections are guaranteed; free: the raw model")
      ->check(CLI::IsMember({"guided", "free"}))
      ->capture_default_str();
  command
      .add_option("--budget", budget, "most tokens of a section, e.g. planning=60,reasoning=200; a section over it is closed")
      ->type_name("LIST");
  command.add_option("--long-audio", long_audio, "clips over the model's 30 s: windows (several audios), truncate or error")
      ->check(CLI::IsMember({"windows", "truncate", "error"}))
      ->capture_default_str();
  command.add_option("--max-new-tokens", options.max_new_tokens, "most tokens of an answer")
      ->check(positive)
      ->capture_default_str();
  command.add_option("--temperature", options.temperature, "0: always the best token")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  command.add_option("--top-k", options.top_k, "sample from the K best tokens; 0: off")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str();
  command.add_option("--top-p", options.top_p, "sample from the best tokens that sum up to P")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command.add_option("--min-p", options.min_p, "leave out tokens under P times the best one's probability")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command.add_option("--repetition-penalty", repetition_penalty, "over prompt and answer (default: generation_config.json's)")
      ->check(CLI::Range(0.01, 100.0));
  command.add_option("--seed", options.seed, "seed of the sampling")->check(kNotNegative)->capture_default_str();
  command.add_flag("--allow-special-tokens", options.allow_special_tokens,
                   "text like <|im_end|> in questions becomes the special token");
  command.add_option("--threads", threads, "threads of the model; 0: one a core")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  add_engine_flags(command);
}

void AskFlags::add_engine_flags(CLI::App& command) {
  add_backend_flags(command, backend);
  command.add_option("--kv-type", kv_type, "keys and values in memory: f32, f16, bf16; auto: f32 for small models, else f16")
      ->check(CLI::IsMember({"auto", "f32", "f16", "bf16"}))
      ->capture_default_str();
  command
      .add_option("--cache-dir", cache_dir,
                  "keep what has been computed of clips in this folder, so that the next question on a clip starts at once")
      ->type_name("DIR");
  command.add_option("--cache-size", cache_gb, "most gigabytes in --cache-dir; what was used longest ago goes first")
      ->check(CLI::Range(0.001, 1e6))
      ->capture_default_str();
  command
      .add_option("--draft", draft,
                  "speculation: check up to N tokens at once that followed the same words before; the answer stays the same; "
                  "0: off")
      ->check(CLI::Range(0, 15))
      ->capture_default_str();
}

AskOptions AskFlags::finish() const {
  AskOptions out = options;
  out.structure = structure == "free" ? Structure::kFree : Structure::kGuided;
  out.long_audio = parse_long_audio(long_audio);
  out.section_budget = parse_budget(budget);
  if (choices) out.choices = parse_choices(*choices);
  if (repetition_penalty > 0) out.repetition_penalty = repetition_penalty;
  if (out.structure == Structure::kFree && (!out.choices.empty() || !out.section_budget.empty())) {
    throw Error(ErrorCode::kUsage, "--choices and --budget need --structure guided", "leave out --structure free");
  }
  return out;
}

SessionOptions AskFlags::session() const {
  SessionOptions out;
  out.backend = backend;
  out.threads = threads;
  out.drafted = draft;
  for (const KvType type : {KvType::kF32, KvType::kF16, KvType::kBF16})
    if (kv_type == kv_type_name(type)) out.kv_type = type;
  out.cache_dir = cache_dir;
  out.cache_bytes = static_cast<std::uint64_t>(cache_gb * 1e9);
  return out;
}

std::string AskFlags::model_dir() const { return model.empty() ? default_model_dir() : model; }

}  // namespace areason
