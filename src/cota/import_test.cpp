// Every importer on a fixture in the layout in which its data set is released, with the traps of each (facts of the data side:
// comments, quoting, encodings, five names for one file), broken rows and missing files; equal sound across sources and splits.
#include "cota/import.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <tuple>

#include "audio/write.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/testing.h"
#include "cota/import_sources.h"

namespace areason {
namespace {

namespace fs = std::filesystem;

class Import : public ::testing::Test {
 protected:
  void put(const std::string& name, const std::string& text) {
    make_directories(parent_directory(root_ + "/" + name));
    write_file_atomic(root_ + "/" + name, text);
  }
  // A tone of its own for every pitch; a fifth of a second unless told.
  void clip(const std::string& name, int pitch, int samples = 3200) {
    make_directories(parent_directory(root_ + "/" + name));
    Waveform tone;
    for (int i = 0; i < samples; ++i) tone.samples.push_back(0.3f * std::sin(0.001f * static_cast<float>(i * pitch)));
    name.ends_with(".flac") ? write_flac(root_ + "/" + name, tone) : write_wav(root_ + "/" + name, tone);
  }
  ImportReport import(const std::string& kind, const std::string& path, const std::string& audio = "") {
    ImportOptions options;
    options.kind = kind;
    options.path = path.empty() ? root_ : root_ + "/" + path;
    options.audio = audio.empty() ? "" : root_ + "/" + audio;
    options.set = set();
    report_ = run_import(options);
    clips_.clear();
    read_source_clips(set() + "/clips.jsonl", [&](SourceClip&& c) { clips_[c.id] = std::move(c); });
    return report_;
  }
  void expect_counts(int imported, int missing, int broken) const {
    EXPECT_EQ(report_.imported, imported);
    EXPECT_EQ(report_.missing, missing);
    EXPECT_EQ(report_.broken, broken);
    int listed = 0;
    const std::string problems = read_file(set() + "/import-problems.jsonl");
    for (const char c : problems) listed += c == '\n' ? 1 : 0;
    EXPECT_EQ(listed, missing + broken) << problems;
  }
  const SourceClip& at(const std::string& id) {
    static const SourceClip kNone;
    const auto it = clips_.find(id);
    EXPECT_NE(it, clips_.end()) << id << " was not imported";
    return it == clips_.end() ? kNone : it->second;
  }
  std::string set() const { return scratch_.file("set"); }

  const ScratchDir scratch_;
  const std::string root_ = scratch_.file("downloaded");
  ImportReport report_;
  std::map<std::string, SourceClip> clips_;
};

TEST_F(Import, AudioSet) {
  put("class_labels_indices.csv",
      "index,mid,display_name\n0,/m/09x0r,\"Speech\"\n1,/m/05zppz,Male_speech,_man_speaking\n"
      "2,/t/dd00088,\"Gush, stream\"\n");
  put("eval_segments.csv",
      "# Segments csv created Sun Mar  5 10:54:31 2017\n# num_ytids=22160, num_segs=22160, num_unique_labels=527, "
      "num_positive_labels=52882\n# YTID, start_seconds, end_seconds, positive_labels\n"
      "--PJHxphWEs, 30.000, 40.000, \"/m/09x0r,/t/dd00088\"\n-9vFOwzxsfo, 0.000, 10.000, \"/m/05zppz\"\n"
      "gone0000000, 10.000, 20.000, \"/m/09x0r\"\nnolabel0000, 10.000, 20.000, \"/m/unknown\"\nnothing\n");
  put("balanced_train_segments.csv",
      "# Segments csv created\n# num_ytids=1\n# YTID, start_seconds, end_seconds, positive_labels\n"
      "abcdefghijk, 0.000, 10.000, \"/m/09x0r\"\n");
  clip("wav/--PJHxphWEs_30.000_40.000.wav", 50);
  clip("wav/Y-9vFOwzxsfo.wav", 60);
  clip("wav/abcdefghijk_0.flac", 70);
  import("audioset", "", "wav");
  expect_counts(3, 1, 2);
  const SourceClip& first = at("audioset:--PJHxphWEs_30.000");
  EXPECT_EQ(first.fact("labels"), "Speech; Gush, stream");
  EXPECT_EQ(first.split, "test");
  EXPECT_EQ(first.group, "youtube:--PJHxphWEs");
  EXPECT_EQ(first.source.id, "--PJHxphWEs_30.000");
  EXPECT_EQ(first.source.sha256.size(), 64u);
  EXPECT_NEAR(first.seconds, 0.2, 1e-6);
  EXPECT_EQ(at("audioset:-9vFOwzxsfo_0.000").fact("labels"), "Male speech, man speaking");
  EXPECT_EQ(at("audioset:abcdefghijk_0.000").split, "train");
}

TEST_F(Import, AudioCaps) {
  put("dataset/train.csv",
      "audiocap_id,youtube_id,start_time,caption\n"
      "11542,3eJ9RynJzP8,80,\"The wind is blowing, insects are singing, and rustling occurs\"\n"
      "2,-missing,30,A dog\n3,,30,no id\n");
  put("dataset/test.csv",
      "audiocap_id,youtube_id,start_time,caption\n1,Ayz8yE7LFv8,30,A man \"\"speaks\"\"\n"
      "2,Ayz8yE7LFv8,30,\"Somebody says \"\"hello\"\"\"\n3,Ayz8yE7LFv8,30,Third\n");
  clip("audio/3eJ9RynJzP8_80.wav", 50);
  clip("audio/Ayz8yE7LFv8_30.wav", 60);
  import("audiocaps", "dataset", "audio");
  expect_counts(2, 1, 1);
  EXPECT_EQ(at("audiocaps:3eJ9RynJzP8_80").fact("caption"), "The wind is blowing, insects are singing, and rustling occurs");
  EXPECT_NE(at("audiocaps:Ayz8yE7LFv8_30").fact("caption").find("Somebody says \"hello\" / Third"), std::string::npos);
  EXPECT_EQ(at("audiocaps:Ayz8yE7LFv8_30").split, "test");
}

TEST_F(Import, Clotho) {
  put("clotho_captions_development.csv",
      "file_name,caption_1,caption_2,caption_3,caption_4,caption_5\nRadio Garble.wav,A radio dispatcher,\"Two, or three, "
      "people\",c,d,e\nCaf\xc3\xa9 #1 [x].wav,a,b,c,d,e\nnot there.wav,a,b,c,d,e\n,a,b,c,d,e\n");
  // ISO-8859-1, as the second version was released.
  put("clotho_metadata_development.csv",
      "file_name,keywords,sound_id,sound_link,start_end_samples,manufacturer,license\n"
      "Radio Garble.wav,radio;voice,80399,https://freesound.org/people/Benboncan/sounds/80399,\"[1024, 845524]\",Benboncan,"
      "http://creativecommons.org/licenses/by/3.0/\n"
      "Caf\xe9 #1 [x].wav,caf\xe9;people,Not found,,,Jos\xe9,http://creativecommons.org/publicdomain/zero/1.0/\n");
  put("clotho_captions_evaluation.csv", "file_name,caption_1,caption_2,caption_3,caption_4,caption_5\nRain.wav,Rain,r,r,r,r\n");
  put("clotho_metadata_evaluation.csv",
      "file_name;sound_id;sound_link;manufacturer;license\n"
      "Rain.wav;5;https://freesound.org/people/a/sounds/5;a;by-nc\n");
  clip("audio/development/Radio Garble.wav", 50);
  clip("audio/development/Caf\xc3\xa9 #1 [x].wav", 60);
  clip("audio/evaluation/Rain.wav", 70);
  import("clotho", "", "audio");
  expect_counts(3, 1, 1);
  const SourceClip& radio = at("clotho:development/Radio Garble.wav");
  EXPECT_EQ(radio.source.licence, "http://creativecommons.org/licenses/by/3.0/");
  EXPECT_EQ(radio.fact("keywords"), "radio;voice");
  EXPECT_EQ(radio.group, "https://freesound.org/people/Benboncan/sounds/80399");
  EXPECT_EQ(radio.fact("caption"), "A radio dispatcher / Two, or three, people / c / d / e");
  EXPECT_EQ(at("clotho:development/Caf\xc3\xa9 #1 [x].wav").fact("keywords"), "caf\xc3\xa9;people");
  EXPECT_EQ(at("clotho:evaluation/Rain.wav").split, "test");
  EXPECT_EQ(at("clotho:evaluation/Rain.wav").source.licence, "by-nc");
}

TEST_F(Import, MusicBench) {
  const auto row = [](const char* location, bool held_out) {
    return dump_json(Json{{"dataset", "MusicBench"},
                          {"location", location},
                          {"main_caption", "A calm piece"},
                          {"alt_caption", ""},
                          {"beats", {{0.4, 0.9, 1.4}, {1.0, 2.0, 3.0}}},
                          {"bpm", 120.0},
                          {"chords", {"C", "G"}},
                          {"chords_time", {0.4, 2.0}},
                          {"key", {"C", "major"}},
                          {"keyprob", {0.7}},
                          {"is_audioset_eval_mcaps", held_out}}) +
           "\n";
  };
  put("MusicBench_train.json", row("data/-0SdAVK79lg.wav", false) + row("data_aug2/-0SdAVK79lg_1.wav", false) +
                                   row("data/test_one.wav", true) + row("data/lost.wav", false) +
                                   "{\"location\": 5}\nno json\n");
  clip("datashare/data/-0SdAVK79lg.wav", 50);
  clip("datashare/data_aug2/-0SdAVK79lg_1.wav", 60);
  clip("datashare/data/test_one.wav", 70);
  import("musicbench", "");
  expect_counts(3, 1, 2);
  const SourceClip& track = at("musicbench:data/-0SdAVK79lg.wav");
  EXPECT_EQ(track.fact("bpm"), "120");
  EXPECT_EQ(track.fact("key"), "C major");
  EXPECT_EQ(track.fact("meter"), "3 beats to the bar");
  EXPECT_EQ(track.fact("chords"), "C G");
  EXPECT_EQ(track.group, at("musicbench:data_aug2/-0SdAVK79lg_1.wav").group) << "copies never part";
  EXPECT_EQ(at("musicbench:data/test_one.wav").split, "test") << "is_audioset_eval_mcaps keeps it out of training";
}

TEST_F(Import, Meld) {
  const std::string head =
      "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime\n";
  put("train_sent_emo.csv",
      head +
          "1,also I was the point person on my company\x92s transition.,Chandler,neutral,neutral,0,0,8,21,"
          "\"00:16:16,059\",\"00:16:16,259\"\n2,\"Oh, no\",Ross,sadness,negative,0,1,8,21,\"00:16:20,000\",\"00:16:50,000\"\n"
          "3,Gone,Joey,joy,positive,0,2,8,21,\"00:00:01,000\",\"00:00:01,200\"\n4,,Joey,joy,positive,0,3,8,21,x,y\n");
  put("dev_sent_emo.csv", head + "1,Hey!,Joey,joy,positive,7,1,8,21,\"00:00:01,000\",\"00:00:01,200\"\n");
  put("test_sent_emo.csv", head + "1,Hey you!,Joey,surprise,positive,7,1,8,21,\"00:00:01,000\",\"00:00:01,200\"\n");
  clip("train_splits/dia0_utt0.wav", 50);
  clip("train_splits/dia0_utt1.wav", 60);
  clip("dev_splits_complete/dia7_utt1.wav", 70);
  clip("output_repeated_splits_test/dia7_utt1.wav", 80);
  import("meld", "");
  expect_counts(3, 1, 2);  // dia0_utt1 lasts 0.2 s where the table says 30: mis-cut
  EXPECT_NE(read_file(set() + "/import-problems.jsonl").find("the table says 30"), std::string::npos);
  EXPECT_EQ(at("meld:train/dia0_utt0").fact("emotion"), "neutral");
  EXPECT_EQ(at("meld:val/dia7_utt1").fact("transcript"), "Hey!") << "equal numbers in dev and test are two clips";
  EXPECT_EQ(at("meld:test/dia7_utt1").fact("emotion"), "surprise");
  EXPECT_EQ(at("meld:train/dia0_utt0").group, "meld:train/0");
}

TEST_F(Import, Mustard) {
  put("data/sarcasm_data.json",
      R"({"1_60": {"utterance": "It's just a privilege.", "speaker": "SHELDON", "context": ["I never", "thought"],
    "context_speakers": ["LEONARD", "SHELDON"], "show": "BBT", "sarcasm": true}, "2_1": {"utterance": "No.", "speaker": "A", "context": [],
    "context_speakers": [], "show": "BBT", "sarcasm": false}, "3_1": {"utterance": "lost", "sarcasm": false}, "4_1": {"speaker": "B"}})");
  clip("audio/utterances_final/1_60.wav", 50);
  clip("audio/utterances_final/2_1.wav", 60);
  import("mustard", "data", "audio");
  expect_counts(2, 1, 1);
  EXPECT_EQ(at("mustard:1_60").fact("sarcasm"), "sarcastic");
  EXPECT_EQ(at("mustard:1_60").fact("context"), "LEONARD: I never / SHELDON: thought");
  EXPECT_EQ(at("mustard:2_1").fact("sarcasm"), "not sarcastic");
}

TEST_F(Import, CoVoST2OnCommonVoice) {
  // No quoting: a lone quotation mark is text.
  put("validated.tsv",
      "client_id\tpath\tsentence\tup_votes\tdown_votes\tage\tgender\taccent\nspk1\tcommon_voice_en_1.mp3\tHe said "
      "\"go\t2\t0\t\t\t\n"
      "spk2\tcommon_voice_en_2.mp3\tA \\\"quoted\\\" word\t2\t0\t\t\t\nspk1\tcommon_voice_en_3.mp3\tgone\t2\t0\t\t\t\n");
  put("covost_v2.en_zh-CN.tsv",
      "path\ttranslation\tsplit\ncommon_voice_en_1.mp3\t\xe4\xbb\x96\xe8\xaf\xb4\ttrain\n"
      "common_voice_en_2.mp3\t\xe4\xb8\x80\tdev\ncommon_voice_en_3.mp3\tx\ttest\ncommon_voice_en_9.mp3\tx\ttest\n");
  clip("clips/common_voice_en_1.wav", 50);
  clip("clips/common_voice_en_2.wav", 60);
  fs::rename(root_ + "/clips/common_voice_en_1.wav", root_ + "/clips/common_voice_en_1.mp3");  // the decoder looks at the bytes
  fs::rename(root_ + "/clips/common_voice_en_2.wav", root_ + "/clips/common_voice_en_2.mp3");
  import("covost2", "");
  expect_counts(2, 1, 1);
  const SourceClip& first = at("covost2:en_zh-CN/common_voice_en_1.mp3");
  EXPECT_EQ(first.fact("transcript"), "He said \"go");
  EXPECT_EQ(first.fact("language") + first.fact("target_language"), "EnglishChinese");
  EXPECT_EQ(first.group, "commonvoice:spk1");
  EXPECT_EQ(at("covost2:en_zh-CN/common_voice_en_2.mp3").split, "val");
  EXPECT_EQ(at("covost2:en_zh-CN/common_voice_en_2.mp3").fact("transcript"), "A \"quoted\" word");
}

TEST_F(Import, LibriSpeech) {
  put("LibriSpeech/SPEAKERS.TXT",
      ";ID  |SEX| SUBSET           |MINUTES| NAME\n14   | F | train-clean-360  | 25.03 | Kristin LeMoine\n"
      "1089 | M | test-clean       | 8.03  | Peter | Bobbe\n");
  put("LibriSpeech/test-clean/1089/134686/1089-134686.trans.txt",
      "1089-134686-0000 HE HOPED THERE WOULD BE\n1089-134686-0001 GONE\nbroken\n");
  put("LibriSpeech/train-clean-360/14/208/14-208.trans.txt", "14-208-0000 THERE WAS A TIME\n");
  clip("LibriSpeech/test-clean/1089/134686/1089-134686-0000.flac", 50);
  clip("LibriSpeech/train-clean-360/14/208/14-208-0000.flac", 60);
  import("librispeech", "LibriSpeech");
  expect_counts(2, 1, 1);
  EXPECT_EQ(at("librispeech:1089-134686-0000").fact("transcript"), "he hoped there would be");
  EXPECT_EQ(at("librispeech:1089-134686-0000").fact("gender"), "man");
  EXPECT_EQ(at("librispeech:1089-134686-0000").split, "test");
  EXPECT_EQ(at("librispeech:14-208-0000").group, "librispeech:14");
  EXPECT_EQ(at("librispeech:14-208-0000").split, "train");
}

TEST_F(Import, TablesOfOnesOwnAndFolders) {
  // Sound that could be read: beside the folder, by its whole path, and behind a link.
  clip("../secret.wav", 70);
  clip("../outside/x.wav", 80);
  make_directories(root_);
  fs::create_directory_symlink(scratch_.file("outside"), root_ + "/link");
  put("t.csv",
      "file,split,Licence,caption,mood\na.wav,train,CC0,\"One, two\",calm\nb.wav,test,,,\n#1.wav,train,,,\n"
      "../secret.wav,train,,,\n" +
          scratch_.file("secret.wav") + ",train,,,\nlink/x.wav,train,,,\n,train,,,\n");
  clip("a.wav", 50);
  clip("b.wav", 60);
  clip("#1.wav", 65);
  import("table", "t.csv");
  EXPECT_EQ(report_.imported, 3);
  EXPECT_EQ(report_.missing + report_.broken, 4) << "nothing outside of the folder is read";
  EXPECT_EQ(at("own:a.wav").fact("mood"), "calm");
  EXPECT_EQ(at("own:a.wav").fact("caption"), "One, two");
  fs::remove_all(set());
  fs::remove(root_ + "/link");
  put("silent.txt", "no sound");
  import("folder", "");
  EXPECT_EQ(report_.imported, 3);
}

TEST_F(Import, EveryRowIsCountedOnceAndTheLimitIsOfRows) {
  put("t.csv", "file,split\na.wav,train\n,train\ngone.wav,train\nshort\na.wav,train\nb.wav,train\n");
  clip("a.wav", 50);
  clip("b.wav", 60);
  import("table", "t.csv");
  EXPECT_EQ(report_.rows, 6);
  EXPECT_EQ(report_.known, 1);
  expect_counts(2, 1, 2);
  fs::remove_all(set());
  ImportOptions options;
  options.kind = "table";
  options.path = root_ + "/t.csv";
  options.set = set();
  options.limit = 3;
  report_ = run_import(options);
  EXPECT_EQ(report_.rows, 3);
  expect_counts(1, 1, 1);
}

TEST_F(Import, TablesThatNameNoFileAreRefused) {
  std::string wide = "\xff\xfe";
  for (const char c : std::string("file,split\na.wav,train\n")) wide += std::string(1, c) + '\0';
  const std::string headless = wide.substr(2);
  clip("a.wav", 50);
  const std::tuple<const char*, std::string, const char*> kTables[] = {
      {"other.csv", "name;caption\na.wav;A dog\n", "name;caption"},
      {"other.tsv", "filename\tcaption\na.wav\tA dog\n", "caption, filename"},
      {"other.jsonl", "{\"name\": \"a.wav\"}\n{\"wav\": \"a.wav\"}\n", "name, wav"},
      {"torn.jsonl", "{\"file\": \n", "no column"},
      {"wide.csv", wide, "UTF-16"},
      {"headless.csv", headless, "UTF-16"},
      {"wide.jsonl", wide, "UTF-16"},
  };
  for (const auto& [name, text, says] : kTables) {
    put(name, text);
    try {
      import("table", name);
      ADD_FAILURE() << name << " was taken";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInput) << name;
      EXPECT_NE(std::string(e.what()).find(says), std::string::npos) << e.what();
      EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos);
    }
  }
}

TEST_F(Import, EqualSoundIsFoundAcrossSourcesAndNeverCrossesABorder) {
  put("a/t.csv", "file,split\none.wav,train\ntwo.wav,train\nthree.wav,train\n");
  put("b/t.csv", "file,split\nuno.flac,test\ndos.wav,val\ntres.wav,train\n");
  clip("a/one.wav", 50);
  clip("a/two.wav", 60);
  clip("a/three.wav", 70);
  clip("b/uno.flac", 50);  // the same sound in another container
  clip("b/dos.wav", 60);
  clip("b/tres.wav", 70);
  import("table", "a/t.csv");
  EXPECT_EQ(report_.duplicates, 0);
  import("table", "b/t.csv");
  EXPECT_EQ(report_.duplicates, 3);
  EXPECT_EQ(report_.across_splits, 2);
  EXPECT_EQ(at("own:one.wav").excluded, "duplicate of own:uno.flac, which is in test");
  EXPECT_EQ(at("own:two.wav").excluded, "duplicate of own:dos.wav, which is in val");
  EXPECT_EQ(at("own:uno.flac").excluded, "");
  EXPECT_EQ(at("own:tres.wav").excluded, "duplicate of own:three.wav");
  EXPECT_EQ(at("own:tres.wav").group, at("own:three.wav").group);
  const std::string before = read_file(set() + "/clips.jsonl");
  import("table", "b/t.csv");
  EXPECT_EQ(report_.known, 3);
  EXPECT_EQ(read_file(set() + "/clips.jsonl"), before) << "again is the same";
}

TEST_F(Import, AStoppedImportGoesOn) {
  put("t.csv", "file\na.wav\nb.wav\nc.wav\n");
  clip("a.wav", 50);
  clip("b.wav", 60);
  clip("c.wav", 70);
  import("table", "t.csv");
  // As a killed import leaves it: the journal of what was heard, its last line torn.
  const std::string whole = read_file(set() + "/clips.jsonl");
  const std::size_t second = whole.find('\n') + 1;
  fs::remove(set() + "/clips.jsonl");
  write_file_atomic(set() + "/clips.jsonl.part", whole.substr(0, second + 40));
  import("table", "t.csv");
  EXPECT_EQ(report_.known, 1);
  EXPECT_EQ(report_.imported, 2);
  EXPECT_EQ(read_file(set() + "/clips.jsonl"), whole);
  // Killed after the new file was in place but before the journal was gone.
  write_file_atomic(set() + "/clips.jsonl.part", whole);
  import("table", "t.csv");
  EXPECT_EQ(read_file(set() + "/clips.jsonl"), whole);
}

}  // namespace
}  // namespace areason
