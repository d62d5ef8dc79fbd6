#include "reason/reasoner.h"

#include <algorithm>

#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "model/load_backend.h"
#include "model/model_files.h"
#include "reason/model_identity.h"

namespace areason {
namespace {

SamplingOptions sampling_options(const AskOptions& options, const GenerationConfig& defaults) {
  SamplingOptions out;
  out.temperature = options.temperature;
  out.top_k = options.top_k;
  out.top_p = options.top_p;
  out.min_p = options.min_p;
  out.repetition_penalty = options.repetition_penalty.value_or(defaults.repetition_penalty);
  out.seed = options.seed;
  return out;
}

std::unique_ptr<ModelBackend> load_model(const std::string& dir, const SessionOptions& options) {
  BackendOptions backend = options.backend;
  backend.threads = options.threads;
  backend.kv_type = options.kv_type;
  if (!backend.is_native() && !options.cache_dir.empty())
    throw Error(ErrorCode::kUsage, "the cache on disk holds what the native backend computes", "leave out --cache-dir");
  return load_backend(dir, backend);
}

EngineLimits engine_limits(const SessionOptions& options) {
  EngineLimits out;
  out.running = options.running;
  out.drafted = options.drafted;
  return out;
}

void complete(Answer& answer, EngineAnswer&& from) {
  const ParsedChain parsed = parse_chain(from.generation.text);
  answer.sections = parsed.chain;
  answer.complete = parsed.complete;
  answer.text = std::move(from.generation.text);
  answer.cut = std::move(from.generation.cut);
  answer.completion_tokens = static_cast<int>(from.generation.ids.size());
  answer.finish_reason = std::move(from.generation.finish_reason);
  answer.reused_tokens = from.reused_tokens;
  answer.seconds["prefill"] = from.prefill_seconds;
  answer.seconds["generate"] = from.generate_seconds;
}

// Positions up to the one behind the last audio: what the next question on the same clips begins with.
PositionKeys shared_keys(const EngineRequest& request) {
  if (request.audio.empty()) return {};
  const PromptAudio& last = request.audio.back();
  const auto end = static_cast<std::size_t>(last.begin + last.embeddings->tokens + 1);
  PositionKeys keys(request.ids.begin(), request.ids.begin() + static_cast<std::ptrdiff_t>(std::min(end, request.ids.size())));
  for (const PromptAudio& audio : request.audio)
    std::fill_n(keys.begin() + audio.begin, audio.embeddings->tokens, audio_key(audio.content));
  return keys;
}

std::string_view bytes_of(std::span<const std::uint64_t> keys) {
  return {reinterpret_cast<const char*>(keys.data()), keys.size_bytes()};
}

}  // namespace

Reasoner::Reasoner(const std::string& model_dir, const SessionOptions& options)
    : dir_(model_dir),
      started_(monotonic_seconds()),
      model_(load_model(model_dir, options)),
      tokenizer_(load_model_tokenizer(model_dir)),
      files_(options.cache_dir.empty() ? nullptr : std::make_unique<FileCache>(options.cache_dir, options.cache_bytes)),
      identity_(files_ == nullptr ? "" : model_identity(model_dir)),
      clips_(*model_, load_model_log_mel_config(model_dir), files_.get(), identity_),
      vocabulary_(tokenizer_),
      layout_(vocabulary_),
      engine_(*model_, tokenizer_, engine_limits(options)),
      load_seconds_(monotonic_seconds() - started_) {}

SessionStats Reasoner::stats() const {
  const EngineStats& engine = engine_.stats();
  const double passes = static_cast<double>(std::max(1L, engine.passes));
  return {model_->kv_memory().peak, kv_type_name(model_->kv_type()), static_cast<double>(engine.rows) / passes, engine.drafted,
          engine.accepted};
}

HeardClips Reasoner::hear(const std::vector<std::string>& paths, const AskOptions& options, Answer& answer) {
  HeardClips out = clips_.load(paths, options.long_audio, answer.seconds);
  for (const auto& clip : out) answer.audio.push_back(clip->heard);
  return out;
}

// New tokens that fit into the context behind the prompt.
int Reasoner::room(std::size_t prompt_tokens, const AskOptions& options, const GuideLayout* guide) const {
  const int context = model_->config().text.max_positions;
  const int left = context - static_cast<int>(prompt_tokens);
  const int least = guide != nullptr ? guide->least_tokens() : 1;
  if (left < least) {
    throw Error(ErrorCode::kInput,
                "the prompt has " + std::to_string(prompt_tokens) + " tokens and an answer needs at least " +
                    std::to_string(least) + ", the model's context has " + std::to_string(context),
                "give shorter clips or a shorter question, or start a new conversation (/clear)");
  }
  return std::min(left, options.max_new_tokens);
}

void Reasoner::choose_layout(const AskOptions& options, EngineRequest& request) {
  if (options.structure != Structure::kGuided) return;
  if (!options.choices.empty()) request.own_layout = std::make_shared<GuideLayout>(vocabulary_, options.choices);
  request.how.choices = options.choices;
  request.how.layout = request.own_layout ? request.own_layout.get() : &layout_;
}

void Reasoner::submit(const Dialogue& dialogue, Asked asked) {
  const Prompt prompt = dialogue.prompt(tokenizer_, asked.options);
  const auto state = std::make_shared<Asked>(std::move(asked));
  EngineRequest request;
  request.ids = prompt.ids;
  request.audio = dialogue.audio(prompt);
  request.keep = state->keep;
  choose_layout(state->options, request);
  request.how.sampling = sampling_options(state->options, model_->config().generation);
  request.how.max_new_tokens = room(prompt.ids.size(), state->options, request.how.layout);
  request.how.end_ids = model_->config().generation.eos_ids;
  request.how.section_budget = state->options.section_budget;
  request.how.stop = state->stop;
  state->answer.prompt_tokens = static_cast<int>(prompt.ids.size());
  state->answer.audio_tokens = dialogue.audio_tokens();

  const auto sections = std::make_shared<SectionStream>();
  const auto pass_on = [state](const std::vector<SectionEvent>& events) {
    for (const SectionEvent& event : events)
      if (state->sink) state->sink(event);
  };
  request.sink = [state, sections, pass_on](std::string_view text) {
    if (state->text) state->text(text);
    pass_on(sections->push(text));
  };
  const PositionKeys shared = files_ == nullptr ? PositionKeys() : shared_keys(request);
  const double before = monotonic_seconds();
  load_prefix(shared);
  state->answer.seconds["cache"] = monotonic_seconds() - before;
  request.done = [this, state, sections, pass_on, shared](EngineAnswer&& from) {
    if (from.error != nullptr) return state->failed(from.error);
    pass_on(sections->finish());
    complete(state->answer, std::move(from));
    save_prefix(shared);
    state->done(std::move(state->answer));
  };
  engine_.submit(std::move(request));
}

std::string Reasoner::prefix_name(std::span<const std::uint64_t> keys) const {
  return "kv-" +
         sha256_hex(identity_ + '\n' + kv_type_name(model_->kv_type()) + '\n' + std::string(bytes_of(keys))).substr(0, 40);
}

void Reasoner::load_prefix(const PositionKeys& keys) {
  if (keys.empty() || engine_.prefixes().common_length(keys) == static_cast<int>(keys.size())) return;
  const auto file = files_->get(prefix_name(keys));
  if (!file) return;
  try {
    engine_.prefixes().keep(keys, model_->restore_cache(file->bytes(), static_cast<int>(keys.size())));
  } catch (const Error& e) {
    log_warning(std::string("the cache is not used: ") + e.what());
  }
}

void Reasoner::save_prefix(const PositionKeys& keys) {
  if (keys.empty() || engine_.prefixes().common_length(keys) < static_cast<int>(keys.size())) return;
  const std::string name = prefix_name(keys);
  if (files_->has(name)) return;
  PositionKeys one_more = keys;  // find() leaves the last position to be computed
  one_more.push_back(0);
  const KvCache cache = engine_.prefixes().find(one_more);
  files_->put(name, cache.pages());
}

}  // namespace areason
