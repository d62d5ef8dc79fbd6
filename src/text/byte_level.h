#pragma once
// The byte-level alphabet of GPT-2's BPE: every byte has a printable character, so that vocabularies are JSON text. Printable
// Latin-1 characters stand for themselves, the other 68 bytes take U+0100 and up (openai/gpt-2 encoder.py,
// bytes_to_unicode). Called by the loader and the BPE trainer. Thread rule: free functions on constant tables.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace areason {

// The bytes in the order in which GPT-2's vocabulary lists them (ids 0 to 255 of every such vocabulary).
const std::array<std::uint8_t, 256>& byte_level_order();
// Appends the raw bytes of a vocabulary string ("Ġthe" -> " the"). False, and nothing appended, when a character is not in
// the alphabet.
bool append_raw_bytes(std::string_view token, std::string& out);
// The vocabulary string of raw bytes.
std::string to_byte_level(std::string_view raw);

}  // namespace areason
