#include "eval/classification.h"

#include <algorithm>
#include <array>
#include <set>

#include "eval/python_text.h"

namespace areason {
namespace {

// Order of MELD's own index (declare-lab/MELD @2d2011b).
constexpr std::array<std::string_view, 7> kMeldLabels = {"neutral", "surprise", "fear", "sadness", "joy", "disgust", "anger"};

// Our own table: what models write for MELD's labels. Only used for the figure that says so.
constexpr std::array<std::pair<std::string_view, std::string_view>, 26> kSynonyms = {{
    {"happy", "joy"},        {"happiness", "joy"},       {"joyful", "joy"},         {"cheerful", "joy"},
    {"amusement", "joy"},    {"angry", "anger"},         {"mad", "anger"},          {"annoyed", "anger"},
    {"irritated", "anger"},  {"frustrated", "anger"},    {"sad", "sadness"},        {"unhappy", "sadness"},
    {"sorrow", "sadness"},   {"upset", "sadness"},       {"surprised", "surprise"}, {"astonished", "surprise"},
    {"shocked", "surprise"}, {"amazed", "surprise"},     {"afraid", "fear"},        {"scared", "fear"},
    {"fearful", "fear"},     {"frightened", "fear"},     {"disgusted", "disgust"},  {"neutrality", "neutral"},
    {"calm", "neutral"},     {"emotionless", "neutral"},
}};

double share(double part, double whole) { return whole > 0 ? part / whole : 0; }

}  // namespace

int LabelTable::id(std::string_view label) {
  const auto found = ids_.find(label);
  if (found != ids_.end()) return found->second;
  const int id = size();
  names_.emplace_back(label);
  ids_.emplace(std::string(label), id);
  return id;
}

ClassificationScores classification_scores(std::span<const LabelPair> pairs, int labels) {
  std::vector<double> right(static_cast<std::size_t>(labels)), references(right), hypotheses(right);
  for (const auto& [reference, hypothesis] : pairs) {
    ++references[static_cast<std::size_t>(reference)];
    ++hypotheses[static_cast<std::size_t>(hypothesis)];
    if (reference == hypothesis) ++right[static_cast<std::size_t>(reference)];
  }
  const auto n = static_cast<double>(pairs.size());
  ClassificationScores out;
  double hits = 0, recall_classes = 0, classes = 0;
  for (std::size_t i = 0; i < right.size(); ++i) {
    if (references[i] == 0 && hypotheses[i] == 0) continue;
    const double precision = share(right[i], hypotheses[i]), recall = share(right[i], references[i]);
    const double f1 = share(2 * right[i], references[i] + hypotheses[i]);
    hits += right[i];
    ++classes;
    out.macro_f1 += f1;
    if (references[i] == 0) continue;
    ++recall_classes;
    out.balanced_accuracy += recall;
    out.weighted_precision += precision * references[i];
    out.weighted_recall += recall * references[i];
    out.weighted_f1 += f1 * references[i];
  }
  out.accuracy = share(hits, n);
  out.balanced_accuracy = share(out.balanced_accuracy, recall_classes);
  out.macro_f1 = share(out.macro_f1, classes);
  out.weighted_precision = share(out.weighted_precision, n);
  out.weighted_recall = share(out.weighted_recall, n);
  out.weighted_f1 = share(out.weighted_f1, n);
  return out;
}

std::span<const std::string_view> meld_labels() { return kMeldLabels; }

std::string_view meld_label_in(std::string_view reply, LabelWords words) {
  const std::set<std::string> tokens = py::word_tokens(reply);
  std::set<std::string_view> found;
  for (const std::string_view label : kMeldLabels)
    if (tokens.contains(std::string(label))) found.insert(label);
  if (words == LabelWords::kSynonyms) {
    for (const auto& [word, label] : kSynonyms)
      if (tokens.contains(std::string(word))) found.insert(label);
  }
  return found.size() == 1 ? *found.begin() : std::string_view();
}

}  // namespace areason
