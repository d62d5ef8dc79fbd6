#include "cota/statement_reader.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "cota/statement.h"
#include "cota/statement_judge.h"

namespace areason {
namespace {

// PLANNING claims nothing.
constexpr std::array kTold = {Section::kCaption, Section::kReasoning, Section::kSummary, Section::kResponse};
// More names than this fill a prompt to no purpose; the model then uses its own.
constexpr std::size_t kMostLabels = 600;
// A model that missed the form misses it in most lines.
constexpr std::size_t kReadablePart = 2;

std::string chain_text(const Sample& sample) {
  std::string out;
  for (const Section section : kTold)
    out += std::string(section_tag(section)) + ": " + trimmed(sample.sections[section]) + "\n";
  return trimmed(out);
}

std::string turns_text(const Sample& sample) {
  std::string out;
  for (const Turn& turn : sample.turns) out += turn.question + " -> " + turn.response + "\n";
  return trimmed(out);
}

std::string chain_hash(const Sample& sample) { return sha256_hex(sample.question + "\n" + chain_text(sample)).substr(0, 16); }

std::string list_of(const std::set<std::string>& labels) {
  if (labels.empty() || labels.size() > kMostLabels) return "(no list: use plain names)";
  std::string out;
  for (const std::string& label : labels) out += (out.empty() ? "" : "; ") + label;
  return out;
}

Parsed<Json> reading_of(const Sample& sample, std::string_view answer, const AskedModelOptions& options) {
  const claims::Statements statements = claims::parse_statements(answer);
  if (statements.read.empty()) return {{}, "there is no statement in it"};
  if (statements.unread.size() * kReadablePart > statements.read.size())
    return {{}, "these lines are no statements: " + statements.unread[0] + " / " + statements.unread.back()};
  Json claims = Json::array();
  for (const claims::Statement& s : statements.read) claims.push_back(s.source);
  Json line = {{"id", sample.id}, {"chain", chain_hash(sample)}};
  line["claims"] = std::move(claims);
  line["by"] = options.model;
  line["prompt_version"] = options.prompt.version;
  return {std::move(line), ""};
}

std::string code_of(const std::string& word) {
  static const std::pair<const char*, const char*> kCodes[] = {
      {"heard", "presence"}, {"count", "count"},         {"kinds", "count"},    {"files", "count"},    {"voices", "speakers"},
      {"first", "order"},    {"last", "order"},          {"nth", "order"},      {"before", "order"},   {"next", "order"},
      {"order", "order"},    {"overlap", "overlap"},     {"during", "overlap"}, {"alone", "overlap"},  {"shared", "overlap"},
      {"gap", "gap"},        {"silent", "gap"},          {"start", "time"},     {"end", "time"},       {"at", "time"},
      {"within", "time"},    {"clip", "length"},         {"length", "length"},  {"longest", "length"}, {"shortest", "length"},
      {"level", "level"},    {"loudest", "level"},       {"quietest", "level"}, {"says", "words"},     {"topic", "words"},
      {"mentions", "words"}, {"overlaps", "overlap"},    {"words", "words"},    {"digits", "words"},   {"is", "trait"},
      {"music", "trait"},    {"same_voice", "speakers"}, {"answer", "answer"}};
  for (const auto& [name, code] : kCodes)
    if (word == name) return code;
  return "claim";
}

std::string first_function(const claims::Expression& e) {
  if (e.what == claims::Expression::What::kFunction) return e.function;
  for (const claims::Expression& side : e.sides)
    if (std::string found = first_function(side); !found.empty()) return found;
  return "";
}

std::string code_of(const claims::Statement& s) {
  if (!s.fact.empty()) return code_of(s.fact);
  const std::string left = first_function(s.left);
  return code_of(left.empty() ? first_function(s.right) : left);
}

}  // namespace

void add_labels(const Sample& sample, std::set<std::string>& labels) {
  for (const TimelineEntry& e : sample.timeline)
    if (!e.label.empty() && e.label != "background noise" && e.label != "silence") labels.insert(e.label);
}

Readings::Readings(const std::string& file) {
  each_kept(file, "a reading", [&](const std::string& id, const Json& line, const std::string& where) {
    try {
      claims_[{id, line.at("chain").get<std::string>()}] = line.at("claims").get<std::vector<std::string>>();
    } catch (const Json::exception& e) {
      throw Error(ErrorCode::kInput, where + ": no reading: " + e.what(), "delete the line; the chain is read again");
    }
  });
}

const std::vector<std::string>* Readings::find(const Sample& sample) const {
  const auto it = claims_.find({sample.id, chain_hash(sample)});
  return it == claims_.end() ? nullptr : &it->second;
}

KeptCounts read_chains(const std::string& file, const std::vector<Sample>& samples, const std::set<std::string>& labels,
                       const AskedModelOptions& options) {
  const Readings known(file);
  std::vector<AskedItem> open;
  std::set<std::pair<std::string, std::string>> asked;
  const std::string names = list_of(labels);
  for (const Sample& sample : samples) {
    if (known.find(sample) != nullptr || !asked.insert({sample.id, chain_hash(sample)}).second) continue;
    const PromptValues values = {
        {"labels", names}, {"question", sample.question}, {"turns", turns_text(sample)}, {"chain", chain_text(sample)}};
    open.push_back(
        {sample.id, values, [&sample, &options](std::string_view answer) { return reading_of(sample, answer, options); }});
  }
  KeptCounts counts = ask_and_keep(file, open, options, "the reader");
  counts.known = static_cast<int>(samples.size() - open.size());
  return counts;
}

JudgedClaims judge_claims(const Sample& sample, const SourceClip* clip, const std::vector<std::string>& claims) {
  JudgedClaims out;
  if (sample.timeline.empty()) return out;
  const claims::StatementJudge judge(sample, clip);
  for (const std::string& claim : claims) {
    for (const claims::Statement& s : claims::parse_statements(claim).read) {
      const claims::Verdict verdict = judge.judge(s);
      ++out.statements;
      out.open += verdict == claims::Verdict::kOpen ? 1 : 0;
      if (verdict == claims::Verdict::kFalse) out.wrong.push_back(code_of(s) + ": " + s.source);
    }
  }
  return out;
}

}  // namespace areason
