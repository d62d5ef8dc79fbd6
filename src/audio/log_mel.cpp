#include "audio/log_mel.h"

#include <fmt/format.h>
#include <kiss_fftr.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numbers>

#include "audio/mel_filters.h"
#include "base/error.h"
#include "base/json.h"

namespace areason {
namespace {

void check_config(const LogMelConfig& c, const std::string& where) {
  const bool sane = c.sample_rate >= 1000 && c.sample_rate <= 768000 && c.n_fft >= 16 && c.n_fft <= 16384 && c.n_fft % 2 == 0 &&
                    c.hop >= 1 && c.hop <= c.n_fft && c.bins >= 1 && c.bins <= 1024 && c.chunk_seconds >= 1 &&
                    c.chunk_seconds <= 3600 && static_cast<long>(c.chunk_seconds) * c.sample_rate > c.n_fft;
  if (!sane)
    throw Error(ErrorCode::kModel,
                fmt::format("{} asks for an impossible spectrogram (rate {}, n_fft {}, hop {}, {} bins, {} s)", where,
                            c.sample_rate, c.n_fft, c.hop, c.bins, c.chunk_seconds),
                "use the preprocessor_config.json that belongs to the checkpoint");
}

void take(const Json& json, const char* key, const std::string& path, int& value) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return;
  if (!found->is_number() || std::abs(found->get<double>()) > 1e9)
    throw Error(ErrorCode::kModel, fmt::format("{}: {} is not a number of a usable size", path, key),
                "restore the released file");
  value = found->get<int>();
}

// transformers 5 may keep the extractor's settings inside processor_config.json.
Json read_settings(const std::string& dir, std::string& path) {
  path = dir + "/preprocessor_config.json";
  try {
    if (std::filesystem::exists(path)) return read_json_file(path);
    path = dir + "/processor_config.json";
    if (std::filesystem::exists(path)) {
      Json all = read_json_file(path);
      if (all.is_object() && all.contains("feature_extractor")) return all["feature_extractor"];
    }
  } catch (const Error& e) {
    throw Error(ErrorCode::kModel, e.what(), e.hint());
  }
  throw Error(ErrorCode::kModel, "no preprocessor_config.json in " + dir, "copy the checkpoint directory completely");
}

}  // namespace

LogMelConfig load_log_mel_config(const std::string& model_dir) {
  std::string path;
  const Json json = read_settings(model_dir, path);
  return parse_log_mel_config(json, path);
}

LogMelConfig parse_log_mel_config(const Json& json, const std::string& path) {
  if (!json.is_object()) throw Error(ErrorCode::kModel, path + " is no JSON object", "restore the released file");
  LogMelConfig config;
  take(json, "sampling_rate", path, config.sample_rate);
  take(json, "n_fft", path, config.n_fft);
  take(json, "hop_length", path, config.hop);
  take(json, "feature_size", path, config.bins);
  take(json, "chunk_length", path, config.chunk_seconds);
  check_config(config, path);
  return config;
}

struct LogMelExtractor::Tables {
  LogMelConfig config;
  std::vector<float> window;  // periodic Hann, n_fft
  std::vector<MelFilter> filters;
};

namespace {

// A frame of the 30 s signal that the reference builds: zeros after the samples, both ends reflected (without the edge sample).
class PaddedSignal {
 public:
  PaddedSignal(std::span<const float> samples, std::ptrdiff_t length) : samples_(samples), length_(length) {}
  // out[i] = signal[from + i] * window[i]
  void windowed(std::ptrdiff_t from, const std::vector<float>& window, std::vector<float>& out) const {
    const auto n = static_cast<std::ptrdiff_t>(window.size());
    if (from >= 0 && from + n <= static_cast<std::ptrdiff_t>(samples_.size())) {
      const float* p = samples_.data() + from;
      for (std::ptrdiff_t i = 0; i < n; ++i) out[static_cast<std::size_t>(i)] = p[i] * window[static_cast<std::size_t>(i)];
      return;
    }
    for (std::ptrdiff_t i = 0; i < n; ++i)
      out[static_cast<std::size_t>(i)] = at(from + i) * window[static_cast<std::size_t>(i)];
  }

 private:
  float at(std::ptrdiff_t i) const {
    if (i < 0) i = -i;
    if (i >= length_) i = 2 * (length_ - 1) - i;
    return i < static_cast<std::ptrdiff_t>(samples_.size()) ? samples_[static_cast<std::size_t>(i)] : 0.0f;
  }
  std::span<const float> samples_;
  std::ptrdiff_t length_;
};

struct FftDeleter {
  void operator()(kiss_fftr_cfg cfg) const { kiss_fftr_free(cfg); }
};
// A plan holds scratch memory, so every call of compute makes its own (some 10 µs).
using FftPlan = std::unique_ptr<std::remove_pointer_t<kiss_fftr_cfg>, FftDeleter>;

// log10 of one frame's mel energies into column `frame` of `mel`; returns the largest.
float frame_log_mel(const std::vector<float>& power, const std::vector<MelFilter>& filters, int frame, LogMel& mel) {
  float largest = -10.0f;
  for (std::size_t m = 0; m < filters.size(); ++m) {
    const float* p = power.data() + filters[m].first;
    float sum = 0;
    for (std::size_t k = 0; k < filters[m].weights.size(); ++k) sum += filters[m].weights[k] * p[k];
    const float value = std::log10(std::max(sum, 1e-10f));
    largest = std::max(largest, value);
    mel.data[m * static_cast<std::size_t>(mel.frames) + static_cast<std::size_t>(frame)] = value;
  }
  return largest;
}

}  // namespace

LogMelExtractor::LogMelExtractor(const LogMelConfig& config) {
  check_config(config, "the log-mel configuration");
  auto tables = std::make_unique<Tables>();
  tables->config = config;
  for (int i = 0; i < config.n_fft; ++i)
    tables->window.push_back(static_cast<float>(0.5 - 0.5 * std::cos(2 * std::numbers::pi * i / config.n_fft)));
  tables->filters = slaney_mel_filters(config.bins, config.n_fft, config.sample_rate);
  tables_ = std::move(tables);
}
LogMelExtractor::~LogMelExtractor() = default;
LogMelExtractor::LogMelExtractor(LogMelExtractor&&) noexcept = default;
LogMelExtractor& LogMelExtractor::operator=(LogMelExtractor&&) noexcept = default;
const LogMelConfig& LogMelExtractor::config() const { return tables_->config; }

LogMel LogMelExtractor::compute(std::span<const float> samples) const {
  const LogMelConfig& c = tables_->config;
  const auto chunk = static_cast<std::size_t>(c.chunk_seconds) * static_cast<std::size_t>(c.sample_rate);
  samples = samples.first(std::min(samples.size(), chunk));
  LogMel mel;
  mel.bins = c.bins;
  if (samples.empty()) return mel;
  const auto hop = static_cast<std::size_t>(c.hop);
  mel.valid_frames = std::min(static_cast<int>((samples.size() + hop - 1) / hop), c.max_frames());
  mel.frames = std::min(mel.valid_frames + 2, c.max_frames());
  mel.data.resize(static_cast<std::size_t>(c.bins) * static_cast<std::size_t>(mel.frames));

  const FftPlan plan(kiss_fftr_alloc(c.n_fft, 0, nullptr, nullptr));
  const PaddedSignal signal(samples, static_cast<std::ptrdiff_t>(chunk));
  std::vector<float> frame(static_cast<std::size_t>(c.n_fft));
  std::vector<kiss_fft_cpx> spectrum(static_cast<std::size_t>(c.n_fft / 2 + 1));
  std::vector<float> power(spectrum.size());
  float largest = -10.0f;  // the padding's value: frames beyond the computed ones cannot exceed it
  for (int t = 0; t < mel.frames; ++t) {
    signal.windowed(static_cast<std::ptrdiff_t>(t) * c.hop - c.n_fft / 2, tables_->window, frame);
    kiss_fftr(plan.get(), frame.data(), spectrum.data());
    for (std::size_t k = 0; k < power.size(); ++k) power[k] = spectrum[k].r * spectrum[k].r + spectrum[k].i * spectrum[k].i;
    largest = std::max(largest, frame_log_mel(power, tables_->filters, t, mel));
  }
  for (float& v : mel.data) v = (std::max(v, largest - 8.0f) + 4.0f) / 4.0f;
  return mel;
}

}  // namespace areason
