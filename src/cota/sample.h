#pragma once
// The sample schema (design.md, contracts): one JSON object a line, spoken by the data side, the trainer and the evaluation.
// Called by cota, train, eval. Errors: Error(kInput) naming file and line. Thread rule: values.
#include <functional>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "cot/sections.h"

namespace areason {

struct SampleSource {
  std::string set;   // e.g. "nano-synth"
  std::string id;    // clip id within the set
  std::string path;  // where the material came from
  std::string licence;
  std::string sha256;  // of the clip's file
};

struct TimelineEntry {
  int audio = 0;  // index into Sample::audio
  std::string label;
  double from = 0, to = 0;
  double level_db = 0;
  std::string speaker, text;
};

struct Turn {
  std::string question;
  std::string response;  // the assistant's whole earlier text
};

// What a clip (import_clip.h) and the samples about it share.
struct ClipRecord {
  std::string id;
  SampleSource source;
  std::vector<std::string> audio;  // paths; of samples relative to the JSONL file unless absolute, of clips to their root
  std::vector<TimelineEntry> timeline;
  std::string domain;  // sound, speech, music, mixed
  std::string task;    // e.g. sound_qa
  std::string split;
};
// Adds all members but the split, which samples have at their end.
void put_clip_record(Json& json, const ClipRecord& record);
ClipRecord clip_record_from_json(const Json& json, const std::string& where);

struct Sample : ClipRecord {
  std::string kind;                  // a row of the table of kinds
  std::string question;              // options included, as the user types it
  std::vector<std::string> choices;  // empty for open questions
  std::string answer_text;
  std::string answer_letter;  // "b" or empty
  std::string caption;
  Chain sections;
  std::vector<Turn> turns;  // earlier rounds, oldest first
  std::string review_verdict, review_reason, review_by;
  std::string prompt_version, teacher;
};

Json sample_to_json(const Sample& sample);
Sample sample_from_json(const Json& json, const std::string& where);
// Calls `each` for every line; skips blank lines. Throws Error(kInput) naming file and line.
void read_samples(const std::string& path, const std::function<void(Sample&&)>& each);
std::vector<Sample> read_samples(const std::string& path);

}  // namespace areason
