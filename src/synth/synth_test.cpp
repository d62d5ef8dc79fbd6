// Scenes from the committed slice of CC0 recordings (tests/golden/sounds) and, where the packages are installed, from them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/testing.h"
#include "synth/process.h"
#include "synth/recordings.h"
#include "synth/scene_maker.h"
#include "synth/voices.h"

namespace areason {
namespace {

SynthOptions slice_options() {
  static const std::string work_dir = scratch_path("work");  // one: what lies in archives is unpacked once
  SynthOptions options;
  options.package_root = "tests/golden/sounds";
  options.work_dir = work_dir;
  options.missing = MissingPackages::kSkip;
  return options;
}

SynthOptions system_options() {
  SynthOptions options = slice_options();
  options.package_root = "/";
  options.missing = MissingPackages::kError;
  return options;
}

// "" when every package of the sound table is installed, else the first missing one.
std::string missing_package() {
  const PackageFiles files("/", slice_options().work_dir);
  for (const SoundPackage& package : sound_packages()) {
    if (!files.installed(package.abbreviation)) return package.package;
  }
  return "";
}

#define NEED_PACKAGES()                                                                                       \
  if (const std::string name = missing_package(); !name.empty()) {                                            \
    GTEST_SKIP() << "SKIPPED: needs the sound packages; " << name << " is missing: apt-get install " << name; \
  }

void expect_sane(const Scene& scene) {
  SCOPED_TRACE(scene.id);
  ASSERT_FALSE(scene.audio.samples.empty());
  EXPECT_EQ(scene.audio.sample_rate, 16000);
  EXPECT_NEAR(scene.seconds, scene.audio.seconds(), 1e-9);
  float peak = 0;
  for (const float s : scene.audio.samples) {
    ASSERT_TRUE(std::isfinite(s));
    peak = std::max(peak, std::abs(s));
  }
  EXPECT_LE(peak, 0.971F);
  EXPECT_GT(peak, 0.01F);
  double last = 0;
  for (const Event& event : scene.events) {
    EXPECT_LT(event.from, event.to) << event.label;
    EXPECT_LE(event.to, scene.seconds) << event.label;
    EXPECT_GE(event.from, last);
    last = event.from;
    if (event.kind != EventKind::kBackground) {
      EXPECT_GT(event.level_db, -45) << event.label;
    }
    EXPECT_LT(event.level_db, -5) << event.label;
    EXPECT_FALSE(event.recording.empty());
  }
  EXPECT_FALSE(scene.sources.empty());
}

// Loudness of the clip between two times.
double level_between(const Scene& scene, double from, double to) {
  const auto a = static_cast<std::size_t>(from * kSynthRate);
  const auto b = std::min(static_cast<std::size_t>(to * kSynthRate), scene.audio.samples.size());
  return a < b ? to_db(rms(std::span<const float>(scene.audio.samples).subspan(a, b - a))) : -120;
}

TEST(SoundLibrary, SliceIsSplitByRecording) {
  const SoundLibrary library(slice_options());
  ASSERT_EQ(library.classes().size(), 3u);  // electronic beep, cymbal, drum
  for (const InstalledClass& installed : library.classes()) {
    EXPECT_GE(installed.known.size(), 1u) << installed.definition->name;
    EXPECT_GE(installed.unseen.size(), 1u) << installed.definition->name;
    for (const std::size_t r : installed.known) EXPECT_FALSE(library.recordings()[r].unseen);
    for (const std::size_t r : installed.unseen) EXPECT_TRUE(library.recordings()[r].unseen);
  }
  const SourceRef source = library.source(0);
  EXPECT_EQ(source.sha256.size(), 64u);
  EXPECT_EQ(source.licence, "CC0-1.0");
}

TEST(SoundLibrary, SplitDependsOnItsSeedOnly) {
  SynthOptions options = slice_options();
  options.seed = 99;
  const SoundLibrary a(slice_options()), b(options);
  for (std::size_t i = 0; i < a.recordings().size(); ++i) EXPECT_EQ(a.recordings()[i].unseen, b.recordings()[i].unseen);
}

TEST(SoundLibrary, MissingPackageIsNamedWithItsCommand) {
  SynthOptions options = slice_options();
  options.missing = MissingPackages::kError;
  try {
    const SoundLibrary library(options);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    EXPECT_NE(error.hint().find("apt-get install "), std::string::npos);
  }
}

TEST(SceneMaker, SameIdSameScene) {
  const SceneMaker one(slice_options()), other(slice_options());
  other.make("something else", SceneType::kSound, "train");
  const Scene a = one.make("clip 7", SceneType::kSound, "train"), b = other.make("clip 7", SceneType::kSound, "train");
  EXPECT_EQ(a.audio.samples, b.audio.samples);
  ASSERT_EQ(a.events.size(), b.events.size());
  for (std::size_t i = 0; i < a.events.size(); ++i) EXPECT_EQ(a.events[i].from, b.events[i].from);
  EXPECT_NE(a.audio.samples, one.make("clip 8", SceneType::kSound, "train").audio.samples);
}

TEST(SceneMaker, SoundScenesAreTrue) {
  const SceneMaker maker(slice_options());
  const SoundLibrary library(slice_options());
  std::set<std::string> unseen;
  for (const Recording& r : library.recordings()) {
    if (r.unseen) unseen.insert(r.id);
  }
  int repeated = 0;
  for (int i = 0; i < 120; ++i) {
    const std::string split = i % 2 ? "test-unseen" : "train";
    const Scene scene = maker.make("s" + std::to_string(i), SceneType::kSound, split);
    expect_sane(scene);
    const Event* before = nullptr;
    for (const Event& event : scene.events) {
      if (event.kind != EventKind::kSound) continue;
      EXPECT_EQ(unseen.count(event.recording) == 1, split == "test-unseen") << event.recording;
      if (before && before->label == event.label) {
        ++repeated;
        EXPECT_GE(event.from - before->to, 0.7);  // counted events are apart
      }
      // Audible: while it sounds the clip is louder than its noise floor, by the event's own level within 12 dB (attack,
      // decay and pauses up to 0.35 s are inside the span, so the mean lies below the active level).
      EXPECT_GT(level_between(scene, event.from, event.to), event.level_db - 12) << scene.id << " " << event.label;
      before = &event;
    }
  }
  EXPECT_GT(repeated, 20);
}

TEST(SceneMaker, LongScenesFillTheSecondWindow) {
  const SceneMaker maker(slice_options());
  for (int i = 0; i < 6; ++i) {
    const Scene scene = maker.make("l" + std::to_string(i), SceneType::kLong, "train");
    expect_sane(scene);
    EXPECT_GT(scene.seconds, 31);
    EXPECT_LT(scene.seconds, 50);
    EXPECT_GT(scene.events.back().to, 30);
  }
}

TEST(SceneMaker, UnknownSplitIsAUsageError) {
  const SceneMaker maker(slice_options());
  EXPECT_THROW(maker.make("a", SceneType::kSound, "dev"), Error);
}

TEST(Process, MissingProgramNamesThePackage) {
  try {
    run_command({{"areason-no-such-program"}, "some-package"});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.hint(), "apt-get install some-package");
  }
  EXPECT_THROW(run_command({{"false"}, "coreutils"}), Error);
  EXPECT_THROW(run_command({{"sleep", "5"}, "coreutils", 0.05}), Error);
}

TEST(Process, CtrlCInTheChildIsAnInterruptionNotABrokenPackage) {
  try {
    run_command({{"sh", "-c", "kill -INT $$"}, "dash"});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInterrupted);
  }
}

TEST(Voices, SplitsShareNoVoiceAndDialogueVoicesDiffer) {
  std::set<std::string> known, unseen;
  Random random(5);
  for (int i = 0; i < 200; ++i) {
    for (const bool hidden : {false, true}) {
      const std::vector<Voice> voices = choose_voices(4, hidden ? "test-unseen" : "train", random);
      ASSERT_EQ(voices.size(), 4u);
      std::set<std::string> kins;
      for (const Voice& voice : voices) {
        kins.insert(voice.kin);
        (hidden ? unseen : known).insert(voice.id);
      }
      EXPECT_EQ(kins.size(), voices.size());
    }
  }
  for (const std::string& id : unseen) EXPECT_EQ(known.count(id), 0u) << id;
  EXPECT_GE(unseen.size(), 5u);
}

TEST(Packages, EveryClassHasMaterialOnBothSides) {
  NEED_PACKAGES();
  const SoundLibrary library(system_options());
  EXPECT_EQ(library.classes().size(), sound_classes().size());
  for (const InstalledClass& installed : library.classes()) {
    EXPECT_GE(installed.known.size(), 2u) << installed.definition->name;
    EXPECT_GE(installed.unseen.size(), 1u) << installed.definition->name;
    EXPECT_LE(installed.unseen.size(), installed.known.size()) << installed.definition->name;
  }
}

TEST(Packages, EveryRecordingSounds) {
  NEED_PACKAGES();
  const SoundLibrary library(system_options());
  for (std::size_t i = 0; i < library.recordings().size(); ++i) {
    EXPECT_GT(library.samples(i).size(), kSynthRate / 20u) << library.recordings()[i].id;
    EXPECT_GT(active_level_db(library.samples(i)), -60) << library.recordings()[i].id;
  }
}

TEST(Packages, EveryKindOfSceneIsSane) {
  NEED_PACKAGES();
  for (const char* program : {"espeak-ng", "flite", "text2wave", "fluidsynth"}) {
    if (!program_exists(program)) GTEST_SKIP() << "SKIPPED: " << program << " is not installed";
  }
  const SceneMaker maker(system_options());
  for (const SceneType type : {SceneType::kSpeech, SceneType::kDialogue, SceneType::kActed, SceneType::kLanguage,
                               SceneType::kMusic, SceneType::kMixed}) {
    for (const char* split : {"train", "test-unseen"}) {
      const Scene scene = maker.make("t", type, split);
      SCOPED_TRACE(static_cast<int>(type));
      expect_sane(scene);
      EXPECT_EQ(scene.music.has_value(), type == SceneType::kMusic || (type == SceneType::kMixed && scene.music));
    }
  }
}

}  // namespace
}  // namespace areason
