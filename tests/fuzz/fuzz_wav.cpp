// Sound files as users hand them over: any bytes through the decoder (no ffmpeg), then resampling and the log-mel spectrogram.
#include <cmath>
#include <span>

#include "audio/decode.h"
#include "audio/log_mel.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace areason;
  static const LogMelExtractor extractor(LogMelConfig{});
  DecodeOptions options;
  options.fallback = Fallback::kNone;
  options.max_seconds = 2;  // a few bytes of FLAC can hold hours of silence: keep each run short
  fuzz::only_errors([&] {
    const DecodedAudio audio = decode_audio_bytes(std::as_bytes(std::span(data, size)), "input", options);
    fuzz::require(!audio.samples.empty() && audio.samples.size() % static_cast<std::size_t>(audio.channels) == 0,
                  "whole frames");
    const Waveform heard = resample(mix_down(audio), 16000);
    for (const float v : extractor.compute(heard.samples).data) fuzz::require(std::isfinite(v), "finite log-mel");
  });
  return 0;
}
