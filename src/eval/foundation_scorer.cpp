// AIR-Bench foundation.
#include <algorithm>
#include <array>

#include "eval/airbench_foundation.h"
#include "eval/option_map.h"
#include "eval/scorers.h"

namespace areason {
namespace {

using Outcome = FoundationLine::Outcome;

// Table 6 of the paper: its columns and their tasks (facts/evaluation.md 2.1; the misspellings are the data's).
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kPaperColumns = {
    {{"SoundAQA", "Sound_AQA"},
     {"MusicAQA", "Music_AQA"},
     {"SER", "Speaker_Emotion_Recontion"},
     {"SIC", "Speaker_Intent_Classification"},
     {"SNV", "Speaker_Number_Verification"}}};

class FoundationScorer : public Scorer {
 public:
  explicit FoundationScorer(const ScoreOptions& options) : options_(options) {}

  void add(const Prediction& p) override {
    SampleScore sample{p.id, 0, "invalid", "", {}};
    const auto task = text_field(p.item, "task_name", counts_), set = text_field(p.item, "dataset_name", counts_);
    if (!task || !set) {
      counts_.add(p.item.contains("task_name") && p.item["task_name"].is_null() ? "null_task_name" : "bad_task");
    } else {
      sample.groups = {{"task", *task}, {"subset", *task + "_" + *set}};
      p.reply ? judge(p, sample) : miss(sample);
    }
    samples_.push_back(std::move(sample));
  }

  BenchmarkScore finish(const Counts& counts) override {
    BenchmarkScore score = opened_score(options_, counts_, counts);
    score.official = table_.run();
    if (counts_.of("null_reply") > 0) stop("AttributeError: 'NoneType' object has no attribute 'strip'");
    if (score.official.code != 0) stop(score.official.last_error + " (a subset without one readable reply)");
    score.official_stop = stop_;
    const long all = static_cast<long>(
        std::count_if(samples_.begin(), samples_.end(), [](const SampleScore& s) { return s.outcome != "invalid"; }));
    const auto stage = static_cast<std::size_t>(options_.stage);
    score.figures.push_back(proportion_figure("accuracy_of_read", right_[stage], read_[stage]));
    score.figures.push_back(proportion_figure("accuracy_of_all", right_[stage], all));
    for (std::size_t i = 0; i < 3; ++i)
      score.stages.push_back(proportion_figure(std::string(stage_name(static_cast<ScoreStage>(i))), right_[i], read_[i]));
    score.groups = group_proportions(samples_);
    add_columns(score);
    score.samples = std::move(samples_);
    score.metrics.push_back(mean_metric("accuracy_of_all", score.samples, 100));
    if (read_[stage] < all)
      score.warnings.push_back("unread replies leave the original's denominator; accuracy_of_all counts them as wrong");
    score.counts = std::move(counts_);
    return score;
  }

 private:
  void miss(SampleScore& sample) {
    sample.outcome = "missing";
    counts_.add("no_reply");
  }

  static std::vector<std::string> choices(const Json& item, Counts& counts) {
    std::vector<std::string> out;
    for (const char* key : {"choice_a", "choice_b", "choice_c", "choice_d"}) {
      const auto choice = text_field(item, key, counts);
      if (!choice) break;
      out.push_back(*choice);
    }
    return out;
  }

  void judge(const Prediction& p, SampleScore& sample) {
    const std::string response = response_of(*p.reply, counts_);
    const auto options = choices(p.item, counts_);
    counts_.add(std::to_string(options.size()) + "_choices");
    const MappedOption mapped = map_option(response, options);
    counts_.add(mapping_name(mapped.how));
    const std::string letter = mapped.index >= 0 ? std::string(1, static_cast<char>('A' + mapped.index)) : response;
    const std::array<std::string, 3> texts = {*p.reply, response, letter};
    Json line = {{"task_name", sample.groups[0].second},
                 {"dataset_name", text_field(p.item, "dataset_name", counts_).value_or("")}};
    for (const char* key : {"choice_a", "choice_b", "choice_c", "choice_d", "answer_gt"})
      if (p.item.contains(key)) line[key] = p.item[key];
    const auto stage = static_cast<std::size_t>(options_.stage);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      line["response"] = texts[i];
      const FoundationLine result = read_foundation_line(line);
      if (result.outcome == Outcome::kRight) ++right_[i];
      if (result.outcome == Outcome::kRight || result.outcome == Outcome::kWrong) ++read_[i];
      if (i == stage) take(p.id, result, texts[i], sample);
    }
  }

  void take(const std::string& id, const FoundationLine& result, const std::string& text, SampleScore& sample) {
    sample.answer = text.substr(0, 2000);
    sample.value = result.outcome == Outcome::kRight ? 1 : 0;
    switch (result.outcome) {
      case Outcome::kRight:
      case Outcome::kWrong:
        sample.outcome = sample.value == 1 ? "right" : "wrong";
        break;
      case Outcome::kUnread:
        sample.outcome = "unread";
        counts_.add("unread_reply");
        break;
      default:
        sample.outcome = "invalid";
        counts_.add("bad_gold");
        stop("item " + id + ": " + (result.error.empty() ? result.printed.substr(0, result.printed.size() - 1) : result.error));
        return;
    }
    table_.add(result);
  }

  // The paper's columns, each the accuracy of the read ones, pooled a task; where all five are there, their plain mean.
  void add_columns(BenchmarkScore& score) const {
    Json columns = Json::object();
    double sum = 0;
    long all = 0;
    for (const auto& [column, task] : kPaperColumns) {
      long right = 0, read = 0;
      for (const SampleScore& s : samples_) {
        if (s.groups.empty() || s.groups[0].second != task || (s.outcome != "right" && s.outcome != "wrong")) continue;
        ++read;
        right += s.value == 1 ? 1 : 0;
      }
      if (read == 0) continue;
      score.figures.push_back(proportion_figure(std::string(column), right, read));
      columns[std::string(column)] = score.figures.back().value;
      sum += score.figures.back().value;
      all += read;
    }
    if (columns.size() == kPaperColumns.size()) {
      columns["Average"] = sum / static_cast<double>(kPaperColumns.size());
      score.figures.push_back(bootstrap_figure(average_of_columns(), samples_.size(), options_.bootstrap));
      score.figures.back().n = all;
    }
    score.details["table6"] = columns;
  }

  Metric average_of_columns() const {
    struct Vote {
      std::size_t column;
      double value;
    };
    std::vector<Vote> votes;  // by sample; a column beyond the last: not in the mean
    for (const SampleScore& s : samples_) {
      const bool read = !s.groups.empty() && (s.outcome == "right" || s.outcome == "wrong");
      const auto column = std::find_if(kPaperColumns.begin(), kPaperColumns.end(),
                                       [&](const auto& c) { return read && s.groups[0].second == c.second; });
      votes.push_back({static_cast<std::size_t>(column - kPaperColumns.begin()), s.value});
    }
    return {"Average", [votes](std::span<const std::uint32_t> picks) {
              std::array<double, kPaperColumns.size() + 1> right{}, read{};
              for (const std::uint32_t i : picks) {
                right[votes[i].column] += votes[i].value;
                ++read[votes[i].column];
              }
              double sum = 0, columns = 0;
              for (std::size_t c = 0; c < kPaperColumns.size(); ++c) {
                if (read[c] == 0) continue;
                sum += 100 * right[c] / read[c];
                ++columns;
              }
              return columns > 0 ? sum / columns : 0;
            }};
  }

  void stop(const std::string& why) {
    if (stop_.empty()) stop_ = why;
  }

  ScoreOptions options_;
  FoundationTable table_;
  Counts counts_;
  std::array<long, 3> right_{}, read_{};
  std::vector<SampleScore> samples_;
  std::string stop_;
};

}  // namespace

std::unique_ptr<Scorer> make_foundation_scorer(const ScoreOptions& options) {
  return std::make_unique<FoundationScorer>(options);
}

}  // namespace areason
