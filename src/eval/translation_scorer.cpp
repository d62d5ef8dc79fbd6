// CoVoST 2 as Qwen-Audio and Qwen2-Audio score it: corpus BLEU a source, tokenizer by the source's target language.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "eval/bleu.h"
#include "eval/scorers.h"

namespace areason {
namespace {

struct Sentence {
  std::size_t source;
  BleuCounts counts;
};

struct Source {
  std::string name;
  BleuTokenizer tokenizer;
};

// source.split("_")[-2], e.g. "zh" of "covost_en_zh_test"; empty with fewer than two parts.
std::string target_language(const std::string& source) {
  const auto last = source.rfind('_');
  if (last == std::string::npos) return "";
  const auto before = last == 0 ? std::string::npos : source.rfind('_', last - 1);
  const std::size_t begin = before == std::string::npos ? 0 : before + 1;
  return source.substr(begin, last - begin);
}

BleuScore corpus(const std::vector<Sentence>& all, std::span<const std::uint32_t> picks, std::size_t source) {
  BleuCounts sum;
  for (const std::uint32_t i : picks)
    if (all[i].source == source) sum += all[i].counts;
  return bleu_score(sum);
}

class TranslationScorer : public Scorer {
 public:
  explicit TranslationScorer(const ScoreOptions& options) : options_(options) {}

  void add(const Prediction& p) override {
    const auto gold = text_field(p.item, "gt", counts_);
    const std::string name = text_field(p.item, "source", counts_).value_or("(no source)");
    SampleScore sample{p.id, 0, "invalid", "", {{"source", name}}};
    const auto source = source_of(name);
    if (!gold) {
      counts_.add("bad_gold");
    } else if (source) {
      if (!p.reply) counts_.add("no_reply_scored_as_empty");
      const std::string reply = p.reply.value_or("");
      const std::string response = response_of(reply, counts_);
      const std::string& text = options_.stage == ScoreStage::kRaw ? reply : response;
      if (text.empty()) counts_.add("empty_hypothesis");
      if (gold->empty()) counts_.add("empty_reference");
      const BleuCounts raw = bleu_counts(reply, *gold, sources_[*source].tokenizer);
      const BleuCounts extracted = reply == response ? raw : bleu_counts(response, *gold, sources_[*source].tokenizer);
      stages_[0].push_back({*source, raw});
      stages_[1].push_back({*source, extracted});
      BleuOptions sentence;
      sentence.order = BleuOptions::Order::kEffective;
      sample.value = bleu_score(options_.stage == ScoreStage::kRaw ? raw : extracted, sentence).score;
      sample.outcome = p.reply ? "scored" : "missing";
      sample.answer = text.substr(0, 2000);
      samples_.push_back(std::move(sample));
    }
  }

  BenchmarkScore finish(const Counts& counts) override {
    BenchmarkScore score = opened_score(options_, counts_, counts);
    const auto all = std::make_shared<std::vector<Sentence>>(stages_[options_.stage == ScoreStage::kRaw ? 0 : 1]);
    std::vector<std::uint32_t> everything(all->size());
    for (std::size_t i = 0; i < everything.size(); ++i) everything[i] = static_cast<std::uint32_t>(i);
    const std::size_t directions = sources_.size();
    score.metrics.push_back({"mean_bleu", [all, directions](std::span<const std::uint32_t> picks) {
                               double sum = 0;
                               for (std::size_t s = 0; s < directions; ++s) sum += corpus(*all, picks, s).score;
                               return directions > 0 ? sum / static_cast<double>(directions) : 0;
                             }});
    for (std::size_t s = 0; s < directions; ++s) {
      score.metrics.push_back({"bleu " + sources_[s].name,
                               [all, s](std::span<const std::uint32_t> picks) { return corpus(*all, picks, s).score; }});
      describe(s, *all, everything, score);
    }
    for (const Metric& metric : score.metrics)
      score.figures.push_back(bootstrap_figure(metric, all->size(), options_.bootstrap));
    for (std::size_t s = 0; s < directions; ++s) score.figures[s + 1].n = sentences_of(*all, s);
    add_precisions(*all, everything, score);
    if (counts_.of("no_source") > 0)
      score.warnings.push_back("items without a usable source: name the tokenizer (--tokenizer)");
    if (counts_.of("unsupported_tokenizer") > 0)
      score.warnings.push_back("Japanese targets want sacreBLEU's ja-mecab, which is not built in; they are left out");
    add_stages(score);
    score.samples = std::move(samples_);
    score.counts = std::move(counts_);
    return score;
  }

 private:
  std::optional<std::size_t> source_of(const std::string& name) {
    for (std::size_t i = 0; i < sources_.size(); ++i)
      if (sources_[i].name == name) return i;
    BleuTokenizer tokenizer = BleuTokenizer::k13a;
    if (options_.tokenizer != "auto") {
      tokenizer = bleu_tokenizer(options_.tokenizer);
    } else {
      const std::string language = target_language(name);
      if (language.empty()) {
        counts_.add("no_source");
        return std::nullopt;
      }
      if (language == "ja") {
        counts_.add("unsupported_tokenizer");
        return std::nullopt;
      }
      if (language == "zh") tokenizer = BleuTokenizer::kZh;
    }
    sources_.push_back({name, tokenizer});
    return sources_.size() - 1;
  }

  // The line of Qwen's script, sacreBLEU's, and table 7's columns as the paper most likely means them (facts 3.1).
  void describe(std::size_t s, const std::vector<Sentence>& all, std::span<const std::uint32_t> everything,
                BenchmarkScore& score) const {
    const BleuScore bleu = corpus(all, everything, s);
    const std::string signature = bleu_signature(sources_[s].tokenizer);
    const long n = sentences_of(all, s);
    score.official.out += fmt::format("source: {}  cnt: {} bleu score: {:.4f}\n", sources_[s].name, n, bleu.score);
    Json cumulative = Json::array();
    for (int order = 1; order <= kBleuOrder; ++order) {
      BleuOptions options;
      options.max_order = order;
      cumulative.push_back(bleu_score(bleu.counts, options).score);
    }
    const double mean = (bleu.precisions[0] + bleu.precisions[1] + bleu.precisions[2] + bleu.precisions[3]) / 4;
    score.details["sources"][sources_[s].name] = {{"n", n},
                                                  {"printed", bleu.printed()},
                                                  {"signature", signature},
                                                  {"score", bleu.score},
                                                  {"precisions", bleu.precisions},
                                                  {"precisions_mean", mean},
                                                  {"cumulative_bleu1_4", cumulative},
                                                  {"bp", bleu.bp},
                                                  {"sys_len", bleu.counts.sys_len},
                                                  {"ref_len", bleu.counts.ref_len}};
  }

  static long sentences_of(const std::vector<Sentence>& all, std::size_t source) {
    return std::count_if(all.begin(), all.end(), [&](const Sentence& sentence) { return sentence.source == source; });
  }

  // Table 7's columns: "p1 SOURCE" to "p4 SOURCE" and "p_mean SOURCE", then "p_mean", the mean of the directions.
  void add_precisions(const std::vector<Sentence>& all, std::span<const std::uint32_t> everything,
                      BenchmarkScore& score) const {
    const auto columns = [&](std::span<const std::uint32_t> picks) {
      std::vector<double> out;
      double sum = 0;
      for (std::size_t s = 0; s < sources_.size(); ++s) {
        const BleuScore bleu = corpus(all, picks, s);
        double mean = 0;
        for (const double p : bleu.precisions) {
          out.push_back(p);
          mean += p / kBleuOrder;
        }
        out.push_back(mean);
        sum += mean;
      }
      out.push_back(sources_.empty() ? 0 : sum / static_cast<double>(sources_.size()));
      return out;
    };
    const std::vector<double> values = columns(everything);
    const std::vector<Bootstrap> spread = bootstrap_each(all.size(), columns, options_.bootstrap);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::size_t source = i / (kBleuOrder + 1), order = i % (kBleuOrder + 1);
      const bool whole = source == sources_.size();
      const std::string name = order == kBleuOrder || whole ? "p_mean" : fmt::format("p{}", order + 1);
      Figure figure{whole ? name : name + " " + sources_[source].name, values[i], 0, 0, {}, ""};
      figure.n = whole ? static_cast<long>(all.size()) : sentences_of(all, source);
      if (i < spread.size()) {
        figure.error = spread[i].error;
        figure.interval = spread[i].interval;
        figure.method = "bootstrap";
      }
      score.figures.push_back(figure);
    }
  }

  void add_stages(BenchmarkScore& score) const {
    for (std::size_t stage = 0; stage < stages_.size(); ++stage) {
      double sum = 0;
      for (std::size_t s = 0; s < sources_.size(); ++s) {
        BleuCounts counts;
        for (const Sentence& sentence : stages_[stage])
          if (sentence.source == s) counts += sentence.counts;
        sum += bleu_score(counts).score;
      }
      const double mean = sources_.empty() ? 0 : sum / static_cast<double>(sources_.size());
      score.stages.push_back(
          {std::string(stage_name(static_cast<ScoreStage>(stage))), mean, static_cast<long>(stages_[stage].size()), 0, {}, ""});
    }
  }

  ScoreOptions options_;
  Counts counts_;
  std::vector<Source> sources_;
  std::array<std::vector<Sentence>, 2> stages_;
  std::vector<SampleScore> samples_;
};

}  // namespace

std::unique_ptr<Scorer> make_translation_scorer(const ScoreOptions& options) {
  return std::make_unique<TranslationScorer>(options);
}

}  // namespace areason
