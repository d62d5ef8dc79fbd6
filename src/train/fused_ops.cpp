#include "train/fused_ops.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#pragma GCC diagnostic pop

#include <algorithm>
#include <cmath>

#include "train/device.h"
#include "train/device_ops.h"
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
// Numbers of the device, which are waited for.
void fetch(const Tensor& values, float* to) {
  const Tensor host = values.to(at::kCPU).contiguous();
  std::copy_n(host.data_ptr<float>(), host.numel(), to);
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

struct HeadLoss : torch::autograd::Function<HeadLoss> {
  struct Io {
    const Tensor& labels;
    const HeadLossOptions& options;
    bool gradients;  // of x; those of the weight when it has them
    TokenLoss* out;
  };

  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& weight, const Io* io) {
    const std::int64_t rows = x.size(0), piece = rows_at_a_time(x, weight, *io);
    std::vector<float> objective(static_cast<std::size_t>(rows));
    std::vector<Tensor> on_device;
    const bool weight_gradient = io->gradients && weight.requires_grad();
    Tensor dx = io->gradients ? at::empty_like(x) : Tensor(), dw;
    for (std::int64_t begin = 0; begin < rows; begin += piece) {
      const std::int64_t count = std::min(piece, rows - begin);
      const Tensor own = x.narrow(0, begin, count);
      Tensor logits = distribution(at::linear(own, weight), begin, io->options);
      if (x.is_cpu()) {
        rows_of(logits, begin, *io, objective.data());
      } else {
        on_device.push_back(plain_cross_entropy(logits, io->labels.narrow(0, begin, count), io->options));
        if (io->options.weigh) fetch(on_device.back()[0], io->out->loss.data() + begin);
      }
      if (!io->gradients) continue;
      if (const Tensor factors = row_weights(begin, count, *io); factors.defined()) logits.mul_(factors.unsqueeze(1));
      if (io->options.scale != 1) logits.mul_(io->options.scale);
      dx.narrow(0, begin, count).copy_(at::mm(logits, weight));
      if (!weight_gradient) continue;
      const Tensor part = at::mm(logits.t(), own);
      // Several pieces are summed in f32, one keeps its type.
      dw = dw.defined() ? dw.add_(part) : (count < rows ? part.to(at::kFloat) : part);
    }
    if (io->gradients) ctx->saved_data["dx"] = dx;
    if (weight_gradient && dw.defined()) ctx->saved_data["dw"] = dw.to(weight.scalar_type());
    if (!x.is_cpu()) return sum_on_device(on_device, *io);
    return at::ones({}, at::TensorOptions().dtype(at::kFloat)).mul_(sum(objective, io->options.weights));
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    Tensor dx = ctx->saved_data["dx"].toTensor().mul_(grads[0]);
    const auto dw = ctx->saved_data.find("dw");
    Tensor weight_gradient = dw != ctx->saved_data.end() ? dw->second.toTensor().mul_(grads[0]) : Tensor();
    ctx->saved_data.clear();
    return {dx, weight_gradient, Tensor()};
  }

 private:
  static Tensor distribution(Tensor logits, std::int64_t begin, const HeadLossOptions& options) {
    if (options.scale != 1) logits.mul_(options.scale);
    if (options.shifts.defined())
      logits.add_(at::index_select(options.shifts, 0, options.shift_rows.narrow(0, begin, logits.size(0))));
    return logits;
  }
  static Tensor row_weights(std::int64_t begin, std::int64_t count, const Io& io) {
    if (!io.options.weigh) return io.options.weights.defined() ? io.options.weights.narrow(0, begin, count) : Tensor();
    Tensor out = at::empty({count}, at::TensorOptions().dtype(at::kFloat));
    const std::span<const float> losses(io.out->loss.data() + begin, static_cast<std::size_t>(count));
    io.options.weigh(begin, losses, out.data_ptr<float>());
    return to_device(out, io.labels.device());
  }
  static std::int64_t rows_at_a_time(const Tensor& x, const Tensor& weight, const Io& io) {
    const std::int64_t bytes = x.is_cpu() ? io.options.bytes : 4 * io.options.bytes;
    const std::int64_t row = weight.size(0) * (x.is_cpu() ? x.element_size() : 4);
    return std::clamp<std::int64_t>(bytes / row, 16, std::max<std::int64_t>(x.size(0), 16));
  }
  static Tensor sum_on_device(const std::vector<Tensor>& pieces, const Io& io) {
    if (pieces.empty()) return at::zeros({}, io.labels.options().dtype(at::kFloat));
    const Tensor all = at::cat(pieces, 1), objective = all[2].to(at::kDouble);
    io.out->on_device = all.narrow(0, 0, 2);
    return (io.options.weights.defined() ? objective * io.options.weights : objective).sum().to(at::kFloat);
  }
  static void rows_of(const Tensor& logits, std::int64_t begin, const Io& io, float* objective) {
    CrossEntropyRows out{
        data<std::int64_t>(io.labels) + begin, io.out->loss.data() + begin,      objective + begin,
        io.out->right.data() + begin,          static_cast<int>(logits.size(1)), static_cast<float>(io.options.smoothing),
        static_cast<float>(io.options.z)};
    with_type(logits, [&](auto tag) {
      using T = decltype(tag);
      at::parallel_for(0, logits.size(0), 8,
                       [&](std::int64_t b, std::int64_t e) { cross_entropy_rows<T>(data<T>(logits), out, b, e); });
    });
  }
  static double sum(const std::vector<float>& objective, const Tensor& weights) {
    const float* w = weights.defined() ? weights.data_ptr<float>() : nullptr;
    double total = 0;
    for (std::size_t i = 0; i < objective.size(); ++i)
      total += static_cast<double>(objective[i]) * (w != nullptr ? static_cast<double>(w[i]) : 1.0);
    return total;
  }
};

struct Recomputed : torch::autograd::Function<Recomputed> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, at::TensorList parameters, const LayerBody* body) {
    Tensor y = (*body)(x, Pass::kFirst);
    auto box = c10::make_intrusive<BodyBox>();
    box->body = *body;
    box->parameters = parameters.vec();
    ctx->saved_data["body"] = c10::IValue::make_capsule(std::move(box));
    ctx->save_for_backward({x});
    return y;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const auto capsule = ctx->saved_data["body"].toCapsule();
    const auto& box = *static_cast<const BodyBox*>(capsule.get());
    const at::AutoGradMode on(true);
    const Tensor x = ctx->get_saved_variables()[0].detach().requires_grad_(true);
    variable_list inputs = {x};
    for (const Tensor& p : box.parameters) {
      if (p.requires_grad()) inputs.push_back(p);
    }
    const Tensor y = box.body(x, Pass::kAgain);
    const variable_list found = torch::autograd::grad({y}, inputs, {grads[0]}, std::nullopt, false, true);
    variable_list out = {found[0]};
    std::size_t next = 1;
    for (const Tensor& p : box.parameters) out.push_back(p.requires_grad() ? found[next++] : Tensor());
    out.emplace_back();
    return out;
  }

 private:
  struct BodyBox : torch::CustomClassHolder {
    LayerBody body;
    std::vector<Tensor> parameters;
  };
};

}  // namespace

Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps, at::ScalarType out_type) {
  if (!x.is_cpu()) return plain_rms_norm(x.contiguous(), weight, eps, out_type);
  return RmsNorm::apply(x.contiguous(), weight, eps, out_type);
}
Tensor attention(const Tensor& qkv, std::shared_ptr<const AttentionPlan> plan) {
  if (!qkv.is_cpu()) return plain_attention(qkv.contiguous(), *plan);
  return Attention::apply(qkv.contiguous(), plan);
}
Tensor swiglu(const Tensor& gate_up) {
  return gate_up.is_cpu() ? SwiGlu::apply(gate_up.contiguous()) : plain_swiglu(gate_up.contiguous());
}

void TokenLoss::settle() {
  if (!on_device.defined()) return;
  const Tensor host = on_device.to(at::kCPU).contiguous();
  const float* from = host.data_ptr<float>();
  const std::int64_t rows = host.size(1);
  loss.assign(from, from + rows);
  right.assign(from + rows, from + 2 * rows);
  on_device.reset();
}

TokenLoss head_loss(const Tensor& x, const Tensor& weight, const Tensor& labels, const HeadLossOptions& options) {
  TokenLoss result;
  result.loss.resize(static_cast<std::size_t>(x.size(0)));
  result.right.resize(result.loss.size());
  const bool gradients = at::GradMode::is_enabled() && (x.requires_grad() || weight.requires_grad());
  const HeadLoss::Io io{labels, options, gradients, &result};
  result.sum = HeadLoss::apply(x.contiguous(), weight, &io);
  return result;
}

Tensor recomputed(const Tensor& x, const std::vector<Tensor>& parameters, const LayerBody& body) {
  if (!at::GradMode::is_enabled()) return body(x, Pass::kFirst);
  return Recomputed::apply(x, at::TensorList(parameters), &body);
}

}  // namespace areason::train
