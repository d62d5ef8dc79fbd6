#pragma once
// A small model and rows for the trainer's tests: three parts, grouped-query attention, tied embeddings, clips of five audio
// tokens. Called by *_test.cpp only. Thread rule: free functions.
#include <algorithm>
#include <vector>

#include "base/random.h"
#include "train/batch_workers.h"
#include "train/packing.h"

namespace areason::train {

// Grouped-query and tied, which the reference checkpoint is not.
inline ModelConfig small_config() {
  ModelConfig c;
  c.audio = {8, 1, 2, 32, 16, 1500, false};
  c.text.vocab_size = 60;
  c.text.width = 32;
  c.text.ffn = 48;
  c.text.layers = 2;
  c.text.heads = 4;
  c.text.kv_heads = 2;
  c.text.max_positions = 256;
  c.text.tied_embeddings = true;
  c.audio_token = 59;
  return c;
}

inline constexpr int kAudioTokens = 5;

// [7 tokens][5 audio][question: 3][answer] with the same start for every sample of a clip.
inline TokenizedSample make_sample(Random& random, int answer) {
  TokenizedSample s;
  for (int i = 0; i < 7; ++i) s.ids.push_back(i);
  s.audio.push_back({7, kAudioTokens});
  for (int i = 0; i < kAudioTokens; ++i) s.ids.push_back(59);
  for (int i = 0; i < 3 + answer; ++i) s.ids.push_back(random.between(10, 50));
  s.labelled.assign(s.ids.size(), 0);
  s.kinds.assign(s.ids.size(), 5);
  std::fill(s.labelled.end() - answer, s.labelled.end(), 1);
  return s;
}

inline std::vector<PackedRow> make_rows(int clips, int samples, Sharing sharing) {
  Random random(5);
  std::vector<PackedRow> rows;
  for (int c = 0; c < clips; ++c) {
    at::Tensor features = at::empty({kAudioTokens, 16}, at::TensorOptions().dtype(at::kFloat));
    for (int i = 0; i < kAudioTokens * 16; ++i) features.data_ptr<float>()[i] = static_cast<float>(random.normal());
    PackedRow shared;
    for (int s = 0; s < samples; ++s) {
      PackedRow& row = sharing == Sharing::kShared ? shared : rows.emplace_back();
      row.samples.push_back(make_sample(random, random.between(2, 9)));
      row.features = {features};
    }
    if (sharing == Sharing::kShared) rows.push_back(shared);
  }
  for (PackedRow& row : rows) finish_row(row);
  return rows;
}

// Log-mels in place of the features: the tower takes part.
inline void give_mels(std::vector<PackedRow>& rows) {
  Random random(6);
  for (PackedRow& row : rows) {
    row.features.clear();
    LogMel mel;
    mel.bins = 8;
    mel.frames = mel.valid_frames = 4 * kAudioTokens;
    mel.data.resize(static_cast<std::size_t>(mel.bins * mel.frames));
    for (float& v : mel.data) v = static_cast<float>(random.normal());
    row.mels = {mel};
  }
}

}  // namespace areason::train
