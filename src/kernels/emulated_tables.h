#pragma once
// The integer kernels of instruction sets that a machine lacks, compiled with their intrinsics emulated in AVX2 (SIMDe), so
// that their tests run on any machine with AVX2: exact, not fast. For tests only; null without SIMDe (Debian's libsimde-dev).
#include "kernels/int_table.h"

namespace areason {

const IntTable* emulated_table_avxvnni();
const IntTable* emulated_table_avx512vnni();

}  // namespace areason
