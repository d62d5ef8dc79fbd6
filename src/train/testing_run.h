#pragma once
// What a whole run needs in a test: sizes of a tiny model, its tokenizer, and twenty-four questions about twelve generated
// tones in a folder. Called by *_test.cpp only. Thread rule: free functions.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "audio/write.h"
#include "base/files.h"
#include "base/json.h"
#include "cota/sample.h"
#include "text/bpe_trainer.h"

namespace areason::train {

inline constexpr const char* kSmallRunConfig = R"({"model_type": "qwen2_audio", "tie_word_embeddings": true,
 "audio_config": {"num_mel_bins": 16, "d_model": 16, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 32},
 "text_config": {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2,
 "num_key_value_heads": 1, "max_position_embeddings": 1024, "tie_word_embeddings": true}})";

// config.json, tok/, data.jsonl (this project's schema) and swift.jsonl (ms-swift's) in `dir`.
inline void write_small_run(const std::filesystem::path& dir) {
  make_directories(dir / "tok");
  write_file_atomic(dir / "config.json", kSmallRunConfig);
  std::vector<std::string> texts;
  std::ofstream lines(dir / "data.jsonl"), swift(dir / "swift.jsonl");
  for (int i = 0; i < 12; ++i) {
    const std::string number = std::to_string(i);
    Waveform tone;
    tone.samples.resize(4000 + static_cast<std::size_t>(i) * 200);
    for (std::size_t t = 0; t < tone.samples.size(); ++t) {
      tone.samples[t] = static_cast<float>(0.5 * std::sin(0.05 * (i + 1) * static_cast<double>(t)));
    }
    write_wav(dir / (number + ".wav"), tone);
    for (int q = 0; q < 2; ++q) {
      Sample s;
      s.id = number + "-" + std::to_string(q);
      s.audio = {number + ".wav"};
      s.question = q ? "Which tone is it?" : "How many tones?";
      for (const Section section : kSections) s.sections[section] = "tone number " + number;
      lines << dump_json(sample_to_json(s)) << "\n";
      Json messages = {{{"role", "user"}, {"content", "<audio>" + s.question}},
                       {{"role", "assistant"}, {"content", render_chain(s.sections)}}};
      swift << dump_json(Json{{"messages", messages}, {"audios", s.audio}}) << "\n";
      texts.push_back(s.question + " " + render_chain(s.sections));
    }
  }
  BpeTrainerOptions options;
  options.vocab_size = 300;
  train_bpe(texts, options, dir / "tok");
}

}  // namespace areason::train
