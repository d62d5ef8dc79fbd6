#include "cota/data_stats.h"

#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numbers>
#include <numeric>
#include <sstream>

#include "base/files.h"
#include "base/json.h"
#include "cota/set_questions.h"

namespace areason {
namespace {

std::size_t word_count(const std::string& text) {
  std::istringstream in(text);
  std::size_t n = 0;
  for (std::string word; in >> word;) ++n;
  return n;
}

// Seconds by the file's header; negative when it has none that can be read.
double header_seconds(const std::string& path) {
  SF_INFO info = {};
  SNDFILE* file = sf_open(path.c_str(), SFM_READ, &info);
  if (file == nullptr) return -1;
  sf_close(file);
  return info.samplerate > 0 && info.frames >= 0 ? static_cast<double>(info.frames) / info.samplerate : -1;
}

const PaperSet* known_set(const std::string& name) {
  for (const PaperSet& set : paper_sets()) {
    if (set.name == name) return &set;
  }
  return nullptr;
}

std::string skill_of_task(const std::string& task) {
  static const std::map<std::string, std::string> names = {
      {"sound_qa", "Sound QA"},         {"complex_audio", "Complex Audio QA"},
      {"music_qa", "Music QA"},         {"multi_speaker_qa", "Multi-speaker Speech QA"},
      {"emotion", "Speech Emotion QA"}, {"sarcasm", "Sarcasm Detection"},
      {"speech_qa", "Speech QA"},       {"translation", "Speech-to-Text Translation"}};
  const auto it = names.find(task);
  return it == names.end() ? task : it->second;
}

// That a chi-square of k - 1 degrees of freedom is at least x (Abramowitz and Stegun 26.4.4, 26.4.5).
double chi_square_tail(double x, std::size_t letters) {
  if (letters == 2) return std::erfc(std::sqrt(x / 2));
  if (letters == 3) return std::exp(-x / 2);
  if (letters == 4) return std::erfc(std::sqrt(x / 2)) + std::sqrt(2 * x / std::numbers::pi) * std::exp(-x / 2);
  return 1;
}

Json measure_json(const Measure& m) {
  const auto rounded = [](double v) { return std::round(100 * v) / 100; };
  return Json{
      {"min", rounded(m.least())}, {"mean", rounded(m.mean())}, {"median", rounded(m.median())}, {"max", rounded(m.most())}};
}

}  // namespace

double Measure::least() const { return empty() ? 0 : *std::min_element(values.begin(), values.end()); }
double Measure::most() const { return empty() ? 0 : *std::max_element(values.begin(), values.end()); }
double Measure::mean() const {
  return empty() ? 0 : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}
double Measure::median() const {
  if (empty()) return 0;
  std::vector<float> sorted = values;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  if (sorted.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(sorted.begin(), middle)) / 2.0;
}

void DataStatistics::add_file(const std::string& path) {
  const std::string folder = parent_directory(path);
  read_samples(path, [&](Sample&& s) { add(s, folder); });
}

void DataStatistics::add(const Sample& s, const std::string& folder) {
  const std::string name = s.source.set.empty() ? "unnamed" : s.source.set;
  SetStatistics& set = sets_[name];
  if (set.samples == 0) {
    const PaperSet* known = known_set(name);
    set.name = name;
    set.category = s.domain;
    set.skill = known != nullptr ? known->skill : skill_of_task(s.task);
    set.synthetic = name == "complex_audio" || name == "multi_speaker" || name == "composed_music" ||
                    name == "packaged_sounds" || name == "nano-synth";
  }
  ++samples_;
  ++set.samples;
  ++set.teachers[s.teacher.empty() ? "unknown" : s.teacher];
  ++set.tasks[s.task];
  ++set.splits[s.split.empty() ? "none" : s.split];
  ++set.verdicts[s.review_verdict.empty() ? "none" : s.review_verdict];
  ++tasks_[s.task];
  ++kinds_[s.kind];
  set.question_words.add(static_cast<double>(word_count(s.question)));
  std::size_t words = 0;
  for (std::size_t i = 0; i < set.section_words.size(); ++i) {
    const std::size_t n = word_count(s.sections.text[i]);
    set.section_words[i].add(static_cast<double>(n));
    words += n;
  }
  set.chain_words.add(static_cast<double>(words));
  if (tokens_) set.chain_tokens.add(static_cast<double>(tokens_(render_chain(s.sections))));
  for (const std::string& audio : s.audio) {
    const std::string path = (std::filesystem::path(folder) / audio).lexically_normal().string();
    if (!heard_.insert(path).second) continue;
    ++set.clips;
    const double seconds = header_seconds(path);
    seconds >= 0 ? set.seconds.add(seconds) : void(++set.unread_clips);
  }
  if (!s.answer_letter.empty() && s.choices.size() >= 2) {
    auto& counts = letters_[s.choices.size()];
    counts.resize(s.choices.size());
    const auto at = static_cast<std::size_t>(s.answer_letter[0] - 'a');
    if (at < counts.size()) ++counts[at];
  }
  yes_ += s.answer_text == "yes" ? 1 : 0;
  no_ += s.answer_text == "no" ? 1 : 0;
}

std::vector<const SetStatistics*> DataStatistics::sets() const {
  std::vector<const SetStatistics*> out;
  for (const auto& [name, set] : sets_) out.push_back(&set);
  std::stable_sort(out.begin(), out.end(), [](const auto* a, const auto* b) { return a->samples > b->samples; });
  return out;
}

std::vector<LetterBalance> DataStatistics::letters() const {
  std::vector<LetterBalance> out;
  for (const auto& [options, counts] : letters_) {
    LetterBalance balance;
    balance.options = options;
    balance.counts = counts;
    const double even =
        static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::size_t{0})) / static_cast<double>(options);
    for (const std::size_t n : counts)
      balance.chi_square += even > 0 ? (static_cast<double>(n) - even) * (static_cast<double>(n) - even) / even : 0;
    balance.p = chi_square_tail(balance.chi_square, options);
    out.push_back(std::move(balance));
  }
  return out;
}

const std::vector<PaperRow>& paper_table_2() {
  static const std::vector<PaperRow> rows = {{"multi_speaker", "Multi-Speaker", 117.4, 12.09},
                                             {"meld", "MELD", 29.2, 3.01},
                                             {"covost2", "CoVoST2", 224.6, 23.13},
                                             {"mustard", "Mustard", 1, 0.10},
                                             {"musicbench", "MusicBench", 137.1, 14.12},
                                             {"audioset", "AudioSet", 315.2, 32.46},
                                             {"clotho", "Clotho", 9.3, 0.93},
                                             {"audiocaps", "AudioCaps", 117.5, 12.10},
                                             {"complex_audio", "Complex Audio", 20, 2.06}};
  return rows;
}

Json statistics_json(const DataStatistics& statistics) {
  Json out = Json{{"samples", statistics.samples()}};
  Json& sets = out["sets"] = Json::array();
  for (const SetStatistics* set : statistics.sets()) {
    Json words = Json{{"question", measure_json(set->question_words)}, {"chain", measure_json(set->chain_words)}};
    for (const Section section : kSections)
      words[std::string(section_key(section))] = measure_json(set->section_words[static_cast<std::size_t>(section)]);
    Json entry =
        Json{{"set", set->name},
             {"category", set->category},
             {"skill", set->skill},
             {"synthetic", set->synthetic},
             {"samples", set->samples},
             {"share",
              statistics.samples() == 0 ? 0.0 : static_cast<double>(set->samples) / static_cast<double>(statistics.samples())},
             {"teachers", set->teachers},
             {"tasks", set->tasks},
             {"splits", set->splits},
             {"verdicts", set->verdicts},
             {"clips", set->clips},
             {"clips_not_read", set->unread_clips}};
    entry["seconds"] = measure_json(set->seconds);
    entry["words"] = std::move(words);
    if (!set->chain_tokens.empty()) entry["tokens"] = measure_json(set->chain_tokens);
    sets.push_back(std::move(entry));
  }
  out["tasks"] = statistics.tasks();
  out["kinds"] = statistics.kinds();
  Json& letters = out["letters"] = Json::array();
  for (const LetterBalance& b : statistics.letters())
    letters.push_back(
        Json{{"options", b.options}, {"counts", b.counts}, {"chi_square", b.chi_square}, {"p", b.p}, {"skewed", b.skewed()}});
  out["yes"] = statistics.yes_and_no().first;
  out["no"] = statistics.yes_and_no().second;
  return out;
}

}  // namespace areason
