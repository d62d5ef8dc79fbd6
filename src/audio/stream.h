#pragma once
// Decoded audio on its way from a decoder (libsndfile, ffmpeg) to whoever keeps it, in pieces, so that nothing is ever
// allocated on the word of a header. Used inside this folder only. Thread rule: one thread at a time.
#include <cstdint>
#include <span>
#include <string>

#include "audio/byte_source.h"
#include "audio/decode.h"

namespace areason {

struct StreamFormat {
  int channels = 1;
  int sample_rate = 16000;  // Hz
};

// Receives one sound: start once, then frames. The public functions check, the virtual ones keep.
class FrameSink {
 public:
  FrameSink(std::string name, const DecodeOptions& options) : name_(std::move(name)), max_seconds_(options.max_seconds) {}
  virtual ~FrameSink() = default;
  // Throws Error(kInput) for a format nobody can mean (no channels, rate outside 100 Hz … 768 kHz).
  void start(const StreamFormat& format);
  // Interleaved whole frames. Throws Error(kInput) at a NaN, an infinity or a value beyond 1e10, and after max_seconds.
  void frames(std::span<const float> interleaved);
  std::uint64_t total_frames() const { return total_frames_; }
  const std::string& name() const { return name_; }
  double max_seconds() const { return max_seconds_; }
  [[noreturn]] void fail_too_long() const;

 protected:
  virtual void on_start(const StreamFormat& format) = 0;
  virtual void on_frames(std::span<const float> interleaved) = 0;

 private:
  std::string name_;
  double max_seconds_;
  StreamFormat format_;
  std::uint64_t total_frames_ = 0;
};

// Decodes with libsndfile. Returns an empty string when done, else why libsndfile cannot open the bytes (nothing was sent to
// the sink then). Throws Error(kInput) for a file that it knows but that is broken.
std::string read_with_sndfile(const ByteSource& source, FrameSink& sink);
// Decodes with the ffmpeg on PATH. Same result; `*missing` tells that there is no ffmpeg.
std::string read_with_ffmpeg(const ByteSource& source, FrameSink& sink, bool* missing);
// For containers that state the length of their samples (RIFF/RIFX WAVE, RF64, AIFF): throws Error(kInput) when the file holds
// less, because libsndfile would quietly shorten it. Placeholder lengths that streaming writers leave are accepted.
void check_container_length(const ByteSource& source, const std::string& name);

}  // namespace areason
