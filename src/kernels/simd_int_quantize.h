// Activations to int8, once per instruction set; see int_table.h for the rule. In the compilers' vector extension or plain C++,
// so that the portable build shares it. Thread rule: pure functions.
#pragma once
#include <cstring>

#include "kernels/int_table.h"
#include "kernels/simd_vector.h"

namespace areason::AREASON_ISA_NAMESPACE {
namespace {

// The largest magnitude of 32 values; NaN is ignored.
inline float largest(const float* x) {
  Vec top = {};
  for (int i = 0; i < 32; i += kLanes) {
    const Vec v = load(x + i);
    top = vmax(top, v > -v ? v : -v);
  }
  return maximum(top);
}

inline void quantize_group(const float* x, std::size_t group, const IntQuantizeArgs& args) {
  const float top = largest(x);
  // Below this the inverse would overflow; such values are nothing beside any other.
  const float d = top > 1e-30f ? top / 127.0f : 0.0f, inverse = top > 1e-30f ? 127.0f / top : 0.0f;
  std::int32_t half[2] = {0, 0};
  std::int8_t* q = args.q + 32 * group;
  const Vec magic = set1(12582912.0f);  // 1.5 * 2^23: adding it rounds to the nearest whole number, ties to even
  for (int i = 0; i < 32; i += kLanes) {
    Vec v = load(x + i) * inverse;
    v = v < 127.0f ? v : set1(127.0f);
    v = v > -127.0f ? v : set1(-127.0f);
    const VecI whole = __builtin_convertvector((v + magic) - magic, VecI);
    for (int lane = 0; lane < kLanes; ++lane) q[i + lane] = static_cast<std::int8_t>(whole[lane]);
  }
  for (int i = 0; i < 32; ++i) half[i / 16] += q[i];
  args.d[group] = d;
  args.ds[group] = d * static_cast<float>(half[0] + half[1]);
  args.minus_sum[group] = -(half[0] + half[1]);
  args.minus_halves[2 * group] = -half[0];
  args.minus_halves[2 * group + 1] = -half[1];
}

void int_quantize(const IntQuantizeArgs& args) {
  std::size_t group = 0;
  for (; group < static_cast<std::size_t>(args.k / 32); ++group) quantize_group(args.x + 32 * group, group, args);
  const float zeros[32] = {};
  for (; group < static_cast<std::size_t>(args.groups); ++group) quantize_group(zeros, group, args);
}

}  // namespace
}  // namespace areason::AREASON_ISA_NAMESPACE
