#include "train/features.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "audio/decode.h"
#include "audio/windows.h"
#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "chat/prompt.h"
#include "train/batch_workers.h"

namespace areason::train {
namespace {

namespace fs = std::filesystem;

}  // namespace

std::vector<LogMel> clip_mels(const std::string& path, const LogMelExtractor& extractor) {
  std::vector<LogMel> out;
  const Waveform wave = load_audio_16k(path);
  for (const AudioWindow& w : split_long_audio(wave, LongAudio::kWindows, extractor.config().chunk_seconds, path)) {
    LogMel mel = extractor.compute(w.audio.samples);
    if (audio_tokens(mel.valid_frames) == 0) throw Error(ErrorCode::kInput, path + " is too short to hear", "leave it out");
    out.push_back(std::move(mel));
  }
  return out;
}

std::string tower_fingerprint(const TrainModel& model) {
  std::string all;
  for (const Parameter& p : model.parameters()) {
    if (p.part != PartOfModel::kAudioTower) continue;
    const at::Tensor host = p.value.to(at::kCPU);
    all += p.name + sha256_hex({static_cast<const char*>(host.data_ptr()), host.nbytes()});
  }
  return sha256_hex(all).substr(0, 16);
}

FeatureCache::FeatureCache(std::string directory, std::string fingerprint, int width)
    : directory_(std::move(directory)), fingerprint_(std::move(fingerprint)), width_(width) {
  make_directories(directory_);
  read_index();
}

void FeatureCache::read_index() {
  const std::string data = directory_ + "/features.f16";
  const std::int64_t row_bytes = width_ * 2;
  rows_ = fs::exists(data) ? static_cast<std::int64_t>(fs::file_size(data)) / row_bytes : 0;
  std::ifstream in(directory_ + "/index.jsonl");
  for (std::string line; std::getline(in, line);) {
    const Json entry = Json::parse(line, nullptr, false);
    if (!entry.is_object() || !entry.contains("key") || !entry.contains("row") || !entry.contains("tokens"))
      continue;  // torn line
    Entry e{entry["row"], entry["tokens"].get<std::vector<int>>()};
    std::int64_t total = 0;
    for (const int t : e.tokens) total += t;
    if (e.row < 0 || e.row + total > rows_) continue;
    entries_[entry["key"]] = std::move(e);
  }
}

std::string FeatureCache::key(const std::string& path) const {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return "";
  return fmt::format("{}|{}|{}.{:09d}|{}", path, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec, fingerprint_);
}

void FeatureCache::append(const std::string& entry_key, const std::vector<LogMel>& mels, const at::Tensor& features) {
  std::ofstream data(directory_ + "/features.f16", std::ios::binary | std::ios::app);
  data.write(static_cast<const char*>(features.data_ptr()), static_cast<std::streamsize>(features.nbytes()));
  data.flush();
  Json line;
  line["key"] = entry_key;
  line["row"] = rows_;
  for (const LogMel& mel : mels) line["tokens"].push_back(audio_tokens(mel.valid_frames));
  std::ofstream index(directory_ + "/index.jsonl", std::ios::app);
  index << dump_json(line) << "\n";
  if (!data || !index.flush()) throw Error(ErrorCode::kFailure, "cannot write " + directory_, "is the disk full?");
  entries_[entry_key] = {rows_, line["tokens"].get<std::vector<int>>()};
  rows_ += features.size(0);
}

void FeatureCache::build(const std::vector<std::string>& paths, const Tools& tools) {
  std::vector<std::string> missing;
  for (const std::string& path : paths) {
    const std::string k = key(path);
    keys_[path] = k;
    if (k.empty()) log_warning("left out: no such file: " + path);
    if (!k.empty() && !entries_.contains(k)) missing.push_back(path);
  }
  // Bytes of a torn append before this run: start at a whole row.
  const std::string data = directory_ + "/features.f16";
  if (!missing.empty() && fs::exists(data)) fs::resize_file(data, static_cast<std::uintmax_t>(rows_ * width_ * 2));
  const auto start = std::chrono::steady_clock::now();
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  tools.workers.on_each([&](int) {
    const at::NoGradGuard guard;
    for (std::size_t i = next++; i < missing.size() && !interrupted(); i = next++) {
      try {
        const auto mels = clip_mels(missing[i], tools.extractor);
        const at::Tensor features = tools.model.encode(mels).to(at::kHalf).to(at::kCPU).contiguous();
        const std::lock_guard lock(mutex);
        append(keys_[missing[i]], mels, features);
      } catch (const Error& e) {
        if (e.code() == ErrorCode::kFailure) throw;
        log_warning(fmt::format("left out: {}", e.what()));
      }
      if (i % 500 == 499 || i + 1 == missing.size()) {
        const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
        log_info(fmt::format("audio features: {} of {} clips, {:.0f} s", i + 1, missing.size(), spent.count()));
      }
    }
  });
  throw_if_interrupted();
  map_.reset();
  if (rows_ > 0) map_ = std::make_unique<MappedFile>(data);
}

bool FeatureCache::contains(const std::string& path) const {
  const auto it = keys_.find(path);
  return it != keys_.end() && entries_.contains(it->second);
}

std::vector<int> FeatureCache::window_tokens(const std::string& path) const { return entries_.at(keys_.at(path)).tokens; }

std::vector<at::Tensor> FeatureCache::features(const std::string& path) const {
  const Entry& e = entries_.at(keys_.at(path));
  std::vector<at::Tensor> out;
  std::int64_t row = e.row;
  for (const int tokens : e.tokens) {
    auto* at = const_cast<std::byte*>(map_->bytes().data()) + row * width_ * 2;
    out.push_back(at::from_blob(at, {tokens, width_}, at::TensorOptions().dtype(at::kHalf)));
    row += tokens;
  }
  return out;
}

}  // namespace areason::train
