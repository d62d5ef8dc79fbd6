#pragma once
// Where a run's tensors live: the processor, or a device that libtorch can open (CUDA; its library is loaded here and not
// before, so that one binary runs with and without it). Nothing here includes a header of CUDA: streams, memory and random
// numbers are reached through libtorch's interface for devices of any kind. Called by the files of this folder. Thread rule:
// free functions; open_device() on the training thread before any other use of the device.
#include <cstdint>
#include <optional>
#include <string>

#include "train/torch.h"

namespace areason::train {

// "cpu"; "cuda:N"; "cuda": of the machine's devices the one for this rank (local_rank()); "auto": "cuda" where there is one,
// else "cpu". Any other kind that libtorch knows and that has registered itself goes by libtorch's name for it. Makes it the
// thread's current device. Throws Error(kUsage, kFailure).
at::Device open_device(const std::string& name);
// Which of its machine's ranks this process is, as its starter says (OpenMPI, MPICH, Slurm, torchrun); 0 when nobody does.
int local_rank();

// A tensor of the processor on `device`, copied from pinned memory without waiting where CUDA is the device; on the processor
// the tensor itself. An undefined one stays so.
at::Tensor to_device(const at::Tensor& host, at::Device device);
// Random numbers made where the tensors are. The same seed gives the same numbers on one kind of device, not across kinds.
at::Generator seeded_generator(at::Device device, std::uint64_t seed);

struct DeviceMemory {
  double free = 0, total = 0;  // bytes of the device, whoever uses them
  double peak = 0;             // most bytes that this process's tensors have had
};
// Nothing for the processor and for devices whose allocator does not count.
std::optional<DeviceMemory> device_memory(at::Device device);
// The handle of the stream that torch's operations go to now (a cudaStream_t); null on the processor.
void* current_stream(at::Device device);
// Waits for all work of the device. Timings only.
void wait_for(at::Device device);

}  // namespace areason::train
