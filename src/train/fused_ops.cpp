#include "train/fused_ops.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include <torch/csrc/autograd/custom_function.h>
#pragma GCC diagnostic pop

#include <cmath>

#include "train/kernels.h"

namespace areason::train {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Calls body(T{}) with T = float or Bf16 for a tensor's type.
template <typename Body>
void with_type(const Tensor& tensor, const Body& body) {
  if (tensor.scalar_type() == at::kFloat) {
    body(float{});
  } else {
    TORCH_CHECK(tensor.scalar_type() == at::kBFloat16, "activations must be f32 or bf16");
    body(Bf16{});
  }
}
template <typename T>
T* data(const Tensor& tensor) {
  return static_cast<T*>(tensor.data_ptr());
}

struct RmsNorm : torch::autograd::Function<RmsNorm> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& weight, double eps, at::ScalarType out_type) {
    const std::int64_t rows = x.size(0), width = x.size(1);
    Tensor y = at::empty({rows, width}, x.options().dtype(out_type));
    Tensor inv = at::empty({rows}, x.options());
    with_type(y, [&](auto tag) {
      using T = decltype(tag);
      at::parallel_for(0, rows, 64, [&](std::int64_t b, std::int64_t e) {
        rms_norm_rows<T>(data<float>(x) + b * width, data<float>(weight), data<T>(y) + b * width, data<float>(inv) + b, e - b,
                         static_cast<int>(width), static_cast<float>(eps));
      });
    });
    ctx->save_for_backward({x, weight, inv});
    return y;
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], &inv = saved[2];
    const Tensor dy = grads[0].contiguous();
    const std::int64_t rows = x.size(0), width = x.size(1);
    Tensor dx = at::empty_like(x);
    // Fixed pieces, not threads: the sum of the weight's gradient does not depend on the number of threads.
    const std::int64_t piece = 256, pieces = (rows + piece - 1) / piece;
    Tensor partial = at::zeros({pieces, width}, x.options());
    with_type(dy, [&](auto tag) {
      using T = decltype(tag);
      at::parallel_for(0, pieces, 1, [&](std::int64_t pb, std::int64_t pe) {
        for (std::int64_t p = pb; p < pe; ++p) {
          const std::int64_t b = p * piece, n = std::min(piece, rows - b);
          rms_norm_grad_rows<T>(data<float>(x) + b * width, data<float>(weight), data<float>(inv) + b, data<T>(dy) + b * width,
                                data<float>(dx) + b * width, data<float>(partial) + p * width, n, static_cast<int>(width));
        }
      });
    });
    return {dx, partial.sum(0), Tensor(), Tensor()};
  }
};

struct SwiGlu : torch::autograd::Function<SwiGlu> {
  static Tensor forward(AutogradContext* ctx, const Tensor& gate_up) {
    const std::int64_t rows = gate_up.size(0), ffn = gate_up.size(1) / 2;
    Tensor y = at::empty({rows, ffn}, gate_up.options());
    with_type(y, [&](auto tag) {
      using T = decltype(tag);
      at::parallel_for(0, rows, 32, [&](std::int64_t b, std::int64_t e) {
        swiglu_rows<T>(data<T>(gate_up) + b * 2 * ffn, data<T>(y) + b * ffn, e - b, static_cast<int>(ffn));
      });
    });
    ctx->save_for_backward({gate_up});
    return y;
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const Tensor gate_up = ctx->get_saved_variables()[0];
    const Tensor dy = grads[0].contiguous();
    const std::int64_t rows = dy.size(0), ffn = dy.size(1);
    Tensor dx = at::empty_like(gate_up);
    with_type(dy, [&](auto tag) {
      using T = decltype(tag);
      at::parallel_for(0, rows, 32, [&](std::int64_t b, std::int64_t e) {
        swiglu_grad_rows<T>(data<T>(gate_up) + b * 2 * ffn, data<T>(dy) + b * ffn, data<T>(dx) + b * 2 * ffn, e - b,
                            static_cast<int>(ffn));
      });
    });
    return {dx};
  }
};

// Keys (or values) of a block: [kv, prefix + count, dim].
Tensor block_keys(const Tensor& k, const AttentionBlock& block) {
  const Tensor own = k.narrow(1, block.begin, block.count);
  return block.prefix == 0 ? own : at::cat({k.narrow(1, block.prefix_begin, block.prefix), own}, 1);
}
// Queries grouped by the key head they read: [kv, rep * count, dim].
Tensor block_queries(const Tensor& q, const AttentionPlan& plan, const AttentionBlock& block) {
  return q.narrow(1, block.begin, block.count)
      .reshape({plan.kv_heads, plan.heads / plan.kv_heads * block.count, plan.head_dim});
}
SoftmaxShape softmax_shape(const AttentionPlan& plan, const AttentionBlock& block) {
  SoftmaxShape shape;
  shape.queries = static_cast<int>(block.count);
  shape.keys = static_cast<int>(block.prefix + block.count);
  shape.shared = static_cast<int>(block.prefix);
  shape.causal = block.causal;
  shape.scale = 1.0f / std::sqrt(static_cast<float>(plan.head_dim));
  return shape;
}

struct Attention : torch::autograd::Function<Attention> {
  static RopeShape rope_shape(const AttentionPlan& plan, std::int64_t tokens) {
    return {tokens, plan.heads, plan.kv_heads, plan.head_dim};
  }

  static Tensor forward(AutogradContext* ctx, const Tensor& qkv, const std::shared_ptr<const AttentionPlan>& plan) {
    const std::int64_t tokens = qkv.size(0), dim = plan->head_dim;
    Tensor q = at::empty({plan->heads, tokens, dim}, qkv.options());
    Tensor k = at::empty({plan->kv_heads, tokens, dim}, qkv.options());
    Tensor v = at::empty_like(k);
    map_heads(*plan, qkv, {q, k, v}, Direction::kSplit);
    Tensor out = at::empty({tokens, plan->heads * dim}, qkv.options());
    std::vector<Tensor> probs;
    for (const AttentionBlock& block : plan->blocks) {
      Tensor scores = at::bmm(block_queries(q, *plan, block), block_keys(k, block).transpose(1, 2));
      const SoftmaxShape shape = softmax_shape(*plan, block);
      with_type(scores, [&](auto tag) {
        using T = decltype(tag);
        at::parallel_for(0, scores.size(0) * scores.size(1), 32,
                         [&](std::int64_t b, std::int64_t e) { softmax_rows<T>(data<T>(scores), shape, b, e); });
      });
      // [kv, rep * n, dim] -> [n, heads * dim]
      const Tensor o = at::bmm(scores, block_keys(v, block)).view({plan->heads, block.count, dim}).transpose(0, 1);
      out.narrow(0, block.begin, block.count).view({block.count, plan->heads, dim}).copy_(o);
      if (at::GradMode::is_enabled() || qkv.requires_grad()) probs.push_back(scores);
    }
    std::vector<Tensor> save = {q, k, v};
    save.insert(save.end(), probs.begin(), probs.end());
    ctx->save_for_backward(save);
    auto plan_box = c10::make_intrusive<PlanBox>();
    plan_box->plan = plan;
    ctx->saved_data["plan"] = c10::IValue::make_capsule(std::move(plan_box));
    return out;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &q = saved[0], &k = saved[1], &v = saved[2];
    const auto capsule = ctx->saved_data["plan"].toCapsule();
    const AttentionPlan& plan = *static_cast<const PlanBox*>(capsule.get())->plan;
    const Tensor dout = grads[0].contiguous().view({q.size(1), plan.heads, plan.head_dim}).transpose(0, 1);
    Tensor dq = at::empty_like(q), dk = at::zeros_like(k), dv = at::zeros_like(v);
    for (std::size_t i = 0; i < plan.blocks.size(); ++i) {
      block_grad(plan, plan.blocks[i], {q, k, v, saved[3 + i], dout}, {dq, dk, dv});
    }
    Tensor dqkv = at::empty({q.size(1), (plan.heads + 2 * plan.kv_heads) * plan.head_dim}, q.options());
    map_heads(plan, dqkv, {dq, dk, dv}, Direction::kMerge);
    return {dqkv, Tensor()};
  }

 private:
  enum class Direction { kSplit, kMerge };
  struct Heads {
    Tensor q, k, v;
  };
  struct Saved {
    Tensor q, k, v, prob, dout;
  };
  struct PlanBox : torch::CustomClassHolder {
    std::shared_ptr<const AttentionPlan> plan;
  };

  static void map_heads(const AttentionPlan& plan, const Tensor& qkv, const Heads& h, Direction direction) {
    const std::int64_t tokens = qkv.size(0);
    const RopeShape shape = rope_shape(plan, tokens);
    const float* cos = plan.cos.defined() ? data<float>(plan.cos) : nullptr;
    const float* sin = plan.sin.defined() ? data<float>(plan.sin) : nullptr;
    const std::int64_t* positions = plan.positions.defined() ? data<std::int64_t>(plan.positions) : nullptr;
    with_type(qkv, [&](auto tag) {
      using T = decltype(tag);
      at::parallel_for(0, tokens, 64, [&](std::int64_t b, std::int64_t e) {
        if (direction == Direction::kSplit) {
          split_heads_rows<T>(data<T>(qkv), data<T>(h.q), data<T>(h.k), data<T>(h.v), shape, cos, sin, positions, b, e);
        } else {
          merge_heads_rows<T>(data<T>(qkv), data<T>(h.q), data<T>(h.k), data<T>(h.v), shape, cos, sin, positions, b, e);
        }
      });
    });
  }

  static void add_keys(const Tensor& total, const Tensor& grad, const AttentionBlock& block) {
    if (block.prefix > 0) total.narrow(1, block.prefix_begin, block.prefix).add_(grad.narrow(1, 0, block.prefix));
    total.narrow(1, block.begin, block.count).add_(grad.narrow(1, block.prefix, block.count));
  }

  static void block_grad(const AttentionPlan& plan, const AttentionBlock& block, const Saved& s, const Heads& grads) {
    const Tensor dout = block_queries(s.dout, plan, block);
    const Tensor keys = block_keys(s.k, block), values = block_keys(s.v, block);
    add_keys(grads.v, at::bmm(s.prob.transpose(1, 2), dout), block);
    Tensor ds = at::bmm(dout, values.transpose(1, 2));
    const SoftmaxShape shape = softmax_shape(plan, block);
    with_type(ds, [&](auto tag) {
      using T = decltype(tag);
      at::parallel_for(0, ds.size(0) * ds.size(1), 32, [&](std::int64_t b, std::int64_t e) {
        softmax_grad_rows<T>(data<T>(s.prob), data<T>(ds), shape, b, e);
      });
    });
    const Tensor dq = at::bmm(ds, keys).view({plan.heads, block.count, plan.head_dim});
    grads.q.narrow(1, block.begin, block.count).copy_(dq);
    add_keys(grads.k, at::bmm(ds.transpose(1, 2), block_queries(s.q, plan, block)), block);
  }
};

struct CrossEntropy : torch::autograd::Function<CrossEntropy> {
  static Tensor forward(AutogradContext* ctx, const Tensor& logits, const Tensor& labels, const Tensor* weights,
                        std::vector<float>* loss, std::vector<std::uint8_t>* right) {
    const std::int64_t rows = logits.size(0), vocab = logits.size(1);
    Tensor grad = logits.detach();
    with_type(grad, [&](auto tag) {
      using T = decltype(tag);
      at::parallel_for(0, rows, 8, [&](std::int64_t b, std::int64_t e) {
        cross_entropy_rows<T>(data<T>(grad) + b * vocab, data<std::int64_t>(labels) + b, loss->data() + b, right->data() + b,
                              e - b, static_cast<int>(vocab));
      });
    });
    double sum = 0;
    if (weights->defined()) {  // a pointer: autograd functions take no undefined tensors
      grad.mul_(weights->unsqueeze(1));
      const auto* w = weights->data_ptr<float>();
      for (std::size_t i = 0; i < loss->size(); ++i) sum += static_cast<double>((*loss)[i]) * static_cast<double>(w[i]);
    } else {
      for (const float l : *loss) sum += l;
    }
    ctx->saved_data["grad"] = grad;
    return at::ones({}, at::TensorOptions().dtype(at::kFloat)).mul_(sum);
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    Tensor grad = ctx->saved_data["grad"].toTensor();
    ctx->saved_data.clear();
    grad.mul_(grads[0]);
    return {grad, Tensor(), Tensor(), Tensor(), Tensor()};
  }
};

}  // namespace

Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps, at::ScalarType out_type) {
  return RmsNorm::apply(x.contiguous(), weight, eps, out_type);
}
Tensor attention(const Tensor& qkv, std::shared_ptr<const AttentionPlan> plan) {
  return Attention::apply(qkv.contiguous(), plan);
}
Tensor swiglu(const Tensor& gate_up) { return SwiGlu::apply(gate_up.contiguous()); }

TokenLoss cross_entropy_sum(const Tensor& logits, const Tensor& labels, const Tensor& weights) {
  TokenLoss result;
  result.loss.resize(static_cast<std::size_t>(logits.size(0)));
  result.right.resize(result.loss.size());
  result.sum = CrossEntropy::apply(logits.contiguous(), labels, &weights, &result.loss, &result.right);
  return result;
}

}  // namespace areason::train
