#include "cota/stage_prompt.h"

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "text/utf8.h"

namespace areason {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kVersionDigits = 8;
constexpr std::uint64_t kLongestFile = 1 << 20;

[[noreturn]] void bad_prompt(const std::string& path, const std::string& what) {
  throw Error(ErrorCode::kInput, path + ": " + what, "docs/cota.md has the format of prompt files");
}

std::string trim(const std::string& text) {
  const std::size_t from = text.find_first_not_of(" \t\r\n"), to = text.find_last_not_of(" \t\r\n");
  return from == std::string::npos ? "" : text.substr(from, to - from + 1);
}

// Replaces every {{> part}}. Parts have none of their own.
std::string with_parts(const std::string& text, const std::string& folder, const std::string& path) {
  std::string out;
  std::size_t at = 0;
  for (std::size_t open = text.find("{{>"); open != std::string::npos; open = text.find("{{>", at)) {
    const std::size_t close = text.find("}}", open);
    if (close == std::string::npos) bad_prompt(path, "a {{> that nothing closes");
    const std::string part = trim(text.substr(open + 3, close - open - 3));
    if (part.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789") != std::string::npos)
      bad_prompt(path, "\"" + part + "\" is no name of a part");
    out += text.substr(at, open - at) + trim(read_file(folder + "/parts/" + part + ".txt", kLongestFile));
    at = close + 2;
  }
  return out + text.substr(at);
}

// One pass over a template; `end` is the name of the block that is open. Text that is not `shown` is only checked.
class Renderer {
 public:
  Renderer(const StagePrompt& prompt, const PromptValues& values) : prompt_(prompt), values_(values) {}
  std::string whole() {
    std::string out = block("", Shown::kYes);
    return trim(out);
  }

 private:
  enum class Shown { kYes, kNo };

  std::string block(const std::string& end, Shown shown) {
    std::string out;
    for (;;) {
      const std::size_t open = prompt_.text.find("{{", at_);
      if (shown == Shown::kYes) out += prompt_.text.substr(at_, open == std::string::npos ? open : open - at_);
      if (open == std::string::npos) {
        if (!end.empty()) bad_prompt(prompt_.name, "{{#" + end + "}} is never closed");
        return out;
      }
      const std::size_t close = prompt_.text.find("}}", open);
      if (close == std::string::npos) bad_prompt(prompt_.name, "a {{ that nothing closes");
      const std::string tag = prompt_.text.substr(open + 2, close - open - 2);
      at_ = close + 2;
      const char sort = tag.empty() ? ' ' : tag[0];
      if (sort == '/') {
        if (tag.substr(1) != end) bad_prompt(prompt_.name, "{{" + tag + "}} closes nothing");
        skip_line_end();
        return out;
      }
      out += one(tag, sort, shown);
    }
  }

  std::string one(const std::string& tag, char sort, Shown shown) {
    if (sort != '#' && sort != '^') return shown == Shown::kYes ? value(tag) : "";
    const std::string name = tag.substr(1);
    const bool there = !value(name).empty();
    skip_line_end();
    return block(name, shown == Shown::kYes && there == (sort == '#') ? Shown::kYes : Shown::kNo);
  }

  // A tag alone on its line leaves no empty line behind.
  void skip_line_end() {
    const std::string& text = prompt_.text;
    const std::size_t tag = text.rfind("{{", at_ - 1);
    const bool starts_line = tag == 0 || text[tag - 1] == '\n';
    if (starts_line && at_ < text.size() && text[at_] == '\n') ++at_;
  }

  std::string value(const std::string& name) const {
    if (name.empty() || name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789") != std::string::npos)
      bad_prompt(prompt_.name, "\"" + name + "\" is no name of a value");
    const auto it = values_.find(name);
    return it == values_.end() ? "" : it->second;
  }

  const StagePrompt& prompt_;
  const PromptValues& values_;
  std::size_t at_ = 0;
};

void read_setting(StagePrompt& prompt, const std::string& line, const std::string& path, std::string& version) {
  const std::size_t colon = line.find(':');
  if (colon == std::string::npos) bad_prompt(path, "\"" + line + "\" is no \"name: value\" line (or \"---\" is missing)");
  const std::string name = trim(line.substr(0, colon)), value = trim(line.substr(colon + 1));
  char* end = nullptr;
  double number = std::strtod(value.c_str(), &end);
  if (value.empty() || *end != '\0') number = -1;  // no setting
  if (name == "version" && !value.empty()) {
    version = value;
  } else if (name == "questions" && number >= 1 && number <= 20) {
    prompt.questions = static_cast<int>(number);
  } else if (name == "max_tokens" && number >= 16 && number <= 100000) {
    prompt.max_tokens = static_cast<int>(number);
  } else if (name == "temperature" && number >= 0 && number <= 2) {
    prompt.temperature = number;
  } else {
    bad_prompt(path, "\"" + line + "\" is no setting");
  }
}

}  // namespace

StagePrompt read_prompt_file(const std::string& folder, const std::string& name) {
  const std::string path = folder + "/" + name + ".txt";
  const std::string file = read_file(path, kLongestFile);
  StagePrompt prompt;
  prompt.name = name;
  std::string version;
  std::istringstream in(file);
  std::string line;
  bool text_follows = false;
  while (!text_follows && std::getline(in, line)) {
    text_follows = trim(line) == "---";
    if (!text_follows && !trim(line).empty()) read_setting(prompt, line, path, version);
  }
  if (version.empty()) bad_prompt(path, "no \"version:\" line");
  prompt.text.assign(std::istreambuf_iterator<char>(in), {});
  if (!is_valid_utf8(file)) bad_prompt(path, "is not UTF-8");
  prompt.text = with_parts(prompt.text, folder, path);
  if (trim(prompt.text).empty()) bad_prompt(path, "no text after \"---\"");
  prompt.version = name + "@" + version + "-" + sha256_hex(file + prompt.text).substr(0, kVersionDigits);
  render_prompt(prompt, {});  // finds unbalanced blocks
  return prompt;
}

const char* stage_name(Stage stage) {
  constexpr const char* kNames[] = {"annotate", "think", "review"};
  return kNames[static_cast<int>(stage)];
}

std::string render_prompt(const StagePrompt& prompt, const PromptValues& values) { return Renderer(prompt, values).whole(); }

PromptLibrary::PromptLibrary(const std::string& folder) : folder_(folder) {
  for (const Stage stage : kStages) {
    const std::string prefix = std::string(stage_name(stage)) + "/";
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder + "/" + prefix, error)) {
      if (entry.path().extension() != ".txt") continue;
      const std::string name = prefix + entry.path().stem().string();
      prompts_[name] = read_prompt_file(folder, name);
    }
    if (!prompts_.contains(prefix + "default"))
      throw Error(ErrorCode::kInput, folder + "/" + prefix + "default.txt: missing",
                  "--prompts names the folder with annotate/, think/ and review/");
  }
}

const StagePrompt& PromptLibrary::find(Stage stage, const std::string& set, const std::string& task) const {
  const std::string prefix = std::string(stage_name(stage)) + "/";
  for (const std::string& name : {set, task}) {
    if (const auto it = prompts_.find(prefix + name); it != prompts_.end()) return it->second;
  }
  return prompts_.at(prefix + "default");
}

std::vector<std::string> PromptLibrary::versions(Stage stage) const {
  const std::string prefix = std::string(stage_name(stage)) + "/";
  std::vector<std::string> out;
  for (const auto& [name, prompt] : prompts_) {
    if (name.rfind(prefix, 0) == 0) out.push_back(prompt.version);
  }
  return out;
}

}  // namespace areason
