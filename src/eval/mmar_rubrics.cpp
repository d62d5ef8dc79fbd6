#include "eval/mmar_rubrics.h"

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "eval/python_text.h"
#include "eval/script_run.h"

namespace areason {
namespace {

// evaluation_rubrics.py's clean(): strip, then strip the left of every line.
std::string clean(std::string_view text) {
  std::string out;
  bool first = true;
  for (const std::string_view line : py::split_lines(py::strip(text))) {
    if (!first) out += '\n';
    first = false;
    out += py::lstrip(line);
  }
  return out;
}

const Json& field(const Json& item, const char* key) {
  if (item.is_object() && item.contains(key)) return item[key];
  throw Error(ErrorCode::kInput, std::string("an item for the rubrics has no \"") + key + "\"",
              "join the predictions with MMAR-meta.jsonl");
}

// The two blocks that the prompt repeats for every criterion (wording: evaluation_rubrics.py).
std::string criterion(const Json& entry) {
  return clean("### Criterion: " + script_print(field(entry, "name")) + "\n- Scoring Rule: " +
               script_print(field(entry, "scoring_point")) + "\n- Score Options: " + script_print(field(entry, "choices")) +
               "\n- Evaluate: Carefully read the model's reasoning and determine if it meets this criterion.\n");
}

std::string answer_form(const Json& entry, std::string_view comma) {
  return clean(
      "{\n\"name\": \"" + script_print(field(entry, "name")) + "\",\n\"score\": [Assign a score from " +
      script_print(field(entry, "choices")) +
      "],\n\"justification\": \"Your justification for this score, citing evidence from the model's reasoning. (less than "
      "50 words)\"\n}" +
      std::string(comma));
}

// re.search(r"\[\s*\{.*\}\s*\]", text, re.DOTALL): from the first "[ {" to the last "} ]" behind it; the text without one.
std::string_view list_part(std::string_view text) {
  const auto skip_space = [&](std::size_t at) {
    while (at < text.size()) {
      std::size_t next = at;
      if (!py::is_space(py::next_char(text, next))) break;
      at = next;
    }
    return at;
  };
  std::size_t end = std::string_view::npos, end_brace = 0;
  for (std::size_t at = text.rfind('}'); at != std::string_view::npos && end == std::string_view::npos;
       at = at > 0 ? text.rfind('}', at - 1) : std::string_view::npos) {
    const std::size_t close = skip_space(at + 1);
    if (close < text.size() && text[close] == ']') {
      end = close + 1;
      end_brace = at;
    }
  }
  if (end == std::string_view::npos) return text;
  for (std::size_t at = text.find('['); at != std::string_view::npos; at = text.find('[', at + 1)) {
    const std::size_t open = skip_space(at + 1);
    if (open < text.size() && text[open] == '{' && open < end_brace) return text.substr(at, end - at);
  }
  return text;
}

// The score of one criterion; throws a std::string with the problem.
double criterion_score(const Json& given, const Json& wanted, double& most) {
  if (!given.is_object() || !given.contains("name") || !given.contains("score"))
    throw std::string("an entry lacks name or score");
  const Json& score = given["score"];
  const Json& choices = field(wanted, "choices");
  // To Python, true is a number, too, and equals 1.
  if (!score.is_number() && !score.is_boolean()) throw std::string("a score is no number");
  const double value = score.is_boolean() ? (score.get<bool>() ? 1 : 0) : score.get<double>();
  bool allowed = false;
  double best = 0;
  for (const Json& choice : choices) {
    if (!choice.is_number()) continue;
    allowed = allowed || choice.get<double>() == value;
    best = std::max(best, choice.get<double>());
  }
  if (!allowed) throw std::string("a score is not among the criterion's choices");
  most += best;
  return value;
}

}  // namespace

// evaluation_rubrics.py, EVALUATE_SYS_PROMPT.
std::string_view rubric_system_prompt() {
  return "You are a impartial and meticulous AI evaluator. Your task is to assess a model's response to a question by "
         "evaluating "
         "its reasoning and its final answer. You must strictly follow the provided ground truth information and the detailed "
         "scoring rubric.";
}

std::string rubric_prompt(const Json& item) {
  std::string criteria, form;
  const Json& rubric = field(item, "rubric");
  for (std::size_t i = 0; i < rubric.size(); ++i) {
    if (i > 0) {
      criteria += "\n";
      form += "\n";
    }
    criteria += criterion(rubric[i]);
    form += answer_form(rubric[i], i + 1 < rubric.size() ? "," : "");
  }
  // Wording: evaluation_rubrics.py, create_evaluation_user_prompt.
  return clean(
      "## Ground Truth & Problem Context\n\n- Question: " + script_print(field(item, "question")) + "\n- Correct Answer: " +
      script_print(field(item, "answer")) + "\n- Ideal Reasoning (for reference): " + script_print(field(item, "thinking")) +
      "\n\n## Evaluation Rubric & Scoring\n\nFor each point in the rubric, provide a score and a brief justification based "
      "on the model's output.\n\n" +
      criteria +
      "\n\n## Required Output Format\n\nProvide your complete evaluation in a single, valid JSON object. Do not add any "
      "text before or after the JSON. The JSON structure must be as follows:\n\n[\n" +
      form + "\n]\n\n## Model's Submission to Evaluate\n\n- Model's Reasoning:\n" +
      script_print(field(item, "thinking_prediction")) + " The answer is " + script_print(field(item, "answer_prediction")) +
      ".\n");
}

RubricReply parse_rubric_reply(std::string_view reply, const Json& rubric) {
  try {
    const Json list = parse_json(list_part(reply), "the judge's reply");
    if (!list.is_array()) throw std::string("the reply is no JSON list");
    if (list.size() != rubric.size()) throw std::string("the reply has another number of entries than the rubric");
    double sum = 0, most = 0;
    for (std::size_t i = 0; i < list.size(); ++i) sum += criterion_score(list[i], rubric[i], most);
    return {most > 0 ? sum / most : 0, ""};
  } catch (const Error& e) {
    return {std::nullopt, e.what()};
  } catch (const std::string& problem) {
    return {std::nullopt, problem};
  }
}

double trimmed_mean(std::vector<double> scores) {
  if (scores.empty()) return 0;
  std::sort(scores.begin(), scores.end());
  const std::size_t drop = scores.size() >= 3 ? 1 : 0;
  double sum = 0;
  for (std::size_t i = drop; i + drop < scores.size(); ++i) sum += scores[i];
  return sum / static_cast<double>(scores.size() - 2 * drop);
}

}  // namespace areason
