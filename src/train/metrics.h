#pragma once
// What a run reports: ms-swift's keys as JSON lines in <out>/logging.jsonl, and the same for people on standard error.
// Called by trainer.cpp. Thread rule: the training thread.
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "base/json_fwd.h"
#include "train/packing.h"

namespace areason::train {

// Sums over micro-batches.
struct TokenStats {
  double loss = 0;
  std::int64_t tokens = 0, right = 0;
  std::array<std::int64_t, kLabelKinds> kind_tokens{}, kind_right{};
  std::int64_t samples = 0, responses_right = 0;        // samples whose every response token was right (given the true chain)
  std::vector<std::pair<std::size_t, bool>> by_source;  // per sample its source (packing.h) and whether it was right

  void add(const MicroBatch& batch, const TokenLoss& loss);
  void merge(const TokenStats& other);
  // The sums as numbers, and back: for adding up over ranks. `by_source` is not among them.
  std::vector<double> numbers() const;
  void set_numbers(const std::vector<double>& numbers);
  double mean_loss() const { return tokens > 0 ? loss / static_cast<double>(tokens) : 0; }
  double accuracy() const { return tokens > 0 ? static_cast<double>(right) / static_cast<double>(tokens) : 0; }
};

// TokenStats of micro-batches whose losses may still be on their way on a device: nothing is waited for before take().
class LateStats {
 public:
  void add(const MicroBatch& batch, TokenLoss loss);  // the batch must live until take()
  TokenStats take();

 private:
  TokenStats stats_;
  std::vector<std::pair<const MicroBatch*, TokenLoss>> late_;
};

// "eval_loss", "eval_token_acc", "eval_acc_reasoning" … with the given prefix.
Json stats_json(const TokenStats& stats, const std::string& prefix);
std::string duration_text(double seconds);  // "1h 2m 3s"
void append_line(const std::string& path, const Json& line);

}  // namespace areason::train
