#include "train/second_device/second_device.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/EmptyTensor.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <ATen/ops/_reshape_alias_cpu_dispatch.h>
#include <ATen/ops/as_strided_cpu_dispatch.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/set_cpu_dispatch.h>
#include <ATen/ops/view_cpu_dispatch.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>
#pragma GCC diagnostic pop

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <tuple>
#include <vector>

namespace areason::train {
namespace {

using at::Tensor;
constexpr auto kKind = c10::DeviceType::PrivateUse1;
const c10::Device kDevice(kKind, 0);
std::atomic<std::int64_t> operations{0}, waits{0};

// Two mappings of the same pages: [0, kSpan) without rights, [kSpan, 2 kSpan) with them.
class Arena {
 public:
  Arena() {
    const int file = ::memfd_create("second device", 0);
    TORCH_CHECK(file >= 0 && ::ftruncate(file, kSpan) == 0, "no memory for the second device");
    void* both = ::mmap(nullptr, 2 * kSpan, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    TORCH_CHECK(both != MAP_FAILED, "no addresses for the second device");
    base_ = static_cast<char*>(both);
    TORCH_CHECK(::mmap(base_ + kSpan, kSpan, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0) != MAP_FAILED,
                "no mapping for the second device");
  }
  void* take(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    const std::size_t size = rounded(bytes);
    auto& free = free_[size];
    if (!free.empty()) {
      void* out = free.back();
      free.pop_back();
      return out;
    }
    TORCH_CHECK(used_ + size <= kSpan, "the second device is full");
    used_ += size;
    return base_ + used_ - size;
  }
  void give(void* address, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    free_[rounded(bytes)].push_back(address);
  }

 private:
  static std::size_t rounded(std::size_t bytes) { return std::bit_ceil(std::max<std::size_t>(bytes, 64)); }
  std::mutex mutex_;
  char* base_ = nullptr;
  std::size_t used_ = 0;
  std::map<std::size_t, std::vector<void*>> free_;
};
Arena& arena() {
  static auto* one = new Arena;  // tensors may outlive main()
  return *one;
}

struct Block {
  void* address;
  std::size_t bytes;
};

struct Allocator final : c10::Allocator {
  c10::DataPtr allocate(std::size_t bytes) override {
    if (bytes == 0) return {nullptr, nullptr, &give, kDevice};
    auto* block = new Block{arena().take(bytes), bytes};
    return {block->address, block, &give, kDevice};
  }
  static void give(void* context) {
    const auto* block = static_cast<Block*>(context);
    if (block != nullptr) arena().give(block->address, block->bytes);
    delete block;
  }
  c10::DeleterFnPtr raw_deleter() const override { return nullptr; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    std::memcpy(host_view(to), host_view(from), bytes);
  }
};
Allocator allocator;

struct Guard final : c10::impl::DeviceGuardImplInterface {
  c10::DeviceType type() const override { return kKind; }
  c10::Device exchangeDevice(c10::Device) const override { return kDevice; }
  c10::Device getDevice() const override { return kDevice; }
  void setDevice(c10::Device) const override {}
  void uncheckedSetDevice(c10::Device) const noexcept override {}
  c10::Stream getStream(c10::Device) const override { return c10::Stream(c10::Stream::DEFAULT, kDevice); }
  c10::Stream exchangeStream(c10::Stream) const override { return c10::Stream(c10::Stream::DEFAULT, kDevice); }
  void* getStreamNativeHandle(const c10::Stream) const override { return nullptr; }
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }
  void synchronizeDevice(const c10::DeviceIndex) const override {}
};

struct Hooks final : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  at::Generator getNewGenerator(c10::DeviceIndex) const override { return at::make_generator<at::CPUGeneratorImpl>(); }
};
Hooks hooks;

bool is_second(const Tensor& t) { return t.defined() && t.device().type() == kKind; }

// The same numbers as a tensor of the processor.
Tensor lent(const Tensor& t) {
  if (!is_second(t)) return t;
  auto* first = t.numel() == 0 ? nullptr : static_cast<char*>(host_view(t.storage().data()));
  return at::from_blob(first == nullptr ? nullptr : first + t.storage_offset() * t.element_size(), t.sizes(), t.strides(),
                       at::TensorOptions().dtype(t.scalar_type()));
}

Tensor new_empty(c10::IntArrayRef size, std::optional<at::ScalarType> dtype, std::optional<at::MemoryFormat> format) {
  return at::detail::empty_generic(size, &allocator, c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
                                   dtype.value_or(at::kFloat), format);
}

Tensor brought(const Tensor& host) {
  if (!host.defined() || is_second(host)) return host;
  Tensor out = new_empty(host.sizes(), host.scalar_type(), std::nullopt);
  lent(out).copy_(host);
  return out;
}

// Tensors of a call on the processor in place of the device's, and back.
class Call {
 public:
  explicit Call(const c10::OperatorHandle& op) : op_(op) {}
  c10::IValue in(const c10::IValue& value) {
    if (value.isTensor()) return lend(value.toTensor());
    if (value.isTensorList()) {
      c10::List<Tensor> out;
      for (const Tensor& t : value.toTensorVector()) out.push_back(lend(t));
      return out;
    }
    if (value.isOptionalTensorList()) {
      c10::List<std::optional<Tensor>> out;
      for (const std::optional<Tensor>& t : value.toOptionalTensorList())
        out.push_back(t ? std::optional<Tensor>(lend(*t)) : std::nullopt);
      return out;
    }
    return value.isDevice() ? c10::IValue(c10::Device(c10::kCPU)) : value;
  }
  // Outputs that the processor's kernel has brought to their size.
  void resize_outputs() const {
    for (const auto& [host, device] : pairs_) {
      if (host.sizes() == device.sizes()) continue;
      const Tensor whole = brought(host);
      Tensor out = device;
      at::cpu::set_(out, whole.storage(), 0, whole.sizes(), whole.strides());
    }
  }
  c10::IValue out(const c10::IValue& value) const {
    if (value.isTensor()) return own(value.toTensor());
    if (!value.isTensorList()) return value;
    c10::List<Tensor> all;
    for (const Tensor& t : value.toTensorVector()) all.push_back(own(t));
    return all;
  }

 private:
  Tensor lend(const Tensor& t) {
    if (!t.defined()) return t;
    TORCH_CHECK(is_second(t) || t.dim() == 0,
                "a tensor of the processor among those of the second device: ", op_.schema().operator_name());
    // An empty one may be an output that is to grow, which a view of the device's memory cannot.
    pairs_.emplace_back(is_second(t) && t.numel() == 0 ? at::empty_like(t, t.options().device(c10::kCPU)) : lent(t), t);
    return pairs_.back().first;
  }
  Tensor own(const Tensor& t) const {
    for (const auto& [host, device] : pairs_) {
      if (host.is_same(t)) return device;
    }
    return brought(t);
  }
  const c10::OperatorHandle& op_;
  std::vector<std::pair<Tensor, Tensor>> pairs_;
};

void by_the_processor(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  ++operations;
  if (op.schema().name() == "aten::_local_scalar_dense") ++waits;
  Call call(op);
  const std::size_t arguments = op.schema().arguments().size(), results = op.schema().returns().size();
  for (std::size_t i = stack->size() - arguments; i < stack->size(); ++i) (*stack)[i] = call.in((*stack)[i]);
  op.redispatchBoxed(c10::DispatchKeySet(c10::DispatchKey::CPU), stack);
  call.resize_outputs();
  for (std::size_t i = stack->size() - results; i < stack->size(); ++i) (*stack)[i] = call.out((*stack)[i]);
}

Tensor empty(c10::IntArrayRef size, std::optional<at::ScalarType> dtype, std::optional<at::Layout>, std::optional<c10::Device>,
             std::optional<bool>, std::optional<at::MemoryFormat> format) {
  return new_empty(size, dtype, format);
}
Tensor empty_strided(c10::IntArrayRef size, c10::IntArrayRef stride, std::optional<at::ScalarType> dtype,
                     std::optional<at::Layout>, std::optional<c10::Device>, std::optional<bool>) {
  return at::detail::empty_strided_generic(size, stride, &allocator, c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
                                           dtype.value_or(at::kFloat));
}
Tensor copy_from(const Tensor& from, const Tensor& to, bool) {
  ++operations;
  if (!is_second(to)) ++waits;
  lent(to).copy_(lent(from));
  return to;
}
Tensor& set_storage(Tensor& self, at::Storage source, std::int64_t offset, c10::IntArrayRef size, c10::IntArrayRef stride) {
  return at::cpu::set_(self, source, offset, size, stride);
}

// The geometry of a convolution, as libtorch passes it on.
Tensor convolution(const Tensor& x, const Tensor& weight, const std::optional<Tensor>& bias, c10::IntArrayRef stride,
                   c10::IntArrayRef padding, c10::IntArrayRef dilation, bool transposed, c10::IntArrayRef output_padding,
                   std::int64_t groups) {
  ++operations;
  const auto own_bias = bias ? std::optional<Tensor>(lent(*bias)) : std::nullopt;
  return brought(
      at::convolution(lent(x), lent(weight), own_bias, stride, padding, dilation, transposed, output_padding, groups));
}
std::tuple<Tensor, Tensor, Tensor> convolution_gradient(const Tensor& dy, const Tensor& x, const Tensor& weight,
                                                        c10::IntArrayRef stride, c10::IntArrayRef padding,
                                                        c10::IntArrayRef dilation, bool transposed,
                                                        c10::IntArrayRef output_padding, std::int64_t groups,
                                                        std::array<bool, 3> mask) {
  ++operations;
  const std::vector<std::int64_t> bias = {weight.size(0)};
  const auto [dx, dw, db] = at::convolution_backward(lent(dy), lent(x), lent(weight), bias, stride, padding, dilation,
                                                     transposed, output_padding, groups, mask);
  return {brought(dx), brought(dw), brought(db)};
}

C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard)

TORCH_LIBRARY_IMPL(_, PrivateUse1, m) { m.fallback(torch::CppFunction::makeFromBoxedFunction<&by_the_processor>()); }

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("empty.memory_format", &empty);
  m.impl("empty_strided", &empty_strided);
  m.impl("_copy_from", &copy_from);
  m.impl("as_strided", TORCH_FN(at::cpu::as_strided));
  m.impl("view", TORCH_FN(at::cpu::view));
  m.impl("_reshape_alias", TORCH_FN(at::cpu::_reshape_alias));
  m.impl("set_.source_Storage_storage_offset", &set_storage);
  m.impl("convolution_overrideable", &convolution);
  m.impl("convolution_backward_overrideable", &convolution_gradient);
}

const bool registered = [] {
  c10::register_privateuse1_backend(kSecondDevice);
  c10::SetAllocator(kKind, &allocator);
  at::RegisterPrivateUse1HooksInterface(&hooks);
  return true;
}();

}  // namespace

DeviceCounts device_counts() { return {operations.load(), waits.load()}; }

}  // namespace areason::train
