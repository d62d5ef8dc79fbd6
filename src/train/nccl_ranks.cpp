#include "train/nccl_ranks.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "train/device.h"
#include "train/nccl_api.h"

namespace areason::train {

namespace nccl {
namespace {

template <typename Function>
void find(void* library, const std::string& where, const char* name, Function& out) {
  out = reinterpret_cast<Function>(dlsym(library, name));
  if (out == nullptr)
    throw Error(ErrorCode::kFailure, where + " has no function " + name, "NCCL 2.2 or newer is needed (libnccl.so.2)");
}

}  // namespace

Api load(const std::string& library) {
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* reason = dlerror();
    throw Error(ErrorCode::kFailure, fmt::format("NCCL cannot be loaded: {}", reason != nullptr ? reason : library),
                "install NCCL (the package nvidia-nccl of torch's CUDA builds has it), name it with --nccl FILE, "
                "or use --collectives mpi");
  }
  Api api{};
  find(handle, library, "ncclGetVersion", api.get_version);
  find(handle, library, "ncclGetUniqueId", api.get_unique_id);
  find(handle, library, "ncclCommInitRank", api.comm_init_rank);
  find(handle, library, "ncclCommDestroy", api.comm_destroy);
  find(handle, library, "ncclCommAbort", api.comm_abort);
  find(handle, library, "ncclGetErrorString", api.get_error_string);
  find(handle, library, "ncclAllGather", api.all_gather);
  find(handle, library, "ncclReduceScatter", api.reduce_scatter);
  find(handle, library, "ncclReduce", api.reduce);
  find(handle, library, "ncclBroadcast", api.broadcast);
  return api;
}

}  // namespace nccl

namespace {

class NcclRanks : public Ranks {
 public:
  NcclRanks(Ranks& control, at::Device device, const nccl::Api& api) : control_(&control), device_(device), api_(api) {
    nccl::UniqueId id{};
    if (first()) check(api_.get_unique_id(&id), "ncclGetUniqueId");
    const std::string bytes = control_->from_first(std::string(id.internal, sizeof(id.internal)));
    std::copy(bytes.begin(), bytes.end(), id.internal);
    check(api_.comm_init_rank(&comm_, size(), id, rank()), "ncclCommInitRank");
  }
  ~NcclRanks() override {
    if (comm_ != nullptr) api_.comm_destroy(comm_);
  }
  void own(std::unique_ptr<Ranks> control) { owned_ = std::move(control); }
  int rank() const override { return control_->rank(); }
  int size() const override { return control_->size(); }

  void sum_to(int owner, at::Tensor tensor) override {
    if (!here(tensor)) return control_->sum_to(owner, tensor);
    void* data = tensor.data_ptr();
    check(api_.reduce(data, data, count(tensor), nccl::kFloat32, nccl::kSum, owner, comm_, stream()), "ncclReduce");
  }
  void broadcast(int from, at::Tensor tensor) override {
    if (!here(tensor)) return control_->broadcast(from, tensor);
    void* data = tensor.data_ptr();
    check(api_.broadcast(data, data, count(tensor), nccl::kFloat32, from, comm_, stream()), "ncclBroadcast");
  }
  void send_to_first(int from, at::Tensor tensor) override { control_->send_to_first(from, tensor); }
  void all_gather(const at::Tensor& part, at::Tensor whole) override {
    if (!here(whole)) return control_->all_gather(part, whole);
    check(api_.all_gather(part.data_ptr(), whole.data_ptr(), part_count(part, whole), nccl::kFloat32, comm_, stream()),
          "ncclAllGather");
  }
  void reduce_scatter(const at::Tensor& whole, at::Tensor part) override {
    if (!here(whole)) return control_->reduce_scatter(whole, part);
    check(api_.reduce_scatter(whole.data_ptr(), part.data_ptr(), part_count(part, whole), nccl::kFloat32, nccl::kSum, comm_,
                              stream()),
          "ncclReduceScatter");
  }
  void sum(std::vector<double>& values) override { control_->sum(values); }
  std::string from_first(const std::string& text) override { return control_->from_first(text); }
  // The communicator is taken down first, so that no kernel of ours goes on waiting for a rank that is gone.
  void end_all(int status) override {
    if (const nccl::Comm comm = std::exchange(comm_, nullptr); comm != nullptr) api_.comm_abort(comm);
    control_->end_all(status);
  }

 private:
  bool here(const at::Tensor& tensor) const { return tensor.device() == device_; }
  nccl::Stream stream() const { return static_cast<nccl::Stream>(current_stream(device_)); }
  std::size_t count(const at::Tensor& tensor) const {
    if (!tensor.is_contiguous() || tensor.scalar_type() != at::kFloat)
      throw Error(ErrorCode::kFailure, "only contiguous f32 tensors are exchanged", "this is a bug");
    return static_cast<std::size_t>(tensor.numel());
  }
  std::size_t part_count(const at::Tensor& part, const at::Tensor& whole) const {
    if (count(part) * static_cast<std::size_t>(size()) != count(whole) || !here(part))
      throw Error(ErrorCode::kFailure, "a part of " + std::to_string(part.numel()) + " elements cannot be exchanged",
                  "this is a bug");
    return count(part);
  }
  void check(nccl::Result result, const char* function) const {
    if (result == nccl::kSuccess) return;
    throw Error(ErrorCode::kFailure, fmt::format("{}: {}", function, api_.get_error_string(result)),
                "start it with NCCL_DEBUG=WARN for NCCL's own report; two ranks cannot share a GPU; or use --collectives mpi");
  }

  Ranks* control_;
  std::unique_ptr<Ranks> owned_;
  at::Device device_;
  nccl::Api api_;
  nccl::Comm comm_ = nullptr;
};

// Whether every rank could load it: one without it would be waited for.
bool all_have(Ranks& ranks, bool own) {
  std::vector<double> having = {own ? 1.0 : 0.0};
  ranks.sum(having);
  return std::lround(having[0]) == ranks.size();
}

}  // namespace

void use_collectives(std::unique_ptr<Ranks>& ranks, at::Device device, const CollectivesOptions& options) {
  const bool wanted = options.kind == Collectives::kNccl;
  if (wanted && device.is_cpu())
    throw Error(ErrorCode::kUsage, "NCCL exchanges what lies on GPUs, not on the processor", "use --device cuda with it");
  if (options.kind == Collectives::kMpi || device.is_cpu()) return;
  if (!wanted && (!device.is_cuda() || ranks->size() == 1)) return;
  std::optional<nccl::Api> api;
  std::string why;
  try {
    api = nccl::load(options.nccl);
  } catch (const Error& e) {
    if (wanted) throw;
    why = e.what();
  }
  if (!all_have(*ranks, api.has_value())) {
    if (ranks->first())
      log_warning("weights and gradients go through the processors' memory over MPI, which is slow: " +
                  (why.empty() ? "another rank has no NCCL" : why));
    return;
  }
  int version = 0;
  api->get_version(&version);
  if (ranks->first()) log_info(fmt::format("weights and gradients are exchanged by NCCL ({})", version));
  auto on_top = std::make_unique<NcclRanks>(*ranks, device, *api);
  on_top->own(std::move(ranks));
  ranks = std::move(on_top);
}

}  // namespace areason::train
