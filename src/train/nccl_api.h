#pragma once
// The functions of NCCL that the trainer calls, as they are declared in nccl.h (NVIDIA's "NCCL API" in the NCCL user guide,
// docs.nvidia.com/deeplearning/nccl/user-guide/docs/api.html; compared with the header of NCCL 2.32.3 by the compiler,
// bench/nccl_declarations.cpp). The library is loaded at run time: the trainer is built and started without it. Called by
// nccl_ranks.cpp. Thread rule: one communicator is used by one thread at a time.
#include <cstddef>
#include <memory>
#include <string>

namespace areason::train::nccl {

struct UniqueId {
  char internal[128];  // NCCL_UNIQUE_ID_BYTES
};
using Comm = struct OpaqueComm*;      // ncclComm_t
using Stream = struct OpaqueStream*;  // cudaStream_t
// Enumerations of nccl.h; a C enumeration without negative values is an unsigned int here.
using Result = unsigned;
inline constexpr Result kSuccess = 0, kInProgress = 7;
using DataType = unsigned;
inline constexpr DataType kFloat32 = 7;
using ReduceOp = unsigned;
inline constexpr ReduceOp kSum = 0;

struct Api {
  Result (*get_version)(int*);
  Result (*get_unique_id)(UniqueId*);
  Result (*comm_init_rank)(Comm*, int ranks, UniqueId, int rank);
  Result (*comm_destroy)(Comm);
  Result (*comm_abort)(Comm);
  const char* (*get_error_string)(Result);
  Result (*all_gather)(const void* part, void* whole, std::size_t part_count, DataType, Comm, Stream);
  Result (*reduce_scatter)(const void* whole, void* part, std::size_t part_count, DataType, ReduceOp, Comm, Stream);
  Result (*reduce)(const void* from, void* to, std::size_t count, DataType, ReduceOp, int root, Comm, Stream);
  Result (*broadcast)(const void* from, void* to, std::size_t count, DataType, int root, Comm, Stream);
};

// Loads `library` ("libnccl.so.2", or a path). Throws Error(kFailure) naming the library and what is missing. It stays loaded
// until the process ends: threads of its own may run in it.
Api load(const std::string& library);

}  // namespace areason::train::nccl
