#include "train/packing.h"

#include <algorithm>

#include "cot/sections.h"

namespace areason::train {
namespace {

at::Tensor to_tensor(const std::vector<std::int64_t>& values) {
  at::Tensor out = at::empty({static_cast<std::int64_t>(values.size())}, at::TensorOptions().dtype(at::kLong));
  std::copy(values.begin(), values.end(), out.data_ptr<std::int64_t>());
  return out;
}

// Kind of each byte of an assistant text.
std::vector<std::uint8_t> byte_kinds(const std::string& text, const std::regex* key_words) {
  std::vector<std::uint8_t> kinds(text.size(), 0);
  for (const Section section : kSections) {
    const std::string tag(section_tag(section));
    const std::size_t open = text.find("<" + tag + ">");
    const std::size_t close = text.find("</" + tag + ">");
    if (open == std::string::npos || close == std::string::npos) continue;
    for (std::size_t i = open + tag.size() + 2; i < close; ++i)
      kinds[i] = static_cast<std::uint8_t>(1 + static_cast<int>(section));
  }
  if (text.find('<') == std::string::npos) std::fill(kinds.begin(), kinds.end(), 1 + static_cast<int>(Section::kResponse));
  if (key_words == nullptr) return kinds;
  for (std::sregex_iterator it(text.begin(), text.end(), *key_words), end; it != end; ++it) {
    for (std::size_t g = 1; g < it->size(); ++g) {
      if (!(*it)[g].matched) continue;
      std::fill_n(kinds.begin() + it->position(g), it->length(g), static_cast<std::uint8_t>(kKeyKind));
    }
  }
  return kinds;
}

void mark_span(const Tokenizer& tokenizer, const TokenSpan& span, const std::regex* key_words, TokenizedSample& out) {
  std::string text;
  std::vector<std::size_t> starts;
  for (int i = span.begin; i < span.begin + span.count; ++i) {
    const TokenId id = out.ids[static_cast<std::size_t>(i)];
    starts.push_back(text.size());
    if (!tokenizer.is_special(id)) text += tokenizer.bytes(id);
  }
  const auto kinds = byte_kinds(text, key_words);
  for (int i = 0; i < span.count; ++i) {
    const auto at = static_cast<std::size_t>(span.begin + i);
    out.labelled[at] = 1;
    const std::size_t start = starts[static_cast<std::size_t>(i)];
    // A token begins with its space, a word does not.
    const std::size_t letter = start + (start < text.size() && text[start] == ' ' ? 1 : 0);
    out.kinds[at] = letter < kinds.size() ? kinds[letter] : 0;
  }
}

// Collects the vectors of a micro-batch.
struct Builder {
  std::vector<std::int64_t> ids, positions, audio_positions, label_positions, labels, label_samples;
  std::vector<std::uint8_t> kinds;
  std::vector<float> scales;
  std::vector<AttentionBlock> blocks;

  // Appends tokens [from, to) of a sample; what they predict is labelled.
  void add_run(const TokenizedSample& sample, int from, int to, std::int64_t sample_index) {
    for (int i = from; i < to; ++i) {
      const auto next = static_cast<std::size_t>(i) + 1;
      if (next < sample.ids.size() && sample.labelled[next] && sample_index >= 0) {
        label_positions.push_back(static_cast<std::int64_t>(ids.size()));
        labels.push_back(sample.ids[next]);
        kinds.push_back(sample.kinds[next]);
        scales.push_back(sample.scale(next));
        label_samples.push_back(sample_index);
      }
      ids.push_back(sample.ids[static_cast<std::size_t>(i)]);
      positions.push_back(i);
    }
  }
};

int run_end(const TokenizedSample& sample) { return static_cast<int>(sample.ids.size()) - 1; }  // the last id predicts nothing

void add_row(const PackedRow& row, std::int64_t first_sample, Builder& b) {
  const auto begin = static_cast<std::int64_t>(b.ids.size());
  const bool shared = row.samples.size() > 1;
  // The position before the first label is never shared, so that the prefix predicts nothing.
  if (shared) {
    b.add_run(row.samples[0], 0, row.prefix, -1);
    b.blocks.push_back({begin, row.prefix, 0, 0, true});
  }
  for (std::size_t i = 0; i < row.samples.size(); ++i) {
    const auto at = static_cast<std::int64_t>(b.ids.size());
    b.add_run(row.samples[i], row.prefix, run_end(row.samples[i]), first_sample + static_cast<std::int64_t>(i));
    b.blocks.push_back({at, static_cast<std::int64_t>(b.ids.size()) - at, begin, row.prefix, true});
  }
  for (const TokenSpan& span : row.samples[0].audio) {
    for (int i = 0; i < span.count; ++i) b.audio_positions.push_back(begin + span.begin + i);
  }
}

// Nothing after the last label is worth computing.
void end_after_last_label(TokenizedSample& sample) {
  const auto last = std::find(sample.labelled.rbegin(), sample.labelled.rend(), 1);
  auto used = static_cast<std::size_t>(sample.labelled.rend() - last);
  for (const TokenSpan& span : sample.audio) used = std::max(used, static_cast<std::size_t>(span.begin + span.count + 1));
  sample.ids.resize(used);
  sample.labelled.resize(used);
  sample.kinds.resize(used);
  if (!sample.scales.empty()) sample.scales.resize(used);
}

template <typename T>
void keep_marked_in(std::vector<T>& values, const std::vector<std::uint8_t>& kept) {
  if (values.empty()) return;
  std::size_t n = 0;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (kept[i]) values[n++] = values[i];
  }
  values.resize(n);
}

void keep_marked(TokenizedSample& sample, const std::vector<std::uint8_t>& kept) {
  for (TokenSpan& span : sample.audio) {
    span.begin = static_cast<int>(std::count(kept.begin(), kept.begin() + span.begin, 1));
  }
  keep_marked_in(sample.ids, kept);
  keep_marked_in(sample.labelled, kept);
  keep_marked_in(sample.kinds, kept);
  keep_marked_in(sample.scales, kept);
}

}  // namespace

const char* label_kind_name(int kind) {
  static const char* const kNames[kLabelKinds] = {"tags", "planning", "caption", "reasoning", "summary", "response", "key"};
  return kNames[kind];
}

TokenizedSample tokenize_sample(const Tokenizer& tokenizer, const Conversation& conversation, std::span<const int> audio_tokens,
                                const TokenizeOptions& options) {
  PromptOptions prompt_options;
  prompt_options.end = PromptEnd::kConversation;
  const Prompt prompt = build_prompt(tokenizer, conversation, audio_tokens, prompt_options);
  TokenizedSample out;
  out.ids = prompt.ids;
  out.audio = prompt.audio;
  out.labelled.assign(out.ids.size(), 0);
  out.kinds.assign(out.ids.size(), 0);
  for (std::size_t m = 0; m < prompt.assistant.size(); ++m) {
    const TokenSpan& span = prompt.assistant[m];
    const float weight = m < options.weights.size() ? options.weights[m] : 1.0f;
    if (weight == 0) continue;
    mark_span(tokenizer, span, options.key_words, out);
    if (weight == 1) continue;
    out.scales.resize(out.ids.size(), 1.0f);
    std::fill_n(out.scales.begin() + span.begin, span.count, weight);
  }
  end_after_last_label(out);
  return out;
}

bool fit_length(TokenizedSample& sample, int length, Truncation truncation) {
  const auto size = static_cast<int>(sample.ids.size());
  if (size <= length) return true;
  if (truncation == Truncation::kDelete) return false;
  std::vector<std::uint8_t> kept(sample.ids.size(), 0);
  int room = length;
  for (const TokenSpan& span : sample.audio) {  // with <|audio_bos|> and <|audio_eos|>
    std::fill_n(kept.begin() + span.begin - 1, span.count + 2, 1);
    room -= span.count + 2;
  }
  if (room <= 0) return false;
  for (int i = 0; i < size && room > 0; ++i) {
    auto& keep = kept[static_cast<std::size_t>(truncation == Truncation::kRight ? i : size - 1 - i)];
    room -= keep ? 0 : 1;
    keep = 1;
  }
  keep_marked(sample, kept);
  end_after_last_label(sample);
  // The first id is predicted by nothing.
  return sample.labelled.size() > 1 && std::count(sample.labelled.begin() + 1, sample.labelled.end(), 1) > 0;
}

void finish_row(PackedRow& row) {
  row.prefix = 0;
  if (row.samples.size() > 1) {
    const TokenizedSample& first = row.samples[0];
    auto common = static_cast<int>(first.ids.size());
    for (const TokenizedSample& s : row.samples) {
      const auto label = std::find(s.labelled.begin(), s.labelled.end(), 1) - s.labelled.begin();
      common = std::min(common, static_cast<int>(label) - 1);
      const auto end = first.ids.begin() + std::min<std::ptrdiff_t>(common, static_cast<std::ptrdiff_t>(s.ids.size()));
      common = static_cast<int>(std::mismatch(first.ids.begin(), end, s.ids.begin()).first - first.ids.begin());
    }
    row.prefix = std::max(0, common);
  }
  row.tokens = row.prefix;
  row.labels = 0;
  for (const TokenizedSample& s : row.samples) {
    row.tokens += run_end(s) - row.prefix;
    row.labels += std::count(s.labelled.begin(), s.labelled.end(), 1);
  }
}

std::vector<PackedRow> finish_or_separate(PackedRow&& row) {
  finish_row(row);
  std::vector<PackedRow> out;
  const std::vector<TokenSpan>& audio = row.samples[0].audio;
  const int audio_end = audio.empty() ? 0 : audio.back().begin + audio.back().count;
  if (row.samples.size() == 1 || audio_end <= row.prefix) {
    out.push_back(std::move(row));
    return out;
  }
  for (std::size_t i = 0; i < row.samples.size(); ++i) {
    PackedRow& one = out.emplace_back();
    one.samples.push_back(std::move(row.samples[i]));
    if (i < row.sources.size()) one.sources.push_back(row.sources[i]);
    one.features = row.features;
    one.mels = row.mels;
    finish_row(one);
  }
  return out;
}

MicroBatch pack(std::span<const PackedRow> rows, const KindWeights& weights) {
  Builder b;
  MicroBatch out;
  std::vector<at::Tensor> features;
  for (const PackedRow& row : rows) {
    add_row(row, out.samples, b);
    out.samples += static_cast<int>(row.samples.size());
    out.sources.insert(out.sources.end(), row.sources.begin(), row.sources.end());
    features.insert(features.end(), row.features.begin(), row.features.end());
    out.mels.insert(out.mels.end(), row.mels.begin(), row.mels.end());
  }
  out.ids = to_tensor(b.ids);
  out.positions = to_tensor(b.positions);
  out.audio_positions = to_tensor(b.audio_positions);
  out.label_positions = to_tensor(b.label_positions);
  out.labels = to_tensor(b.labels);
  out.blocks = std::move(b.blocks);
  if (weights != kEqualWeights || std::any_of(b.scales.begin(), b.scales.end(), [](float s) { return s != 1; })) {
    out.label_weights = at::empty({static_cast<std::int64_t>(b.kinds.size())}, at::TensorOptions().dtype(at::kFloat));
    std::transform(b.kinds.begin(), b.kinds.end(), b.scales.begin(), out.label_weights.data_ptr<float>(),
                   [&](std::uint8_t kind, float scale) { return weights[kind] * scale; });
  }
  out.label_kinds = std::move(b.kinds);
  out.label_samples = std::move(b.label_samples);
  if (!features.empty()) out.features = at::cat(features, 0);
  return out;
}

std::vector<MicroBatch> pack_step(std::span<const PackedRow> rows, const PackLimits& limits) {
  std::int64_t total = 0;
  for (const PackedRow& row : rows) total += row.tokens;
  const std::int64_t multiple = std::max(1, limits.multiple);
  std::int64_t count = (total + limits.tokens - 1) / limits.tokens;
  count = std::max<std::int64_t>(1, (count + multiple - 1) / multiple * multiple);
  std::vector<MicroBatch> out;
  std::size_t begin = 0;
  std::int64_t before = 0, part = 0;
  for (std::size_t i = 0; i <= rows.size(); ++i) {
    // A row belongs to the part of the step in which its middle lies.
    const std::int64_t here =
        i < rows.size() ? (before + rows[i].tokens / 2) * count / std::max<std::int64_t>(1, total) : count;
    if (here != part && i > begin) {
      out.push_back(pack(rows.subspan(begin, i - begin), limits.weights));
      out.back().dropout_seed = limits.seed * 8191 + out.size();
      begin = i;
    }
    part = here;
    if (i < rows.size()) before += rows[i].tokens;
  }
  return out;
}

}  // namespace areason::train
