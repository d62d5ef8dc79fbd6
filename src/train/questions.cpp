#include "train/questions.h"

#include <algorithm>
#include <filesystem>
#include <unordered_set>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "base/random.h"
#include "cota/kinds.h"

namespace areason::train {
namespace {

namespace fs = std::filesystem;

void add_sample(const std::string& text, const std::string& where, const std::string& base, JudgedSamples& out) {
  Sample sample = sample_from_json(parse_json(text, where), where);
  const Kind* kind = nullptr;
  try {
    kind = &find_kind(sample.kind);
  } catch (const Error& e) {
    throw Error(ErrorCode::kInput, where + ": " + e.what(),
                "reinforcement needs rows of this project's schema, whose kind says when an answer is right");
  }
  if (kind->form == AnswerForm::kFree) {
    ++out.free;
    return;
  }
  for (std::string& path : sample.audio) path = (fs::path(base) / path).lexically_normal().string();
  out.samples.push_back(std::move(sample));
}

}  // namespace

JudgedSamples read_judged_samples(const std::vector<std::string>& files, BadRows bad_rows) {
  JudgedSamples out;
  for (const std::string& file : files) {
    const std::string base = parent_directory(file);
    each_line(file, [&](const std::string& text, const std::string& where) {
      try {
        add_sample(text, where, base, out);
      } catch (const Error& e) {
        if (bad_rows == BadRows::kStop) throw;
        if (++out.bad <= 10) log_warning(std::string("left out: ") + e.what());
      }
    });
  }
  return out;
}

std::vector<std::string> audio_paths(const std::vector<Sample>& samples) {
  std::unordered_set<std::string> seen;
  std::vector<std::string> out;
  for (const Sample& sample : samples) {
    for (const std::string& path : sample.audio) {
      if (seen.insert(path).second) out.push_back(path);
    }
  }
  return out;
}

QuestionSet::QuestionSet(std::vector<Sample> samples, const Tools& tools, const std::map<std::string, double>& prefer)
    : samples_(std::move(samples)), tools_(tools) {
  const std::size_t before = samples_.size();
  std::erase_if(samples_, [&](const Sample& s) { return !has_audio(s); });
  if (samples_.size() < before)
    log_warning(std::to_string(before - samples_.size()) + " samples are left out for want of audio");
  double sum = 0;
  for (const Sample& s : samples_) {
    const auto it = prefer.find(s.kind);
    until_.push_back(sum += it == prefer.end() ? 1.0 : it->second);
  }
  if (sum <= 0) throw Error(ErrorCode::kInput, "no usable questions", "check --data, the audio paths in it and --prefer");
}

bool QuestionSet::has_audio(const Sample& sample) const {
  return std::all_of(sample.audio.begin(), sample.audio.end(), [&](const std::string& path) {
    return tools_.cache != nullptr ? tools_.cache->contains(path) : fs::is_regular_file(path);
  });
}

std::optional<AskedQuestion> QuestionSet::question(std::size_t i) const {
  AskedQuestion out;
  out.sample = &samples_[i];
  std::vector<int> windows, tokens;
  for (const std::string& path : out.sample->audio) {
    const std::size_t earlier = out.features.size() + out.mels.size();
    if (tools_.cache != nullptr) {
      for (at::Tensor& f : tools_.cache->features(path)) out.features.push_back(std::move(f));
    } else {
      for (LogMel& mel : clip_mels(path, tools_.extractor)) out.mels.push_back(std::move(mel));
    }
    windows.push_back(static_cast<int>(out.features.size() + out.mels.size() - earlier));
  }
  for (const at::Tensor& f : out.features) tokens.push_back(static_cast<int>(f.size(0)));
  for (const LogMel& mel : out.mels) tokens.push_back(areason::audio_tokens(mel.valid_frames));
  Conversation conversation = row_from_json(sample_to_json(*out.sample), out.sample->id, "", {}).conversation;
  conversation.messages.pop_back();  // the answer that is known
  Prompt prompt =
      build_prompt(tools_.tokenizer, with_windows(conversation, windows, tools_.system_prompt), tokens, PromptOptions{});
  if (static_cast<int>(prompt.ids.size()) > tools_.longest) return std::nullopt;
  out.ids = std::move(prompt.ids);
  out.audio = std::move(prompt.audio);
  return out;
}

std::vector<AskedQuestion> QuestionSet::draw(std::uint64_t seed, const std::string& name, int count) const {
  Random random = Random::for_item(seed, name);
  std::unordered_set<std::size_t> tried;
  std::vector<AskedQuestion> out;
  // Questions that are hardly ever drawn may never come: the number of draws is bounded.
  for (int draws = 0; draws < 100 * count && static_cast<int>(out.size()) < count && tried.size() < samples_.size(); ++draws) {
    const double at = random.uniform() * until_.back();
    const auto i = static_cast<std::size_t>(std::upper_bound(until_.begin(), until_.end(), at) - until_.begin());
    if (i >= samples_.size() || !tried.insert(i).second) continue;
    if (auto asked = question(i)) out.push_back(std::move(*asked));
  }
  if (out.empty())
    throw Error(ErrorCode::kInput, "every question that was drawn is too long", "raise --max-length or lower --max-new-tokens");
  return out;
}

}  // namespace areason::train
