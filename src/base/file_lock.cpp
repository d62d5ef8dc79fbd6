#include "base/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"

namespace areason {

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

void FileLock::open_or_throw(const std::string& path) {
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) throw Error(ErrorCode::kFailure, path + ": cannot be written", "check the folder's permissions");
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    throw Error(ErrorCode::kUsage, path + " is held by another audio-reasoner",
                "wait for it, or choose another file or folder");
  }
}

}  // namespace areason
