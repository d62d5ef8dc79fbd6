#pragma once
// Chinese for the closed little language of the synthetic speech (synth/sentences.h), pattern by pattern and word by word: the
// references of the translation part of nano's own benchmark, right by construction as its questions are. Called by
// nano_benchmark.cpp. A test holds it to every sentence that the generator can make. Thread rule: constant data.
#include <optional>
#include <string>
#include <string_view>

namespace areason {

struct SentencePair {
  std::string english, chinese;  // with capital and full stop: "The code is eight nine." and "密码是八九。"
};
// For a spoken text as timelines have it ("the code is eight nine"); empty for what is no single sentence of that language.
std::optional<SentencePair> translate_sentence(std::string_view spoken);

}  // namespace areason
