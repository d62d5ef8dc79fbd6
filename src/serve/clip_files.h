#pragma once
// Clips of requests as files, since the decoders (libsndfile, ffmpeg) and the cache of heard clips go by path: a folder of its
// own under TMPDIR, one file a content, so that a clip which is sent again is the same file and costs nothing. A file goes when
// nobody holds it and newer ones came; the folder goes with this object. Called by the request handlers. Thread rule: safe from
// any thread. Errors: Error(kFailure) when the disk is full.
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace areason::serve {

class ClipFile {
 public:
  explicit ClipFile(std::string path) : path_(std::move(path)) {}
  ~ClipFile();
  ClipFile(const ClipFile&) = delete;
  ClipFile& operator=(const ClipFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};
using ClipFilePtr = std::shared_ptr<const ClipFile>;

class ClipFiles {
 public:
  ClipFiles();
  ~ClipFiles();
  ClipFiles(const ClipFiles&) = delete;
  ClipFiles& operator=(const ClipFiles&) = delete;
  ClipFilePtr put(std::string_view bytes, const std::string& extension);

 private:
  std::string folder_;
  std::mutex mutex_;
  long next_ = 0;
  std::list<std::pair<std::string, ClipFilePtr>> recent_;  // by content, the latest first
};

}  // namespace areason::serve
