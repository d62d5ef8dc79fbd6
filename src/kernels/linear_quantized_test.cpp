// Products with quantised weights, on every instruction set of this machine and on those that can be emulated, against exact
// sums in double precision.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "kernels/emulated_tables.h"
#include "kernels/linear.h"
#include "kernels/quant_testing.h"

namespace areason {
namespace {

using testing::dequantized;
using testing::random_blocks;

constexpr WeightType kQuantized[] = {WeightType::kQ8_0, WeightType::kQ4_0, WeightType::kQ4_K, WeightType::kQ5_K,
                                     WeightType::kQ6_K};

bool has(Isa isa) {
  const auto isas = available_isas();
  return std::find(isas.begin(), isas.end(), isa) != isas.end();
}

const IntTable* emulated(Isa isa) {
  if (!has(Isa::kAvx2)) return nullptr;
  if (isa == Isa::kAvxVnni) return emulated_table_avxvnni();
  return isa == Isa::kAvx512Vnni ? emulated_table_avx512vnni() : nullptr;
}

class QuantizedTest : public ::testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (has(GetParam())) {
      table_ = kernels_of(GetParam());
    } else if (const IntTable* integers = emulated(GetParam())) {
      table_ = kernels_of(Isa::kPortable);
      table_.integers = integers;
    } else {
      GTEST_SKIP() << "THIS MACHINE HAS NO " << isa_name(GetParam()) << ": its kernels are not tested here";
    }
  }
  ThreadPool pool_{2};
  Random random_{11};
  KernelTable table_;
  KernelContext context() { return {pool_, table_}; }
};

INSTANTIATE_TEST_SUITE_P(Isas, QuantizedTest,
                         ::testing::Values(Isa::kPortable, Isa::kAvx2, Isa::kAvxVnni, Isa::kAvx512, Isa::kAvx512Vnni,
                                           Isa::kAvx512Bf16),
                         [](const auto& param) { return std::string(isa_name(param.param)); });

struct Case {
  WeightType type;
  int rows, k, n;
  Store store;
};

// Rounding x to 127 steps a group of 32 adds an error that is uniform in half a step: its variance is step^2 / 12 for each
// weight. Six standard deviations are never left by so few sums; f32 adds about 1e-6 of the sum of magnitudes.
double error_bound(const float* x, const float* w, int k) {
  double variance = 0, size = 1;
  for (int group = 0; group < k; group += 32) {
    float top = 0;
    for (int i = group; i < group + 32; ++i) top = std::max(top, std::fabs(x[i]));
    const double step = static_cast<double>(top) / 127.0;
    for (int i = group; i < group + 32; ++i) {
      variance += static_cast<double>(w[i]) * w[i] * step * step / 12.0;
      size += std::fabs(static_cast<double>(x[i]) * w[i]);
    }
  }
  return 6.0 * std::sqrt(variance) + 1e-6 * size;
}

void check(const KernelContext& context, const Case& c, Random& random) {
  const auto rows = static_cast<std::size_t>(c.rows), k = static_cast<std::size_t>(c.k), n = static_cast<std::size_t>(c.n);
  const std::size_t x_stride = k + 5, y_stride = n + 3;
  const auto weights = random_blocks(c.type, c.n, c.k, random);
  const auto values = dequantized(c.type, weights, c.n, c.k);
  std::vector<float> x(rows * x_stride), y(rows * y_stride), bias(n);
  for (auto* vector : {&x, &y, &bias})
    for (auto& v : *vector) v = static_cast<float>(random.normal());
  const auto before = y;
  const LinearOutput out{weights.data(), c.type, c.n, bias.data(), y.data(), y_stride, c.store};
  linear(context, {x.data(), x_stride, c.rows, c.k}, {&out, 1});
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t j = n; j < y_stride; ++j) ASSERT_EQ(y[r * y_stride + j], before[r * y_stride + j]) << "past the row's end";
    for (std::size_t j = 0; j < n; ++j) {
      double sum = bias[j] + (c.store == Store::kAdd ? static_cast<double>(before[r * y_stride + j]) : 0.0);
      for (std::size_t i = 0; i < k; ++i) sum += static_cast<double>(x[r * x_stride + i]) * values[j * k + i];
      ASSERT_NEAR(y[r * y_stride + j], sum, error_bound(&x[r * x_stride], &values[j * k], c.k))
          << weight_type_name(c.type) << " " << c.rows << "x" << c.k << "x" << c.n << " at " << r << "," << j;
    }
  }
}

TEST_P(QuantizedTest, AgreesWithDoublePrecision) {
  for (const WeightType type : kQuantized) {
    const int block = block_size(type);
    for (const int rows : {1, 2, 3, 5, 9, 16, 17, 40})
      for (const auto& [k, n] : {std::pair{block, 1}, {block, 64}, {3 * block, 19}, {1280, 33}, {512, 150}})
        check(context(), {type, rows, k, n, rows % 2 == 0 ? Store::kAdd : Store::kReplace}, random_);
  }
}

TEST_P(QuantizedTest, SeveralOutputsOfSeveralTypesShareOneInput) {
  for (const int rows : {1, 4, 30}) {
    const int k = 512, n = 37;
    const auto size = static_cast<std::size_t>(rows * n);
    std::vector<float> x(static_cast<std::size_t>(rows * k));
    for (auto& v : x) v = static_cast<float>(random_.normal());
    std::vector<std::vector<std::byte>> weights;
    for (const WeightType type : kQuantized) weights.push_back(random_blocks(type, n, k, random_));
    weights.emplace_back(static_cast<std::size_t>(n * k) * sizeof(float));  // f32 zeros beside them
    std::vector<float> together(size * weights.size(), 1.0f), apart = together;
    const auto outputs = [&](std::vector<float>& y) {
      std::vector<LinearOutput> out;
      for (std::size_t i = 0; i < weights.size(); ++i)
        out.push_back({weights[i].data(), i < std::size(kQuantized) ? kQuantized[i] : WeightType::kF32, n, nullptr,
                       y.data() + i * size, static_cast<std::size_t>(n), Store::kReplace});
      return out;
    };
    const LinearInput in{x.data(), static_cast<std::size_t>(k), rows, k};
    linear(context(), in, outputs(together));
    for (const auto& out : outputs(apart)) linear(context(), in, {&out, 1});
    EXPECT_EQ(together, apart);
    EXPECT_EQ(together.back(), 0.0f);
  }
}

struct Problem {
  WeightType type;
  int rows, k, n;
  std::vector<std::byte> weights;
  std::vector<float> x, bias;
};

Problem make_problem(WeightType type, int rows, int k, int n) {
  Random random(static_cast<std::uint64_t>(rows * 1000 + k + n));
  Problem p{type,
            rows,
            k,
            n,
            random_blocks(type, n, k, random),
            std::vector<float>(static_cast<std::size_t>(rows * k)),
            std::vector<float>(static_cast<std::size_t>(n))};
  for (auto* vector : {&p.x, &p.bias})
    for (auto& v : *vector) v = static_cast<float>(random.normal() * std::exp(2.0 * random.normal()));
  for (std::size_t i = 64; i < 96; ++i) p.x[i] = 0;  // a group without any
  return p;
}

// Rows [first, first + rows) of the product.
std::vector<float> product(const KernelContext& context, const Problem& p, int first, int rows) {
  std::vector<float> y(static_cast<std::size_t>(rows * p.n));
  const LinearOutput out{p.weights.data(), p.type, p.n, p.bias.data(), y.data(), static_cast<std::size_t>(p.n),
                         Store::kReplace};
  linear(context, {p.x.data() + first * p.k, static_cast<std::size_t>(p.k), rows, p.k}, {&out, 1});
  return y;
}

// Design.md, 7: a row's result is the same, bit for bit, alone and among others, on every instruction set and number of
// threads.
TEST_P(QuantizedTest, ResultsDependOnNothingButTheRow) {
  ThreadPool one(1);
  const KernelContext portable{one, kernels_of(Isa::kPortable)};
  for (const WeightType type : kQuantized) {
    const int block = block_size(type);
    for (const auto& [k, n] : {std::pair{block == 32 ? 1120 : 1280, 70}, {block == 32 ? 96 : 256, 9}, {1024, 33}}) {
      const Problem p = make_problem(type, 37, k, n);
      const auto all = product(context(), p, 0, p.rows);
      ASSERT_EQ(all, product(portable, p, 0, p.rows)) << weight_type_name(type) << " differs from portable";
      int first = 0;
      for (const int rows : {1, 7, 2, 12, 4, 8, 3}) {  // as many as different kernels are for, and between
        const auto some = product(context(), p, first, rows);
        ASSERT_TRUE(std::equal(some.begin(), some.end(), all.begin() + first * n))
            << weight_type_name(type) << " " << k << "x" << n << ": rows from " << first << ", " << rows << " of them";
        first += rows;
      }
    }
  }
}

// The largest integers, all of one sign: sums that kernels keep in 16 bits for a while come as near to their ends as they can.
TEST_P(QuantizedTest, SumsOfTheLargestProductsFit) {
  ThreadPool one(1);
  const KernelContext portable{one, kernels_of(Isa::kPortable)};
  for (const WeightType type : kQuantized) {
    for (const int byte : {0x00, 0x7f, 0x80, 0xff}) {
      Problem p = make_problem(type, 5, 1024, 17);
      const std::size_t scales = type == WeightType::kQ6_K ? 0 : block_size(type) == 32 ? 2 : 4, block = block_bytes(type);
      for (std::size_t at = 0; at < p.weights.size(); at += block)
        std::fill_n(p.weights.begin() + static_cast<std::ptrdiff_t>(at + scales), block - (scales == 0 ? 2 : scales),
                    static_cast<std::byte>(byte));
      for (std::size_t i = 0; i < p.x.size(); ++i) p.x[i] = i / 1024 % 2 == 0 ? 1.0f : -1.0f;
      for (const int rows : {1, p.rows})
        ASSERT_EQ(product(context(), p, 0, rows), product(portable, p, 0, rows)) << weight_type_name(type) << " of " << byte;
      ASSERT_EQ(product(context(), p, 1, 1), product(portable, p, 1, 1)) << weight_type_name(type) << " of " << byte;
    }
  }
}

TEST_P(QuantizedTest, LengthsThatAFormatCannotHaveAreErrors) {
  const std::vector<std::byte> weights(1024);
  const std::vector<float> x(300, 1.0f);
  float y[2];
  const LinearOutput out{weights.data(), WeightType::kQ4_K, 2, nullptr, y, 2, Store::kReplace};
  EXPECT_THROW(linear(context(), {x.data(), 128, 1, 128}, {&out, 1}), Error);
  EXPECT_THROW(linear(context(), {x.data(), 128, 2, 128}, {&out, 1}), Error);
}

}  // namespace
}  // namespace areason
