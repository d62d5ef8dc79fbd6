// Bodies of chat completions from anybody who reaches the server.
#include "fuzz.h"
#include "serve/chat_request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace areason;
  fuzz::only_errors([&] {
    const serve::ChatRequest request = serve::parse_chat_request({reinterpret_cast<const char*>(data), size}, {});
    fuzz::require(!request.turns.empty() && request.turns.back().speaker == serve::Speaker::kUser, "the user asks last");
    fuzz::require(request.answers >= 1 && request.options.max_new_tokens >= 1, "there is something to answer");
    for (const serve::RequestTurn& turn : request.turns) {
      for (const serve::RequestClip& clip : turn.clips)
        fuzz::require(clip.extension.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") ==
                          std::string::npos,
                      "a clip's extension stays in its folder");
    }
  });
  return 0;
}
