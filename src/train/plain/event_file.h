#pragma once
// TensorBoard's event files: TFRecord frames (length, its masked CRC-32C, data, its masked CRC-32C) around protocol-buffer
// `Event` messages with scalars (tensorflow: core/lib/io/record_writer.cc, core/util/event.proto,
// core/framework/summary.proto). Called by the trainer. Errors: Error(kFailure) naming the file. Thread rule: one thread an
// object.
#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>

namespace areason::train {

std::uint32_t crc32c(std::string_view bytes);

class EventFile {
 public:
  // A new file events.out.tfevents.<seconds>.<process> in `dir`.
  explicit EventFile(const std::string& dir);
  void scalar(const std::string& tag, std::int64_t step, double value);

 private:
  void record(const std::string& event);
  std::string path_;
  std::ofstream out_;
};

}  // namespace areason::train
