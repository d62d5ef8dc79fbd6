#pragma once
// The part of linear() for block formats: activations to int8 once, then rows of weights streamed (one row of x) or packed
// panel by panel (more). Internal to linear.cpp. The results of a row do not depend on the other rows, the pool or the
// instruction set. Thread rule: one caller at a time per pool.
#include <span>

#include "kernels/linear.h"

namespace areason {

// All outputs are quantised; input.k is a multiple of 32.
void linear_quantized(const KernelContext& context, const LinearInput& input, std::span<const LinearOutput> outputs);

// No output is quantised; context.table.bf16 exists; input.k is a multiple of 32.
void linear_bf16(const KernelContext& context, const LinearInput& input, std::span<const LinearOutput> outputs);

}  // namespace areason
