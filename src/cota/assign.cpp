#include "cota/assign.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/log.h"
#include "cota/check.h"
#include "cota/kinds.h"
#include "cota/quality.h"

namespace areason {
namespace {

constexpr double kMostOfOneNumber = 0.45;  // of a tested counting kind
constexpr int kWordings = 4;               // that a training question may try until it is like no other about its clip

// One thing to listen to: a clip, or two to compare.
struct Subject {
  std::string id;
  std::vector<const Clip*> clips;
  Listening listening;
};

std::vector<const Clip*> of_type(const std::vector<const Clip*>& clips, SceneType type) {
  std::vector<const Clip*> out;
  for (const Clip* clip : clips) {
    if (clip->scene.type == type) out.push_back(clip);
  }
  return out;
}

std::vector<TimelineEntry> timeline_of(const Subject& subject) {
  std::vector<TimelineEntry> out;
  for (std::size_t c = 0; c < subject.clips.size(); ++c) {
    const Scene& scene = subject.clips[c]->scene;
    const int windows = static_cast<int>(subject.clips[c]->audio.size());
    for (int w = 0; w < windows; ++w) {
      const double start = w * kWindowSeconds,
                   end = windows == 1 ? scene.seconds : std::min(scene.seconds, start + kWindowSeconds);
      for (const Event& e : scene.events) {
        if (e.to <= start || e.from >= end) continue;
        out.push_back({static_cast<int>(c) + w, e.label, std::max(e.from, start) - start, std::min(e.to, end) - start,
                       e.level_db, e.speaker, e.text});
      }
    }
  }
  return out;
}

std::string joined(const std::set<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : "; ") + part;
  return out;
}

SampleSource source_of(const Subject& subject) {
  SampleSource out{"nano-synth", "", "", "", ""};
  std::set<std::string> paths, licences;
  for (const Clip* clip : subject.clips) {
    out.id += (out.id.empty() ? "" : "+") + clip->scene.id;
    for (const std::string& sha : clip->sha256) out.sha256 += (out.sha256.empty() ? "" : "+") + sha;
    for (const SourceRef& ref : clip->scene.sources) {
      paths.insert(ref.id);
      licences.insert(ref.licence);
    }
  }
  out.path = joined(paths);
  out.licence = joined(licences);
  return out;
}

Sample sample_of(const Subject& subject, const Kind& kind, const Draft& draft, Random& random) {
  Sample s = written_sample(kind, draft, subject.listening.caption(), random);
  s.source = source_of(subject);
  for (const Clip* clip : subject.clips) s.audio.insert(s.audio.end(), clip->audio.begin(), clip->audio.end());
  s.timeline = timeline_of(subject);
  s.review_reason = "written from the known timeline and checked against it";
  s.split = subject.clips[0]->scene.split;
  const auto problems = sample_problems(s);
  if (!problems.empty()) {
    throw Error(ErrorCode::kFailure,
                "a question of kind " + s.kind + " about " + subject.id + " contradicts itself: " + problems[0],
                "this is a bug in src/cota: please report it");
  }
  return s;
}

std::vector<Subject> single_subjects(const std::vector<const Clip*>& clips) {
  std::vector<Subject> out;
  for (const Clip* clip : clips) out.push_back({clip->scene.id, {clip}, listen(clip->scene)});
  return out;
}

std::string only_label(const Clip& clip) {
  std::set<std::string> labels;
  for (const Event& e : clip.scene.events) {
    if (e.kind == EventKind::kSound) labels.insert(e.label);
  }
  return labels.size() == 1 ? *labels.begin() : std::string();
}

// A third of the pairs holds the same single sound, a third two different ones, a third is any two clips.
std::vector<Subject> pair_subjects(const std::vector<const Clip*>& clips, std::size_t count, std::uint64_t seed) {
  const auto sounds = of_type(clips, SceneType::kSound);
  std::vector<const Clip*> single;
  std::map<std::string, std::vector<const Clip*>> by_label;
  for (const Clip* clip : sounds) {
    const std::string label = only_label(*clip);
    if (label.empty()) continue;
    single.push_back(clip);
    by_label[label].push_back(clip);
  }
  std::vector<Subject> out;
  for (std::size_t i = 0; i < count && sounds.size() >= 2; ++i) {
    const std::string id = sounds[0]->scene.split + "-pair-" + std::to_string(i);
    Random random = Random::for_item(seed, id);
    const bool plain = i % 3 == 2 || single.size() < 2;
    const Clip* a = plain ? random.pick(sounds) : random.pick(single);
    const Clip* b = plain ? random.pick(sounds) : i % 3 == 0 ? random.pick(by_label[only_label(*a)]) : random.pick(single);
    if (a != b) out.push_back({id, {a, b}, listen_pair(a->scene, b->scene)});
  }
  return out;
}

// One generator an item: a change of one maker leaves the others' questions as they are.
std::optional<Sample> try_kind(const Subject& subject, const NamedMaker& maker, const Material& material,
                               const std::string& item) {
  Random random = Random::for_item(0, item);
  const auto draft = maker.make(subject.listening, material, random);
  if (!draft) return {};
  return sample_of(subject, find_kind(maker.kind), *draft, random);
}

std::optional<Sample> kept(const AssignOptions& options, const std::function<std::optional<Sample>()>& make) {
  try {
    return make();
  } catch (const Error& e) {
    if (options.bad_sample == AssignOptions::BadSample::kThrow || e.code() != ErrorCode::kFailure) throw;
    log_warning(std::string(e.what()) + "; left out");
    return {};
  }
}

// A question unlike those asked before, whose PLANNING does not give the answer away ("how fast the beats follow": fast).
// Another wording is another draw, so that no answer becomes rarer than others.
std::optional<Sample> new_question(const std::vector<Sample>& asked, const AssignOptions& options,
                                   const std::function<std::optional<Sample>(const std::string& again)>& make) {
  for (int wording = 0; wording < kWordings; ++wording) {
    auto sample = kept(options, [&] { return make(wording == 0 ? "" : "/again" + std::to_string(wording)); });
    if (!sample) return {};
    const bool known =
        std::any_of(asked.begin(), asked.end(), [&](const Sample& other) { return ask_nearly_the_same(other, *sample); });
    if (!known && !planning_names_answer(*sample)) return sample;
  }
  return {};
}

// Weighted draw without replacement, then repeats of kinds until there are enough.
std::vector<Sample> questions_for(const Subject& subject, const Material& material, const AssignOptions& options) {
  const std::string base = std::to_string(options.seed) + "/" + subject.id + "/";
  Random random = Random::for_item(options.seed, base);
  std::vector<std::pair<double, const NamedMaker*>> order;  // exponential keys: a weighted shuffle
  const auto& makers = options.makers == nullptr ? question_makers() : *options.makers;
  for (const NamedMaker& maker : makers) {
    order.emplace_back(-std::log(1 - random.uniform()) / find_kind(maker.kind).share, &maker);
  }
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Sample> out;
  for (int round = 0; round < 2; ++round) {
    for (const auto& [key, maker] : order) {
      if (static_cast<int>(out.size()) == options.questions_per_clip) return out;
      const std::string item = base + maker->kind + "/" + std::to_string(round);
      auto sample = new_question(out, options,
                                 [&](const std::string& again) { return try_kind(subject, *maker, material, item + again); });
      if (!sample) continue;
      if (round > 0 && maker->kind == "describe") continue;
      sample->id = subject.id + "-q" + std::to_string(out.size());
      out.push_back(std::move(*sample));
    }
  }
  return out;
}

struct Quota {
  int wanted = 0, got = 0;
  std::map<std::string, int> answers;
};

int most_of_one_answer(const Kind& kind, int wanted) {
  if (kind.form == AnswerForm::kYesNo || kind.form == AnswerForm::kEither) return (wanted + 1) / 2;
  if (kind.form == AnswerForm::kNumber) return static_cast<int>(wanted * kMostOfOneNumber + 0.999);
  return wanted;
}

std::string balance_key(const Kind& kind, const Sample& s) {
  if (kind.form != AnswerForm::kEither) return s.answer_text;
  // "man" or "audio 1" must be balanced as answers; with other alternatives, their place in the question.
  const bool fixed = std::set<std::string>(s.choices.begin(), s.choices.end()) == std::set<std::string>{"man", "woman"} ||
                     s.choices[0] == "audio 1" || s.choices[0] == "major" || s.choices[0] == "minor";
  return fixed ? s.answer_text : s.choices[0] == s.answer_text ? "first" : "second";
}

void assign_to(const Subject& subject, const Material& material, const AssignOptions& options,
               std::map<std::string, Quota>& quotas, std::vector<Sample>& samples) {
  const std::string base = "test/" + std::to_string(options.seed) + "/" + subject.id + "/";
  std::vector<std::pair<double, Sample>> candidates;
  for (const NamedMaker& maker : question_makers()) {
    const auto it = quotas.find(maker.kind);
    if (it == quotas.end() || it->second.got == it->second.wanted) continue;
    auto sample = try_kind(subject, maker, material, base + maker.kind);
    if (!sample) continue;
    const Kind& kind = find_kind(maker.kind);
    if (it->second.answers[balance_key(kind, *sample)] >= most_of_one_answer(kind, it->second.wanted)) continue;
    candidates.emplace_back(static_cast<double>(it->second.got) / it->second.wanted, std::move(*sample));
  }
  std::stable_sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t i = 0; i < candidates.size() && static_cast<int>(i) < options.test_per_clip; ++i) {
    Sample& s = candidates[i].second;
    Quota& quota = quotas[s.kind];
    ++quota.got;
    ++quota.answers[balance_key(find_kind(s.kind), s)];
    s.id = subject.id + "-q" + std::to_string(i);
    samples.push_back(std::move(s));
  }
}

}  // namespace

Sample written_sample(const Kind& kind, const Draft& draft, const std::string& caption, Random& random) {
  Sample s;
  s.domain = kind.domain;
  s.task = std::string(kind.domain) + "_qa";
  s.kind = kind.name;
  s.question = typed_question(draft, random);
  s.choices = draft.choices;
  s.answer_text = draft.answer;
  if (draft.lettered && !draft.choices.empty()) s.answer_letter = std::string(1, static_cast<char>('a' + draft.gold));
  s.caption = caption;
  s.sections = chain_of(draft, s.caption);
  s.turns = draft.turns;
  s.review_verdict = "true";
  s.review_by = s.teacher = "oracle";
  s.prompt_version = kQuestionVersion;
  return s;
}

std::vector<const Scene*> scenes_of(const std::vector<const Clip*>& clips) {
  std::vector<const Scene*> out;
  for (const Clip* clip : clips) out.push_back(&clip->scene);
  return out;
}

std::vector<Sample> assign_training(const std::vector<const Clip*>& clips, const AssignOptions& options) {
  Material material = collect_material(scenes_of(clips));
  if (!options.sounds.empty()) material.sounds = options.sounds;
  std::vector<Sample> out;
  auto subjects = single_subjects(clips);
  const auto pairs =
      static_cast<std::size_t>(options.pair_share * static_cast<double>(of_type(clips, SceneType::kSound).size()));
  for (Subject& pair : pair_subjects(clips, pairs, options.seed)) subjects.push_back(std::move(pair));
  for (const Subject& subject : subjects) {
    for (Sample& s : questions_for(subject, material, options)) out.push_back(std::move(s));
  }
  return out;
}

TestAssignment assign_test(const std::vector<const Clip*>& clips, const AssignOptions& options) {
  const Material material = collect_material(scenes_of(clips));
  std::map<std::string, Quota> quotas;
  for (const Kind& kind : kinds()) {
    if (kind.tested == Tested::kYes) quotas[std::string(kind.name)].wanted = options.test_per_kind;
  }
  TestAssignment out;
  for (const Subject& s : single_subjects(clips)) assign_to(s, material, options, quotas, out.samples);
  const auto pairs = static_cast<std::size_t>(options.test_per_kind) * 6;
  for (const Subject& s : pair_subjects(clips, pairs, options.seed)) assign_to(s, material, options, quotas, out.samples);
  for (const auto& [kind, quota] : quotas) {
    if (quota.got < quota.wanted) out.missing[kind] = quota.wanted - quota.got;
  }
  return out;
}

SceneType scene_type_of_kind(const std::string& kind) {
  static const std::map<std::string, SceneType> special = {
      {"speech-speakers", SceneType::kDialogue}, {"speech-who", SceneType::kDialogue},
      {"speech-word", SceneType::kSpeech},       {"speech-digits", SceneType::kSpeech},
      {"speech-gender", SceneType::kSpeech},     {"speech-language", SceneType::kLanguage},
      {"speech-mood", SceneType::kActed},
  };
  if (const auto it = special.find(kind); it != special.end()) return it->second;
  if (kind.starts_with("music-")) return SceneType::kMusic;
  if (kind.starts_with("mixed-")) return SceneType::kMixed;
  if (kind.starts_with("long-")) return SceneType::kLong;
  return SceneType::kSound;
}

}  // namespace areason
