#pragma once
// The one interface of everything that answers: Gemini, OpenAI-compatible servers, transcription, replay, and the wrappers
// around them (text_only.h, governed.h). build_provider() in config.h stacks them as a user asked for. Called by eval and the
// data stages. Thread rule: complete() may be called from any number of threads at once.
#include <memory>
#include <string>

#include "llm/message.h"

namespace areason::llm {

class Provider {
 public:
  virtual ~Provider() = default;
  // What went wrong at the provider is in the reply (Finish); it throws Error only for what the caller did wrong (kUsage) and
  // for Ctrl-C (kInterrupted).
  virtual Reply complete(const Request& request) = 0;
  // For messages and manifests: "gemini https://…/v1beta". Never holds a key.
  virtual std::string name() const = 0;
};
using ProviderPtr = std::shared_ptr<Provider>;

}  // namespace areason::llm
