#pragma once
// Reads Qt's binary resource archives (.rcc): GCompris keeps its sounds in them. Called by packages.cpp.
// Format: header "qres", big-endian u32 version, offsets of tree, data and names (and u32 flags from version 3); tree nodes of
// 14 bytes (22 from version 2) (facts/data_side.md 6.1). Errors: Error(kInput) on anything that points outside the file.
// Thread rule: free functions without state.
#include <functional>
#include <string>
#include <vector>

namespace areason {

struct QtResourceEntry {
  std::string path;   // "/gcompris/src/…/dog.ogg"
  std::string bytes;  // uncompressed entries only
};

// The entries whose path ends in one of `suffixes`. Compressed entries are skipped.
std::vector<QtResourceEntry> read_qt_resource(const std::string& path, const std::vector<std::string>& suffixes);

}  // namespace areason
