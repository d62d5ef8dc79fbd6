#include "reason/model_path.h"

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "base/error.h"

namespace areason {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> default_places() {
  std::vector<fs::path> places;
  std::error_code ignored;
  const fs::path executable = fs::read_symlink("/proc/self/exe", ignored);
  fs::path above = executable.parent_path();
  // build/release/audio-reasoner lies two folders below models/; tests lie deeper.
  for (int level = 0; level < 5 && !above.empty(); ++level) {
    places.push_back(above / "models/nano");
    places.push_back(above / "share/audio-reasoner/models/nano");
    above = above.parent_path();
  }
  places.emplace_back(AREASON_SOURCE_DIR "/models/nano");
  return places;
}

}  // namespace

std::string find_model(const std::string& wanted) {
  if (!wanted.empty()) return wanted;
  const char* chosen = std::getenv("AREASON_MODEL");
  if (chosen != nullptr && *chosen != '\0') return chosen;
  for (const fs::path& place : default_places()) {
    std::error_code ignored;
    if (fs::exists(place / "config.json", ignored)) return place.string();
  }
  throw Error(ErrorCode::kModel, "the default model models/nano was not found",
              "give --model DIR or set AREASON_MODEL to a Qwen2-Audio checkpoint directory");
}

}  // namespace areason
