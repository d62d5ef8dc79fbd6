// Paged attention against exact sums in double precision, on every instruction set of this machine, and its promise that a
// query's result does not depend on what is computed beside it.
#include "kernels/paged_attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"

namespace areason {
namespace {

std::size_t size(int a, int b) { return static_cast<std::size_t>(a) * static_cast<std::size_t>(b); }

std::vector<float> random_values(std::size_t n, Random& random) {
  std::vector<float> out(n);
  for (float& x : out) x = static_cast<float>(random.uniform() * 4.0 - 2.0);
  return out;
}

// One sequence with its keys and values as they were given, and in pages.
struct Sequence {
  Sequence(const PageShape& shape, int length, Random& random)
      : keys(random_values(size(length, shape.kv_heads * shape.head_dim), random)),
        values(random_values(keys.size(), random)),
        q(random_values(size(length, shape.heads * shape.head_dim), random)),
        positions(length) {
    for (int p = 0; p < length; p += kPagePositions) {
      // Twice the size: a second layer, whose offset is used.
      memory.emplace_back(2 * shape.bytes() / sizeof(float));
      pages.push_back(reinterpret_cast<std::byte*>(memory.back().data()));
    }
  }
  PagedSequence rows(const PageShape& shape, int start, int count) { return {pages.data(), shape.bytes(), start, count}; }
  std::vector<float> keys, values, q;
  int positions;
  std::vector<std::vector<float>> memory;
  std::vector<std::byte*> pages;
};

struct Place {
  int query;
  int head;
  int column;
};

double exact(const PageShape& shape, const Sequence& s, const Place& at) {
  const auto [query, head, column] = at;
  const int d = shape.head_dim, kv = head / (shape.heads / shape.kv_heads);
  std::vector<double> score;
  double top = -1e30, total = 0, out = 0;
  for (int p = 0; p <= query; ++p) {
    double dot = 0;
    for (int i = 0; i < d; ++i)
      dot += static_cast<double>(s.q[size(query, shape.heads * d) + size(head, d) + size(i, 1)]) *
             s.keys[size(p, shape.kv_heads * d) + size(kv, d) + size(i, 1)];
    score.push_back(dot / std::sqrt(d));
    top = std::max(top, score.back());
  }
  for (int p = 0; p <= query; ++p) {
    const double weight = std::exp(score[static_cast<std::size_t>(p)] - top);
    total += weight;
    out += weight * s.values[size(p, shape.kv_heads * d) + size(kv, d) + size(column, 1)];
  }
  return out / total;
}

class PagedAttention : public ::testing::TestWithParam<Isa> {
 protected:
  KernelContext context() { return {pool_, kernels_of(GetParam())}; }
  std::vector<float> attend(const PageShape& shape, Sequence& s, int start, int count) {
    std::vector<float> out(size(count, shape.heads * shape.head_dim));
    const PagedSequence rows = s.rows(shape, start, count);
    paged_attention(context(), shape, {&rows, 1}, {s.q.data() + size(start, shape.heads * shape.head_dim), out.data()});
    return out;
  }
  void store(const PageShape& shape, Sequence& s, int start, int count) {
    const PagedSequence rows = s.rows(shape, start, count);
    const std::size_t at = size(start, shape.kv_heads * shape.head_dim);
    store_pages(context(), shape, {&rows, 1}, {s.keys.data() + at, s.values.data() + at});
  }
  ThreadPool pool_{2};
  Random random_{5};
};

INSTANTIATE_TEST_SUITE_P(Isas, PagedAttention, ::testing::ValuesIn(available_isas().begin(), available_isas().end()),
                         [](const auto& param) { return isa_name(param.param); });

TEST_P(PagedAttention, AgreesWithDoublePrecision) {
  for (const KvType type : {KvType::kF32, KvType::kF16, KvType::kBF16}) {
    // Scores of a few units: f32 keeps about 1e-6 of them, f16 2^-11 and bf16 2^-8 of keys and values of up to 2.
    const double tolerance = type == KvType::kF32 ? 1e-5 : type == KvType::kF16 ? 8e-3 : 6e-2;
    for (const auto& [heads, kv_heads, d] : {std::array{4, 2, 20}, {2, 2, 64}, {6, 1, 128}, {1, 1, 16}}) {
      const PageShape shape{type, heads, kv_heads, d};
      Sequence s(shape, 77, random_);
      store(shape, s, 0, 40);
      store(shape, s, 40, 37);
      const auto out = attend(shape, s, 0, 77);
      for (int query = 0; query < 77; query += 3)
        for (int head = 0; head < heads; ++head)
          for (int i = 0; i < d; i += 7)
            ASSERT_NEAR(out[size(query, heads * d) + size(head, d) + size(i, 1)], exact(shape, s, {query, head, i}), tolerance)
                << kv_type_name(type) << " query " << query << " head " << head << " d " << d;
    }
  }
}

// Bit for bit: one by one, in pieces, and beside other sequences.
TEST_P(PagedAttention, AQuerysResultDoesNotDependOnItsCompany) {
  for (const KvType type : {KvType::kF32, KvType::kF16, KvType::kBF16}) {
    const PageShape shape{type, 4, 2, 72};
    const int width = 4 * 72;
    Sequence s(shape, 105, random_), other(shape, 50, random_);
    store(shape, s, 0, 105);
    store(shape, other, 0, 50);
    const auto whole = attend(shape, s, 0, 105);
    for (const int step : {1, 2, 3, 5, 8, 37}) {
      std::vector<float> pieces;
      for (int p = 0; p < 105; p += step) {
        const auto part = attend(shape, s, p, std::min(step, 105 - p));
        pieces.insert(pieces.end(), part.begin(), part.end());
      }
      ASSERT_EQ(pieces, whole) << kv_type_name(type) << " step " << step;
    }
    const PagedSequence both[] = {other.rows(shape, 45, 5), s.rows(shape, 100, 5)};
    std::vector<float> q(other.q.begin() + 45 * width, other.q.end()), out(size(10, width));
    q.insert(q.end(), s.q.begin() + 100 * width, s.q.end());
    paged_attention(context(), shape, both, {q.data(), out.data()});
    EXPECT_EQ(std::vector<float>(out.begin() + 5 * width, out.end()),
              std::vector<float>(whole.begin() + 100 * width, whole.end()));
    const auto alone = attend(shape, other, 45, 5);
    EXPECT_EQ(std::vector<float>(out.begin(), out.begin() + 5 * width), alone);
  }
}

// Sequences with common first pages, of different lengths and numbers of queries, get what they get alone, bit for bit.
TEST_P(PagedAttention, SharedPagesAreReadTogether) {
  const PageShape shape{KvType::kF16, 4, 2, 40};
  const int width = 4 * 40;
  Sequence trunk(shape, 70, random_);
  store(shape, trunk, 0, 70);
  std::vector<Sequence> all;
  std::vector<PagedSequence> together;
  std::vector<float> q, wanted;
  for (int i = 0; i < 14; ++i) {
    const int length = 70 + 9 * i, rows = 1 + i % 4;
    all.emplace_back(shape, length, random_);
    Sequence& s = all.back();
    std::copy(trunk.keys.begin(), trunk.keys.end(), s.keys.begin());
    std::copy(trunk.values.begin(), trunk.values.end(), s.values.begin());
    store(shape, s, 0, length);
    const auto alone = attend(shape, s, length - rows, rows);
    wanted.insert(wanted.end(), alone.begin(), alone.end());
    q.insert(q.end(), s.q.end() - rows * width, s.q.end());
    if (i != 6) s.pages[0] = trunk.pages[0], s.pages[1] = trunk.pages[1];
    together.push_back(s.rows(shape, length - rows, rows));
  }
  std::vector<float> out(wanted.size());
  paged_attention(context(), shape, together, {q.data(), out.data()});
  EXPECT_EQ(out, wanted);
}

TEST_P(PagedAttention, SixteenBitsRoundToNearestAndDoNotOverflow) {
  const PageShape shape{KvType::kF16, 1, 1, 16};
  Sequence s(shape, 1, random_);
  const float given[] = {0.0f,     1.0f,       -2.5f,    1e9f,          -1e9f,          65519.0f,
                         0x1p-24f, 0x1.8p-24f, 0x1p-26f, -0x1.ffcp-15f, 1.00048828125f, 1.00146484375f};
  const float wanted[] = {0.0f,     1.0f,     -2.5f, 65504.0f,  -65504.0f, 65504.0f,
                          0x1p-24f, 0x1p-23f, 0.0f,  -0x1p-14f, 1.0f,      1.001953125f};
  std::copy(std::begin(given), std::end(given), s.values.begin());
  store(shape, s, 0, 1);
  // One position has the whole weight, so its values come out as they were stored.
  const auto out = attend(shape, s, 0, 1);
  for (std::size_t i = 0; i < std::size(given); ++i) EXPECT_EQ(out[i], wanted[i]) << given[i];
}

}  // namespace
}  // namespace areason
