#pragma once
// Where the bytes of a sound come from: a regular file (read piecewise) or memory (standard input, a pipe, a test, the fuzzer).
// Used by the decoders of this folder only. Thread rule: one thread at a time.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace areason {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual std::uint64_t size() const = 0;
  // Copies up to out.size() bytes from `offset`; the number copied (0 at the end or after a device error).
  virtual std::size_t read(std::uint64_t offset, std::span<std::byte> out) const = 0;
  // A descriptor that a child process can inherit and open as /proc/self/fd/N; valid as long as this object. Throws
  // Error(kFailure).
  virtual int descriptor() const = 0;
};

// "-" reads standard input, and what is no regular file (a pipe, a device) is read whole, at most `memory_limit` bytes.
// Throws Error(kInput) naming the path.
std::unique_ptr<ByteSource> open_byte_source(const std::string& path, std::uint64_t memory_limit = std::uint64_t{1} << 30);
// The bytes must outlive the source.
std::unique_ptr<ByteSource> memory_byte_source(std::span<const std::byte> bytes);
// The name for messages: "standard input" for "-", control characters replaced (a message is one line).
std::string display_name(const std::string& path);

}  // namespace areason
