#include "cota/clip_maker.h"

#include <fmt/format.h>
#include <kiss_fftr.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>

#include "audio/write.h"
#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/interrupt.h"

namespace areason {
namespace {

constexpr double kShortestWindow = 0.1;  // audio/windows.h drops a shorter rest

// "12 of 300 clips, 4.1 a second, 70 s left", rewritten in place on a terminal, a line every 10 s elsewhere.
class Progress {
 public:
  Progress(std::string title, std::size_t total)
      : title_(std::move(title)), total_(total), start_(Clock::now()), shown_(start_) {}
  void step() {
    const std::lock_guard lock(mutex_);
    ++done_;
    const auto now = Clock::now();
    const double since = std::chrono::duration<double>(now - shown_).count();
    if (done_ != total_ && since < (terminal_ ? 0.5 : 10)) return;
    shown_ = now;
    const double rate = static_cast<double>(done_) / std::max(1e-3, std::chrono::duration<double>(now - start_).count());
    const std::string line = fmt::format("{}: {} of {} clips, {:.1f} a second, {:.0f} s left", title_, done_, total_, rate,
                                         static_cast<double>(total_ - done_) / rate);
    std::fprintf(stderr, terminal_ ? "\r\033[K%s%s" : "%s%s", line.c_str(), terminal_ && done_ != total_ ? "" : "\n");
  }

 private:
  using Clock = std::chrono::steady_clock;
  std::string title_;
  std::size_t total_, done_ = 0;
  Clock::time_point start_, shown_;
  bool terminal_ = isatty(STDERR_FILENO) == 1;
  std::mutex mutex_;
};

Waveform part(const Waveform& audio, double from, double to) {
  const auto rate = static_cast<double>(audio.sample_rate);
  const auto begin = std::min(audio.samples.size(), static_cast<std::size_t>(from * rate));
  const auto end = std::min(audio.samples.size(), static_cast<std::size_t>(to * rate));
  return {
      {audio.samples.begin() + static_cast<std::ptrdiff_t>(begin), audio.samples.begin() + static_cast<std::ptrdiff_t>(end)},
      audio.sample_rate};
}

Clip make_clip(const ClipOrder& order, const SceneSource& source, const std::string& dir) {
  Clip clip;
  clip.scene = source(order.id, order.type, order.split);
  Scene& scene = clip.scene;
  scene.id = order.id;
  if (!scene.staging) scene.type = order.type;  // the paper's sets say it themselves
  scene.split = order.split;
  scene.seconds = scene.audio.seconds();
  clip.bandwidth_hz = energy_bandwidth(scene.audio);
  const int windows = std::max(1, static_cast<int>(std::ceil((scene.seconds - kShortestWindow) / kWindowSeconds)));
  for (int w = 0; w < windows; ++w) {
    const std::string name = windows == 1 ? order.id : order.id + "-" + std::to_string(w + 1);
    clip.audio.push_back("clips/" + name + ".flac");
    const std::string path = dir + "/" + clip.audio.back();
    write_flac(path, part(scene.audio, w * kWindowSeconds, (w + 1) * kWindowSeconds));
    clip.sha256.push_back(sha256_file(path));
  }
  return clip;
}

bool files_exist(const Clip& clip, const std::string& dir) {
  return std::all_of(clip.audio.begin(), clip.audio.end(),
                     [&](const std::string& file) { return std::filesystem::exists(dir + "/" + file); });
}

struct Shared {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> stop{false};
  std::mutex mutex;
  std::exception_ptr error;
};

}  // namespace

double energy_bandwidth(const Waveform& audio) {
  constexpr int kSize = 512;
  const std::unique_ptr<kiss_fftr_state, void (*)(void*)> fft(kiss_fftr_alloc(kSize, 0, nullptr, nullptr), kiss_fft_free);
  std::vector<double> power(kSize / 2 + 1, 0);
  std::vector<float> frame(kSize);
  std::vector<kiss_fft_cpx> bins(kSize / 2 + 1);
  for (std::size_t at = 0; at + kSize <= audio.samples.size(); at += kSize) {
    for (std::size_t i = 0; i < kSize; ++i) {
      frame[i] = audio.samples[at + i] *
                 static_cast<float>(0.5 - 0.5 * std::cos(2 * 3.14159265358979 * static_cast<double>(i) / kSize));
    }
    kiss_fftr(fft.get(), frame.data(), bins.data());
    for (std::size_t k = 0; k < bins.size(); ++k) power[k] += bins[k].r * bins[k].r + bins[k].i * bins[k].i;
  }
  double total = 0, sum = 0;
  for (const double p : power) total += p;
  for (std::size_t k = 0; k < power.size(); ++k) {
    sum += power[k];
    if (sum >= 0.95 * total) return static_cast<double>(k) * audio.sample_rate / kSize;
  }
  return 0;
}

void make_clips(const std::vector<ClipOrder>& orders, const SceneSource& source, ClipStore& store,
                const ClipMakerOptions& options) {
  std::vector<const ClipOrder*> open;
  for (const ClipOrder& order : orders) {
    const Clip* made = store.find(order.id);
    if (made == nullptr || !files_exist(*made, options.dir)) open.push_back(&order);
  }
  if (open.empty()) return;
  make_directories(options.dir + "/clips");
  Progress progress(options.title, open.size());
  Shared shared;
  const auto work = [&] {
    while (!shared.stop && !interrupted()) {
      const std::size_t i = shared.next++;
      if (i >= open.size()) return;
      try {
        store.append(make_clip(*open[i], source, options.dir));
        progress.step();
      } catch (...) {
        const std::lock_guard lock(shared.mutex);
        if (!shared.error) shared.error = std::current_exception();
        shared.stop = true;
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int t = 1; t < options.threads; ++t) threads.emplace_back(work);
    work();
  }
  if (shared.error) std::rethrow_exception(shared.error);
  if (interrupted()) {
    throw Error(ErrorCode::kInterrupted, "stopped; the clips made so far are kept", "run the same command again to go on");
  }
}

}  // namespace areason
