#pragma once
// Whisper's log-mel spectrogram (transformers: feature_extraction_whisper.py), of the valid frames plus the two frames of
// padding that the encoder's convolutions see (design decision 3). Called by reason and the trainer.
// Units: samples at config.sample_rate; values about [-1, 1.5]. Thread rule: an extractor is constant after construction;
// compute() may run on several threads at once.
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/json_fwd.h"

namespace areason {

// preprocessor_config.json; the defaults are those of the released checkpoint.
struct LogMelConfig {
  int sample_rate = 16000;
  int n_fft = 400;
  int hop = 160;
  int bins = 128;          // feature_size
  int chunk_seconds = 30;  // longer input is cut (chunk_length)
  int max_frames() const { return chunk_seconds * sample_rate / hop; }
};

// Reads preprocessor_config.json of a checkpoint directory; missing fields take the defaults. Throws Error(kModel).
LogMelConfig load_log_mel_config(const std::string& model_dir);
// The same of a parsed file; `where` names it in errors.
LogMelConfig parse_log_mel_config(const Json& json, const std::string& where);

struct LogMel {
  int bins = 0;
  int valid_frames = 0;     // F = ceil(samples / hop), at most max_frames
  int frames = 0;           // computed frames: min(F + 2, max_frames)
  std::vector<float> data;  // [bins][frames], row-major
};

class LogMelExtractor {
 public:
  explicit LogMelExtractor(const LogMelConfig& config);
  ~LogMelExtractor();
  LogMelExtractor(LogMelExtractor&&) noexcept;
  LogMelExtractor& operator=(LogMelExtractor&&) noexcept;
  const LogMelConfig& config() const;
  // `samples` beyond the chunk are ignored. No samples give F = 0 and no frames.
  LogMel compute(std::span<const float> samples) const;

 private:
  struct Tables;
  std::unique_ptr<const Tables> tables_;
};

}  // namespace areason
