#include "eval/airbench_foundation.h"

#include <fmt/format.h>

#include "base/json.h"
#include "eval/python_text.h"

namespace areason {
namespace {

const char* const kChoiceKeys[] = {"choice_a", "choice_b", "choice_c", "choice_d"};

// What the script calls `predict`.
std::string stripped(std::string_view response) { return py::replace_all(py::strip(response), "\n", ""); }

// The first choice that equals the answer; 0 where the script exits.
char gold_letter(const Json& line) {
  const Json none;
  const Json& answer = script_field(line, "answer_gt");
  for (int i = 0; i < 4; ++i) {
    const auto found = line.find(kChoiceKeys[i]);
    // choice_c and choice_d are read with get(), the other two with [].
    const Json& choice = found != line.end() ? *found : i < 2 ? script_field(line, kChoiceKeys[i]) : none;
    if (answer == choice) return static_cast<char>('A' + i);
  }
  return 0;
}

void read(const Json& line, FoundationLine& out) {
  using Outcome = FoundationLine::Outcome;
  const Json& task = script_field(line, "task_name");
  const Json& dataset = script_field(line, "dataset_name");
  if (task.is_null()) {
    out.printed = "1.task_name is None\n";
    return;
  }
  const std::string type(script_type(task));
  if (task.is_array()) throw ScriptStop{"TypeError: can only concatenate list (not \"str\") to list"};
  if (!task.is_string()) throw ScriptStop{"TypeError: unsupported operand type(s) for +: '" + type + "' and 'str'"};
  if (!dataset.is_string())
    throw ScriptStop{"TypeError: can only concatenate str (not \"" + std::string(script_type(dataset)) + "\") to str"};
  out.subset = task.get<std::string>() + "_" + dataset.get<std::string>();
  const std::string predict = stripped(script_text(script_field(line, "response"), "strip"));
  out.outcome = Outcome::kUnread;
  if (predict.empty() || predict == "None") {
    out.printed = "2.Response is None.\n";
    return;
  }
  out.letter = foundation_letter(predict);
  if (out.letter == 0) {
    out.printed = "response is " + predict + "\n";
    return;
  }
  out.gold = gold_letter(line);
  if (out.gold == 0) {
    out.outcome = Outcome::kBadGold;
    out.printed = "???? gt_answer is: " + script_print(line["answer_gt"]) + "\n";
    return;
  }
  out.outcome = out.gold == out.letter ? Outcome::kRight : Outcome::kWrong;
}

}  // namespace

char foundation_letter(std::string_view response) {
  const auto is_letter = [](char32_t c) { return c >= U'A' && c <= U'D'; };
  const std::string text = stripped(response);
  if (text.empty() || text == "None") return 0;
  const std::u32string p = py::decode(text);
  if (is_letter(p.front())) return static_cast<char>(p.front());
  if (p.size() > 1 && is_letter(p[p.size() - 2])) return static_cast<char>(p[p.size() - 2]);
  return 0;
}

FoundationLine read_foundation_line(const Json& line) {
  FoundationLine out;
  try {
    read(line, out);
  } catch (const ScriptStop& stop) {
    out.outcome = FoundationLine::Outcome::kBroken;
    out.error = stop.error;
  }
  return out;
}

std::string_view outcome_name(FoundationLine::Outcome outcome) {
  switch (outcome) {
    case FoundationLine::Outcome::kRight:
      return "correct";
    case FoundationLine::Outcome::kWrong:
      return "wrong";
    case FoundationLine::Outcome::kUnread:
      return "fail";
    case FoundationLine::Outcome::kSkipped:
      return "skipped";
    case FoundationLine::Outcome::kBadGold:
      return "exit1";
    default:
      return "exception";
  }
}

void FoundationTable::add(const FoundationLine& line) {
  using Outcome = FoundationLine::Outcome;
  printed_ += line.printed;
  if (line.outcome == Outcome::kSkipped || line.outcome == Outcome::kBadGold || line.outcome == Outcome::kBroken) return;
  const auto [entry, is_new] = subsets_.try_emplace(line.subset);
  if (is_new) order_.push_back(line.subset);
  if (line.outcome == Outcome::kUnread) {
    ++failed_;
    return;
  }
  ++entry->second.read;
  if (line.outcome == Outcome::kRight) ++entry->second.right;
}

ScriptRun FoundationTable::run() const {
  ScriptRun run{printed_, 0, ""};
  long sum = 0;
  for (const std::string& name : order_) {
    const Subset& subset = subsets_.at(name);
    if (subset.read == 0) {  // its counters were never stored
      run.code = 1;
      run.last_error = "KeyError: " + py::repr(std::string_view(name));
      return run;
    }
    const double accuracy = static_cast<double>(subset.right) / static_cast<double>(subset.read);
    run.out += fmt::format("{}: Sum={}, correct={}, acc={}\n", name, subset.read, subset.right, py::repr(accuracy));
    sum += subset.read;
  }
  run.out += fmt::format("total_sum: {}\nfail_num: {}\n", sum, failed_);
  return run;
}

ScriptRun run_foundation_script(const Json& lines) {
  FoundationTable table;
  std::string printed;
  for (const Json& item : lines) {
    const FoundationLine line = read_foundation_line(item);
    printed += line.printed;
    if (line.outcome == FoundationLine::Outcome::kBadGold) return {printed, 1, ""};
    if (line.outcome == FoundationLine::Outcome::kBroken) return {printed, 1, line.error};
    table.add(line);
  }
  return table.run();
}

// Inference_Foundation.py; facts/evaluation.md 2.2.
std::string foundation_prompt(const Json& line) {
  std::string out =
      "Choose the most suitable answer from options A, B, C, and D to respond the question in next line, you may only choose A "
      "or B or C or D.\n";
  out += script_print(script_field(line, "question"));
  for (int i = 0; i < 4; ++i) {
    const auto found = line.find(kChoiceKeys[i]);
    out += fmt::format("\n{}. {}", static_cast<char>('A' + i), found == line.end() ? "None" : script_print(*found));
  }
  return out;
}

}  // namespace areason
