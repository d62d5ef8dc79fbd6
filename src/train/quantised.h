#pragma once
// An optimizer's state in 8 bits a number: blocks of 256 numbers share a scale, a code stands for a value of a dynamic data
// type (T. Dettmers et al., "8-bit optimizers via block-wise quantization", arXiv 2110.02861, sections 2.1 and 2.2). What is
// ours: the scale carries the sign of the block's greatest number, which is therefore kept exactly, and a number above zero
// never becomes zero, because a second moment is divided by. So read() after write(read()) changes nothing, and a checkpoint
// holds plain f32. Called by optimizer.cpp. Thread rule: as tensors.
#include <cstdint>
#include <vector>

#include "train/torch.h"

namespace areason::train {

inline constexpr std::int64_t kQuantisedBlock = 256;

enum class StateSign { kEither, kNeverNegative };

// The 256 values of the data type in ascending order, from -1 (about) or 0 to 1. A number is 10^-k times a fraction between 0.1
// and 1; the smaller k, the more bits the fraction has.
std::vector<float> dynamic_values(StateSign sign);

class QuantisedState {
 public:
  QuantisedState(at::IntArrayRef sizes, StateSign sign, at::Device device);  // zeros
  at::Tensor read() const;                                                   // f32
  void write(const at::Tensor& values);                                      // of the same sizes
  std::int64_t bytes() const { return static_cast<std::int64_t>(codes_.nbytes() + scales_.nbytes()); }

 private:
  std::vector<std::int64_t> sizes_;
  StateSign sign_;
  at::Tensor codes_;   // [blocks, 256] u8
  at::Tensor scales_;  // [blocks, 1] f32
  at::Tensor values_;  // [256] f32
  at::Tensor bounds_;  // [255] f32: halfway between neighbours
};

}  // namespace areason::train
