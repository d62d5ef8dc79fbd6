#pragma once
// A clip as a provider is sent it: encoded bytes, their MIME type, duration and hash. Made once per clip and shared by every
// request about it (shared_ptr to const: requests stay cheap to copy). Called by eval, the data stages and the CLI.
// Units: seconds. Thread rule: values, read-only once made. Errors: Error(kInput) naming the file.
#include <memory>
#include <string>
#include <string_view>

#include "audio/waveform.h"

namespace areason::llm {

struct AudioData {
  std::string bytes;      // the file's content, e.g. a whole RIFF/WAVE
  std::string mime_type;  // "audio/wav", "audio/mp3", …
  double seconds = 0;
  std::string sha256;  // of `bytes`
};
using AudioPtr = std::shared_ptr<const AudioData>;

// 16-bit PCM WAV of one channel at the waveform's own rate.
AudioPtr audio_from_waveform(const Waveform& audio);
// Decodes any file that `ask` reads and encodes it as 16 kHz mono WAV: what every provider takes.
AudioPtr audio_from_file(const std::string& path);
// Sends `bytes` as they are; they are decoded once to learn the duration. `name` stands for them in messages.
AudioPtr audio_from_bytes(std::string bytes, const std::string& mime_type, const std::string& name);

std::string base64(std::string_view bytes);

}  // namespace areason::llm
