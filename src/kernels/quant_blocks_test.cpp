// The block formats: sizes, exact values of hand-made blocks, round trips.
#include "kernels/quant_blocks.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "kernels/half.h"

namespace areason {
namespace {

TEST(HalfTest, EveryF16SurvivesTheRoundTrip) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = f16_bits_to_f32(half);
    if (std::isnan(value))
      EXPECT_TRUE(std::isnan(f16_bits_to_f32(f32_to_f16_bits(value))));
    else
      ASSERT_EQ(f32_to_f16_bits(value), half) << value;
  }
}

TEST(HalfTest, F16RoundsToTheNearestAndTiesToEven) {
  Random random(5);
  for (int i = 0; i < 200000; ++i) {
    const auto half = static_cast<std::uint16_t>(random.below(0x7c00u - 1));
    const float low = f16_bits_to_f32(half), high = f16_bits_to_f32(static_cast<std::uint16_t>(half + 1));
    const float middle = low + (high - low) / 2;  // exact: f32 has 13 more bits
    const std::uint16_t even = half % 2 == 0 ? half : static_cast<std::uint16_t>(half + 1);
    ASSERT_EQ(f32_to_f16_bits(middle), even) << middle;
    ASSERT_EQ(f32_to_f16_bits(std::nextafter(middle, low)), half) << middle;
    ASSERT_EQ(f32_to_f16_bits(-std::nextafter(middle, high)), (half + 1) | 0x8000) << middle;
  }
  EXPECT_EQ(f32_to_f16_bits(65519.0f), 0x7bff);
  EXPECT_EQ(f32_to_f16_bits(65520.0f), 0x7c00);
  EXPECT_EQ(f32_to_f16_bits(1e30f), 0x7c00);
  EXPECT_EQ(f32_to_f16_bits(-std::numeric_limits<float>::infinity()), 0xfc00);
}

TEST(QuantBlocksTest, RowsHaveGgmlsSizes) {
  EXPECT_EQ(row_bytes(WeightType::kQ8_0, 4096), 4352u);
  EXPECT_EQ(row_bytes(WeightType::kQ4_0, 4096), 2304u);
  EXPECT_EQ(row_bytes(WeightType::kQ4_K, 4096), 2304u);
  EXPECT_EQ(row_bytes(WeightType::kQ5_K, 4096), 2816u);
  EXPECT_EQ(row_bytes(WeightType::kQ6_K, 4096), 3360u);
  EXPECT_EQ(row_bytes(WeightType::kBF16, 3), 6u);
  EXPECT_THROW(row_bytes(WeightType::kQ4_0, 33), Error);
  EXPECT_THROW(row_bytes(WeightType::kQ6_K, 128), Error);
}

// Golden values: PyPI's gguf 0.19.0 (gguf.quants.dequantize and quantize), over the bytes and values made here.
struct Golden {
  WeightType type;
  std::vector<std::size_t> scales;  // where f16 0.37, and then -0.21, stand in a block of bytes 73 i + 29
  std::vector<std::pair<std::size_t, float>> values;
  double sum;  // of value i times i + 1
};

TEST(QuantBlocksTest, BlocksMeanWhatGgmlReadsFromThem) {
  const Golden goldens[] = {
      {WeightType::kQ8_0,
       {0},
       {{0, -29.9794921875f}, {1, -2.9609375f}, {16, 23.3173828125f}, {31, -45.154296875f}},
       -2599.703125},
      {WeightType::kQ4_0, {0}, {{0, 2.5908203125f}, {1, 0.0f}, {15, -0.740234375f}, {31, 2.5908203125f}}, 61.8095703125},
      {WeightType::kQ4_K,
       {0, 2},
       {{0, 12.580078125f}, {33, 65.17578125f}, {100, 155.44921875f}, {191, 160.4560546875f}},
       2719019.203125},
      {WeightType::kQ5_K,
       {0, 2},
       {{0, 18.501953125f}, {33, 72.578125f}, {100, 10.36328125f}, {200, 468.86328125f}},
       5232108.984375},
      {WeightType::kQ6_K, {208}, {{0, 38.8623046875f}, {17, 84.38671875f}, {150, 773.544921875f}, {191, 0.0f}}, 804661.4140625},
  };
  for (const Golden& golden : goldens) {
    std::vector<std::uint8_t> block(block_bytes(golden.type));
    for (std::size_t i = 0; i < block.size(); ++i) block[i] = static_cast<std::uint8_t>(i * 73 + 29);
    float scale = 0.37f;
    for (const std::size_t at : golden.scales) {
      const std::uint16_t bits = f32_to_f16_bits(scale);
      std::memcpy(&block[at], &bits, 2);
      scale = -0.21f;
    }
    std::vector<float> out(static_cast<std::size_t>(block_size(golden.type)));
    dequantize_row(golden.type, block.data(), block_size(golden.type), out.data());
    for (const auto& [at, value] : golden.values) EXPECT_EQ(out[at], value) << weight_type_name(golden.type) << " " << at;
    double sum = 0;
    for (std::size_t i = 0; i < out.size(); ++i) sum += static_cast<double>(out[i]) * static_cast<double>(i + 1);
    EXPECT_DOUBLE_EQ(sum, golden.sum) << weight_type_name(golden.type);
  }
}

TEST(QuantBlocksTest, RowsAreQuantisedAsGgmlDoesIt) {
  std::vector<float> x;
  for (int i = 0; i < 64; ++i) x.push_back(static_cast<float>((i * 37) % 101 - 50) / 16.0f * static_cast<float>(1 + i % 7));
  for (const auto& [type, golden] :
       {std::pair{WeightType::kQ8_0,
                  "7130e9f420b8f95ca10328e51f96e555ef0032cf177fca09d8f736b3087ef50c44e74b312ba3f50ce90741d82481fc14d5fe44c01811"
                  "f216bcf1"
                  "42a3011de4125dde3af0"},
        {WeightType::kQ4_0, "68c059b9760db872ae9856da760f9a7349a84041ab9277994778cc268aa06899e568cc74"}}) {
    std::vector<std::uint8_t> row(row_bytes(type, 64));
    quantize_row(type, x.data(), 64, row.data());
    std::string hex;
    for (const std::uint8_t byte : row) {
      hex += "0123456789abcdef"[byte >> 4];
      hex += "0123456789abcdef"[byte & 15];
    }
    EXPECT_EQ(hex, golden) << weight_type_name(type);
  }
}

TEST(QuantBlocksTest, Q4_0TakesTheExtremeAsMinusEight) {
  float x[32] = {};
  x[0] = 4.0f, x[1] = 3.9f, x[2] = -4.0f, x[3] = 0.24f, x[31] = 0.26f;  // 4 comes first: d = -0.5
  BlockQ4_0 block;
  quantize_row(WeightType::kQ4_0, x, 32, &block);
  EXPECT_EQ(f16_bits_to_f32(block.d), -0.5f);
  EXPECT_EQ(block.q[0] & 15, 0);
  EXPECT_EQ(block.q[1] & 15, 0);
  EXPECT_EQ(block.q[2] & 15, 15);  // 16, cut to 15
  EXPECT_EQ(block.q[3] & 15, 8);
  EXPECT_EQ(block.q[15] >> 4, 7);
  float back[32];
  dequantize_row(WeightType::kQ4_0, &block, 32, back);
  EXPECT_EQ(back[0], 4.0f);
  EXPECT_EQ(back[2], -3.5f);
  EXPECT_EQ(back[31], 0.5f);
  EXPECT_EQ(back[30], 0.0f);
}

TEST(QuantBlocksTest, RoundTripsAreWithinHalfAStep) {
  Random random(3);
  std::vector<float> x(32 * 50), back(x.size());
  for (auto& v : x) v = static_cast<float>(random.normal());
  for (const auto& [type, levels] : {std::pair{WeightType::kQ8_0, 127.0f}, {WeightType::kQ4_0, 8.0f}}) {
    std::vector<std::byte> row(row_bytes(type, static_cast<int>(x.size())));
    quantize_row(type, x.data(), static_cast<int>(x.size()), row.data());
    dequantize_row(type, row.data(), static_cast<int>(x.size()), back.data());
    for (std::size_t block = 0; block < x.size(); block += 32) {
      float top = 0;
      for (std::size_t i = block; i < block + 32; ++i) top = std::max(top, std::fabs(x[i]));
      // Half a step, a whole one at the side that Q4_0 cuts; f16's rounding of the scale adds 2^-11 of the value.
      const float step = top / levels, bound = (levels < 100 ? 1.0f : 0.5f) * step + top * 0x1p-10f;
      for (std::size_t i = block; i < block + 32; ++i) ASSERT_NEAR(back[i], x[i], bound) << weight_type_name(type) << " " << i;
    }
  }
}

TEST(QuantBlocksTest, ZerosAndTinyValuesStayFinite) {
  for (const WeightType type : {WeightType::kQ8_0, WeightType::kQ4_0}) {
    for (const float value : {0.0f, 1e-44f, -1e-38f}) {
      const std::vector<float> x(32, value);
      float back[32];
      BlockQ8_0 block;
      quantize_row(type, x.data(), 32, &block);
      dequantize_row(type, &block, 32, back);
      for (const float v : back) ASSERT_EQ(v, 0.0f);
    }
  }
}

TEST(QuantBlocksTest, FormatsThatAreOnlyReadSaySo) {
  const std::vector<float> x(256, 1.0f);
  BlockQ6_K block;
  EXPECT_THROW(quantize_row(WeightType::kQ6_K, x.data(), 256, &block), Error);
}

}  // namespace
}  // namespace areason
