// The four export formats on real files: what is in them, the same bytes again, and exports that were stopped.
#include "cota/export.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <sstream>

#include "audio/write.h"
#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/testing.h"

namespace areason {
namespace {

namespace fs = std::filesystem;

constexpr int kSamples = 23;

class Export : public ::testing::Test {
 protected:
  void SetUp() override {
    make_directories(root_ + "/clips");
    std::string lines;
    for (int i = 0; i < kSamples; ++i) {
      Waveform tone;
      for (int n = 0; n < 800; ++n) tone.samples.push_back(0.2f * std::sin(0.01f * static_cast<float>(n * (i / 2 + 3))));
      const std::string clip = "clips/" + std::to_string(i / 2) + ".wav";  // two questions a clip
      write_wav(root_ + "/" + clip, tone);
      Sample s;
      s.id = "own:" + std::to_string(i / 2) + "#" + std::to_string(i % 2);
      s.source = {"own", std::to_string(i / 2), clip, "CC0", sha256_file(root_ + "/" + clip)};
      s.audio = {clip};
      s.task = "sound_qa";
      s.question = "What is heard? (a) a tone (b) rain";
      s.choices = {"a tone", "rain"};
      s.answer_letter = "a";
      s.review_verdict = i == 5 ? "false" : "true";
      for (const Section section : kSections) s.sections[section] = "A tone \"" + std::to_string(i) + "\".";
      lines += dump_json(sample_to_json(s)) + "\n";
    }
    write_file_atomic(root_ + "/samples.jsonl", lines);
  }

  ExportReport run(ExportFormat format, const std::string& name, std::uint64_t seed = 1) {
    ExportOptions options;
    options.format = format;
    options.out = root_ + "/" + name;
    options.seed = seed;
    options.val_share = 0.3;
    options.shard_samples = 4;
    return export_samples(*export_from_file(root_ + "/samples.jsonl"), options);
  }
  // Every file of a folder: name -> bytes.
  std::map<std::string, std::string> files(const std::string& name) const {
    std::map<std::string, std::string> out;
    for (const auto& entry : fs::recursive_directory_iterator(root_ + "/" + name))
      if (entry.is_regular_file())
        out[fs::relative(entry.path(), root_ + "/" + name).string()] = read_file(entry.path().string());
    return out;
  }
  static std::vector<Json> lines_of(const std::string& text) {
    std::vector<Json> out;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) out.push_back(parse_json(line, "line"));
    return out;
  }

  const ScratchDir scratch_;
  const std::string root_ = scratch_.file("samples");
};

TEST_F(Export, JsonlIsTheProjectsOwnSchemaAndRefusedSamplesStayOut) {
  const ExportReport report = run(ExportFormat::kJsonl, "out");
  EXPECT_EQ(report.samples, kSamples - 1);
  EXPECT_EQ(report.refused, 1);
  std::set<std::string> groups[2];
  int side = 0;
  for (const char* split : {"train", "val"}) {
    for (const Sample& s : read_samples(root_ + "/out/" + split + ".jsonl")) {
      groups[side].insert(s.source.id);
      EXPECT_EQ(s.split, split);
      EXPECT_TRUE(fs::exists(s.audio[0])) << s.audio[0];
      EXPECT_EQ(s.source.licence, "CC0");
    }
    ++side;
  }
  EXPECT_FALSE(groups[0].empty() || groups[1].empty());
  for (const std::string& clip : groups[1]) EXPECT_FALSE(groups[0].contains(clip)) << "a clip lies on both sides";
}

TEST_F(Export, AnExportCanBeExportedAgainFromTheFolderOfItsAudioOnly) {
  run(ExportFormat::kJsonl, "out");
  ExportOptions options;
  options.format = ExportFormat::kSwift;
  options.out = root_ + "/again";
  const std::string first = root_ + "/out/train.jsonl";
  const auto again = [&](const std::string& audio_root) {
    return export_samples(*export_from_file(first, audio_root), options);
  };
  EXPECT_THROW(again(""), Error);
  EXPECT_THROW(again(root_ + "/out"), Error) << "the clips lie beside that folder, not in it";
  EXPECT_EQ(again(root_).samples, static_cast<std::int64_t>(read_samples(first).size()));
  for (const Json& line : lines_of(read_file(options.out + "/train.jsonl")))
    EXPECT_TRUE(fs::exists(line["audios"][0].get<std::string>())) << line;
}

TEST_F(Export, SwiftHasOneAudioTagAClip) {
  run(ExportFormat::kSwift, "out");
  for (const Json& line : lines_of(read_file(root_ + "/out/train.jsonl"))) {
    ASSERT_EQ(line["messages"].size(), 3u);
    EXPECT_EQ(line["messages"][0]["role"], "system");
    EXPECT_EQ(line["messages"][1]["content"], "<audio>What is heard? (a) a tone (b) rain");
    EXPECT_TRUE(line["messages"][2]["content"].get<std::string>().starts_with("<THINK>"));
    ASSERT_EQ(line["audios"].size(), 1u);
    EXPECT_TRUE(fs::exists(line["audios"][0].get<std::string>()));
  }
}

TEST_F(Export, AudioFolderHasItsRowsBesideTheFilesAndACard) {
  const ExportReport report = run(ExportFormat::kHuggingFace, "out");
  std::int64_t rows = 0;
  for (const auto& [split, count] : report.splits) {
    for (const Json& line : lines_of(read_file(root_ + "/out/data/" + split + "/metadata.jsonl"))) {
      ++rows;
      const std::string file = root_ + "/out/data/" + split + "/" + line["file_name"].get<std::string>();
      EXPECT_EQ(sha256_file(file), line["source"]["sha256"].get<std::string>());
      EXPECT_TRUE(line["text"].get<std::string>().starts_with("<THINK>"));
    }
  }
  EXPECT_EQ(rows, report.samples);
  const std::string card = read_file(root_ + "/out/README.md");
  EXPECT_TRUE(card.starts_with("---\nlicense: other\n"));
  EXPECT_NE(card.find("| CC0 | " + std::to_string(report.samples) + " |"), std::string::npos) << card;
}

// The members of a tar by a reader that shares nothing with the writer.
std::map<std::string, std::string> untar(const std::string& bytes) {
  std::map<std::string, std::string> out;
  for (std::size_t at = 0; at + 512 <= bytes.size() && bytes[at] != '\0';) {
    const std::string name = bytes.substr(at, 100).c_str();
    const std::size_t size = std::stoul(bytes.substr(at + 124, 11), nullptr, 8);
    EXPECT_EQ(bytes.substr(at + 257, 5), "ustar");
    // POSIX.1-1988: the sum of the header's bytes, those of the checksum itself read as blanks.
    std::string header = bytes.substr(at, 512);
    const std::size_t said = std::stoul(header.substr(148, 6), nullptr, 8);
    header.replace(148, 8, 8, ' ');
    std::size_t sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    EXPECT_EQ(said, sum) << name;
    out[name] = bytes.substr(at + 512, size);
    at += 512 + (size + 511) / 512 * 512;
  }
  return out;
}

TEST_F(Export, WebDatasetShardsHoldPairs) {
  const ExportReport report = run(ExportFormat::kWebDataset, "out");
  std::int64_t samples = 0;
  for (const auto& [name, bytes] : files("out")) {
    if (!name.ends_with(".tar")) continue;
    const auto members = untar(bytes);
    EXPECT_LE(members.size(), 8u);
    for (const auto& [member, content] : members) {
      if (!member.ends_with(".json")) continue;
      ++samples;
      const std::string key = member.substr(0, member.size() - 5);
      EXPECT_EQ(key.find_first_of(".#:/"), std::string::npos) << key;
      ASSERT_TRUE(members.contains(key + ".wav"));
      EXPECT_EQ(sha256_hex(members.at(key + ".wav")), parse_json(content, member)["source"]["sha256"].get<std::string>());
    }
  }
  EXPECT_EQ(samples, report.samples);
}

TEST_F(Export, TheSameSeedGivesTheSameBytesAndAnotherAnotherOrder) {
  for (const ExportFormat format :
       {ExportFormat::kJsonl, ExportFormat::kSwift, ExportFormat::kHuggingFace, ExportFormat::kWebDataset}) {
    run(format, "one");
    run(format, "two");
    run(format, "other", 2);
    EXPECT_EQ(files("one"), files("two"));
    EXPECT_NE(files("one"), files("other"));
    for (const char* name : {"one", "two", "other"}) fs::remove_all(root_ + "/" + name);
  }
}

// Apart from the split, which the seed draws too.
TEST_F(Export, TheOrderIsDrawnBySeed) {
  const auto order = [&](std::uint64_t seed) {
    ExportOptions options;
    options.out = root_ + "/order" + std::to_string(seed);
    options.seed = seed;
    options.val_share = options.test_share = 0;
    export_samples(*export_from_file(root_ + "/samples.jsonl"), options);
    std::vector<std::string> ids;
    for (const Sample& s : read_samples(options.out + "/train.jsonl")) ids.push_back(s.id);
    return ids;
  };
  auto one = order(1), two = order(2);
  EXPECT_NE(one, two);
  EXPECT_FALSE(std::is_sorted(one.begin(), one.end()));
  std::sort(one.begin(), one.end());
  std::sort(two.begin(), two.end());
  EXPECT_EQ(one, two);
}

TEST_F(Export, AStoppedExportGoesOnAndEndsTheSame) {
  for (const ExportFormat format :
       {ExportFormat::kJsonl, ExportFormat::kSwift, ExportFormat::kHuggingFace, ExportFormat::kWebDataset}) {
    run(format, "whole");
    run(format, "stopped");
    const auto whole = files("whole");
    // As a killed export leaves it: the first file whole, the next a torn part, the rest not begun.
    bool first = true;
    std::string kept;
    for (const auto& [name, bytes] : whole) {
      if (!name.ends_with(".jsonl") && !name.ends_with(".tar")) continue;
      const std::string path = root_ + "/stopped/" + name;
      if (first) {
        kept = path;
      } else {
        fs::remove(path);
        write_file_atomic(path + ".part", bytes.substr(0, bytes.size() * 2 / 3));
      }
      first = false;
    }
    const auto written = fs::last_write_time(kept);
    run(format, "stopped");
    EXPECT_EQ(files("stopped"), whole);
    EXPECT_EQ(fs::last_write_time(kept), written) << "what was whole is not written again";
    // Other options begin anew instead of going on.
    run(format, "stopped", 2);
    EXPECT_NE(files("stopped"), whole);
    for (const char* name : {"whole", "stopped"}) fs::remove_all(root_ + "/" + name);
  }
}

// Of any format, and whatever else lies beside it.
TEST_F(Export, AnotherExportReplacesItsFilesAndNoOthers) {
  const std::string own = root_ + "/out/notes.jsonl", deep = root_ + "/out/data/train/mine.tar";
  for (const ExportFormat before :
       {ExportFormat::kJsonl, ExportFormat::kSwift, ExportFormat::kHuggingFace, ExportFormat::kWebDataset}) {
    run(before, "out");
    make_directories(root_ + "/out/data/train");
    for (const std::string& path : {own, deep}) write_file_atomic(path, "mine");
    run(ExportFormat::kSwift, "out", 7);
    run(ExportFormat::kSwift, "fresh", 7);
    auto left = files("out");
    EXPECT_EQ(left["notes.jsonl"], "mine");
    EXPECT_EQ(left["data/train/mine.tar"], "mine");
    left.erase("notes.jsonl");
    left.erase("data/train/mine.tar");
    EXPECT_EQ(left, files("fresh")) << static_cast<int>(before);
    for (const char* name : {"out", "fresh"}) fs::remove_all(root_ + "/" + name);
  }
}

// A killed export lists its files before it writes them; clips have their row before they are there.
TEST_F(Export, WhatAStoppedExportLeftIsReplacedToo) {
  for (const ExportFormat format : {ExportFormat::kHuggingFace, ExportFormat::kWebDataset}) {
    run(format, "out");
    for (const auto& [name, bytes] : files("out")) {
      if (!name.ends_with(".jsonl") && !name.ends_with(".tar")) continue;
      fs::rename(root_ + "/out/" + name, root_ + "/out/" + name + ".part");
    }
    run(ExportFormat::kJsonl, "out");
    EXPECT_EQ(files("out").size(), 3u) << "export.json, train.jsonl and val.jsonl";
    fs::remove_all(root_ + "/out");
  }
}

TEST_F(Export, AMissingClipOfAStoppedAudioFolderIsPlacedAgain) {
  run(ExportFormat::kHuggingFace, "out");
  const auto whole = files("out");
  for (const auto& [name, bytes] : whole) {
    if (!name.ends_with(".wav")) continue;
    fs::remove(root_ + "/out/" + name);
    break;
  }
  run(ExportFormat::kHuggingFace, "out");
  EXPECT_EQ(files("out"), whole);
}

TEST_F(Export, ChangedSamplesAreWrittenAnew) {
  run(ExportFormat::kJsonl, "out");
  std::string text = read_file(root_ + "/samples.jsonl");
  for (std::size_t at = 0; (at = text.find("What is heard?", at)) != std::string::npos;)
    text.replace(at, 14, "What sounds so?");
  write_file_atomic(root_ + "/samples.jsonl", text);
  run(ExportFormat::kJsonl, "out");
  EXPECT_EQ(read_samples(root_ + "/out/train.jsonl")[0].question.rfind("What sounds so?", 0), 0u);
}

TEST_F(Export, FoldersOfOthersAreRefusedAndStayAsTheyAre) {
  const auto refused = [&](const std::string& out, const std::vector<std::string>& inputs = {}) {
    const auto before = files(".");
    ExportOptions options;
    options.out = out;
    options.inputs = inputs;
    try {
      export_samples(*export_from_file(root_ + "/samples.jsonl"), options);
      ADD_FAILURE() << out << " was taken";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kUsage) << e.what();
      EXPECT_FALSE(e.hint().empty());
    }
    EXPECT_EQ(files("."), before) << out;
  };
  make_directories(root_ + "/proj");
  write_file_atomic(root_ + "/proj/notes.jsonl", "mine");
  refused(root_ + "/proj");
  write_file_atomic(root_ + "/proj/export.json", "{\"version\": 1}");  // some other program's
  refused(root_ + "/proj");
  refused(root_ + "/samples.jsonl");
  refused(root_);
  refused(root_ + "/new", {root_ + "/new"});
  refused(root_ + "/new/", {root_ + "/new/set"});
  // Its own folder, which an input has come into since.
  run(ExportFormat::kJsonl, "own");
  refused(root_ + "/own", {root_ + "/own"});
  fs::create_directory_symlink(root_ + "/own", root_ + "/link");
  refused(root_ + "/own", {root_ + "/link"});
  // A file that is in the way of another form.
  write_file_atomic(root_ + "/own/README.md", "mine");
  EXPECT_THROW(run(ExportFormat::kHuggingFace, "own"), Error);
  EXPECT_EQ(read_file(root_ + "/own/README.md"), "mine");
  EXPECT_TRUE(fs::exists(root_ + "/own/train.jsonl"));
}

TEST_F(Export, NothingToExportIsAnErrorAndLeavesTheLastExport) {
  run(ExportFormat::kJsonl, "out");
  const auto before = files("out");
  std::string text = read_file(root_ + "/samples.jsonl");
  for (std::size_t at = 0; (at = text.find("\"true\"", at)) != std::string::npos;) text.replace(at, 6, "\"false\"");
  for (const std::string& samples : {std::string(), text}) {
    write_file_atomic(root_ + "/samples.jsonl", samples);
    for (const char* out : {"out", "new"}) {
      try {
        run(ExportFormat::kJsonl, out);
        ADD_FAILURE();
      } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::kInput);
      }
    }
    EXPECT_EQ(files("out"), before);
    EXPECT_FALSE(fs::exists(root_ + "/new"));
  }
}

// export.json comes from outside like any file.
TEST_F(Export, NoListOfFilesLeadsOut) {
  run(ExportFormat::kJsonl, "out");
  Json note = read_json_file(root_ + "/out/export.json");
  note["files"] = Json::array({"train.jsonl", "val.jsonl", "../samples.jsonl"});
  write_file_atomic(root_ + "/out/export.json", dump_json(note));
  EXPECT_THROW(run(ExportFormat::kJsonl, "out"), Error);
  EXPECT_TRUE(fs::exists(root_ + "/samples.jsonl"));
  note["files"] = 3;
  write_file_atomic(root_ + "/out/export.json", dump_json(note));
  EXPECT_THROW(run(ExportFormat::kJsonl, "out"), Error);
}

TEST_F(Export, NoPathLeadsOut) {
  Sample s = read_samples(root_ + "/samples.jsonl")[0];
  fs::copy(root_ + "/clips/0.wav", scratch_.file("outside.wav"));
  fs::create_directory_symlink(scratch_.path(), root_ + "/up");
  for (const std::string path : {"../samples/clips/0.wav", "../outside.wav", "up/outside.wav"}) {
    s.audio = {path};
    write_file_atomic(root_ + "/samples.jsonl", dump_json(sample_to_json(s)) + "\n");
    EXPECT_THROW(run(ExportFormat::kJsonl, "out"), Error) << path;
  }
}

}  // namespace
}  // namespace areason
