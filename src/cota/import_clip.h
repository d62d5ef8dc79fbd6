#pragma once
// A clip that came from outside (or from data synth): where it lies, where it came from, and everything that is known about it.
// DIR/clips.jsonl of a set is a list of these, one JSON object a line. Written by the importers, read by the stages and
// exports. Units: seconds. Thread rule: values and free functions. Errors: Error(kInput) naming file and line.
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/json_fwd.h"
#include "cota/sample.h"

namespace areason {

struct SourceClip : ClipRecord {  // id: "audiocaps:11542"; no two clips of a set share one
  std::string root;               // folder that no path of this clip leaves
  double seconds = 0;
  std::string group;  // clips of one group never lie on two sides of a split: a recording, a dialogue, a base track
  // What the source says: "labels", "caption", "transcript", "emotion", "bpm" … in the order they are to be shown. The prompts
  // ask for them by these names.
  std::vector<std::pair<std::string, std::string>> facts;
  std::string content;         // hash of the decoded audio: equal for equal sound, whatever the container
  std::string excluded;        // why no stage takes it ("duplicate of …"); "" when it is used
  std::vector<Sample> oracle;  // data synth's own questions with chains: what --teacher oracle answers with

  std::string fact(const std::string& name) const;                   // "" without it
  void add_fact(const std::string& name, const std::string& value);  // nothing for an empty value
};

Json source_clip_to_json(const SourceClip& clip);
SourceClip source_clip_from_json(const Json& json, const std::string& where);
void read_source_clips(const std::string& path, const std::function<void(SourceClip&&)>& each);

// root/relative, after checking that it lies inside: no absolute path, no "..", no symbolic link that leads out. Throws
// Error(kInput) naming the path.
std::string path_inside(const std::string& root, const std::string& relative);
// What a listener is told who cannot hear: facts and timeline as lines of text.
std::string describe_clip(const SourceClip& clip);

}  // namespace areason
