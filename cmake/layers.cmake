# areason_layer(NAME [LIGHT] [APART] [DEPS layer|library...]): src/NAME/*.cpp becomes the static library areason_NAME and
# src/NAME/*_test.cpp becomes the test program NAME_test. Sources are found by a glob so that adding a file needs no edit.
# LIGHT: a layer that waits for files, networks or people. It and all tests are compiled with -O1, which takes less time.
# APART: no file of it is compiled in a group.
set(AREASON_LIGHT $<$<CONFIG:Release>:-O1>)

# Most of a compilation is reading headers and instantiating what they declare; a group of files does it once. Names in unnamed namespaces have to differ within a layer because of it.
set(AREASON_UNITY 8 CACHE STRING "files of a layer that are compiled together (0: each by itself)")

# areason_group(TARGET): compiles this target's files in groups.
function(areason_group target)
  if(AREASON_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${AREASON_UNITY})
  endif()
endfunction()

add_library(areason_options INTERFACE)
target_include_directories(areason_options INTERFACE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
target_compile_options(areason_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # False alarm of GCC 12 at -O3 for "literal" + std::string (gcc.gnu.org/PR105651).
  target_compile_options(areason_options INTERFACE -Wno-restrict)
endif()
if(AREASON_UNITY AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # For GCC a group's files are headers, in which a type should not depend on an unnamed namespace.
  target_compile_options(areason_options INTERFACE -Wno-subobject-linkage)
endif()
if(AREASON_WERROR)
  target_compile_options(areason_options INTERFACE -Werror)
endif()
if(AREASON_SANITIZE)
  # Sanitizers make GCC see uninitialised values in std::regex that are not there (GCC's manual, -fsanitize=address).
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(areason_options INTERFACE -Wno-maybe-uninitialized)
  endif()
  target_compile_options(areason_options INTERFACE -fsanitize=${AREASON_SANITIZE} -fno-omit-frame-pointer
                         -fno-sanitize-recover=all)
  target_link_options(areason_options INTERFACE -fsanitize=${AREASON_SANITIZE})
endif()
if(AREASON_FUZZ)
  target_compile_options(areason_options INTERFACE -fsanitize=fuzzer-no-link,address,undefined)
  target_link_options(areason_options INTERFACE -fsanitize=address,undefined)
endif()
find_program(AREASON_CCACHE ccache)
if(AREASON_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${AREASON_CCACHE})
endif()

# areason_tests(PROGRAM LABEL): makes every test of the program one of ctest's. Both limits guard against a hang only: the
# default of 5 s for the list of tests is too short for a program that loads libtorch from a cold disk on a busy machine.
function(areason_tests program label)
  gtest_discover_tests(${program} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 300 WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
                       PROPERTIES LABELS ${label} TIMEOUT 1500)
endfunction()

function(areason_layer name)
  cmake_parse_arguments(ARG "LIGHT;APART" "" "DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  if(NOT sources)
    add_library(areason_${name} INTERFACE)
    return()
  endif()
  add_library(areason_${name} STATIC ${sources})
  target_link_libraries(areason_${name} PUBLIC areason_options ${ARG_DEPS})
  if(NOT ARG_APART)
    areason_group(areason_${name})
  endif()
  if(ARG_LIGHT)
    target_compile_options(areason_${name} PRIVATE ${AREASON_LIGHT})
  endif()
  if(AREASON_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE areason_${name} GTest::gtest_main)
    target_compile_options(${name}_test PRIVATE ${AREASON_LIGHT})
    if(NOT ARG_APART)
      areason_group(${name}_test)
    endif()
    areason_tests(${name}_test ${name})
  endif()
endfunction()
