#include "eval/bleu.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "eval/python_text.h"

namespace areason {
namespace {

using Ids = std::vector<std::uint64_t>;

// Replaces every value by its rank among all values of both lists, so that ranks of neighbours can be paired in 64 bits.
void rank(Ids& a, Ids& b) {
  Ids all(a);
  all.insert(all.end(), b.begin(), b.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  for (Ids* ids : {&a, &b})
    for (auto& id : *ids) id = static_cast<std::uint64_t>(std::lower_bound(all.begin(), all.end(), id) - all.begin());
}

void token_ids(const std::vector<std::string_view>& a, const std::vector<std::string_view>& b, Ids& a_ids, Ids& b_ids) {
  std::vector<std::string_view> all(a);
  all.insert(all.end(), b.begin(), b.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  const auto id_of = [&](std::string_view token) {
    return static_cast<std::uint64_t>(std::lower_bound(all.begin(), all.end(), token) - all.begin());
  };
  std::transform(a.begin(), a.end(), std::back_inserter(a_ids), id_of);
  std::transform(b.begin(), b.end(), std::back_inserter(b_ids), id_of);
}

// Sum over the distinct values of the smaller of both counts.
long common(Ids a, Ids b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  long matches = 0;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i] == b[j]) {
      ++matches;
      ++i;
      ++j;
    } else {
      ++(a[i] < b[j] ? i : j);
    }
  }
  return matches;
}

// From ids of n-grams to ids of (n+1)-grams.
void extend(Ids& grams, const Ids& tokens, std::size_t n) {
  const std::size_t count = tokens.size() > n ? tokens.size() - n : 0;
  grams.resize(count);
  for (std::size_t i = 0; i < count; ++i) grams[i] = grams[i] << 32 | tokens[i + n];
}

std::vector<std::string_view> tokens_of(const std::string& tokenized) { return py::split(tokenized); }

double safe_log(double p) { return p == 0 ? -9999999999.0 : std::log(p); }  // sacrebleu.utils.my_log

double brevity_penalty(const BleuCounts& c) {
  if (c.sys_len >= c.ref_len) return 1;
  return c.sys_len > 0 ? std::exp(1 - static_cast<double>(c.ref_len) / static_cast<double>(c.sys_len)) : 0;
}

}  // namespace

BleuCounts& BleuCounts::operator+=(const BleuCounts& other) {
  sys_len += other.sys_len;
  ref_len += other.ref_len;
  for (std::size_t n = 0; n < kBleuOrder; ++n) {
    correct[n] += other.correct[n];
    total[n] += other.total[n];
  }
  return *this;
}

BleuCounts bleu_counts(std::string_view hypothesis, std::string_view reference, BleuTokenizer tokenizer, Casing casing) {
  const auto prepare = [&](std::string_view text) {
    const std::string cased = casing == Casing::kLower ? py::lower(text) : std::string(text);
    return bleu_tokenize(py::rstrip(cased), tokenizer);
  };
  const std::string hyp_text = prepare(hypothesis), ref_text = prepare(reference);
  Ids hyp, ref;
  token_ids(tokens_of(hyp_text), tokens_of(ref_text), hyp, ref);
  BleuCounts out;
  out.sys_len = static_cast<long>(hyp.size());
  out.ref_len = static_cast<long>(ref.size());
  Ids hyp_grams = hyp, ref_grams = ref;
  for (std::size_t n = 0; n < kBleuOrder && !hyp_grams.empty(); ++n) {
    if (n > 0) rank(hyp_grams, ref_grams);
    out.correct[n] = common(hyp_grams, ref_grams);
    out.total[n] = static_cast<long>(hyp_grams.size());
    extend(hyp_grams, hyp, n + 1);
    extend(ref_grams, ref, n + 1);
  }
  return out;
}

BleuCounts sum_counts(std::span<const BleuCounts> sentences) {
  BleuCounts sum;
  for (const BleuCounts& s : sentences) sum += s;
  return sum;
}

BleuScore bleu_score(const BleuCounts& sums, const BleuOptions& options) {
  BleuScore out;
  out.counts = sums;
  out.bp = brevity_penalty(sums);
  const int orders = options.max_order;
  const bool any = std::any_of(sums.correct.begin(), sums.correct.begin() + orders, [](long c) { return c > 0; });
  if (!any && options.version == BleuOptions::Version::k2) return out;
  double smooth = 1, logs = 0;
  int effective = orders;
  for (int n = 1; n <= orders; ++n) {
    const auto i = static_cast<std::size_t>(n - 1);
    const double add = options.smooth == BleuOptions::Smooth::kAddK && n > 1 ? 1 : 0;
    const double correct = static_cast<double>(sums.correct[i]) + add, total = static_cast<double>(sums.total[i]) + add;
    if (total == 0) break;
    if (options.order == BleuOptions::Order::kEffective) effective = n;
    if (correct > 0) {
      out.precisions[i] = 100 * correct / total;
    } else if (options.smooth == BleuOptions::Smooth::kExp) {
      smooth *= 2;
      out.precisions[i] = 100 / (smooth * total);
    } else if (options.smooth == BleuOptions::Smooth::kFloor) {
      out.precisions[i] = 100 * 0.1 / total;
    }
  }
  for (int n = 0; n < effective; ++n) logs += safe_log(out.precisions[static_cast<std::size_t>(n)]);
  out.score = out.bp * std::exp(logs / effective);
  return out;
}

std::string BleuScore::printed() const {
  const double ratio = counts.ref_len > 0 ? static_cast<double>(counts.sys_len) / static_cast<double>(counts.ref_len) : 0;
  return fmt::format("BLEU = {:.2f} {:.1f}/{:.1f}/{:.1f}/{:.1f} (BP = {:.3f} ratio = {:.3f} hyp_len = {} ref_len = {})", score,
                     precisions[0], precisions[1], precisions[2], precisions[3], bp, ratio, counts.sys_len, counts.ref_len);
}

std::string bleu_signature(BleuTokenizer tokenizer) {
  return fmt::format("nrefs:1|case:mixed|eff:no|tok:{}|smooth:exp|version:2.6.0", bleu_tokenizer_name(tokenizer));
}

double nltk_corpus_bleu(std::span<const BleuCounts> sentences, int order, NltkSmooth smooth) {
  BleuCounts sum;
  for (BleuCounts s : sentences) {
    for (long& total : s.total) total = std::max(1L, total);  // nltk's denominators are at least 1 a sentence
    sum += s;
  }
  if (sum.correct[0] == 0) return 0;
  double bp = 1;
  if (sum.sys_len <= sum.ref_len)
    bp = sum.sys_len == 0 ? 0 : std::exp(1 - static_cast<double>(sum.ref_len) / static_cast<double>(sum.sys_len));
  double logs = 0;
  for (int n = 0; n < order; ++n) {
    const auto i = static_cast<std::size_t>(n);
    const auto total = static_cast<double>(sum.total[i]);
    double p = static_cast<double>(sum.correct[i]) / total;
    if (p == 0) p = smooth == NltkSmooth::kTiny ? std::numeric_limits<double>::min() : 0.1 / total;
    logs += std::log(p) / order;
  }
  return 100 * bp * std::exp(logs);
}

}  // namespace areason
