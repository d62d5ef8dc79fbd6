#include "cota/spoken_words.h"

#include <algorithm>

#include "cota/claim_text.h"

namespace areason::claims {

bool has_latin_letter(const std::string& text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
}

std::vector<std::string> spoken_words(const std::string& plain_text) {
  std::vector<std::string> out;
  for (std::size_t from = 1, to = plain_text.find(' ', 1); to != std::string::npos;
       from = to + 1, to = plain_text.find(' ', from))
    if (to > from) out.push_back(plain_text.substr(from, to - from));
  return out;
}

bool nearly_equal(const std::string& a, const std::string& b) {
  const std::size_t longer = std::max(a.size(), b.size()), allowed = longer < 4 ? 0 : std::max<std::size_t>(1, longer / 4);
  if (longer - std::min(a.size(), b.size()) > allowed) return false;
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t k = 0; k <= b.size(); ++k) row[k] = k;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t k = 1; k <= b.size(); ++k) {
      const std::size_t up = row[k];
      row[k] = std::min({row[k] + 1, row[k - 1] + 1, diagonal + (a[i - 1] == b[k - 1] ? 0 : 1)});
      diagonal = up;
    }
  }
  return row[b.size()] <= allowed;
}

bool same_stem(const std::string& a, const std::string& b) {
  const std::size_t stem =
      std::max<std::size_t>(3, std::min(a.size(), b.size()) - std::min<std::size_t>(2, std::min(a.size(), b.size())));
  return nearly_equal(a, b) || (a.size() >= stem && a.compare(0, stem, b, 0, stem) == 0);
}

bool in_order(const std::vector<std::string>& words, const std::vector<std::string>& text) {
  std::size_t at = 0;
  for (const std::string& word : words) {
    if (number_of(word) >= 0) continue;
    while (at < text.size() && !nearly_equal(word, text[at])) ++at;
    if (at++ >= text.size()) return false;
  }
  return true;
}

std::vector<double> figures_of(const std::vector<std::string>& words, Figures as) {
  std::vector<double> out;
  for (const std::string& word : words) {
    const bool written = word.size() > 1 && word.find_first_not_of("0123456789") == std::string::npos;
    if (written && as == Figures::kDigits) {
      for (const char c : word) out.push_back(c - '0');
    } else if (const double n = number_of(word); n >= 0) {
      out.push_back(n);
    }
  }
  return out;
}

}  // namespace areason::claims
