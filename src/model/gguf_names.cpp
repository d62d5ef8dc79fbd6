#include "model/gguf_names.h"

#include <algorithm>
#include <span>
#include <string_view>

namespace areason {
namespace {

struct NamePair {
  std::string_view released, gguf;
};

// Without ".weight" or ".bias".
constexpr NamePair kSingle[] = {
    {"language_model.model.embed_tokens", "token_embd"},
    {"language_model.model.norm", "output_norm"},
    {"language_model.lm_head", "output"},
    {"audio_tower.conv1", "a.conv1d.1"},
    {"audio_tower.conv2", "a.conv1d.2"},
    {"audio_tower.embed_positions", "a.position_embd"},
    {"audio_tower.layer_norm", "a.post_ln"},
    {"multi_modal_projector.linear", "mm.a.fc"},
};

// Of one layer.
constexpr NamePair kDecoderLayer[] = {
    {"input_layernorm", "attn_norm"}, {"self_attn.q_proj", "attn_q"},      {"self_attn.k_proj", "attn_k"},
    {"self_attn.v_proj", "attn_v"},   {"self_attn.o_proj", "attn_output"}, {"post_attention_layernorm", "ffn_norm"},
    {"mlp.gate_proj", "ffn_gate"},    {"mlp.up_proj", "ffn_up"},           {"mlp.down_proj", "ffn_down"},
};
constexpr NamePair kEncoderLayer[] = {
    {"self_attn_layer_norm", "ln1"},
    {"self_attn.q_proj", "attn_q"},
    {"self_attn.k_proj", "attn_k"},
    {"self_attn.v_proj", "attn_v"},
    {"self_attn.out_proj", "attn_out"},
    {"final_layer_norm", "ln2"},
    {"fc1", "ffn_up"},
    {"fc2", "ffn_down"},
};

struct Stack {
  NamePair prefix;
  std::span<const NamePair> parts;
};
constexpr Stack kStacks[] = {{{"language_model.model.layers.", "blk."}, kDecoderLayer},
                             {{"audio_tower.layers.", "a.blk."}, kEncoderLayer}};

using Side = std::string_view NamePair::*;

std::optional<std::string_view> translated(std::span<const NamePair> pairs, std::string_view name, Side from, Side to) {
  for (const auto& pair : pairs)
    if (name == pair.*from) return pair.*to;
  return std::nullopt;
}

std::optional<std::string> translate(const std::string& name, Side from, Side to) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string::npos) return std::nullopt;
  const std::string_view stem = std::string_view(name).substr(0, dot), suffix = std::string_view(name).substr(dot);
  if (suffix != ".weight" && suffix != ".bias") return std::nullopt;
  if (const auto single = translated(kSingle, stem, from, to)) return std::string(*single) + std::string(suffix);
  for (const auto& stack : kStacks) {
    if (!stem.starts_with(stack.prefix.*from)) continue;
    const std::string_view rest = stem.substr((stack.prefix.*from).size());
    const std::size_t end = rest.find('.');
    const bool number =
        end != std::string_view::npos && end > 0 &&
        std::all_of(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(end), [](char c) { return c >= '0' && c <= '9'; });
    if (!number) continue;
    if (const auto part = translated(stack.parts, rest.substr(end + 1), from, to))
      return std::string(stack.prefix.*to) + std::string(rest.substr(0, end + 1)) + std::string(*part) + std::string(suffix);
  }
  return std::nullopt;
}

}  // namespace

std::string released_name(const std::string& name) {
  constexpr NamePair kTransformers5[] = {{"language_model.model.", "model.language_model."},
                                         {"audio_tower.", "model.audio_tower."},
                                         {"multi_modal_projector.", "model.multi_modal_projector."}};
  for (const auto& pair : kTransformers5)
    if (name.starts_with(pair.gguf)) return std::string(pair.released) + name.substr(pair.gguf.size());
  if (name == "lm_head.weight") return "language_model." + name;
  // The text model alone, as transformers 5 names its inside.
  for (const char* part : {"embed_tokens.", "layers.", "norm."})
    if (name.starts_with("language_model." + std::string(part)))
      return "language_model.model." + name.substr(std::string_view("language_model.").size());
  return name;
}

std::optional<std::string> gguf_name_of(const std::string& released) {
  return translate(released, &NamePair::released, &NamePair::gguf);
}

std::optional<std::string> released_name_of(const std::string& gguf) {
  return translate(gguf, &NamePair::gguf, &NamePair::released);
}

}  // namespace areason
