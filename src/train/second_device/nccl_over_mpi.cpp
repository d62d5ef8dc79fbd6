// The functions of NCCL that the trainer calls, done by MPI on the second device's memory: a library for tests of the trainer's
// NCCL path where no GPU is, loaded by dlopen as NCCL itself is. Declarations are its own, so that one of the trainer's that
// disagrees with them shows in the sums. What the trainer must keep to is checked: the same identifier on every rank, f32,
// sums.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#include <mpi.h>
#pragma GCC diagnostic pop

#include <cstdlib>
#include <cstring>

#include "train/second_device/second_device.h"

namespace {

constexpr int kSuccess = 0, kInvalidArgument = 4, kFloat = 7, kSum = 0;
struct Id {
  char bytes[128];
};
struct Communicator {
  int ranks;
};
int calls = 0;

int done(int status) {
  ++calls;
  return status == MPI_SUCCESS ? kSuccess : kInvalidArgument;
}
void* memory(const void* address) { return areason::train::host_view(address); }
bool in_place(const void* part, const void* whole, std::size_t count) {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return part == static_cast<const float*>(whole) + static_cast<std::size_t>(rank) * count;
}

}  // namespace

extern "C" {

int nccl_over_mpi_calls() { return calls; }

int ncclGetVersion(int* version) {
  *version = 1;
  return kSuccess;
}
int ncclGetUniqueId(Id* id) {
  for (char& c : id->bytes) c = static_cast<char>(std::rand());
  return kSuccess;
}
int ncclCommInitRank(Communicator** out, int ranks, Id id, int rank) {
  Id first = id;
  MPI_Bcast(first.bytes, sizeof(first.bytes), MPI_CHAR, 0, MPI_COMM_WORLD);
  int own_rank = -1, own_ranks = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &own_rank);
  MPI_Comm_size(MPI_COMM_WORLD, &own_ranks);
  if (std::memcmp(first.bytes, id.bytes, sizeof(id.bytes)) != 0 || rank != own_rank || ranks != own_ranks)
    return kInvalidArgument;
  *out = new Communicator{ranks};
  return kSuccess;
}
int ncclCommDestroy(Communicator* comm) {
  delete comm;
  return kSuccess;
}
int ncclCommAbort(Communicator* comm) { return ncclCommDestroy(comm); }
const char* ncclGetErrorString(int result) { return result == kSuccess ? "no error" : "invalid argument"; }

int ncclAllGather(const void* part, void* whole, std::size_t count, int type, Communicator*, void*) {
  if (type != kFloat) return kInvalidArgument;
  const int n = static_cast<int>(count);
  const void* from = in_place(part, whole, count) ? MPI_IN_PLACE : memory(part);
  return done(MPI_Allgather(from, n, MPI_FLOAT, memory(whole), n, MPI_FLOAT, MPI_COMM_WORLD));
}
int ncclReduceScatter(const void* whole, void* part, std::size_t count, int type, int op, Communicator*, void*) {
  if (type != kFloat || op != kSum) return kInvalidArgument;
  return done(
      MPI_Reduce_scatter_block(memory(whole), memory(part), static_cast<int>(count), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD));
}
int ncclReduce(const void* from, void* to, std::size_t count, int type, int op, int root, Communicator*, void*) {
  if (type != kFloat || op != kSum || from != to) return kInvalidArgument;
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  const int n = static_cast<int>(count);
  if (rank != root) return done(MPI_Reduce(memory(from), nullptr, n, MPI_FLOAT, MPI_SUM, root, MPI_COMM_WORLD));
  return done(MPI_Reduce(MPI_IN_PLACE, memory(to), n, MPI_FLOAT, MPI_SUM, root, MPI_COMM_WORLD));
}
int ncclBroadcast(const void* from, void* to, std::size_t count, int type, int root, Communicator*, void*) {
  if (type != kFloat || from != to) return kInvalidArgument;
  return done(MPI_Bcast(memory(to), static_cast<int>(count), MPI_FLOAT, root, MPI_COMM_WORLD));
}

}  // extern "C"
