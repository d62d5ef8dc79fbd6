#pragma once
// ZeRO stages 2 and 3: parameters as flat buffers, one or two a unit (train_model.h), of which each rank keeps an equal part.
// Stage 2: weights stay whole everywhere; a unit's gradients are summed into the ranks' parts as soon as the backward pass has
// them all, unit after unit in one fixed order. Stage 3: weights live in parts too; a unit's are gathered before its use, in
// the forward pass and again in the backward pass, where its activations are computed anew, and released after it. Called by
// trainer.cpp, optimizer.cpp and, through UnitStore, by the model. Both exchanges are two calls of ranks.h on flat f32 buffers.
// Every rank makes the same calls in the same order; gradients() and losses() see to that when ranks have different numbers of
// micro-batches. Thread rule: the training thread; torch's own threads may work inside.
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "train/metrics.h"
#include "train/ranks.h"
#include "train/train_model.h"

namespace areason::train {

enum class ZeroStage { kStates = 1, kGradients = 2, kParameters = 3 };
// kCached: no pass of the model encodes audio. The tower is frozen, and divided by begin() only, so that it can fill a cache.
enum class TowerUse { kEncodes, kCached };

// Part of a parameter, flattened.
struct Piece {
  const Parameter* parameter = nullptr;
  std::int64_t offset = 0;  // in the parameter
  at::Tensor value;  // [count] f32, where this rank keeps it, and in grad() the sum over the ranks; valid with its Shards
};
using TensorSink = std::function<void(const std::string& name, const at::Tensor& whole)>;

class Shards : public UnitStore {
 public:
  // What trains must be set before. The parameters' values are lost: fill() gives new ones.
  Shards(TrainModel& model, Ranks& ranks, ZeroStage stage, TowerUse tower);
  ~Shards() override;
  // Calls fill(parameter) with one unit after the other in memory.
  void fill(const std::function<void(Parameter&)>& fill);
  // Divides what is still whole; passes may follow.
  void begin();

  // Leaves weight * d(sum of losses), summed over the ranks, in the pieces' gradients.
  TokenStats gradients(const std::vector<MicroBatch>& batches, float weight);
  TokenStats losses(const std::vector<MicroBatch>& batches);
  // Of trained parameters, this rank's.
  std::vector<Piece> pieces() const;
  void clear_gradients();
  // After an update of the pieces: stage 2 has whole weights again.
  void updated();

  // Whole parameters, one after the other, to `sink` on the first rank.
  void collect(const TensorSink& sink);
  // The same of numbers kept beside the pieces: `part(i)` [count] belongs to pieces()[i]. Names get `prefix`.
  void collect_beside(const std::string& prefix, const std::function<at::Tensor(std::size_t)>& part, const TensorSink& sink);

  at::Tensor run(const std::string& unit, const at::Tensor& x, const LayerBody& body) override;
  bool encodes() const override { return tower_ == TowerUse::kEncodes; }

 private:
  struct Slot {
    Parameter* parameter;
    std::int64_t offset;  // in the flat buffer
  };
  // Parameters that lie side by side; either all of them train or none.
  struct Flat {
    std::vector<Slot> slots;
    std::int64_t part = 0;    // elements of a rank
    at::Tensor whole;         // [ranks * part]; without memory while released
    at::Tensor value;         // [part]: own memory, or in stage 2 a place in `whole`
    at::Tensor gradient;      // [part], of what trains
    std::size_t missing = 0;  // stage 2: gradients that the running backward pass has not brought yet
    bool trained() const { return gradient.defined(); }
  };
  struct Unit {
    std::vector<Flat> flats;
  };
  struct Call;  // the autograd function of run()
  struct GradientHook;

  void add_unit(const std::string& name, const std::vector<Parameter*>& parameters);
  Flat make_flat(const std::vector<Parameter*>& parameters);
  void allocate(Flat& flat);
  void release(Flat& flat);
  void gather(Unit& unit);
  void release(Unit& unit);
  void keep_own(Flat& flat);
  std::vector<at::Tensor> trained_values(Unit& unit) const;
  void reduce(Flat& flat, const std::vector<at::Tensor>& gradients);
  void gradient_ready(Flat& flat);
  void reduce_ready(bool all);
  void set_hooks();
  void backward(const TokenLoss& loss, const at::Tensor& scale);
  std::size_t rounds(std::size_t own);
  MicroBatch nothing() const;
  void each_piece(const Flat& flat, const std::function<void(const Slot&, std::int64_t from, std::int64_t to)>& body) const;

  TrainModel* model_;
  Ranks* ranks_;
  ZeroStage stage_;
  TowerUse tower_;
  at::TensorOptions floats_;  // f32 on the model's device
  std::map<std::string, Unit> units_;
  std::vector<std::string> order_;     // of units, as the model has them
  std::vector<Flat*> backward_order_;  // stage 2: trained flats in the order of their reduction
  std::size_t next_reduced_ = 0;
  at::Tensor anchor_;
};

}  // namespace areason::train
