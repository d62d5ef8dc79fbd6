#include "train/optimizer.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace areason::train {

namespace {

const std::vector<const char*> kAdamStates = {"exp_avg.", "exp_avg_sq."}, kMuonStates = {"momentum."};

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

Optimizer::Optimizer(TrainModel& model, const OptimizerOptions& options, BatchWorkers& workers, Spread spread)
    : options_(options), compute_(model.compute_type()), workers_(workers), spread_(spread) {
  if (spread.shards == nullptr) {
    add_owned(model);
    return;
  }
  if (options.muon)
    throw Error(ErrorCode::kUsage, "Muon needs whole matrices, which ZeRO stages 2 and 3 divide", "use --zero 1 with --muon");
  for (const Parameter& p : model.parameters()) {
    if (p.value.requires_grad()) owned_.push_back({p.name, p.value, 0, false});
  }
  for (const Piece& piece : spread.shards->pieces()) add(*piece.parameter, piece);
}

// The owner of each parameter is the rank with the least so far.
void Optimizer::add_owned(TrainModel& model) {
  std::vector<std::int64_t> load(static_cast<std::size_t>(spread_.ranks == nullptr ? 1 : spread_.ranks->size()), 0);
  for (const auto part : {PartOfModel::kAudioTower, PartOfModel::kProjector, PartOfModel::kDecoder}) {
    for (const Parameter& p : model.parameters()) {
      if (p.part != part || !p.value.requires_grad()) continue;
      const auto owner = std::min_element(load.begin(), load.end()) - load.begin();
      load[static_cast<std::size_t>(owner)] += p.value.numel();
      owned_.push_back({p.name, p.value, static_cast<int>(owner), options_.muon && is_hidden_matrix(p)});
      if (spread_.ranks == nullptr || owner == spread_.ranks->rank()) add(p, {&p, 0, p.value});
    }
  }
}

void Optimizer::add(const Parameter& p, const Piece& piece) {
  Entry entry;
  entry.name = p.name;
  entry.part = p.part;
  entry.decay = is_decayed(p, options_.decay_groups) ? options_.weight_decay : 0;
  entry.offset = piece.offset;
  entry.value = piece.value;
  const at::Tensor values = piece.value.detach();
  if (options_.muon && is_hidden_matrix(p)) {
    entry.momentum = at::zeros_like(values);
  } else {
    if (options_.states == StateBits::k8 && values.numel() >= kSmallState) {
      entry.small_avg = std::make_shared<QuantisedState>(values.sizes(), StateSign::kEither, values.device());
      entry.small_avg_sq = std::make_shared<QuantisedState>(values.sizes(), StateSign::kNeverNegative, values.device());
    } else {
      entry.exp_avg = at::zeros_like(values);
      entry.exp_avg_sq = at::zeros_like(values);
    }
    // CUDA's fused kernel reads it where the weights are; elsewhere the processor needs it.
    entry.step = at::zeros({}, at::TensorOptions().dtype(at::kFloat).device(values.is_cuda() ? values.device() : at::kCPU));
  }
  entries_.push_back(std::move(entry));
}

// Stage 1: each gradient goes to its owner; the other ranks drop theirs. Shards have done it already.
void Optimizer::reduce_gradients() {
  if (spread_.shards != nullptr || spread_.ranks == nullptr || spread_.ranks->size() == 1) return;
  for (const Owned& o : owned_) {
    at::Tensor& grad = o.value.mutable_grad();
    if (!grad.defined()) grad = at::zeros_like(o.value.detach());
    grad = grad.contiguous();
    spread_.ranks->sum_to(o.owner, grad);
    if (o.owner != spread_.ranks->rank()) grad.reset();
  }
}

// Of this rank's gradients. A device is waited for once, not once for each parameter.
double Optimizer::square_norm() const {
  double square = 0;
  std::vector<at::Tensor> norms;
  for (const Entry& e : entries_) {
    if (!e.value.grad().defined()) continue;
    const at::Tensor norm = at::linalg_vector_norm(e.value.grad(), 2);
    if (!norm.is_cpu()) {
      norms.push_back(norm);
      continue;
    }
    const double value = norm.item<double>();
    square += value * value;
  }
  return norms.empty() ? square : at::stack(norms).to(at::kDouble).square_().sum().item<double>();
}

double Optimizer::global_norm() const {
  const double square = square_norm();
  if (spread_.ranks == nullptr) return std::sqrt(square);
  std::vector<double> sum = {square};
  spread_.ranks->sum(sum);
  return std::sqrt(sum[0]);
}

double Optimizer::step(const LearningRates& rates) {
  const at::NoGradGuard guard;
  reduce_gradients();
  const double norm = global_norm();
  if (!std::isfinite(norm)) return norm;  // the caller decides; nothing was changed
  // As torch.nn.utils.clip_grad_norm_: never scales up, 1e-6 in the denominator.
  const double scale = options_.clip > 0 ? std::min(1.0, options_.clip / (norm + 1e-6)) : 1.0;
  step_adamw(rates, scale);
  if (options_.muon) step_muon(scale, rates.muon);
  clear_gradients();
  if (spread_.shards != nullptr) {
    spread_.shards->updated();
  } else if (spread_.ranks != nullptr && spread_.ranks->size() > 1) {
    for (const Owned& o : owned_) spread_.ranks->broadcast(o.owner, o.value);
  }
  return norm;
}

void Optimizer::discard() { clear_gradients(); }

void Optimizer::clear_gradients() {
  if (spread_.shards != nullptr) return spread_.shards->clear_gradients();
  for (const Owned& o : owned_) o.value.mutable_grad().reset();
}

void Optimizer::AdamGroup::add(const Entry& e, const at::Tensor& grad) {
  values.push_back(e.value);
  grads.push_back(grad);
  exp_avg.push_back(e.average());
  exp_avg_sq.push_back(e.average_square());
  steps.push_back(e.step);
}

// Entries of one rate and one decay at a time, as the fused kernel wants them; those with small states one by one, so that only
// one has them in full.
void Optimizer::step_adamw(const LearningRates& rates, double scale) {
  std::map<RateAndDecay, AdamGroup> groups;
  for (Entry& e : entries_) {
    if (e.momentum.defined()) continue;
    at::Tensor grad = e.value.grad().defined() ? e.value.grad() : at::zeros_like(e.value);
    if (scale < 1.0) grad.mul_(scale);
    e.step.add_(1);
    const RateAndDecay by{rates.parts[static_cast<std::size_t>(e.part)], e.decay};
    if (!e.small_avg) {
      groups[by].add(e, grad);
      continue;
    }
    AdamGroup one;
    one.add(e, grad);
    update(one, by);
    e.small_avg->write(one.exp_avg[0]);
    e.small_avg_sq->write(one.exp_avg_sq[0]);
  }
  for (const auto& [by, group] : groups) update(group, by);
}

void Optimizer::update(const AdamGroup& g, const RateAndDecay& by) const {
  if (!g.values[0].is_cpu() && !g.values[0].is_cuda()) return update_plainly(g, by);
  at::_fused_adamw_(g.values, g.grads, g.exp_avg, g.exp_avg_sq, {}, g.steps, by.rate, options_.beta1, options_.beta2, by.decay,
                    options_.eps, false, false);
}

// AdamW (arXiv 1711.05101) for devices without a fused kernel.
void Optimizer::update_plainly(const AdamGroup& g, const RateAndDecay& by) const {
  const OptimizerOptions& o = options_;
  for (std::size_t i = 0; i < g.values.size(); ++i) {
    const double step = g.steps[i].item<double>();
    g.values[i].mul_(1 - by.rate * by.decay);
    g.exp_avg[i].lerp_(g.grads[i], 1 - o.beta1);
    g.exp_avg_sq[i].mul_(o.beta2).addcmul_(g.grads[i], g.grads[i], 1 - o.beta2);
    const double size = by.rate / (1 - std::pow(o.beta1, step)), root = std::sqrt(1 - std::pow(o.beta2, step));
    g.values[i].addcdiv_(g.exp_avg[i], g.exp_avg_sq[i].sqrt().div_(root).add_(o.eps), -size);
  }
}

void Optimizer::step_muon(double scale, double rate) {
  std::vector<Entry*> matrices;
  for (Entry& e : entries_) {
    if (e.momentum.defined() && e.value.grad().defined()) matrices.push_back(&e);
  }
  const auto workers = static_cast<std::size_t>(workers_.size());
  workers_.on_each([&](int worker) {
    const at::NoGradGuard guard;
    for (std::size_t i = static_cast<std::size_t>(worker); i < matrices.size(); i += workers) {
      Entry& m = *matrices[i];
      const at::Tensor grad = m.value.grad().mul(scale);
      m.momentum.lerp_(grad, 1 - options_.muon_momentum);
      const at::Tensor update = orthogonalised(at::lerp(grad, m.momentum, options_.muon_momentum), compute_);
      // AdamW's updates have a root mean square of about 0.2; a semi-orthogonal matrix has 1 / sqrt(max(rows, columns)).
      const double size = 0.2 * std::sqrt(static_cast<double>(std::max(m.value.size(0), m.value.size(1))));
      m.value.mul_(1 - rate * options_.weight_decay).add_(update, -rate * size);
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

void Optimizer::load(const std::function<void(const std::string&, const StatePart&)>& fill) {
  const at::NoGradGuard guard;
  for (const Entry& e : entries_) {
    if (e.momentum.defined()) {
      fill("momentum." + e.name, {e.momentum, e.offset});
      continue;
    }
    const at::Tensor average = e.average(), square = e.average_square();
    fill("exp_avg." + e.name, {average, e.offset});
    fill("exp_avg_sq." + e.name, {square, e.offset});
    if (!e.small_avg) continue;
    e.small_avg->write(average);
    e.small_avg_sq->write(square);
  }
}

std::vector<std::pair<std::string, std::vector<std::int64_t>>> Optimizer::state_shapes() const {
  std::vector<std::pair<std::string, std::vector<std::int64_t>>> out;
  for (const Owned& o : owned_) {
    for (const char* kind : o.muon ? kMuonStates : kAdamStates) out.emplace_back(kind + o.name, o.value.sizes().vec());
  }
  return out;
}

void Optimizer::collect(const TensorSink& sink) const {
  const at::NoGradGuard guard;
  if (spread_.shards != nullptr) {
    spread_.shards->collect_beside(
        "exp_avg.", [this](std::size_t i) { return entries_[i].average(); }, sink);
    spread_.shards->collect_beside(
        "exp_avg_sq.", [this](std::size_t i) { return entries_[i].average_square(); }, sink);
    return;
  }
  for (const Owned& o : owned_) {
    for (const char* kind : o.muon ? kMuonStates : kAdamStates) collect_owned(o, kind, sink);
  }
}

void Optimizer::collect_owned(const Owned& o, const char* kind, const TensorSink& sink) const {
  const int rank = spread_.ranks == nullptr ? 0 : spread_.ranks->rank();
  if (rank != 0 && rank != o.owner) return;
  at::Tensor tensor;
  if (rank == o.owner) {
    const auto entry = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.name == o.name; });
    tensor = kind == kAdamStates[0] ? entry->average() : kind == kAdamStates[1] ? entry->average_square() : entry->momentum;
  } else {
    tensor = at::zeros_like(o.value.detach());
  }
  if (spread_.ranks != nullptr) spread_.ranks->send_to_first(o.owner, tensor);
  if (rank == 0) sink(kind + o.name, tensor);
}

void Optimizer::set_steps(std::int64_t steps) {
  for (Entry& e : entries_) {
    if (e.step.defined()) e.step.fill_(static_cast<double>(steps));
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
