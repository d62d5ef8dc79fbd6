#include "eval/functions.h"

#include <array>

#include "base/error.h"
#include "base/json.h"
#include "eval/airbench_chat.h"
#include "eval/airbench_foundation.h"
#include "eval/bleu.h"
#include "eval/choice_extractors.h"
#include "eval/classification.h"
#include "eval/mmar_rubrics.h"
#include "eval/mmau.h"
#include "eval/python_text.h"

namespace areason {
namespace {

std::string text(const Json& call, const char* key) { return call.at(key).get<std::string>(); }
std::vector<std::string> texts(const Json& call, const char* key) { return call.at(key).get<std::vector<std::string>>(); }

Json run_to_json(const ScriptRun& run) {
  return {{"stdout", run.out}, {"returncode", run.code}, {"stderr_last", run.last_error}};
}

Json mmau(const Json& call) {
  const auto choices = texts(call, "choices");
  const std::string answer = text(call, "answer"), prediction = text(call, "prediction");
  return {{"match", mmau_match(answer, prediction, choices)}, {"match_2024", mmau_match_2024(answer, prediction, choices)}};
}

Json mmau_tokens(const Json& call) { return py::word_tokens(text(call, "text")); }

Json foundation(const Json& call) {
  const FoundationLine line = read_foundation_line(call.at("line"));
  Json out = {{"outcome", outcome_name(line.outcome)}};
  if (!line.error.empty()) out["detail"] = line.error;
  if (line.outcome == FoundationLine::Outcome::kBadGold) out["detail"] = line.printed.substr(0, line.printed.size() - 1);
  return out;
}

Json chat_reply(const Json& call) {
  const std::string reply = text(call, "reply");
  const JudgeReply parsed = parse_judge_reply(reply);
  Json out = {{"parsed", parsed.parsed}};
  if (parsed.parsed) {
    out["first"] = parsed.first;
    out["second"] = parsed.second;
  }
  out["counts_in_success_num"] = parsed.counts_as_success;
  out["counts_in_fail_num"] = !parsed.parsed;
  out["lmms_mean"] = lmms_judge_mean(reply, reply);
  return out;
}

Json bleu_json(const BleuScore& score) {
  return {{"score", score.score},
          {"precisions", score.precisions},
          {"counts", score.counts.correct},
          {"totals", score.counts.total},
          {"bp", score.bp},
          {"sys_len", score.counts.sys_len},
          {"ref_len", score.counts.ref_len}};
}

Json bleu_1_5_1(const std::vector<std::string>& refs, const BleuCounts& sums) {
  for (const std::string& ref : refs)
    if (ref.empty()) return {{"error", "EOFError: No valid references for a sentence!"}};
  BleuOptions options;
  options.version = BleuOptions::Version::k1_5_1;
  return bleu_json(bleu_score(sums, options));
}

void add_variants(const std::vector<BleuCounts>& sentences, Json& out) {
  const BleuCounts sums = sum_counts(sentences);
  for (int n = 1; n <= kBleuOrder; ++n) {
    BleuOptions options;
    options.max_order = n;
    out["cumulative_bleu1_4"].push_back(bleu_score(sums, options).score);
    out["nltk_corpus_bleu1_4_no_smoothing"].push_back(nltk_corpus_bleu(sentences, n, NltkSmooth::kTiny));
    out["nltk_corpus_bleu1_4_smoothing1"].push_back(nltk_corpus_bleu(sentences, n, NltkSmooth::kMethod1));
  }
  BleuOptions options;
  options.order = BleuOptions::Order::kEffective;
  out["effective_order_score"] = bleu_score(sums, options).score;
  out["sentence_scores"] = Json::array();
  for (const BleuCounts& s : sentences) out["sentence_scores"].push_back(bleu_score(s, options).score);
  using Smooth = BleuOptions::Smooth;
  for (const auto& [name, smooth] :
       {std::pair{"smooth_none_score", Smooth::kNone}, std::pair{"smooth_floor_score", Smooth::kFloor},
        std::pair{"smooth_addk_score", Smooth::kAddK}}) {
    BleuOptions smoothed;
    smoothed.smooth = smooth;
    out[name] = bleu_score(sums, smoothed).score;
  }
}

Json bleu(const Json& call) {
  const auto hyps = texts(call, "hyps"), refs = texts(call, "refs");
  if (hyps.size() != refs.size())
    throw Error(ErrorCode::kInput, "hyps and refs differ in number", "one reference a hypothesis");
  const BleuTokenizer tokenizer = bleu_tokenizer(text(call, "tokenize"));
  std::vector<BleuCounts> sentences;
  BleuCounts lower;
  for (std::size_t i = 0; i < hyps.size(); ++i) {
    sentences.push_back(bleu_counts(hyps[i], refs[i], tokenizer));
    lower += bleu_counts(hyps[i], refs[i], tokenizer, Casing::kLower);
  }
  const BleuScore score = bleu_score(sum_counts(sentences));
  Json out = {{"corpus", bleu_json(score)}};
  add_variants(sentences, out);
  out["lowercase_score"] = bleu_score(lower).score;
  out["printed"] = score.printed();
  out["signature"] = bleu_signature(tokenizer);
  out["paper_avg_if_precisions"] = (score.precisions[0] + score.precisions[1] + score.precisions[2] + score.precisions[3]) / 4;
  out["sacrebleu_1_5_1_corpus"] = bleu_1_5_1(refs, sum_counts(sentences));
  return out;
}

double accuracy(const std::vector<std::string>& refs, const std::vector<std::string>& hyps, bool lstrip) {
  double right = 0;
  for (std::size_t i = 0; i < refs.size(); ++i) right += (lstrip ? py::lstrip(hyps[i]) : std::string_view(hyps[i])) == refs[i];
  return refs.empty() ? 0 : right / static_cast<double>(refs.size());
}

Json meld(const Json& call) {
  const auto hyps = texts(call, "hyps"), refs = texts(call, "refs");
  if (hyps.size() != refs.size())
    throw Error(ErrorCode::kInput, "hyps and refs differ in number", "one reference a hypothesis");
  LabelTable labels;
  std::vector<LabelPair> pairs;
  for (std::size_t i = 0; i < hyps.size(); ++i) pairs.emplace_back(labels.id(refs[i]), labels.id(hyps[i]));
  const ClassificationScores s = classification_scores(pairs, labels.size());
  return {{"qwen2_audio_accuracy_lstrip", accuracy(refs, hyps, true)},
          {"qwen_audio_accuracy_raw", accuracy(refs, hyps, false)},
          {"emobox", {{"WA", s.accuracy}, {"UA", s.balanced_accuracy}, {"micro_f1", s.accuracy}, {"macro_f1", s.macro_f1}}},
          {"meld_baseline_weighted_prf", {s.weighted_precision, s.weighted_recall, s.weighted_f1}}};
}

Json extractors(const Json& call) {
  const std::string reply = text(call, "reply");
  return {{"lmms_eval_mmau_airbench", lmms_choice(reply)},
          {"evalscope_mmau", evalscope_mmau_choice(reply)},
          {"evalscope_air_foundation", evalscope_foundation_choice(reply)}};
}

Json tokenize(const Json& call) { return bleu_tokenize(text(call, "text"), bleu_tokenizer(text(call, "tokenize"))); }
Json lower(const Json& call) { return py::lower(text(call, "text")); }
Json strip(const Json& call) { return std::string(py::strip(text(call, "text"))); }

Json to_int(const Json& call) {
  const auto value = py::to_int(text(call, "text"));
  return value ? Json(*value) : Json();
}

Json mmau_script(const Json& call) { return run_to_json(run_choice_script(ChoiceBenchmark::kMmau, call.at("items"))); }
Json mmar_script(const Json& call) { return run_to_json(run_choice_script(ChoiceBenchmark::kMmar, call.at("items"))); }
Json foundation_script(const Json& call) { return run_to_json(run_foundation_script(call.at("lines"))); }
Json chat_script(const Json& call) {
  const bool swapped = call.value("swapped", false);
  return run_to_json(run_chat_script(call.at("items"), swapped ? JudgeOrder::kSwapped : JudgeOrder::kPlain));
}
Json rubric_reply(const Json& call) {
  const RubricReply reply = parse_rubric_reply(text(call, "reply"), call.at("rubric"));
  return reply.score ? Json{{"score", *reply.score}} : Json{{"problem", reply.problem}};
}
Json rubric_text(const Json& call) { return rubric_prompt(call.at("item")); }

struct Entry {
  std::string_view name;
  Json (*run)(const Json&);
};
constexpr std::array kFunctions = {
    Entry{"mmau", mmau},
    Entry{"mmau_tokens", mmau_tokens},
    Entry{"mmau_aggregate", mmau_script},
    Entry{"mmar_aggregate", mmar_script},
    Entry{"mmar_rubric_prompt", rubric_text},
    Entry{"mmar_rubric_reply", rubric_reply},
    Entry{"airbench_foundation", foundation},
    Entry{"airbench_foundation_aggregate", foundation_script},
    Entry{"airbench_chat_reply", chat_reply},
    Entry{"airbench_chat_aggregate", chat_script},
    Entry{"bleu", bleu},
    Entry{"bleu_tokenize", tokenize},
    Entry{"meld", meld},
    Entry{"choice_extractors", extractors},
    Entry{"lower", lower},
    Entry{"strip", strip},
    Entry{"to_int", to_int},
};

}  // namespace

Json eval_function(const Json& call) {
  try {
    const std::string name = text(call, "function");
    for (const Entry& entry : kFunctions)
      if (entry.name == name) return entry.run(call);
    throw Error(ErrorCode::kInput, "there is no scoring function " + name, "the names are those of src/eval/functions.cpp");
  } catch (const Json::exception& e) {
    throw Error(ErrorCode::kInput, std::string("unsuitable arguments of a scoring function: ") + e.what(),
                "see src/eval/functions.cpp");
  }
}

std::vector<std::string_view> eval_function_names() {
  std::vector<std::string_view> names;
  for (const Entry& entry : kFunctions) names.push_back(entry.name);
  return names;
}

}  // namespace areason
