// `bench` on real models: the shipped nano, and a made-up one of full width that must load and answer like any other. No speed
// is asserted; what is printed must follow from what was measured.
#include <gtest/gtest.h>

#include <cmath>

#include "base/json.h"
#include "base/testing.h"
#include "cli/cmd_bench.h"
#include "model/qwen2_audio.h"

namespace areason {
namespace {

const Json* find(const Json& results, const std::string& name) {
  for (const Json& item : results)
    if (item.at("name") == name) return &item;
  return nullptr;
}

TEST(BenchTest, RatesAndRatiosFollowFromSeconds) {
  BenchRunOptions options;
  options.model = "models/nano";
  options.threads = 1;
  options.repeat = 1;
  options.prefill = {5};
  options.decode = 3;
  options.batch = 2;
  options.audio = {0.5};
  BenchMachine machine;
  machine.read = 1e9;
  machine.f32 = machine.bf16 = machine.int8 = 1e10;
  const Json results = run_bench(options, machine);
  const Json* prefill = find(results, "prefill 5");
  ASSERT_NE(prefill, nullptr);
  const double seconds = prefill->at("seconds");
  EXPECT_NEAR(prefill->at("rate").get<double>() * seconds, 5.0, 1e-9);
  EXPECT_NEAR(prefill->at("limit").get<double>() * prefill->at("ratio").get<double>() * seconds, 5.0, 1e-9);
  const Json* decode = find(results, "decode");
  ASSERT_NE(decode, nullptr);
  EXPECT_NEAR(decode->at("rate").get<double>() * decode->at("seconds").get<double>(), 3.0, 1e-9);
  EXPECT_NE(find(results, "decode of 2 at once"), nullptr);
  EXPECT_NE(find(results, "0 s clip: encoder"), nullptr);
  const Json* memory = find(results, "memory");
  ASSERT_NE(memory, nullptr);
  EXPECT_GT(memory->at("weight_bytes").get<double>(), 0);
  EXPECT_GT(memory->at("kv_bytes").get<double>(), 0);
}

TEST(BenchTest, SlowMadeModelLoadsAndComputesFiniteNumbers) {
  const ScratchDir scratch;
  BenchModelOptions options;
  options.out = scratch.file("model");
  options.type = "q4_k_m";
  options.encoder_type = "q8_0";
  options.layers = options.encoder_layers = 1;
  options.vocabulary = 512;  // of full size it would be most of a gigabyte
  make_bench_model(options);
  Qwen2Audio model = Qwen2Audio::load(options.out, 2);
  EXPECT_EQ(model.config().text.vocab_size, options.vocabulary);
  EXPECT_EQ(model.config().audio.width, 1280);
  LogMel mel{128, 98, 100, std::vector<float>(128 * 100, 0.25f)};
  const AudioEmbeddings audio = model.encode_audio(mel);
  const std::vector<int> ids(static_cast<std::size_t>(audio.tokens) + 4, 7);
  const AudioInsert insert{2, &audio};
  KvCache cache;
  float largest = 0;
  for (const float logit : model.forward(ids, {&insert, 1}, cache, Logits::kLast)) {
    ASSERT_TRUE(std::isfinite(logit));
    largest = std::max(largest, std::abs(logit));
  }
  EXPECT_GT(largest, 0);
}

}  // namespace
}  // namespace areason
