#include "train/batches.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "base/files.h"
#include "base/log.h"

namespace areason::train {

Dataset::Dataset(std::vector<TrainingRow> samples, const DataOptions& options, const Tokenizer& tokenizer,
                 const LogMelExtractor& extractor, const FeatureCache* cache)
    : samples_(std::move(samples)), options_(options), tokenizer_(tokenizer), extractor_(extractor), cache_(cache) {
  if (!options_.key_words.empty()) {
    try {
      key_words_.emplace(options_.key_words);
    } catch (const std::regex_error& e) {
      throw Error(ErrorCode::kUsage, "--key-words " + options_.key_words + " is no regular expression: " + e.what(),
                  "ECMAScript syntax; what its groups match counts --key-weight times");
    }
  }
  drop_without_audio();
  std::unordered_map<std::string, std::size_t> by_audio;
  for (std::size_t i = 0; i < samples_.size(); ++i) {
    std::string key;
    for (const std::string& path : samples_[i].conversation.audio_paths()) key += path + "\n";
    const auto [it, added] = by_audio.try_emplace(key, groups_.size());
    if (added) groups_.emplace_back();
    groups_[it->second].push_back(i);
  }
  if (samples_.empty()) throw Error(ErrorCode::kInput, "no usable training samples", "check --data and the audio paths in it");
}

// Rows whose clips are missing, or could not be encoded when the cache was made.
void Dataset::drop_without_audio() {
  std::unordered_map<std::string, bool> usable;
  for (const std::string& path : audio_paths(samples_)) {
    usable[path] = cache_ ? cache_->contains(path) : std::filesystem::is_regular_file(path);
    if (usable[path] || cache_) continue;
    if (options_.unreadable == BadRows::kStop)
      throw Error(ErrorCode::kInput, path + ": there is no such file", "check --data; paths are relative to its folder");
    log_warning("left out: no such file: " + path);
  }
  const auto before = samples_.size();
  std::erase_if(samples_, [&](const TrainingRow& s) {
    const auto paths = s.conversation.audio_paths();
    return !std::all_of(paths.begin(), paths.end(), [&](const std::string& path) { return usable[path]; });
  });
  left_out_.missing = static_cast<std::int64_t>(before - samples_.size());
  if (left_out_.missing > 0) log_warning(fmt::format("{} samples are left out for want of their audio", left_out_.missing));
}

void Dataset::note(std::size_t sample, std::int64_t LeftOut::*count, const std::string& why) const {
  const std::lock_guard lock(noted_mutex_);
  if (!noted_.insert(sample).second) return;
  if (++(left_out_.*count) <= 10) log_warning(fmt::format("sample {}: {}", samples_[sample].id, why));
}

LeftOut Dataset::left_out() const {
  const std::lock_guard lock(noted_mutex_);
  return left_out_;
}

void Dataset::mask_mel(LogMel& mel, Random& random) const {
  const auto fill = [&](int bin0, int bin1, int frame0, int frame1) {
    for (int b = bin0; b < bin1; ++b) {
      std::fill(mel.data.begin() + b * mel.frames + frame0, mel.data.begin() + b * mel.frames + frame1, 0.0f);
    }
  };
  for (int i = 0; i < options_.frequency_masks; ++i) {
    const int width = random.between(0, mel.bins / 8);
    const int from = random.between(0, mel.bins - width);
    fill(from, from + width, 0, mel.frames);
  }
  for (int i = 0; i < options_.time_masks; ++i) {
    const int width = random.between(0, std::min(40, mel.valid_frames / 10));
    const int from = random.between(0, mel.valid_frames - width);
    fill(0, mel.bins, from, from + width);
  }
}

// The clips of a plan's samples, window by window; `windows`: how many each clip has. Nothing when a clip cannot be decoded.
std::optional<PackedRow> Dataset::load_audio(const RowPlan& plan, Random& random, std::vector<int>& windows) const {
  PackedRow row;
  for (const std::string& path : samples_[plan[0]].conversation.audio_paths()) {
    if (cache_) {
      for (at::Tensor& f : cache_->features(path)) row.features.push_back(f);
      windows.push_back(static_cast<int>(cache_->window_tokens(path).size()));
      continue;
    }
    try {
      std::vector<LogMel> mels = clip_mels(path, extractor_);
      windows.push_back(static_cast<int>(mels.size()));
      for (LogMel& mel : mels) {
        mask_mel(mel, random);
        row.mels.push_back(std::move(mel));
      }
    } catch (const Error& e) {
      if (!std::filesystem::exists(path)) {
        throw Error(ErrorCode::kInput, fmt::format("{}: the audio of sample {} is gone", path, samples_[plan[0]].id),
                    "put the file back and start the run again: it goes on from its last checkpoint");
      }
      if (options_.unreadable == BadRows::kStop) throw;
      for (const std::size_t i : plan) note(i, &LeftOut::unreadable, std::string("left out: ") + e.what());
      return std::nullopt;
    }
  }
  return row;
}

std::vector<PackedRow> Dataset::make_rows(const RowPlan& plan, Random& random) const {
  std::vector<int> windows, tokens;
  auto row = load_audio(plan, random, windows);
  if (!row) return {};
  for (const at::Tensor& f : row->features) tokens.push_back(static_cast<int>(f.size(0)));
  for (const LogMel& mel : row->mels) tokens.push_back(areason::audio_tokens(mel.valid_frames));
  for (const std::size_t i : plan) {
    TokenizedSample s = tokenize_sample(tokenizer_, with_windows(samples_[i].conversation, windows, options_.system_prompt),
                                        tokens, {key_words_ ? &*key_words_ : nullptr, samples_[i].weights});
    const std::size_t length = s.ids.size();
    if (!fit_length(s, options_.max_length, options_.truncation)) {
      note(i, &LeftOut::over_long, fmt::format("left out: {} tokens, the limit is {}", length, options_.max_length));
      continue;
    }
    if (s.ids.size() < length) note(i, &LeftOut::cut, fmt::format("cut from {} to {} tokens", length, s.ids.size()));
    row->samples.push_back(std::move(s));
    row->sources.push_back(i);
  }
  if (row->samples.empty()) return {};
  return finish_or_separate(std::move(*row));
}

std::vector<Dataset::RowPlan> Dataset::plan_epoch(std::int64_t epoch) const {
  Random random = Random::for_item(options_.seed, fmt::format("epoch {}", epoch));
  const auto limit = static_cast<std::size_t>(options_.sharing == Sharing::kShared ? std::max(1, options_.max_row_samples) : 1);
  std::vector<RowPlan> rows;
  for (RowPlan group : groups_) {
    if (options_.order == RowOrder::kShuffled) random.shuffle(group);
    for (std::size_t i = 0; i < group.size(); i += limit) {
      rows.emplace_back(group.begin() + static_cast<std::ptrdiff_t>(i),
                        group.begin() + static_cast<std::ptrdiff_t>(std::min(i + limit, group.size())));
    }
  }
  if (options_.order == RowOrder::kShuffled) random.shuffle(rows);
  return rows;
}

const std::vector<Dataset::RowPlan>& Dataset::epoch_plan(std::int64_t epoch) const {
  if (planned_ != epoch) {
    plan_ = plan_epoch(epoch);
    planned_ = epoch;
  }
  return plan_;
}

void Dataset::add_rows(std::vector<PackedRow>&& made, std::vector<PackedRow>& rows, Step& step) {
  for (PackedRow& row : made) {
    step.samples += static_cast<std::int64_t>(row.samples.size());
    step.labels += row.labels;
    step.tokens += row.tokens;
    rows.push_back(std::move(row));
  }
}

double Dataset::label_weight(const std::vector<PackedRow>& rows) const {
  double sum = 0;
  for (const PackedRow& row : rows) {
    for (const TokenizedSample& s : row.samples) {
      for (std::size_t i = 0; i < s.ids.size(); ++i)
        sum += s.labelled[i] ? static_cast<double>(options_.weights[s.kinds[i]] * s.scale(i)) : 0.0;
    }
  }
  return sum;
}

void Dataset::fail_empty() const {
  throw Error(ErrorCode::kInput, "every sample of the training data is left out",
              "raise --max-length, give --truncation left or right, or check the audio files");
}

Step Dataset::step_at(DataPosition position) const {
  Step step;
  std::vector<PackedRow> rows;
  for (std::int64_t count = 0; static_cast<std::int64_t>(step.ids.size()) < options_.batch_samples;) {
    const auto& plan = epoch_plan(position.epoch);
    if (position.row >= static_cast<std::int64_t>(plan.size())) {
      position = {position.epoch + 1, 0};
      continue;
    }
    const RowPlan& row = plan[static_cast<std::size_t>(position.row)];
    for (const std::size_t i : row) step.ids.push_back(samples_[i].id);
    if (mine(count++)) {
      Random random = Random::for_item(options_.seed, fmt::format("row {} {}", position.epoch, position.row));
      add_rows(make_rows(row, random), rows, step);
    }
    ++position.row;
  }
  const std::uint64_t step_seed = options_.seed * 1000003u +
                                  static_cast<std::uint64_t>(position.epoch * 1000000007 + position.row) +
                                  static_cast<std::uint64_t>(options_.share) * 0x9E3779B97F4A7C15u;
  step.weight = label_weight(rows);
  step.batches = pack_step(rows, {options_.micro_tokens, options_.workers, step_seed, options_.weights});
  step.next = position;
  step.epoch = static_cast<double>(position.epoch) + static_cast<double>(position.row) / static_cast<double>(plan_.size());
  return step;
}

std::vector<Step> Dataset::all() const {
  std::vector<Step> out;
  std::vector<PackedRow> rows;
  Step step;
  const auto flush = [&] {
    if (rows.empty()) return;
    step.batches = pack_step(rows, {options_.micro_tokens, options_.workers, 0, kEqualWeights});
    out.push_back(std::move(step));
    step = Step{};
    rows.clear();
  };
  Random random(0);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    if (!mine(static_cast<std::int64_t>(g))) continue;
    add_rows(make_rows(groups_[g], random), rows, step);
    if (step.samples >= options_.batch_samples) flush();
  }
  flush();
  return out;
}

Loader::Loader(const Dataset& dataset, DataPosition start) : dataset_(dataset), thread_([this, start] { run(start); }) {}

Loader::~Loader() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Loader::run(DataPosition position) {
  constexpr std::size_t kAhead = 3;
  try {
    for (;;) {
      Step step = dataset_.step_at(position);
      position = step.next;
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stop_ || ready_.size() < kAhead; });
      if (stop_) return;
      ready_.push_back(std::move(step));
      changed_.notify_all();
    }
  } catch (...) {
    const std::lock_guard lock(mutex_);
    error_ = std::current_exception();
    changed_.notify_all();
  }
}

Step Loader::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return error_ || !ready_.empty(); });
  if (ready_.empty()) std::rethrow_exception(error_);
  Step step = std::move(ready_.front());
  ready_.pop_front();
  changed_.notify_all();
  return step;
}

}  // namespace areason::train
