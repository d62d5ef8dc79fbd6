#include "synth/packages.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "synth/qt_resource.h"

namespace areason {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 5> kAudioSuffixes = {".ogg", ".oga", ".wav", ".flac", ".mp3"};
// The only .rcc files with sounds of the table.
constexpr std::array<const char*, 15> kGcomprisArchives = {"explore_farm_animals.rcc",
                                                           "memory-sound.rcc",
                                                           "clickgame.rcc",
                                                           "canal_lock.rcc",
                                                           "guessnumber.rcc",
                                                           "instruments.rcc",
                                                           "mining.rcc",
                                                           "money.rcc",
                                                           "railroad.rcc",
                                                           "target.rcc",
                                                           "traffic.rcc",
                                                           "reversecount.rcc",
                                                           "scalesboard.rcc",
                                                           "core.rcc",
                                                           "morse_code.rcc"};

bool is_audio(const std::string& name) {
  return std::any_of(kAudioSuffixes.begin(), kAudioSuffixes.end(), [&](const char* s) { return name.ends_with(s); });
}

std::vector<std::string> list_directory(const std::string& directory) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::recursive_directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    const std::string name = fs::relative(it->path(), directory).generic_string();
    if (is_audio(name) && name.find("_desc") == std::string::npos) files.push_back(name);
  }
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());  // links to one file resolve to the same name
  return files;
}

// Unpacks the sounds of GCompris's resource files once: ROOT/gcompris/<activity>/<file>.
void extract_gcompris(const std::string& archive_directory, const std::string& target) {
  for (const char* archive : kGcomprisArchives) {
    const std::string path = archive_directory + "/" + archive;
    const std::string folder = target + "/" + fs::path(archive).stem().string();
    if (!fs::exists(path) || fs::exists(folder + "/.done")) continue;
    make_directories(folder);
    for (const QtResourceEntry& entry : read_qt_resource(path, {".wav", ".ogg"})) {
      const std::string file = folder + "/" + fs::path(entry.path).filename().string();
      write_file_atomic(file, entry.bytes);
    }
    write_file_atomic(folder + "/.done", "");
  }
}

}  // namespace

const std::vector<SoundPackage>& sound_packages() {
  // Licences as in each package's debian/copyright (facts/data_side.md 6.1).
  static const std::vector<SoundPackage> packages = {
      {"TP", "tuxpaint-stamps-default", "usr/share/tuxpaint/stamps", "GPL-2+"},
      {"QA", "qabcs-data", "usr/share/qabcs/abcs/all/noises", "GPL-3+"},
      {"GC", "gcompris-qt-data", "usr/share/gcompris-qt/rcc", "CC-BY-SA-3.0 / PD / GPL-3+"},
      {"LC", "lincity-ng-data", "usr/share/games/lincity-ng/sounds", "GPL-2+ / CC-BY-SA-2.0"},
      {"WL", "widelands-data", "usr/share/games/widelands/data", "GPL-2+"},
      {"WE", "wesnoth-1.16-data", "usr/share/games/wesnoth/1.16/data/core/sounds", "GPL-2+"},
      {"HW", "hedgewars-data", "usr/share/games/hedgewars/Data/Sounds", "GFDL-1.3 / GPL-2"},
      {"SR", "searchandrescue-data", "usr/share/games/searchandrescue/sounds", "GPL-2+"},
      {"MI", "micropolis-data", "usr/share/games/micropolis/res/sounds", "GPL-3+"},
      {"MT", "minetest-data", "usr/share/games/minetest/games/minetest_game/mods", "CC-BY-SA-3.0"},
      {"HD", "minetest-mod-homedecor", "usr/share/games/minetest/mods/homedecor", "CC-BY-SA-4.0 / LGPL-3"},
      {"WX", "warmux-data", "usr/share/games/warmux/sound/default", "GPL-2+"},
      {"SP", "sonic-pi-samples", "usr/share/sonic-pi/samples", "CC0-1.0"},
      {"FD", "freedink-data", "usr/share/games/dink/dink/Sound", "Zlib / various free"},
      {"FB", "foobillardplus-data", "usr/share/games/foobillardplus/data", "GPL-2+"},
      {"FZ", "frozen-bubble-data", "usr/share/games/frozen-bubble/snd", "GPL-2"},
      {"TT", "tuxtype-data", "usr/share/tuxtype/sounds", "GPL-2+"},
      {"ST", "sound-theme-freedesktop", "usr/share/sounds/freedesktop/stereo", "GPL-2 / CC-BY-SA-3.0"},
  };
  return packages;
}

const SoundPackage* find_package(const std::string& abbreviation) {
  for (const SoundPackage& package : sound_packages()) {
    if (package.abbreviation == abbreviation) return &package;
  }
  return nullptr;
}

std::string below_root(const std::string& package_root, const std::string& path) {
  return package_root.ends_with('/') ? package_root + path : package_root + "/" + path;
}

void throw_missing_package(const std::string& package) {
  throw Error(ErrorCode::kInput, "the Debian package " + package + " is not installed", "apt-get install " + package);
}

PackageFiles::PackageFiles(const std::string& package_root, const std::string& work_dir)
    : package_root_(package_root), work_dir_(work_dir) {
  for (const SoundPackage& package : sound_packages()) {
    const std::string source = below_root(package_root_, package.root);
    if (!fs::is_directory(source)) continue;
    if (package.abbreviation == "GC") extract_gcompris(source, directory(package));
    files_[package.abbreviation] = list_directory(directory(package));
  }
}

bool PackageFiles::installed(const std::string& abbreviation) const { return files_.count(abbreviation) != 0; }

std::string PackageFiles::directory(const SoundPackage& package) const {
  if (package.abbreviation == "GC") return work_dir_ + "/gcompris";
  return below_root(package_root_, package.root);
}

const std::vector<std::string>& PackageFiles::list(const SoundPackage& package) const {
  static const std::vector<std::string> none;
  const auto found = files_.find(package.abbreviation);
  return found == files_.end() ? none : found->second;
}

std::vector<std::string> PackageFiles::match(const SoundPackage& package, const std::string& glob) const {
  std::vector<std::string> result;
  const bool by_path = glob.find('/') != std::string::npos;
  for (const std::string& file : list(package)) {
    const std::string subject = by_path ? file : fs::path(file).filename().string();
    if (fnmatch(glob.c_str(), subject.c_str(), 0) == 0) result.push_back(file);
  }
  return result;
}

}  // namespace areason
