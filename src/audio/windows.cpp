#include "audio/windows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace areason {
namespace {
constexpr double kShortestTail = 0.1;  // seconds
}

LongAudio parse_long_audio(const std::string& name) {
  if (name == "windows") return LongAudio::kWindows;
  if (name == "truncate") return LongAudio::kTruncate;
  if (name == "error") return LongAudio::kError;
  throw Error(ErrorCode::kUsage, "unknown policy for long audio: " + name, "use windows, truncate or error");
}

std::vector<AudioWindow> split_long_audio(const Waveform& audio, LongAudio policy, double window_seconds,
                                          const std::string& name) {
  const std::size_t total = audio.samples.size();
  const auto window = static_cast<std::size_t>(std::lround(std::max(0.0, window_seconds) * audio.sample_rate));
  if (window == 0) throw Error(ErrorCode::kUsage, "the audio window has no length", "give a window of some seconds");
  if (total <= window) return {AudioWindow{audio, 0, false}};
  if (policy == LongAudio::kError)
    throw Error(ErrorCode::kInput,
                fmt::format("{} is {:.1f} s long, the model hears {:g} s at once", name, audio.seconds(), window_seconds),
                "use --long-audio windows or truncate, or cut the clip");
  std::vector<AudioWindow> out;
  const std::size_t shortest = static_cast<std::size_t>(kShortestTail * audio.sample_rate);
  for (std::size_t from = 0; from < total; from += window) {
    const std::size_t count = std::min(window, total - from);
    if (count < shortest) break;
    AudioWindow w;
    w.audio.sample_rate = audio.sample_rate;
    w.audio.samples.assign(audio.samples.begin() + static_cast<std::ptrdiff_t>(from),
                           audio.samples.begin() + static_cast<std::ptrdiff_t>(from + count));
    w.from_seconds = static_cast<double>(from) / audio.sample_rate;
    w.truncated = from + count < total && (policy == LongAudio::kTruncate || total - from - count < shortest);
    out.push_back(std::move(w));
    if (policy == LongAudio::kTruncate) break;
  }
  return out;
}

}  // namespace areason
