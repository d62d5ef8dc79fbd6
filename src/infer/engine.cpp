#include "infer/engine.h"

#include <algorithm>
#include <optional>

#include "base/clock.h"

namespace areason {
namespace {

constexpr int kPromptPiece = 512;             // positions of a prompt computed in one step
constexpr std::size_t kRemembered = 1 << 20;  // n-grams of earlier answers for drafts
constexpr int kDraftedRows = 16;              // of a pass with drafts

PositionKeys keys_of(const EngineRequest& request) {
  PositionKeys keys(request.ids.begin(), request.ids.end());
  for (const PromptAudio& audio : request.audio)
    std::fill_n(keys.begin() + audio.begin, audio.embeddings->tokens, audio_key(audio.content));
  return keys;
}

// The audio rows that lie in positions [from, from + rows) of the prompt.
std::vector<AudioInsert> inserts_of(const EngineRequest& request, int from, int rows) {
  std::vector<AudioInsert> out;
  for (const PromptAudio& audio : request.audio) {
    const int begin = std::max(from, audio.begin), end = std::min(from + rows, audio.begin + audio.embeddings->tokens);
    if (begin < end) out.push_back({begin - from, audio.embeddings.get(), begin - audio.begin, end - begin});
  }
  return out;
}

std::size_t common_prefix(std::span<const int> a, std::span<const int> b) {
  const std::size_t limit = std::min(a.size(), b.size());
  std::size_t n = 0;
  while (n < limit && a[n] == b[n]) ++n;
  return n;
}

}  // namespace

struct Engine::Sequence {
  int number = 0;
  EngineRequest request;
  PositionKeys prompt_keys;  // of the prompt and of what the structure forces behind it
  std::vector<int> prompt;   // their ids
  std::unique_ptr<AnswerWriter> writer;
  KvCache cache;
  NgramDrafts drafts;            // of its own text
  std::size_t drafted_from = 0;  // answer ids that `drafts` has
  EngineAnswer answer;
  double started = 0;
};

// What one sequence does in a pass.
struct Engine::Turn {
  Sequence* sequence;
  std::vector<int> ids;  // pending, then drafts
  std::size_t pending;
};

Engine::Engine(ModelBackend& model, const Tokenizer& tokenizer, const EngineLimits& limits)
    : model_(&model), tokenizer_(&tokenizer), limits_(limits), prefixes_(model, limits.kept) {
  limits_.running = std::max(1, limits_.running);
}

Engine::~Engine() = default;

int Engine::submit(EngineRequest request) {
  auto sequence = std::make_unique<Sequence>();
  sequence->number = next_request_++;
  sequence->request = std::move(request);
  waiting_.push_back(std::move(sequence));
  return waiting_.back()->number;
}

bool Engine::idle() const { return waiting_.empty() && filling_ == nullptr && running_.empty(); }

bool Engine::step() {
  if (filling_ == nullptr && !waiting_.empty() && static_cast<int>(running_.size()) < limits_.running) {
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    start(std::move(next));
  }
  if (filling_ != nullptr) prefill();
  decode();
  return !idle();
}

void Engine::start(std::unique_ptr<Sequence> sequence) {
  Sequence& s = *sequence;
  s.started = monotonic_seconds();
  bool more = true;
  std::optional<PrefixStore::Whole> whole;
  try {
    s.writer = std::make_unique<AnswerWriter>(*tokenizer_, s.request.how, s.request.ids, s.request.sink);
    more = s.writer->advance();
    s.prompt = s.request.ids;
    s.prompt.insert(s.prompt.end(), s.writer->pending().begin(), s.writer->pending().end());
    s.prompt_keys = keys_of(s.request);
    s.prompt_keys.insert(s.prompt_keys.end(), s.writer->pending().begin(), s.writer->pending().end());
    whole = prefixes_.find_whole(s.prompt_keys);
    s.cache = whole ? std::move(whole->cache) : prefixes_.find(s.prompt_keys);
  } catch (...) {
    return fail(s, std::current_exception());
  }
  s.answer.reused_tokens = std::min(s.cache.length(), static_cast<int>(s.request.ids.size()));
  if (!more) {
    finish(s);
  } else if (whole) {
    run(std::move(sequence), std::move(whole->logits));
  } else {
    filling_ = std::move(sequence);
  }
}

// One piece of the prompt; the last piece gives the first token.
void Engine::prefill() {
  Sequence& s = *filling_;
  const int from = s.cache.length(), total = static_cast<int>(s.prompt.size());
  const int rows = std::min(kPromptPiece, total - from);
  const bool last = from + rows == total;
  std::vector<float> logits;
  try {
    const auto inserts = inserts_of(s.request, from, rows);
    const BatchItem item{std::span(s.prompt).subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(rows)), inserts,
                         &s.cache, last ? 1 : 0};
    logits = model_->forward_batch({&item, 1});
    if (last) prefixes_.keep(s.prompt_keys, s.cache, logits);
  } catch (...) {
    const auto sequence = std::move(filling_);
    return fail(s, std::current_exception());
  }
  if (last) return run(std::move(filling_), std::move(logits));
  if (!s.request.how.stop || !s.request.how.stop()) return;
  const auto sequence = std::move(filling_);
  s.writer->stop();
  finish(s);
}

// The prompt is in the cache; `logits` follow its last position.
void Engine::run(std::unique_ptr<Sequence> sequence, std::vector<float> logits) {
  Sequence& s = *sequence;
  s.answer.prefill_seconds = monotonic_seconds() - s.started;
  s.writer->fed(s.writer->pending().size());
  if (limits_.drafted > 0) s.drafts.append(s.request.ids);
  bool more = true;
  try {
    s.writer->choose(logits);
    more = s.writer->advance();
    forget_taken_back(s);
  } catch (...) {
    return fail(s, std::current_exception());
  }
  if (more) {
    running_.push_back(std::move(sequence));
  } else {
    finish(s);
  }
}

std::vector<int> Engine::draft(Sequence& s, int room) {
  if (limits_.drafted == 0) return {};
  const auto answer = s.writer->ids();
  s.drafted_from = std::min(s.drafted_from, answer.size());  // the writer may have taken some back
  s.drafts.append(answer.subspan(s.drafted_from));
  s.drafted_from = answer.size();
  const int count = std::min(room, limits_.drafted);
  std::vector<int> out = s.drafts.propose(answer, count);
  std::vector<int> earlier = finished_.propose(answer, count);
  return out.size() >= earlier.size() ? out : earlier;
}

// One token (or several, where drafts hold) of every answer in progress.
void Engine::decode() {
  const int most = model_->pass_rows();
  std::vector<Turn> turns;
  int rows = 0;
  // Drafts are for few answers: many fill a pass by themselves.
  const int share = running_.empty() ? 0 : kDraftedRows / static_cast<int>(running_.size());
  for (const auto& sequence : running_) {
    const auto pending = sequence->writer->pending();
    Turn turn{sequence.get(), {pending.begin(), pending.end()}, pending.size()};
    const std::vector<int> drafts = draft(*sequence, share - static_cast<int>(pending.size()));
    turn.ids.insert(turn.ids.end(), drafts.begin(), drafts.end());
    if (rows + static_cast<int>(turn.ids.size()) > most && !turns.empty()) {
      pass(turns);
      turns.clear();
      rows = 0;
    }
    rows += static_cast<int>(turn.ids.size());
    turns.push_back(std::move(turn));
  }
  if (!turns.empty()) pass(turns);
  std::erase_if(running_, [](const auto& sequence) { return sequence->writer == nullptr; });
}

void Engine::pass(std::vector<Turn>& turns) {
  std::vector<BatchItem> items;
  for (const Turn& turn : turns)
    items.push_back({turn.ids, {}, &turn.sequence->cache, static_cast<int>(turn.ids.size() - turn.pending) + 1});
  std::vector<float> logits;
  try {
    logits = model_->forward_batch(items);
  } catch (...) {
    for (Turn& turn : turns) fail(*turn.sequence, std::current_exception());
    return;
  }
  ++stats_.passes;
  const auto vocabulary = static_cast<std::size_t>(model_->config().text.vocab_size);
  std::size_t at = 0;
  for (std::size_t i = 0; i < turns.size(); ++i) {
    const std::size_t count = static_cast<std::size_t>(items[i].logits) * vocabulary;
    stats_.rows += static_cast<long>(turns[i].ids.size());
    take(turns[i], std::span(logits).subspan(at, count));
    at += count;
  }
}

// Drafts that did not hold, and words that the writer has taken back.
void Engine::forget_taken_back(Sequence& s) { s.cache.truncate(static_cast<int>(s.request.ids.size() + s.writer->fed())); }

// `logits` follow the last pending id and each draft. Drafts that turn out to be what the answer says are kept.
void Engine::take(Turn& turn, std::span<float> logits) {
  Sequence& s = *turn.sequence;
  const std::span<const int> drafts = std::span(turn.ids).subspan(turn.pending);
  const auto vocabulary = static_cast<std::size_t>(model_->config().text.vocab_size);
  std::size_t right = 0;
  bool more = true;
  try {
    s.writer->fed(turn.pending);
    for (;;) {
      const std::size_t known = s.writer->fed();
      s.writer->choose(logits.subspan(right * vocabulary, vocabulary));
      more = s.writer->advance();
      if (s.writer->fed() < known) break;
      const std::size_t pending = s.writer->pending().size(), same = common_prefix(s.writer->pending(), drafts.subspan(right));
      s.writer->fed(same);
      right += same;
      if (!more || same < pending || pending == 0) break;
    }
  } catch (...) {
    return fail(s, std::current_exception());
  }
  stats_.drafted += static_cast<long>(drafts.size());
  stats_.accepted += static_cast<long>(right);
  forget_taken_back(s);
  if (!more) finish(s);
}

void Engine::finish(Sequence& s) {
  const double total = monotonic_seconds() - s.started;
  if (s.request.keep == KeepPrefix::kAnswer) {
    PositionKeys keys = keys_of(s.request);
    keys.insert(keys.end(), s.writer->ids().begin(), s.writer->ids().end());
    prefixes_.keep(std::move(keys), s.cache);
  }
  if (limits_.drafted > 0) {
    if (finished_.size() > kRemembered) finished_.clear();
    finished_.begin_text();
    finished_.append(s.writer->ids());
  }
  EngineAnswer answer = std::move(s.answer);
  answer.generation = s.writer->finish();
  answer.generate_seconds = total - answer.prefill_seconds;
  s.writer = nullptr;
  s.cache = {};
  if (s.request.done) s.request.done(std::move(answer));
}

void Engine::fail(Sequence& s, const std::exception_ptr& error) {
  s.writer = nullptr;
  s.cache = {};
  EngineAnswer answer;
  answer.error = error;
  if (s.request.done) s.request.done(std::move(answer));
}

void Engine::cancel(int request) {
  const auto end = [&](Sequence& s) {
    if (s.writer == nullptr)  // it has not begun
      s.writer = std::make_unique<AnswerWriter>(*tokenizer_, GenerateOptions{}, std::span<const int>());
    s.request.keep = KeepPrefix::kPrompt;
    s.writer->stop();
    finish(s);
  };
  if (filling_ != nullptr && filling_->number == request) {
    const auto sequence = std::move(filling_);
    return end(*sequence);
  }
  const auto is_it = [&](const auto& sequence) { return sequence->number == request; };
  if (const auto it = std::find_if(waiting_.begin(), waiting_.end(), is_it); it != waiting_.end()) {
    const auto sequence = std::move(*it);
    waiting_.erase(it);
    return end(*sequence);
  }
  if (const auto it = std::find_if(running_.begin(), running_.end(), is_it); it != running_.end()) {
    const auto sequence = std::move(*it);
    running_.erase(it);
    end(*sequence);
  }
}

}  // namespace areason
