#pragma once
// The prompts of the three stages: files PROMPTS/<stage>/<name>.txt, named after a data set or a task, with "default" for the
// rest. A file begins with "name: value" lines (version, questions, max_tokens, temperature) up to a line "---"; then the text:
//   {{name}} the value of a fact ("" without it), {{#name}}…{{/name}} only where there is one, {{^name}}…{{/name}} only where
//   there is none, {{> part}} the file PROMPTS/parts/part.txt.
// Values are put in as they are and never read as templates. Called by the stages and tests. Thread rule: read-only once made.
// Errors: Error(kInput) naming file and line.
#include <map>
#include <string>
#include <vector>

namespace areason {

enum class Stage { kAnnotate, kThink, kReview };
inline constexpr Stage kStages[] = {Stage::kAnnotate, Stage::kThink, Stage::kReview};
const char* stage_name(Stage stage);

struct StagePrompt {
  std::string name;     // "annotate/audiocaps"
  std::string version;  // "annotate/audiocaps@1-1a2b3c4d": the file's own number and a hash of its text
  std::string text;     // parts already in their places
  int questions = 3;
  int max_tokens = 2048;
  double temperature = 0.7;
};
using PromptValues = std::map<std::string, std::string>;

std::string render_prompt(const StagePrompt& prompt, const PromptValues& values);

// One file of the format, FOLDER/NAME.txt, with its parts in their places. Also for prompts that are no stage's
// ("script/default").
StagePrompt read_prompt_file(const std::string& folder, const std::string& name);

class PromptLibrary {
 public:
  // Reads and checks every file, so that a broken one is found before anything is paid for.
  explicit PromptLibrary(const std::string& folder);
  // The data set's own, else the task's, else the default.
  const StagePrompt& find(Stage stage, const std::string& set, const std::string& task) const;
  std::vector<std::string> versions(Stage stage) const;
  const std::map<std::string, StagePrompt>& all() const { return prompts_; }

 private:
  std::string folder_;
  std::map<std::string, StagePrompt> prompts_;  // by name
};

}  // namespace areason
