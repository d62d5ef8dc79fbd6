#include "kernels/isa.h"

#include <array>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "kernels/int_table.h"
#include "kernels/kernel_table.h"

namespace areason {
namespace {

constexpr Isa kAllIsas[] = {Isa::kPortable, Isa::kAvx2, Isa::kAvxVnni, Isa::kAvx512, Isa::kAvx512Vnni, Isa::kAvx512Bf16};

#if defined(__x86_64__)
// AVX-VNNI: leaf 7, subleaf 1, EAX bit 4 (Intel SDM, CPUID); GCC 12's __builtin_cpu_supports does not know it.
bool cpu_has_avxvnni() {
  unsigned a = 7, b = 0, c = 1, d = 0;
  __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  return (a & (1u << 4)) != 0;
}
#endif

bool cpu_has(Isa isa) {
#if defined(__x86_64__)
  switch (isa) {
    case Isa::kPortable:
      return true;
    case Isa::kAvx2:  // every CPU with AVX2 has F16C, which the compilers' feature lists do not all know
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case Isa::kAvxVnni:
      return cpu_has(Isa::kAvx2) && cpu_has_avxvnni();
    case Isa::kAvx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
    case Isa::kAvx512Vnni:
      return cpu_has(Isa::kAvx512) && __builtin_cpu_supports("avx512vnni");
    case Isa::kAvx512Bf16:
      return cpu_has(Isa::kAvx512Vnni) && __builtin_cpu_supports("avx512bf16");
  }
  return false;
#else
  return isa == Isa::kPortable;
#endif
}

// The table as it was compiled for the f32 kernels, with the integer kernels of the instruction set.
std::optional<KernelTable> make_table(Isa isa) {
  const KernelTable* floats = nullptr;
  const IntTable* integers = nullptr;
  switch (isa) {
    case Isa::kPortable:
      floats = kernel_table_portable(), integers = int_table_portable();
      break;
    case Isa::kAvx2:
      floats = kernel_table_avx2(), integers = int_table_avx2();
      break;
    case Isa::kAvxVnni:
      floats = kernel_table_avx2(), integers = int_table_avxvnni();
      break;
    case Isa::kAvx512:
      floats = kernel_table_avx512(), integers = int_table_avx2();
      break;
    case Isa::kAvx512Vnni:
    case Isa::kAvx512Bf16:
      floats = kernel_table_avx512(), integers = int_table_avx512vnni();
      break;
  }
  if (!cpu_has(isa) || floats == nullptr || integers == nullptr) return std::nullopt;
  KernelTable table = *floats;
  table.isa = isa;
  table.integers = integers;
  table.bf16 = isa == Isa::kAvx512Bf16 ? bf16_table_avx512() : nullptr;
  return table;
}

const std::optional<KernelTable>& table_of(Isa isa) {
  static const auto tables = [] {
    std::array<std::optional<KernelTable>, std::size(kAllIsas)> out;
    for (const Isa each : kAllIsas) out[static_cast<std::size_t>(each)] = make_table(each);
    return out;
  }();
  return tables[static_cast<std::size_t>(isa)];
}

std::vector<Isa> find_isas() {
  std::vector<Isa> found;
  for (const Isa isa : kAllIsas)
    if (table_of(isa)) found.push_back(isa);
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
  static constexpr const char* kNames[] = {"portable", "avx2", "avxvnni", "avx512", "avx512vnni", "avx512bf16"};
  return kNames[static_cast<std::size_t>(isa)];
}

Isa float_isa(Isa isa) {
  if (isa == Isa::kPortable) return isa;
  return isa == Isa::kAvx2 || isa == Isa::kAvxVnni ? Isa::kAvx2 : Isa::kAvx512;
}

std::span<const Isa> available_isas() {
  static const std::vector<Isa> isas = find_isas();
  return isas;
}

Isa active_isa() {
  static const Isa isa = choose_isa();
  return isa;
}

const KernelTable& kernels_of(Isa isa) { return *table_of(isa); }
const KernelTable& active_kernels() { return kernels_of(active_isa()); }

}  // namespace areason
