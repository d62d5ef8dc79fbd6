#pragma once
// Qwen2-Audio's chat template (chat_template.jinja of the released checkpoint): THE one place that turns a conversation into
// token ids and counts audio tokens. Called by reason, probe and the trainer. Thread rule: free functions.
#include <span>
#include <string>
#include <vector>

#include "chat/conversation.h"
#include "text/tokenizer.h"

namespace areason {

// F valid mel frames -> encoder positions kept -> audio tokens (transformers: _get_feat_extract_output_lengths).
int encoder_positions(int valid_frames);  // L1 = (F - 1) / 2 + 1, 0 for F = 0
int audio_tokens(int valid_frames);       // (L1 - 2) / 2 + 1 by floor division, never negative

// End with "<|im_start|>assistant\n", or with the last message's <|im_end|> (no newline after it: the form that ms-swift trains
// on, facts 2.1; transformers' template would add one).
enum class PromptEnd { kGeneration, kConversation };

// The text the template renders, with one <|AUDIO|> per audio.
std::string render_template(const Conversation& conversation, PromptEnd end);

struct TokenSpan {
  int begin = 0;
  int count = 0;
};

struct Prompt {
  std::vector<TokenId> ids;          // audio tokens expanded
  std::vector<TokenSpan> audio;      // one per audio: where its embeddings go
  std::vector<TokenSpan> assistant;  // per assistant message: its text and its <|im_end|> (what the loss counts)
};

struct PromptOptions {
  PromptEnd end = PromptEnd::kGeneration;
  // What special-token text inside messages means; kAsText protects against injection.
  SpecialTokens user_specials = SpecialTokens::kAsText;
};

// The text of an assistant message is tokenised as a group of its own (facts 2.2), so that trained ids equal generated ids.
// `audio_token_counts` has one entry per audio of the conversation. Throws Error(kInput) when the numbers differ or one is 0,
// Error(kModel) when the tokenizer lacks a special token of the template.
Prompt build_prompt(const Tokenizer& tokenizer, const Conversation& conversation, std::span<const int> audio_token_counts,
                    const PromptOptions& options = {});

}  // namespace areason
