#include "train/optimizer.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace areason::train {

namespace {

// Hidden matrices only: an embedding's rows are vectors of their own.
bool is_hidden_matrix(const Parameter& p) {
  return !p.adapter && p.part == PartOfModel::kDecoder && p.value.dim() == 2 && p.name.find(".layers.") != std::string::npos;
}

}  // namespace

bool is_decayed(const Parameter& p, DecayGroups groups) {
  if (groups == DecayGroups::kAll) return true;
  if (p.name.ends_with(".bias")) return false;
  // Every norm of the architecture has a name with "norm" in it; the audio tower's are nn.LayerNorm, the decoder's RMSNorm.
  const bool norm = p.name.find("norm") != std::string::npos;
  return !norm || (groups == DecayGroups::kTransformers448 && p.part == PartOfModel::kDecoder);
}

Optimizer::Optimizer(TrainModel& model, const OptimizerOptions& options, BatchWorkers& workers, Ranks* ranks)
    : options_(options), compute_(model.compute_type()), workers_(workers), ranks_(ranks) {
  std::vector<std::int64_t> load(static_cast<std::size_t>(ranks == nullptr ? 1 : ranks->size()), 0);
  for (const auto part : {PartOfModel::kAudioTower, PartOfModel::kProjector, PartOfModel::kDecoder}) {
    Group decayed{part, options.weight_decay, {}, {}, {}, {}, {}}, others{part, 0, {}, {}, {}, {}, {}};
    for (Parameter& p : model.parameters()) {
      if (p.part != part || !p.value.requires_grad()) continue;
      const bool matrix = options_.muon && is_hidden_matrix(p);
      // The rank with the least so far.
      const auto owner = std::min_element(load.begin(), load.end()) - load.begin();
      load[static_cast<std::size_t>(owner)] += p.value.numel();
      owned_.push_back({p.name, p.value, static_cast<int>(owner), {}});
      owned_.back().states = matrix ? std::vector<const char*>{"momentum"} : std::vector<const char*>{"exp_avg", "exp_avg_sq"};
      if (ranks != nullptr && owner != ranks->rank()) continue;
      if (matrix) {
        matrices_.push_back({p.name, p.value, at::zeros_like(p.value.detach())});
        continue;
      }
      Group& group = is_decayed(p, options.decay_groups) ? decayed : others;
      group.names.push_back(p.name);
      group.values.push_back(p.value);
      group.exp_avg.push_back(at::zeros_like(p.value.detach()));
      group.exp_avg_sq.push_back(at::zeros_like(p.value.detach()));
      group.steps.push_back(at::zeros({}, at::TensorOptions().dtype(at::kFloat)));
    }
    for (Group* group : {&decayed, &others}) {
      if (!group->names.empty()) groups_.push_back(std::move(*group));
    }
  }
}

// Each gradient goes to its owner; the other ranks drop theirs.
void Optimizer::reduce_gradients() {
  if (ranks_ == nullptr || ranks_->size() == 1) return;
  for (const Owned& o : owned_) {
    at::Tensor& grad = o.value.mutable_grad();
    if (!grad.defined()) grad = at::zeros_like(o.value.detach());
    grad = grad.contiguous();
    ranks_->sum_to(o.owner, grad);
    if (o.owner != ranks_->rank()) grad.reset();
  }
}

double Optimizer::global_norm() const {
  double square = 0;
  const auto add = [&](const at::Tensor& value) {
    if (!value.grad().defined()) return;
    const double norm = at::linalg_vector_norm(value.grad(), 2).item<double>();
    square += norm * norm;
  };
  for (const Group& group : groups_) std::for_each(group.values.begin(), group.values.end(), add);
  for (const Matrix& m : matrices_) add(m.value);
  if (ranks_ == nullptr) return std::sqrt(square);
  std::vector<double> sum = {square};
  ranks_->sum(sum);
  return std::sqrt(sum[0]);
}

double Optimizer::step(const LearningRates& rates) {
  const at::NoGradGuard guard;
  reduce_gradients();
  const double norm = global_norm();
  if (!std::isfinite(norm)) return norm;  // the caller decides; nothing was changed
  // As torch.nn.utils.clip_grad_norm_: never scales up, 1e-6 in the denominator.
  const double scale = options_.clip > 0 ? std::min(1.0, options_.clip / (norm + 1e-6)) : 1.0;
  for (Group& group : groups_) step_adamw(group, scale, rates.parts[static_cast<std::size_t>(group.part)]);
  if (!matrices_.empty()) step_muon(scale, rates.muon);
  if (ranks_ != nullptr && ranks_->size() > 1) {
    for (const Owned& o : owned_) ranks_->broadcast(o.owner, o.value);
  }
  return norm;
}

void Optimizer::discard() {
  for (const Owned& o : owned_) o.value.mutable_grad().reset();
}

void Optimizer::step_adamw(Group& group, double scale, double rate) {
  std::vector<at::Tensor> grads;
  for (const at::Tensor& value : group.values) {
    at::Tensor grad = value.grad().defined() ? value.grad() : at::zeros_like(value);
    if (scale < 1.0) grad.mul_(scale);
    grads.push_back(grad);
  }
  for (at::Tensor& s : group.steps) s.add_(1);
  at::_fused_adamw_(group.values, grads, group.exp_avg, group.exp_avg_sq, {}, group.steps, rate, options_.beta1, options_.beta2,
                    group.decay, options_.eps, false, false);
  for (at::Tensor& value : group.values) value.mutable_grad().reset();
}

void Optimizer::step_muon(double scale, double rate) {
  const auto workers = static_cast<std::size_t>(workers_.size());
  workers_.on_each([&](int worker) {
    const at::NoGradGuard guard;
    for (std::size_t i = static_cast<std::size_t>(worker); i < matrices_.size(); i += workers) {
      Matrix& m = matrices_[i];
      if (!m.value.grad().defined()) continue;
      const at::Tensor grad = m.value.grad().mul(scale);
      m.momentum.lerp_(grad, 1 - options_.muon_momentum);
      const at::Tensor update = orthogonalised(at::lerp(grad, m.momentum, options_.muon_momentum), compute_);
      // AdamW's updates have a root mean square of about 0.2; a semi-orthogonal matrix has 1 / sqrt(max(rows, columns)).
      const double size = 0.2 * std::sqrt(static_cast<double>(std::max(m.value.size(0), m.value.size(1))));
      m.value.mul_(1 - rate * options_.weight_decay).add_(update, -rate * size);
      m.value.mutable_grad().reset();
    }
  });
}

at::Tensor orthogonalised(const at::Tensor& matrix, at::ScalarType type) {
  // The quintic that grows small singular values fastest while keeping all in about [0.7, 1.2] (Jordan's coefficients).
  constexpr double a = 3.4445, b = -4.7750, c = 2.0315;
  const bool tall = matrix.size(0) > matrix.size(1);
  at::Tensor x = (tall ? matrix.t() : matrix).to(type).contiguous();
  x = x / (at::linalg_vector_norm(x, 2) + 1e-7);
  for (int i = 0; i < 5; ++i) {
    const at::Tensor square = at::mm(x, x.t());
    x = at::addmm(x, at::addmm(square, square, square, b, c), x, a, 1.0);
  }
  return (tall ? x.t() : x).to(at::kFloat);
}

std::map<std::string, at::Tensor> Optimizer::state() const {
  std::map<std::string, at::Tensor> out;
  for (const Group& group : groups_) {
    for (std::size_t i = 0; i < group.names.size(); ++i) {
      out["exp_avg." + group.names[i]] = group.exp_avg[i];
      out["exp_avg_sq." + group.names[i]] = group.exp_avg_sq[i];
    }
  }
  for (const Matrix& m : matrices_) out["momentum." + m.name] = m.momentum;
  return out;
}

std::map<std::string, at::Tensor> Optimizer::collected_state() const {
  std::map<std::string, at::Tensor> out = state();
  if (ranks_ == nullptr || ranks_->size() == 1) return out;
  for (const Owned& o : owned_) {
    for (const char* kind : o.states) {
      at::Tensor& tensor = out[std::string(kind) + "." + o.name];
      if (!tensor.defined()) tensor = ranks_->first() ? at::zeros_like(o.value.detach()) : at::Tensor();
      if (tensor.defined()) ranks_->send_to_first(o.owner, tensor);
    }
  }
  if (!ranks_->first()) out.clear();
  return out;
}

void Optimizer::set_steps(std::int64_t steps) {
  for (Group& group : groups_) {
    for (at::Tensor& s : group.steps) s.fill_(static_cast<double>(steps));
  }
}

double scheduled_rate(const Schedule& schedule, std::int64_t step, double progress) {
  const double done = std::clamp(progress, 0.0, 1.0);
  const double share = schedule.shape == ScheduleShape::kCosine   ? 0.5 * (1 + std::cos(std::numbers::pi * done))
                       : schedule.shape == ScheduleShape::kLinear ? 1 - done
                                                                  : 1.0;
  const double rate = schedule.floor + (schedule.peak - schedule.floor) * share;
  if (step >= schedule.warmup) return rate;
  return rate * static_cast<double>(step + 1) / static_cast<double>(schedule.warmup);
}

}  // namespace areason::train
