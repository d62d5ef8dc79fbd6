// MMAU and MMAR.
#include <algorithm>
#include <array>

#include "base/hash.h"
#include "eval/mmau.h"
#include "eval/option_map.h"
#include "eval/scorers.h"

namespace areason {
namespace {

class ChoiceScorer : public Scorer {
 public:
  explicit ChoiceScorer(const ScoreOptions& options)
      : options_(options),
        kind_(options.benchmark == "mmau" ? ChoiceBenchmark::kMmau : ChoiceBenchmark::kMmar),
        table_(kind_) {}

  void add(const Prediction& p) override {
    const auto answer = text_field(p.item, "answer", counts_);
    const auto choices = choices_field(p.item, "choices", counts_);
    const auto question = text_field(p.item, "question", counts_);
    add_hash(p, Json::array({p.id, question.value_or(""), choices.value_or(std::vector<std::string>()), answer.value_or("")}));
    SampleScore sample{p.id, 0, "invalid", "", {}};
    const auto values = read_groups(p, sample);
    if (!answer || !choices) {
      counts_.add(answer ? "bad_choices" : "bad_gold");
      stop(p.id, "its answer or choices are not as released");
    } else if (!p.reply) {
      sample.outcome = "missing";
    } else {
      if (std::find(choices->begin(), choices->end(), *answer) == choices->end()) counts_.add("answer_not_among_choices");
      counts_.add(std::to_string(choices->size()) + "_choices");
      judge(*p.reply, *answer, *choices, sample);
      count(p.id, values, sample);
    }
    samples_.push_back(std::move(sample));
  }

  BenchmarkScore finish(const Counts& counts) override {
    BenchmarkScore score = opened_score(options_, counts_, counts);
    score.official = table_.run();
    if (counts_.of("null_reply") > 0) stop("", "AttributeError: 'NoneType' object has no attribute 'lower'");
    score.official_stop = stop_;
    const long missing = count_outcome("missing"), invalid = count_outcome("invalid");
    const long all = static_cast<long>(samples_.size()) - invalid;
    const long right = right_[static_cast<std::size_t>(options_.stage)];
    score.figures.push_back(proportion_figure("accuracy", right, all - missing));
    score.figures.push_back(proportion_figure("accuracy_missing_is_wrong", right, all));
    for (const ScoreStage stage : {ScoreStage::kRaw, ScoreStage::kResponse, ScoreStage::kMapped})
      score.stages.push_back(
          proportion_figure(std::string(stage_name(stage)), right_[static_cast<std::size_t>(stage)], all - missing));
    score.groups = group_proportions(samples_);
    describe_data(score);
    score.samples = std::move(samples_);
    score.metrics.push_back(mean_metric("accuracy_missing_is_wrong", score.samples, 100));
    score.counts = std::move(counts_);
    warn(score);
    return score;
  }

 private:
  void judge(const std::string& reply, const std::string& answer, const std::vector<std::string>& choices,
             SampleScore& sample) {
    const std::string response = response_of(reply, counts_);
    const MappedOption mapped = map_option(response, choices);
    counts_.add(mapping_name(mapped.how));
    const std::string& option = mapped.index >= 0 ? choices[static_cast<std::size_t>(mapped.index)] : response;
    const std::array<const std::string*, 3> texts = {&reply, &response, &option};
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const bool right = i > 0 && *texts[i] == *texts[i - 1] ? verdicts_[i - 1] : mmau_match(answer, *texts[i], choices);
      verdicts_[i] = right;
      right_[i] += right ? 1 : 0;
    }
    const auto stage = static_cast<std::size_t>(options_.stage);
    sample.value = verdicts_[stage] ? 1 : 0;
    sample.outcome = verdicts_[stage] ? "right" : "wrong";
    if (options_.stage == ScoreStage::kMapped && mapped.index < 0 && !verdicts_[stage]) sample.outcome = "unread";
    sample.answer = texts[stage]->substr(0, 2000);
  }

  std::array<std::string, 2> read_groups(const Prediction& p, SampleScore& sample) {
    std::array<std::string, 2> values;
    for (std::size_t i = 0; i < 2; ++i) {
      values[i] = text_field(p.item, table_.keys()[i], counts_).value_or("");
      sample.groups.emplace_back(table_.keys()[i], values[i].empty() ? "(none)" : values[i]);
    }
    if (const auto sub = text_field(p.item, "sub-category", counts_)) sample.groups.emplace_back("sub-category", *sub);
    return values;
  }

  void count(const std::string& id, const std::array<std::string, 2>& values, const SampleScore& sample) {
    std::optional<std::string> sub;
    if (sample.groups.size() > 2) sub = sample.groups[2].second;
    for (std::size_t i = 0; i < 2; ++i) {
      if (table_.knows(i, values[i])) continue;
      counts_.add("unknown_" + table_.keys()[i]);
      return stop(id, "KeyError: its " + table_.keys()[i] + " is not in the script's list");
    }
    table_.count(values, sub, sample.value == 1 ? Verdict::kRight : Verdict::kWrong);
  }

  void add_hash(const Prediction& p, const Json& line) {
    if (p.id[0] == '#') unnamed_ = true;
    hashes_.push_back(sha256_hex(dump_json(line)));
  }

  void describe_data(BenchmarkScore& score) {
    std::sort(hashes_.begin(), hashes_.end());
    std::string all;
    for (const std::string& hash : hashes_) all += hash;
    const std::string items = sha256_hex(all);
    score.details["items_sha256"] = items;
    if (kind_ == ChoiceBenchmark::kMmau) {
      const std::string_view version = mmau_version_of_items(items);
      score.details["mmau_version"] = version.empty() ? "unknown" : std::string(version);
    }
  }

  void warn(BenchmarkScore& score) const {
    if (unnamed_) score.warnings.push_back("items without an id: runs can be compared by their place in the file only");
    const auto value = [&](ScoreStage s) { return score.stages[static_cast<std::size_t>(s)].value; };
    if (options_.stage == ScoreStage::kRaw && value(ScoreStage::kMapped) != value(ScoreStage::kRaw))
      score.warnings.push_back("the wording costs points: see the stages; --stage mapped scores the option that was meant");
  }

  long count_outcome(std::string_view outcome) const {
    return std::count_if(samples_.begin(), samples_.end(), [&](const SampleScore& s) { return s.outcome == outcome; });
  }

  void stop(const std::string& id, const std::string& why) {
    if (stop_.empty()) stop_ = id.empty() ? why : "item " + id + ": " + why;
  }

  ScoreOptions options_;
  ChoiceBenchmark kind_;
  AccuracyTable table_;
  Counts counts_;
  std::array<bool, 3> verdicts_{};
  std::array<long, 3> right_{};
  std::vector<SampleScore> samples_;
  std::vector<std::string> hashes_;
  std::string stop_;
  bool unnamed_ = false;
};

}  // namespace

std::unique_ptr<Scorer> make_choice_scorer(const ScoreOptions& options) { return std::make_unique<ChoiceScorer>(options); }

}  // namespace areason
