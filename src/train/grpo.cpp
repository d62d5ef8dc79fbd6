#include "train/grpo.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/clock.h"
#include "base/interrupt.h"

namespace areason::train {
namespace {

// Adds what a loss of the head says about a micro-batch's chosen tokens.
void add_terms(const GrpoBatch::Chosen& chosen, const std::vector<float>& losses, const PolicyLimits& limits, GrpoStats& out) {
  for (std::size_t i = 0; i < losses.size(); ++i) {
    const PolicyTerm term = policy_term({-losses[i], chosen.old[i], chosen.reference[i], chosen.advantage[i]}, limits);
    out.loss += static_cast<double>(chosen.weight[i]) * term.loss;
    out.kl += term.kl;
    out.clipped += term.clipped ? 1 : 0;
    out.surprise += static_cast<double>(losses[i]);
  }
  out.terms += static_cast<std::int64_t>(losses.size());
}

}  // namespace

void GrpoStats::merge(const GrpoStats& o) {
  answers += o.answers;
  groups += o.groups;
  dead_groups += o.dead_groups;
  reward += o.reward;
  deviation += o.deviation;
  for (std::size_t i = 0; i < parts.size(); ++i) parts[i] += o.parts[i];
  tokens += o.tokens;
  cut += o.cut;
  chosen += o.chosen;
  clipped += o.clipped;
  terms += o.terms;
  loss += o.loss;
  kl += o.kl;
  surprise += o.surprise;
  packed_tokens += o.packed_tokens;
  handover_seconds += o.handover_seconds;
  sample_seconds += o.sample_seconds;
  train_seconds += o.train_seconds;
}

Grpo::Grpo(const GrpoOptions& options, const Parts& parts)
    : options_(options),
      parts_(parts),
      sampler_({parts.model, parts.tokenizer, parts.workers, parts.files, parts.scratch}, options.sampling) {}

JudgedAnswer Grpo::judged(const Sample& sample, const PolicyAnswer& answer) const {
  const Ending ending = answer.finish_reason == "length" ? Ending::kCut : Ending::kByItself;
  return judge(sample, {answer.text, static_cast<int>(answer.ids.size()), ending}, options_.rewards);
}

GrpoBatch Grpo::collect(std::int64_t step, GrpoStats& stats) {
  GrpoBatch out;
  const double start = monotonic_seconds();
  sampler_.take_weights();
  const double ready = monotonic_seconds();
  int missing = options_.prompts;
  for (int round = 0; round <= options_.resample && missing > 0 && !interrupted(); ++round) {
    const std::string name = fmt::format("step {} round {}", step, round);
    const auto asked = parts_.questions.draw(parts_.seed, name, missing);
    auto answers = sampler_.sample({asked, options_.group, name, parts_.seed, options_.sampling.temperature});
    if (interrupted()) break;
    add_groups(asked, std::move(answers), out, stats);
    missing = options_.prompts - static_cast<int>(out.questions.size());
  }
  const double sampled = monotonic_seconds();
  if (!out.answers.empty() && !interrupted()) pack(out);
  stats.handover_seconds += ready - start;
  stats.sample_seconds += sampled - ready;
  stats.train_seconds += monotonic_seconds() - sampled;
  return out;
}

// Judges each group; those whose rewards differ join the batch.
void Grpo::add_groups(const std::vector<AskedQuestion>& asked, std::vector<PolicyAnswer>&& answers, GrpoBatch& out,
                      GrpoStats& stats) {
  const auto group = static_cast<std::size_t>(options_.group);
  for (std::size_t q = 0; q < asked.size(); ++q) {
    std::vector<double> rewards;
    for (std::size_t i = q * group; i < (q + 1) * group; ++i) {
      const JudgedAnswer judgement = judged(*asked[q].sample, answers[i]);
      rewards.push_back(judgement.total);
      for (std::size_t p = 0; p < judgement.parts.size(); ++p) stats.parts[p] += judgement.parts[p];
      stats.tokens += static_cast<std::int64_t>(answers[i].ids.size());
      stats.chosen += static_cast<std::int64_t>(answers[i].choices.size());
      stats.cut += answers[i].finish_reason == "length" ? 1 : 0;
    }
    stats.answers += options_.group;
    stats.reward += mean_of(rewards) * options_.group;
    stats.deviation += deviation_of(rewards);
    ++stats.groups;
    out.ids.push_back(asked[q].sample->id);
    if (equal_rewards(rewards)) {
      ++stats.dead_groups;
      continue;
    }
    const std::vector<double> better = advantages(rewards, options_.scale);
    for (std::size_t i = 0; i < group; ++i) {
      answers[q * group + i].question = out.questions.size();
      out.answers.push_back(std::move(answers[q * group + i]));
      out.advantages.push_back(better[i]);
    }
    out.questions.push_back(asked[q]);
  }
}

// The answers to one question share its prompt. Only what the policy chose is labelled.
PackedRow Grpo::row_of(const GrpoBatch& batch, std::size_t first) const {
  PackedRow row;
  const AskedQuestion& question = batch.questions[batch.answers[first].question];
  row.features = question.features;
  row.mels = question.mels;
  for (std::size_t a = first; a < first + static_cast<std::size_t>(options_.group); ++a) {
    const PolicyAnswer& answer = batch.answers[a];
    if (answer.choices.empty()) continue;
    TokenizedSample sample;
    sample.ids = question.ids;
    sample.audio = question.audio;
    const auto prompt = sample.ids.size();
    // Nothing after the last choice is worth computing.
    sample.ids.insert(sample.ids.end(), answer.ids.begin(), answer.ids.begin() + answer.choices.back().at + 1);
    sample.labelled.assign(sample.ids.size(), 0);
    sample.kinds.assign(sample.ids.size(), 0);
    for (const Choice& choice : answer.choices) sample.labelled[prompt + static_cast<std::size_t>(choice.at)] = 1;
    row.samples.push_back(std::move(sample));
    row.sources.push_back(a);
  }
  return row;
}

void Grpo::pack(GrpoBatch& batch) const {
  std::vector<PackedRow> rows;
  for (std::size_t first = 0; first < batch.answers.size(); first += static_cast<std::size_t>(options_.group)) {
    PackedRow row = row_of(batch, first);
    if (row.samples.empty()) continue;
    for (PackedRow& finished : finish_or_separate(std::move(row))) rows.push_back(std::move(finished));
  }
  if (rows.empty()) return;
  batch.packed = pack_step(rows, {parts_.micro_tokens, parts_.workers.size(), 0, kEqualWeights});
  for (const MicroBatch& micro : batch.packed) batch.chosen.push_back(chosen_of(batch, micro));
  if (parts_.reference != nullptr) read_reference(batch);
}

GrpoBatch::Chosen Grpo::chosen_of(const GrpoBatch& batch, const MicroBatch& micro) const {
  const std::size_t count = micro.label_samples.size();
  const auto answers = static_cast<double>(batch.answers.size());
  std::size_t all = 0;
  for (const PolicyAnswer& answer : batch.answers) all += answer.choices.size();
  GrpoBatch::Chosen out;
  for (auto* numbers : {&out.old, &out.reference, &out.advantage, &out.weight}) numbers->assign(count, 0.0f);
  at::Tensor allowed = at::empty({static_cast<std::int64_t>(count)}, at::TensorOptions().dtype(at::kLong));
  std::size_t next = 0;  // choice of the answer
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0 && micro.label_samples[i] != micro.label_samples[i - 1]) next = 0;
    const std::size_t a = micro.sources[static_cast<std::size_t>(micro.label_samples[i])];
    const PolicyAnswer& answer = batch.answers[a];
    allowed.data_ptr<std::int64_t>()[i] = answer.choices[next++].allowed;
    out.advantage[i] = static_cast<float>(batch.advantages[a]);
    const double own = options_.token_weights == TokenWeights::kAnswers ? answers * static_cast<double>(answer.choices.size())
                       : options_.token_weights == TokenWeights::kLimit ? answers * options_.sampling.max_new_tokens
                                                                        : static_cast<double>(all);
    out.weight[i] = static_cast<float>(1 / own);
  }
  if (options_.sampling.shape == AnswerShape::kGuided) out.allowed = allowed;
  return out;
}

// The distribution that the chosen tokens were drawn from.
HeadLossOptions Grpo::head(const GrpoBatch::Chosen& chosen) const {
  HeadLossOptions out;
  out.scale = 1 / options_.sampling.temperature;
  if (chosen.allowed.defined()) {
    out.shifts = sampler_.allowed().shifts();
    out.shift_rows = chosen.allowed;
  }
  return out;
}

void Grpo::read_reference(GrpoBatch& batch) const {
  const auto workers = static_cast<std::size_t>(parts_.workers.size());
  parts_.workers.on_each([&](int w) {
    const at::NoGradGuard guard;
    for (std::size_t b = static_cast<std::size_t>(w); b < batch.packed.size(); b += workers) {
      TokenLoss loss = parts_.reference->loss_of_head(batch.packed[b], head(batch.chosen[b]));
      loss.settle();
      std::transform(loss.loss.begin(), loss.loss.end(), batch.chosen[b].reference.begin(), [](float x) { return -x; });
    }
  });
}

GrpoStats Grpo::gradients(GrpoBatch& batch, int update) {
  const double start = monotonic_seconds();
  PolicyLimits limits = options_.limits;
  if (parts_.reference == nullptr) limits.kl = 0;
  std::vector<GrpoStats> found(batch.packed.size());
  const auto loss_of = [&](std::size_t b) {
    GrpoBatch::Chosen& chosen = batch.chosen[b];
    HeadLossOptions options = head(chosen);
    options.weigh = [&](std::int64_t begin, std::span<const float> losses, float* weights) {
      for (std::size_t i = 0; i < losses.size(); ++i) {
        const std::size_t at = static_cast<std::size_t>(begin) + i;
        if (update == 0) chosen.old[at] = -losses[i];
        const PolicyTerm term = policy_term({-losses[i], chosen.old[at], chosen.reference[at], chosen.advantage[at]}, limits);
        // A row's loss is -log p: its weight is what the whole loss has against log p, turned round.
        weights[i] = static_cast<float>(-term.slope) * chosen.weight[at];
      }
    };
    TokenLoss loss = parts_.model.loss_of_head(batch.packed[b], options);
    loss.settle();
    add_terms(chosen, loss.loss, limits, found[b]);
    return loss;
  };
  parts_.workers.gradients(parts_.model, batch.packed, 1.0f, loss_of);
  GrpoStats out;
  for (const GrpoStats& one : found) out.merge(one);
  const int passes = update == 0 && parts_.reference != nullptr ? 2 : 1;
  for (const MicroBatch& micro : batch.packed) out.packed_tokens += passes * micro.ids.size(0);
  out.train_seconds = monotonic_seconds() - start;
  return out;
}

Grpo::Greedy Grpo::answer_all(const std::vector<AskedQuestion>& questions) {
  Greedy out;
  sampler_.take_weights();
  const auto answers = sampler_.sample({questions, 1, "evaluation", parts_.seed, 0});
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const Sample& sample = *questions[i].sample;
    const JudgedAnswer judgement = judged(sample, answers[i]);
    const bool right = judgement.parts[static_cast<std::size_t>(RewardPart::kAnswer)] > 0;
    out.right.emplace_back(sample.kind, right);
    for (std::size_t p = 0; p < out.parts.size(); ++p) out.parts[p] += judgement.parts[p];
    out.tokens += static_cast<std::int64_t>(answers[i].ids.size());
  }
  return out;
}

}  // namespace areason::train
