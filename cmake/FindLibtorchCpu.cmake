# Finds libtorch by plain paths and makes the target Libtorch::cpu (libtorch_cpu and libc10 only).
# TorchConfig.cmake is not used: in a CUDA build of the wheel it demands a CUDA toolkit that the trainer does not need.
# Looked at, in this order: -DAREASON_LIBTORCH or $AREASON_LIBTORCH (a folder with include/ and lib/, or a Python
# environment), the project's .venv, $VIRTUAL_ENV.
set(_libtorch_roots ${AREASON_LIBTORCH} $ENV{AREASON_LIBTORCH} ${PROJECT_SOURCE_DIR}/.venv $ENV{VIRTUAL_ENV})
set(_libtorch_candidates)
foreach(root ${_libtorch_roots})
  file(GLOB _site ${root}/lib/python3*/site-packages/torch)
  list(APPEND _libtorch_candidates ${root} ${_site})
endforeach()
find_path(LibtorchCpu_INCLUDE_DIR ATen/ATen.h PATHS ${_libtorch_candidates} PATH_SUFFIXES include NO_DEFAULT_PATH)
find_library(LibtorchCpu_LIBRARY torch_cpu PATHS ${_libtorch_candidates} PATH_SUFFIXES lib NO_DEFAULT_PATH)
find_library(LibtorchCpu_C10 c10 PATHS ${_libtorch_candidates} PATH_SUFFIXES lib NO_DEFAULT_PATH)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibtorchCpu REQUIRED_VARS LibtorchCpu_LIBRARY LibtorchCpu_C10 LibtorchCpu_INCLUDE_DIR)
if(LibtorchCpu_FOUND AND NOT TARGET Libtorch::cpu)
  # Wheels before 2.6 were built with the old C++ library ABI; their symbols say so.
  file(STRINGS ${LibtorchCpu_C10} _libtorch_new_abi REGEX "__cxx1112basic_string" LIMIT_COUNT 1)
  set(_libtorch_abi 1)
  if(NOT _libtorch_new_abi)
    set(_libtorch_abi 0)
  endif()
  add_library(Libtorch::cpu INTERFACE IMPORTED)
  set_target_properties(Libtorch::cpu PROPERTIES
    # After the system's: the wheel carries an own copy of fmt's headers.
    INTERFACE_COMPILE_OPTIONS "SHELL:-idirafter ${LibtorchCpu_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES "${LibtorchCpu_LIBRARY};${LibtorchCpu_C10}"
    INTERFACE_COMPILE_DEFINITIONS "_GLIBCXX_USE_CXX11_ABI=${_libtorch_abi}")
endif()
mark_as_advanced(LibtorchCpu_INCLUDE_DIR LibtorchCpu_LIBRARY LibtorchCpu_C10)
