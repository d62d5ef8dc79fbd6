#pragma once
// Runs a helper program (espeak-ng, flite, festival, fluidsynth) to its end with silent output, and names short-lived files.
// Called by voices.cpp and music_scenes.cpp. Thread rule: safe from any thread.
// Errors: Error(kInput) with an install hint when the program is missing; Error(kFailure) when it fails or takes too long.
#include <string>
#include <vector>

namespace areason {

struct Command {
  std::vector<std::string> arguments;  // the program first; looked for on PATH
  std::string package;                 // named in the install hint
  double timeout_seconds = 60;
};

void run_command(const Command& command);
bool program_exists(const std::string& name);

// A file name of this process and call in `directory` (created), removed when the object goes.
class TemporaryFile {
 public:
  TemporaryFile(const std::string& directory, const std::string& suffix);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace areason
