#pragma once
// The inside of a KvCache (qwen2_audio.h): per layer, keys and values as [position][kv_heads * head_dim], positions in order,
// so that the projections write straight into it. Internal to src/model. Thread rule: as the model's.
#include <vector>

#include "model/qwen2_audio.h"

namespace areason {

struct KvCache::Data {
  struct Layer {
    std::vector<float> k, v;
  };
  int length = 0;
  std::size_t width = 0;  // kv_heads * head_dim
  std::vector<Layer> layers;
};

}  // namespace areason
