#pragma once
// The Debian packages whose recordings the scenes use: where they lie, their licence, how to install them; and the listing of
// their files by the patterns of the sound table. Called by recordings.cpp, acted.cpp and languages.cpp.
// Thread rule: constant data; PackageFiles is built once and then constant.
// Errors: Error(kInput) naming a missing package with its install command.
#include <map>
#include <string>
#include <vector>

namespace areason {

struct SoundPackage {
  std::string abbreviation;  // "QA"
  std::string package;       // Debian name: "qabcs-data"
  std::string root;          // below the package root: "usr/share/qabcs/abcs/all/noises"
  std::string licence;
};

const std::vector<SoundPackage>& sound_packages();
// nullptr when unknown.
const SoundPackage* find_package(const std::string& abbreviation);

// Files of one package, relative to its root, sorted, spoken descriptions (*_desc*) left out.
class PackageFiles {
 public:
  // `work_dir` receives the sounds that lie in archives (GCompris).
  PackageFiles(const std::string& package_root, const std::string& work_dir);
  bool installed(const std::string& abbreviation) const;
  // Directory that the relative names refer to.
  std::string directory(const SoundPackage& package) const;
  // "QA:dog.ogg": a pattern without '/' is matched with the file's base name, one with '/' with the relative path.
  std::vector<std::string> match(const SoundPackage& package, const std::string& glob) const;

 private:
  const std::vector<std::string>& list(const SoundPackage& package) const;
  std::string package_root_;
  std::string work_dir_;
  std::map<std::string, std::vector<std::string>> files_;
};

// "/" and "usr/share/x" give "/usr/share/x".
std::string below_root(const std::string& package_root, const std::string& path);

// "qabcs-data is not installed" with the hint "apt-get install qabcs-data".
[[noreturn]] void throw_missing_package(const std::string& package);

}  // namespace areason
