// Reinforcement on a tiny model with the real engine: which tokens carry a gradient and under which distribution, the gradient
// against autograd on the formula, a behaviour that is learned, a run that is resumed.
#include "train/grpo.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>

#include "audio/write.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/testing.h"
#include "text/bpe_trainer.h"
#include "train/checkpoint.h"
#include "train/model_files.h"
#include "train/optimizer.h"

namespace areason::train {
namespace {

constexpr const char* kConfig = R"({"model_type": "qwen2_audio", "tie_word_embeddings": true,
 "audio_config": {"num_mel_bins": 16, "d_model": 16, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 32},
 "text_config": {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2,
 "num_key_value_heads": 1, "max_position_embeddings": 1024, "tie_word_embeddings": true}})";

// Right when the response has no digit and no number in words: a random model's is, now and then.
Sample no_digits(int i) {
  Sample s;
  s.id = "q" + std::to_string(i);
  s.kind = "speech-digits";
  s.audio = {std::to_string(i % 2) + ".wav"};
  s.question = "Which digits does tone " + std::to_string(i) + " say?";
  s.answer_text = "none";
  for (const Section section : kSections) s.sections[section] = "none, a tone";
  return s;
}

// A random model of the released layout, two clips and six questions.
class Reinforcement : public testing::Test {
 protected:
  void SetUp() override {
    make_directories(dir_ + "/tok");
    write_file_atomic(dir_ + "/config.json", kConfig);
    std::vector<std::string> texts;
    std::ofstream lines(dir_ + "/data.jsonl");
    for (int i = 0; i < 6; ++i) {
      const Sample s = no_digits(i);
      lines << dump_json(sample_to_json(s)) << "\n";
      texts.push_back(s.question + " " + render_chain(s.sections));
    }
    for (int i = 0; i < 2; ++i) {
      Waveform tone;
      tone.samples.resize(4000 + static_cast<std::size_t>(i) * 800);
      for (std::size_t t = 0; t < tone.samples.size(); ++t)
        tone.samples[t] = static_cast<float>(0.5 * std::sin(0.1 * (i + 1) * static_cast<double>(t)));
      write_wav(dir_ + "/" + std::to_string(i) + ".wav", tone);
    }
    BpeTrainerOptions options;
    options.vocab_size = 290;
    train_bpe(texts, options, dir_ + "/tok");
    write_new_model_files(dir_ + "/config.json", dir_ + "/tok", dir_ + "/model");
    tokenizer_ = std::make_unique<Tokenizer>(Tokenizer::load(dir_ + "/model"));
    extractor_ = std::make_unique<LogMelExtractor>(load_log_mel_config(dir_ + "/model"));
    model_ = random_model(1);
    reference_ = random_model(2);
    save_weights(*model_, dir_ + "/model", DType::kF32);
    lines.close();
    const QuestionSet::Tools tools{*tokenizer_, *extractor_, nullptr, "S", 400};
    questions_ = std::make_unique<QuestionSet>(read_judged_samples({dir_ + "/data.jsonl"}, BadRows::kStop).samples, tools,
                                               std::map<std::string, double>());
  }

  std::unique_ptr<TrainModel> random_model(std::uint64_t seed) const {
    auto out = std::make_unique<TrainModel>(load_model_config(dir_ + "/model"), at::kFloat);
    out->initialise(seed);
    for (const auto part : {PartOfModel::kProjector, PartOfModel::kDecoder}) out->set_trained(part, true);
    return out;
  }
  Grpo grpo(const GrpoOptions& options) {
    return Grpo(options, {*model_, options.limits.kl > 0 ? reference_.get() : nullptr, workers_, *tokenizer_, *questions_,
                          dir_ + "/model", dir_ + "/scratch", 1, 600});
  }
  static GrpoOptions small_options(AnswerShape shape) {
    GrpoOptions out;
    out.prompts = 3;
    out.group = 4;
    out.sampling.shape = shape;
    out.sampling.max_new_tokens = shape == AnswerShape::kFree ? 24 : 400;
    // Rewards that differ whatever a random model says.
    out.rewards.weights = {1, 0, 0, 1};
    out.rewards.length = {2, out.sampling.max_new_tokens};
    return out;
  }
  int run(const std::string& flags) const {
    return std::system(("cd " + dir_ + " && " + AREASON_TRAIN_PROGRAM + " --method grpo --init model --data data.jsonl " +
                        flags + " >>log.txt 2>&1")
                           .c_str());
  }
  std::string log() const { return read_file(dir_ + "/log.txt"); }

  const ScratchDir scratch_;
  const std::string dir_ = scratch_.path();
  BatchWorkers workers_{2};
  std::unique_ptr<Tokenizer> tokenizer_;
  std::unique_ptr<LogMelExtractor> extractor_;
  std::unique_ptr<TrainModel> model_, reference_;
  std::unique_ptr<QuestionSet> questions_;
};

TEST_F(Reinforcement, ForcedTokensAreNobodysChoice) {
  GrpoOptions options = small_options(AnswerShape::kGuided);
  PolicySampler sampler({*model_, *tokenizer_, workers_, dir_ + "/model", dir_ + "/scratch"}, options.sampling);
  sampler.take_weights();
  const auto asked = questions_->draw(1, "test", 2);
  const auto answers = sampler.sample({asked, 3, "test", 1, 1.0});
  ASSERT_EQ(answers.size(), 6u);
  const at::Tensor shifts = sampler.allowed().shifts();
  for (const PolicyAnswer& answer : answers) {
    std::string chosen;
    for (const Choice& choice : answer.choices) {
      const TokenId id = answer.ids[static_cast<std::size_t>(choice.at)];
      EXPECT_EQ(shifts[choice.allowed][id].item<float>(), 0) << "a token that was not allowed";
      EXPECT_LT(shifts[choice.allowed].min().item<float>(), -1e3f) << "everything was allowed";
      chosen += tokenizer_->bytes(id);
    }
    // The opening of the chain is forced whatever the model is.
    ASSERT_FALSE(answer.choices.empty());
    EXPECT_EQ(tokenizer_->decode(std::span(answer.ids).first(static_cast<std::size_t>(answer.choices[0].at))),
              "<THINK>\n<PLANNING>\n");
    EXPECT_LT(answer.choices.size(), answer.ids.size());
    EXPECT_EQ(chosen.find("<RESPONSE>"), std::string::npos);
    EXPECT_NE(answer.text.find("<RESPONSE>"), std::string::npos);
  }
  EXPECT_NE(answers[0].ids, answers[1].ids) << "each answer has random numbers of its own";
  EXPECT_EQ(sampler.sample({asked, 3, "test", 1, 1.0})[4].ids, answers[4].ids) << "and the same ones again";
}

// The engine's best token is the best of the trainer's model under the same mask: weights, audio, prompt and masks agree.
TEST_F(Reinforcement, TheEngineWritesWhatTheTrainersModelWould) {
  for (const AnswerShape shape : {AnswerShape::kGuided, AnswerShape::kFree}) {
    GrpoOptions options = small_options(shape);
    PolicySampler sampler({*model_, *tokenizer_, workers_, dir_ + "/model", dir_ + "/scratch"}, options.sampling);
    sampler.take_weights();
    const auto asked = questions_->draw(1, "test", 4);
    const auto answers = sampler.sample({asked, 1, "test", 1, 0.0});
    std::int64_t tokens = 0, best = 0;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      PackedRow row;
      row.mels = asked[i].mels;
      TokenizedSample sample{asked[i].ids, asked[i].audio, {}, {}, {}};
      sample.ids.insert(sample.ids.end(), answers[i].ids.begin(), answers[i].ids.end());
      sample.labelled.assign(sample.ids.size(), 0);
      sample.kinds.assign(sample.ids.size(), 0);
      HeadLossOptions head;
      std::vector<std::int64_t> rows;
      for (const Choice& choice : answers[i].choices) {
        sample.labelled[asked[i].ids.size() + static_cast<std::size_t>(choice.at)] = 1;
        rows.push_back(choice.allowed);
      }
      if (shape == AnswerShape::kGuided) {
        head.shifts = sampler.allowed().shifts();
        head.shift_rows = at::tensor(rows);
      }
      row.samples = {sample};
      finish_row(row);
      const at::NoGradGuard guard;
      const TokenLoss loss = model_->loss_of_head(areason::train::pack({&row, 1}), head);
      tokens += static_cast<std::int64_t>(loss.right.size());
      for (const std::uint8_t right : loss.right) best += right;
    }
    EXPECT_GT(tokens, 40);
    // Two logits within rounding may change places.
    EXPECT_GE(best, tokens - 1);
  }
}

// The formula on logits of the whole model, by autograd.
at::Tensor formula(const TrainModel& model, const GrpoBatch& batch, std::size_t b, const GrpoOptions& options,
                   const at::Tensor& shifts) {
  const GrpoBatch::Chosen& chosen = batch.chosen[b];
  const auto column = [](const std::vector<float>& values) { return at::tensor(values); };
  at::Tensor logits = model.logits(batch.packed[b], false) / options.sampling.temperature;
  if (chosen.allowed.defined()) logits = logits + shifts.index_select(0, chosen.allowed);
  const at::Tensor now = logits.log_softmax(1).gather(1, batch.packed[b].labels.unsqueeze(1)).squeeze(1);
  const at::Tensor ratio = (now - column(chosen.old)).exp(), a = column(chosen.advantage);
  const at::Tensor clipped = ratio.clamp(1 - options.limits.ratio_low, 1 + options.limits.ratio_high);
  const at::Tensor d = column(chosen.reference) - now;
  const at::Tensor loss = -at::minimum(ratio * a, clipped * a) + options.limits.kl * (d.exp() - d - 1);
  return (loss * column(chosen.weight)).sum();
}

TEST_F(Reinforcement, TheGradientIsThatOfTheFormula) {
  for (const AnswerShape shape : {AnswerShape::kGuided, AnswerShape::kFree}) {
    for (const TokenWeights weights : {TokenWeights::kTokens, TokenWeights::kAnswers, TokenWeights::kLimit}) {
      GrpoOptions options = small_options(shape);
      options.prompts = 6;
      options.group = 8;
      options.sampling.temperature = 0.8;
      options.token_weights = weights;
      options.limits = {0.1, 0.15, 0.3};
      Grpo learner = grpo(options);
      GrpoStats stats;
      GrpoBatch batch;
      for (int step = 0; batch.empty() && step < 20; ++step) batch = learner.collect(step, stats);
      ASSERT_FALSE(batch.empty());
      learner.gradients(batch, 0);  // sets the old log-probabilities
      for (Parameter& p : model_->parameters()) p.value.mutable_grad() = at::Tensor();
      // As after some updates: half of the ratios leave the interval.
      Random random(3);
      for (auto& chosen : batch.chosen)
        for (float& old : chosen.old) old += static_cast<float>(random.uniform(-0.3, 0.3));
      const GrpoStats found = learner.gradients(batch, 1);
      EXPECT_GT(found.clipped, 0);
      EXPECT_GT(found.kl, 0);
      std::map<std::string, at::Tensor> got;
      for (Parameter& p : model_->parameters()) {
        if (p.value.requires_grad()) got[p.name] = p.value.grad().clone();
        p.value.mutable_grad() = at::Tensor();
      }
      double loss = 0;
      for (std::size_t b = 0; b < batch.packed.size(); ++b) {
        const at::Tensor one = formula(*model_, batch, b, options, learner.allowed_shifts());
        one.backward();
        loss += one.item<double>();
      }
      EXPECT_NEAR(found.loss, loss, 1e-4 * std::abs(loss) + 1e-6);
      for (const auto& [name, gradient] : got) {
        const at::Tensor want = model_->at(name).grad();
        // f32 sums in another order and an exp of its own (kernels.cpp).
        EXPECT_LT((gradient - want).abs().max().item<double>(), 1e-3 * want.abs().max().item<double>() + 1e-7) << name;
        model_->at(name).mutable_grad() = at::Tensor();
      }
    }
  }
}

TEST_F(Reinforcement, ItLearnsWhatIsRewarded) {
  // Short answers: a random model hardly ever writes the end token, so nearly every answer is cut at first.
  GrpoOptions options = small_options(AnswerShape::kFree);
  options.prompts = 4;
  options.group = 16;
  options.rewards.weights = {0, 0, 0, 1};
  options.limits.kl = 0;
  Grpo learner = grpo(options);
  OptimizerOptions adam;
  adam.weight_decay = 0;
  Optimizer optimizer(*model_, adam, workers_);
  std::vector<double> rewards;
  for (int step = 0; step < 30; ++step) {
    GrpoStats stats;
    GrpoBatch batch = learner.collect(step, stats);
    rewards.push_back(stats.reward / static_cast<double>(stats.answers));
    if (batch.empty()) continue;
    learner.gradients(batch, 0);
    optimizer.step({{0, 5e-3, 5e-3}, 5e-3});
  }
  const double before = mean_of(std::span(rewards).first(3)), after = mean_of(std::span(rewards).last(3));
  EXPECT_LT(before, -0.7);
  EXPECT_GT(after, -0.2) << "it was " << before;
}

TEST_F(Reinforcement, GroupsWithEqualRewardsTeachNothing) {
  GrpoOptions options = small_options(AnswerShape::kFree);
  options.rewards.weights = {0, 1, 0, 0};  // no answer of a random model has five sections
  options.resample = 1;
  Grpo learner = grpo(options);
  GrpoStats stats;
  EXPECT_TRUE(learner.collect(0, stats).empty());
  EXPECT_EQ(stats.groups, 6);  // asked twice
  EXPECT_EQ(stats.dead_groups, 6);
}

TEST_F(Reinforcement, AStoppedRunEndsWithTheSameWeights) {
  const std::string flags =
      "--precision f32 --threads 1 --prompts 2 --group 4 --structure free --max-new-tokens 24 --reward-length 1 "
      "--length-budget 4 --updates 2 "
      "--max-steps 6 --save-every 2 --eval-every 3 --log-every 1 --val data.jsonl --warmup 1 --lr 1e-3 --save-dtype f32 ";
  ASSERT_EQ(run(flags + "--out whole"), 0) << log();
  ASSERT_EQ(run(flags + "--out parts --stop-after 3"), 0) << log();
  ASSERT_EQ(run(flags + "--out parts"), 0) << log();
  EXPECT_EQ(sha256_file(dir_ + "/parts/checkpoint-6/optimizer.safetensors"),
            sha256_file(dir_ + "/whole/checkpoint-6/optimizer.safetensors"));
  EXPECT_NE(sha256_file(dir_ + "/whole/checkpoint-6/model.safetensors"), sha256_file(dir_ + "/model/model.safetensors"));
  const std::string lines = read_file(dir_ + "/whole/logging.jsonl");
  for (const char* key : {"\"reward\"", "\"kl\"", "\"clip_ratio\"", "\"frac_reward_zero_std\"", "\"eval_answer_acc\"",
                          "\"rewards/length/mean\"", "\"sample_tokens/s\"", "\"handover_seconds\""})
    EXPECT_NE(lines.find(key), std::string::npos) << key;
  EXPECT_FALSE(std::filesystem::exists(dir_ + "/whole/sampling.tmp"));
}

TEST_F(Reinforcement, AnAdapterIsSampledWithItsBase) {
  const std::string flags =
      "--precision f32 --threads 1 --prompts 2 --group 4 --structure free --max-new-tokens 24 --reward-length 1 "
      "--length-budget 4 "
      "--max-steps 2 --lora-rank 2 --lora-dropout 0 --warmup 1 --lr 1e-2 ";
  ASSERT_EQ(run(flags + "--out adapter"), 0) << log();
  EXPECT_TRUE(std::filesystem::exists(dir_ + "/adapter/last/adapter_model.safetensors"));
}

TEST_F(Reinforcement, WhatCannotWorkIsRefused) {
  EXPECT_NE(run("--out a --max-steps 1 --group 1"), 0);
  EXPECT_NE(log().find("a group of one answer"), std::string::npos) << log();
  EXPECT_NE(run("--out a"), 0);
  EXPECT_NE(log().find("it has no end"), std::string::npos) << log();
}

}  // namespace
}  // namespace areason::train
