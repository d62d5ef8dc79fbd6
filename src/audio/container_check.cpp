// How many bytes of samples a chunked container promises, and how many it holds.
#include <fmt/format.h>

#include <array>
#include <cstring>
#include <string_view>

#include "audio/stream.h"
#include "base/error.h"

namespace areason {
namespace {

struct Container {
  std::uint64_t first_chunk = 12;
  std::string_view data_id = "data";
  bool big_endian = false;
  std::uint64_t wide_length = 0;  // RF64: the 64-bit length from the ds64 chunk
};

std::uint64_t number(const std::byte* p, int bytes, bool big_endian) {
  std::uint64_t v = 0;
  for (int i = 0; i < bytes; ++i) v |= static_cast<std::uint64_t>(p[i]) << (8 * (big_endian ? bytes - 1 - i : i));
  return v;
}

// What writers to a pipe leave when they cannot go back: 0xFFFFFFFF (ffmpeg), 0x7FFFF000 (sox), 0x7FFFFFFF and 2^31 (arecord).
bool is_placeholder(std::uint64_t length) { return length >= 0xFFFFFF00u || (length >= 0x7FFF0000u && length <= 0x80000000u); }

bool recognise(const ByteSource& source, Container& out) {
  std::array<std::byte, 12> head{};
  if (source.read(0, head) < head.size()) return false;
  const std::string_view magic(reinterpret_cast<const char*>(head.data()), 4);
  const std::string_view kind(reinterpret_cast<const char*>(head.data()) + 8, 4);
  if (kind == "WAVE" && (magic == "RIFF" || magic == "RIFX" || magic == "RF64")) {
    out.big_endian = magic == "RIFX";
    return true;
  }
  if (magic == "FORM" && (kind == "AIFF" || kind == "AIFC")) {
    out.big_endian = true;
    out.data_id = "SSND";
    return true;
  }
  return false;
}

}  // namespace

void check_container_length(const ByteSource& source, const std::string& name) {
  Container c;
  if (!recognise(source, c)) return;
  const std::uint64_t size = source.size();
  std::uint64_t at = c.first_chunk;
  // A chunk takes at least 8 bytes, so this ends; 10,000 chunks of text before the samples are nobody's file.
  for (int chunk = 0; chunk < 10000; ++chunk) {
    std::array<std::byte, 16> head{};
    const std::size_t got = source.read(at, head);
    if (got < 8) break;
    const std::string_view id(reinterpret_cast<const char*>(head.data()), 4);
    std::uint64_t length = number(head.data() + 4, 4, c.big_endian);
    if (id == "ds64") {
      std::array<std::byte, 8> wide{};
      if (source.read(at + 16, wide) == wide.size()) c.wide_length = number(wide.data(), 8, false);
    }
    if (id == c.data_id) {
      if (c.wide_length != 0 && length == 0xFFFFFFFFu)
        length = c.wide_length;
      else if (is_placeholder(length))
        return;
      const std::uint64_t held = size - at - 8;
      if (length > held)
        throw Error(
            ErrorCode::kInput,
            fmt::format("{} is truncated: its header promises {} bytes of samples, the file holds {}", name, length, held),
            "copy or download the file again, or convert it with ffmpeg to keep what is there");
      return;
    }
    at += 8 + length + (length & 1);  // chunks are padded to even lengths
  }
}

}  // namespace areason
