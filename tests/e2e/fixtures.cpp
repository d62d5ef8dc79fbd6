#include "e2e/fixtures.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

#include "base/files.h"
#include "base/json.h"

namespace areason::e2e {
namespace {

namespace fs = std::filesystem;

void append_le(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

std::string wav_header(int format, int bits, std::uint64_t claimed) {
  std::string out = "RIFF";
  append_le(out, 36 + claimed, 4);
  out += "WAVEfmt ";
  append_le(out, 16, 4);
  append_le(out, static_cast<std::uint64_t>(format), 2);
  append_le(out, 1, 2);
  append_le(out, 16000, 4);
  append_le(out, 16000u * static_cast<unsigned>(bits) / 8, 4);
  append_le(out, static_cast<std::uint64_t>(bits) / 8, 2);
  append_le(out, static_cast<std::uint64_t>(bits), 2);
  out += "data";
  append_le(out, claimed, 4);
  return out;
}

}  // namespace

std::string wav_tone(double seconds, std::int64_t claimed) {
  std::string data;
  for (int i = 0; i < static_cast<int>(seconds * 16000); ++i)
    append_le(data, static_cast<std::uint64_t>(std::lround(8000 * std::sin(2 * 3.14159265 * 440 * i / 16000))), 2);
  return wav_header(1, 16, claimed < 0 ? data.size() : static_cast<std::uint64_t>(claimed)) + data;
}

std::string wav_float(int good, float last) {
  std::vector<float> values(static_cast<std::size_t>(good), 0.1f);
  values.push_back(last);
  std::string data(values.size() * 4, '\0');
  std::memcpy(data.data(), values.data(), data.size());
  return wav_header(3, 32, data.size()) + data;
}

std::string small_checkpoint() {
  const char* named = std::getenv("AREASON_REFERENCE");
  for (const std::string& dir : {std::string(named != nullptr ? named : "../shared/reference") + "/tiny/model",
                                 std::string("tests/golden/tiny/model"), std::string("models/nano")})
    if (fs::exists(dir + "/config.json")) return fs::absolute(dir).string();
  std::fprintf(stderr,
               "\n*** NO SMALL CHECKPOINT (AREASON_REFERENCE, tests/golden, models/nano): this test proves nothing here ***\n");
  return "";
}

Checkpoint::Checkpoint() {
  for (const auto& entry : fs::directory_iterator(small_checkpoint()))
    if (entry.is_regular_file()) fs::create_symlink(entry.path(), dir_.file(entry.path().filename().string()));
}

void Checkpoint::remove(const std::string& name) const {
  if (!fs::remove(file(name))) ADD_FAILURE() << "the checkpoint has no " << name;
}

void Checkpoint::tear(const std::string& name) const {
  const std::string bytes = read_file(file(name));
  write(name, std::string_view(bytes).substr(0, bytes.size() / 2));
}

// write_file_atomic renames over the link, so the original stays as it is.
void Checkpoint::write(const std::string& name, std::string_view bytes) const { write_file_atomic(file(name), bytes); }

Json Checkpoint::json(const std::string& name) const { return read_json_file(file(name)); }

std::string Checkpoint::weights() const {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(path()))
    if (entry.path().extension() == ".safetensors") names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names.empty() ? "no.safetensors" : names.front();
}

Json Checkpoint::read_header(const std::string& name) const {
  const std::string bytes = read_file(file(name));
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  return parse_json(std::string_view(bytes).substr(8, length), name);
}

void Checkpoint::write_header(const std::string& name, const Json& header) const {
  const std::string old = read_file(file(name));
  std::uint64_t length = 0;
  std::memcpy(&length, old.data(), 8);
  const std::string text = header.dump();
  std::string bytes;
  append_le(bytes, text.size(), 8);
  write(name, bytes + text + old.substr(8 + length));
}

}  // namespace areason::e2e
