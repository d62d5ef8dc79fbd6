#include "cota/stats.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include "base/error.h"
#include "base/json.h"
#include "cota/check.h"
#include "cota/kinds.h"

namespace areason {
namespace {

struct Spread {
  int count = 0, least = 0, most = 0;
  double sum = 0;
  void add(int value) {
    least = count == 0 ? value : std::min(least, value);
    most = std::max(most, value);
    sum += value;
    ++count;
  }
  Json json() const {
    return Json{{"min", least}, {"mean", count == 0 ? 0 : std::round(10 * sum / count) / 10}, {"max", most}};
  }
};

int word_count(const std::string& text) {
  std::istringstream in(text);
  int n = 0;
  for (std::string word; in >> word;) ++n;
  return n;
}

double majority_share(const std::map<std::string, int>& answers, int items) {
  int most = 0;
  for (const auto& [answer, count] : answers) most = std::max(most, count);
  return items == 0 ? 0 : static_cast<double>(most) / items;
}

std::string answer_key(const Sample& s) { return s.answer_letter.empty() ? s.answer_text : s.answer_letter; }

std::string text_of_answer(const Json& json, const std::string& where) {
  if (const auto it = json.find("sections"); it != json.end() && it->is_object() && it->contains("response")) {
    const Json& response = (*it)["response"];
    if (response.is_string()) return response.get<std::string>();
  }
  if (const auto it = json.find("text"); it != json.end() && it->is_string()) return it->get<std::string>();
  throw Error(ErrorCode::kInput, where + ": an answer needs \"text\" or \"sections\".\"response\"",
              "see audio-reasoner data score --help");
}

}  // namespace

Json sample_statistics(const std::vector<Sample>& samples) {
  std::map<std::string, std::map<std::string, int>> by_kind;
  std::map<std::string, int> letters;
  Spread question, chain, by_section[kSectionCount];
  for (const Sample& s : samples) {
    ++by_kind[s.kind][answer_key(s)];
    if (!s.answer_letter.empty()) ++letters[s.answer_letter];
    question.add(word_count(s.question));
    int words = 0;
    for (int i = 0; i < kSectionCount; ++i) {
      const int n = word_count(s.sections.text[static_cast<std::size_t>(i)]);
      by_section[i].add(n);
      words += n;
    }
    chain.add(words);
  }
  Json out = Json::object();
  Json& kinds_json = out["kinds"] = Json::object();
  for (const Kind& kind : kinds()) {
    const auto it = by_kind.find(std::string(kind.name));
    if (it == by_kind.end()) continue;
    int items = 0;
    for (const auto& [answer, count] : it->second) items += count;
    kinds_json[it->first] = Json{{"items", items},
                                 {"different_answers", it->second.size()},
                                 {"most_frequent_answer", std::round(1000 * majority_share(it->second, items)) / 1000}};
  }
  out["letters"] = letters;
  out["words"] = Json{{"question", question.json()}, {"chain", chain.json()}};
  const char* names[kSectionCount] = {"planning", "caption", "reasoning", "summary", "response"};
  for (int i = 0; i < kSectionCount; ++i) out["words"][names[i]] = by_section[i].json();
  return out;
}

double ScoreRow::standard_error() const { return items == 0 ? 0 : std::sqrt(accuracy() * (1 - accuracy()) / items); }

std::vector<GivenAnswer> read_answers(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(ErrorCode::kInput, path + ": cannot be opened", "check the path");
  std::vector<GivenAnswer> out;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const std::string where = path + ", line " + std::to_string(number);
    const Json json = parse_json(line, where);
    if (!json.is_object() || !json.contains("id") || !json["id"].is_string()) {
      throw Error(ErrorCode::kInput, where + ": an answer needs an \"id\"", "one JSON object a line: {\"id\": …, \"text\": …}");
    }
    out.push_back({json["id"].get<std::string>(), text_of_answer(json, where)});
  }
  return out;
}

Score score_answers(const std::vector<Sample>& samples, const std::vector<GivenAnswer>& answers) {
  std::map<std::string, const std::string*> by_id;
  for (const GivenAnswer& a : answers) by_id[a.id] = &a.text;
  std::map<std::string, ScoreRow> rows;
  std::map<std::string, std::map<std::string, int>> golds;
  Score score;
  for (const Sample& s : samples) {
    if (find_kind(s.kind).form == AnswerForm::kFree) continue;
    ScoreRow& row = rows[s.kind];
    const auto it = by_id.find(s.id);
    const bool right = it != by_id.end() && check_answer(s, *it->second);
    ++row.items;
    row.right += right ? 1 : 0;
    row.missing += it == by_id.end() ? 1 : 0;
    ++golds[s.kind][answer_key(s)];
  }
  score.all.kind = "all items";
  for (const Kind& kind : kinds()) {
    const auto it = rows.find(std::string(kind.name));
    if (it == rows.end()) continue;
    ScoreRow& row = it->second;
    row.kind = it->first;
    row.chance = kind.chance;
    row.majority = majority_share(golds[row.kind], row.items);
    score.all.items += row.items;
    score.all.right += row.right;
    score.all.missing += row.missing;
    score.all.chance += row.chance * row.items;
    score.all.majority += row.majority * row.items;
    score.mean_over_kinds += row.accuracy();
    score.rows.push_back(row);
  }
  if (score.all.items > 0) {
    score.all.chance /= score.all.items;
    score.all.majority /= score.all.items;
    score.mean_over_kinds /= static_cast<double>(score.rows.size());
  }
  return score;
}

std::string score_table(const Score& score) {
  std::string out = fmt::format("{:<24}{:>7}{:>10}{:>8}{:>9}{:>10}{:>9}\n", "kind", "items", "accuracy", "+/-", "chance",
                                "majority", "missing");
  const auto line = [&](const ScoreRow& r) {
    out += fmt::format("{:<24}{:>7}{:>9.1f}%{:>7.1f}%{:>8.1f}%{:>9.1f}%{:>9}\n", r.kind, r.items, 100 * r.accuracy(),
                       100 * r.standard_error(), 100 * r.chance, 100 * r.majority, r.missing);
  };
  for (const ScoreRow& row : score.rows) line(row);
  line(score.all);
  return out + fmt::format("mean over {} kinds: {:.1f}%\n", score.rows.size(), 100 * score.mean_over_kinds);
}

Json score_to_json(const Score& score) {
  const auto row_json = [](const ScoreRow& r) {
    return Json{{"items", r.items},
                {"right", r.right},
                {"missing", r.missing},
                {"accuracy", r.accuracy()},
                {"standard_error", r.standard_error()},
                {"chance", r.chance},
                {"majority", r.majority}};
  };
  Json kinds_json = Json::object();
  for (const ScoreRow& row : score.rows) kinds_json[row.kind] = row_json(row);
  return Json{{"kinds", kinds_json}, {"all", row_json(score.all)}, {"mean_over_kinds", score.mean_over_kinds}};
}

}  // namespace areason
