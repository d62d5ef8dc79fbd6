#pragma once
// Corpus BLEU as sacreBLEU 2.6.0 computes it (1.5.1, which Qwen-Audio and Qwen2-Audio pin, where it differs), from counts a
// sentence that can be summed, resampled and kept without the texts. Called by the translation scorer and tests.
// facts/evaluation.md 3.2. Scores and precisions are in percent. Thread rule: values and free functions.
#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eval/bleu_tokenizer.h"

namespace areason {

inline constexpr int kBleuOrder = 4;

// Clipped n-gram matches and n-grams of a sentence, or their sums.
struct BleuCounts {
  long sys_len = 0, ref_len = 0;
  std::array<long, kBleuOrder> correct{}, total{};
  BleuCounts& operator+=(const BleuCounts& other);
};

struct BleuOptions {
  enum class Smooth { kExp, kNone, kFloor, kAddK } smooth = Smooth::kExp;  // floor 0.1, add-k 1, as in sacreBLEU
  enum class Order { kFixed, kEffective } order = Order::kFixed;           // effective: only the orders that exist
  enum class Version { k2, k1_5_1 } version = Version::k2;                 // 1.5.1 smooths where nothing matches
  int max_order = kBleuOrder;                                              // n of the cumulative BLEU-n
};

struct BleuScore {
  double score = 0;
  std::array<double, kBleuOrder> precisions{};
  double bp = 1;
  BleuCounts counts;
  // "BLEU = 37.99 83.3/60.0/25.0/16.7 (BP = 1.000 ratio = 1.000 hyp_len = 6 ref_len = 6)"
  std::string printed() const;
};

enum class Casing { kMixed, kLower };
// Counts of one hypothesis against one reference.
BleuCounts bleu_counts(std::string_view hypothesis, std::string_view reference, BleuTokenizer tokenizer,
                       Casing casing = Casing::kMixed);
BleuScore bleu_score(const BleuCounts& sums, const BleuOptions& options = {});
BleuCounts sum_counts(std::span<const BleuCounts> sentences);

// "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0"
std::string bleu_signature(BleuTokenizer tokenizer);

// nltk's corpus_bleu with weights 1/n on the same tokens, in percent (facts 3.2): kTiny is its default (a zero becomes the
// smallest double), kMethod1 adds 0.1 to zeros.
enum class NltkSmooth { kTiny, kMethod1 };
double nltk_corpus_bleu(std::span<const BleuCounts> sentences, int order, NltkSmooth smooth);

}  // namespace areason
