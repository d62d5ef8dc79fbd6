// Scenes built by hand: what is heard, what is asked, and that every chain follows from its caption.
#include "cota/question.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/random.h"
#include "cota/assign.h"
#include "cota/check.h"
#include "cota/clip_maker.h"
#include "cota/drills.h"
#include "cota/kinds.h"
#include "cota/synth_job.h"
#include "synth/sentences.h"
#include "synth/sound_table.h"

namespace areason {
namespace {

Event sound(const std::string& label, double from, double to) {
  Event e;
  e.label = label;
  e.from = from;
  e.to = to;
  e.level_db = -20;
  e.recording = "package:" + label;
  return e;
}

Event speech(const std::string& speaker, const std::string& gender, const std::string& text, double from, double to) {
  Event e = sound("speech", from, to);
  e.kind = EventKind::kSpeech;
  e.speaker = speaker;
  e.gender = gender;
  e.language = "English";
  e.text = text;
  return e;
}

Scene scene_of(SceneType type, std::vector<Event> events, double seconds) {
  Scene s;
  s.id = "clip";
  s.type = type;
  s.split = "train";
  s.events = std::move(events);
  s.seconds = seconds;
  s.sources = {{"package:x", "package", "/x", "CC0", "00"}};
  return s;
}

Clip clip_of(Scene scene) {
  Clip clip;
  clip.audio = {"clips/" + scene.id + ".flac"};
  clip.sha256 = {"00"};
  clip.scene = std::move(scene);
  return clip;
}

TEST(Perception, CaptionOfSounds) {
  const Scene s = scene_of(SceneType::kSound, {sound("dog bark", 0.6, 1.4), sound("thunder", 2.9, 4.3)}, 5);
  EXPECT_EQ(perceive(s).caption, "0.5 to 1.5 s: dog bark. 3.0 to 4.5 s: thunder.");
  EXPECT_EQ(half_seconds(0), "0.0");
  EXPECT_EQ(half_seconds(25), "12.5");
}

TEST(Perception, NothingLastsNoTime) {
  const Scene s = scene_of(SceneType::kSound, {sound("bell", 1.0, 1.1)}, 2);
  EXPECT_EQ(perceive(s).caption, "1.0 to 1.5 s: bell.");
}

TEST(Perception, CaptionOfSpeech) {
  const Scene s = scene_of(SceneType::kDialogue,
                           {speech("v1", "woman", "where is the ball", 0.5, 1.5), speech("v2", "man", "in the park", 2, 3),
                            speech("v1", "woman", "", 3.5, 4)},
                           5);
  EXPECT_EQ(perceive(s).caption,
            "0.5 to 1.5 s: speaker 1, a woman, in English, says \"where is the ball\". 2.0 to 3.0 s: speaker 2, a man, in "
            "English, says "
            "\"in the park\". 3.5 to 4.0 s: speaker 1, a woman, in English.");
  EXPECT_EQ(perceive(s).speakers, 2);
}

TEST(Perception, PhrasesOfUnknownWordsAreJoined) {
  auto a = speech("v", "", "", 0, 1), b = speech("v", "", "", 1.5, 3);
  a.language = b.language = "French";
  EXPECT_EQ(perceive(scene_of(SceneType::kLanguage, {a, b}, 4)).caption, "0.0 to 3.0 s: speaker 1, in French.");
}

TEST(Perception, WindowsOfALongClip) {
  const Scene s = scene_of(SceneType::kLong, {sound("bell", 5, 6), sound("train", 29, 32), sound("thunder", 35, 36)}, 40);
  const Listening l = listen(s);
  EXPECT_EQ(l.form, ListeningForm::kLong);
  EXPECT_EQ(l.caption(),
            "Audio 1: 5.0 to 6.0 s: bell. 29.0 to 30.0 s: train. Audio 2: 0.0 to 2.0 s: train. 5.0 to 6.0 s: thunder.");
  EXPECT_TRUE(l.audios[0].heard[1].cut);
  EXPECT_FALSE(l.audios[0].heard[0].cut);
}

TEST(Perception, OnlyShortPlainEnglishIsQuoted) {
  Event e = speech("v", "man", "Anna buys  the red ball!", 0, 1);
  EXPECT_EQ(quotable_text(e), "anna buys the red ball");
  e.language = "German";
  EXPECT_EQ(quotable_text(e), "");
  e = speech("v", "man", "one two three four five six seven eight nine ten", 0, 1);
  EXPECT_EQ(quotable_text(e), "");
  e = speech("v", "man", "caf\xc3\xa9", 0, 1);
  EXPECT_EQ(quotable_text(e), "");
}

TEST(Kinds, EveryKindHasOneMakerAndEveryMakerAKind) {
  EXPECT_EQ(question_makers().size() + 1, kinds().size());  // "look-up" is made by make_drills()
  std::set<std::string_view> names;
  for (const Kind& kind : kinds()) EXPECT_TRUE(names.insert(kind.name).second) << kind.name;
  EXPECT_THROW(find_kind("nonsense"), Error);
}

TEST(Kinds, DocumentIsTheTable) {
  EXPECT_EQ(read_file("docs/nano_kinds.md"), kinds_markdown()) << "run: audio-reasoner data kinds > docs/nano_kinds.md";
}

TEST(Pieces, FillAndLists) {
  EXPECT_EQ(fill("the {x} and the {y}, {x}", {"a {x}", "b"}), "the a {x} and the b, a {x}");  // values are not filled again
  EXPECT_EQ(list_words({"a"}), "a");
  EXPECT_EQ(list_words({"a", "b", "c"}), "a, b and c");
}

Draft make(const std::string& kind, const Scene& scene, Random& random) {
  for (const NamedMaker& maker : question_makers()) {
    if (maker.kind != kind) continue;
    const auto draft = maker.make(listen(scene), collect_material({&scene}), random);
    if (draft) return *draft;
  }
  return {};
}

TEST(SoundQuestions, AnswersAreThoseOfTheTimeline) {
  const Scene s =
      scene_of(SceneType::kSound, {sound("dog bark", 0.5, 1.5), sound("thunder", 2.0, 5.0), sound("bell", 4.0, 4.6)}, 6);
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Random random(seed);
    EXPECT_EQ(make("sound-first", s, random).answer, "dog bark");
    EXPECT_EQ(make("sound-last", s, random).answer, "");  // the thunder ends after the bell
    EXPECT_EQ(make("sound-order", s, random).answer, "dog bark, thunder, bell");
    const Draft overlap = make("sound-overlap", s, random);
    if (overlap.answer == "yes") {
      EXPECT_NE(overlap.question.find("thunder"), std::string::npos);
      EXPECT_NE(overlap.question.find("bell"), std::string::npos);
    }
    const Draft longer = make("sound-longer", s, random);
    EXPECT_NE(longer.answer, "bell");
    if (longer.question.find("thunder") != std::string::npos) {
      EXPECT_EQ(longer.answer, "thunder");
    }
    const Draft after = make("sound-after", s, random);
    EXPECT_EQ(after.answer, after.question.find("dog bark") != std::string::npos ? "thunder" : "bell");
  }
}

TEST(SoundQuestions, NoOptionIsAlsoTrue) {
  const Scene s = scene_of(SceneType::kSound, {sound("road traffic", 0.5, 1.5), sound("thunder", 2.0, 3.0)}, 4);
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    const Draft d = make("sound-name", s, random);
    ASSERT_EQ(d.choices.size(), 4u);
    EXPECT_EQ(std::set<std::string>(d.choices.begin(), d.choices.end()).size(), 4u);
    int heard = 0;
    for (const std::string& choice : d.choices) {
      heard += choice == "road traffic" || choice == "thunder" ? 1 : 0;
      EXPECT_NE(choice, "car horn");  // a recording of traffic may hold one
    }
    EXPECT_EQ(heard, 1);
    const Draft presence = make("sound-presence", s, random);
    const bool there =
        presence.question.find("road traffic") != std::string::npos || presence.question.find("thunder") != std::string::npos;
    EXPECT_EQ(presence.answer, there ? "yes" : "no") << presence.question;
  }
}

TEST(SoundQuestions, Counting) {
  const Scene s = scene_of(SceneType::kSound, {sound("bell", 0.5, 1), sound("bell", 2, 2.5), sound("thunder", 3, 4)}, 5);
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Random random(seed);
    const Draft d = make("sound-count", s, random);
    const bool bell = d.question.find("bell") != std::string::npos, thunder = d.question.find("thunder") != std::string::npos;
    EXPECT_EQ(d.answer, bell ? "2" : thunder ? "1" : "3") << d.question;
  }
}

TEST(SpeechQuestions, DigitsWordsAndVoices) {
  const Scene s = scene_of(SceneType::kSpeech, {speech("v", "woman", "anna lives in room three seven one", 0.5, 3)}, 4);
  Random random(3);
  EXPECT_EQ(make("speech-digits", s, random).answer, "3 7 1");
  EXPECT_EQ(make("speech-word", s, random).answer, "anna");
  EXPECT_EQ(make("speech-gender", s, random).answer, "woman");
  const Scene split = scene_of(SceneType::kSpeech, {speech("v", "woman", "tom sees two apples and one ball", 0.5, 3)}, 4);
  EXPECT_EQ(make("speech-digits", split, random).answer, "");  // not one number
}

TEST(PairQuestions, SameAndMore) {
  const Scene a = scene_of(SceneType::kSound, {sound("bell", 0.5, 1), sound("bell", 2, 2.5)}, 3);
  const Scene b = scene_of(SceneType::kSound, {sound("bell", 0.5, 1)}, 2);
  for (const NamedMaker& maker : question_makers()) {
    Random random(1);
    const auto draft = maker.make(listen_pair(a, b), collect_material({&a, &b}), random);
    if (maker.kind == "pair-same") {
      EXPECT_EQ(draft->answer, "yes");
    }
    if (maker.kind == "pair-more") {
      EXPECT_EQ(draft->answer, "audio 1");
    }
    if (maker.kind == "pair-where") {
      EXPECT_FALSE(draft.has_value());
    }
    if (maker.kind.starts_with("sound-")) {
      EXPECT_FALSE(draft.has_value());
    }
  }
}

// ---- a small random world for the whole job ----

Scene random_sounds(Random& random, SceneType type) {
  std::vector<Event> events;
  double at = random.uniform(0.1, 0.6);
  const double end = type == SceneType::kLong ? 40 : 100;
  for (int i = random.between(1, 4); i > 0 && at < end; --i) {
    const double length = random.uniform(0.4, 3);
    const bool again = !events.empty() && random.chance(0.4);
    events.push_back(sound(again ? events.back().label : random.pick(sound_classes()).name, at, at + length));
    at += random.chance(0.3) ? 0.5 * length : length + random.uniform(0.1, type == SceneType::kLong ? 12 : 1);
  }
  Scene s = scene_of(type, events, std::max(events.back().to, at) + 0.5);
  if (type == SceneType::kLong) {
    s.events.push_back(sound(random.pick(sound_classes()).name, 33, 34));
    s.seconds = 38;
    s.events.erase(std::remove_if(s.events.begin(), s.events.end(), [](const Event& e) { return e.from > 37; }),
                   s.events.end());
  }
  return s;
}

Scene random_speech(Random& random, SceneType type) {
  static const std::vector<std::string> languages = {"German", "French", "Russian", "Dutch", "Danish"};
  static const std::vector<std::string> moods = {"happy", "sad", "angry", "afraid"};
  std::vector<Event> events;
  double at = 0.3;
  const int turns = type == SceneType::kDialogue ? random.between(2, 4) : 1;
  for (int i = 0; i < turns; ++i) {
    const std::string voice = std::to_string(random.below(3));
    const std::string text = random.chance(0.5) ? make_digit_sentence(random).text : make_sentence(random).text;
    events.push_back(speech("voice" + voice, voice == "0" ? "woman" : "man", text, at, at + 1.5));
    at += 2;
  }
  if (type == SceneType::kLanguage) {
    events[0].language = random.pick(languages);
    events[0].text = "";
  }
  if (type == SceneType::kActed) events[0].mood = random.pick(moods);
  return scene_of(type, events, at + 0.5);
}

Scene random_music(Random& random, SceneType type) {
  static const std::vector<std::string> instruments = {"piano", "violin", "flute", "organ", "trumpet"};
  static const std::vector<std::pair<std::string, std::string>> metres = {
      {"3/4", "waltz feel"}, {"4/4", "steady four-beat feel"}, {"6/8", "lilting feel"}, {"5/4", "uneven feel"}};
  Event music = sound("music", 0.2, 8);
  music.kind = EventKind::kMusic;
  Scene s = scene_of(type, {music}, 9);
  const auto metre = random.pick(metres);
  static const std::vector<std::string> tempos = {"slow", "medium", "fast"}, moods = {"calm", "sad", "happy", "energetic"};
  s.music = MusicFacts{{random.pick(instruments), "strings"},
                       100,
                       random.pick(tempos),
                       metre.first,
                       metre.second,
                       "C",
                       random.chance(0.5) ? "major" : "minor",
                       random.pick(moods)};
  if (type == SceneType::kMixed) {
    const double at = random.chance(0.5) ? 2 : 8.3;
    s.events.push_back(sound(random.pick(sound_classes()).name, at, at + 1));
    s.seconds = 10;
  }
  return s;
}

Scene random_scene(const std::string& id, SceneType type, const std::string& split) {
  Random random = Random::for_item(7, id);
  Scene s;
  switch (type) {
    case SceneType::kSound:
    case SceneType::kLong:
      s = random_sounds(random, type);
      break;
    case SceneType::kMusic:
      s = random_music(random, type);
      break;
    case SceneType::kMixed:
      s = random_music(random, type);
      if (random.chance(0.5)) {
        s.music.reset();
        s.events[0] = speech("v", "man", "the dog is in the park", 0.2, 8);
      }
      break;
    default:
      s = random_speech(random, type);
      break;
  }
  s.id = id;
  s.type = type;
  s.split = split;
  s.audio.samples.assign(static_cast<std::size_t>(s.seconds * 16000), 0.01F);
  return s;
}

constexpr SceneType kAll[] = {SceneType::kSound,    SceneType::kSpeech, SceneType::kDialogue, SceneType::kActed,
                              SceneType::kLanguage, SceneType::kMusic,  SceneType::kMixed,    SceneType::kLong};

std::vector<Clip> random_clips(int each) {
  std::vector<Clip> clips;
  for (const SceneType type : kAll) {
    for (int i = 0; i < each * (type == SceneType::kSound ? 6 : 1); ++i) {
      const std::string id = std::string(scene_type_name(type)) + "-" + std::to_string(i);
      clips.push_back(clip_of(random_scene(id, type, "train")));
      clips.back().scene.audio = {};
    }
  }
  return clips;
}

std::vector<const Clip*> pointers(const std::vector<Clip>& clips) {
  std::vector<const Clip*> out;
  for (const Clip& clip : clips) out.push_back(&clip);
  return out;
}

// assign_* throw when a sample contradicts itself (sample_problems), so this is the gold check of every kind.
TEST(Assign, TrainingAsksEveryKindAndAgreesWithItself) {
  const auto clips = random_clips(150);
  const auto samples = assign_training(pointers(clips), {});
  std::map<std::string, int> by_kind, letters;
  std::set<std::string> ids;
  for (const Sample& s : samples) {
    ++by_kind[s.kind];
    if (s.choices.size() == 4 && !s.answer_letter.empty()) ++letters[s.answer_letter];
    EXPECT_TRUE(ids.insert(s.id).second) << s.id;
    EXPECT_EQ(s.sections[Section::kCaption], s.caption);
    EXPECT_TRUE(sample_problems(s).empty());
  }
  for (const Kind& kind : kinds()) {
    if (kind.name != "look-up") {
      EXPECT_GT(by_kind[std::string(kind.name)], 0) << kind.name;
    }
  }
  int all = 0;
  for (const auto& [letter, count] : letters) all += count;
  // Letters are uniform: with n draws the share of each is within 4 standard deviations of 1/4.
  for (const auto& [letter, count] : letters) EXPECT_NEAR(count, 0.25 * all, 4 * std::sqrt(0.1875 * all)) << letter;
  EXPECT_GT(samples.size(), 3.5 * static_cast<double>(clips.size()));
}

TEST(Drills, AgreeWithThemselvesAndDependOnTheSeedOnly) {
  const auto clips = random_clips(30);
  std::vector<const Scene*> scenes;
  for (const Clip& clip : clips) scenes.push_back(&clip.scene);
  const Material material = collect_material(scenes);
  const auto drills = make_drills(material, 600, 7);
  ASSERT_EQ(drills.size(), 600u);
  std::map<std::string, int> letters;
  std::set<std::string> kinds_drilled;
  for (const Sample& s : drills) {
    EXPECT_TRUE(s.audio.empty());
    EXPECT_TRUE(sample_problems(s).empty()) << sample_problems(s)[0];
    EXPECT_EQ((s.turns.empty() ? s.question : s.turns[0].question).find(s.caption + " "), 0u);
    ++letters[s.answer_letter];
    kinds_drilled.insert(s.kind);
  }
  EXPECT_EQ(letters.size(), 5u);  // a to d, and none
  for (const char* kind :
       {"look-up", "sound-order", "sound-before", "sound-count", "turn-after", "pair-same", "speech-who", "mixed-during"})
    EXPECT_TRUE(kinds_drilled.contains(kind)) << kind;
  EXPECT_EQ(sample_to_json(make_drills(material, 200, 7)[199]), sample_to_json(drills[199]));
  EXPECT_NE(sample_to_json(make_drills(material, 1, 8)[0]), sample_to_json(drills[0]));
}

TEST(Assign, TheSameClipsGiveTheSameCaptionForEveryQuestion) {
  const auto clips = random_clips(5);
  std::map<std::vector<std::string>, std::string> captions;
  for (const Sample& s : assign_training(pointers(clips), {})) {
    const auto [it, first] = captions.try_emplace(s.audio, s.caption);
    EXPECT_EQ(it->second, s.caption);
  }
}

TEST(Assign, TestIsBalancedAndCounted) {
  const auto clips = random_clips(250);
  AssignOptions options;
  options.test_per_kind = 20;
  const TestAssignment test = assign_test(pointers(clips), options);
  std::map<std::string, std::map<std::string, int>> answers;
  std::map<std::string, int> items;
  for (const Sample& s : test.samples) {
    ++items[s.kind];
    if (find_kind(s.kind).form == AnswerForm::kYesNo) ++answers[s.kind][s.answer_text];
  }
  for (const Kind& kind : kinds()) {
    const std::string name(kind.name);
    EXPECT_EQ(items[name], kind.tested == Tested::kYes ? 20 - (test.missing.contains(name) ? test.missing.at(name) : 0) : 0)
        << name;
  }
  EXPECT_TRUE(test.missing.empty()) << test.missing.begin()->first;
  for (const auto& [kind, counts] : answers) EXPECT_EQ(counts.at("yes"), 10) << kind;
}

struct TemporaryDir {
  TemporaryDir() : path((std::filesystem::path(testing::TempDir()) / ("synth-job-" + std::to_string(::getpid()))).string()) {
    std::filesystem::remove_all(path);
  }
  ~TemporaryDir() { std::filesystem::remove_all(path); }
  std::string path;
};

TEST(SynthJob, ResumesAndIsDeterministic) {
  const TemporaryDir dir;
  SynthJobOptions options;
  options.train = 12;
  options.val = 3;
  options.test_per_kind = 1;
  options.out = dir.path + "/a";
  int calls = 0;
  const SceneSource failing = [&](const std::string& id, SceneType type, const std::string& split) {
    if (++calls > 30) throw Error(ErrorCode::kFailure, "power cut", "none");
    return random_scene(id, type, split);
  };
  options.threads = 1;
  EXPECT_THROW(run_synth_job(options, failing), Error);
  EXPECT_EQ(calls, 31);
  // A torn last record, as a kill leaves it.
  const std::string store = options.out + "/clips.jsonl";
  const std::string text = read_file(store);
  write_file_atomic(store, text.substr(0, text.size() - 20));
  std::set<std::string> made;
  const SceneSource counting = [&](const std::string& id, SceneType type, const std::string& split) {
    EXPECT_TRUE(made.insert(id).second);
    return random_scene(id, type, split);
  };
  run_synth_job(options, counting);
  const auto resumed = made.size();
  options.out = dir.path + "/b";
  options.threads = 3;
  run_synth_job(options,
                [](const std::string& id, SceneType type, const std::string& split) { return random_scene(id, type, split); });
  for (const char* file :
       {"/train.jsonl", "/val.jsonl", "/test-known.jsonl", "/test-unseen.jsonl", "/clips.jsonl", "/report.json"}) {
    EXPECT_EQ(read_file(dir.path + "/a" + file), read_file(dir.path + "/b" + file)) << file;
  }
  // All clips were made once: 30 before the failure, but for the torn record.
  const auto all = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) - 2 + resumed;
  const std::string records = read_file(dir.path + "/b/clips.jsonl");
  EXPECT_EQ(all, static_cast<std::size_t>(std::count(records.begin(), records.end(), '\n')) - 1);
  options.seed = 2;
  EXPECT_THROW(run_synth_job(options, counting), Error);  // another seed in the same folder
}

TEST(ClipStore, OneJobAtATimeAndReadersDoNotDisturb) {
  const TemporaryDir dir;
  make_directories(dir.path);
  const std::string path = dir.path + "/clips.jsonl";
  ClipStore store(path, "seed 1");
  store.append(clip_of(random_scene("a", SceneType::kMusic, "train")));
  EXPECT_THROW(ClipStore(path, "seed 1"), Error);
  const StoredClips stored = read_clips(path);
  ASSERT_EQ(stored.clips.size(), 1u);
  EXPECT_EQ(clip_to_json(stored.clips.at("a")), clip_to_json(*store.find("a")));
  store.append(clip_of(random_scene("b", SceneType::kDialogue, "val")));
  EXPECT_EQ(read_clips(path).clips.size(), 2u);
  write_file_atomic(dir.path + "/other", "{}\n");
  EXPECT_THROW(read_clips(dir.path + "/other"), Error);
  EXPECT_THROW(read_clips(dir.path + "/nothing"), Error);
}

TEST(ClipMaker, BandwidthOfTones) {
  for (const double hz : {500.0, 3000.0}) {
    Waveform tone;
    for (int i = 0; i < 16000; ++i)
      tone.samples.push_back(static_cast<float>(0.3 * std::sin(2 * 3.14159265358979 * hz * i / 16000)));
    EXPECT_NEAR(energy_bandwidth(tone), hz, 63);  // two bins of 31 Hz
  }
  EXPECT_EQ(energy_bandwidth({}), 0);
}

}  // namespace
}  // namespace areason
