#include "train/plain/event_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <chrono>
#include <cstring>

#include "base/error.h"
#include "base/files.h"

namespace areason::train {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

// Little-endian bytes of a number.
template <typename T>
std::string bytes_of(T value) {
  static_assert(std::endian::native == std::endian::little);
  std::string out(sizeof(T), '\0');
  std::memcpy(out.data(), &value, sizeof(T));
  return out;
}

std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7f) | 0x80);
  return out + static_cast<char>(value);
}

// Protocol-buffer fields: number and wire type (0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes).
std::string field(int number, int type) { return varint(static_cast<std::uint64_t>(number << 3 | type)); }
std::string text_field(int number, const std::string& text) { return field(number, 2) + varint(text.size()) + text; }

std::uint32_t masked(std::uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8u; }

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static const std::array<std::uint32_t, 256> table = [] {
    std::array<std::uint32_t, 256> out{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t c = i;
      for (int bit = 0; bit < 8; ++bit) c = (c & 1) ? (c >> 1) ^ 0x82f63b78u : c >> 1;  // Castagnoli, reflected
      out[i] = c;
    }
    return out;
  }();
  std::uint32_t crc = 0xffffffffu;
  for (const char b : bytes) crc = table[(crc ^ static_cast<std::uint8_t>(b)) & 0xff] ^ (crc >> 8);
  return crc ^ 0xffffffffu;
}

EventFile::EventFile(const std::string& dir) {
  make_directories(dir);
  path_ = fmt::format("{}/events.out.tfevents.{}.{}", dir, static_cast<std::int64_t>(now()), ::getpid());
  out_.open(path_, std::ios::binary | std::ios::app);
  record(field(1, 1) + bytes_of(now()) + text_field(3, "brain.Event:2"));  // wall_time, file_version
}

void EventFile::scalar(const std::string& tag, std::int64_t step, double value) {
  const std::string point = text_field(1, tag) + field(2, 5) + bytes_of(static_cast<float>(value));  // tag, simple_value
  record(field(1, 1) + bytes_of(now()) + field(2, 0) + varint(static_cast<std::uint64_t>(step)) +
         text_field(5, text_field(1, point)));
}

void EventFile::record(const std::string& event) {
  const std::string length = bytes_of(static_cast<std::uint64_t>(event.size()));
  out_ << length << bytes_of(masked(crc32c(length))) << event << bytes_of(masked(crc32c(event)));
  if (!out_.flush()) throw Error(ErrorCode::kFailure, "cannot write " + path_, "is the disk full?");
}

}  // namespace areason::train
