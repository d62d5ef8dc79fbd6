#pragma once
// Where tests find values computed by the reference implementation: the directory tiny of AREASON_REFERENCE when that is set,
// else of ../shared/reference, else of the repository's own tests/golden. Layout: tools/make_reference.py. Only *_test.cpp
// files and test helpers include it.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"

namespace areason {

// ".../tiny"; empty, with a loud message, when AREASON_REFERENCE names no such directory.
inline std::string tiny_reference() {
  const auto complete = [](const std::string& root) { return std::filesystem::exists(root + "/tiny/cases/cases.json"); };
  const char* named = std::getenv("AREASON_REFERENCE");
  const std::string root = named != nullptr ? named : complete("../shared/reference") ? "../shared/reference" : "tests/golden";
  if (complete(root)) return root + "/tiny";
  std::fprintf(stderr, "\n*** NO REFERENCE VALUES at %s (AREASON_REFERENCE names them): this test proves nothing here ***\n",
               root.c_str());
  return "";
}

// The clips of such a directory, from the shortest to the longest (which is longer than the model's window).
inline std::vector<std::string> reference_clips(const std::string& tiny) {
  std::vector<std::pair<int, std::string>> sized;
  const Json cases = read_json_file(tiny + "/cases/cases.json");
  for (const auto& [name, about] : cases.at("clips").items()) sized.emplace_back(about.at("mel_frames").get<int>(), name);
  std::sort(sized.begin(), sized.end());
  std::vector<std::string> out;
  for (const auto& [frames, name] : sized) out.push_back(name);
  return out;
}

}  // namespace areason
