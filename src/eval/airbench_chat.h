#pragma once
// AIR-Bench chat (OFA-Sys/AIR-Bench @9832476): the judge's prompt of score_chat.py in both orders, the parser of its replies
// and the tables of cal_score.py. Functions only: the client that asks a judge lies elsewhere. Called by the chat scorer and
// tests. facts/evaluation.md 2.3 has the traps. Thread rule: free functions and values.
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/json_fwd.h"
#include "eval/script_run.h"

namespace areason {

// kPlain: Assistant 1 is the reference answer, 2 the model. kSwapped ("cir"): the other way round.
enum class JudgeOrder { kPlain, kSwapped };

struct JudgeQuestion {
  std::string meta_info, question, answer_gt, response;
};
// The user message for the judge. Markers are replaced one after the other, as the script does: a marker's text inside an
// earlier value is replaced too.
std::string judge_prompt(const JudgeQuestion& item, JudgeOrder order);
// lmms-eval's variant ends with one more sentence.
std::string judge_prompt_lmms(const JudgeQuestion& item, JudgeOrder order);

struct JudgeReply {
  bool parsed = false;
  double first = 0, second = 0;    // Assistant 1, Assistant 2
  bool counts_as_success = false;  // two parts: the script's success_num counts it even when a part is no number
};
// cal_score.py: strip, delete "\n", split at single spaces, two int(), none above 10.
JudgeReply parse_judge_reply(std::string_view reply);
// lmms-eval's mean of the two orders' replies for one item; 0 where it cannot read them.
double lmms_judge_mean(std::string_view plain, std::string_view swapped);

inline constexpr std::array<std::string_view, 5> kChatBuckets = {"speech", "sound", "music", "speech_and_sound",
                                                                 "speech_and_music"};
// The bucket of a task_name; empty for an unknown one.
std::optional<std::size_t> chat_bucket(std::string_view task_name);

// cal_score.py on one pass. An unknown task joins the bucket of the line before it, as in the script.
class ChatTable {
 public:
  explicit ChatTable(JudgeOrder order) : order_(order) {}
  // Throws ScriptStop where the script would end.
  void add(const Json& line);
  ScriptRun run() const;

 private:
  struct Bucket {
    long total = 0, wins = 0;
    double first = 0, second = 0;
  };
  JudgeOrder order_;
  std::array<Bucket, kChatBuckets.size()> buckets_;
  std::optional<std::size_t> current_;
  std::string printed_;
  long failed_ = 0, success_ = 0;
  friend ScriptRun run_chat_script(const Json& items, JudgeOrder order);
};

// The whole script on a list of {"task_name", "gpt-score"}, ending where it would end.
ScriptRun run_chat_script(const Json& items, JudgeOrder order);

}  // namespace areason
