#pragma once
// A second device for tests, made of the processor: libtorch's kind for devices it does not know, with memory whose addresses
// no loop of ours can read. The program sees a region without access rights; libtorch's operations on it are done by the
// processor's kernels on the same memory mapped with rights, kSpan bytes further. Reading or writing a device's numbers through
// a raw pointer ends the process, an operation that mixes tensors of both devices throws, and what waits for the device is
// counted. Called by the tests of this folder. Thread rule: as torch; registered before main().
#include <cstddef>
#include <cstdint>

namespace areason::train {

inline constexpr const char* kSecondDevice = "second";
inline constexpr std::size_t kSpan = std::size_t{1} << 34;
// Where the processor may touch what the program knows as `device`.
inline void* host_view(const void* device) { return static_cast<char*>(const_cast<void*>(device)) + kSpan; }

// Operations done, and copies to the processor or numbers asked for, since the process began.
struct DeviceCounts {
  std::int64_t operations = 0, waits = 0;
};
DeviceCounts device_counts();

}  // namespace areason::train
