#include "train/metrics.h"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "cot/sections.h"

namespace areason::train {
namespace {

double rounded(double value) { return std::round(value * 1e6) / 1e6; }

}  // namespace

void TokenStats::add(const MicroBatch& batch, const TokenLoss& token_loss) {
  constexpr int kResponse = 1 + static_cast<int>(Section::kResponse);
  std::vector<std::uint8_t> wrong(static_cast<std::size_t>(batch.samples), 0);
  for (std::size_t i = 0; i < token_loss.loss.size(); ++i) {
    const std::size_t kind = batch.label_kinds[i];
    loss += static_cast<double>(token_loss.loss[i]);
    right += token_loss.right[i];
    ++kind_tokens[kind];
    kind_right[kind] += token_loss.right[i];
    if ((kind == kResponse || kind == kKeyKind) && !token_loss.right[i])
      wrong[static_cast<std::size_t>(batch.label_samples[i])] = 1;
  }
  tokens += static_cast<std::int64_t>(token_loss.loss.size());
  samples += batch.samples;
  for (const std::uint8_t w : wrong) responses_right += !w;
  for (std::size_t i = 0; i < batch.sources.size() && i < wrong.size(); ++i)
    by_source.emplace_back(batch.sources[i], !wrong[i]);
}

void LateStats::add(const MicroBatch& batch, TokenLoss loss) {
  loss.sum.reset();  // and with it the graph
  if (!loss.on_device.defined()) return stats_.add(batch, loss);
  late_.emplace_back(&batch, std::move(loss));
}

TokenStats LateStats::take() {
  for (auto& [batch, loss] : late_) {
    loss.settle();
    stats_.add(*batch, loss);
  }
  late_.clear();
  return std::move(stats_);
}

void TokenStats::merge(const TokenStats& other) {
  loss += other.loss;
  tokens += other.tokens;
  right += other.right;
  samples += other.samples;
  responses_right += other.responses_right;
  by_source.insert(by_source.end(), other.by_source.begin(), other.by_source.end());
  for (std::size_t k = 0; k < kLabelKinds; ++k) {
    kind_tokens[k] += other.kind_tokens[k];
    kind_right[k] += other.kind_right[k];
  }
}

std::vector<double> TokenStats::numbers() const {
  std::vector<double> out = {loss};
  for (const std::int64_t n : {tokens, right, samples, responses_right}) out.push_back(static_cast<double>(n));
  for (const auto* kinds : {&kind_tokens, &kind_right}) {
    for (const std::int64_t n : *kinds) out.push_back(static_cast<double>(n));
  }
  return out;
}

void TokenStats::set_numbers(const std::vector<double>& numbers) {
  auto next = numbers.begin();
  loss = *next++;
  for (std::int64_t* n : {&tokens, &right, &samples, &responses_right}) *n = static_cast<std::int64_t>(*next++);
  for (auto* kinds : {&kind_tokens, &kind_right}) {
    for (std::int64_t& n : *kinds) n = static_cast<std::int64_t>(*next++);
  }
}

Json stats_json(const TokenStats& stats, const std::string& prefix) {
  Json out;
  out[prefix + "loss"] = rounded(stats.mean_loss());
  out[prefix + "token_acc"] = rounded(stats.accuracy());
  for (int k = 0; k < kLabelKinds; ++k) {
    const auto i = static_cast<std::size_t>(k);
    if (stats.kind_tokens[i] == 0) continue;
    out[prefix + "acc_" + label_kind_name(k)] =
        rounded(static_cast<double>(stats.kind_right[i]) / static_cast<double>(stats.kind_tokens[i]));
  }
  out[prefix + "response_acc"] =
      rounded(stats.samples > 0 ? static_cast<double>(stats.responses_right) / static_cast<double>(stats.samples) : 0);
  return out;
}

std::string duration_text(double seconds) {
  const auto s = static_cast<long>(seconds);
  if (s >= 3600) return fmt::format("{}h {}m {}s", s / 3600, s / 60 % 60, s % 60);
  return s >= 60 ? fmt::format("{}m {}s", s / 60, s % 60) : fmt::format("{}s", s);
}

void append_line(const std::string& path, const Json& line) {
  std::ofstream out(path, std::ios::app);
  out << dump_json(line) << "\n";
  if (!out.flush()) throw Error(ErrorCode::kFailure, "cannot write " + path, "is the disk full?");
}

}  // namespace areason::train
