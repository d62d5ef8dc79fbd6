// MELD: plain accuracy as Qwen2-Audio's script has it, balanced accuracy (EmoBox's UA), macro and weighted F1.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "eval/classification.h"
#include "eval/option_map.h"
#include "eval/python_text.h"
#include "eval/scorers.h"

namespace areason {
namespace {

using Member = double ClassificationScores::*;
constexpr std::array<std::pair<const char*, Member>, 4> kFigures = {
    {{"balanced_accuracy", &ClassificationScores::balanced_accuracy},
     {"macro_f1", &ClassificationScores::macro_f1},
     {"weighted_f1", &ClassificationScores::weighted_f1},
     {"accuracy", &ClassificationScores::accuracy}}};

class EmotionScorer : public Scorer {
 public:
  explicit EmotionScorer(const ScoreOptions& options) : options_(options) {}

  void add(const Prediction& p) override {
    std::optional<std::string> gold;
    for (const char* key : {"gt", "answer", "answer_gt", "emotion", "Emotion"})
      if (!gold) gold = text_field(p.item, key, counts_);
    if (!gold) return counts_.add("bad_gold");
    SampleScore sample{p.id, 0, "missing", "", {{"label", *gold}}};
    const std::string reply = p.reply.value_or("");
    if (!p.reply) counts_.add("no_reply_scored_as_empty");
    const std::string response = response_of(reply, counts_);
    std::string label(meld_label_in(response, LabelWords::kLabelsOnly));
    if (label.empty()) label = label_by_letter(p.item, response);
    const std::string_view synonym = meld_label_in(response, LabelWords::kSynonyms);
    if (label.empty() && !synonym.empty()) counts_.add("named_by_a_synonym_only");
    if (synonym == *gold) ++right_with_synonyms_;
    // Qwen2-Audio's script strips the left of a reply, Qwen-Audio's does not.
    const std::array<std::string, 3> texts = {std::string(py::lstrip(reply)), std::string(py::lstrip(response)),
                                              label.empty() ? std::string(py::lstrip(response)) : label};
    if (reply == *gold) ++right_unstripped_;
    for (std::size_t i = 0; i < texts.size(); ++i) right_[i] += texts[i] == *gold ? 1 : 0;
    const std::string& said = texts[static_cast<std::size_t>(options_.stage)];
    if (!is_label(said)) counts_.add("no_label");
    pairs_.emplace_back(labels_.id(*gold), labels_.id(said.substr(0, 200)));
    const std::string source = text_field(p.item, "source", counts_).value_or("meld");
    count_source(source, said == *gold);
    sample.value = said == *gold ? 1 : 0;
    if (p.reply) sample.outcome = sample.value == 1 ? "right" : is_label(said) ? "wrong" : "unread";
    sample.answer = said.substr(0, 200);
    samples_.push_back(std::move(sample));
  }

  BenchmarkScore finish(const Counts& counts) override {
    BenchmarkScore score = opened_score(options_, counts_, counts);
    const auto n = static_cast<long>(pairs_.size());
    score.figures.push_back(proportion_figure("accuracy", right_[static_cast<std::size_t>(options_.stage)], n));
    const auto pairs = std::make_shared<std::vector<LabelPair>>(std::move(pairs_));
    const int labels = labels_.size();
    for (const auto& [name, member] : kFigures) {
      const Member which = member;
      score.metrics.push_back({name, [pairs, labels, which](std::span<const std::uint32_t> picks) {
                                 std::vector<LabelPair> drawn;
                                 drawn.reserve(picks.size());
                                 for (const std::uint32_t i : picks) drawn.push_back((*pairs)[i]);
                                 return 100 * (classification_scores(drawn, labels).*which);
                               }});
      if (member != &ClassificationScores::accuracy)
        score.figures.push_back(bootstrap_figure(score.metrics.back(), pairs->size(), options_.bootstrap));
    }
    score.figures.push_back(proportion_figure("accuracy_without_lstrip", right_unstripped_, n));
    score.figures.push_back(proportion_figure("accuracy_with_synonyms", right_with_synonyms_, n));
    for (std::size_t i = 0; i < 3; ++i)
      score.stages.push_back(proportion_figure(std::string(stage_name(static_cast<ScoreStage>(i))), right_[i], n));
    for (const auto& [name, right, total] : sources_) {
      score.official.out +=
          fmt::format("{} ACC_score: {} {}\n", name, py::repr(static_cast<double>(right) / static_cast<double>(total)), total);
    }
    score.groups = group_proportions(samples_);
    score.samples = std::move(samples_);
    if (counts_.of("no_label") > 0) score.warnings.push_back("replies that are no label count as wrong; see the stages");
    score.counts = std::move(counts_);
    return score;
  }

 private:
  struct Source {
    std::string name;
    long right, total;
  };

  static bool is_label(std::string_view text) {
    const auto labels = meld_labels();
    return std::find(labels.begin(), labels.end(), text) != labels.end();
  }

  // Prompts that list the labels with letters are answered by a letter; "choices" has their order.
  std::string label_by_letter(const Json& item, const std::string& response) {
    if (!item.contains("choices")) return "";
    const auto choices = choices_field(item, "choices", counts_);
    const MappedOption mapped = choices ? map_option(response, *choices) : MappedOption{};
    if (mapped.index < 0) return "";
    counts_.add(mapping_name(mapped.how));
    return (*choices)[static_cast<std::size_t>(mapped.index)];
  }

  void count_source(const std::string& name, bool right) {
    auto found = std::find_if(sources_.begin(), sources_.end(), [&](const Source& s) { return s.name == name; });
    if (found == sources_.end()) found = sources_.insert(sources_.end(), {name, 0, 0});
    found->right += right ? 1 : 0;
    ++found->total;
  }

  ScoreOptions options_;
  Counts counts_;
  LabelTable labels_;
  std::vector<LabelPair> pairs_;
  std::array<long, 3> right_{};
  long right_unstripped_ = 0, right_with_synonyms_ = 0;
  std::vector<Source> sources_;
  std::vector<SampleScore> samples_;
};

}  // namespace

std::unique_ptr<Scorer> make_emotion_scorer(const ScoreOptions& options) { return std::make_unique<EmotionScorer>(options); }

}  // namespace areason
