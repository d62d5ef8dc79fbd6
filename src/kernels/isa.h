#pragma once
// Which instruction set the kernels use: the best one this CPU has, or the one that AREASON_ISA=portable|avx2|avx512 forces.
// Called by the kernels' drivers, by tests and by benchmarks. Thread rule: pure functions; the environment is read once.
#include <span>
#include <string>

namespace areason {

enum class Isa { kPortable, kAvx2, kAvx512 };

const char* isa_name(Isa isa);
// Instruction sets that were compiled in and that this CPU can run, weakest first.
std::span<const Isa> available_isas();
// The forced one, else the strongest. Throws Error(kUsage) when AREASON_ISA names one that is unknown or missing here.
Isa active_isa();

}  // namespace areason
