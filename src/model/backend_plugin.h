#pragma once
// The door between the program and a plug-in with another implementation of the network: one C function that hands out a table.
// The objects behind it are C++, so both sides must come from the same sources and compiler; `build`, a hash over both (of the
// headers named in cmake/backend_build.cmake), says whether they do and is compared before anything else is touched.
// Called by load_backend.cpp; defined by src/libtorch/main.cpp. Thread rule: as load_backend.h.
#include <cstdint>

namespace areason {

class ModelBackend;

inline constexpr std::uint32_t kBackendPluginVersion = 1;  // of this header
inline constexpr const char* kBackendPluginSymbol = "areason_backend_plugin";

struct BackendRequest {
  const char* model;
  const char* device;
  const char* dtype;
  int threads;
};

// What create() says in place of throwing.
struct BackendFailure {
  int code;  // of Error
  char message[1024];
  char hint[512];
};

struct BackendPlugin {
  std::uint32_t version;
  const char* build;
  // Null with `failure` filled in. The caller deletes the result.
  ModelBackend* (*create)(const BackendRequest* request, BackendFailure* failure);
};

}  // namespace areason

extern "C" const areason::BackendPlugin* areason_backend_plugin();
