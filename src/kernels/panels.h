#pragma once
// One thread's product of many rows with packed panels: the inner part of linear.cpp and attention.cpp. Internal.
// Thread rule: pure functions.
#include "kernels/kernel_table.h"

namespace areason {

constexpr int kPanelDepth = 256;    // k of one packed block: mr x depth and depth x nr stay in the first-level cache
constexpr int kGroupColumns = 128;  // columns packed together: depth x columns stays in the second-level cache

struct RowsIn {
  const float* a;  // [rows][k]
  std::size_t stride;
  int rows;
  int k;  // <= kPanelDepth
};
struct PanelsIn {
  const float* panels;  // consecutive panels [k][nr], the last one padded with zeros
  int n;
  const float* bias;  // [n] or null
};
struct RowsOut {
  float* c;  // [rows][n]
  std::size_t stride;
  Store store;
};

// c (+)= a · panels (+ bias)
void multiply_panels(const KernelTable& table, const RowsIn& in, const PanelsIn& panels, const RowsOut& out);

}  // namespace areason
