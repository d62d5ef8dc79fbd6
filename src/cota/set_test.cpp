// The paper's sets: questions against the truth they were made from, the job that writes them, and their way through the
// stages.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/testing.h"
#include "cota/check.h"
#include "cota/import.h"
#include "cota/kinds.h"
#include "cota/set_job.h"
#include "cota/set_questions.h"
#include "cota/sound_import.h"
#include "cota/stage_run.h"
#include "synth/complex_audio.h"
#include "synth/dialogue_script.h"

namespace areason {
namespace {

namespace fs = std::filesystem;

Event sound(const std::string& label, double from, double to, double lufs) {
  Event e;
  e.label = label;
  e.from = from;
  e.to = to;
  e.recording = "test:" + label;
  e.detail.emplace().lufs = lufs;
  return e;
}

Scene composite_scene() {
  Scene scene;
  scene.id = "c1";
  scene.split = "train";
  scene.seconds = 10;
  scene.staging = Staging{"complex_audio", "composite", -23, 0};
  Event track = sound("helicopter", 0, 10, -28);
  track.kind = EventKind::kBackground;
  scene.events = {track, sound("dog bark", 1.0, 2.5, -20), sound("siren", 4.0, 8.0, -26)};
  return scene;
}

// A dialogue as multi_speaker.cpp times it, without sound.
Scene dialogue_scene(std::uint64_t seed, bool overlapping) {
  Random random(seed);
  const DialogueScript script = make_grammar_script(random);
  Scene scene;
  scene.id = "d" + std::to_string(seed);
  scene.type = SceneType::kDialogue;
  scene.split = "train";
  scene.staging = Staging{"multi_speaker", script.scenario, -23, 0};
  double at = 0.5;
  for (const ScriptLine& line : script.lines) {
    if (at > 27) break;
    Event e = sound("speech", at, at + 2.3, -23);
    e.kind = EventKind::kSpeech;
    e.speaker = "voice" + std::to_string(line.speaker);
    e.gender = line.speaker % 2 == 0 ? "man" : "woman";
    e.language = "English";
    e.text = spoken_words(line.text);
    e.detail->topic = line.topic;
    e.detail->statement = line.statement;
    scene.events.push_back(e);
    at += overlapping ? 1.7 : 2.9;
  }
  scene.seconds = 30;
  return scene;
}

Scene line_scene(const std::string& set, int i) {
  Scene scene;
  scene.id = set + std::to_string(i);
  scene.type = set == "spoken_phrases" ? SceneType::kLanguage : SceneType::kActed;
  scene.split = "train";
  scene.seconds = 3;
  scene.staging = Staging{set, "", -23, 0};
  Event e = sound("speech", 0.5, 2, -23);
  e.kind = EventKind::kSpeech;
  e.speaker = "somebody";
  if (set == "acted_intent") e.detail->intent = i % 2 == 0 ? "greets somebody" : "warns of a danger";
  if (set == "spoken_phrases") {
    const char* texts[][3] = {{"French", "Un coq multicolore.", "A colorful rooster."},
                              {"Russian", "\u041f\u0451\u0441.", "A dog that sleeps."},
                              {"Spanish", "Un gallo.", "A cock."},
                              {"Danish", "En hane.", "A hen or a cock."},
                              {"Greek", "\u03a3\u03ba\u03cd\u03bb\u03bf\u03c2.", "The big dog."}};
    e.language = texts[i % 5][0];
    e.text = texts[i % 5][1];
    e.translation = texts[i % 5][2];
    e.detail->translation_language = "English";
  }
  scene.events = {e};
  return scene;
}

std::vector<Sample> ask(const std::vector<Scene>& scenes, int questions) {
  std::vector<Clip> clips;
  for (const Scene& scene : scenes) clips.push_back({scene, {"clips/" + scene.id + ".flac"}, {"00"}, 0});
  std::vector<const Clip*> pointers;
  for (const Clip& clip : clips) pointers.push_back(&clip);
  SetJobOptions options;
  options.questions_per_clip = questions;
  return ask_about_sets(pointers, options);
}

const Sample& of_kind(const std::vector<Sample>& samples, const std::string& kind) {
  const auto it = std::find_if(samples.begin(), samples.end(), [&](const Sample& s) { return s.kind == kind; });
  if (it == samples.end()) throw Error(ErrorCode::kFailure, "no question of kind " + kind, "");
  return *it;
}

TEST(SetQuestions, EveryMakerHasAKindAndEverySetAPrompt) {
  std::set<std::string> sets;
  double shares = 0;
  for (const PaperSet& set : paper_sets()) {
    EXPECT_TRUE(sets.insert(set.name).second);
    shares += set.share;
    EXPECT_FALSE(set.makers.empty());
    for (const NamedMaker& maker : set.makers) EXPECT_GT(find_kind(maker.kind).share, 0) << maker.kind;
  }
  EXPECT_NEAR(shares, 1, 1e-9);
  for (const Kind& kind : set_kinds())
    for (const Kind& nano : kinds()) EXPECT_NE(kind.name, nano.name);
  EXPECT_THROW(find_paper_set("audiocaps"), Error);
}

TEST(SetQuestions, CompositeAnswersFollowFromTheTruth) {
  const auto samples = ask({composite_scene()}, 16);
  const Sample& beneath = of_kind(samples, "complex-background");
  EXPECT_EQ(beneath.answer_text, "helicopter");
  EXPECT_EQ(beneath.task, "complex_audio");
  EXPECT_EQ(beneath.source.set, "complex_audio");
  EXPECT_NE(beneath.caption.find("Background: helicopter. Loudest: dog bark."), std::string::npos) << beneath.caption;
  EXPECT_EQ(of_kind(samples, "complex-loudest").answer_text, "dog bark");
  EXPECT_NE(of_kind(samples, "complex-foreground").answer_text, "helicopter");
  const Sample& length = of_kind(samples, "complex-duration");
  EXPECT_EQ(length.answer_text, length.question.find("siren") != std::string::npos ? "4.0 seconds" : "1.5 seconds");
  // The track would be the first sound, and one more.
  for (const char* kind : {"sound-first", "sound-count", "complex-place"}) EXPECT_THROW(of_kind(samples, kind), Error) << kind;
  for (const Sample& s : samples) EXPECT_TRUE(sample_problems(s).empty()) << s.question;
}

TEST(SetQuestions, LoudestIsAskedOnlyWhereItIsClear) {
  Scene scene = composite_scene();
  scene.events[2].detail->lufs = -22;  // 2 LU under the dog
  for (const Sample& s : ask({scene}, 16)) EXPECT_NE(s.kind, "complex-loudest");
}

TEST(SetQuestions, DialogueAnswersFollowFromTheScript) {
  std::map<std::string, int> kinds, yes_no;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Scene scene = dialogue_scene(seed, seed % 3 == 0);
    std::map<std::string, int> numbers;  // speakers by appearance
    for (const Event& e : scene.events) numbers.try_emplace(e.speaker, static_cast<int>(numbers.size()) + 1);
    for (const Sample& s : ask({scene}, 8)) {
      ++kinds[s.kind];
      EXPECT_TRUE(sample_problems(s).empty()) << s.question;
      EXPECT_EQ(s.task, "multi_speaker_qa");
      if (s.kind == "dialogue-scenario") {
        EXPECT_EQ(s.answer_text, scene.staging->form);
      }
      if (s.kind == "dialogue-overlap") {
        ++yes_no[s.answer_text];
        EXPECT_EQ(s.answer_text, seed % 3 == 0 ? "yes" : "no") << s.caption;
      }
      if (s.kind == "speech-speakers") {
        EXPECT_EQ(s.answer_text, std::to_string(numbers.size()));
      }
      for (const Event& e : scene.events) {
        const std::string ordinal =
            std::vector<std::string>{"", "first", "second", "third", "fourth"}[static_cast<std::size_t>(numbers[e.speaker])];
        const bool asks_for = s.question.find("the " + ordinal + " speaker") != std::string::npos && !e.detail->topic.empty() &&
                              s.question.find(" " + e.detail->topic + "?") != std::string::npos;
        if (s.kind == "dialogue-about" && asks_for) {
          EXPECT_EQ(s.answer_text, e.detail->statement) << s.question;
        }
        if (s.kind == "dialogue-who" && s.question.find("\"" + e.text + "\"") != std::string::npos) {
          EXPECT_EQ(s.answer_text, "the " + ordinal + " speaker");
        }
      }
    }
  }
  for (const NamedMaker& maker : dialogue_makers()) EXPECT_GT(kinds[maker.kind], 3) << maker.kind;
  EXPECT_GT(yes_no["yes"], 2);
  EXPECT_GT(yes_no["no"], 2);
}

TEST(SetQuestions, LinesAreAskedForIntentAndTranslation) {
  std::vector<Scene> scenes;
  for (int i = 0; i < 10; ++i) {
    scenes.push_back(line_scene("acted_intent", i));
    scenes.push_back(line_scene("spoken_phrases", i));
  }
  std::map<std::string, int> kinds;
  for (const Sample& s : ask(scenes, 4)) {
    ++kinds[s.kind];
    EXPECT_TRUE(sample_problems(s).empty()) << s.question;
    const auto scene = std::find_if(scenes.begin(), scenes.end(), [&](const Scene& c) { return s.source.id == c.id; });
    ASSERT_NE(scene, scenes.end());
    const Event& e = scene->events[0];
    if (s.kind == "intent") {
      EXPECT_EQ(s.answer_text, e.detail->intent);
    }
    if (s.kind == "intent-is") {
      EXPECT_EQ(s.answer_text == "yes", s.question.find(e.detail->intent) != std::string::npos);
    }
    if (s.kind == "translation" || s.kind == "translation-choice") {
      EXPECT_EQ(s.answer_text, e.translation);
    }
    if (s.kind == "translation-language") {
      EXPECT_EQ(s.answer_text, e.language);
    }
    if (s.kind == "translation") {
      EXPECT_EQ(s.sections[Section::kResponse], e.translation);
      EXPECT_NE(s.caption.find("\"" + e.text + "\""), std::string::npos);
    }
  }
  for (const char* kind : {"intent", "intent-is", "translation", "translation-choice", "translation-language"})
    EXPECT_GT(kinds[kind], 2) << kind;
}

// ---- the job ----

std::vector<PoolSound> slice_sounds() {
  std::vector<PoolSound> out;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator("tests/golden/sounds/usr/share/sonic-pi/samples"))
    if (entry.path().extension() == ".flac") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    std::string name = file.stem().string();
    std::replace(name.begin(), name.end(), '_', ' ');
    out.push_back({name, "", {"slice:" + name, "slice", file.string(), "CC0", ""}, false});
  }
  return out;
}

TEST(SetJob, DividesClipsByShare) {
  SetJobOptions options;
  options.train = 1001;
  options.test = 7;
  std::map<std::string, int> by_set, by_split;
  std::set<std::string> ids;
  for (const SetOrder& order : plan_set_clips(options)) {
    ++by_set[order.set];
    ++by_split[order.split];
    EXPECT_TRUE(ids.insert(order.id).second);
  }
  EXPECT_EQ(by_split["train"], 1001);
  EXPECT_EQ(by_split["test-unseen"], 7);
  for (const PaperSet& set : paper_sets()) EXPECT_NEAR(by_set[set.name], 1008 * set.share, 3) << set.name;
  options.sets = {"complex_audio", "nothing"};
  EXPECT_THROW(plan_set_clips(options), Error);
}

TEST(SetJob, StoppedRunsGoOnAndSamplesPassEveryStage) {
  const SoundPool pool(slice_sounds());
  const ComplexAudio complex(pool, {});
  std::atomic<int> made{0};
  const SetSceneSource source = [&](const std::string& id, const std::string&, const std::string& split) {
    ++made;
    return complex.make(id, split);
  };
  SetJobOptions options;
  options.sets = {"complex_audio"};
  options.train = 12;
  options.out = scratch_path("whole");
  for (const PoolSound& s : slice_sounds()) options.sounds.push_back({s.label, s.family});
  const auto orders = plan_set_clips(options);
  run_set_job(options, orders, source);
  const std::string whole = read_file(options.out + "/train.jsonl");
  EXPECT_GT(std::count(whole.begin(), whole.end(), '\n'), 36);

  made = 0;
  const std::string first_out = options.out;
  options.out = scratch_path("parts");
  run_set_job(options, {orders.begin(), orders.begin() + 5}, source);
  EXPECT_EQ(made, 5);
  run_set_job(options, orders, source);
  EXPECT_EQ(made, 12);  // what was there is not made again
  EXPECT_EQ(read_file(options.out + "/train.jsonl"), whole);
  EXPECT_EQ(read_file(options.out + "/clips.jsonl"), read_file(first_out + "/clips.jsonl"));
  std::vector<SetOrder> others = orders;
  for (SetOrder& order : others) order.set = "multi_speaker";
  try {
    run_set_job(options, others, source);
    ADD_FAILURE() << "the questions of the clips that are there would be lost";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kUsage);
    EXPECT_NE(std::string(e.what()).find("holds clips of complex_audio"), std::string::npos) << e.what();
  }
  EXPECT_EQ(read_file(options.out + "/train.jsonl"), whole);
  options.seed = 2;
  EXPECT_THROW(run_set_job(options, orders, source), Error);  // another set's folder

  ImportOptions import;
  import.kind = "synth";
  import.path = options.out;
  import.set = scratch_path("import");
  EXPECT_EQ(run_import(import).imported, 12);
  const PromptLibrary prompts("prompts");
  const auto store = store::open_store(import.set + "/jobs.db");
  plan_annotations(*store, prompts, import.set + "/clips.jsonl", {});
  const auto teacher = make_oracle_teacher();
  run_stages(*store, prompts, *teacher, {});
  int reviewed = 0;
  store->each({stage_name(Stage::kReview), {}, {}}, store::JobState::kDone, [&](store::Job&& job) {
    ++reviewed;
    EXPECT_EQ(job.answer.text.substr(0, 6), "<True>") << job.answer.text;
  });
  EXPECT_EQ(reviewed, std::count(whole.begin(), whole.end(), '\n'));
}

TEST(SoundImport, NamesComeFromLabelsOrFolders) {
  const std::string set = scratch_path("sound_import");
  make_directories(set);
  std::string lines;
  const auto add = [&](const std::string& id, const std::string& file, const std::function<void(SourceClip&)>& change) {
    SourceClip clip;
    clip.id = "own:" + id;
    clip.group = clip.id;
    clip.source.set = "own";
    clip.root = fs::absolute("tests/golden/sounds").string();
    clip.audio = {file};
    clip.seconds = 1;
    change(clip);
    lines += dump_json(source_clip_to_json(clip)) + "\n";
  };
  const std::string file = "usr/share/sonic-pi/samples/elec_beep.flac";
  add("a", file, [](SourceClip& c) { c.add_fact("labels", "Vehicle horn, car horn, honking"); });
  add("b", file, [](SourceClip& c) { c.add_fact("labels", "Dog; Bark"); });
  add("c", file, [](SourceClip& c) {
    c.add_fact("label", "Door_slam");
    c.split = "test";
  });
  add("d", file, [](SourceClip&) {});
  add("e", file, [](SourceClip& c) { c.excluded = "duplicate of own:a"; });
  add("f", file, [](SourceClip& c) { c.seconds = 31; });
  write_file_atomic(set + "/clips.jsonl", lines);
  const ImportedSounds sounds = sounds_of_import(set + "/clips.jsonl");
  ASSERT_EQ(sounds.sounds.size(), 3u);
  EXPECT_EQ(sounds.sounds[0].label, "vehicle horn");
  EXPECT_FALSE(sounds.sounds[0].unseen);
  EXPECT_EQ(sounds.sounds[1].label, "door slam");
  EXPECT_TRUE(sounds.sounds[1].unseen);
  EXPECT_EQ(sounds.sounds[2].label, "samples");
  EXPECT_EQ(sounds.several_names, 1);
  EXPECT_EQ(sounds.excluded, 1);
  EXPECT_EQ(sounds.too_long, 1);
}

}  // namespace
}  // namespace areason
