#include "text/byte_level.h"

namespace areason {
namespace {

constexpr int kAlphabetEnd = 0x100 + 68;  // one past the largest code point of the alphabet

struct Alphabet {
  std::array<std::uint8_t, 256> order{};
  std::array<std::int16_t, kAlphabetEnd> byte_of{};  // -1: not in the alphabet
  std::array<std::uint16_t, 256> char_of{};
};

constexpr bool stands_for_itself(int byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
}

constexpr Alphabet make_alphabet() {
  Alphabet a;
  for (auto& entry : a.byte_of) entry = -1;
  int position = 0;
  int next = 0x100;
  for (int b = 0; b < 256; ++b) {
    if (!stands_for_itself(b)) continue;
    a.order[position++] = static_cast<std::uint8_t>(b);
    a.char_of[b] = static_cast<std::uint16_t>(b);
    a.byte_of[b] = static_cast<std::int16_t>(b);
  }
  for (int b = 0; b < 256; ++b) {
    if (stands_for_itself(b)) continue;
    a.order[position++] = static_cast<std::uint8_t>(b);
    a.char_of[b] = static_cast<std::uint16_t>(next);
    a.byte_of[next++] = static_cast<std::int16_t>(b);
  }
  return a;
}

constexpr Alphabet kAlphabet = make_alphabet();

}  // namespace

const std::array<std::uint8_t, 256>& byte_level_order() { return kAlphabet.order; }

bool append_raw_bytes(std::string_view token, std::string& out) {
  const std::size_t before = out.size();
  for (std::size_t i = 0; i < token.size(); ++i) {
    int code = static_cast<std::uint8_t>(token[i]);
    // Two-byte characters reach U+07FF; nothing of the alphabet needs more.
    if (code >= 0x80) {
      const bool pair = (code & 0xE0) == 0xC0 && i + 1 < token.size() && (token[i + 1] & 0xC0) == 0x80;
      code = pair ? ((code & 0x1F) << 6) | (token[i + 1] & 0x3F) : kAlphabetEnd;
      ++i;
    }
    if (code >= kAlphabetEnd || kAlphabet.byte_of[code] < 0) {
      out.resize(before);
      return false;
    }
    out.push_back(static_cast<char>(kAlphabet.byte_of[code]));
  }
  return true;
}

std::string to_byte_level(std::string_view raw) {
  std::string out;
  for (const char c : raw) {
    const int code = kAlphabet.char_of[static_cast<std::uint8_t>(c)];
    if (code < 0x80) {
      out.push_back(static_cast<char>(code));
    } else {
      out.push_back(static_cast<char>(0xC0 | (code >> 6)));
      out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
    }
  }
  return out;
}

}  // namespace areason
