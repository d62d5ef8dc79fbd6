// The native model against transformers (parity_testing.h).
#include "model/qwen2_audio.h"

#include "model/parity_testing.h"

namespace areason {

std::unique_ptr<ModelBackend> load_tested(const std::string& model_dir) {
  return std::make_unique<Qwen2Audio>(Qwen2Audio::load(model_dir));
}

namespace {

INSTANTIATE_TEST_SUITE_P(Sets, ParityTest, ::testing::Values("reference", "golden"),
                         [](const auto& param) { return param.param; });

}  // namespace
}  // namespace areason
