// The plug-in libareason_torch.so: the one function by which the program gets the model on libtorch.
#include <algorithm>
#include <span>
#include <string_view>

#include "base/error.h"
#include "libtorch/load.h"
#include "model/backend_plugin.h"

namespace {

void copy_text(std::string_view from, std::span<char> to) {
  const std::size_t count = std::min(from.size(), to.size() - 1);
  std::copy_n(from.data(), count, to.data());
  to[count] = '\0';
}

void tell(const areason::Error& error, areason::BackendFailure& failure) {
  failure.code = static_cast<int>(error.code());
  copy_text(error.what(), failure.message);
  copy_text(error.hint(), failure.hint);
}

areason::ModelBackend* create(const areason::BackendRequest* request, areason::BackendFailure* failure) {
  try {
    return areason::libtorch::load_torch_model(request->model, {request->device, request->dtype, request->threads}).release();
  } catch (const areason::Error& e) {
    tell(e, *failure);
  } catch (const std::exception& e) {
    tell({areason::ErrorCode::kFailure, e.what(), "this is a bug: please report it"}, *failure);
  }
  return nullptr;
}

}  // namespace

const areason::BackendPlugin* areason_backend_plugin() {
  static const areason::BackendPlugin plugin{areason::kBackendPluginVersion, AREASON_BACKEND_BUILD, create};
  return &plugin;
}
