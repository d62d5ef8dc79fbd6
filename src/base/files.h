#pragma once
// Whole-file reading and crash-safe writing. Used by every layer. Thread rule: free functions without state.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace areason {

// Reads a whole file (at most `limit` bytes). Throws Error(kInput) naming the path when it is missing, unreadable or larger.
std::string read_file(const std::string& path, std::uint64_t limit = std::uint64_t{4} << 30);
// Writes `path` so that a reader sees either the old file or the whole new one: temporary file, fsync, rename.
// Throws Error(kFailure) naming the path (disk full, no permission).
void write_file_atomic(const std::string& path, std::string_view bytes);
// The same for content in pieces that need not lie in memory as one.
void write_file_atomic(const std::string& path, std::span<const std::string_view> pieces);
// Creates the directory and its parents. Throws Error(kFailure).
void make_directories(const std::string& path);
// The directory part of a path ("." when there is none).
std::string parent_directory(const std::string& path);

}  // namespace areason
