#pragma once
// A file that one process holds: a set, a run, a list of answers that two must not write at once. Thread rule: one thread.
#include <string>

namespace areason {

// Held by one process at a time, freed when the process ends in whatever way.
class FileLock {
 public:
  FileLock() = default;
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  // Makes the file when there is none. Throws Error(kUsage) when another process holds it, Error(kFailure) when it cannot be
  // written. Where the file system has no locks, nothing is held.
  void open_or_throw(const std::string& path);

 private:
  int fd_ = -1;
};

}  // namespace areason
