#include "reason/session.h"

#include <algorithm>
#include <atomic>
#include <chrono>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "chat/prompt.h"
#include "infer/generator.h"
#include "model/model_files.h"
#include "reason/clips.h"
#include "reason/prefix_cache.h"

namespace areason {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

Message text_message(const char* role, const std::string& text) { return {role, {{Part::Kind::kText, text}}}; }

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

}  // namespace

struct Session::Impl {
  Impl(const std::string& model_dir, int threads)
      : dir(model_dir),
        started(now()),
        model(Qwen2Audio::load(model_dir, threads)),
        tokenizer(load_model_tokenizer(model_dir)),
        clips(model, load_model_log_mel_config(model_dir)),
        vocabulary(tokenizer),
        layout(vocabulary),
        load_seconds(now() - started) {}

  void begin(const AskOptions& options);
  void add_user(std::vector<std::shared_ptr<const HeardClip>> heard, const std::string& question);
  void add_assistant(const std::string& text);
  std::vector<std::shared_ptr<const HeardClip>> hear(const std::vector<std::string>& paths, const AskOptions& options,
                                                     Answer& answer);
  Prompt prompt(const AskOptions& options, Answer& answer);
  Generation generate(const Prompt& prompt, const AskOptions& options, const SectionSink& sink, Answer& answer);
  int room(const Prompt& prompt, const AskOptions& options, const GuideLayout* guide) const;

  std::string dir;
  double started;
  Qwen2Audio model;
  Tokenizer tokenizer;
  ClipCache clips;
  MaskVocabulary vocabulary;
  GuideLayout layout;
  double load_seconds;

  Conversation conversation;
  std::vector<std::shared_ptr<const HeardClip>> heard;  // of the conversation, in order
  std::vector<const ClipWindow*> windows;               // one per audio part of the conversation; they live in `heard`
  Json transcript = Json::array();
  std::vector<std::shared_ptr<const HeardClip>> waiting;
  PrefixCache cache;
  std::atomic<bool> stop = false;
};

void Session::Impl::begin(const AskOptions& options) {
  if (!conversation.messages.empty()) return;
  const std::string system = options.system_prompt.empty() ? kReasonerSystemPrompt : options.system_prompt;
  conversation.messages.push_back(text_message("system", system));
  transcript.push_back({{"role", "system"}, {"content", system}});
}

std::vector<std::shared_ptr<const HeardClip>> Session::Impl::hear(const std::vector<std::string>& paths,
                                                                  const AskOptions& options, Answer& answer) {
  std::vector<std::shared_ptr<const HeardClip>> out;
  for (const std::string& path : paths) {
    out.push_back(clips.load(path, options.long_audio, answer.seconds));
    answer.audio.push_back(out.back()->heard);
  }
  return out;
}

void Session::Impl::add_user(std::vector<std::shared_ptr<const HeardClip>> clips_of_turn, const std::string& question) {
  Message message{"user", {}};
  Json content = Json::array();
  for (const auto& clip : clips_of_turn) {
    for (const ClipWindow& window : clip->windows) {
      message.parts.push_back({Part::Kind::kAudio, clip->heard.path});
      windows.push_back(&window);
    }
    content.push_back({{"type", "audio"}, {"audio_url", clip->heard.path}});
    heard.push_back(clip);
  }
  message.parts.push_back({Part::Kind::kText, question});
  content.push_back({{"type", "text"}, {"text", question}});
  conversation.messages.push_back(std::move(message));
  transcript.push_back({{"role", "user"}, {"content", std::move(content)}});
}

void Session::Impl::add_assistant(const std::string& text) {
  conversation.messages.push_back(text_message("assistant", text));
  transcript.push_back({{"role", "assistant"}, {"content", text}});
}

Prompt Session::Impl::prompt(const AskOptions& options, Answer& answer) {
  std::vector<int> counts;
  for (const ClipWindow* window : windows) counts.push_back(window->embeddings.tokens);
  PromptOptions how;
  how.user_specials = options.allow_special_tokens ? SpecialTokens::kParse : SpecialTokens::kAsText;
  Prompt out = build_prompt(tokenizer, conversation, counts, how);
  answer.prompt_tokens = static_cast<int>(out.ids.size());
  for (const int count : counts) answer.audio_tokens += count;
  return out;
}

// New tokens that fit into the context behind the prompt.
int Session::Impl::room(const Prompt& prompt, const AskOptions& options, const GuideLayout* guide) const {
  const int context = model.config().text.max_positions;
  const int left = context - static_cast<int>(prompt.ids.size());
  const int least = guide != nullptr ? guide->least_tokens() : 1;
  if (left < least) {
    throw Error(ErrorCode::kInput,
                "the prompt has " + std::to_string(prompt.ids.size()) + " tokens and an answer needs at least " +
                    std::to_string(least) + ", the model's context has " + std::to_string(context),
                "give shorter clips or a shorter question, or start a new conversation (/clear)");
  }
  return std::min(left, options.max_new_tokens);
}

Generation Session::Impl::generate(const Prompt& prompt, const AskOptions& options, const SectionSink& sink, Answer& answer) {
  std::optional<GuideLayout> with_choices;
  if (!options.choices.empty()) with_choices.emplace(vocabulary, options.choices);
  GenerateOptions how;
  if (options.structure == Structure::kGuided) how.layout = with_choices ? &*with_choices : &layout;
  how.sampling = sampling_options(options, model.config().generation);
  how.max_new_tokens = room(prompt, options, how.layout);
  how.end_ids = model.config().generation.eos_ids;
  how.section_budget = options.section_budget;
  how.stop = [this] { return stop.load() || interrupted(); };

  std::vector<std::uint64_t> uids;
  std::vector<const AudioEmbeddings*> embeddings;
  for (const ClipWindow* window : windows) uids.push_back(window->uid), embeddings.push_back(&window->embeddings);
  answer.reused_tokens = cache.reuse(prompt, uids);
  bool prompt_fed = false;
  const double start = now();
  const StepFunction step = [&](std::span<const int> ids) {
    if (prompt_fed) return cache.feed(model, ids);
    auto logits = cache.feed(model, prompt, embeddings, ids);
    prompt_fed = true;
    answer.seconds["prefill"] = now() - start;
    return logits;
  };
  SectionStream sections;
  const auto pass_on = [&](const std::vector<SectionEvent>& events) {
    for (const SectionEvent& event : events) {
      if (sink) sink(event);
    }
  };
  Generation out =
      Generator(tokenizer, how).run(step, prompt.ids, [&](std::string_view text) { pass_on(sections.push(text)); });
  pass_on(sections.finish());
  answer.seconds["generate"] = now() - start - answer.seconds["prefill"];
  return out;
}

Session::Session(const std::string& model_dir, int threads) : impl_(std::make_unique<Impl>(model_dir, threads)) {}
Session::~Session() = default;

void Session::begin(const std::vector<std::string>& audio_paths, const std::vector<Exchange>& earlier,
                    const AskOptions& options) {
  clear();
  Answer unused;
  auto clips = impl_->hear(audio_paths, options, unused);
  impl_->begin(options);
  for (const Exchange& round : earlier) {
    impl_->add_user(std::exchange(clips, {}), round.question);
    impl_->add_assistant(round.response);
  }
  impl_->waiting = std::move(clips);
}

Answer Session::ask(const std::vector<std::string>& audio_paths, const std::string& question, const AskOptions& options,
                    const SectionSink& sink) {
  Impl& impl = *impl_;
  impl.stop = false;
  Answer answer;
  answer.seconds = {{"load", impl.load_seconds}, {"decode", 0.0}, {"encode", 0.0}, {"prefill", 0.0}, {"generate", 0.0}};
  for (const auto& clip : impl.waiting) answer.audio.push_back(clip->heard);
  auto clips = impl.hear(audio_paths, options, answer);
  const Conversation before = impl.conversation;
  const auto transcript_before = impl.transcript;
  const auto windows_before = impl.windows.size();
  const auto heard_before = impl.heard.size();
  try {
    impl.begin(options);
    auto all = impl.waiting;
    all.insert(all.end(), clips.begin(), clips.end());
    impl.add_user(std::move(all), question);
    const Prompt prompt = impl.prompt(options, answer);
    const Generation out = impl.generate(prompt, options, sink, answer);
    impl.waiting.clear();
    impl.add_assistant(out.text);
    const ParsedChain parsed = parse_chain(out.text);
    answer.text = out.text;
    answer.sections = parsed.chain;
    answer.complete = parsed.complete;
    answer.cut = out.cut;
    answer.completion_tokens = static_cast<int>(out.ids.size());
    answer.finish_reason = out.finish_reason;
    return answer;
  } catch (...) {
    // A question that failed leaves the conversation as it was.
    impl.conversation = before;
    impl.transcript = transcript_before;
    impl.windows.resize(windows_before);
    impl.heard.resize(heard_before);
    throw;
  }
}

void Session::clear() {
  impl_->conversation = {};
  impl_->heard.clear();
  impl_->windows.clear();
  impl_->waiting.clear();
  impl_->transcript = Json::array();
}

void Session::stop() { impl_->stop = true; }

Json Session::transcript() const { return impl_->transcript; }
const std::string& Session::model_dir() const { return impl_->dir; }

}  // namespace areason
