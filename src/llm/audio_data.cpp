#include "llm/audio_data.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

#include "audio/decode.h"
#include "base/error.h"
#include "base/hash.h"

namespace areason::llm {
namespace {

void put(std::string& out, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xff);
}

// The 44-byte header of a PCM file: chunks "RIFF", "fmt " (16 bytes), "data" (Microsoft/IBM, Multimedia Programming Interface
// and Data Specifications 1.0, 1991).
std::string wav_header(std::uint32_t data_bytes, std::uint32_t rate) {
  std::string out = "RIFF";
  put(out, 36 + data_bytes, 4);
  out += "WAVEfmt ";
  put(out, 16, 4);
  put(out, 1, 2);  // PCM
  put(out, 1, 2);  // channels
  put(out, rate, 4);
  put(out, rate * 2, 4);  // bytes a second
  put(out, 2, 2);         // bytes a frame
  put(out, 16, 2);        // bits a sample
  out += "data";
  put(out, data_bytes, 4);
  return out;
}

AudioPtr make(std::string bytes, std::string mime_type, double seconds) {
  auto data = std::make_shared<AudioData>();
  data->sha256 = sha256_hex(bytes);
  data->bytes = std::move(bytes);
  data->mime_type = std::move(mime_type);
  data->seconds = seconds;
  return data;
}

}  // namespace

AudioPtr audio_from_waveform(const Waveform& audio) {
  constexpr std::size_t kMost = (std::numeric_limits<std::uint32_t>::max() - 36) / 2;
  if (audio.samples.empty() || audio.samples.size() > kMost || audio.sample_rate <= 0)
    throw Error(ErrorCode::kInput, "a clip of " + std::to_string(audio.samples.size()) + " samples cannot be sent as WAV",
                "clips have at least one sample and at most 4 GiB");
  std::string bytes =
      wav_header(static_cast<std::uint32_t>(audio.samples.size() * 2), static_cast<std::uint32_t>(audio.sample_rate));
  bytes.reserve(bytes.size() + audio.samples.size() * 2);
  for (const float x : audio.samples) {
    const float scaled = std::isfinite(x) ? std::clamp(std::round(x * 32768.0f), -32768.0f, 32767.0f) : 0.0f;
    put(bytes, static_cast<std::uint16_t>(static_cast<std::int16_t>(scaled)), 2);
  }
  return make(std::move(bytes), "audio/wav", audio.seconds());
}

AudioPtr audio_from_file(const std::string& path) { return audio_from_waveform(load_audio_16k(path)); }

AudioPtr audio_from_bytes(std::string bytes, const std::string& mime_type, const std::string& name) {
  const DecodedAudio audio = decode_audio_bytes(std::as_bytes(std::span(bytes)), name);
  const double frames = static_cast<double>(audio.samples.size()) / std::max(1, audio.channels);
  return make(std::move(bytes), mime_type, frames / std::max(1, audio.sample_rate));
}

std::string base64(std::string_view bytes) {
  std::string out;
  // EVP_EncodeBlock counts in int: whole groups of three, well below that.
  constexpr std::size_t kPiece = 3 * (std::size_t{1} << 20);
  out.reserve((bytes.size() + 2) / 3 * 4);
  std::string piece;
  for (std::size_t at = 0; at < bytes.size(); at += kPiece) {
    const std::string_view in = bytes.substr(at, kPiece);
    piece.resize((in.size() + 2) / 3 * 4 + 1);  // and a terminating zero
    const int n = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(piece.data()),
                                  reinterpret_cast<const unsigned char*>(in.data()), static_cast<int>(in.size()));
    out.append(piece.data(), static_cast<std::size_t>(n));
  }
  return out;
}

}  // namespace areason::llm
