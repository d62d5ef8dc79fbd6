#include "libtorch/place.h"

#include <dlfcn.h>

#include <charconv>
#include <filesystem>
#include <new>

#include "base/error.h"

namespace areason::libtorch {
namespace {

[[noreturn]] void bad_device(const std::string& device) {
  throw Error(ErrorCode::kUsage, "there is no device " + device, "choose cpu, cuda or cuda:N");
}

// "cuda" is the first one.
int cuda_index(const std::string& device) {
  if (device == "cuda") return 0;
  int index = -1;
  const char* end = device.data() + device.size();
  if (device.starts_with("cuda:")) {
    const auto [rest, error] = std::from_chars(device.data() + 5, end, index);
    if (error != std::errc() || rest != end) index = -1;
  }
  if (index < 0 || index > 127) bad_device(device);
  return index;
}

// libtorch_cuda.so registers itself when it is loaded. It lies beside libtorch_cpu.so.
void load_cuda() {
  Dl_info info{};
  dladdr(reinterpret_cast<void*>(&at::set_num_threads), &info);
  const std::filesystem::path folder = std::filesystem::path(info.dli_fname != nullptr ? info.dli_fname : "").parent_path();
  const std::string library = (folder / "libtorch_cuda.so").string();
  if (dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL) != nullptr) return;
  const char* reason = dlerror();
  throw Error(ErrorCode::kFailure, std::string("this libtorch has no CUDA: ") + (reason != nullptr ? reason : library),
              "install a CUDA build of the same version with its libraries, or use --device cpu");
}

c10::Device open_cuda(int index) {
  constexpr auto kCuda = c10::DeviceType::CUDA;
  if (!c10::impl::hasDeviceGuardImpl(kCuda)) load_cuda();
  const int count = c10::impl::hasDeviceGuardImpl(kCuda) ? c10::impl::getDeviceGuardImpl(kCuda)->deviceCount() : 0;
  if (index >= count)
    throw Error(ErrorCode::kFailure,
                "there is no device cuda:" + std::to_string(index) + ": " + std::to_string(count) + " are visible",
                "see nvidia-smi and CUDA_VISIBLE_DEVICES, or use --device cpu");
  at::globalContext().lazyInitDevice(kCuda);
  // f32 means f32: tokens are to equal the native engine's.
  at::globalContext().setAllowTF32CuDNN(false);
  at::globalContext().setAllowTF32CuBLAS(false);
  return {kCuda, static_cast<c10::DeviceIndex>(index)};
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

Place open_place(const std::string& device, const std::string& dtype) {
  Place place;
  if (device != "cpu") place.device = open_cuda(cuda_index(device));
  if (dtype == "f32" || (dtype == "auto" && place.device.is_cpu())) {
    place.dtype = at::kFloat;
  } else if (dtype == "bf16" || dtype == "auto") {
    place.dtype = at::kBFloat16;
  } else if (dtype == "f16") {
    place.dtype = at::kHalf;
  } else {
    throw Error(ErrorCode::kUsage, "there is no number type " + dtype, "choose f32, bf16 or f16");
  }
  return place;
}

void rethrow_as_error() {
  try {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const c10::OutOfMemoryError& e) {
    throw Error(ErrorCode::kFailure, "the device has not enough memory: " + first_line(e.what_without_backtrace()),
                "use --dtype bf16, fewer answers at a time (--batch, --samples), or shorter clips");
  } catch (const c10::Error& e) {
    throw Error(ErrorCode::kFailure, "libtorch: " + first_line(e.what_without_backtrace()),
                "--backend native computes the same without libtorch");
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::kFailure, "there is not enough memory", "use --dtype bf16 or a smaller model");
  }
}

}  // namespace areason::libtorch
