# areason_backend_build(FILE...): gives these sources of the current folder the macro AREASON_BACKEND_BUILD, a hash of all that
# the program and a plug-in must have in common (src/model/backend_plugin.h).
function(areason_backend_build)
  set(seen "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} ${PROJECT_VERSION} ${AREASON_SANITIZE}")
  foreach(header base/error.h audio/log_mel.h kernels/kv_type.h model/config.h model/backend.h model/backend_plugin.h)
    file(SHA256 ${PROJECT_SOURCE_DIR}/src/${header} hash)
    string(APPEND seen " ${hash}")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${header})
  endforeach()
  string(SHA256 build "${seen}")
  set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_DEFINITIONS "AREASON_BACKEND_BUILD=\"${build}\"")
endfunction()
