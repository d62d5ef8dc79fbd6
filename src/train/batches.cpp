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

std::vector<Sample> read_training_samples(const std::vector<std::string>& files) {
  std::vector<Sample> out;
  for (const std::string& file : files) {
    const std::filesystem::path base = parent_directory(file);
    read_samples(file, [&](Sample&& sample) {
      for (std::string& path : sample.audio) path = (base / path).lexically_normal().string();
      out.push_back(std::move(sample));
    });
  }
  return out;
}

std::vector<std::string> audio_paths(const std::vector<Sample>& samples) {
  std::unordered_set<std::string> seen;
  std::vector<std::string> out;
  for (const Sample& s : samples) {
    for (const std::string& path : s.audio) {
      if (seen.insert(path).second) out.push_back(path);
    }
  }
  return out;
}

Dataset::Dataset(std::vector<Sample> samples, const DataOptions& options, const Tokenizer& tokenizer,
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
  if (cache_) {
    std::erase_if(samples_, [&](const Sample& s) {
      return !std::all_of(s.audio.begin(), s.audio.end(), [&](const std::string& path) { return cache_->contains(path); });
    });
  }
  std::unordered_map<std::string, std::size_t> by_audio;
  for (std::size_t i = 0; i < samples_.size(); ++i) {
    std::string key;
    for (const std::string& path : samples_[i].audio) key += path + "\n";
    const auto [it, added] = by_audio.try_emplace(key, groups_.size());
    if (added) groups_.emplace_back();
    groups_[it->second].push_back(i);
  }
  if (samples_.empty()) throw Error(ErrorCode::kInput, "no usable training samples", "check --data and the audio paths in it");
}

// Audio first, then the text, as `ask` does; the audios of a conversation belong to its first question.
Conversation Dataset::conversation(const Sample& sample, const std::vector<std::string>& windows) const {
  Conversation c;
  if (!options_.system_prompt.empty()) c.messages.push_back({"system", {{Part::Kind::kText, options_.system_prompt}}});
  std::vector<Part> parts;
  for (const std::string& path : windows) parts.push_back({Part::Kind::kAudio, path});
  for (const Turn& turn : sample.turns) {
    parts.push_back({Part::Kind::kText, turn.question});
    c.messages.push_back({"user", std::move(parts)});
    c.messages.push_back({"assistant", {{Part::Kind::kText, turn.response}}});
    parts.clear();
  }
  parts.push_back({Part::Kind::kText, sample.question});
  c.messages.push_back({"user", std::move(parts)});
  const bool chain = options_.target == Target::kChain;
  c.messages.push_back(
      {"assistant", {{Part::Kind::kText, chain ? render_chain(sample.sections) : sample.sections[Section::kResponse]}}});
  if (!chain) {
    for (Message& m : c.messages) {
      if (m.role != "assistant") continue;
      m.parts[0].value = parse_chain(m.parts[0].value).chain[Section::kResponse];
    }
  }
  return c;
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

std::optional<PackedRow> Dataset::make_row(const RowPlan& plan, Random& random) const {
  PackedRow row;
  std::vector<int> tokens;
  std::vector<std::string> windows;
  for (const std::string& path : samples_[plan[0]].audio) {
    if (cache_) {
      const auto counts = cache_->window_tokens(path);
      tokens.insert(tokens.end(), counts.begin(), counts.end());
      for (at::Tensor& f : cache_->features(path)) row.features.push_back(f);
    } else {
      for (LogMel& mel : clip_mels(path, extractor_)) {
        tokens.push_back(areason::audio_tokens(mel.valid_frames));
        mask_mel(mel, random);
        row.mels.push_back(std::move(mel));
      }
    }
    windows.resize(tokens.size(), path);
  }
  for (const std::size_t i : plan) {
    TokenizedSample s =
        tokenize_sample(tokenizer_, conversation(samples_[i], windows), tokens, key_words_ ? &*key_words_ : nullptr);
    if (static_cast<int>(s.ids.size()) > options_.max_length) {
      log_warning(
          fmt::format("left out: sample {} has {} tokens, the limit is {}", samples_[i].id, s.ids.size(), options_.max_length));
      continue;
    }
    row.samples.push_back(std::move(s));
  }
  if (row.samples.empty()) return std::nullopt;
  finish_row(row);
  return row;
}

std::vector<Dataset::RowPlan> Dataset::plan_epoch(std::int64_t epoch) const {
  Random random = Random::for_item(options_.seed, fmt::format("epoch {}", epoch));
  const auto limit = static_cast<std::size_t>(options_.sharing == Sharing::kShared ? std::max(1, options_.max_row_samples) : 1);
  std::vector<RowPlan> rows;
  for (RowPlan group : groups_) {
    random.shuffle(group);
    for (std::size_t i = 0; i < group.size(); i += limit) {
      rows.emplace_back(group.begin() + static_cast<std::ptrdiff_t>(i),
                        group.begin() + static_cast<std::ptrdiff_t>(std::min(i + limit, group.size())));
    }
  }
  random.shuffle(rows);
  return rows;
}

const std::vector<Dataset::RowPlan>& Dataset::epoch_plan(std::int64_t epoch) const {
  if (planned_ != epoch) {
    plan_ = plan_epoch(epoch);
    planned_ = epoch;
  }
  return plan_;
}

Step Dataset::step_at(DataPosition position) const {
  Step step;
  std::vector<PackedRow> rows;
  while (step.samples < options_.batch_samples) {
    const auto& plan = epoch_plan(position.epoch);
    if (position.row >= static_cast<std::int64_t>(plan.size())) {
      position = {position.epoch + 1, 0};
      continue;
    }
    Random random = Random::for_item(options_.seed, fmt::format("row {} {}", position.epoch, position.row));
    auto row = make_row(plan[static_cast<std::size_t>(position.row)], random);
    ++position.row;
    if (!row) continue;
    step.samples += static_cast<std::int64_t>(row->samples.size());
    step.labels += row->labels;
    step.tokens += row->tokens;
    rows.push_back(std::move(*row));
  }
  const std::uint64_t step_seed =
      options_.seed * 1000003u + static_cast<std::uint64_t>(position.epoch * 1000000007 + position.row);
  for (const PackedRow& row : rows) {
    for (const TokenizedSample& s : row.samples) {
      for (std::size_t i = 0; i < s.ids.size(); ++i) step.weight += s.labelled[i] ? options_.weights[s.kinds[i]] : 0.0f;
    }
  }
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
  for (const RowPlan& group : groups_) {
    auto row = make_row(group, random);
    if (!row) continue;
    step.samples += static_cast<std::int64_t>(row->samples.size());
    step.labels += row->labels;
    step.tokens += row->tokens;
    rows.push_back(std::move(*row));
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
