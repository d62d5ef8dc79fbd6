#pragma once
// Samples to files, written atomically (temporary name, then rename). 16-bit PCM; values outside [-1, 1] are clipped.
// Called by data synth and tests. Errors: Error(kFailure) naming the path.
#include <string>

#include "audio/waveform.h"

namespace areason {

void write_wav(const std::string& path, const Waveform& audio);
void write_flac(const std::string& path, const Waveform& audio);

}  // namespace areason
