#pragma once
// Turns samples into packed micro-batches. Samples on the same audio share one row: [common prefix | rest of sample 1 | rest of
// sample 2 | …]; each rest sees the prefix and itself, its positions go on after the prefix, so that the result equals separate
// samples. Rows follow each other without padding. Called by batches.cpp and tests. Thread rule: free functions.
#include <array>
#include <cstdint>
#include <regex>
#include <span>
#include <string>
#include <vector>

#include "chat/prompt.h"
#include "train/train_model.h"

namespace areason::train {

// What a labelled token belongs to: 0 for tags and <|im_end|>, 1 + Section, or kKeyKind: the words on which an answer turns.
inline constexpr int kKeyKind = 6;
inline constexpr int kLabelKinds = 7;
const char* label_kind_name(int kind);  // "tags", "planning", …
// Weight of a token's loss by its kind. The paper's loss has 1 everywhere.
using KindWeights = std::array<float, kLabelKinds>;
inline constexpr KindWeights kEqualWeights = {1, 1, 1, 1, 1, 1, 1};

struct TokenizedSample {
  std::vector<TokenId> ids;
  std::vector<TokenSpan> audio;
  std::vector<std::uint8_t> labelled;  // per id: 1 when the loss counts its prediction
  std::vector<std::uint8_t> kinds;     // per id
  std::vector<float> scales;           // per id: what its loss counts besides its kind's weight; empty: 1 everywhere
  float scale(std::size_t i) const { return scales.empty() ? 1.0f : scales[i]; }
};

struct TokenizeOptions {
  const std::regex* key_words = nullptr;  // ECMAScript: what its groups match in an assistant's text is of kKeyKind
  std::span<const float> weights;         // per assistant message (rows.h); empty: all 1. 0 leaves the message out of the loss
};
TokenizedSample tokenize_sample(const Tokenizer& tokenizer, const Conversation& conversation, std::span<const int> audio_tokens,
                                const TokenizeOptions& options = {});

enum class Truncation { kDelete, kLeft, kRight };  // of over-long samples: leave out, or drop text at the start or the end
// Brings a sample to at most `length` ids. Audio is never cut: its tokens with their begin and end stay, only text goes. False
// when that is impossible or nothing labelled remains.
bool fit_length(TokenizedSample& sample, int length, Truncation truncation);

// All samples of a row have the same audios in the same order.
struct PackedRow {
  std::vector<TokenizedSample> samples;
  std::vector<std::size_t> sources;  // of each sample, for the caller's use; may be empty
  std::vector<at::Tensor> features;  // per audio [tokens, W], or empty and …
  std::vector<LogMel> mels;          // … per audio its log-mel
  std::int64_t tokens = 0;           // after sharing, without the last token of each sample
  std::int64_t labels = 0;
  int prefix = 0;
};
enum class Sharing { kShared, kSeparate };  // kSeparate: as many rows of one sample (tests, measurements)
// Fills prefix, tokens and labels.
void finish_row(PackedRow& row);
// The row, finished; or one row a sample when its samples do not have all of their audio in the common prefix.
std::vector<PackedRow> finish_or_separate(PackedRow&& row);

MicroBatch pack(std::span<const PackedRow> rows, const KindWeights& weights = kEqualWeights);
struct PackLimits {
  std::int64_t tokens = 4096;  // a micro-batch has at most about so many
  int multiple = 1;            // the number of micro-batches is a multiple of this (when there are rows enough)
  std::uint64_t seed = 0;      // of the dropout masks
  KindWeights weights = kEqualWeights;
};
// Groups consecutive rows into micro-batches of about equal numbers of tokens.
std::vector<MicroBatch> pack_step(std::span<const PackedRow> rows, const PackLimits& limits);

}  // namespace areason::train
