// libsndfile behind FrameSink. Its float reading is what soundfile and librosa do (integers are divided by 2^(bits-1)).
#include <fmt/format.h>
#include <sndfile.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "audio/stream.h"
#include "base/error.h"

namespace areason {
namespace {

struct Cursor {
  const ByteSource* source;
  std::uint64_t position = 0;
};

sf_count_t source_length(void* user) { return static_cast<sf_count_t>(static_cast<Cursor*>(user)->source->size()); }

sf_count_t source_seek(sf_count_t offset, int whence, void* user) {
  auto& cursor = *static_cast<Cursor*>(user);
  sf_count_t base = 0;
  if (whence == SEEK_CUR) base = static_cast<sf_count_t>(cursor.position);
  if (whence == SEEK_END) base = source_length(user);
  sf_count_t target = 0;
  if (__builtin_add_overflow(base, offset, &target) || target < 0) return -1;
  cursor.position = static_cast<std::uint64_t>(target);
  return target;
}

sf_count_t source_read(void* out, sf_count_t count, void* user) {
  auto& cursor = *static_cast<Cursor*>(user);
  if (count <= 0) return 0;
  const std::size_t n = cursor.source->read(cursor.position, {static_cast<std::byte*>(out), static_cast<std::size_t>(count)});
  cursor.position += n;
  return static_cast<sf_count_t>(n);
}

sf_count_t source_write(const void*, sf_count_t, void*) { return 0; }
sf_count_t source_tell(void* user) { return static_cast<sf_count_t>(static_cast<Cursor*>(user)->position); }

struct Closer {
  void operator()(SNDFILE* f) const { sf_close(f); }
};

// FLAC states its length and always knows it when it does; mp3 and ogg estimate.
void check_complete(const SF_INFO& info, const FrameSink& sink) {
  const bool exact = (info.format & SF_FORMAT_TYPEMASK) == SF_FORMAT_FLAC && info.frames < SF_COUNT_MAX;
  if (!exact || sink.total_frames() >= static_cast<std::uint64_t>(info.frames)) return;
  throw Error(ErrorCode::kInput,
              fmt::format("{} is truncated: its header promises {} frames, {} could be decoded", sink.name(), info.frames,
                          sink.total_frames()),
              "copy or download the file again, or convert it with ffmpeg to keep what is there");
}

}  // namespace

std::string read_with_sndfile(const ByteSource& source, FrameSink& sink) {
  Cursor cursor{&source};
  SF_VIRTUAL_IO io{source_length, source_seek, source_read, source_write, source_tell};
  SF_INFO info{};
  const std::unique_ptr<SNDFILE, Closer> file(sf_open_virtual(&io, SFM_READ, &info, &cursor));
  if (!file) return sf_strerror(nullptr);
  check_container_length(source, sink.name());
  sink.start({info.channels, info.samplerate});
  // Refused before it is decoded; a header that claims less than there is, is caught by the sink.
  if (info.frames<SF_COUNT_MAX&& static_cast<double>(info.frames)> sink.max_seconds() * info.samplerate) sink.fail_too_long();
  const sf_count_t chunk = std::max(1, 65536 / info.channels);
  std::vector<float> buffer(static_cast<std::size_t>(chunk) * static_cast<std::size_t>(info.channels));
  for (;;) {
    const sf_count_t n = sf_readf_float(file.get(), buffer.data(), chunk);
    if (n <= 0) break;
    sink.frames({buffer.data(), static_cast<std::size_t>(n) * static_cast<std::size_t>(info.channels)});
  }
  check_complete(info, sink);
  return {};
}

}  // namespace areason
