// AIR-Bench chat, from judge replies that are there already: the plain order's as the reply, the swapped order's in the item's
// "gpt-score-swapped" (`eval score --swapped` puts it there).
#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>

#include "eval/airbench_chat.h"
#include "eval/scorers.h"

namespace areason {
namespace {

constexpr std::size_t kBuckets = kChatBuckets.size();

struct ChatSample {
  std::size_t bucket;
  double points;
};

// Mean a bucket; NaN without samples.
std::array<double, kBuckets> bucket_means(const std::vector<ChatSample>& all, std::span<const std::uint32_t> picks) {
  std::array<double, kBuckets> sums{}, counts{};
  for (const std::uint32_t i : picks) {
    if (std::isnan(all[i].points)) continue;
    sums[all[i].bucket] += all[i].points;
    ++counts[all[i].bucket];
  }
  for (std::size_t b = 0; b < kBuckets; ++b) sums[b] /= counts[b];
  return sums;
}

double mixed_mean(const std::array<double, kBuckets>& means) {
  return std::isnan(means[3]) ? means[4] : std::isnan(means[4]) ? means[3] : (means[3] + means[4]) / 2;
}

// Plain mean of speech, sound, music and mixed, as the leaderboard prints it; buckets without samples are left out.
double leaderboard_mean(const std::array<double, kBuckets>& means) {
  double sum = 0, n = 0;
  for (const double mean : {means[0], means[1], means[2], mixed_mean(means)}) {
    if (std::isnan(mean)) continue;
    sum += mean;
    ++n;
  }
  return n > 0 ? sum / n : 0;
}

class ChatScorer : public Scorer {
 public:
  explicit ChatScorer(const ScoreOptions& options) : options_(options) {}

  void add(const Prediction& p) override {
    const auto task = text_field(p.item, "task_name", counts_);
    const auto bucket = task ? chat_bucket(*task) : std::nullopt;
    SampleScore sample{p.id, 0, "invalid", "", {}};
    if (!bucket) counts_.add("unknown_task_name");
    sample.groups.emplace_back("task", task.value_or("(none)"));
    double sum = 0, n = 0;
    sum += read(p.reply, task, JudgeOrder::kPlain, n);
    const auto swapped = text_field(p.item, "gpt-score-swapped", counts_);
    if (swapped || p.item.contains("gpt-score-swapped")) sum += read(swapped, task, JudgeOrder::kSwapped, n);
    if (bucket) sample.outcome = n > 0 ? "judged" : "unread";
    sample.value = n > 0 ? sum / n : 0;
    sample.answer = p.reply.value_or("").substr(0, 200);
    points_.push_back({bucket.value_or(0), bucket && n > 0 ? sample.value : std::nan("")});
    samples_.push_back(std::move(sample));
  }

  BenchmarkScore finish(const Counts& counts) override {
    BenchmarkScore score = opened_score(options_, counts_, counts);
    score.stage = ScoreStage::kRaw;  // the judge's replies have no other
    score.official = run_chat_script(lines_[0], JudgeOrder::kPlain);
    if (!lines_[1].empty()) {
      const ScriptRun swapped = run_chat_script(lines_[1], JudgeOrder::kSwapped);
      score.official.out += swapped.out;
      if (score.official.code == 0) {
        score.official.code = swapped.code;
        score.official.last_error = swapped.last_error;
      }
    } else {
      score.warnings.push_back("one order only: the benchmark asks for both and the mean of them");
    }
    if (score.official.code != 0) score.official_stop = score.official.last_error;
    const auto points = std::make_shared<std::vector<ChatSample>>(std::move(points_));
    const auto judged = [&](std::initializer_list<std::size_t> buckets) {
      return std::count_if(points->begin(), points->end(), [&](const ChatSample& sample) {
        return !std::isnan(sample.points) && std::find(buckets.begin(), buckets.end(), sample.bucket) != buckets.end();
      });
    };
    const auto figure = [&](std::string name, auto&& of_means, long n) {
      const Metric metric{std::move(name), [points, of_means](std::span<const std::uint32_t> picks) {
                            return of_means(bucket_means(*points, picks));
                          }};
      score.figures.push_back(bootstrap_figure(metric, points->size(), options_.bootstrap));
      score.figures.back().n = n;
      score.metrics.push_back(metric);
    };
    figure("average", leaderboard_mean, judged({0, 1, 2, 3, 4}));
    for (std::size_t b = 0; b < kBuckets; ++b) {
      figure(
          std::string(kChatBuckets[b]),
          [b](const std::array<double, kBuckets>& means) { return std::isnan(means[b]) ? 0 : means[b]; }, judged({b}));
    }
    const auto mixed = [](const std::array<double, kBuckets>& means) {
      return std::isnan(mixed_mean(means)) ? 0 : mixed_mean(means);
    };
    figure("mixed", mixed, judged({3, 4}));
    score.samples = std::move(samples_);
    score.counts = std::move(counts_);
    return score;
  }

 private:
  // The model's points in one pass; adds 1 to `n` when the reply can be read.
  double read(const std::optional<std::string>& reply, const std::optional<std::string>& task, JudgeOrder order, double& n) {
    const bool plain = order == JudgeOrder::kPlain;
    if (!reply) {
      counts_.add(plain ? "no_judge_reply" : "no_judge_reply_swapped");
      return 0;
    }
    if (task) lines_[plain ? 0 : 1].push_back({{"task_name", *task}, {"gpt-score", *reply}});
    const JudgeReply parsed = parse_judge_reply(*reply);
    if (!parsed.parsed) {
      counts_.add(plain ? "unread_judge_reply" : "unread_judge_reply_swapped");
      return 0;
    }
    ++n;
    return plain ? parsed.second : parsed.first;
  }

  ScoreOptions options_;
  Counts counts_;
  std::array<Json, 2> lines_ = {Json::array(), Json::array()};
  std::vector<ChatSample> points_;
  std::vector<SampleScore> samples_;
};

}  // namespace

std::unique_ptr<Scorer> make_chat_scorer(const ScoreOptions& options) { return std::make_unique<ChatScorer>(options); }

}  // namespace areason
