// Our own engine over a benchmark: batches of questions through reason::answer_questions().

#include "eval/run.h"

namespace areason {
namespace {

RunReply reply_of(const Answer& answer) {
  RunReply out;
  out.text = answer.text;
  out.finish = answer.finish_reason;
  out.usage = {{"prompt_tokens", answer.prompt_tokens},
               {"audio_tokens", answer.audio_tokens},
               {"completion_tokens", answer.completion_tokens}};
  out.more = Json::object();
  if (!answer.cut.empty()) {
    out.more["cut_sections"] = Json::array();
    for (const Section section : answer.cut) out.more["cut_sections"].push_back(section_key(section));
  }
  for (const HeardAudio& heard : answer.audio)
    if (heard.truncated) out.more["truncated_audio"] = true;
  return out;
}

}  // namespace

RunStats run_engine(EvalRun& run, const EngineOptions& options) {
  const RunLock lock(run);
  RunStats stats;
  std::vector<Question> questions;
  std::map<std::string, const RunItem*> by_id;
  AnswerFile out(run.predictions);
  for (const RunItem& item : run.items) {
    ++stats.items;
    const bool askable = item.item->has_audio && !item.prompt.empty();
    if (!askable && !out.has(item.item->id)) {
      ++stats.failed;
      ++stats.outcomes[item.item->has_audio ? "no_prompt_field" : "missing_audio"];
      continue;
    }
    by_id[item.item->id] = &item;
    questions.push_back({item.item->id, item.item->audio, item.prompt, {}, item.item->choices});
  }
  BatchOptions batch = options.batch;
  batch.line = [&](const Question& question, const Answer& answer) {
    ++stats.outcomes["finish_" + answer.finish_reason];
    return prediction_line(run, *by_id.at(question.id), reply_of(answer));
  };
  batch.failed = [&](const Question&, const Error&) { ++stats.outcomes["unusable_audio"]; };
  const BatchStats done = answer_questions(questions, batch, out, options.progress);
  stats.skipped = done.skipped;
  stats.answered = done.answered;
  stats.failed += done.failed;
  stats.seconds = done.seconds;
  return stats;
}

}  // namespace areason
