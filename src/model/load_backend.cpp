#include "model/load_backend.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "base/program.h"
#include "model/backend_plugin.h"
#include "model/qwen2_audio.h"

namespace areason {
namespace {

namespace fs = std::filesystem;

std::string plugin_file(const std::string& backend) { return "libareason_" + backend + ".so"; }

std::string find_plugin(const std::string& backend) {
  std::string looked_in;
  for (const std::string& folder : backend_folders()) {
    const fs::path path = fs::path(folder) / plugin_file(backend);
    std::error_code ignored;
    if (fs::exists(path, ignored)) return path.string();
    looked_in += (looked_in.empty() ? "" : ", ") + folder;
  }
  throw Error(ErrorCode::kFailure, "the backend " + backend + " is not there: no " + plugin_file(backend) + " in " + looked_in,
              "build it (scripts/venv trainer gets libtorch, then configure and build again), or name its folder in "
              "AREASON_BACKEND_PATH");
}

const BackendPlugin& open_plugin(const std::string& path) {
  // Never closed: objects and exceptions of the plug-in need its code to the end.
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = dlerror();
    throw Error(
        ErrorCode::kFailure, "cannot load " + path + ": " + (reason != nullptr ? reason : "no reason given"),
        "its libraries are not where they were when it was built: name the folder of libtorch_cpu.so in LD_LIBRARY_PATH, "
        "or build again");
  }
  const auto entry = reinterpret_cast<decltype(&areason_backend_plugin)>(dlsym(library, kBackendPluginSymbol));
  if (entry == nullptr) throw Error(ErrorCode::kFailure, path + " is no backend of this program", "remove the file");
  const BackendPlugin* plugin = entry();
  if (plugin == nullptr || plugin->version != kBackendPluginVersion || std::string(plugin->build) != AREASON_BACKEND_BUILD)
    throw Error(ErrorCode::kFailure, path + " was built from other sources than this program",
                "build both together, and install both");
  return *plugin;
}

std::unique_ptr<ModelBackend> load_native(const std::string& model, const BackendOptions& options) {
  if (options.device != "cpu" || options.dtype != "auto")
    throw Error(ErrorCode::kUsage, "the native backend runs on the CPU, with the weights as the files have them",
                "--device and --dtype belong to --backend torch");
  auto out = std::make_unique<Qwen2Audio>(Qwen2Audio::load(model, options.threads));
  if (options.kv_type) out->set_kv_type(*options.kv_type);
  return out;
}

}  // namespace

std::vector<std::string> backend_folders() {
  const fs::path own = executable_directory();
  std::vector<std::string> out = {own.string(), (own / "lib").string(), (own.parent_path() / "lib").string()};
  const char* named = std::getenv("AREASON_BACKEND_PATH");
  std::string rest = named == nullptr ? "" : named;
  while (!rest.empty()) {
    const auto colon = rest.find(':');
    if (colon != 0) out.push_back(rest.substr(0, colon));
    rest = colon == std::string::npos ? "" : rest.substr(colon + 1);
  }
  return out;
}

std::unique_ptr<ModelBackend> load_backend(const std::string& model, const BackendOptions& options) {
  if (options.is_native()) return load_native(model, options);
  if (options.name != "torch") throw Error(ErrorCode::kUsage, "there is no backend " + options.name, "choose native or torch");
  const BackendPlugin& plugin = open_plugin(find_plugin(options.name));
  const BackendRequest request{model.c_str(), options.device.c_str(), options.dtype.c_str(), options.threads};
  BackendFailure failure{};
  std::unique_ptr<ModelBackend> out(plugin.create(&request, &failure));
  if (out == nullptr) throw Error(static_cast<ErrorCode>(failure.code), failure.message, failure.hint);
  if (options.kv_type && *options.kv_type != out->kv_type())
    throw Error(ErrorCode::kUsage,
                std::string("the torch backend keeps keys and values in its own type, here ") + kv_type_name(out->kv_type()),
                "leave out --kv-type, or choose --dtype");
  return out;
}

}  // namespace areason
