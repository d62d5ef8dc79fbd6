#pragma once
// Where the running program lies. Used to find what is installed beside it. Thread rule: free function without state.
#include <string>

namespace areason {

// The directory of the running program; the working directory where the system does not say.
std::string executable_directory();

}  // namespace areason
