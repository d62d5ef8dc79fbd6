#pragma once
// Helpers of this layer's tests: reference directory, a minimal safetensors reader (src/model stands below this layer), byte
// strings of hand-made wav files. Only *_test.cpp files include it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/reference_testing.h"

namespace areason::testing_audio {

struct Tensor {
  std::vector<std::size_t> shape;
  std::vector<float> data;
};

// An F32 tensor of a safetensors file: 8 bytes of length, a JSON header, data.
inline Tensor read_tensor(const std::string& path, const std::string& name) {
  const std::string bytes = read_file(path);
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), 8);
  const Json entry = parse_json(std::string_view(bytes).substr(8, header), path).at(name);
  Tensor out;
  out.shape = entry.at("shape").get<std::vector<std::size_t>>();
  const auto from = entry.at("data_offsets").at(0).get<std::size_t>();
  const auto to = entry.at("data_offsets").at(1).get<std::size_t>();
  out.data.resize((to - from) / 4);
  std::memcpy(out.data.data(), bytes.data() + 8 + header + from, to - from);
  return out;
}

inline void append_le(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

struct WavSpec {
  int format = 1;  // 1 PCM, 3 float
  int bits = 16;
  int channels = 1;
  std::uint32_t rate = 16000;
  std::int64_t claimed = -1;  // length of the data chunk in the header; -1: the truth
};

inline std::string wav_bytes(const WavSpec& spec, const std::string& data) {
  const std::uint64_t claimed = spec.claimed < 0 ? data.size() : static_cast<std::uint64_t>(spec.claimed);
  const int block = spec.channels * spec.bits / 8;
  std::string out = "RIFF";
  append_le(out, 36 + claimed, 4);
  out += "WAVEfmt ";
  append_le(out, 16, 4);
  append_le(out, static_cast<std::uint64_t>(spec.format), 2);
  append_le(out, static_cast<std::uint64_t>(spec.channels), 2);
  append_le(out, spec.rate, 4);
  append_le(out, spec.rate * static_cast<std::uint64_t>(block), 4);
  append_le(out, static_cast<std::uint64_t>(block), 2);
  append_le(out, static_cast<std::uint64_t>(spec.bits), 2);
  out += "data";
  append_le(out, claimed, 4);
  return out + data;
}

inline std::string float_bytes(const std::vector<float>& values) {
  std::string out(values.size() * 4, '\0');
  std::memcpy(out.data(), values.data(), out.size());
  return out;
}

// Runs `call`, which must throw an Error of `code` whose message holds `part`, on one line, with a hint.
template <typename Call>
void expect_error(ErrorCode code, const std::string& part, Call call) {
  try {
    call();
    FAIL() << "no error; expected one about: " << part;
  } catch (const Error& e) {
    const std::string what = e.what();
    EXPECT_EQ(e.code(), code) << what;
    EXPECT_NE(what.find(part), std::string::npos) << what;
    EXPECT_EQ(what.find('\n'), std::string::npos) << what;
    EXPECT_FALSE(e.hint().empty());
  }
}

}  // namespace areason::testing_audio
