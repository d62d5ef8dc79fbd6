#pragma once
// The wording of a benchmark's questions: named presets (the benchmark's own, those of other harnesses, ours) and templates of
// the user. Called by the runner; the text of the template goes into the run's manifest. Where each preset comes from:
// facts/evaluation.md 1.3, 2.2, 2.3, 3, 4; `eval prompts` prints them. Thread rule: constant data and free functions.
//
// A template holds {NAME} for a text field of the item, and
//   {choices}               the options as Python prints a list
//   {options LABEL|BETWEEN} the options one by one, each after LABEL, in which "A" or "a" is its letter; "\n" is a line end
//   {target} {target_spoken} {source_code}   CoVoST 2: Chinese, Mandarin, en
// "{{" is a brace.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eval/counts.h"
#include "eval/items.h"

namespace areason {

struct PromptPreset {
  std::string_view benchmark, name, source, text;
};
const std::vector<PromptPreset>& prompt_presets();
// Throws Error(kUsage) naming those that there are.
const PromptPreset& find_prompt(std::string_view benchmark, std::string_view name);

// The template with the item's values. Empty (and counted as no_prompt_field) for an item that lacks one of them. Throws
// Error(kUsage) for a template that cannot be read.
std::optional<std::string> render_prompt(std::string_view text, const BenchmarkItem& item, Counts& counts);

}  // namespace areason
