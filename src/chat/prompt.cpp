#include "chat/prompt.h"

#include <algorithm>

#include "base/error.h"

namespace areason {
namespace {

constexpr const char* kStart = "<|im_start|>";
constexpr const char* kEnd = "<|im_end|>";
constexpr const char* kAudio = "<|AUDIO|>";
constexpr const char* kAudioBegin = "<|audio_bos|>";
constexpr const char* kAudioEnd = "<|audio_eos|>";

enum class Origin { kTemplate, kMessage };

// One piece of the rendered conversation, in order.
struct Fragment {
  std::string text;
  bool special = false;
  Origin origin = Origin::kTemplate;
  int assistant = -1;  // index of the assistant message this is text or end of, or -1
};

void add_text(std::vector<Fragment>& out, std::string text, Origin origin = Origin::kTemplate, int assistant = -1) {
  if (!text.empty()) out.push_back({std::move(text), false, origin, assistant});
}
void add_special(std::vector<Fragment>& out, const char* content, int assistant = -1) {
  out.push_back({content, true, Origin::kTemplate, assistant});
}

void add_message(std::vector<Fragment>& out, const Message& message, int& audio_count, int assistant) {
  add_special(out, kStart);
  add_text(out, message.role + "\n");
  for (const Part& part : message.parts) {
    if (part.kind == Part::Kind::kText) {
      add_text(out, part.value, Origin::kMessage, assistant);
      continue;
    }
    add_text(out, "Audio " + std::to_string(++audio_count) + ": ");
    add_special(out, kAudioBegin);
    add_special(out, kAudio);
    add_special(out, kAudioEnd);
    add_text(out, "\n");
  }
  add_special(out, kEnd, assistant);
}

std::vector<Fragment> fragments(const Conversation& conversation, PromptEnd end) {
  std::vector<Fragment> out;
  int audio_count = 0;
  int assistant_count = 0;
  const auto& messages = conversation.messages;
  if (!messages.empty() && messages.front().role != "system") {
    add_message(out, {"system", {{Part::Kind::kText, kTemplateSystemPrompt}}}, audio_count, -1);
    add_text(out, "\n");
  }
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (i > 0) add_text(out, "\n");
    add_message(out, messages[i], audio_count, messages[i].role == "assistant" ? assistant_count++ : -1);
  }
  if (end == PromptEnd::kGeneration) {
    if (!messages.empty()) add_text(out, "\n");
    add_special(out, kStart);
    add_text(out, "assistant\n");
  }
  return out;
}

TokenId require_special(const Tokenizer& tokenizer, const char* content) {
  const auto id = tokenizer.special_id(content);
  if (!id) {
    throw Error(ErrorCode::kModel, std::string("the tokenizer has no special token ") + content,
                "the chat template of Qwen2-Audio needs it; use the tokenizer files of a Qwen2-Audio checkpoint");
  }
  return *id;
}

// Appends fragments to ids group by group; a group is one run of encode_pieces.
class PromptWriter {
 public:
  PromptWriter(const Tokenizer& tokenizer, std::span<const int> counts, SpecialTokens user_specials)
      : tokenizer_(tokenizer), counts_(counts), user_specials_(user_specials), audio_id_(require_special(tokenizer, kAudio)) {
    for (const char* content : {kStart, kEnd, kAudioBegin, kAudioEnd}) require_special(tokenizer, content);
    if (user_specials == SpecialTokens::kParse) collect_specials();
  }

  Prompt write(const std::vector<Fragment>& parts) {
    for (const Fragment& part : parts) {
      if (part.assistant != group_assistant_) flush(part.assistant);
      if (part.special && part.text == kAudio) {
        add_audio();
      } else if (part.origin == Origin::kMessage && user_specials_ == SpecialTokens::kParse) {
        add_parsed(part.text);
      } else {
        pieces_.push_back({part.text, part.special});
      }
    }
    flush(-1);
    return std::move(prompt_);
  }

 private:
  void flush(int next_assistant) {
    const int begin = static_cast<int>(prompt_.ids.size());
    const auto ids = tokenizer_.encode_pieces(pieces_);
    prompt_.ids.insert(prompt_.ids.end(), ids.begin(), ids.end());
    if (group_assistant_ >= 0) prompt_.assistant.push_back({begin, static_cast<int>(ids.size())});
    pieces_.clear();
    group_assistant_ = next_assistant;
  }

  // Audio tokens lie between two specials, so ending the run here changes no id.
  void add_audio() {
    flush(group_assistant_);
    const int count = counts_[prompt_.audio.size()];
    prompt_.audio.push_back({static_cast<int>(prompt_.ids.size()), count});
    prompt_.ids.insert(prompt_.ids.end(), static_cast<std::size_t>(count), audio_id_);
  }

  void collect_specials() {
    for (TokenId id = 0; id < tokenizer_.size(); ++id) {
      if (tokenizer_.is_special(id)) specials_.emplace_back(tokenizer_.bytes(id));
    }
  }

  // Splits a message's text at special tokens: the leftmost, and of those at one place the longest.
  void add_parsed(std::string_view text) {
    while (!text.empty()) {
      std::size_t at = std::string_view::npos;
      std::size_t length = 0;
      for (const std::string& special : specials_) {
        const std::size_t found = text.find(special);
        if (found < at || (found == at && found != std::string_view::npos && special.size() > length)) {
          at = found;
          length = special.size();
        }
      }
      pieces_.push_back({std::string(text.substr(0, at)), false});
      if (at == std::string_view::npos) return;
      const std::string_view special = text.substr(at, length);
      if (special == kAudio) {
        throw Error(ErrorCode::kInput, "a message's text holds the token <|AUDIO|>",
                    "give audio as {\"type\": \"audio\"} parts; the template writes the token");
      }
      pieces_.push_back({std::string(special), true});
      text.remove_prefix(at + length);
    }
  }

  const Tokenizer& tokenizer_;
  std::span<const int> counts_;
  SpecialTokens user_specials_;
  TokenId audio_id_;
  std::vector<std::string> specials_;
  std::vector<Tokenizer::Piece> pieces_;
  int group_assistant_ = -1;
  Prompt prompt_;
};

void check_counts(const Conversation& conversation, std::span<const int> counts) {
  const auto paths = conversation.audio_paths();
  if (paths.size() != counts.size()) {
    throw Error(ErrorCode::kInput,
                "the conversation holds " + std::to_string(paths.size()) + " audios, but " + std::to_string(counts.size()) +
                    " were given",
                "give one clip for every audio part of the messages");
  }
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) continue;
    throw Error(ErrorCode::kInput, paths[i] + " is too short to be heard", "give at least 0.03 seconds of audio");
  }
}

}  // namespace

int encoder_positions(int valid_frames) { return valid_frames <= 0 ? 0 : (valid_frames - 1) / 2 + 1; }

int audio_tokens(int valid_frames) { return encoder_positions(valid_frames) / 2; }

std::string render_template(const Conversation& conversation, PromptEnd end) {
  std::string out;
  for (const Fragment& part : fragments(conversation, end)) out += part.text;
  return out;
}

Prompt build_prompt(const Tokenizer& tokenizer, const Conversation& conversation, std::span<const int> audio_token_counts,
                    const PromptOptions& options) {
  check_counts(conversation, audio_token_counts);
  return PromptWriter(tokenizer, audio_token_counts, options.user_specials).write(fragments(conversation, options.end));
}

}  // namespace areason
