#pragma once
// The checker's second reader: a language model (any provider of src/llm, asked with prompts/check) translates a chain into
// statements, without being told the timeline; the program judges them (statement_judge.h). Readings are kept in a file, so
// that a chain is read once. Called by the CLI and tests. Thread rule: read_chains() starts its own threads; a file of readings
// is read-only once loaded. Errors: as ask_and_keep(); Error(kInput) naming file and line.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cota/import_clip.h"
#include "cota/kept_answers.h"
#include "cota/sample.h"

namespace areason {

// Names of sounds that the timelines of a set hold: what the model chooses from. It tells nothing of a single clip.
void add_labels(const Sample& sample, std::set<std::string>& labels);

// {"id", "chain": hash of question and chain, "claims": [statement, …], "by", "prompt_version"} a line. A later line for the
// same chain of the same sample replaces an earlier one.
class Readings {
 public:
  Readings() = default;
  explicit Readings(const std::string& file);
  // Null when this chain has not been read.
  const std::vector<std::string>* find(const Sample& sample) const;
  std::size_t size() const { return claims_.size(); }

 private:
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> claims_;  // by id and chain
};

// Reads the chains that `file` has no reading of and appends what comes.
KeptCounts read_chains(const std::string& file, const std::vector<Sample>& samples, const std::set<std::string>& labels,
                       const AskedModelOptions& options);

// The statements that the timeline refutes, each with the code of its kind: "count: count(dog bark) = 4". Empty without a
// timeline. `clip` may be null.
struct JudgedClaims {
  std::vector<std::string> wrong;
  int statements = 0, open = 0;  // open: what the timeline cannot tell
};
JudgedClaims judge_claims(const Sample& sample, const SourceClip* clip, const std::vector<std::string>& claims);

}  // namespace areason
