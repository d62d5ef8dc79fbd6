// Compares what src/train/nccl_api.h says about NCCL with NVIDIA's own header, by the compiler alone:
//   pip install --no-deps --target DIR nvidia-nccl-cu12 nvidia-cuda-runtime-cu12 nvidia-cuda-nvcc-cu12 nvidia-cuda-cccl-cu12
//   g++ -std=c++20 -fsyntax-only -Isrc -IDIR/nvidia/nccl/include -IDIR/nvidia/cuda_runtime/include tools/nccl_declarations.cpp
#include <nccl.h>

#include <type_traits>

#include "train/nccl_api.h"

namespace {

namespace ours = areason::train::nccl;

// Two types that are passed alike: pointers (to whatever), numbers and enumerations of one size and sign, structures of one
// size.
template <typename A, typename B>
constexpr bool alike() {
  if constexpr (std::is_pointer_v<A> || std::is_pointer_v<B>) {
    return std::is_pointer_v<A> && std::is_pointer_v<B>;
  } else if constexpr (std::is_enum_v<A>) {
    return alike<std::underlying_type_t<A>, B>();
  } else if constexpr (std::is_integral_v<A>) {
    return std::is_integral_v<B> && sizeof(A) == sizeof(B) && std::is_signed_v<A> == std::is_signed_v<B>;
  } else {
    return std::is_class_v<A> && std::is_class_v<B> && sizeof(A) == sizeof(B) && alignof(A) == alignof(B);
  }
}

template <typename Theirs, typename Ours>
struct Same;
template <typename R, typename... A, typename S, typename... B>
struct Same<R (*)(A...), S (*)(B...)> {
  static constexpr bool value = [] {
    if constexpr (sizeof...(A) != sizeof...(B)) {
      return false;
    } else {
      return alike<R, S>() && (alike<A, B>() && ...);
    }
  }();
};

#define AREASON_SAME(theirs, member) static_assert(Same<decltype(&theirs), decltype(ours::Api::member)>::value, #theirs)
AREASON_SAME(ncclGetVersion, get_version);
AREASON_SAME(ncclGetUniqueId, get_unique_id);
AREASON_SAME(ncclCommInitRank, comm_init_rank);
AREASON_SAME(ncclCommDestroy, comm_destroy);
AREASON_SAME(ncclCommAbort, comm_abort);
AREASON_SAME(ncclGetErrorString, get_error_string);
AREASON_SAME(ncclAllGather, all_gather);
AREASON_SAME(ncclReduceScatter, reduce_scatter);
AREASON_SAME(ncclReduce, reduce);
AREASON_SAME(ncclBroadcast, broadcast);
static_assert(sizeof(ncclUniqueId) == sizeof(ours::UniqueId));
static_assert(ncclSuccess == ours::kSuccess && ncclFloat32 == ours::kFloat32 && ncclSum == ours::kSum);

}  // namespace
