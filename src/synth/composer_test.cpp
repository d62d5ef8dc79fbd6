#include "synth/composer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/testing.h"
#include "synth/qt_resource.h"
#include "synth/sentences.h"

namespace areason {
namespace {

std::uint32_t big_endian(const std::string& bytes, std::size_t at, int size) {
  std::uint32_t value = 0;
  for (int i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(i)]);
  return value;
}

TEST(Midi, HeaderTempoAndLength) {
  MidiPiece piece;
  piece.quarters_per_minute = 120;
  piece.programs = {{0, 40}};
  piece.notes = {{0, 60, 90, 0, 1}, {0, 64, 90, 1, 1}};
  const std::string bytes = write_midi(piece);
  EXPECT_EQ(bytes.substr(0, 4), "MThd");
  EXPECT_EQ(big_endian(bytes, 8, 2), 0u);     // format 0
  EXPECT_EQ(big_endian(bytes, 12, 2), 480u);  // ticks a quarter
  EXPECT_EQ(big_endian(bytes, 18, 4), bytes.size() - 22);
  EXPECT_EQ(big_endian(bytes, 26, 3), 500000u);  // microseconds a quarter
  // The first note ends before the second begins at the same tick: delta 480 = 0x83 0x60, note off, then delta 0, note on.
  EXPECT_NE(bytes.find(std::string("\x83\x60\x80\x3c\x00\x00\x90\x40\x5a", 9)), std::string::npos);
  EXPECT_EQ(bytes.substr(bytes.size() - 3), std::string("\xff\x2f\x00", 3));
}

TEST(Composer, FactsAgreeWithTheNotes) {
  std::set<std::string> meters, tempos, moods, leads;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed);
    const Composition c = compose_piece(random);
    const MusicFacts& f = c.facts;
    meters.insert(f.meter), tempos.insert(f.tempo), moods.insert(f.mood), leads.insert(f.instruments.front());
    EXPECT_EQ(f.tempo, f.bpm < 80 ? "slow" : f.bpm <= 125 ? "medium" : "fast");
    EXPECT_EQ(c.piece.quarters_per_minute, f.meter == "6/8" ? f.bpm * 1.5 : f.bpm);
    EXPECT_GT(c.seconds, 4);
    EXPECT_LT(c.seconds, 14);
    EXPECT_TRUE(f.key.ends_with(f.mode));
    if (f.mood == "sad" || f.mood == "energetic") {
      EXPECT_EQ(f.mode, "minor");
    }
    if (f.mood == "happy" || f.mood == "calm") {
      EXPECT_EQ(f.mode, "major");
    }
    bool drums = false;
    for (const MidiNote& note : c.piece.notes) {
      ASSERT_GE(note.key, 24);
      ASSERT_LE(note.key, 108);
      drums = drums || note.channel == 9;
      // No note starts after the last bar.
      EXPECT_LT(note.start, c.seconds / 60 * c.piece.quarters_per_minute);
    }
    EXPECT_EQ(drums, f.instruments.back() == "drums");
  }
  EXPECT_EQ(meters.size(), 3u);
  EXPECT_EQ(tempos.size(), 3u);
  EXPECT_EQ(moods.size(), 5u);  // with ""
  EXPECT_EQ(leads.size(), lead_instruments().size());
}

TEST(Sentences, AreOfTheClosedLanguage) {
  const std::set<std::string> other = {"the",  "a",    "is",     "in",   "at",     "please", "bring", "to",   "on",
                                       "goes", "my",   "likes",  "and",  "sleeps", "near",   "we",    "meet", "there",
                                       "are",  "code", "number", "call", "lives",  "room",   "one"};
  std::set<std::string> words = other;
  for (const WordCategory& category : word_categories()) words.insert(category.words.begin(), category.words.end());
  Random random(1);
  for (int i = 0; i < 300; ++i) {
    const Sentence sentence = i % 3 ? make_sentence(random) : make_digit_sentence(random);
    EXPECT_TRUE(sentence.written.ends_with('.'));
    std::size_t from = 0;
    while (from < sentence.text.size()) {
      const std::size_t to = std::min(sentence.text.find(' ', from), sentence.text.size());
      const std::string word = sentence.text.substr(from, to - from);
      EXPECT_TRUE(words.count(word)) << word << " in " << sentence.text;
      from = to + 1;
    }
  }
  EXPECT_THROW(words_of("verb"), Error);
}

TEST(Sentences, DialoguesHaveTheWantedTurns) {
  Random random(2);
  for (int turns = 3; turns <= 6; ++turns) {
    for (int i = 0; i < 30; ++i) {
      const auto dialogue = make_dialogue(turns, random);
      ASSERT_EQ(dialogue.size(), static_cast<std::size_t>(turns));
      EXPECT_TRUE(dialogue.front().written.ends_with('?'));
      for (const Sentence& s : dialogue) EXPECT_EQ(s.text.find_first_of("?.{}"), std::string::npos) << s.text;
    }
  }
}

// One directory with one stored file "a.wav" holding "RIFF".
std::string tiny_resource() {
  const auto number = [](std::uint32_t v, int bytes) {
    std::string s;
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) s += static_cast<char>(v >> shift & 0xff);
    return s;
  };
  const std::string data = number(4, 4) + "RIFF";
  std::string name = number(5, 2) + number(0, 4);
  for (const char c : std::string("a.wav")) name += number(static_cast<unsigned char>(c), 2);
  const std::string root = number(0, 4) + number(2, 2) + number(1, 4) + number(1, 4);
  const std::string file = number(0, 4) + number(0, 2) + number(0, 2) + number(0, 2) + number(0, 4);
  return "qres" + number(1, 4) + number(20 + 8 + static_cast<std::uint32_t>(name.size()), 4) + number(20, 4) + number(28, 4) +
         data + name + root + file;
}

TEST(QtResource, ReadsStoredFilesAndRefusesTornOnes) {
  const std::string path = scratch_path("tiny.rcc");
  const std::string whole = tiny_resource();
  write_file_atomic(path, whole);
  const auto entries = read_qt_resource(path, {".wav"});
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].path, "/a.wav");
  EXPECT_EQ(entries[0].bytes, "RIFF");
  EXPECT_TRUE(read_qt_resource(path, {".ogg"}).empty());
  for (std::size_t length = 0; length < whole.size(); ++length) {
    write_file_atomic(path, whole.substr(0, length));
    EXPECT_THROW(read_qt_resource(path, {".wav"}), Error) << length;
  }
}

}  // namespace
}  // namespace areason
