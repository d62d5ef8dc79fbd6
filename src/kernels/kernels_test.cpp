// Every kernel of every instruction set this machine has, against sums in double precision.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <vector>

#include "base/random.h"
#include "kernels/attention.h"
#include "kernels/half.h"
#include "kernels/linear.h"
#include "kernels/rows.h"

namespace areason {
namespace {

std::vector<float> random_values(std::size_t n, Random& random, float scale = 1.0f) {
  std::vector<float> out(n);
  for (auto& x : out) x = scale * static_cast<float>(random.normal());
  return out;
}

class KernelsTest : public ::testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    bool found = false;
    for (const Isa isa : available_isas()) found = found || isa == GetParam();
    if (!found) GTEST_SKIP() << "THIS MACHINE HAS NO " << isa_name(GetParam()) << ": its kernels are not tested here";
  }
  ThreadPool pool_{2};
  Random random_{7};
  KernelContext context() { return {pool_, kernels_of(GetParam())}; }
};

INSTANTIATE_TEST_SUITE_P(Isas, KernelsTest,
                         ::testing::Values(Isa::kPortable, Isa::kAvx2, Isa::kAvxVnni, Isa::kAvx512, Isa::kAvx512Vnni,
                                           Isa::kAvx512Bf16),
                         [](const auto& param) { return std::string(isa_name(param.param)); });

// Weights as stored, and the values they stand for.
struct TestWeights {
  WeightType type;
  std::vector<float> values;
  std::vector<std::uint16_t> half;
  const void* data() const { return type == WeightType::kF32 ? static_cast<const void*>(values.data()) : half.data(); }
};

TestWeights make_weights(WeightType type, std::size_t n, Random& random) {
  TestWeights out{type, random_values(n, random), {}};
  if (type == WeightType::kF32) return out;
  for (auto& x : out.values) {
    std::uint16_t bits = f32_to_bf16_bits(x);
    // Any pattern with an exponent near the middle is a good f16 too.
    if (type == WeightType::kF16)
      bits = static_cast<std::uint16_t>((random.next_u32() & 0x83ffu) | ((12u + random.below(5)) << 10));
    if (type == WeightType::kF16 && random.below(50) == 0) bits &= 0x83ffu;  // subnormal
    out.half.push_back(bits);
    x = type == WeightType::kBF16 ? bf16_bits_to_f32(bits) : f16_bits_to_f32(bits);
  }
  return out;
}

struct LinearCase {
  int rows, k, n;
  WeightType type;
  bool bias;
  Store store;
};

void check_linear(const KernelContext& context, const LinearCase& c, Random& random) {
  const auto rows = static_cast<std::size_t>(c.rows), k = static_cast<std::size_t>(c.k), n = static_cast<std::size_t>(c.n);
  const std::size_t x_stride = k + 3, y_stride = n + 5;
  const auto x = random_values(rows * x_stride, random);
  const auto bias = random_values(n, random);
  const TestWeights w = make_weights(c.type, n * k, random);
  auto y = random_values(rows * y_stride, random);
  const auto before = y;
  const LinearOutput out{w.data(), c.type, c.n, c.bias ? bias.data() : nullptr, y.data(), y_stride, c.store};
  linear(context, {x.data(), x_stride, c.rows, c.k}, {&out, 1});
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t j = 0; j < y_stride; ++j) {
      if (j >= n) {
        ASSERT_EQ(y[r * y_stride + j], before[r * y_stride + j]) << "wrote past the row's end";
        continue;
      }
      double sum = (c.bias ? bias[j] : 0.0) + (c.store == Store::kAdd ? before[r * y_stride + j] : 0.0), size = 1.0;
      for (std::size_t i = 0; i < k; ++i) {
        const double product = static_cast<double>(x[r * x_stride + i]) * w.values[j * k + i];
        sum += product;
        size += std::fabs(product);
      }
      // f32 sums: some units in the last place of the sum of magnitudes.
      ASSERT_NEAR(y[r * y_stride + j], sum, 1e-6 * size) << c.rows << "x" << c.k << "x" << c.n << " at " << r << "," << j;
    }
  }
}

TEST_P(KernelsTest, LinearAgreesWithDoublePrecision) {
  for (const WeightType type : {WeightType::kF32, WeightType::kBF16, WeightType::kF16}) {
    for (const int rows : {1, 2, 4, 5, 16, 17, 40}) {
      for (const auto& [k, n] : {std::pair{64, 64}, {1, 1}, {37, 19}, {300, 33}, {520, 150}})
        check_linear(context(), {rows, k, n, type, rows % 2 == 0, rows % 3 == 0 ? Store::kAdd : Store::kReplace}, random_);
    }
  }
  check_linear(context(), {1, 513, 200, WeightType::kBF16, true, Store::kAdd}, random_);
  check_linear(context(), {97, 513, 200, WeightType::kBF16, true, Store::kAdd}, random_);
}

TEST_P(KernelsTest, LinearWithSeveralOutputsEqualsOneByOne) {
  for (const int rows : {1, 50}) {
    const auto x = random_values(static_cast<std::size_t>(rows) * 96, random_);
    const auto a = random_values(40 * 96, random_), b = random_values(200 * 96, random_);
    std::vector<float> together(static_cast<std::size_t>(rows) * 240), apart = together;
    const auto outputs = [&](std::vector<float>& y) {
      return std::vector<LinearOutput>{{a.data(), WeightType::kF32, 40, nullptr, y.data(), 40, Store::kReplace},
                                       {b.data(), WeightType::kF32, 200, nullptr, y.data() + 40 * rows, 200, Store::kReplace}};
    };
    const LinearInput in{x.data(), 96, rows, 96};
    linear(context(), in, outputs(together));
    for (const auto& out : outputs(apart)) linear(context(), in, {&out, 1});
    EXPECT_EQ(together, apart);
  }
}

struct Heads {
  int queries, keys, heads, kv_heads, d;
  Mask mask;
};

void check_attention(const KernelContext& context, const Heads& h, Random& random) {
  const auto size = [](int a, int b, int c) { return static_cast<std::size_t>(a) * static_cast<std::size_t>(b * c); };
  const auto q = random_values(size(h.queries, h.heads, h.d), random, 2.0f);
  const auto k = random_values(size(h.keys, h.kv_heads, h.d), random), v = random_values(k.size(), random);
  std::vector<float> out(q.size(), -1.0f);
  attention(context, {q.data(), k.data(), v.data(), out.data(), h.queries, h.keys, h.heads, h.kv_heads, h.d, h.mask});
  const int step = h.queries > 20 ? 13 : 1;
  for (int i = 0; i < h.queries; i += step) {
    const int seen = h.mask == Mask::kCausal ? h.keys - h.queries + i + 1 : h.keys;
    for (int head = 0; head < h.heads; ++head) {
      const int kv = head / (h.heads / h.kv_heads);
      std::vector<double> p(static_cast<std::size_t>(seen));
      double total = 0.0;
      for (int t = 0; t < seen; ++t) {
        double dot = 0.0;
        for (int j = 0; j < h.d; ++j)
          dot += static_cast<double>(q[size(i, h.heads, h.d) + size(head, 1, h.d) + static_cast<std::size_t>(j)]) *
                 k[size(t, h.kv_heads, h.d) + size(kv, 1, h.d) + static_cast<std::size_t>(j)];
        total += p[static_cast<std::size_t>(t)] = std::exp(dot / std::sqrt(h.d));
      }
      for (int j = 0; j < h.d; ++j) {
        double want = 0.0;
        for (int t = 0; t < seen; ++t)
          want += p[static_cast<std::size_t>(t)] / total *
                  v[size(t, h.kv_heads, h.d) + size(kv, 1, h.d) + static_cast<std::size_t>(j)];
        // Scores of a few units keep about 1e-6 of them; the exponential turns that into the same relative error.
        ASSERT_NEAR(out[size(i, h.heads, h.d) + size(head, 1, h.d) + static_cast<std::size_t>(j)], want, 1e-5)
            << "query " << i << " head " << head << " of " << h.queries << "x" << h.keys;
      }
    }
  }
}

TEST_P(KernelsTest, AttentionAgreesWithDoublePrecision) {
  for (const Mask mask : {Mask::kNone, Mask::kCausal}) {
    check_attention(context(), {1, 1, 2, 1, 8, mask}, random_);
    check_attention(context(), {1, 77, 4, 2, 16, mask}, random_);
    check_attention(context(), {5, 9, 4, 4, 20, mask}, random_);
    check_attention(context(), {9, 9, 2, 1, 16, mask}, random_);
    check_attention(context(), {70, 300, 4, 2, 64, mask}, random_);
    check_attention(context(), {200, 200, 2, 2, 40, mask}, random_);
    check_attention(context(), {33, 33, 1, 1, 320, mask}, random_);
  }
}

TEST_P(KernelsTest, NormsAgreeWithDoublePrecision) {
  for (const int width : {1, 5, 16, 64, 100, 1280}) {
    const auto n = static_cast<std::size_t>(width);
    const auto x = random_values(3 * n, random_, 3.0f), w = random_values(n, random_), b = random_values(n, random_);
    std::vector<float> layer(3 * n), rms(3 * n);
    layer_norm(context(), {x.data(), layer.data(), w.data(), b.data(), 3, width, 1e-5f});
    rms_norm(context(), {x.data(), rms.data(), w.data(), nullptr, 3, width, 1e-6f});
    for (std::size_t r = 0; r < 3; ++r) {
      double mean = 0, squares = 0, variance = 0;
      for (std::size_t i = 0; i < n; ++i) mean += x[r * n + i] / static_cast<double>(n);
      for (std::size_t i = 0; i < n; ++i) squares += static_cast<double>(x[r * n + i]) * x[r * n + i] / static_cast<double>(n);
      for (std::size_t i = 0; i < n; ++i) variance += (x[r * n + i] - mean) * (x[r * n + i] - mean) / static_cast<double>(n);
      for (std::size_t i = 0; i < n; ++i) {
        // A few units in the last place of values below about 10.
        EXPECT_NEAR(layer[r * n + i], (x[r * n + i] - mean) / std::sqrt(variance + 1e-5) * w[i] + b[i], 1e-5);
        EXPECT_NEAR(rms[r * n + i], x[r * n + i] / std::sqrt(squares + 1e-6) * w[i], 1e-5);
      }
    }
  }
}

TEST_P(KernelsTest, ActivationsAgreeWithDoublePrecision) {
  std::vector<float> x;
  for (float v = -20.0f; v <= 20.0f; v += 0.0037f) x.push_back(v);
  for (const float v : {0.0f, -0.0f, 1e-20f, -1e-20f, 300.0f, -300.0f}) x.push_back(v);
  auto y = x;
  gelu(context(), y.data(), y.size());
  for (std::size_t i = 0; i < x.size(); ++i)  // the rational approximation of erf is good to 1.5e-7; times |x| / 2
    ASSERT_NEAR(y[i], 0.5 * x[i] * std::erfc(-x[i] / std::sqrt(2.0)), 1e-6 * std::max(1.0, std::fabs(x[i] / 4.0))) << x[i];
  const auto up = random_values(x.size(), random_);
  y = x;
  silu_multiply(context(), y.data(), up.data(), y.size());
  for (std::size_t i = 0; i < x.size(); ++i)
    ASSERT_NEAR(y[i], x[i] / (1.0 + std::exp(-static_cast<double>(x[i]))) * up[i],
                1e-6 * std::max(1.0f, std::fabs(x[i] * up[i])))
        << x[i];
}

TEST_P(KernelsTest, SoftmaxIsADistribution) {
  for (const int n : {1, 3, 16, 37, 1000}) {
    auto x = random_values(static_cast<std::size_t>(n), random_, 30.0f);
    const auto before = x;
    kernels_of(GetParam()).softmax(x.data(), n, 0.5f);
    double top = -1e30, total = 0;
    for (const float v : before) top = std::max(top, 0.5 * v);
    for (const float v : before) total += std::exp(0.5 * v - top);
    for (std::size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(x[i], std::exp(0.5 * before[i] - top) / total, 2e-6);
  }
}

TEST_P(KernelsTest, RopeRotatesPairs) {
  for (const int half : {4, 5, 32}) {
    const int heads = 3;
    const auto width = static_cast<std::size_t>(heads * half * 2), h = static_cast<std::size_t>(half);
    auto x = random_values(2 * width, random_);
    const auto before = x, angle = random_values(2 * h, random_);
    std::vector<float> cosine(2 * h), sine(2 * h);
    for (std::size_t i = 0; i < 2 * h; ++i) cosine[i] = std::cos(angle[i]), sine[i] = std::sin(angle[i]);
    rope(context(), {x.data(), cosine.data(), sine.data(), 2, heads, 2 * half});
    for (std::size_t r = 0; r < 2; ++r)
      for (std::size_t head = 0; head < heads; ++head)
        for (std::size_t i = 0; i < h; ++i) {
          const std::size_t at = r * width + head * 2 * h + i;
          const double a = before[at], b = before[at + h], c = cosine[r * h + i], s = sine[r * h + i];
          ASSERT_NEAR(x[at], a * c - b * s, 1e-6);
          ASSERT_NEAR(x[at + h], b * c + a * s, 1e-6);
        }
  }
}

}  // namespace
}  // namespace areason
