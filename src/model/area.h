#pragma once
// Called inside src/model only.
#include <cstddef>

namespace areason {

// Values in a matrix; counted in 64 bits, where the product of two ints overflows.
inline std::size_t area(int rows, int width) { return static_cast<std::size_t>(rows) * static_cast<std::size_t>(width); }

}  // namespace areason
