#include "model/backend.h"

#include <algorithm>

#include "base/error.h"

namespace areason {
namespace {

void check_item(const ModelConfig& config, const BatchItem& item) {
  const auto limit = static_cast<std::size_t>(config.text.max_positions);
  const auto cached = static_cast<std::size_t>(item.cache->length());
  if (item.ids.size() > limit - std::min(limit, cached))
    throw Error(ErrorCode::kInput,
                "the prompt needs " + std::to_string(cached + item.ids.size()) + " positions, the model's context has " +
                    std::to_string(config.text.max_positions),
                "use fewer or shorter clips, or a shorter text");
  for (const int id : item.ids)
    if (id < 0 || id >= config.text.vocab_size)
      throw Error(
          ErrorCode::kModel,
          "token id " + std::to_string(id) + " is outside the model's vocabulary of " + std::to_string(config.text.vocab_size),
          "the tokenizer files belong to another checkpoint");
  for (const auto& insert : item.audio) {
    const bool fits = insert.audio != nullptr && insert.begin >= 0 && insert.from >= 0 && insert.rows() >= 0 &&
                      insert.from <= insert.audio->tokens - insert.rows() &&
                      static_cast<std::size_t>(insert.begin) + static_cast<std::size_t>(insert.rows()) <= item.ids.size() &&
                      insert.audio->data.size() ==
                          static_cast<std::size_t>(insert.audio->tokens) * static_cast<std::size_t>(config.text.width);
    if (!fits) throw Error(ErrorCode::kFailure, "audio embeddings do not fit the prompt", "this is a bug: please report it");
  }
}

}  // namespace

void check_items(const ModelConfig& config, std::span<const BatchItem> items) {
  for (const BatchItem& item : items) check_item(config, item);
}

void check_mel(const AudioEncoderConfig& config, const LogMel& mel) {
  if (mel.bins != config.mel_bins)
    throw Error(ErrorCode::kModel,
                "the log-mel has " + std::to_string(mel.bins) + " bins, the encoder wants " + std::to_string(config.mel_bins),
                "feature_size in preprocessor_config.json and num_mel_bins in config.json must agree");
  const int most = 2 * config.max_positions;
  if (mel.valid_frames < 0 || mel.valid_frames > most)
    throw Error(ErrorCode::kInput,
                "the audio has " + std::to_string(mel.valid_frames) + " frames, the encoder takes " + std::to_string(most),
                "cut the clip into windows");
  const bool enough = mel.valid_frames == 0 || mel.frames >= std::min(mel.valid_frames + 2, most);
  if (!enough || mel.frames < 0 || mel.data.size() != static_cast<std::size_t>(mel.bins) * static_cast<std::size_t>(mel.frames))
    throw Error(ErrorCode::kFailure, "a log-mel lacks the two frames after its valid ones", "this is a bug: please report it");
}

}  // namespace areason
