#include "train/shards.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>
#pragma GCC diagnostic pop

#include <algorithm>

#include "base/error.h"

namespace areason::train {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kAlign = 16;  // floats: a parameter begins at a multiple of 64 bytes

std::int64_t round_up(std::int64_t value, std::int64_t to) { return (value + to - 1) / to * to; }

}  // namespace

// Gathers, runs and releases; in the backward pass again, with gradients. `anchor` makes the output differentiable where x is
// not.
struct Shards::Call : torch::autograd::Function<Shards::Call> {
  struct Box : torch::CustomClassHolder {
    Shards* shards;
    Unit* unit;
    LayerBody body;
  };
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor&, const c10::intrusive_ptr<Box>* box) {
    Box& b = **box;
    b.shards->gather(*b.unit);
    Tensor y = b.body(x, Pass::kFirst);
    b.shards->release(*b.unit);
    ctx->saved_data["box"] = c10::IValue::make_capsule(*box);
    ctx->saved_data["x needs it"] = x.requires_grad();
    ctx->save_for_backward({x});
    return y;
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const auto capsule = ctx->saved_data["box"].toCapsule();
    const auto& b = *static_cast<const Box*>(capsule.get());
    const bool for_x = ctx->saved_data["x needs it"].toBool();
    const Tensor x = ctx->get_saved_variables()[0].detach().requires_grad_(for_x);
    b.shards->gather(*b.unit);
    variable_list inputs = b.shards->trained_values(*b.unit);
    if (for_x) inputs.push_back(x);
    variable_list found;
    {
      const at::AutoGradMode on(true);
      const Tensor y = b.body(x, Pass::kAgain);
      found = torch::autograd::grad({y}, inputs, {grads[0]}, std::nullopt, false, true);
    }
    b.shards->release(*b.unit);
    Tensor dx;
    if (for_x) {
      dx = found.back();
      found.pop_back();
    }
    for (Flat& flat : b.unit->flats) {
      if (flat.trained()) b.shards->reduce(flat, found);
    }
    return {dx, Tensor(), Tensor()};
  }
};

struct Shards::GradientHook : torch::autograd::PostAccumulateGradHook {
  GradientHook(Shards* s, Flat* f) : shards(s), flat(f) {}
  void operator()(const Tensor&) override { shards->gradient_ready(*flat); }
  Shards* shards;
  Flat* flat;
};

Shards::Shards(TrainModel& model, Ranks& ranks, ZeroStage stage, TowerUse tower)
    : model_(&model),
      ranks_(&ranks),
      stage_(stage),
      tower_(tower),
      floats_(at::TensorOptions().dtype(at::kFloat).device(model.device())),
      anchor_(at::zeros({1}, floats_).requires_grad_(true)) {
  std::map<std::string, std::vector<Parameter*>> members;
  for (Parameter& p : model.parameters()) {
    if (stage == ZeroStage::kGradients && !p.value.requires_grad()) continue;
    if (tower == TowerUse::kCached && p.part == PartOfModel::kAudioTower) continue;
    const std::string unit = unit_name(p.name);
    if (!members.contains(unit)) order_.push_back(unit);
    members[unit].push_back(&p);
  }
  for (const std::string& unit : order_) add_unit(unit, members[unit]);
  model.allocate();  // what is not divided
  if (stage == ZeroStage::kGradients) set_hooks();
}

Shards::~Shards() {
  model_->set_units(nullptr);
  if (stage_ != ZeroStage::kGradients) return;
  for (auto& [name, unit] : units_) {
    for (Flat& flat : unit.flats) {
      for (Slot& slot : flat.slots) torch::autograd::impl::set_post_acc_grad_hooks(slot.parameter->value, nullptr);
    }
  }
}

void Shards::add_unit(const std::string& name, const std::vector<Parameter*>& parameters) {
  Unit& unit = units_[name];
  for (const bool trained : {true, false}) {
    std::vector<Parameter*> own;
    for (Parameter* p : parameters) {
      if (p->value.requires_grad() == trained) own.push_back(p);
    }
    if (!own.empty()) unit.flats.push_back(make_flat(own));
  }
}

// Places the parameters in one buffer. Their tensors are replaced by new ones of the same shape.
Shards::Flat Shards::make_flat(const std::vector<Parameter*>& parameters) {
  Flat flat;
  std::int64_t total = 0;
  for (Parameter* p : parameters) {
    flat.slots.push_back({p, total});
    total += round_up(p->value.numel(), kAlign);
  }
  flat.part = round_up((total + ranks_->size() - 1) / ranks_->size(), kAlign);
  flat.whole = at::empty({flat.part * ranks_->size()}, floats_);
  for (const Slot& slot : flat.slots) {
    Tensor& value = slot.parameter->value;
    const bool trained = value.requires_grad();
    Tensor placed = at::empty({0}, floats_);
    placed.set_(flat.whole.storage(), slot.offset, value.sizes(), value.strides());
    value = placed.set_requires_grad(trained);
    if (trained && !flat.gradient.defined()) flat.gradient = at::zeros({flat.part}, floats_);
  }
  if (stage_ == ZeroStage::kGradients) {
    flat.value = flat.whole.narrow(0, ranks_->rank() * flat.part, flat.part);
  } else {
    flat.value = at::zeros({flat.part}, floats_);
    release(flat);
  }
  return flat;
}

void Shards::allocate(Flat& flat) {
  const c10::Storage& storage = flat.whole.storage();
  const std::size_t bytes = static_cast<std::size_t>(flat.whole.numel()) * sizeof(float);
  if (storage.nbytes() == bytes) return;
  storage.set_data_ptr_noswap(storage.allocator()->allocate(bytes));
  storage.set_nbytes(bytes);
}

void Shards::release(Flat& flat) {
  const c10::Storage& storage = flat.whole.storage();
  storage.set_data_ptr_noswap(storage.allocator()->allocate(0));
  storage.set_nbytes(std::size_t{0});
}

void Shards::gather(Unit& unit) {
  for (Flat& flat : unit.flats) {
    allocate(flat);
    ranks_->all_gather(flat.value, flat.whole);
  }
}

void Shards::release(Unit& unit) {
  for (Flat& flat : unit.flats) release(flat);
}

void Shards::keep_own(Flat& flat) {
  if (stage_ == ZeroStage::kGradients) return;
  flat.value.copy_(flat.whole.narrow(0, ranks_->rank() * flat.part, flat.part));
  release(flat);
}

void Shards::fill(const std::function<void(Parameter&)>& fill) {
  const at::NoGradGuard guard;
  for (const std::string& name : order_) {
    for (Flat& flat : units_[name].flats) {
      allocate(flat);
      flat.whole.zero_();  // between the parameters too
      for (Slot& slot : flat.slots) fill(*slot.parameter);
      keep_own(flat);
    }
  }
  for (Parameter& p : model_->parameters()) {
    if (!units_.contains(unit_name(p.name)) || (stage_ == ZeroStage::kGradients && !p.value.requires_grad())) fill(p);
  }
}

void Shards::begin() {
  if (stage_ != ZeroStage::kParameters) return;
  const at::NoGradGuard guard;
  std::map<std::string, std::vector<Parameter*>> whole;
  for (Parameter& p : model_->parameters()) {
    if (!units_.contains(unit_name(p.name))) whole[unit_name(p.name)].push_back(&p);
  }
  for (auto& [name, parameters] : whole) {
    std::vector<Tensor> values;
    for (const Parameter* p : parameters) values.push_back(p->value);
    order_.push_back(name);
    add_unit(name, parameters);
    Flat& flat = units_[name].flats.at(0);  // frozen, all of them
    allocate(flat);
    flat.whole.zero_();
    for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i]->value.copy_(values[i]);
    keep_own(flat);
  }
  model_->set_units(this);
}

std::vector<Tensor> Shards::trained_values(Unit& unit) const {
  std::vector<Tensor> out;
  for (const Flat& flat : unit.flats) {
    for (const Slot& slot : flat.slots) {
      if (flat.trained()) out.push_back(slot.parameter->value);
    }
  }
  return out;
}

Tensor Shards::run(const std::string& name, const Tensor& x, const LayerBody& body) {
  const auto it = units_.find(name);
  if (it == units_.end()) throw Error(ErrorCode::kFailure, "no unit " + name + " of the model is divided", "this is a bug");
  auto box = c10::make_intrusive<Call::Box>();
  box->shards = this;
  box->unit = &it->second;
  box->body = body;
  const auto& flats = it->second.flats;
  const bool differentiable =
      x.requires_grad() || std::any_of(flats.begin(), flats.end(), [](const Flat& f) { return f.trained(); });
  return Call::apply(x, differentiable ? anchor_ : anchor_.detach(), &box);
}

// `gradients` of the flat's parameters; undefined ones are zero.
void Shards::reduce(Flat& flat, const std::vector<Tensor>& gradients) {
  const at::NoGradGuard guard;
  Tensor all = at::zeros(flat.whole.sizes(), floats_);
  for (std::size_t i = 0; i < flat.slots.size(); ++i) {
    if (!gradients[i].defined()) continue;
    all.narrow(0, flat.slots[i].offset, gradients[i].numel()).copy_(gradients[i].reshape({-1}));
  }
  Tensor sum = at::empty({flat.part}, floats_);
  ranks_->reduce_scatter(all, sum);
  flat.gradient.add_(sum);
}

// The order in which a backward pass has the gradients: from the head down, the tower's convolutions and final norm (one unit)
// after its layers, the embeddings last, because audio replaces some of them and a tied head uses them too.
void Shards::set_hooks() {
  std::vector<std::string> names(order_.rbegin(), order_.rend());
  const auto late = [](const std::string& n) { return n == "audio_tower." ? 1 : n.ends_with("embed_tokens.") ? 2 : 0; };
  std::stable_sort(names.begin(), names.end(), [&](const auto& a, const auto& b) { return late(a) < late(b); });
  for (const std::string& name : names) {
    for (Flat& flat : units_[name].flats) {
      backward_order_.push_back(&flat);
      for (Slot& slot : flat.slots) {
        torch::autograd::impl::set_post_acc_grad_hooks(slot.parameter->value, std::make_unique<GradientHook>(this, &flat));
      }
    }
  }
}

void Shards::gradient_ready(Flat& flat) {
  --flat.missing;
  reduce_ready(false);
}

void Shards::reduce_ready(bool all) {
  for (; next_reduced_ < backward_order_.size(); ++next_reduced_) {
    Flat& flat = *backward_order_[next_reduced_];
    if (flat.missing > 0 && !all) return;
    std::vector<Tensor> gradients;
    for (Slot& slot : flat.slots) {
      gradients.push_back(slot.parameter->value.grad());
      slot.parameter->value.mutable_grad().reset();
    }
    reduce(flat, gradients);
  }
}

// One micro-batch's gradients into the parts; an undefined loss takes part with nothing (stage 2).
void Shards::backward(const TokenLoss& loss, const Tensor& scale) {
  if (stage_ == ZeroStage::kParameters) {
    torch::autograd::grad({loss.sum}, {anchor_}, {scale}, std::nullopt, false, true);
    return;
  }
  next_reduced_ = 0;
  for (Flat* flat : backward_order_) flat->missing = flat->slots.size();
  if (loss.sum.defined()) torch::autograd::backward({loss.sum}, {scale});
  reduce_ready(true);
}

std::size_t Shards::rounds(std::size_t own) {
  std::vector<double> counts(static_cast<std::size_t>(ranks_->size()), 0.0);
  counts[static_cast<std::size_t>(ranks_->rank())] = static_cast<double>(own);
  ranks_->sum(counts);
  return static_cast<std::size_t>(*std::max_element(counts.begin(), counts.end()));
}

// A micro-batch whose loss has no weight, for a rank that has none left.
MicroBatch Shards::nothing() const {
  MicroBatch batch;
  const auto integers = at::TensorOptions().dtype(at::kLong);
  batch.ids = batch.positions = batch.label_positions = batch.labels = at::zeros({1}, integers);
  batch.blocks.push_back({0, 1, 0, 0, true});
  batch.audio_positions = at::empty({0}, integers);
  batch.label_weights = at::zeros({1}, at::TensorOptions().dtype(at::kFloat));
  batch.label_kinds = {0};
  batch.label_samples = {0};
  return batch;
}

TokenStats Shards::gradients(const std::vector<MicroBatch>& batches, float weight) {
  LateStats stats;
  const Tensor scale = at::ones({}, floats_).mul_(weight);
  const MicroBatch none = nothing();
  const std::size_t count = rounds(batches.size());
  for (std::size_t i = 0; i < count; ++i) {
    TokenLoss loss;
    if (i < batches.size()) {
      loss = model_->loss(batches[i], true);
      // Its graph goes with the backward pass.
      stats.add(batches[i], loss);
    } else if (stage_ == ZeroStage::kParameters) {
      loss = model_->loss(none, true);
    }
    backward(loss, scale);
  }
  return stats.take();
}

TokenStats Shards::losses(const std::vector<MicroBatch>& batches) {
  const at::NoGradGuard guard;
  LateStats stats;
  const MicroBatch none = nothing();
  const std::size_t count = stage_ == ZeroStage::kParameters ? rounds(batches.size()) : batches.size();
  for (std::size_t i = 0; i < count; ++i) {
    TokenLoss loss = model_->loss(i < batches.size() ? batches[i] : none, false);
    if (i < batches.size()) stats.add(batches[i], std::move(loss));
  }
  return stats.take();
}

// Where each parameter meets this rank's part: body(slot, from, to) in the flat buffer.
void Shards::each_piece(const Flat& flat, const std::function<void(const Slot&, std::int64_t, std::int64_t)>& body) const {
  const std::int64_t begin = ranks_->rank() * flat.part, end = begin + flat.part;
  for (const Slot& slot : flat.slots) {
    const std::int64_t from = std::max(begin, slot.offset), to = std::min(end, slot.offset + slot.parameter->value.numel());
    if (from < to) body(slot, from, to);
  }
}

std::vector<Piece> Shards::pieces() const {
  std::vector<Piece> out;
  for (const std::string& name : order_) {
    for (const Flat& flat : units_.at(name).flats) {
      if (!flat.trained()) continue;
      each_piece(flat, [&](const Slot& slot, std::int64_t from, std::int64_t to) {
        const std::int64_t at = from - ranks_->rank() * flat.part;
        Piece piece{slot.parameter, from - slot.offset, flat.value.narrow(0, at, to - from)};
        piece.value.mutable_grad() = flat.gradient.narrow(0, at, to - from);
        out.push_back(std::move(piece));
      });
    }
  }
  return out;
}

void Shards::clear_gradients() {
  for (auto& [name, unit] : units_) {
    for (Flat& flat : unit.flats) {
      if (flat.trained()) flat.gradient.zero_();
    }
  }
}

void Shards::updated() {
  if (stage_ != ZeroStage::kGradients) return;
  for (const std::string& name : order_) gather(units_[name]);
}

void Shards::collect(const TensorSink& sink) {
  const at::NoGradGuard guard;
  for (const std::string& name : order_) {
    Unit& unit = units_[name];
    if (stage_ == ZeroStage::kParameters) gather(unit);
    for (const Flat& flat : unit.flats) {
      for (const Slot& slot : flat.slots) {
        if (ranks_->first()) sink(slot.parameter->name, slot.parameter->value);
      }
    }
    if (stage_ == ZeroStage::kParameters) release(unit);
  }
  for (const Parameter& p : model_->parameters()) {
    const bool outside = !units_.contains(unit_name(p.name)) || (stage_ == ZeroStage::kGradients && !p.value.requires_grad());
    if (outside && ranks_->first()) sink(p.name, p.value);
  }
}

void Shards::collect_beside(const std::string& prefix, const std::function<Tensor(std::size_t)>& part, const TensorSink& sink) {
  const at::NoGradGuard guard;
  std::size_t next = 0;
  for (const std::string& name : order_) {
    for (const Flat& flat : units_[name].flats) {
      if (!flat.trained()) continue;
      Tensor own = at::zeros({flat.part}, floats_), whole = at::empty({flat.part * ranks_->size()}, floats_);
      each_piece(flat, [&](const Slot&, std::int64_t from, std::int64_t to) {
        own.narrow(0, from - ranks_->rank() * flat.part, to - from).copy_(part(next++));
      });
      ranks_->all_gather(own, whole);
      if (!ranks_->first()) continue;
      for (const Slot& slot : flat.slots) {
        const Tensor& value = slot.parameter->value;
        sink(prefix + slot.parameter->name, whole.narrow(0, slot.offset, value.numel()).view(value.sizes()));
      }
    }
  }
}

}  // namespace areason::train
