#pragma once
// SHA-256 as lower-case hexadecimal: provenance of recordings, frozen test files, checkpoints. OpenSSL does the work.
#include <string>
#include <string_view>

namespace areason {

std::string sha256_hex(std::string_view bytes);
// Hashes a file in pieces. Throws Error(kInput) naming the path.
std::string sha256_file(const std::string& path);

}  // namespace areason
