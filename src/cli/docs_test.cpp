#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <set>
#include <string>

#include "base/files.h"
#include "cli/commands.h"

namespace areason {
namespace {

TEST(CliReference, TheCommittedPageIsWhatTheProgramSays) {
  CLI::App app;
  build_app(app);
  EXPECT_EQ(read_file("docs/cli.md"), cli_reference(app)) << "run scripts/update-docs and commit docs/cli.md";
}

TEST(CliReference, EveryEnvironmentVariableOfTheSourcesIsListed) {
  CLI::App app;
  build_app(app);
  const std::string page = cli_reference(app);
  const std::regex call("getenv\\(\"([A-Z_]+)\"\\)");
  // Conventions of the system (XDG, HOME …) are not the program's own.
  const std::set<std::string> foreign = {"HOME",         "PATH", "TMPDIR", "TERM", "XDG_CACHE_HOME", "XDG_CONFIG_HOME",
                                         "XDG_DATA_HOME"};
  for (const auto& entry : std::filesystem::recursive_directory_iterator("src")) {
    const std::string path = entry.path().string();
    if (entry.path().extension() != ".cpp" || path.ends_with("_test.cpp")) continue;
    const std::string text = read_file(path);
    for (std::sregex_iterator m(text.begin(), text.end(), call), end; m != end; ++m) {
      const std::string name = (*m)[1];
      if (foreign.contains(name)) continue;
      EXPECT_NE(page.find("`" + name + "`"), std::string::npos) << name << " of " << path;
    }
  }
}

TEST(CliReference, EveryFlagHasAMeaning) {
  CLI::App app;
  build_app(app);
  std::vector<const CLI::App*> open = {&app};
  while (!open.empty()) {
    const CLI::App* command = open.back();
    open.pop_back();
    EXPECT_FALSE(command->get_description().empty()) << command->get_name();
    for (const CLI::Option* option : command->get_options())
      EXPECT_FALSE(option->get_description().empty()) << command->get_name() << " " << option->get_name();
    for (const CLI::App* sub : command->get_subcommands({})) open.push_back(sub);
  }
}

}  // namespace
}  // namespace areason
