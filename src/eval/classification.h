#pragma once
// Accuracy, balanced accuracy and F1 as scikit-learn 1.9 computes them for strings (emotion: MELD, table 8). Labels outside the
// references count as classes of their own in macro F1, as in scikit-learn. Called by the emotion scorer and tests.
// facts/evaluation.md 4. Thread rule: values and free functions.
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace areason {

struct ClassificationScores {
  double accuracy = 0;           // WA of EmoBox; micro F1 is the same for single labels
  double balanced_accuracy = 0;  // UA: mean recall of the classes in the references
  double macro_f1 = 0;           // over the union of the labels
  double weighted_precision = 0, weighted_recall = 0, weighted_f1 = 0;
};

// Pairs of (reference, hypothesis) as small numbers; the numbers of labels are given out by the table.
class LabelTable {
 public:
  int id(std::string_view label);
  const std::string& name(int id) const { return names_[static_cast<std::size_t>(id)]; }
  int size() const { return static_cast<int>(names_.size()); }

 private:
  std::vector<std::string> names_;
  std::map<std::string, int, std::less<>> ids_;
};
using LabelPair = std::pair<int, int>;

// All zero for no pairs.
ClassificationScores classification_scores(std::span<const LabelPair> pairs, int labels);

// The seven labels of MELD in the order of its index.
std::span<const std::string_view> meld_labels();
// The one label that a reply names (letters' case, quotes and a full stop do not matter; as a word in a sentence if no other
// label stands there); empty without one. kSynonyms takes words such as "happy" or "angry" too.
enum class LabelWords { kLabelsOnly, kSynonyms };
std::string_view meld_label_in(std::string_view reply, LabelWords words);

}  // namespace areason
