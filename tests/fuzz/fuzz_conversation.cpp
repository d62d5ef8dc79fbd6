// Messages as probe and chat read them from JSON, and the template that renders them.
#include "base/json.h"
#include "chat/conversation.h"
#include "chat/prompt.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace areason;
  fuzz::only_errors([&] {
    const Json json = parse_json({reinterpret_cast<const char*>(data), size}, "input");
    const Conversation conversation = conversation_from_json(json);
    const std::string text = render_template(conversation, PromptEnd::kGeneration);
    fuzz::require(text.ends_with("<|im_start|>assistant\n"), "a prompt ends where the answer begins");
  });
  return 0;
}
