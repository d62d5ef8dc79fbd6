#pragma once
// Results on disk by the hash of what they were computed from (`--cache-dir`): audio embeddings, keys and values of prompts.
// Whole files or none (written beside, then renamed), checked when read, the least recently used deleted when they take too
// much room. Several processes may share a folder. Nothing here is needed: whatever fails is a miss, with a warning.
// Called by the reasoner and the clips. Thread rule: one thread per object.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/mmap.h"

namespace areason {

class FileCache {
 public:
  // Makes the folder. Throws Error(kFailure) when that cannot be done.
  FileCache(const std::string& dir, std::uint64_t most_bytes);

  // A file's content; the memory lives as long as this.
  class Content {
   public:
    explicit Content(MappedFile file) : file_(std::move(file)) {}
    std::span<const std::byte> bytes() const;

   private:
    MappedFile file_;
  };
  // Marks the file as used. A damaged one is deleted.
  std::optional<Content> get(const std::string& name);
  bool has(const std::string& name) const;
  void put(const std::string& name, std::span<const std::string_view> pieces);
  const std::string& dir() const { return dir_; }

 private:
  std::string path(const std::string& name) const { return dir_ + "/" + name + ".cache"; }
  void make_room(std::uint64_t bytes);

  std::string dir_;
  std::uint64_t most_bytes_;
};

}  // namespace areason
