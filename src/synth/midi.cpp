#include "synth/midi.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace areason {
namespace {

constexpr int kTicks = 480;  // a quarter note

void append_number(std::string& out, std::uint32_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
}

// Seven bits a byte, the highest bit set on all but the last.
void append_variable(std::string& out, std::uint32_t value) {
  std::string bytes(1, static_cast<char>(value & 0x7f));
  while (value >>= 7) bytes.insert(bytes.begin(), static_cast<char>((value & 0x7f) | 0x80));
  out += bytes;
}

struct Message {
  std::uint32_t tick;
  int order;  // note off before note on at one tick
  std::string bytes;
};

std::string short_message(int status, int channel, int a, int b) {
  return {static_cast<char>(status | channel), static_cast<char>(a), static_cast<char>(b)};
}

}  // namespace

std::string write_midi(const MidiPiece& piece) {
  std::vector<Message> messages;
  for (const MidiNote& note : piece.notes) {
    const auto from = static_cast<std::uint32_t>(std::lround(note.start * kTicks));
    const auto to = static_cast<std::uint32_t>(std::lround((note.start + note.length) * kTicks));
    messages.push_back({from, 1, short_message(0x90, note.channel, note.key, std::clamp(note.velocity, 1, 127))});
    messages.push_back({std::max(to, from + 1), 0, short_message(0x80, note.channel, note.key, 0)});
  }
  std::stable_sort(messages.begin(), messages.end(),
                   [](const Message& a, const Message& b) { return a.tick != b.tick ? a.tick < b.tick : a.order < b.order; });
  std::string track;
  track += std::string("\x00\xff\x51\x03", 4);
  append_number(track, static_cast<std::uint32_t>(std::lround(60e6 / piece.quarters_per_minute)), 3);
  track += std::string("\x00\xff\x58\x04", 4);
  track += static_cast<char>(piece.meter_numerator);
  track += static_cast<char>(piece.meter_denominator == 8 ? 3 : 2);
  track += std::string("\x18\x08", 2);
  for (const MidiProgram& p : piece.programs) {
    track += '\0';
    track += static_cast<char>(0xc0 | p.channel);
    track += static_cast<char>(p.program);
  }
  std::uint32_t now = 0;
  for (const Message& message : messages) {
    append_variable(track, message.tick - now);
    now = message.tick;
    track += message.bytes;
  }
  track += std::string("\x00\xff\x2f\x00", 4);
  std::string file = "MThd";
  append_number(file, 6, 4);
  append_number(file, 0, 2);
  append_number(file, 1, 2);
  append_number(file, kTicks, 2);
  file += "MTrk";
  append_number(file, static_cast<std::uint32_t>(track.size()), 4);
  return file + track;
}

}  // namespace areason
