#include "eval/run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/log.h"
#include "eval/prompts.h"
#include "eval/response.h"
#include "model/model_files.h"

namespace areason {
namespace {

namespace fs = std::filesystem;

std::string shard_suffix(const Shard& shard) {
  return shard.count == 1 ? "" : "-" + std::to_string(shard.index) + "-of-" + std::to_string(shard.count);
}

std::string predictions_path(const std::string& folder, const Shard& shard) {
  return folder + "/predictions" + shard_suffix(shard) + ".jsonl";
}

// What must be equal for answers to belong to one run.
Json identity(const Json& manifest) {
  Json out = Json::object();
  for (const char* key : {"benchmark", "data", "prompt", "limit", "model", "generation", "shards"})
    if (manifest.contains(key)) out[key] = manifest[key];
  out["data"].erase("path");  // a moved folder is the same data
  out["data"].erase("audio");
  if (out["model"].is_object()) out["model"].erase("path");
  return out;
}

void write_manifest(EvalRun& run) {
  const std::string path = run.folder + "/manifest.json";
  if (!fs::exists(path)) return write_file_atomic(path, dump_json(run.manifest, 2) + "\n");
  const Json there = read_json_file(path), want = identity(run.manifest), have = identity(there);
  for (const auto& [key, value] : want.items()) {
    if (have.contains(key) && have[key] == value) continue;
    throw Error(ErrorCode::kUsage, run.folder + " holds another run: its " + key + " differs",
                "name another folder with --out, or remove this one");
  }
  run.manifest = there;
}

std::string prompt_text(const RunOptions& options) {
  if (options.prompt_file.empty()) return std::string(find_prompt(options.source.benchmark, options.prompt).text);
  std::string text = read_file(options.prompt_file, std::uint64_t{1} << 20);
  if (!text.empty() && text.back() == '\n') text.pop_back();  // editors end a file with one
  return text;
}

void select_items(EvalRun& run, const std::string& text, long limit) {
  auto n = run.data.items.size();
  if (limit > 0) n = std::min(n, static_cast<std::size_t>(limit));
  for (std::size_t i = 0; i < n; ++i) {
    const BenchmarkItem& item = run.data.items[i];
    run.all.push_back({&item, render_prompt(text, item, run.counts).value_or("")});
    const auto place = static_cast<int>(i % static_cast<std::size_t>(run.shard.count)) + 1;
    if (place == run.shard.index) run.items.push_back(run.all.back());
  }
}

Json make_manifest(const RunOptions& options, const EvalRun& run, const std::string& prompt) {
  Json files = Json::array();
  for (const std::string& file : run.data.files) files.push_back(fs::path(file).filename().string());
  return {{"benchmark", options.source.benchmark},
          {"data",
           {{"path", fs::absolute(options.source.data).lexically_normal().string()},
            {"audio", options.source.audio.empty() ? "" : fs::absolute(options.source.audio).lexically_normal().string()},
            {"files", files},
            {"sha256", run.data.sha256},
            {"items", run.data.items.size()}}},
          {"prompt", {{"name", options.prompt_file.empty() ? options.prompt : "file"}, {"text", prompt}}},
          {"limit", options.limit},
          {"shards", options.shard.count},
          {"model", options.model},
          {"generation", options.generation},
          {"program", "audio-reasoner 0.1.0"}};
}

// The key under which the original's script looks for the reply; the judges' benchmarks have one for the model's words too.
std::string reply_key(const std::string& benchmark) {
  return benchmark == "airbench-chat" ? "response" : reply_keys(benchmark).front();
}

// Names the first clip that is missing; an error where there is no other.
void check_audio(const EvalRun& run, const ItemSource& source) {
  const BenchmarkItem* first = nullptr;
  std::size_t missing = 0, named = 0;
  for (const RunItem& item : run.all) {
    if (item.item->audio.empty()) continue;  // has no clip by its own fields: counted as bad_audio_field
    ++named;
    if (item.item->has_audio) continue;
    ++missing;
    if (first == nullptr) first = item.item;
  }
  if (missing == 0) return;
  const std::string where = source.audio.empty() ? "beside " + source.data : "under " + source.audio;
  const std::string text = fmt::format("{} of {} items have clips that are not there: {} of item {} is not {}", missing, named,
                                       first->audio.front(), first->id, where);
  if (missing == named) throw Error(ErrorCode::kInput, text, "name the folder of the clips with --audio");
  log_warning(text);
}

}  // namespace

Shard parse_shard(const std::string& text) {
  Shard shard;
  const auto slash = text.find('/');
  const char* const end = text.data() + text.size();
  if (slash != std::string::npos) {
    const auto first = std::from_chars(text.data(), text.data() + slash, shard.index);
    const auto second = std::from_chars(text.data() + slash + 1, end, shard.count);
    const bool whole =
        first.ptr == text.data() + slash && second.ptr == end && first.ec == std::errc() && second.ec == std::errc();
    if (whole && shard.index >= 1 && shard.index <= shard.count && shard.count <= 10000) return shard;
  }
  throw Error(ErrorCode::kUsage, "cannot read the shard \"" + text + "\"", "write for example --shard 1/4");
}

EvalRun open_run(const RunOptions& options) {
  EvalRun run;
  run.benchmark = options.source.benchmark;
  run.folder = options.out;
  run.shard = options.shard;
  run.predictions = predictions_path(options.out, options.shard);
  run.data = read_items(options.source, run.counts);
  const std::string text = prompt_text(options);
  select_items(run, text, options.limit);
  if (options.listens) check_audio(run, options.source);
  run.manifest = make_manifest(options, run, text);
  make_directories(run.folder);
  write_manifest(run);
  return run;
}

EvalRun reopen_run(const std::string& folder) {
  EvalRun run;
  run.folder = folder;
  run.manifest = read_json_file(folder + "/manifest.json");
  try {
    const Json& data = run.manifest.at("data");
    run.benchmark = run.manifest.at("benchmark").get<std::string>();
    run.shard.count = run.manifest.at("shards").get<int>();
    run.data = read_items({run.benchmark, data.at("path"), data.at("audio"), {}}, run.counts);
    if (run.data.sha256 != data.at("sha256").get<std::string>())
      throw Error(ErrorCode::kInput, data.at("path").get<std::string>() + " has changed since the run in " + folder,
                  "restore the file, or run again into another folder");
    const Shard shard = run.shard;
    run.shard = {1, 1};
    select_items(run, run.manifest.at("prompt").at("text").get<std::string>(), run.manifest.at("limit").get<long>());
    run.shard = shard;
  } catch (const Json::exception& e) {
    throw Error(ErrorCode::kInput, folder + "/manifest.json is not of a run: " + e.what(), "name a folder that eval run made");
  }
  run.predictions = predictions_path(folder, run.shard);
  return run;
}

std::string prediction_line(const EvalRun& run, const RunItem& item, const RunReply& reply) {
  Json line = item.item->fields;
  line["id"] = item.item->id;
  line[reply_key(run.benchmark)] = reply.text;
  line["run"] = {{"prompt", item.prompt}, {"finish", reply.finish}, {"audio", item.item->audio}};
  if (!reply.usage.is_null()) line["run"]["usage"] = reply.usage;
  if (reply.more.is_object()) line["run"].update(reply.more);
  return dump_json(line);
}

Predictions read_run(const EvalRun& run) {
  Predictions out;
  out.shards = run.shard.count;
  for (int i = 1; i <= run.shard.count; ++i) {
    const std::string path = predictions_path(run.folder, {i, run.shard.count});
    if (!fs::exists(path)) continue;
    ++out.shards_found;
    read_records(path, {}, out.counts, [&](Json&& line, std::size_t) {
      if (!line.contains("id") || !line["id"].is_string()) return out.counts.add("line_without_id");
      const std::string id = line["id"].get<std::string>();
      if (!out.lines.try_emplace(id, std::move(line)).second) out.counts.add("duplicate_id");
    });
  }
  return out;
}

BenchmarkScore score_run(const EvalRun& run, const RunScoreOptions& options) {
  Predictions predictions = read_run(run);
  Counts counts = run.counts;
  counts.add(predictions.counts);
  const auto scorer = make_scorer(options.score);
  const bool judged = run.benchmark == "airbench-chat";
  for (std::size_t i = 0; i < run.all.size(); ++i) {
    const BenchmarkItem& item = *run.all[i].item;
    const int shard = static_cast<int>(i % static_cast<std::size_t>(run.shard.count)) + 1;
    if (!fs::exists(predictions_path(run.folder, {shard, run.shard.count}))) continue;
    Prediction p{item.id, item.fields, std::nullopt};
    const auto line = predictions.lines.find(item.id);
    if (line == predictions.lines.end()) {
      counts.add("no_prediction");
    } else {
      const Json& about = line->second.value("run", Json::object());
      counts.add("finish_" + about.value("finish", std::string("unknown")));
      const Json& reply = line->second[reply_key(run.benchmark)];
      if (reply.is_string() && !judged) p.reply = reply.get<std::string>();
    }
    if (const auto more = options.extra.find(item.id); more != options.extra.end()) {
      p.item.update(more->second);
      if (judged && more->second.contains("gpt-score") && more->second["gpt-score"].is_string())
        p.reply = more->second["gpt-score"].get<std::string>();
    }
    scorer->add(p);
  }
  BenchmarkScore score = scorer->finish(counts);
  score.details["data_sha256"] = run.data.sha256;
  if (predictions.shards_found < predictions.shards)
    score.warnings.push_back(std::to_string(predictions.shards_found) + " of " + std::to_string(predictions.shards) +
                             " shards are there; the others' items are left out");
  return score;
}

RunLock::RunLock(const EvalRun& run) {
  const std::string path = run.predictions + ".lock";
  descriptor_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ >= 0 && flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  if (descriptor_ >= 0) close(descriptor_);
  throw Error(ErrorCode::kUsage, run.predictions + " is being written by another process",
              "wait for it, or give each process its own --shard");
}

RunLock::~RunLock() { close(descriptor_); }

Json describe_model(const std::string& dir, std::uint64_t hash_limit) {
  std::vector<fs::path> files;
  std::error_code ignored;
  const ModelFiles model = find_model_files(dir);
  if (model.is_gguf()) files = {model.text_gguf, model.mmproj_gguf};
  if (!model.dir.empty())
    for (const auto& entry : fs::directory_iterator(model.dir, ignored)) {
      const std::string name = entry.path().filename().string();
      if (name.ends_with(".safetensors") || name == "config.json" || name == "generation_config.json")
        files.push_back(entry.path());
    }
  std::sort(files.begin(), files.end());
  Json out = {{"kind", "engine"}, {"path", fs::absolute(dir).lexically_normal().string()}, {"files", Json::object()}};
  for (const fs::path& file : files) {
    const auto size = fs::file_size(file, ignored);
    Json about = {{"bytes", size}};
    if (size <= hash_limit) about["sha256"] = sha256_file(file.string());
    out["files"][file.filename().string()] = about;
  }
  return out;
}

}  // namespace areason
