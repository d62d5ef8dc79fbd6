#pragma once
// Which instruction set the kernels use: the best one this CPU has, or the one that AREASON_ISA forces:
// portable, avx2, avxvnni (AVX2 with AVX-VNNI), avx512 (F, BW, DQ, VL), avx512vnni, avx512bf16 (VNNI and BF16).
// Called by the kernels' drivers, by tests and by benchmarks. Thread rule: pure functions; the environment is read once.
#include <span>
#include <string>

namespace areason {

enum class Isa { kPortable, kAvx2, kAvxVnni, kAvx512, kAvx512Vnni, kAvx512Bf16 };

const char* isa_name(Isa isa);
// The one of kPortable, kAvx2 and kAvx512 whose f32 kernels this instruction set has.
Isa float_isa(Isa isa);
// Instruction sets that were compiled in and that this CPU can run, weakest first.
std::span<const Isa> available_isas();
// The forced one, else the strongest. Throws Error(kUsage) when AREASON_ISA names one that is unknown or missing here.
Isa active_isa();

}  // namespace areason
