// Containers that libsndfile does not know, through an ffmpeg process: its output is a Sun .au stream of 32-bit floats, whose
// fixed header carries rate and channels.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <vector>

#include "audio/stream.h"
#include "base/error.h"
#include "base/interrupt.h"

extern char** environ;

namespace areason {
namespace {

// Real audio and video containers only: no playlists, no concatenation scripts, no images, no text, no network.
constexpr const char* kFormats =
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,asf,mpegts,mpeg,aac,ac3,eac3,amr,amrnb,amrwb,ape,caf,dts,dtshd,mp3,mpc,mpc8,"
    "ogg,rm,tta,wav,w64,wv,aiff,au,flac,oma,tak,dsf,voc,loas,truehd,nut,aea,qcp,adx,mxf,iff";

// Closes descriptors and ends the child on every way out.
class Child {
 public:
  ~Child() {
    for (const int fd : {output, errors})
      if (fd >= 0) ::close(fd);
    if (pid > 0) {
      ::kill(pid, SIGKILL);
      wait();
    }
  }
  int wait() {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    pid = -1;
    return status;
  }
  pid_t pid = -1;
  int output = -1;  // read end of its standard output
  int errors = -1;  // a memory file that takes its standard error
};

// False when there is no ffmpeg on PATH. The input is inherited as descriptor 3.
bool start_ffmpeg(int input, double seconds, Child& child) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    throw Error(ErrorCode::kFailure, fmt::format("cannot make a pipe for ffmpeg: {}", std::strerror(errno)),
                "close some programs");
  child.output = ends[0];
  child.errors = ::memfd_create("areason-ffmpeg-errors", MFD_CLOEXEC);
  const std::string limit = fmt::format("{:.3f}", seconds);
  const std::vector<const char*> args = {"ffmpeg",
                                         "-nostdin",
                                         "-hide_banner",
                                         "-loglevel",
                                         "error",
                                         "-protocol_whitelist",
                                         "file",
                                         "-format_whitelist",
                                         kFormats,
                                         "-i",
                                         "file:/proc/self/fd/3",
                                         "-map",
                                         "0:a:0",
                                         "-map_metadata",
                                         "-1",
                                         "-fflags",
                                         "+bitexact",
                                         "-t",
                                         limit.c_str(),
                                         "-c:a",
                                         "pcm_f32be",
                                         "-f",
                                         "au",
                                         "pipe:1",
                                         nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  if (child.errors >= 0) posix_spawn_file_actions_adddup2(&actions, child.errors, 2);
  // dup2 of a descriptor onto itself clears its close-on-exec flag here (POSIX 2024, glibc 2.29), so input == 3 works too.
  posix_spawn_file_actions_adddup2(&actions, input, 3);
  const int rc = posix_spawnp(&child.pid, "ffmpeg", &actions, nullptr, const_cast<char* const*>(args.data()), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (rc == 0) return true;
  child.pid = -1;
  if (rc == ENOENT || rc == EACCES) return false;
  throw Error(ErrorCode::kFailure, fmt::format("cannot start ffmpeg: {}", std::strerror(rc)), "check the ffmpeg on PATH");
}

std::uint32_t big_endian(const unsigned char* p) {
  return std::uint32_t{p[0]} << 24 | std::uint32_t{p[1]} << 16 | std::uint32_t{p[2]} << 8 | std::uint32_t{p[3]};
}

// Takes the .au bytes as they come and passes whole frames on.
class AuParser {
 public:
  explicit AuParser(FrameSink& sink) : sink_(sink) {}
  bool started() const { return channels_ > 0; }
  void feed(const unsigned char* bytes, std::size_t count) {
    pending_.insert(pending_.end(), bytes, bytes + count);
    if (!started() && !read_header()) return;
    const std::size_t frame = 4 * static_cast<std::size_t>(channels_);
    const std::size_t whole = pending_.size() / frame * frame;
    samples_.resize(whole / 4);
    for (std::size_t i = 0; i < samples_.size(); ++i) samples_[i] = std::bit_cast<float>(big_endian(&pending_[4 * i]));
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(whole));
    if (!samples_.empty()) sink_.frames(samples_);
  }

 private:
  // Magic ".snd", offset of the samples, their length (unknown), encoding 6 (32-bit float), rate, channels.
  bool read_header() {
    if (pending_.size() < 24) return false;
    const std::uint32_t offset = big_endian(&pending_[4]);
    if (std::memcmp(pending_.data(), ".snd", 4) != 0 || offset < 24 || offset > 65536 || big_endian(&pending_[12]) != 6)
      throw Error(ErrorCode::kFailure, "the ffmpeg on PATH writes no .au stream of floats", "install a complete ffmpeg");
    if (pending_.size() < offset) return false;
    const StreamFormat format{static_cast<int>(big_endian(&pending_[20])), static_cast<int>(big_endian(&pending_[16]))};
    sink_.start(format);
    channels_ = format.channels;
    pending_.erase(pending_.begin(), pending_.begin() + offset);
    return true;
  }
  FrameSink& sink_;
  int channels_ = 0;
  std::vector<unsigned char> pending_;
  std::vector<float> samples_;
};

// The last line ffmpeg wrote, without the name we gave the input.
std::string last_error(int fd) {
  std::string text(8192, '\0');
  const off_t end = ::lseek(fd, 0, SEEK_END);
  const off_t from = end > static_cast<off_t>(text.size()) ? end - static_cast<off_t>(text.size()) : 0;
  const ssize_t n = fd >= 0 ? ::pread(fd, text.data(), text.size(), from) : 0;
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  text = text.substr(text.find_last_of("\r\n") == std::string::npos ? 0 : text.find_last_of("\r\n") + 1);
  const std::string own = "file:/proc/self/fd/3: ";
  if (text.rfind(own, 0) == 0) text = text.substr(own.size());
  if (text.find("matches no streams") != std::string::npos) text = "there is no audio in it";
  return display_name(text.empty() ? "it gave no samples" : text);
}

}  // namespace

std::string read_with_ffmpeg(const ByteSource& source, FrameSink& sink, bool* missing) {
  Child child;
  // One second more than allowed, so that the sink notices.
  *missing = !start_ffmpeg(source.descriptor(), sink.max_seconds() + 1, child);
  if (*missing) return "no ffmpeg on PATH";
  AuParser parser(sink);
  std::vector<unsigned char> buffer(1 << 16);
  for (;;) {
    const ssize_t n = ::read(child.output, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) {
      throw_if_interrupted();
      continue;
    }
    if (n <= 0) break;
    parser.feed(buffer.data(), static_cast<std::size_t>(n));
  }
  const int status = child.wait();
  if (!parser.started()) return last_error(child.errors);
  if (status != 0)
    throw Error(ErrorCode::kInput, fmt::format("{} is broken: ffmpeg: {}", sink.name(), last_error(child.errors)),
                "copy or download the file again");
  return {};
}

}  // namespace areason
