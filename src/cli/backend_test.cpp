// --backend of the built program: it has no libtorch, finds the plug-in beside itself, and says what to do where there is none.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>

#include "base/json.h"
#include "base/testing.h"

namespace areason {
namespace {

namespace fs = std::filesystem;

const std::string kClip = "tests/golden/sounds/usr/share/sonic-pi/samples/elec_beep.flac";

struct Outcome {
  int status = -1;
  std::string output;  // both streams
};

Outcome shell(const std::string& command) {
  Outcome out;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return out;
  char buffer[4096];
  while (const std::size_t count = std::fread(buffer, 1, sizeof buffer, pipe)) out.output.append(buffer, count);
  const int status = ::pclose(pipe);
  out.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return out;
}

std::string ask(const std::string& program, const std::string& flags) {
  return "env -u AREASON_BACKEND_PATH '" + program + "' ask " + kClip +
         " 'How many sounds are heard?' --model models/nano --threads 2 --max-new-tokens 140 " + flags;
}

TEST(Backend, TheProgramIsNotLinkedWithLibtorch) {
  const Outcome libraries = shell(std::string("ldd '") + AREASON_BINARY + "'");
  ASSERT_EQ(libraries.status, 0) << libraries.output;
  EXPECT_NE(libraries.output.find("libstdc++"), std::string::npos);
  for (const char* library : {"torch", "libc10"}) EXPECT_EQ(libraries.output.find(library), std::string::npos) << library;
}

TEST(Backend, WithoutThePluginTheErrorSaysWhatToDo) {
  const ScratchDir scratch;
  const std::string alone = scratch.file("audio-reasoner");
  fs::copy_file(AREASON_BINARY, alone);
  const Outcome out = shell(ask(alone, "--backend torch"));
  EXPECT_EQ(out.status, 1) << out.output;
  EXPECT_NE(out.output.find("no libareason_torch.so in " + scratch.path()), std::string::npos) << out.output;
  EXPECT_NE(out.output.find("AREASON_BACKEND_PATH"), std::string::npos) << out.output;
}

TEST(Backend, DevicesBelongToTorch) {
  EXPECT_EQ(shell(ask(AREASON_BINARY, "--device cuda")).status, 2);
  EXPECT_EQ(shell(ask(AREASON_BINARY, "--dtype bf16")).status, 2);
  EXPECT_EQ(shell(ask(AREASON_BINARY, "--backend tensorflow")).status, 2);
}

TEST(Backend, TheProgramAnswersWithItsPlugin) {
  if (!fs::exists(fs::path(AREASON_BINARY).parent_path() / "libareason_torch.so")) GTEST_SKIP() << "libtorch was not found";
  const Outcome torch = shell(ask(AREASON_BINARY, "--json --backend torch --device cpu --dtype f32"));
  const Outcome native = shell(ask(AREASON_BINARY, "--json"));
  ASSERT_EQ(torch.status, 0) << torch.output;
  ASSERT_EQ(native.status, 0) << native.output;
  EXPECT_EQ(parse_json(torch.output, "torch")["text"], parse_json(native.output, "native")["text"]);
}

}  // namespace
}  // namespace areason
