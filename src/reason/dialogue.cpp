#include "reason/dialogue.h"

namespace areason {
namespace {

Message text_message(const char* role, const std::string& text) { return {role, {{Part::Kind::kText, text}}}; }

}  // namespace

Dialogue::Dialogue() : transcript_(Json::array()) {}

void Dialogue::begin(const AskOptions& options) {
  if (!conversation_.messages.empty()) return;
  const std::string system = options.system_prompt.empty() ? kReasonerSystemPrompt : options.system_prompt;
  conversation_.messages.push_back(text_message("system", system));
  transcript_.push_back({{"role", "system"}, {"content", system}});
}

void Dialogue::add_user(const HeardClips& clips, const std::string& question) {
  Message message{"user", {}};
  Json content = Json::array();
  for (const auto& clip : clips) {
    for (std::size_t i = 0; i < clip->windows.size(); ++i) {
      message.parts.push_back({Part::Kind::kAudio, clip->heard.path});
      windows_.emplace_back(clip, i);
    }
    content.push_back({{"type", "audio"}, {"audio_url", clip->heard.path}});
  }
  message.parts.push_back({Part::Kind::kText, question});
  content.push_back({{"type", "text"}, {"text", question}});
  conversation_.messages.push_back(std::move(message));
  transcript_.push_back({{"role", "user"}, {"content", std::move(content)}});
}

void Dialogue::add_assistant(const std::string& text) {
  conversation_.messages.push_back(text_message("assistant", text));
  transcript_.push_back({{"role", "assistant"}, {"content", text}});
}

Prompt Dialogue::prompt(const Tokenizer& tokenizer, const AskOptions& options) const {
  std::vector<int> counts;
  for (const auto& [clip, window] : windows_) counts.push_back(clip->windows[window].embeddings.tokens);
  PromptOptions how;
  how.user_specials = options.allow_special_tokens ? SpecialTokens::kParse : SpecialTokens::kAsText;
  return build_prompt(tokenizer, conversation_, counts, how);
}

std::vector<PromptAudio> Dialogue::audio(const Prompt& prompt) const {
  std::vector<PromptAudio> out;
  for (std::size_t i = 0; i < windows_.size(); ++i) {
    const auto& [clip, index] = windows_[i];
    const ClipWindow& window = clip->windows[index];
    out.push_back({prompt.audio[i].begin, {clip, &window.embeddings}, window.content});
  }
  return out;
}

int Dialogue::audio_tokens() const {
  int total = 0;
  for (const auto& [clip, window] : windows_) total += clip->windows[window].embeddings.tokens;
  return total;
}

}  // namespace areason
