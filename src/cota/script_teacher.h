#pragma once
// Scripts for Multi-Speaker from a language model (any provider of src/llm) with the prompt prompts/script/default.txt, asked
// once for each clip and kept in a file, so that the clips made of them can be made again. Called by the CLI and tests.
// Thread rule: write_scripts() starts its own threads and returns when they are done; the rest are free functions.
// Errors: Error(kRemote) when the provider refuses every further request (key, quota, budget), Error(kInterrupted); what was
// answered until then is kept.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cota/annotate.h"
#include "cota/kept_answers.h"
#include "synth/dialogue_script.h"

namespace areason {

// Reads what teachers really send: tags in any case or missing, code fences, "**Anna:** …", "1. Anna (woman): …", quotation
// marks around a line, stage directions in brackets or asterisks (left out). Curly quotes become straight ones. Refused: fewer
// than two speakers or four lines, more than six speakers, a line twice, one of over 40 words, text that cannot be quoted.
Parsed<DialogueScript> parse_script(std::string_view text);

struct ScriptTeacherOptions : AskedModelOptions {
  std::uint64_t seed = 1;  // of what is asked for: place, number of speakers and lines
};
// One script for each id that `file` does not have yet, appended as it comes: {"id", "scenario", "speakers", "lines", "by",
// "prompt_version"} a line.
KeptCounts write_scripts(const std::string& file, const std::vector<std::string>& ids, const ScriptTeacherOptions& options);

// By clip id; a torn last line is left out. Empty when there is no file.
std::map<std::string, DialogueScript> read_scripts(const std::string& file);

}  // namespace areason
