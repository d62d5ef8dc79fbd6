#include "reason/vote.h"

#include <algorithm>
#include <cctype>

#include "base/json.h"

namespace areason {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) >= 0x80; }

// Words in lower case; a point or comma inside a number stays.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : ' ';
    const bool inside = !word.empty() && std::isdigit(static_cast<unsigned char>(word.back())) != 0 && (c == '.' || c == ',') &&
                        i + 1 < text.size() && std::isdigit(static_cast<unsigned char>(text[i + 1])) != 0;
    if (is_word(c) || inside) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!word.empty()) {
      out.push_back(std::move(word));
      word.clear();
    }
  }
  return out;
}

void drop_lead(std::vector<std::string>& words, const std::vector<std::string>& lead) {
  if (words.size() > lead.size() && std::equal(lead.begin(), lead.end(), words.begin()))
    words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(lead.size()));
}

// The letter of a choice at the beginning of `text`: "B", "B.", "(B)", "b) …", "**B**", "B: …"; 0 when there is none. "A dog"
// begins with an article.
char choice_letter(std::string_view text) {
  while (!text.empty() && !is_word(text[0])) text.remove_prefix(1);
  if (text.empty() || std::isalpha(static_cast<unsigned char>(text[0])) == 0) return 0;
  const std::string_view rest = text.substr(1);
  const bool ends = rest.find_first_not_of(" \t\n*._)]\"'") == std::string_view::npos;
  const bool marked = !rest.empty() && std::string_view(".):]*").find(rest[0]) != std::string_view::npos;
  return ends || marked ? static_cast<char>(std::toupper(static_cast<unsigned char>(text[0]))) : '\0';
}

// "The answer is B." -> "B."
std::string_view after_lead(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  for (const char* lead : {"answer is", "answer:", "option", "choice"}) {
    const auto at = lower.find(lead);
    if (at != std::string::npos && at < 24) return text.substr(at + std::string_view(lead).size());
  }
  return text;
}

}  // namespace

std::string normalised_answer(std::string_view response) {
  for (const std::string_view part : {response, after_lead(response)}) {
    if (const char letter = choice_letter(part)) return {letter};
  }
  std::vector<std::string> words = words_of(response);
  for (const auto& lead : std::vector<std::vector<std::string>>{
           {"the", "correct", "answer", "is"}, {"the", "answer", "is"}, {"answer"}, {"it", "is"}, {"the"}, {"a"}, {"an"}})
    drop_lead(words, lead);
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

Vote count_votes(std::span<const Answer> samples) {
  Vote out;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::string& response = samples[i].sections[Section::kResponse].empty() && !samples[i].complete
                                      ? samples[i].text
                                      : samples[i].sections[Section::kResponse];
    const std::string key = normalised_answer(response);
    if (key.empty() || samples[i].finish_reason == "interrupted") continue;
    ++out.voters;
    const auto share = std::find_if(out.shares.begin(), out.shares.end(), [&](const VoteShare& s) { return s.key == key; });
    if (share == out.shares.end()) {
      out.shares.push_back({key, response, {i}});
    } else {
      share->samples.push_back(i);
    }
  }
  std::stable_sort(out.shares.begin(), out.shares.end(),
                   [](const VoteShare& a, const VoteShare& b) { return a.samples.size() > b.samples.size(); });
  return out;
}

Json vote_to_json(const Vote& vote, std::span<const Answer> samples, const std::string& model) {
  Json out = answer_to_json(samples[vote.winner()], model);
  out["votes"] = Json::array();
  for (const VoteShare& share : vote.shares) {
    out["votes"].push_back({{"answer", share.answer},
                            {"count", share.samples.size()},
                            {"share", static_cast<double>(share.samples.size()) / static_cast<double>(vote.voters)}});
  }
  out["samples"] = Json::array();
  for (const Answer& sample : samples) {
    out["samples"].push_back({{"response", sample.sections[Section::kResponse]},
                              {"complete", sample.complete},
                              {"finish_reason", sample.finish_reason},
                              {"completion_tokens", sample.completion_tokens}});
  }
  return out;
}

}  // namespace areason
