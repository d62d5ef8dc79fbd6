#pragma once
// What users call: a conversation with a model about audio, answered section by section. Called by the CLI (ask, chat);
// files of questions, eval and the server go by reasoner.h. Thread rule: one thread uses a session; stop() from any thread.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "audio/windows.h"
#include "base/json_fwd.h"
#include "cot/sections.h"
#include "kernels/kv_type.h"
#include "model/load_backend.h"

namespace areason {

enum class Structure { kGuided, kFree };  // guided: the five sections are guaranteed

struct AskOptions {
  std::string system_prompt;  // empty: the authors' (kReasonerSystemPrompt)
  Structure structure = Structure::kGuided;
  std::vector<std::string> choices;  // RESPONSE must name exactly one of these
  LongAudio long_audio = LongAudio::kWindows;
  int max_new_tokens = 2048;
  std::map<Section, int> section_budget;  // tokens; a section over its budget is closed
  float temperature = 0;                  // 0: greedy
  int top_k = 0;                          // 0: off
  float top_p = 1;
  float min_p = 0;
  std::optional<float> repetition_penalty;  // default: generation_config.json
  std::uint64_t seed = 42;
  bool allow_special_tokens = false;  // text may contain <|im_end|> and the like as tokens
};

struct HeardAudio {
  std::string path;
  double seconds = 0;        // of the file
  double heard_seconds = 0;  // given to the model
  int tokens = 0;
  int windows = 0;
  bool truncated = false;
};

struct Answer {
  std::string text;  // as generated
  Chain sections;
  std::vector<Section> cut;  // sections that a budget closed
  bool complete = false;     // all five sections present and closed
  std::vector<HeardAudio> audio;
  int prompt_tokens = 0, audio_tokens = 0, completion_tokens = 0, reused_tokens = 0;
  std::map<std::string, double> seconds;  // load, decode, encode, prefill, generate
  std::string finish_reason;              // "stop", "length", "interrupted"
};
// The object that `ask --json` prints.
Json answer_to_json(const Answer& answer, const std::string& model);

// A round that has already happened: a question and the assistant's whole text.
struct Exchange {
  std::string question;
  std::string response;
};

using SectionSink = std::function<void(const SectionEvent&)>;

struct SessionOptions {
  BackendOptions backend = {};         // its `threads` and `kv_type` are those below
  int threads = 0;                     // of the model; <= 0: one a core
  int running = 16;                    // answers written at the same time (samples, files of questions)
  int drafted = 0;                     // most tokens that speculation drafts for a pass; 0: off. Answers do not depend on it.
  std::optional<KvType> kv_type = {};  // of keys and values; default: f32 for small models, else f16
  std::string cache_dir = {};          // keeps audio embeddings and keys and values of clips on disk; empty: does not
  std::uint64_t cache_bytes = std::uint64_t{8} << 30;  // that the folder may take
};

// What the engine did, for --stats.
struct SessionStats {
  std::size_t kv_bytes = 0;  // keys and values at most, with kept prompts
  std::string kv_type;
  double tokens_a_pass = 0;  // of answers in progress
  long drafted = 0, accepted = 0;
};

// Sample 0 has the seed itself.
std::uint64_t sample_seed(std::uint64_t seed, int sample);

class Session {
 public:
  // Loads the model. Throws Error(kModel).
  explicit Session(const std::string& model_dir, const SessionOptions& options = {});
  ~Session();
  // One user turn: new audio clips and a question. Earlier turns' keys and values are kept.
  Answer ask(const std::vector<std::string>& audio_paths, const std::string& question, const AskOptions& options,
             const SectionSink& sink = {});
  // The same question answered `samples` times at once from one prompt; sample i draws with a seed of its own (sample_seed()),
  // so that it does not depend on how many there are. The conversation goes on with the answer that most agree on (vote.h).
  std::vector<Answer> ask_samples(const std::vector<std::string>& audio_paths, const std::string& question,
                                  const AskOptions& options, int samples);
  void clear();  // forgets the conversation, keeps the model and what it has heard
  // Starts a new conversation in which `earlier` rounds have happened. The clips belong to its first question, which may still
  // be to come.
  void begin(const std::vector<std::string>& audio_paths, const std::vector<Exchange>& earlier, const AskOptions& options);
  void stop();              // ends the current answer at the next token
  Json transcript() const;  // messages, for /save
  const std::string& model_dir() const;
  SessionStats stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace areason
