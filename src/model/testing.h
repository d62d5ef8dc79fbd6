#pragma once
// Helpers of this layer's tests: directories of reference values (made with transformers; layout: ../shared/reference/README.md
// and tools/make_reference.py), their cases, comparisons. Only *_test.cpp files include it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "audio/log_mel.h"
#include "base/json.h"
#include "model/qwen2_audio.h"
#include "model/safetensors.h"

namespace areason::testing_model {

// "reference": the directory tiny of AREASON_REFERENCE (default ../shared/reference); "golden": the repository's own.
// Empty, with a loud message, when there is none.
inline std::string cases_dir(const std::string& which) {
  const char* named = std::getenv("AREASON_REFERENCE");
  const std::string root = which == "golden" ? "tests/golden" : named != nullptr ? named : "../shared/reference";
  if (std::filesystem::exists(root + "/tiny/cases/cases.json")) return root + "/tiny";
  std::fprintf(stderr, "\n*** NO REFERENCE VALUES at %s (AREASON_REFERENCE names them): this test proves nothing here ***\n",
               root.c_str());
  return "";
}

inline Json read_cases(const std::string& dir) { return read_json_file(dir + "/cases/cases.json"); }

inline std::vector<std::int64_t> read_i64(const TensorView& view) {
  std::vector<std::int64_t> out(static_cast<std::size_t>(view.elements()));
  std::memcpy(out.data(), view.data.data(), view.data.size());
  return out;
}

inline std::vector<int> read_ids(const TensorView& view) {
  const auto wide = read_i64(view);
  return {wide.begin(), wide.end()};
}

// The log-mel of a clip's file, cut to the frames that the model is given.
inline LogMel clip_mel(const TensorStore& clip, int valid_frames, int window) {
  const TensorView& view = clip.at("log_mel");
  const std::vector<float> all = view.to_f32();
  const auto stored = static_cast<std::size_t>(view.shape[1]);
  LogMel mel;
  mel.bins = static_cast<int>(view.shape[0]);
  mel.valid_frames = valid_frames;
  mel.frames = std::min(valid_frames + 2, window);
  for (std::size_t b = 0; b < static_cast<std::size_t>(mel.bins); ++b)
    mel.data.insert(mel.data.end(), all.begin() + static_cast<std::ptrdiff_t>(b * stored),
                    all.begin() + static_cast<std::ptrdiff_t>(b * stored) + mel.frames);
  return mel;
}

inline float largest(const std::vector<float>& values) {
  float most = 0.0f;
  for (const float v : values) most = std::max(most, std::fabs(v));
  return most;
}

// Largest difference divided by the largest wanted magnitude; infinite when the sizes differ or a value is not finite.
inline float relative_error(const std::vector<float>& got, const std::vector<float>& want) {
  if (got.size() != want.size()) return INFINITY;
  float worst = 0.0f;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (!std::isfinite(got[i])) return INFINITY;
    worst = std::max(worst, std::fabs(got[i] - want[i]));
  }
  return worst / std::max(largest(want), 1e-30f);
}

// A conversation's audio clips in order, by file name.
inline std::vector<std::string> clip_names(const Json& messages) {
  std::vector<std::string> names;
  for (const auto& message : messages) {
    if (!message.at("content").is_array()) continue;
    for (const auto& part : message.at("content"))
      if (part.at("type") == "audio") names.push_back(part.at("audio_url").get<std::string>());
  }
  return names;
}

// Logits of all positions of a made-up prompt with made-up audio in it, for models compared with each other.
inline std::vector<float> logits_of(const std::string& name) {
  Qwen2Audio model = Qwen2Audio::load(name, 1);
  LogMel mel{model.config().audio.mel_bins, 38, 40, {}};
  for (int i = 0; i < mel.bins * mel.frames; ++i) mel.data.push_back(static_cast<float>(i % 37) / 20.0f - 0.8f);
  const AudioEmbeddings audio = model.encode_audio(mel);
  const std::vector<int> ids(static_cast<std::size_t>(audio.tokens) + 4, 5);
  const AudioInsert insert{2, &audio};
  KvCache cache;
  return model.forward(ids, {&insert, 1}, cache, Logits::kAll);
}

}  // namespace areason::testing_model
