#pragma once
// Integrated loudness of one channel in LUFS, as ITU-R BS.1770-4 defines it (annex 1): the two K-weighting filters, blocks of
// 400 ms that overlap by 75 %, an absolute gate at -70 LUFS and a relative one 10 LU under the mean of what passes it. Used by
// the scenes whose levels are part of the truth (complex_audio, multi_speaker) and by cota's tests.
// Any sampling rate. A clip shorter than one block is one block as long as itself. Thread rule: free functions.
#include <span>

namespace areason {

inline constexpr double kSilenceLufs = -120;  // what is returned when no block passes the absolute gate

double integrated_loudness(std::span<const float> samples, int sample_rate);

}  // namespace areason
