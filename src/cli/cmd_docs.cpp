// audio-reasoner docs (hidden): prints docs/cli.md from the very tables that parse the command line, so that it cannot lie.
#include <algorithm>
#include <array>
#include <iostream>
#include <string>
#include <vector>

#include "cli/commands.h"

namespace areason {
namespace {

struct Row {
  const char* name;
  const char* meaning;
};

// base/error.h has the same numbers.
constexpr std::array kExitCodes = {
    Row{"0", "ok"},
    Row{"1", "failure without a better code"},
    Row{"2", "usage: bad flags or arguments"},
    Row{"3", "an input cannot be read or makes no sense"},
    Row{"4", "a checkpoint cannot be used"},
    Row{"5", "a remote provider failed"},
    Row{"130", "interrupted (Ctrl-C)"},
};

// Every getenv() of the sources is listed here; a test looks for those that are not.
constexpr std::array kEnvironment = {
    Row{"AREASON_API_KEY",
        "keys (between commas) of which `serve` wants one in `Authorization: Bearer KEY` (default: it wants none)"},
    Row{"AREASON_BACKEND_PATH",
        "folders (between colons) where `--backend torch` looks for `libareason_torch.so` after the program's own and its lib "
        "folders"},
    Row{"AREASON_ISA",
        "forces an instruction set of the CPU kernels: `portable`, `avx2`, `avxvnni`, `avx512`, `avx512vnni` or `avx512bf16` "
        "(default: the best there is)"},
    Row{"AREASON_MODEL", "model that commands take without `--model` (default: the built-in nano)"},
    Row{"AREASON_TRAINER", "the program that `train sft` starts (default: `audio-reasoner-train` beside `audio-reasoner`)"},
    Row{"NO_COLOR", "when set to anything but the empty string, output has no colours (https://no-color.org)"},
};

// Text for a Markdown table cell.
std::string cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

// CLI11 joins the type and its checks: "INT:INT in [0 - 9]", "TEXT:{a,b}". Says it once.
std::string type_of(const CLI::Option& option) {
  if (option.get_items_expected_max() == 0) return "";
  const std::string type = option.get_type_name();
  const auto colon = type.find(':');
  if (colon == std::string::npos) return type;
  const std::string name = type.substr(0, colon), check = type.substr(colon + 1);
  if (name == "TEXT" || check.starts_with(name)) return check;
  const auto in = check.find(" in ");
  return in == std::string::npos ? name + " " + check : name + check.substr(in);
}

std::string flag_names(const CLI::Option& option) {
  std::string out;
  const auto add = [&](const std::string& name) { out += (out.empty() ? "`" : ", `") + name + "`"; };
  for (const std::string& name : option.get_snames()) add("-" + name);
  for (const std::string& name : option.get_lnames()) add("--" + name);
  if (out.empty()) add(option.get_name(true));
  const std::string type = type_of(option);
  return type.empty() ? out : out + " " + type;
}

std::string flag_meaning(const CLI::Option& option) {
  std::string out = cell(option.get_description());
  if (option.get_required()) out += " (required)";
  if (option.get_items_expected_max() > 0 && !option.get_default_str().empty())
    out += " (default: `" + cell(option.get_default_str()) + "`)";
  return out;
}

void add_options(const CLI::App& command, std::string& out) {
  std::string rows;
  for (const CLI::Option* option :
       command.get_options([&](const CLI::Option* o) { return o != command.get_help_ptr() && !o->get_group().empty(); }))
    rows += "| " + cell(flag_names(*option)) + " | " + flag_meaning(*option) + " |\n";
  if (!rows.empty()) out += "| flag | meaning |\n|---|---|\n" + rows + "\n";
}

std::string usage_of(const CLI::App& command, const std::string& path) {
  std::string usage = path;
  const auto visible = [](const CLI::App* a) { return !a->get_group().empty(); };
  if (!command.get_subcommands(visible).empty()) usage += " COMMAND";
  if (!command.get_options([](const CLI::Option* o) { return o->nonpositional(); }).empty()) usage += " [FLAGS]";
  for (const CLI::Option* option : command.get_options([](const CLI::Option* o) { return o->get_positional(); })) {
    const std::string name = option->get_name(true) + (option->get_items_expected_max() > 1 ? "…" : "");
    usage += option->get_required() ? " " + name : " [" + name + "]";
  }
  return usage;
}

void add_command(const CLI::App& command, const std::string& path, std::string& out) {
  out += "## " + path + "\n\n" + command.get_description() + "\n\n```\n" + usage_of(command, path) + "\n```\n\n";
  add_options(command, out);
  if (!command.get_footer().empty()) out += command.get_footer() + "\n\n";
  for (const CLI::App* sub : command.get_subcommands([](const CLI::App* a) { return !a->get_group().empty(); }))
    add_command(*sub, path + " " + sub->get_name(), out);
}

template <std::size_t N>
void add_rows(const char* title, const char* head, const std::array<Row, N>& rows, std::string& out) {
  out += std::string("## ") + title + "\n\n| " + head + " | meaning |\n|---|---|\n";
  for (const Row& row : rows) out += std::string("| `") + row.name + "` | " + row.meaning + " |\n";
}

}  // namespace

std::string cli_reference(const CLI::App& app) {
  std::string out =
      "# The command line\n\n<!-- Made by scripts/update-docs from the program's own tables; a test compares. Do not edit. "
      "-->\n\n"
      "Answers go to standard output, everything else to standard error. An error is two lines, `error: …` and `hint: …`. "
      "Every command answers `--help`.\n\n";
  for (const CLI::App* command : app.get_subcommands([](const CLI::App* a) { return !a->get_group().empty(); }))
    add_command(*command, app.get_name() + " " + command->get_name(), out);
  add_rows("Exit codes", "code", kExitCodes, out);
  out += "\n";
  add_rows("Environment variables", "variable", kEnvironment, out);
  return out;
}

void register_docs(CLI::App& app) {
  CLI::App* command = app.add_subcommand("docs", "print docs/cli.md");
  command->group("");  // hidden: for scripts/update-docs
  command->callback([&app] { std::cout << cli_reference(app) << std::flush; });
}

}  // namespace areason
