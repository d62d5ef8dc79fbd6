#include "eval/airbench_chat.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "base/json.h"
#include "eval/python_text.h"

namespace areason {
namespace {

// score_chat.py of OFA-Sys/AIR-Bench; "1s" and the missing line end are the original's.
constexpr std::string_view kTemplate =
    "You are a helpful and precise assistant for checking the quality of the answer.\n"
    "[Detailed Audio Description]\nXAudioX\n[Question]\nXQuestionX\n"
    "[The Start of Assistant 1s Answer]\nXAssistant1X\n[The End of Assistant 1s Answer]\n"
    "[The Start of Assistant 2s Answer]\nXAssistant2X\n[The End of Assistant 2s Answer]\n[System]\n"
    "We would like to request your feedback on the performance of two AI assistants in response to the user question and audio "
    "description displayed above. AI assistants are provided with detailed audio descriptions and questions.\n"
    "Please rate the helpfulness, relevance, accuracy, and comprehensiveness of their responses. Each assistant receives an "
    "overall score on a scale of 1 to 10, where a higher score indicates better overall performance. Please output a single "
    "line "
    "containing only two values indicating the scores for Assistant 1 and 2, respectively. The two scores are separated by a "
    "space.";

std::string render(std::string_view text, const JudgeQuestion& item, JudgeOrder order) {
  const bool plain = order == JudgeOrder::kPlain;
  std::string out = py::replace_all(text, "XAudioX", item.meta_info);
  out = py::replace_all(out, "XQuestionX", item.question);
  out = py::replace_all(out, "XAssistant1X", plain ? item.answer_gt : item.response);
  return py::replace_all(out, "XAssistant2X", plain ? item.response : item.answer_gt);
}

// re.findall(r"\b(?:[1-9]|10)\b", reply.strip().replace(".", ""))
std::vector<int> whole_scores(std::string_view reply) {
  const std::u32string text = py::decode(py::replace_all(py::strip(reply), ".", ""));
  const auto word_at = [&](std::size_t i) { return i < text.size() && py::is_word(text[i]); };
  std::vector<int> out;
  for (std::size_t i = 0; i < text.size();) {
    const bool starts = i == 0 || !py::is_word(text[i - 1]);
    if (starts && text[i] >= U'1' && text[i] <= U'9' && !word_at(i + 1)) {
      out.push_back(static_cast<int>(text[i] - U'0'));
      i += 1;
    } else if (starts && text[i] == U'1' && i + 1 < text.size() && text[i + 1] == U'0' && !word_at(i + 2)) {
      out.push_back(10);
      i += 2;
    } else {
      ++i;
    }
  }
  return out;
}

}  // namespace

std::string judge_prompt(const JudgeQuestion& item, JudgeOrder order) { return render(kTemplate, item, order); }

std::string judge_prompt_lmms(const JudgeQuestion& item, JudgeOrder order) {
  return render(std::string(kTemplate) + " Please only output the 2 required number and no text.", item, order);
}

JudgeReply parse_judge_reply(std::string_view reply) {
  const std::string text = py::replace_all(py::strip(reply), "\n", "");
  JudgeReply out;
  const auto space = text.find(' ');
  if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) return out;
  out.counts_as_success = true;
  const auto first = py::to_int(std::string_view(text).substr(0, space));
  const auto second = py::to_int(std::string_view(text).substr(space + 1));
  if (!first || !second || *first > 10 || *second > 10) return out;
  out.parsed = true;
  out.first = *first;
  out.second = *second;
  return out;
}

double lmms_judge_mean(std::string_view plain, std::string_view swapped) {
  const auto a = whole_scores(plain), b = whole_scores(swapped);
  return a.size() < 2 || b.empty() ? 0.0 : (a[1] + b[0]) / 2.0;
}

std::optional<std::size_t> chat_bucket(std::string_view task_name) {
  static constexpr std::array<std::pair<std::string_view, std::size_t>, 8> kTasks = {{{"speech_QA", 0},
                                                                                      {"speech_dialogue_QA", 0},
                                                                                      {"sound_QA", 1},
                                                                                      {"sound_generation_QA", 1},
                                                                                      {"music_QA", 2},
                                                                                      {"music_generation_analysis_QA", 2},
                                                                                      {"speech_and_sound_QA", 3},
                                                                                      {"speech_and_music_QA", 4}}};
  for (const auto& [name, bucket] : kTasks)
    if (name == task_name) return bucket;
  return std::nullopt;
}

void ChatTable::add(const Json& line) {
  const Json& task = script_field(line, "task_name");
  if (task.is_string()) {
    if (const auto bucket = chat_bucket(task.get_ref<const std::string&>())) current_ = bucket;
  }
  if (!current_) throw ScriptStop{"NameError: name 'task_id' is not defined"};
  const std::string& text = script_text(script_field(line, "gpt-score"), "strip");
  const JudgeReply reply = parse_judge_reply(text);
  if (reply.counts_as_success) ++success_;
  if (!reply.parsed) {
    printed_ += "gpt-4-turbo predict is: " + text + "\n";
    ++failed_;
    return;
  }
  Bucket& bucket = buckets_[*current_];
  ++bucket.total;
  bucket.first += reply.first;
  bucket.second += reply.second;
  const bool win = order_ == JudgeOrder::kSwapped ? reply.first > reply.second : reply.second > reply.first;
  if (win) ++bucket.wins;
}

ScriptRun ChatTable::run() const {
  ScriptRun run{printed_, 0, ""};
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    const Bucket& b = buckets_[i];
    if (b.total == 0) return {run.out, 1, "ZeroDivisionError: division by zero"};
    const auto n = static_cast<double>(b.total);
    run.out += fmt::format("{}: Sum={}, Win_Rate={}, gpt4_avg_score={}, llm_avg_score={}\n", kChatBuckets[i], b.total,
                           py::repr(static_cast<double>(b.wins) / n), py::repr(b.first / n), py::repr(b.second / n));
  }
  run.out += fmt::format("fail_num: {}, success_num: {}, percentage: {}\n", failed_, success_,
                         py::repr(static_cast<double>(success_) / static_cast<double>(success_ + failed_)));
  return run;
}

ScriptRun run_chat_script(const Json& items, JudgeOrder order) {
  ChatTable table(order);
  try {
    for (const Json& item : items) table.add(item);
  } catch (const ScriptStop& stop) {
    return {table.printed_, 1, stop.error};
  }
  return table.run();
}

}  // namespace areason
