#pragma once
// The recordings behind the sound classes: found in the installed packages, split by recording, decoded once. Called by the
// scene makers and the audit. Errors: Error(kInput) naming a missing package with its install command.
// Thread rule: constant after construction but for the decoded samples, which are loaded under a lock.
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "synth/packages.h"
#include "synth/scene.h"
#include "synth/scene_maker.h"
#include "synth/signal.h"
#include "synth/sound_table.h"

namespace areason {

struct Recording {
  std::string id;  // "qabcs-data:dog.ogg"
  std::string path;
  const SoundPackage* package = nullptr;
  bool unseen = false;  // used by test-unseen only
};

// One class of the table with what is installed of it.
struct InstalledClass {
  const SoundClass* definition = nullptr;
  std::vector<std::size_t> known, unseen;  // indices of recordings
  const std::vector<std::size_t>& side(bool unseen_side) const { return unseen_side ? unseen : known; }
};

class SoundLibrary {
 public:
  explicit SoundLibrary(const SynthOptions& options);
  ~SoundLibrary();
  const std::vector<InstalledClass>& classes() const { return classes_; }
  const std::vector<Recording>& recordings() const { return recordings_; }
  const PackageFiles& files() const { return files_; }
  // 16 kHz mono, silence at both ends cut, at most 30 s. The reference lives as long as the library.
  const Samples& samples(std::size_t recording) const;
  // Provenance with the file's SHA-256.
  SourceRef source(std::size_t recording) const;

 private:
  struct Cache;
  void collect(const SynthOptions& options);
  void split(InstalledClass& installed, std::uint64_t seed);
  PackageFiles files_;
  std::vector<Recording> recordings_;
  std::vector<InstalledClass> classes_;
  std::unique_ptr<Cache> cache_;
};

// Whether an acted voice pack of hedgewars belongs to test-unseen (in every class and scene type alike).
bool acted_pack_is_unseen(const std::string& pack);

// The provenance of any file of a package (used by languages and acted voices too).
SourceRef source_of_file(const std::string& id, const SoundPackage& package, const std::string& path);

}  // namespace areason
