#include "cota/stage_teacher.h"

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "cota/check.h"
#include "cota/claims.h"
#include "cota/kinds.h"
#include "cota/review.h"
#include "cota/stage_run.h"
#include "llm/replay.h"

namespace areason {
namespace {

class ProviderTeacher : public Teacher {
 public:
  explicit ProviderTeacher(const ProviderTeacherOptions& options) : options_(options) {}

  TeacherReply ask(Stage, const StageItem& item, const StagePrompt& prompt, const std::string& text) override {
    const llm::Request request = request_of(item, prompt, text);
    TeacherReply out;
    out.fingerprint = llm::request_hash(request);
    out.reply = options_.provider->complete(request);
    const auto price = options_.prices.models.find(options_.model);
    if (price != options_.prices.models.end() && out.reply.usage.known)
      out.money = price->second.cost(out.reply.usage, llm::estimate_of(request).audio);
    return out;
  }
  std::string name() const override { return options_.model; }
  llm::Estimate estimate(const StageItem& item, const StagePrompt& prompt, const std::string& text) const override {
    // 32 tokens a second of audio (llm/budget.h's own rule), without reading the clip.
    StageItem unheard = item;
    unheard.clip.audio.clear();
    llm::Estimate e = llm::estimate_of(request_of(unheard, prompt, text));
    if (options_.hearing == Hearing::kAudio) e.audio += static_cast<std::int64_t>(item.clip.seconds * 32) + 1;
    return e;
  }

 private:
  llm::Request request_of(const StageItem& item, const StagePrompt& prompt, const std::string& text) const {
    llm::Request request;
    request.model = options_.model;
    request.sample = item.attempt;
    request.parameters.max_output_tokens = prompt.max_tokens;
    request.parameters.temperature = prompt.temperature;
    request.parameters.extra_json = options_.extra_json;
    request.timeout_seconds = options_.timeout_seconds;
    llm::Message message{llm::Role::kUser, {}};
    if (options_.hearing == Hearing::kTextOnly) {
      message.parts.push_back(
          {"You cannot hear the clip. This is what is known about it:\n" + describe_clip(item.clip), nullptr});
    } else {
      for (const std::string& path : item.clip.audio)
        message.parts.push_back(llm::audio_part(llm::audio_from_file(path_inside(item.clip.root, path))));
    }
    message.parts.push_back({text, nullptr});
    request.messages.push_back(std::move(message));
    return request;
  }

  ProviderTeacherOptions options_;
};

bool is_known_kind(const std::string& name) {
  try {
    find_kind(name);
    return true;
  } catch (const Error&) {
    return false;
  }
}

// Speaks the teachers' own format, so that its answers go the way of everybody's.
class OracleTeacher : public Teacher {
 public:
  TeacherReply ask(Stage stage, const StageItem& item, const StagePrompt&, const std::string& text) override {
    if (item.clip.oracle.empty())
      throw Error(ErrorCode::kUsage, "the oracle knows nothing about the clip " + item.clip.id,
                  "it answers for clips of data synth only; take another --teacher, or choose clips with --where");
    TeacherReply out;
    out.fingerprint = sha256_hex("oracle\n" + text);
    out.reply.finish = llm::Finish::kStop;
    out.reply.usage.known = true;
    out.reply.text = stage == Stage::kAnnotate ? annotation(item.clip)
                     : stage == Stage::kThink  ? render_chain(item.clip.oracle[0].sections)
                                               : review(item);
    return out;
  }
  std::string name() const override { return "oracle"; }
  llm::Estimate estimate(const StageItem&, const StagePrompt&, const std::string&) const override { return {}; }

 private:
  static std::string annotation(const SourceClip& clip) {
    std::string out = "<caption>" + clip.oracle[0].caption + "</caption>\n";
    for (std::size_t i = 0; i < clip.oracle.size(); ++i) {
      const std::string tag = "question" + std::to_string(i + 1);
      out += "<" + tag + "><question>" + clip.oracle[i].question + "</question> <answer>" +
             clip.oracle[i].sections[Section::kResponse] + "</answer></" + tag + ">\n";
    }
    return out;
  }
  // Recomputed from the timeline and the sample as it is now, not as it was written.
  static std::string review(const StageItem& item) {
    // The rules of the generator's own chains hold for its own kinds.
    std::vector<std::string> problems;
    if (is_known_kind(item.sample.kind)) problems = sample_problems(item.sample);
    for (std::string& claim : false_claims(item.sample, &item.clip)) problems.push_back(std::move(claim));
    if (problems.empty()) return "<True> agrees with the known timeline";
    std::string out = "<False>";
    for (const std::string& problem : problems) out += " " + problem + ";";
    return out;
  }
};

}  // namespace

std::unique_ptr<Teacher> make_provider_teacher(const ProviderTeacherOptions& options) {
  return std::make_unique<ProviderTeacher>(options);
}
std::unique_ptr<Teacher> make_oracle_teacher() { return std::make_unique<OracleTeacher>(); }

bool oracle_refuses(Teacher& oracle, const Sample& sample) {
  StageItem item;
  item.clip.oracle = {sample};
  item.sample = sample;
  const auto review = parse_review(oracle.ask(Stage::kReview, item, {}, "").reply.text);
  return review.value && !review.value->right;
}

}  // namespace areason
