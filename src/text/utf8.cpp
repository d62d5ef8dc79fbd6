#include "text/utf8.h"

#include <cstdint>
#include <cstring>

namespace areason {
namespace {

struct Step {
  std::size_t length = 1;  // bytes of the character or of the maximal invalid subpart
  bool valid = false;
  bool unfinished = false;  // invalid only because the text ends here
};

// One character or maximal invalid subpart at text[i]. The bounds of the second byte exclude overlong forms, surrogates and
// code points above U+10FFFF (Unicode 15, table 3-7).
Step step_at(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t k) { return static_cast<std::uint8_t>(text[k]); };
  const std::uint8_t lead = byte(i);
  if (lead < 0x80) return {1, true, false};
  std::size_t need = 0;
  std::uint8_t low = 0x80, high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    need = 1;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    need = 2;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    need = 3;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  } else {
    return {1, false, false};
  }
  for (std::size_t k = 1; k <= need; ++k) {
    if (i + k >= text.size()) return {k, false, true};
    if (byte(i + k) < low || byte(i + k) > high) return {k, false, false};
    low = 0x80;
    high = 0xBF;
  }
  return {need + 1, true, false};
}

}  // namespace

bool is_ascii(std::string_view text) {
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + i, 8);
    if (word & 0x8080808080808080ULL) return false;
  }
  for (; i < text.size(); ++i)
    if (static_cast<std::uint8_t>(text[i]) >= 0x80) return false;
  return true;
}

bool is_valid_utf8(std::string_view text) {
  if (is_ascii(text)) return true;
  for (std::size_t i = 0; i < text.size();) {
    const Step step = step_at(text, i);
    if (!step.valid) return false;
    i += step.length;
  }
  return true;
}

std::string repair_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const Step step = step_at(text, i);
    if (step.valid)
      out.append(text.substr(i, step.length));
    else
      out.append("\xEF\xBF\xBD");
    i += step.length;
  }
  return out;
}

std::size_t complete_utf8_prefix(std::string_view text) {
  // Only the last three bytes can belong to an unfinished character.
  const std::size_t from = text.size() > 3 ? text.size() - 3 : 0;
  for (std::size_t i = from; i < text.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    if (byte < 0xC2) continue;
    const Step step = step_at(text, i);
    if (step.unfinished && i + step.length == text.size()) return i;
  }
  return text.size();
}

}  // namespace areason
