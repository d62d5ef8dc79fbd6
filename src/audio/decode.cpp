#include "audio/decode.h"

#include <fmt/format.h>

#include <optional>

#include "audio/resampler.h"
#include "audio/stream.h"
#include "base/error.h"

namespace areason {
namespace {

constexpr int kModelRate = 16000;
// 8 GiB of floats: 4 h of stereo at 48 kHz and a little more.
constexpr std::size_t kMaxValues = std::size_t{1} << 31;

// Adds the mean of the channels of each frame to `out`, in float as numpy does it.
void append_mean(std::span<const float> interleaved, int channels, std::vector<float>& out) {
  if (channels == 1) {
    out.insert(out.end(), interleaved.begin(), interleaved.end());
    return;
  }
  const auto step = static_cast<std::size_t>(channels);
  out.reserve(out.size() + interleaved.size() / step);
  for (std::size_t f = 0; f + step <= interleaved.size(); f += step) {
    float sum = 0;
    for (std::size_t c = 0; c < step; ++c) sum += interleaved[f + c];
    out.push_back(sum / static_cast<float>(channels));
  }
}

class CollectSink : public FrameSink {
 public:
  using FrameSink::FrameSink;
  DecodedAudio audio;

 protected:
  void on_start(const StreamFormat& format) override {
    audio.channels = format.channels;
    audio.sample_rate = format.sample_rate;
  }
  void on_frames(std::span<const float> interleaved) override {
    if (audio.samples.size() + interleaved.size() > kMaxValues) fail_too_long();
    audio.samples.insert(audio.samples.end(), interleaved.begin(), interleaved.end());
  }
};

// Keeps only one channel at 16 kHz, so that long clips of high rates fit into memory.
class ModelSink : public FrameSink {
 public:
  using FrameSink::FrameSink;
  Waveform finish() { return {resampler_->finish(), kModelRate}; }

 protected:
  void on_start(const StreamFormat& format) override {
    channels_ = format.channels;
    resampler_.emplace(format.sample_rate, kModelRate);
  }
  void on_frames(std::span<const float> interleaved) override {
    mono_.clear();
    append_mean(interleaved, channels_, mono_);
    resampler_->push(mono_);
  }

 private:
  int channels_ = 1;
  std::optional<Resampler> resampler_;
  std::vector<float> mono_;
};

[[noreturn]] void fail_unknown(const std::string& name, const std::string& sndfile_error, const std::string& ffmpeg_error,
                               bool ffmpeg_missing) {
  std::string why = sndfile_error;
  while (!why.empty() && (why.back() == '.' || why.back() == '\n')) why.pop_back();
  if (!ffmpeg_error.empty()) why += "; " + (ffmpeg_missing ? ffmpeg_error : "ffmpeg: " + ffmpeg_error);
  throw Error(
      ErrorCode::kInput, fmt::format("{} cannot be read as audio: {}", name, why),
      ffmpeg_missing
          ? "wav, flac, ogg, opus, mp3 and aiff are read directly; install ffmpeg (apt-get install ffmpeg) for m4a, webm, mp4"
          : "check that it is an audio file (wav, flac, ogg, opus, mp3, aiff, m4a, webm, mp4 …) and complete");
}

void stream_audio(const ByteSource& source, FrameSink& sink, const DecodeOptions& options) {
  if (source.size() == 0) throw Error(ErrorCode::kInput, sink.name() + " is empty (0 bytes)", "check what wrote it");
  const std::string sndfile_error = read_with_sndfile(source, sink);
  if (!sndfile_error.empty()) {
    check_container_length(source, sink.name());
    bool missing = false;
    const std::string error = options.fallback == Fallback::kNone ? "" : read_with_ffmpeg(source, sink, &missing);
    if (!error.empty() || options.fallback == Fallback::kNone) fail_unknown(sink.name(), sndfile_error, error, missing);
  }
  if (sink.total_frames() == 0)
    throw Error(ErrorCode::kInput, sink.name() + " holds no samples", "record or export the clip again");
}

}  // namespace

DecodedAudio decode_audio(const std::string& path, const DecodeOptions& options) {
  CollectSink sink(display_name(path), options);
  stream_audio(*open_byte_source(path), sink, options);
  return std::move(sink.audio);
}

DecodedAudio decode_audio_bytes(std::span<const std::byte> bytes, const std::string& name, const DecodeOptions& options) {
  CollectSink sink(display_name(name), options);
  stream_audio(*memory_byte_source(bytes), sink, options);
  return std::move(sink.audio);
}

Waveform mix_down(const DecodedAudio& audio) {
  Waveform out;
  out.sample_rate = audio.sample_rate;
  append_mean(audio.samples, audio.channels, out.samples);
  return out;
}

Waveform resample(const Waveform& in, int rate) {
  Resampler resampler(in.sample_rate, rate);
  resampler.push(in.samples);
  return {resampler.finish(), rate};
}

Waveform load_audio_16k(const std::string& path, const DecodeOptions& options) {
  ModelSink sink(display_name(path), options);
  stream_audio(*open_byte_source(path), sink, options);
  return sink.finish();
}

}  // namespace areason
