// Products whose activations may be rounded to bf16 (Activations::kBF16), against sums in double precision.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"
#include "kernels/linear.h"
#include "kernels/quant_blocks.h"

namespace areason {
namespace {

struct Case {
  WeightType type;
  int rows, k, n;
  Store store;
};

void check(const KernelContext& context, const Case& c, Random& random) {
  const auto rows = static_cast<std::size_t>(c.rows), k = static_cast<std::size_t>(c.k), n = static_cast<std::size_t>(c.n);
  const std::size_t x_stride = k + 5, y_stride = n + 3;
  std::vector<float> x(rows * x_stride), y(rows * y_stride), bias(n), weights(n * k);
  for (auto* vector : {&x, &y, &bias, &weights})
    for (auto& v : *vector) v = static_cast<float>(random.normal());
  std::vector<std::byte> stored(row_bytes(c.type, c.k) * n);
  for (std::size_t j = 0; j < n; ++j) {
    std::byte* row = stored.data() + row_bytes(c.type, c.k) * j;
    quantize_row(c.type, &weights[j * k], c.k, row);
    dequantize_row(c.type, row, c.k, &weights[j * k]);
  }
  const auto before = y;
  const LinearOutput out{stored.data(), c.type, c.n, bias.data(), y.data(), y_stride, c.store};
  linear(context, {x.data(), x_stride, c.rows, c.k, Activations::kBF16}, {&out, 1});
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t j = n; j < y_stride; ++j) ASSERT_EQ(y[r * y_stride + j], before[r * y_stride + j]) << "past the row's end";
    for (std::size_t j = 0; j < n; ++j) {
      double sum = bias[j] + (c.store == Store::kAdd ? static_cast<double>(before[r * y_stride + j]) : 0.0), squares = 0,
             size = 1;
      for (std::size_t i = 0; i < k; ++i) {
        const double product = static_cast<double>(x[r * x_stride + i]) * weights[j * k + i];
        sum += product;
        squares += product * product;
        size += std::fabs(product);
      }
      // Each of the two factors is off by up to 2^-9 of itself, evenly: the product's variance is at most 2 * (2^-9)^2 / 3 of
      // its square. Six standard deviations; f32 adds about 1e-6 of the sum of magnitudes.
      ASSERT_NEAR(y[r * y_stride + j], sum, 6 * std::sqrt(squares * 2.0 / 3.0) * 0x1p-8 + 1e-6 * size)
          << weight_type_name(c.type) << " " << c.rows << "x" << c.k << "x" << c.n << " at " << r << "," << j;
    }
  }
}

class Bf16Test : public ::testing::TestWithParam<Isa> {};

INSTANTIATE_TEST_SUITE_P(Isas, Bf16Test, ::testing::Values(Isa::kPortable, Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Bf16),
                         [](const auto& param) { return std::string(isa_name(param.param)); });

TEST_P(Bf16Test, AgreesWithDoublePrecision) {
  const auto isas = available_isas();
  if (std::find(isas.begin(), isas.end(), GetParam()) == isas.end())
    GTEST_SKIP() << "THIS MACHINE HAS NO " << isa_name(GetParam()) << ": its kernels are not tested here";
  ThreadPool pool(2);
  Random random(5);
  for (const WeightType type : {WeightType::kF32, WeightType::kBF16, WeightType::kF16})
    for (const int rows : {1, 17, 24, 31, 70})
      for (const auto& [k, n] : {std::pair{32, 1}, {256, 64}, {33, 40}, {288, 19}, {640, 75}})
        check({pool, kernels_of(GetParam())}, {type, rows, k, n, rows % 2 == 0 ? Store::kAdd : Store::kReplace}, random);
}

// The point of it: weights of bf16 and activations that are bf16 already give what f32 gives.
TEST(Bf16Test, ExactFactorsGiveExactProducts) {
  ThreadPool pool(1);
  const int rows = 20, k = 64, n = 33;
  Random random(6);
  std::vector<float> x(rows * k), w(n * k), exact(rows * n), rounded(rows * n);
  for (auto* vector : {&x, &w})
    for (auto& v : *vector) v = static_cast<float>(random.between(-8, 8));  // sums of products stay whole
  LinearOutput out{w.data(), WeightType::kF32, n, nullptr, exact.data(), n, Store::kReplace};
  linear({pool, active_kernels()}, {x.data(), k, rows, k}, {&out, 1});
  out.y = rounded.data();
  linear({pool, active_kernels()}, {x.data(), k, rows, k, Activations::kBF16}, {&out, 1});
  EXPECT_EQ(exact, rounded);
}

}  // namespace
}  // namespace areason
