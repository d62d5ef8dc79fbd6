#include "libtorch/text_decoder.h"

#include <algorithm>
#include <cmath>

namespace areason::libtorch {

using at::Tensor;

namespace {

constexpr int kBlock = KvPool::kBlock;

Tensor indices(const std::vector<std::int64_t>& values, const Place& place) { return at::tensor(values).to(place.device); }

const BlockKv& cache_of(const BatchItem& item) { return static_cast<const BlockKv&>(*item.cache->sequence()); }

// x [R][heads][dim]: pairs (i, i + dim / 2) turned by the row's angles.
Tensor rotated(const Tensor& x, const Tensor& cosine, const Tensor& sine) {
  const std::int64_t half = x.size(2) / 2;
  const Tensor a = x.narrow(2, 0, half), b = x.narrow(2, half, half);
  return at::cat({a * cosine - b * sine, b * cosine + a * sine}, 2);
}

// [L][heads][dim] -> [1][heads][L][dim]
Tensor as_batch(const Tensor& x) { return x.transpose(0, 1).unsqueeze(0); }

}  // namespace

TextDecoder::TextDecoder(const DecoderConfig& config, DecoderTensors weights, const Place& place)
    : config_(config), weights_(std::move(weights)), place_(place) {
  // In f32, step by step, as transformers computes it (and model/decoder.cpp).
  std::vector<float> frequency;
  const auto dim = static_cast<float>(config.head_dim);
  for (int i = 0; i < config.head_dim; i += 2)
    frequency.push_back(1.0f /
                        static_cast<float>(std::pow(config.rope_theta, static_cast<double>(static_cast<float>(i) / dim))));
  inverse_frequency_ = at::tensor(frequency).to(place.device);
}

Tensor TextDecoder::normalized(const Tensor& h, const NormTensors& norm) const {
  return at::rms_norm(h, {config_.width}, norm.weight, config_.rms_eps);
}

TextDecoder::Run TextDecoder::plan_run(const BatchItem& item, std::int64_t first) const {
  const BlockKv& cache = cache_of(item);
  Run run{first, static_cast<std::int64_t>(item.ids.size()), cache.length, *cache.blocks.front(), {}, {}};
  std::vector<std::int64_t> blocks;
  for (const KvPool::Block& block : cache.blocks) {
    if (*block != run.first_block + static_cast<std::int64_t>(blocks.size())) run.first_block = -1;
    blocks.push_back(*block);
  }
  if (run.first_block < 0) run.blocks = indices(blocks, place_);
  if (run.past > 0 && run.rows > 1)
    run.mask =
        at::ones({run.rows, run.past + run.rows}, at::TensorOptions().device(place_.device).dtype(at::kBool)).tril(run.past);
  return run;
}

TextDecoder::Singles TextDecoder::plan_singles(std::span<const BatchItem> items, const std::vector<std::int64_t>& rows) const {
  std::size_t longest = 0;
  for (const BatchItem& item : items)
    if (item.ids.size() == 1) longest = std::max(longest, cache_of(item).blocks.size());
  std::vector<std::int64_t> blocks, seen;
  for (const BatchItem& item : items) {
    if (item.ids.size() != 1) continue;
    const BlockKv& cache = cache_of(item);
    // Behind the end its own first block again: numbers that are there, hidden by the mask.
    for (std::size_t i = 0; i < longest; ++i) blocks.push_back(*cache.blocks[i < cache.blocks.size() ? i : 0]);
    seen.push_back(cache.length + 1);
  }
  const Tensor positions = at::ones({static_cast<std::int64_t>(longest) * kBlock}, place_.index_options()).cumsum(0);
  const Tensor mask = positions.unsqueeze(0) <= indices(seen, place_).unsqueeze(1);
  return {indices(rows, place_), indices(blocks, place_), mask.unsqueeze(1).unsqueeze(1)};
}

TextDecoder::Plan TextDecoder::plan(std::span<const BatchItem> items) const {
  Plan out;
  std::vector<std::int64_t> positions, slots, single_rows;
  const auto singles = std::count_if(items.begin(), items.end(), [](const BatchItem& item) { return item.ids.size() == 1; });
  for (const BatchItem& item : items) {
    const BlockKv& cache = cache_of(item);
    if (item.ids.size() == 1 && singles > 1) {
      single_rows.push_back(out.rows);
    } else if (!item.ids.empty()) {
      out.runs.push_back(plan_run(item, out.rows));
    }
    for (int p = cache.length; p < cache.length + static_cast<int>(item.ids.size()); ++p) {
      positions.push_back(p);
      slots.push_back(*cache.blocks[static_cast<std::size_t>(p / kBlock)] * kBlock + p % kBlock);
    }
    out.rows += static_cast<std::int64_t>(item.ids.size());
  }
  if (!single_rows.empty()) out.singles = plan_singles(items, single_rows);
  const Tensor angles = indices(positions, place_).to(at::kFloat).unsqueeze(1) * inverse_frequency_;
  out.cosine = angles.cos().to(place_.dtype).unsqueeze(1);
  out.sine = angles.sin().to(place_.dtype).unsqueeze(1);
  out.slots = indices(slots, place_);
  return out;
}

Tensor TextDecoder::embed(std::span<const BatchItem> items) const {
  std::vector<std::int64_t> ids;
  for (const BatchItem& item : items) ids.insert(ids.end(), item.ids.begin(), item.ids.end());
  Tensor h = at::embedding(weights_.embedding, indices(ids, place_));
  std::int64_t first = 0;
  for (const BatchItem& item : items) {
    for (const AudioInsert& insert : item.audio) {
      if (insert.rows() == 0) continue;
      const float* data = insert.audio->data.data() + static_cast<std::int64_t>(insert.from) * config_.width;
      h.narrow(0, first + insert.begin, insert.rows())
          .copy_(at::from_blob(const_cast<float*>(data), {insert.rows(), config_.width}, at::kFloat));
    }
    first += static_cast<std::int64_t>(item.ids.size());
  }
  return h;
}

Tensor TextDecoder::attend_run(const Tensor& q, const Tensor& keys, const Tensor& values, const Run& run) const {
  const std::int64_t total = run.past + run.rows, blocks = (total + kBlock - 1) / kBlock;
  const auto gathered = [&](const Tensor& pool) {
    const Tensor own = run.first_block >= 0 ? pool.narrow(0, run.first_block, blocks) : pool.index_select(0, run.blocks);
    return as_batch(own.flatten(0, 1).narrow(0, 0, total));
  };
  const Tensor seen =
      at::scaled_dot_product_attention(as_batch(q.narrow(0, run.first, run.rows)), gathered(keys), gathered(values),
                                       run.mask.defined() ? std::optional<Tensor>(run.mask) : std::nullopt, 0.0, run.past == 0,
                                       std::nullopt, config_.heads != config_.kv_heads);
  return seen.squeeze(0).transpose(0, 1);
}

Tensor TextDecoder::attend_singles(const Tensor& q, const Tensor& keys, const Tensor& values, const Singles& s) const {
  const std::int64_t batch = s.rows.size(0), positions = s.mask.size(3);
  const auto gathered = [&](const Tensor& pool) {
    return pool.index_select(0, s.blocks).view({batch, positions, config_.kv_heads, config_.head_dim}).transpose(1, 2);
  };
  return at::scaled_dot_product_attention(q.index_select(0, s.rows).unsqueeze(2), gathered(keys), gathered(values), s.mask, 0.0,
                                          false, std::nullopt, config_.heads != config_.kv_heads)
      .squeeze(2);
}

// qkv [R][(heads + 2 kv_heads) * dim] -> [R][heads * dim]
Tensor TextDecoder::attend(const Tensor& qkv, std::size_t index, const KvPool& pool, const Plan& plan) const {
  const std::int64_t heads = config_.heads, kv_heads = config_.kv_heads;
  const Tensor all = qkv.view({plan.rows, heads + 2 * kv_heads, config_.head_dim});
  const Tensor turned = rotated(all.narrow(1, 0, heads + kv_heads), plan.cosine, plan.sine);
  const Tensor q = turned.narrow(1, 0, heads);
  const Tensor &keys = pool.keys(index), &values = pool.values(index);
  keys.flatten(0, 1).index_copy_(0, plan.slots, turned.narrow(1, heads, kv_heads));
  values.flatten(0, 1).index_copy_(0, plan.slots, all.narrow(1, heads + kv_heads, kv_heads));
  if (plan.runs.size() == 1 && !plan.singles.rows.defined())
    return attend_run(q, keys, values, plan.runs.front()).reshape({plan.rows, heads * config_.head_dim});
  const Tensor out = at::empty({plan.rows, heads, config_.head_dim}, place_.options());
  for (const Run& run : plan.runs) out.narrow(0, run.first, run.rows).copy_(attend_run(q, keys, values, run));
  if (plan.singles.rows.defined()) out.index_copy_(0, plan.singles.rows, attend_singles(q, keys, values, plan.singles));
  return out.view({plan.rows, heads * config_.head_dim});
}

Tensor TextDecoder::layer(const Tensor& h, std::size_t index, const KvPool& pool, const Plan& plan) const {
  const DecoderLayerTensors& weights = weights_.layers[index];
  const Tensor x = h + weights.o(attend(weights.qkv(normalized(h, weights.input_norm)), index, pool, plan));
  const Tensor gate_up = weights.gate_up(normalized(x, weights.post_norm));
  const Tensor wide = at::silu(gate_up.narrow(1, 0, config_.ffn)) * gate_up.narrow(1, config_.ffn, config_.ffn);
  return x + weights.down(wide);
}

Tensor TextDecoder::run(std::span<const BatchItem> items, const KvPool& pool) const {
  const Plan pass = plan(items);
  Tensor h = embed(items);
  for (std::size_t i = 0; i < weights_.layers.size(); ++i) h = layer(h, i, pool, pass);
  std::vector<std::int64_t> wanted;
  std::int64_t end = 0;
  for (const BatchItem& item : items) {
    const auto rows = static_cast<std::int64_t>(item.ids.size());
    end += rows;
    for (std::int64_t row = end - std::min<std::int64_t>(rows, item.logits); row < end; ++row) wanted.push_back(row);
  }
  if (static_cast<std::int64_t>(wanted.size()) < pass.rows) h = h.index_select(0, indices(wanted, place_));
  return weights_.head(normalized(h, weights_.norm)).to(at::kCPU, at::kFloat).contiguous();
}

}  // namespace areason::libtorch
