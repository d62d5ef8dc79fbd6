// What stands between two stages: payloads, the values of prompts, and the samples that an answer makes.
#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/random.h"
#include "cota/annotate.h"
#include "cota/review.h"
#include "cota/stage_run.h"
#include "cota/think.h"

namespace areason {
namespace {

// The oracle's own sample of this question; null when there is none.
const Sample* known_sample(const SourceClip& clip, const std::string& question) {
  const auto it =
      std::find_if(clip.oracle.begin(), clip.oracle.end(), [&](const Sample& s) { return trimmed(s.question) == question; });
  return it == clip.oracle.end() ? nullptr : &*it;
}

Sample new_sample(const SourceClip& clip, const StagePrompt& prompt) {
  Sample s;
  static_cast<ClipRecord&>(s) = clip;
  s.kind = clip.task;
  s.prompt_version = prompt.version;
  return s;
}

std::vector<Sample> samples_of(const SourceClip& clip, Annotation&& annotation, const StagePrompt& prompt) {
  std::vector<Sample> out;
  for (QuestionAnswer& pair : annotation.pairs) {
    Sample s = new_sample(clip, prompt);
    s.id = clip.id + "#" + std::to_string(out.size() + 1);
    s.caption = annotation.caption;
    if (const Sample* known = known_sample(clip, pair.question)) {
      s.kind = known->kind;
      s.task = known->task;
      s.caption = known->caption;
      s.turns = known->turns;
      s.choices = known->choices;
      s.answer_text = known->answer_text;
      s.answer_letter = known->answer_letter;
    } else {
      shuffle_choices(pair, Random::for_item(0, s.id + pair.question).next_u32());
      s.choices = pair.choices;
      s.answer_letter = pair.letter;
      s.answer_text = pair.letter.empty() ? pair.answer : pair.choices[static_cast<std::size_t>(pair.letter[0] - 'a')];
    }
    s.question = pair.question;
    out.push_back(std::move(s));
  }
  return out;
}

std::string chain_text(const Sample& sample) { return render_chain(sample.sections); }

}  // namespace

Stage stage_of(const store::Job& job) {
  for (const Stage stage : kStages) {
    if (job.key.stage == stage_name(stage)) return stage;
  }
  throw Error(ErrorCode::kInput, "job " + std::to_string(job.id) + " is of the unknown stage " + job.key.stage,
              "was the store written by another version of the program?");
}

StageItem read_payload(const store::Job& job) {
  const std::string where = "job " + std::to_string(job.id) + " (" + job.key.item + ")";
  const Json json = parse_json(job.payload, where);
  if (!json.is_object() || !json.contains("clip"))
    throw Error(ErrorCode::kInput, where + ": no clip in its payload", "was the store edited?");
  StageItem item{source_clip_from_json(json["clip"], where), {}, job.tries};
  if (json.contains("sample")) item.sample = sample_from_json(json["sample"], where);
  return item;
}

std::string stage_prompt_text(const StagePrompt& prompt, Stage stage, const StageItem& item, const std::string& reason) {
  PromptValues values;
  for (const auto& [name, value] : item.clip.facts) values[name] = value;
  SourceClip timeline_only;
  timeline_only.timeline = item.clip.timeline;
  values["timeline"] = describe_clip(timeline_only);
  if (!item.sample.answer_letter.empty()) values["has_options"] = "yes";
  values["questions"] = std::to_string(prompt.questions);
  if (stage != Stage::kAnnotate) {
    values["caption"] = item.sample.caption;
    values["question"] = item.sample.question;
    values["answer"] = item.sample.answer_text;
    if (!item.sample.answer_letter.empty()) values["answer"] += " (option " + lower_ascii(item.sample.answer_letter) + ")";
  }
  if (stage == Stage::kReview) values["chain"] = chain_text(item.sample);
  std::string text = render_prompt(prompt, values);
  if (!reason.empty())
    text += "\n\nAn earlier answer to this could not be used: " + reason + ". Answer again, in the format described above.";
  return text;
}

StageResult read_stage_answer(Stage stage, const StageItem& item, const std::string& text, const StagePrompt& prompt) {
  if (stage == Stage::kAnnotate) {
    AnnotationRules rules{prompt.questions};
    // The oracle says how many questions it has, and asks with two or three options too.
    if (!item.clip.oracle.empty()) rules = {static_cast<int>(item.clip.oracle.size()), 2};
    auto parsed = parse_annotation(text, rules);
    if (!parsed.value) return {{}, parsed.refusal};
    return {samples_of(item.clip, std::move(*parsed.value), prompt), ""};
  }
  Sample s = item.sample;
  s.prompt_version += ";" + prompt.version;
  if (stage == Stage::kThink) {
    const auto parsed = parse_thought(text, s);
    if (!parsed.value) return {{}, parsed.refusal};
    s.sections = *parsed.value;
  } else {
    const auto parsed = parse_review(text);
    if (!parsed.value) return {{}, parsed.refusal};
    s.review_verdict = parsed.value->right ? "true" : "false";
    s.review_reason = parsed.value->reason;
  }
  return {{std::move(s)}, ""};
}

}  // namespace areason
