// config.json, generation_config.json and preprocessor_config.json of unknown origin (the same bytes serve as each of them).
#include "audio/log_mel.h"
#include "fuzz.h"
#include "model/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace areason;
  static const fuzz::ScratchDir dir;
  for (const char* name : {"config.json", "generation_config.json", "preprocessor_config.json"}) dir.put(name, data, size);
  fuzz::only_errors([&] {
    const ModelConfig config = load_model_config(dir.path());
    fuzz::require(config.text.layers > 0 && config.text.heads > 0 && config.text.width > 0 && config.text.vocab_size > 0 &&
                      config.audio.layers > 0 && config.audio.heads > 0 && config.audio.width > 0,
                  "sizes are positive");
  });
  fuzz::only_errors([&] { LogMelExtractor(load_log_mel_config(dir.path())).compute(std::vector<float>(500, 0.1f)); });
  return 0;
}
