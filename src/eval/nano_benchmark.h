#pragma once
// nano's own benchmark: the frozen test files of `data synth` written in the released layouts of MMAU, MELD, AIR-Bench and
// CoVoST 2 (nano_translation.h; espeak-ng reads the Chinese side), so that everything that runs and scores those runs end to
// end on clips whose truth is known. Called by `eval make-benchmark`. Items that do not fit a layout (several clips, earlier
// turns, open questions) are left out and counted by kind. The versions are the SHA-256s in benchmark.json. Errors:
// Error(kInput, kFailure). Thread rule: free function.
#include <string>
#include <vector>

#include "base/json_fwd.h"

namespace areason {

struct NanoBenchmarkOptions {
  std::string data;  // folder of `data synth`
  std::string out;   // gets mmau/, meld/, airbench/, covost2/ and benchmark.json
  std::string split = "test-known";
  int per_kind = 0;  // the first so many of each kind; 0: all
};

// Clips are hard links where the file system allows, else copies. Returns what benchmark.json says.
Json make_nano_benchmark(const NanoBenchmarkOptions& options);

}  // namespace areason
