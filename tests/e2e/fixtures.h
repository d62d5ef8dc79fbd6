#pragma once
// Files for the end-to-end tests: a temporary directory, hand-made wav files, and copies of a small checkpoint with one thing
// changed. Thread rule: one thread.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/json_fwd.h"
#include "base/testing.h"

namespace areason::e2e {

// `seconds` of a 440 Hz tone, 16 kHz mono 16 bit. `claimed` bytes of samples in the header (negative: the truth).
std::string wav_tone(double seconds, std::int64_t claimed = -1);
// One channel of 32-bit floats: `good` samples of 0.1, then `last`.
std::string wav_float(int good, float last);

// A small checkpoint in the released layout: the reference's tiny model, else the repository's golden one, else models/nano.
// Empty when there is none (and says so).
std::string small_checkpoint();

// A copy of small_checkpoint() in a directory of its own: links, until a file is changed.
class Checkpoint {
 public:
  Checkpoint();
  const std::string& path() const { return dir_.path(); }
  std::string file(const std::string& name) const { return dir_.file(name); }
  void remove(const std::string& name) const;
  // Keeps the first half of a file.
  void tear(const std::string& name) const;
  void write(const std::string& name, std::string_view bytes) const;
  Json json(const std::string& name) const;
  // Some .safetensors file of the directory (the first by name).
  std::string weights() const;
  // Reads the header of a .safetensors file, lets `change` edit it, and writes the file with the new header.
  template <typename Change>
  void edit_header(const std::string& name, Change change) const {
    Json header = read_header(name);
    change(header);
    write_header(name, header);
  }

 private:
  Json read_header(const std::string& name) const;
  void write_header(const std::string& name, const Json& header) const;
  ScratchDir dir_;
};

}  // namespace areason::e2e
