#include "train/kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

namespace areason::train {
namespace {

inline float load(const float* p) { return *p; }
inline float load(const Bf16* p) { return std::bit_cast<float>(static_cast<std::uint32_t>(p->bits) << 16); }
inline void store(float* p, float v) { *p = v; }
inline void store(Bf16* p, float v) {
  const auto u = std::bit_cast<std::uint32_t>(v);
  p->bits = static_cast<std::uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);  // to nearest even
}

// exp to about 2 ulp of f32 for x <= 88 (Cephes expf's polynomial after splitting off the power of two); branch-free, so that
// the compiler vectorises the loops below.
inline float fast_exp(float x) {
  x = std::min(88.0f, std::max(-87.0f, x));
  const float n = std::nearbyint(x * 1.44269504088896341f);
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  return p * std::bit_cast<float>((static_cast<std::int32_t>(n) + 127) << 23);
}

inline int visible(const SoftmaxShape& shape, std::int64_t row) {
  if (!shape.causal) return shape.keys;
  return std::min(shape.keys, shape.shared + static_cast<int>(row % shape.queries) + 1);
}

// Rotates by +angle (forward) or -angle (sign = -1, the transpose).
template <typename T>
inline void rotate(const T* __restrict in, T* __restrict out, int dim, const float* cos, const float* sin, float sign) {
  const int half = dim / 2;
  for (int i = 0; i < half; ++i) {
    const float a = load(in + i), b = load(in + half + i);
    store(out + i, a * cos[i] - sign * b * sin[i]);
    store(out + half + i, b * cos[i] + sign * a * sin[i]);
  }
}

}  // namespace

template <typename T>
void rms_norm_rows(const float* x, const float* weight, T* y, float* inv_rms, std::int64_t rows, int width, float eps) {
  for (std::int64_t r = 0; r < rows; ++r, x += width, y += width) {
    float sum = 0;
    for (int i = 0; i < width; ++i) sum += x[i] * x[i];
    const float inv = 1.0f / std::sqrt(sum / static_cast<float>(width) + eps);
    inv_rms[r] = inv;
    for (int i = 0; i < width; ++i) store(y + i, x[i] * inv * weight[i]);
  }
}

template <typename T>
void rms_norm_grad_rows(const float* x, const float* weight, const float* inv_rms, const T* dy, float* dx, float* dweight,
                        std::int64_t rows, int width) {
  for (std::int64_t r = 0; r < rows; ++r, x += width, dy += width, dx += width) {
    const float inv = inv_rms[r];
    float dot = 0;
    for (int i = 0; i < width; ++i) {
      const float g = load(dy + i);
      dot += g * weight[i] * x[i];
      dweight[i] += g * x[i] * inv;
    }
    const float mean = dot * inv * inv / static_cast<float>(width);
    for (int i = 0; i < width; ++i) dx[i] = inv * (load(dy + i) * weight[i] - x[i] * mean);
  }
}

template <typename T>
void split_heads_rows(const T* qkv, T* q, T* k, T* v, const RopeShape& s, const float* cos, const float* sin,
                      const std::int64_t* positions, std::int64_t begin, std::int64_t end) {
  const int dim = s.head_dim;
  for (std::int64_t t = begin; t < end; ++t) {
    const T* in = qkv + t * s.out_columns();
    const float* c = cos ? cos + positions[t] * (dim / 2) : nullptr;
    const float* n = sin ? sin + positions[t] * (dim / 2) : nullptr;
    for (int h = 0; h < s.heads + 2 * s.kv_heads; ++h, in += dim) {
      const bool is_value = h >= s.heads + s.kv_heads;
      T* base = h < s.heads ? q + h * s.tokens * dim
                            : (is_value ? v + (h - s.heads - s.kv_heads) * s.tokens * dim : k + (h - s.heads) * s.tokens * dim);
      T* out = base + t * dim;
      if (c && !is_value) {
        rotate(in, out, dim, c, n, 1.0f);
      } else {
        std::copy(in, in + dim, out);
      }
    }
  }
}

template <typename T>
void merge_heads_rows(T* qkv, const T* q, const T* k, const T* v, const RopeShape& s, const float* cos, const float* sin,
                      const std::int64_t* positions, std::int64_t begin, std::int64_t end) {
  const int dim = s.head_dim;
  for (std::int64_t t = begin; t < end; ++t) {
    T* out = qkv + t * s.out_columns();
    const float* c = cos ? cos + positions[t] * (dim / 2) : nullptr;
    const float* n = sin ? sin + positions[t] * (dim / 2) : nullptr;
    for (int h = 0; h < s.heads + 2 * s.kv_heads; ++h, out += dim) {
      const bool is_value = h >= s.heads + s.kv_heads;
      const T* base = h < s.heads
                          ? q + h * s.tokens * dim
                          : (is_value ? v + (h - s.heads - s.kv_heads) * s.tokens * dim : k + (h - s.heads) * s.tokens * dim);
      const T* in = base + t * dim;
      if (c && !is_value) {
        rotate(in, out, dim, c, n, -1.0f);
      } else {
        std::copy(in, in + dim, out);
      }
    }
  }
}

template <typename T>
void swiglu_rows(const T* __restrict gate_up, T* __restrict y, std::int64_t rows, int ffn) {
  for (std::int64_t r = 0; r < rows; ++r, gate_up += 2 * ffn, y += ffn) {
    for (int i = 0; i < ffn; ++i) {
      const float g = load(gate_up + i), u = load(gate_up + ffn + i);
      store(y + i, g / (1.0f + fast_exp(-g)) * u);
    }
  }
}

template <typename T>
void swiglu_grad_rows(const T* __restrict gate_up, const T* __restrict dy, T* __restrict dgate_up, std::int64_t rows, int ffn) {
  for (std::int64_t r = 0; r < rows; ++r, gate_up += 2 * ffn, dgate_up += 2 * ffn, dy += ffn) {
    for (int i = 0; i < ffn; ++i) {
      const float g = load(gate_up + i), u = load(gate_up + ffn + i), d = load(dy + i);
      const float s = 1.0f / (1.0f + fast_exp(-g));
      store(dgate_up + i, d * u * s * (1.0f + g * (1.0f - s)));
      store(dgate_up + ffn + i, d * g * s);
    }
  }
}

template <typename T>
void softmax_rows(T* scores, const SoftmaxShape& shape, std::int64_t begin, std::int64_t end) {
  std::vector<float> row(static_cast<std::size_t>(shape.keys));
  float* e = row.data();
  for (std::int64_t r = begin; r < end; ++r) {
    T* s = scores + r * shape.keys;
    const int n = visible(shape, r);
    float top = -INFINITY;
    for (int i = 0; i < n; ++i) e[i] = load(s + i) * shape.scale;
    for (int i = 0; i < n; ++i) top = std::max(top, e[i]);
    float sum = 0;
    for (int i = 0; i < n; ++i) {
      e[i] = fast_exp(e[i] - top);
      sum += e[i];
    }
    const float inv = 1.0f / sum;
    for (int i = 0; i < n; ++i) store(s + i, e[i] * inv);
    std::fill(s + n, s + shape.keys, T{});
  }
}

template <typename T>
void softmax_grad_rows(const T* __restrict prob, T* __restrict dprob, const SoftmaxShape& shape, std::int64_t begin,
                       std::int64_t end) {
  for (std::int64_t r = begin; r < end; ++r) {
    const T* __restrict p = prob + r * shape.keys;
    T* __restrict d = dprob + r * shape.keys;
    const int n = visible(shape, r);
    float dot = 0;
    for (int i = 0; i < n; ++i) dot += load(p + i) * load(d + i);
    for (int i = 0; i < n; ++i) store(d + i, shape.scale * load(p + i) * (load(d + i) - dot));
    std::fill(d + n, d + shape.keys, T{});
  }
}

template <typename T>
void cross_entropy_rows(T* logits, const CrossEntropyRows& io, std::int64_t begin, std::int64_t end) {
  const int vocab = io.vocab;
  std::vector<float> row(static_cast<std::size_t>(vocab));
  float* e = row.data();
  const float share = io.smoothing / static_cast<float>(vocab);
  for (std::int64_t r = begin; r < end; ++r) {
    T* out = logits + r * vocab;
    float top = -INFINITY, total = 0;
    for (int i = 0; i < vocab; ++i) e[i] = load(out + i);
    for (int i = 0; i < vocab; ++i) top = std::max(top, e[i]);
    if (io.smoothing > 0) {
      for (int i = 0; i < vocab; ++i) total += e[i];
    }
    const std::int64_t label = io.labels[r];
    const float own = e[label];
    float sum = 0;
    for (int i = 0; i < vocab; ++i) {
      e[i] = fast_exp(e[i] - top);
      sum += e[i];
    }
    const float log_sum = std::log(sum) + top;
    io.loss[r] = log_sum - own;
    io.objective[r] = log_sum - (1 - io.smoothing) * own - share * total + io.z * log_sum * log_sum;
    io.right[r] = own >= top;
    const float factor = (1 + 2 * io.z * log_sum) / sum;
    const float at_label = e[label] * factor - share - (1 - io.smoothing);
    for (int i = 0; i < vocab; ++i) store(out + i, e[i] * factor - share);
    store(out + label, at_label);
  }
}

#define AREASON_INSTANTIATE(T)                                                                                                \
  template void rms_norm_rows<T>(const float*, const float*, T*, float*, std::int64_t, int, float);                           \
  template void rms_norm_grad_rows<T>(const float*, const float*, const float*, const T*, float*, float*, std::int64_t, int); \
  template void split_heads_rows<T>(const T*, T*, T*, T*, const RopeShape&, const float*, const float*, const std::int64_t*,  \
                                    std::int64_t, std::int64_t);                                                              \
  template void merge_heads_rows<T>(T*, const T*, const T*, const T*, const RopeShape&, const float*, const float*,           \
                                    const std::int64_t*, std::int64_t, std::int64_t);                                         \
  template void swiglu_rows<T>(const T*, T*, std::int64_t, int);                                                              \
  template void swiglu_grad_rows<T>(const T*, const T*, T*, std::int64_t, int);                                               \
  template void softmax_rows<T>(T*, const SoftmaxShape&, std::int64_t, std::int64_t);                                         \
  template void softmax_grad_rows<T>(const T*, T*, const SoftmaxShape&, std::int64_t, std::int64_t);                          \
  template void cross_entropy_rows<T>(T*, const CrossEntropyRows&, std::int64_t, std::int64_t);
AREASON_INSTANTIATE(float)
AREASON_INSTANTIATE(Bf16)
#undef AREASON_INSTANTIATE

}  // namespace areason::train
