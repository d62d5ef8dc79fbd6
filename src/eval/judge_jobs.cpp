// Prompts for judges.
#include "eval/judge_jobs.h"

#include "base/error.h"
#include "cot/sections.h"
#include "eval/judge.h"
#include "eval/mmar_rubrics.h"
#include "eval/mmau.h"
#include "eval/option_map.h"
#include "eval/response.h"
#include "eval/scorers.h"

namespace areason {
namespace {

std::string text_or_empty(const Json& item, const char* key) {
  Counts ignored;
  return text_field(item, key, ignored).value_or("");
}

void add_chat_jobs(const RunItem& item, const std::string& reply, JudgeOptions::Orders orders, std::vector<JudgeJob>& jobs) {
  const Json& fields = item.item->fields;
  // What is rated is the answer, not the chain before it.
  const JudgeQuestion question = {text_or_empty(fields, "meta_info"), text_or_empty(fields, "question"),
                                  text_or_empty(fields, "answer_gt"), extract_response(reply).text};
  const std::string& id = item.item->id;
  jobs.push_back({id + "|plain", id, "", judge_prompt(question, JudgeOrder::kPlain), 0, Json()});
  if (orders == JudgeOptions::Orders::kBoth)
    jobs.push_back({id + "|swapped", id, "", judge_prompt(question, JudgeOrder::kSwapped), 0, Json()});
}

void add_rubric_jobs(const RunItem& item, const std::string& reply, std::vector<JudgeJob>& jobs, Counts& counts) {
  if (!has_rubric(*item.item)) return counts.add("no_rubric");
  const RubricAnswer answer = rubric_answer(*item.item, reply);
  if (!answer.right) return counts.add("wrong_answer_not_judged");
  Json fields = item.item->fields;
  fields["thinking_prediction"] = answer.thinking;
  fields["answer_prediction"] = answer.answer;
  try {
    const std::string prompt = rubric_prompt(fields);
    for (int rater = 1; rater <= kRubricRaters; ++rater)
      jobs.push_back({rater_id(item.item->id, rater), item.item->id, std::string(rubric_system_prompt()), prompt, rater,
                      item.item->fields["rubric"]});
  } catch (const Error&) {
    counts.add("bad_rubric");  // a criterion or the item lacks a field
  }
}

}  // namespace

bool has_rubric(const BenchmarkItem& item) {
  return item.fields.contains("rubric") && item.fields["rubric"].is_array() && !item.fields["rubric"].empty();
}

std::string rater_id(const std::string& item, int rater) { return item + "|rater" + std::to_string(rater); }

RubricAnswer rubric_answer(const BenchmarkItem& item, const std::string& reply) {
  Counts ignored;
  RubricAnswer out;
  out.answer = response_of(reply, ignored);
  const MappedOption mapped = map_option(out.answer, item.choices);
  if (mapped.index >= 0) out.answer = item.choices[static_cast<std::size_t>(mapped.index)];
  const auto gold = text_field(item.fields, "answer", ignored);
  out.right = gold && mmau_match(*gold, out.answer, item.choices);
  const Chain chain = parse_chain(reply).chain;
  for (const Section section : {Section::kPlanning, Section::kCaption, Section::kReasoning, Section::kSummary}) {
    if (chain[section].empty()) continue;
    out.thinking += (out.thinking.empty() ? "" : "\n") + chain[section];
  }
  return out;
}

void expect_judged(const EvalRun& run) {
  if (run.benchmark != "airbench-chat" && run.benchmark != "mmar")
    throw Error(ErrorCode::kUsage, run.folder + " is a run of " + run.benchmark + ", which needs no judge",
                "judges rate airbench-chat and mmar; audio-reasoner eval score gives the figures of the others");
}

std::vector<JudgeJob> judge_jobs(const EvalRun& run, JudgeOptions::Orders orders, Counts& counts) {
  expect_judged(run);
  const Predictions predictions = read_run(run);
  const char* key = run.benchmark == "airbench-chat" ? "response" : "answer_prediction";
  std::vector<JudgeJob> jobs;
  for (const RunItem& item : run.all) {
    const auto line = predictions.lines.find(item.item->id);
    if (line == predictions.lines.end() || !line->second.contains(key) || !line->second[key].is_string()) {
      counts.add("no_prediction");
      continue;
    }
    const std::string reply = line->second[key].get<std::string>();
    run.benchmark == "airbench-chat" ? add_chat_jobs(item, reply, orders, jobs) : add_rubric_jobs(item, reply, jobs, counts);
  }
  return jobs;
}

}  // namespace areason
