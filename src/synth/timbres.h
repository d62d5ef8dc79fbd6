#pragma once
// Recordings whose timbre a speech server is to take over: a folder as LibriSpeech is released (FLAC beside *.trans.txt,
// readers in SPEAKERS.TXT), or any folder of NAME.wav|flac with NAME.txt. Called by speech_server.cpp and the CLI. Thread rule:
// values. Errors: Error(kInput) for a folder without usable recordings.
#include <string>
#include <vector>

namespace areason {

struct Timbre {
  std::string id;       // "1089-134686-0000"
  std::string reader;   // "1089": one voice; the file's own name in a plain folder
  std::string path;     // of the recording
  std::string text;     // what is said in it, with capitals and stops as far as they can be guessed
  std::string gender;   // "man", "woman", "" when unknown
  bool unseen = false;  // every fifth reader, by hash: used by test-unseen only
};

// Sorted by id.
std::vector<Timbre> read_timbres(const std::string& folder);

// "HE HOPED THERE'D BE STEW" -> "He hoped there'd be stew.": LibriSpeech has capitals only.
std::string recased(const std::string& transcript);

}  // namespace areason
