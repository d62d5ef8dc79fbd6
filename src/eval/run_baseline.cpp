// The baselines without a model: what even guessing and always giving the most frequent answer get.
#include <algorithm>

#include "base/error.h"
#include "base/random.h"
#include "eval/predictions.h"
#include "eval/run_llm.h"

namespace areason {
namespace {

// The place of the right answer among the options; -1 when it is not among them.
int gold_place(const BenchmarkItem& item) {
  Counts ignored;
  for (const char* key : {"answer", "answer_gt", "gt"}) {
    const auto gold = text_field(item.fields, key, ignored);
    if (!gold) continue;
    const auto found = std::find(item.choices.begin(), item.choices.end(), *gold);
    return found == item.choices.end() ? -1 : static_cast<int>(found - item.choices.begin());
  }
  return -1;
}

// As the benchmark's rule wants it: the letter for AIR-Bench, the option's text elsewhere.
std::string said(const EvalRun& run, const BenchmarkItem& item, std::size_t place) {
  return run.benchmark == "airbench-foundation" ? std::string(1, static_cast<char>('A' + static_cast<char>(place)))
                                                : item.choices[place];
}

}  // namespace

RunStats run_baseline(EvalRun& run, Baseline baseline, std::uint64_t seed) {
  if (run.benchmark == "airbench-chat" || run.benchmark == "covost2")
    throw Error(ErrorCode::kUsage, run.benchmark + " has no options to guess among", "chance and majority need options");
  const RunLock lock(run);
  std::map<int, int> places;
  for (const RunItem& item : run.all) ++places[gold_place(*item.item)];
  places.erase(-1);
  std::size_t most = 0;
  int best = 0;
  for (const auto& [place, n] : places) {
    if (n <= best) continue;
    best = n;
    most = static_cast<std::size_t>(place);
  }
  RunStats stats;
  AnswerFile out(run.predictions);
  for (const RunItem& item : run.items) {
    ++stats.items;
    const auto options = static_cast<std::uint32_t>(item.item->choices.size());
    if (out.has(item.item->id)) {
      ++stats.skipped;
    } else if (options == 0) {
      ++stats.failed;
      ++stats.outcomes["no_options"];
    } else {
      const std::size_t place = baseline == Baseline::kChance ? Random::for_item(seed, item.item->id).below(options)
                                                              : std::min<std::size_t>(most, options - 1);
      out.append(prediction_line(run, item, {said(run, *item.item, place), "stop", Json(), Json()}));
      ++stats.answered;
    }
  }
  return stats;
}

}  // namespace areason
