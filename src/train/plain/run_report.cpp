#include "train/plain/run_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <sstream>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

namespace areason::train {
namespace {

using Series = std::map<std::int64_t, double>;  // step -> value

struct RunLog {
  std::map<std::string, Series> series;  // by key
  std::map<std::string, double> tasks;   // of the last evaluation
  std::int64_t skipped = 0, steps = 0;
  Json end;  // the last line of a finished part of the run
};

std::int64_t step_of(const Json& line) {
  const auto it = line.find("global_step/max_steps");
  return it != line.end() && it->is_string() ? std::atoll(it->get<std::string>().c_str()) : 0;
}

void add_line(const Json& line, RunLog& log) {
  if (line.contains("skipped_step")) ++log.skipped;
  if (line.contains("last_model_checkpoint")) log.end = line;
  const std::int64_t step = step_of(line);
  if (step == 0) return;
  log.steps = std::max(log.steps, step);
  for (const auto& [key, value] : line.items()) {
    if (value.is_number()) log.series[key][step] = value.get<double>();
  }
  const auto tasks = line.find("eval_task_acc");
  if (tasks == line.end() || !tasks->is_object()) return;
  log.tasks.clear();
  for (const auto& [task, value] : tasks->items()) {
    if (value.is_number()) log.tasks[task] = value.get<double>();
  }
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : std::string(1, c);
  return out;
}

struct Line {
  const Series* points;
  const char* name;
  const char* colour;
};

struct Box {
  double left = 1e300, right = -1e300, low = 1e300, high = -1e300;
};

Box box_of(const std::vector<Line>& lines) {
  Box b;
  for (const Line& line : lines) {
    for (const auto& [step, value] : *line.points) {
      if (!std::isfinite(value)) continue;
      b.left = std::min(b.left, static_cast<double>(step));
      b.right = std::max(b.right, static_cast<double>(step));
      b.low = std::min(b.low, value);
      b.high = std::max(b.high, value);
    }
  }
  if (b.right <= b.left) b.right = b.left + 1;
  if (b.high <= b.low) b.high = b.low + std::max(1e-12, std::abs(b.low) * 0.1);
  return b;
}

constexpr int kWidth = 640, kHeight = 220, kLeft = 70, kBottom = 24;

std::string path_of(const Series& points, const Box& b) {
  std::string out;
  for (const auto& [step, value] : points) {
    if (!std::isfinite(value)) continue;
    const double x = kLeft + (static_cast<double>(step) - b.left) / (b.right - b.left) * (kWidth - kLeft - 10);
    const double y = 10 + (b.high - value) / (b.high - b.low) * (kHeight - kBottom - 20);
    out += fmt::format("{}{:.1f},{:.1f}", out.empty() ? "" : " ", x, y);
  }
  return out;
}

// One plot with its lines; "" when there is nothing to draw.
std::string plot(const std::string& title, std::vector<Line> lines) {
  std::erase_if(lines, [](const Line& line) { return line.points->empty(); });
  if (lines.empty()) return "";
  const Box b = box_of(lines);
  if (b.low > b.high) return "";
  std::string out =
      fmt::format("<h2>{}</h2>\n<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n", title, kWidth, kHeight, title);
  out += fmt::format("<rect x=\"{}\" y=\"10\" width=\"{}\" height=\"{}\" class=\"frame\"/>\n", kLeft, kWidth - kLeft - 10,
                     kHeight - kBottom - 20);
  out += fmt::format(
      "<text x=\"{}\" y=\"18\" text-anchor=\"end\">{:.4g}</text><text x=\"{}\" y=\"{}\" text-anchor=\"end\">{:.4g}</text>\n",
      kLeft - 6, b.high, kLeft - 6, kHeight - kBottom - 8, b.low);
  out += fmt::format("<text x=\"{}\" y=\"{}\">step {:.0f}</text><text x=\"{}\" y=\"{}\" text-anchor=\"end\">{:.0f}</text>\n",
                     kLeft, kHeight - 8, b.left, kWidth - 10, kHeight - 8, b.right);
  std::string legend;
  for (const Line& line : lines) {
    out += fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\"/>\n", path_of(*line.points, b),
                       line.colour);
    legend += fmt::format("<span style=\"color:{}\">■</span> {} (last {:.4g}) ", line.colour, line.name,
                          line.points->rbegin()->second);
  }
  return out + "</svg>\n<p>" + legend + "</p>\n";
}

std::string task_table(const std::map<std::string, double>& tasks, const char* meaning) {
  if (tasks.empty()) return "";
  std::string out = "<h2>Right responses by task, last evaluation</h2>\n<table>\n";
  for (const auto& [task, value] : tasks)
    out += fmt::format("<tr><td>{}</td><td>{:.1f} %</td><td><div class=\"bar\" style=\"width:{:.0f}px\"></div></td></tr>\n",
                       escaped(task), 100 * value, 300 * std::clamp(value, 0.0, 1.0));
  return out + "</table>\n<p>" + meaning + "</p>\n";
}

// Does the log come from `--method grpo`?
bool reinforced(const RunLog& log) {
  const auto it = log.series.find("reward");
  return it != log.series.end() && !it->second.empty();
}

std::string ending(const RunLog& log) {
  std::string out = fmt::format("<p>{} steps, {} of them skipped.", log.steps, log.skipped);
  if (log.end.contains("left_out")) out += " Left out: " + escaped(dump_json(log.end["left_out"])) + ".";
  if (log.end.contains("best_metric") && log.end["best_metric"].is_number()) {
    const double best = log.end["best_metric"].get<double>();
    out += reinforced(log) ? fmt::format(" Best share of right answers, held out: {:.1f} %.", 100 * (1 - best))
                           : fmt::format(" Best held-out loss {:.4f}.", best);
  }
  return out + "</p>\n";
}

}  // namespace

std::string run_report(const std::string& run_dir) {
  const std::string path = run_dir + "/logging.jsonl";
  std::istringstream in(read_file(path));
  RunLog log;
  for (std::string text; std::getline(in, text);) {
    const Json line = Json::parse(text, nullptr, false);
    if (line.is_object()) add_line(line, log);
  }
  if (log.series.empty()) throw Error(ErrorCode::kInput, path + " holds no steps", "name the --out folder of a training run");
  auto& s = log.series;
  std::string out =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Training run</title>\n<style>body{font:15px "
      "sans-serif;max-width:720px;margin:2em auto}svg{width:100%}svg text{font-size:11px}.frame{fill:none;stroke:#999}"
      ".bar{height:10px;background:#36c}td{padding:0 8px}</style></head><body>\n";
  out += "<h1>" + escaped(run_dir) + "</h1>\n" + ending(log);
  out += plot("Reward", {{&s["reward"], "mean", "#36c"},
                         {&s["reward_std"], "deviation within groups", "#393"},
                         {&s["frac_reward_zero_std"], "share of groups with equal rewards", "#999"}});
  out += plot("Parts of the reward, unweighted", {{&s["rewards/answer/mean"], "answer", "#36c"},
                                                  {&s["rewards/structure/mean"], "structure", "#999"},
                                                  {&s["rewards/caption/mean"], "caption", "#393"},
                                                  {&s["rewards/length/mean"], "length", "#c33"}});
  out += plot("Right answers, held out", {{&s["eval_answer_acc"], "best token", "#c33"}});
  out += plot("Divergence from the reference", {{&s["kl"], "nats a token", "#36c"}});
  out += plot("Tokens of an answer", {{&s["completions/mean_length"], "mean", "#36c"}});
  out += plot("Loss", {{&s["loss"], "training", "#36c"}, {&s["eval_loss"], "held out", "#c33"}});
  out += plot("Token accuracy", {{&s["token_acc"], "training", "#36c"}, {&s["eval_token_acc"], "held out", "#c33"}});
  out += plot("Right responses", {{&s["response_acc"], "training", "#36c"}, {&s["eval_response_acc"], "held out", "#c33"}});
  out += task_table(log.tasks, reinforced(log)
                                   ? "The best token each time; right as `data score` counts it."
                                   : "A response is right when every token of it has the largest logit, the true chain being "
                                     "given.");
  out += plot("Learning rate", {{&s["learning_rate"], "decoder", "#36c"}});
  out += plot("Gradient norm before clipping", {{&s["grad_norm"], "training", "#36c"}});
  out += plot("Tokens per second", {{&s["tokens/s"], "training", "#36c"}});
  return out + "</body></html>\n";
}

}  // namespace areason::train
