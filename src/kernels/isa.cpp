#include "kernels/isa.h"

#include <cstdlib>
#include <string>
#include <vector>

#include "base/error.h"
#include "kernels/kernel_table.h"

namespace areason {
namespace {

bool cpu_has(Isa isa) {
#if defined(__x86_64__)
  switch (isa) {
    case Isa::kPortable:
      return true;
    case Isa::kAvx2:  // every CPU with AVX2 has F16C, which the compilers' feature lists do not all know
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case Isa::kAvx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
  }
  return false;
#else
  return isa == Isa::kPortable;
#endif
}

const KernelTable* compiled_table(Isa isa) {
  switch (isa) {
    case Isa::kPortable:
      return kernel_table_portable();
    case Isa::kAvx2:
      return kernel_table_avx2();
    case Isa::kAvx512:
      return kernel_table_avx512();
  }
  return nullptr;
}

std::vector<Isa> find_isas() {
  std::vector<Isa> found;
  for (const Isa isa : {Isa::kPortable, Isa::kAvx2, Isa::kAvx512})
    if (cpu_has(isa) && compiled_table(isa) != nullptr) found.push_back(isa);
  return found;
}

Isa choose_isa() {
  const char* forced = std::getenv("AREASON_ISA");
  const auto isas = available_isas();
  if (forced == nullptr || *forced == '\0') return isas.back();
  std::string names;
  for (const Isa isa : isas) {
    if (std::string(forced) == isa_name(isa)) return isa;
    names += std::string(names.empty() ? "" : ", ") + isa_name(isa);
  }
  throw Error(ErrorCode::kUsage, std::string("AREASON_ISA=") + forced + " is not an instruction set of this machine",
              "take one of: " + names + ", or unset it");
}

}  // namespace

const char* isa_name(Isa isa) {
  switch (isa) {
    case Isa::kPortable:
      return "portable";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
  }
  return "?";
}

std::span<const Isa> available_isas() {
  static const std::vector<Isa> isas = find_isas();
  return isas;
}

Isa active_isa() {
  static const Isa isa = choose_isa();
  return isa;
}

const KernelTable& kernels_of(Isa isa) { return *compiled_table(isa); }
const KernelTable& active_kernels() { return kernels_of(active_isa()); }

}  // namespace areason
