#include "train/device.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#pragma GCC diagnostic pop

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "libtorch/place.h"

namespace areason::train {
namespace {

using c10::impl::VirtualGuardImpl;

int device_count(at::DeviceType type) { return c10::impl::getDeviceGuardImpl(type)->deviceCount(); }

// Ranks that see one device each all have number 0.
at::Device own_cuda() {
  libtorch::open_place("cuda", "f32");
  const int index = local_rank() % device_count(at::DeviceType::CUDA);
  return libtorch::open_place("cuda:" + std::to_string(index), "f32").device;
}

at::Device other_kind(const std::string& name) {
  try {
    const at::Device device(name);
    if (device.type() != at::kMeta && c10::impl::hasDeviceGuardImpl(device.type()))
      return {device.type(), static_cast<at::DeviceIndex>(0)};
  } catch (const c10::Error&) {  // no kind of libtorch's
  }
  throw Error(ErrorCode::kUsage, "there is no device " + name, "choose cpu, cuda, cuda:N or auto");
}

at::Device find_device(const std::string& name) {
  if (name == "cpu") return at::kCPU;
  if (name == "cuda") return own_cuda();
  if (name.starts_with("cuda:")) return libtorch::open_place(name, "f32").device;
  if (name != "auto") return other_kind(name);
  try {
    return own_cuda();
  } catch (const Error&) {
    return at::kCPU;
  }
}

}  // namespace

int local_rank() {
  for (const char* name : {"OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "SLURM_LOCALID", "LOCAL_RANK"}) {
    if (const char* value = std::getenv(name)) return std::max(0, std::atoi(value));
  }
  return 0;
}

at::Device open_device(const std::string& name) {
  const at::Device device = find_device(name);
  if (!device.is_cpu()) VirtualGuardImpl(device.type()).setDevice(device);
  return device;
}

at::Tensor to_device(const at::Tensor& host, at::Device device) {
  if (!host.defined() || host.device() == device) return host;
  if (!device.is_cuda()) return host.to(device);
  // The pinned copy is handed back to torch's cache when the transfer is over.
  return host.contiguous().pin_memory().to(device, /*non_blocking=*/true);
}

at::Generator seeded_generator(at::Device device, std::uint64_t seed) {
  if (device.is_cpu()) return at::make_generator<at::CPUGeneratorImpl>(seed);
  at::Generator out = at::globalContext().getAcceleratorHooksInterface(device.type()).getNewGenerator(device.index());
  out.set_current_seed(seed);
  return out;
}

std::optional<DeviceMemory> device_memory(at::Device device) {
  if (!device.is_cuda()) return std::nullopt;
  auto* allocator = dynamic_cast<c10::DeviceAllocator*>(c10::GetAllocator(device.type()));
  if (allocator == nullptr) return std::nullopt;
  const auto [free, total] = allocator->getMemoryInfo(device.index());
  const auto stats = allocator->getDeviceStats(device.index());
  const auto all = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  return DeviceMemory{static_cast<double>(free), static_cast<double>(total),
                      static_cast<double>(stats.allocated_bytes[all].peak)};
}

void* current_stream(at::Device device) {
  if (device.is_cpu()) return nullptr;
  const VirtualGuardImpl guard(device.type());
  return guard.getStreamNativeHandle(guard.getStream(device));
}

void wait_for(at::Device device) {
  if (!device.is_cpu()) VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
}

}  // namespace areason::train
