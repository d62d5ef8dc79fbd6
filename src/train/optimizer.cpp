#include "train/optimizer.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace areason::train {

Optimizer::Optimizer(TrainModel& model, const OptimizerOptions& options) : options_(options) {
  for (const auto part : {PartOfModel::kAudioTower, PartOfModel::kProjector, PartOfModel::kDecoder}) {
    Group group{part, {}, {}, {}, {}, {}};
    for (Parameter& p : model.parameters()) {
      if (p.part != part || !p.value.requires_grad()) continue;
      group.names.push_back(p.name);
      group.values.push_back(p.value);
      group.exp_avg.push_back(at::zeros_like(p.value.detach()));
      group.exp_avg_sq.push_back(at::zeros_like(p.value.detach()));
      group.steps.push_back(at::zeros({}, at::TensorOptions().dtype(at::kFloat)));
    }
    if (!group.names.empty()) groups_.push_back(std::move(group));
  }
}

double Optimizer::step(const LearningRates& rates) {
  const at::NoGradGuard guard;
  double square = 0;
  for (const Group& group : groups_) {
    for (const at::Tensor& value : group.values) {
      if (!value.grad().defined()) continue;
      const double norm = at::linalg_vector_norm(value.grad(), 2).item<double>();
      square += norm * norm;
    }
  }
  const double norm = std::sqrt(square);
  if (!std::isfinite(norm)) return norm;  // the caller decides; nothing was changed
  // As torch.nn.utils.clip_grad_norm_: never scales up, 1e-6 in the denominator.
  const double scale = options_.clip > 0 ? std::min(1.0, options_.clip / (norm + 1e-6)) : 1.0;
  for (Group& group : groups_) {
    std::vector<at::Tensor> grads;
    for (const at::Tensor& value : group.values) {
      at::Tensor grad = value.grad().defined() ? value.grad() : at::zeros_like(value);
      if (scale < 1.0) grad.mul_(scale);
      grads.push_back(grad);
    }
    for (at::Tensor& s : group.steps) s.add_(1);
    at::_fused_adamw_(group.values, grads, group.exp_avg, group.exp_avg_sq, {}, group.steps,
                      rates[static_cast<std::size_t>(group.part)], options_.beta1, options_.beta2, options_.weight_decay,
                      options_.eps, false, false);
    for (at::Tensor& value : group.values) value.mutable_grad().reset();
  }
  return norm;
}

std::map<std::string, at::Tensor> Optimizer::state() const {
  std::map<std::string, at::Tensor> out;
  for (const Group& group : groups_) {
    for (std::size_t i = 0; i < group.names.size(); ++i) {
      out["exp_avg." + group.names[i]] = group.exp_avg[i];
      out["exp_avg_sq." + group.names[i]] = group.exp_avg_sq[i];
    }
  }
  return out;
}

void Optimizer::set_steps(std::int64_t steps) {
  for (Group& group : groups_) {
    for (at::Tensor& s : group.steps) s.fill_(static_cast<double>(steps));
  }
}

double scheduled_rate(const Schedule& schedule, std::int64_t step, double progress) {
  const double cosine = 0.5 * (1 + std::cos(std::numbers::pi * std::clamp(progress, 0.0, 1.0)));
  const double rate = schedule.floor + (schedule.peak - schedule.floor) * cosine;
  if (step >= schedule.warmup) return rate;
  return rate * static_cast<double>(step + 1) / static_cast<double>(schedule.warmup);
}

}  // namespace areason::train
