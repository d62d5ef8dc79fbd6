#pragma once
// Files to samples. Everything libsndfile reads is decoded in process; other containers (m4a, webm, mp4 …) go through an
// `ffmpeg` on PATH; "-" reads standard input. Called by reason (ask, chat), data importers and the trainer.
// Errors: Error(kInput) naming the file for anything unreadable, empty, non-finite or absurdly long.
// Thread rule: free functions without state.
#include <cstddef>
#include <span>
#include <string>

#include "audio/waveform.h"

namespace areason {

enum class Fallback { kFfmpeg, kNone };

struct DecodeOptions {
  // Refuse a file whose header or content goes on for longer than this (a lying header must not allocate).
  double max_seconds = 4 * 3600.0;
  // Who tries what libsndfile does not know; kNone starts no process (fuzzing).
  Fallback fallback = Fallback::kFfmpeg;
};

// Decodes at the file's own rate and channels.
DecodedAudio decode_audio(const std::string& path, const DecodeOptions& options = {});
// The same for bytes in memory; `name` stands for them in messages.
DecodedAudio decode_audio_bytes(std::span<const std::byte> bytes, const std::string& name, const DecodeOptions& options = {});
// Mean of the channels.
Waveform mix_down(const DecodedAudio& audio);
// soxr HQ; the result has ceil(n * rate / from) samples, zero-padded as librosa.resample does (its soxr_hq).
Waveform resample(const Waveform& in, int rate);
// decode_audio + mix_down + resample to 16 kHz: what the model hears. Equal to librosa.load(path, sr=16000) within 1e-4.
Waveform load_audio_16k(const std::string& path, const DecodeOptions& options = {});

}  // namespace areason
