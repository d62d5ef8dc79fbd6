#include "train/policy_sampler.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/interrupt.h"
#include "base/random.h"
#include "model/qwen2_audio.h"
#include "train/checkpoint.h"
#include "train/model_files.h"

namespace areason::train {
namespace {

// Finite, so that no infinity reaches kernels.cpp; exp of it is 0 beside any logit.
constexpr float kImpossible = -1e4f;

TokenId end_token(const Tokenizer& tokenizer) {
  const auto id = tokenizer.special_id("<|im_end|>");
  if (!id) throw Error(ErrorCode::kModel, "the tokenizer lacks <|im_end|>", "it is no Qwen2-Audio tokenizer");
  return *id;
}

std::shared_ptr<const AudioEmbeddings> to_embeddings(const at::Tensor& rows) {
  const at::Tensor whole = rows.to(at::kCPU).contiguous();
  auto out = std::make_shared<AudioEmbeddings>();
  out->tokens = static_cast<int>(whole.size(0));
  const float* from = whole.data_ptr<float>();
  out->data.assign(from, from + whole.numel());
  return out;
}

}  // namespace

int AllowedTokens::row(const TokenMask& mask) {
  const auto [it, added] = rows_.try_emplace(&mask, static_cast<int>(shifts_.size()));
  if (added) {
    at::Tensor shift = at::empty({vocabulary_}, at::TensorOptions().dtype(at::kFloat));
    for (int id = 0; id < vocabulary_; ++id) shift.data_ptr<float>()[id] = mask.allows(id) ? 0.0f : kImpossible;
    shifts_.push_back(std::move(shift));
  }
  return it->second;
}

at::Tensor AllowedTokens::shifts() const { return shifts_.empty() ? at::Tensor() : at::stack(shifts_, 0); }

struct PolicySampler::Writer {
  Writer(const std::string& dir, const MaskVocabulary& vocabulary, const SamplingRule& rule)
      : model(Qwen2Audio::load(dir, 1)), layout(vocabulary), engine(model, vocabulary.tokenizer(), {rule.running, 0, {}}) {}
  Qwen2Audio model;
  GuideLayout layout;
  Engine engine;
};

PolicySampler::PolicySampler(const Parts& parts, const SamplingRule& rule)
    : parts_(parts),
      rule_(rule),
      end_(end_token(parts.tokenizer)),
      vocabulary_(parts.tokenizer),
      layout_(vocabulary_),
      allowed_(parts.model.config().text.vocab_size) {
  make_directories(parts_.scratch);
  copy_model_files(parts_.files, parts_.scratch);
}

PolicySampler::~PolicySampler() {
  writers_.clear();
  std::error_code ignored;
  std::filesystem::remove_all(parts_.scratch, ignored);
}

void PolicySampler::take_weights() {
  writers_.clear();  // they map the file that is about to change
  save_weights(parts_.model, parts_.scratch, rule_.weights, SavedAdapters::kMerged);
  for (int w = 0; w < parts_.workers.size(); ++w)
    writers_.push_back(std::make_unique<Writer>(parts_.scratch, vocabulary_, rule_));
}

std::vector<PromptAudio> PolicySampler::audio_of(const AskedQuestion& question, std::size_t number) const {
  const at::NoGradGuard guard;
  std::vector<PromptAudio> out;
  for (std::size_t i = 0; i < question.audio.size(); ++i) {
    const at::Tensor states = question.mels.empty() ? question.features[i] : parts_.model.encode({question.mels[i]});
    // Numbers that no other audio of this engine has.
    out.push_back({question.audio[i].begin, to_embeddings(parts_.model.project(states)), (number << 16) + i + 1});
  }
  return out;
}

EngineRequest PolicySampler::request(const AskedQuestion& question, const std::vector<PromptAudio>& audio,
                                     const Job& job) const {
  EngineRequest out;
  out.ids = question.ids;
  out.audio = audio;
  // The plain distribution: no penalty, no cut of its tail.
  out.how.sampling.temperature = static_cast<float>(job.temperature);
  out.how.max_new_tokens = rule_.max_new_tokens;
  out.how.end_ids = {end_};
  out.how.stop = [] { return interrupted(); };
  return out;
}

// All answers to one question, one engine: its prompt is computed once.
void PolicySampler::write_answers(Writer& writer, const Job& job, std::size_t question, PolicyAnswer* answers) {
  const AskedQuestion& asked = job.questions[question];
  const std::vector<PromptAudio> audio = audio_of(asked, question);
  for (int i = 0; i < job.answers; ++i) {
    EngineRequest one = request(asked, audio, job);
    if (rule_.shape == AnswerShape::kGuided) one.how.layout = &writer.layout;
    Random random = Random::for_item(job.seed, fmt::format("{} question {} answer {}", job.name, question, i));
    one.how.sampling.seed = (std::uint64_t{random.next_u32()} << 32) | random.next_u32();
    PolicyAnswer& answer = answers[i];
    one.done = [this, &answer, question](EngineAnswer&& from) {
      if (from.error != nullptr) std::rethrow_exception(from.error);
      answer.question = question;
      answer.ids = std::move(from.generation.ids);
      answer.text = std::move(from.generation.text);
      answer.finish_reason = std::move(from.generation.finish_reason);
      if (rule_.shape == AnswerShape::kFree && answer.finish_reason == "stop") answer.ids.push_back(end_);
    };
    writer.engine.submit(std::move(one));
  }
}

std::vector<PolicyAnswer> PolicySampler::sample(const Job& job) {
  const std::size_t count = job.questions.size(), group = static_cast<std::size_t>(job.answers), workers = writers_.size();
  std::vector<PolicyAnswer> out(count * group);
  parts_.workers.on_each([&](int w) {
    Writer& writer = *writers_[static_cast<std::size_t>(w)];
    for (std::size_t q = static_cast<std::size_t>(w); q < count; q += workers) write_answers(writer, job, q, &out[q * group]);
    while (writer.engine.step()) {
    }
    writer.engine.prefixes().clear();  // the next job's audio has the same numbers
  });
  for (PolicyAnswer& answer : out) answer.choices = choices_of(answer);
  return out;
}

// Which tokens were chosen, and from what: the guide is asked again what it forced and allowed.
std::vector<Choice> PolicySampler::choices_of(const PolicyAnswer& answer) {
  std::vector<Choice> out;
  const auto size = static_cast<int>(answer.ids.size());
  if (rule_.shape == AnswerShape::kFree) {
    for (int i = 0; i < size; ++i) out.push_back({i, Choice::kAny});
    return out;
  }
  if (answer.finish_reason == "interrupted") return out;
  StructureGuide guide(layout_, {rule_.max_new_tokens, {}});
  for (int i = 0; i < size;) {
    i += static_cast<int>(guide.take_forced().size());
    if (guide.done() || i >= size) break;
    out.push_back({i, allowed_.row(guide.allowed())});
    guide.accept(answer.ids[static_cast<std::size_t>(i++)]);
  }
  return out;
}

}  // namespace areason::train
