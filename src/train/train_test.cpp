// The trainer's model against the reference: three AdamW steps of transformers on the tiny checkpoints
// (base/reference_testing.h says where they are); the optimizer's and the loss's parts against ATen.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "audio/decode.h"
#include "base/json.h"
#include "base/reference_testing.h"
#include "model/safetensors.h"
#include "train/checkpoint.h"
#include "train/fused_ops.h"
#include "train/optimizer.h"
#include "train/packing.h"

namespace areason::train {
namespace {

at::Tensor read(const TensorStore& store, const std::string& name) {
  const TensorView& view = store.at(name);
  const std::vector<float> values = view.to_f32();
  at::Tensor out = at::empty(view.shape, at::TensorOptions().dtype(at::kFloat));
  std::copy(values.begin(), values.end(), out.data_ptr<float>());
  return out;
}

// "model.language_model.layers…" of the reference's modules -> the released files' names.
std::string released_name(std::string name) {
  const auto swap = [&](const std::string& from, const std::string& to) {
    if (name.rfind(from, 0) == 0) name = to + name.substr(from.size());
  };
  swap("model.language_model.", "language_model.model.");
  swap("model.audio_tower.", "audio_tower.");
  swap("model.multi_modal_projector.", "multi_modal_projector.");
  return name;
}

struct Reference {
  std::string tiny;
  Json train;
  TensorStore tensors;
};

// Rows as the reference batch: one sample each.
std::vector<PackedRow> reference_rows(const Reference& r, const ModelConfig& config) {
  std::vector<PackedRow> rows;
  const auto ids = r.tensors.at("input_ids"), labels = r.tensors.at("labels"), mask = r.tensors.at("attention_mask");
  const auto* id = reinterpret_cast<const std::int64_t*>(ids.data.data());
  const auto* label = reinterpret_cast<const std::int64_t*>(labels.data.data());
  const auto* valid = reinterpret_cast<const std::int64_t*>(mask.data.data());
  const LogMelExtractor extractor(load_log_mel_config(r.tiny + "/model"));
  const std::int64_t width = ids.shape[1];
  for (std::int64_t s = 0; s < ids.shape[0]; ++s) {
    PackedRow row;
    TokenizedSample sample;
    for (std::int64_t i = 0; i < width && valid[s * width + i]; ++i) {
      sample.ids.push_back(static_cast<TokenId>(id[s * width + i]));
      sample.labelled.push_back(label[s * width + i] != -100);
      sample.kinds.push_back(0);
      if (sample.ids.back() != config.audio_token) continue;
      const int at = static_cast<int>(i);
      if (sample.audio.empty()) sample.audio.push_back({at, 0});
      ++sample.audio.back().count;
    }
    row.samples.push_back(sample);
    const std::string clip = r.train["samples"][static_cast<std::size_t>(s)][0];
    row.mels.push_back(extractor.compute(load_audio_16k(r.tiny + "/clips/" + clip).samples));
    finish_row(row);
    rows.push_back(std::move(row));
  }
  return rows;
}

double relative_error(const at::Tensor& got, const at::Tensor& want) {
  return (got - want).abs().max().item<double>() / std::max(1e-12, want.abs().max().item<double>());
}

void compare(const TrainModel& model, const TensorStore& store, const std::string& prefix, bool gradients) {
  int compared = 0;
  for (const auto& [name, view] : store.tensors()) {
    if (name.rfind(prefix, 0) != 0) continue;
    const at::Tensor& parameter = model.at(released_name(name.substr(prefix.size())));
    const at::Tensor got = gradients ? parameter.grad() : parameter.detach();
    // 1e-3 of the largest element: f32 sums in another order (issue 3, "It is done when").
    EXPECT_LT(relative_error(got, read(store, name)), 1e-3) << name;
    ++compared;
  }
  EXPECT_GT(compared, 0);
}

class TrainParity : public ::testing::TestWithParam<const char*> {};

TEST_P(TrainParity, ThreeStepsOfTheReference) {
  const std::string tiny = std::string(GetParam()) == "golden" ? "tests/golden/tiny" : tiny_reference();
  if (tiny.empty()) GTEST_SKIP();
  ASSERT_TRUE(std::filesystem::exists(tiny + "/cases/train.safetensors")) << tiny;
  const Reference r{tiny, read_json_file(tiny + "/cases/cases.json")["train"],
                    TensorStore::open(tiny + "/cases/train.safetensors")};
  const ModelConfig config = load_model_config(tiny + "/model");
  TrainModel model(config, at::kFloat);
  load_parameters(model, TensorStore::open(tiny + "/model"));
  for (const auto part : {PartOfModel::kAudioTower, PartOfModel::kProjector, PartOfModel::kDecoder})
    model.set_trained(part, true);
  OptimizerOptions options;
  options.beta1 = r.train["betas"][0];
  options.beta2 = r.train["betas"][1];
  options.eps = r.train["eps"];
  options.weight_decay = r.train["weight_decay"];
  options.clip = r.train["clip"];
  BatchWorkers workers(1);
  Optimizer optimizer(model, options, workers);
  const auto rows = reference_rows(r, config);
  std::int64_t labels = 0;
  for (const auto& row : rows) labels += row.labels;
  const double lr = r.train["lr"];
  for (std::size_t step = 0; step < 3; ++step) {
    double loss = 0;
    for (const MicroBatch& batch : pack_step(rows, {1000, 1, 0})) {
      const TokenLoss part = model.loss(batch, true);
      part.sum.backward(at::tensor(1.0f / static_cast<float>(labels)));
      loss += part.sum.item<double>() / static_cast<double>(labels);
    }
    if (step == 0) compare(model, r.tensors, "grad.", true);
    const double norm = optimizer.step({{lr, lr, lr}, lr});
    // 1e-4 relative, as the issue asks.
    EXPECT_NEAR(loss / r.train["losses"][step].get<double>(), 1.0, 1e-4);
    EXPECT_NEAR(norm / r.train["grad_norms"][step].get<double>(), 1.0, 1e-4);
  }
  compare(model, r.tensors, "after3.", false);
}

INSTANTIATE_TEST_SUITE_P(Sets, TrainParity, ::testing::Values("reference", "golden"),
                         [](const auto& info) { return std::string(info.param); });

// Counts as transformers 5.23's Trainer.get_decay_parameter_names has them for this checkpoint (34 of its parameters are left
// out; 5 of those are the decoder's RMSNorms, which 4.48 decays).
TEST(Decay, GroupsLeaveOutWhatTransformersLeavesOut) {
  const std::string tiny = "tests/golden/tiny";
  for (const auto& [groups, left_out] :
       {std::pair{DecayGroups::kAll, 0}, {DecayGroups::kTransformers448, 29}, {DecayGroups::kTransformers5, 34}}) {
    TrainModel model(load_model_config(tiny + "/model"), at::kFloat);
    load_parameters(model, TensorStore::open(tiny + "/model"));
    std::map<std::string, at::Tensor> before;
    for (const auto part : {PartOfModel::kAudioTower, PartOfModel::kProjector, PartOfModel::kDecoder})
      model.set_trained(part, true);
    for (const Parameter& p : model.parameters()) before[p.name] = p.value.detach().clone();
    OptimizerOptions options;
    options.weight_decay = 0.5;
    options.decay_groups = groups;
    BatchWorkers workers(1);
    Optimizer(model, options, workers).step({{0.1, 0.1, 0.1}, 0.1});  // without gradients only the decay moves a weight
    int kept = 0;
    for (const Parameter& p : model.parameters()) {
      if (!p.value.requires_grad()) continue;  // the tower's sinusoids
      const bool decayed = is_decayed(p, groups);
      kept += decayed ? 0 : 1;
      // One rounding of the product in f32.
      EXPECT_TRUE(at::allclose(p.value, before[p.name] * (decayed ? 0.95 : 1.0), 1e-6, 1e-9)) << p.name;
    }
    EXPECT_EQ(kept, left_out);
  }
}

TEST(Schedule, Shapes) {
  Schedule s;
  s.peak = 1;
  s.floor = 0.2;
  s.warmup = 4;
  for (const auto& [shape, half] :
       {std::pair{ScheduleShape::kCosine, 0.6}, {ScheduleShape::kLinear, 0.6}, {ScheduleShape::kConstant, 1.0}}) {
    s.shape = shape;
    EXPECT_NEAR(scheduled_rate(s, 0, 0), 0.25, 1e-12);  // warm-up
    EXPECT_NEAR(scheduled_rate(s, 100, 0.5), half, 1e-12);
    EXPECT_NEAR(scheduled_rate(s, 100, 1), shape == ScheduleShape::kConstant ? 1.0 : 0.2, 1e-12);
  }
  s.shape = ScheduleShape::kCosine;
  EXPECT_NEAR(scheduled_rate(s, 100, 0.25), 0.2 + 0.8 * 0.5 * (1 + std::sqrt(0.5)), 1e-12);
  s.shape = ScheduleShape::kLinear;
  EXPECT_NEAR(scheduled_rate(s, 100, 0.25), 0.8, 1e-12);
}

TEST(Muon, UpdatesAreNearlySemiOrthogonal) {
  at::manual_seed(3);
  for (const auto& [rows, columns] : {std::pair{8, 8}, {8, 24}, {24, 8}}) {
    const at::Tensor x = at::randn({rows, columns}) * 7;
    const at::Tensor q = orthogonalised(x, at::kFloat);
    const auto values = at::linalg_svdvals(q);
    // Jordan's coefficients leave singular values between about 0.7 and 1.2, but for tiny ones.
    EXPECT_LT(values.max().item<double>(), 1.3);
    EXPECT_GT(values.median().item<double>(), 0.6);
    // The singular vectors stay: q against the exact polar factor.
    const auto [u, s, vh] = at::linalg_svd(x, false);
    const at::Tensor polar = u.matmul(vh);
    const double cosine = ((q * polar).sum() / (q.norm() * polar.norm())).item<double>();
    EXPECT_GT(cosine, 0.95);
  }
}

// Against ATen's cross entropy with the same weights, smoothing and z-loss; a few rows of logits at a time.
TEST(HeadLoss, EqualsTheWholeLogits) {
  at::manual_seed(4);
  const at::Tensor x0 = at::randn({50, 8}), w0 = at::randn({11, 8}), labels = at::randint(0, 11, {50});
  for (const bool weighted : {false, true}) {
    for (const auto& [smoothing, z] : {std::pair{0.0, 0.0}, {0.1, 0.0}, {0.1, 0.01}}) {
      HeadLossOptions options;
      if (weighted) options.weights = at::arange(50, at::kFloat) / 25;  // the first row counts for nothing
      options.smoothing = smoothing;
      options.z = z;
      options.bytes = 16 * 11 * 4;  // four pieces
      const auto leaf = [](const at::Tensor& t) { return t.clone().set_requires_grad(true); };
      const at::Tensor xe = leaf(x0), we = leaf(w0), x = leaf(x0), w = leaf(w0);
      const at::Tensor logits = at::linear(xe, we);
      at::Tensor rows = at::cross_entropy_loss(logits, labels, {}, at::Reduction::None, -100, smoothing) +
                        z * at::logsumexp(logits, 1).square();
      if (weighted) rows = rows * options.weights;
      (rows.sum() * 0.5).backward();
      const TokenLoss loss = head_loss(x, w, labels, options);
      loss.sum.backward(at::tensor(0.5f));
      // f32 sums in another order, and an exp of its own (kernels.cpp).
      EXPECT_NEAR(loss.sum.item<double>() / rows.sum().item<double>(), 1, 1e-5);
      EXPECT_LT(relative_error(x.grad(), xe.grad()), 1e-4);
      EXPECT_LT(relative_error(w.grad(), we.grad()), 1e-4);
      const at::Tensor plain = at::cross_entropy_loss(logits, labels, {}, at::Reduction::None);
      for (std::int64_t i = 0; i < 50; ++i)
        EXPECT_NEAR(static_cast<double>(loss.loss[static_cast<std::size_t>(i)]), plain[i].item<double>(), 1e-4);
    }
  }
  const at::NoGradGuard guard;
  EXPECT_EQ(head_loss(x0, w0, labels).loss.size(), 50u);
}

}  // namespace
}  // namespace areason::train
