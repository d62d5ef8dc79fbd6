#include "audio/write.h"

#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "base/files.h"

namespace areason {
namespace {

// libsndfile writes into this; the bytes then go to disk in one atomic step.
struct MemoryFile {
  std::string bytes;
  std::size_t position = 0;
};

sf_count_t io_length(void* user) { return static_cast<sf_count_t>(static_cast<MemoryFile*>(user)->bytes.size()); }
sf_count_t io_tell(void* user) { return static_cast<sf_count_t>(static_cast<MemoryFile*>(user)->position); }

sf_count_t io_seek(sf_count_t offset, int whence, void* user) {
  auto& file = *static_cast<MemoryFile*>(user);
  if (whence == SEEK_CUR) offset += static_cast<sf_count_t>(file.position);
  if (whence == SEEK_END) offset += static_cast<sf_count_t>(file.bytes.size());
  if (offset < 0) return -1;
  file.position = static_cast<std::size_t>(offset);
  return offset;
}

sf_count_t io_read(void* out, sf_count_t count, void* user) {
  auto& file = *static_cast<MemoryFile*>(user);
  if (count <= 0 || file.position >= file.bytes.size()) return 0;
  const std::size_t n = std::min(static_cast<std::size_t>(count), file.bytes.size() - file.position);
  std::memcpy(out, file.bytes.data() + file.position, n);
  file.position += n;
  return static_cast<sf_count_t>(n);
}

sf_count_t io_write(const void* in, sf_count_t count, void* user) {
  auto& file = *static_cast<MemoryFile*>(user);
  const auto n = static_cast<std::size_t>(std::max<sf_count_t>(count, 0));
  if (file.position + n > file.bytes.size()) file.bytes.resize(file.position + n);
  std::memcpy(file.bytes.data() + file.position, in, n);
  file.position += n;
  return static_cast<sf_count_t>(n);
}

// The inverse of reading (value / 32768), so that written samples read back as the nearest step.
std::vector<std::int16_t> to_pcm16(const Waveform& audio, const std::string& path) {
  std::vector<std::int16_t> pcm(audio.samples.size());
  for (std::size_t i = 0; i < pcm.size(); ++i) {
    const float x = audio.samples[i];
    if (!std::isfinite(x))
      throw Error(ErrorCode::kFailure, "cannot write " + path + ": sample " + std::to_string(i) + " is not a number",
                  "this is a bug in what made the sound");
    pcm[i] = static_cast<std::int16_t>(std::clamp(std::lrint(x * 32768.0f), -32768L, 32767L));
  }
  return pcm;
}

void write_pcm16(const std::string& path, const Waveform& audio, int type) {
  const std::vector<std::int16_t> pcm = to_pcm16(audio, path);
  MemoryFile memory;
  SF_VIRTUAL_IO io{io_length, io_seek, io_read, io_write, io_tell};
  SF_INFO info{};
  info.samplerate = audio.sample_rate;
  info.channels = 1;
  info.format = type | SF_FORMAT_PCM_16;
  SNDFILE* file = sf_open_virtual(&io, SFM_WRITE, &info, &memory);
  if (file == nullptr)
    throw Error(ErrorCode::kFailure, "cannot write " + path + ": " + sf_strerror(nullptr),
                "check the sample rate of the sound");
  const auto count = static_cast<sf_count_t>(pcm.size());
  const bool complete = sf_writef_short(file, pcm.data(), count) == count;
  const std::string why = sf_strerror(file);
  if (sf_close(file) != 0 || !complete)
    throw Error(ErrorCode::kFailure, "cannot write " + path + ": " + why, "check the sample rate of the sound");
  write_file_atomic(path, memory.bytes);
}

}  // namespace

void write_wav(const std::string& path, const Waveform& audio) { write_pcm16(path, audio, SF_FORMAT_WAV); }
void write_flac(const std::string& path, const Waveform& audio) { write_pcm16(path, audio, SF_FORMAT_FLAC); }

}  // namespace areason
