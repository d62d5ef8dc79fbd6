#include "train/device_ops.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include <ATen/ops/full_like.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/rms_norm.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/sigmoid.h>
#include <torch/csrc/autograd/custom_function.h>
#pragma GCC diagnostic pop

#include "base/error.h"

namespace areason::train {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// In f32 whatever the activations are, as the kernel does it. silu() of autograd would keep one tensor more.
struct PlainSwiGlu : torch::autograd::Function<PlainSwiGlu> {
  static Tensor forward(AutogradContext* ctx, const Tensor& gate_up) {
    const std::int64_t ffn = gate_up.size(1) / 2;
    const Tensor gate = gate_up.narrow(1, 0, ffn).to(at::kFloat);
    ctx->save_for_backward({gate_up});
    return at::sigmoid(gate).mul_(gate).mul_(gate_up.narrow(1, ffn, ffn)).to(gate_up.scalar_type());
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const Tensor gate_up = ctx->get_saved_variables()[0];
    const std::int64_t ffn = gate_up.size(1) / 2;
    const Tensor gate = gate_up.narrow(1, 0, ffn).to(at::kFloat), dy = grads[0].to(at::kFloat);
    const Tensor s = at::sigmoid(gate);
    Tensor dx = at::empty_like(gate_up);
    dx.narrow(1, ffn, ffn).copy_(dy * gate * s);
    // d silu(g) / dg = s * (1 + g * (1 - s))
    dx.narrow(1, 0, ffn).copy_((gate * (1 - s)).add_(1).mul_(s).mul_(dy).mul_(gate_up.narrow(1, ffn, ffn)));
    return {dx};
  }
};

// x [T, heads, dim] turned by the angles of its positions; cos, sin [T, 1, dim / 2].
Tensor rotated(const Tensor& x, const Tensor& cos, const Tensor& sin) {
  const std::int64_t half = x.size(2) / 2;
  const Tensor a = x.narrow(2, 0, half).to(at::kFloat), b = x.narrow(2, half, half).to(at::kFloat);
  return at::cat({a * cos - b * sin, b * cos + a * sin}, 2).to(x.scalar_type());
}

// [T, kv, dim] -> [T, heads, dim]: each key head for the query heads that read it.
Tensor for_all_heads(const Tensor& x, int heads) {
  const std::int64_t tokens = x.size(0), own = x.size(1), dim = x.size(2);
  if (own == heads) return x;
  return x.unsqueeze(2).expand({tokens, own, heads / own, dim}).reshape({tokens, heads, dim});
}

struct Heads {
  Tensor q, k, v;  // [T, heads, dim]
};

Heads split(const Tensor& qkv, const AttentionPlan& plan) {
  const int heads = plan.heads, kv = plan.kv_heads;
  const Tensor all = qkv.view({qkv.size(0), heads + 2 * kv, plan.head_dim});
  Tensor turned = all.narrow(1, 0, heads + kv);
  if (plan.cos.defined()) {
    turned = rotated(turned, at::index_select(plan.cos, 0, plan.positions).unsqueeze(1),
                     at::index_select(plan.sin, 0, plan.positions).unsqueeze(1));
  }
  return {turned.narrow(1, 0, heads), for_all_heads(turned.narrow(1, heads, kv), heads),
          for_all_heads(all.narrow(1, heads + kv, kv), heads)};
}

// Of [T, heads, dim] the rows of a block's keys: [1, heads, prefix + count, dim].
Tensor keys_of(const Tensor& x, const AttentionBlock& block) {
  const Tensor own = x.narrow(0, block.begin, block.count);
  const Tensor rows = block.prefix == 0 ? own : at::cat({x.narrow(0, block.prefix_begin, block.prefix), own}, 0);
  return rows.transpose(0, 1).unsqueeze(0);
}

// [1, heads, count, dim]
Tensor attend(const Heads& h, const AttentionBlock& block) {
  const Tensor q = h.q.narrow(0, block.begin, block.count).transpose(0, 1).unsqueeze(0);
  const Tensor k = keys_of(h.k, block), v = keys_of(h.v, block);
  if (!block.causal || block.prefix == 0) return at::scaled_dot_product_attention(q, k, v, {}, 0.0, block.causal);
  // torch's own causal mask would begin at the prefix.
  const Tensor seen = at::ones({block.count, block.prefix + block.count}, q.options().dtype(at::kBool)).tril_(block.prefix);
  return at::scaled_dot_product_attention(q, k, v, seen);
}

}  // namespace

Tensor plain_rms_norm(const Tensor& x, const Tensor& weight, double eps, at::ScalarType out_type) {
  return at::rms_norm(x, {x.size(1)}, weight, eps).to(out_type);
}

Tensor plain_swiglu(const Tensor& gate_up) { return PlainSwiGlu::apply(gate_up); }

Tensor plain_attention(const Tensor& qkv, const AttentionPlan& plan) {
  const Heads heads = split(qkv, plan);
  std::vector<Tensor> out;
  std::int64_t next = 0;
  for (const AttentionBlock& block : plan.blocks) {
    if (block.begin != next) throw Error(ErrorCode::kFailure, "runs of a packed row have gaps", "this is a bug");
    next += block.count;
    out.push_back(attend(heads, block).squeeze(0).transpose(0, 1).reshape({block.count, plan.heads * plan.head_dim}));
  }
  if (next != qkv.size(0)) throw Error(ErrorCode::kFailure, "runs of a packed row end early", "this is a bug");
  return out.size() == 1 ? out[0] : at::cat(out, 0);
}

Tensor plain_cross_entropy(Tensor logits, const Tensor& labels, const HeadLossOptions& options) {
  const Tensor all = logits.to(at::kFloat), column = labels.unsqueeze(1);
  const Tensor log_sum = at::logsumexp(all, 1, true), own = all.gather(1, column);
  const Tensor right = own >= all.amax(1, true);
  const double share = options.smoothing / static_cast<double>(logits.size(1)), on_label = 1 - options.smoothing;
  Tensor objective = log_sum - own * on_label + log_sum * log_sum * options.z;
  if (options.smoothing > 0) objective = objective - all.sum(1, true) * share;
  Tensor gradient = (all - log_sum).exp_();
  if (options.z != 0) gradient.mul_(log_sum * (2 * options.z) + 1);
  if (share != 0) gradient.sub_(share);
  gradient.scatter_add_(1, column, at::full_like(own, -on_label));
  logits.copy_(gradient);
  return at::cat({log_sum - own, right.to(at::kFloat), objective}, 1).t();
}

}  // namespace areason::train
