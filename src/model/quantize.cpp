#include "model/quantize.h"

#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "base/thread_pool.h"
#include "kernels/quant_blocks.h"
#include "model/gguf_plan.h"

namespace areason {
namespace {

namespace fs = std::filesystem;

// Values converted between two writes: enough work for all cores, little memory (16 MB of f32).
constexpr std::size_t kPiece = std::size_t{1} << 22;
// Plain numbers have no rows that matter: they go in runs of this many.
constexpr std::size_t kRun = 4096;

// Sums over one row; added up in the order of the rows, so that the report does not depend on the number of threads.
struct RowSums {
  double squared_error = 0, max_error = 0, source = 0, stored = 0, product = 0;
  bool finite = true;

  void add(const RowSums& other) {
    squared_error += other.squared_error;
    max_error = std::max(max_error, other.max_error);
    source += other.source;
    stored += other.stored;
    product += other.product;
    finite = finite && other.finite;
  }
};

RowSums compare(std::span<const float> source, std::span<const float> stored) {
  RowSums sums;
  for (std::size_t i = 0; i < source.size(); ++i) {
    const double a = static_cast<double>(source[i]), b = static_cast<double>(stored[i]), error = a - b;
    sums.squared_error += error * error;
    sums.max_error = std::max(sums.max_error, std::fabs(error));
    sums.source += a * a;
    sums.stored += b * b;
    sums.product += a * b;
  }
  sums.finite = std::isfinite(sums.squared_error);
  return sums;
}

Json error_to_json(const TensorError& error) {
  return {{"name", error.name}, {"type", error.type},         {"shape", error.shape}, {"bytes", error.bytes},
          {"rmse", error.rmse}, {"relative", error.relative}, {"max", error.max},     {"cosine", error.cosine}};
}

TensorError error_from_json(const Json& json) {
  return {json.at("name"), json.at("type"),     json.at("shape"), json.at("bytes"),
          json.at("rmse"), json.at("relative"), json.at("max"),   json.at("cosine")};
}

// Lines of FILE.errors.jsonl: what was converted into what, then one tensor a line as soon as it is on the disk.
class Journal {
 public:
  Journal(const std::string& file, Json about) : path_(file + ".errors.jsonl"), about_(dump_json(about)) {}

  // The tensors of an earlier run of the same conversion. A torn last line counts as not written.
  std::vector<TensorError> read() const {
    std::vector<TensorError> out;
    std::ifstream in(path_);
    std::string line;
    if (!std::getline(in, line) || line != about_) return out;
    while (std::getline(in, line) && !in.eof()) {
      try {
        out.push_back(error_from_json(parse_json(line, path_)));
      } catch (const std::exception&) {
        break;
      }
    }
    return out;
  }
  void start(std::span<const TensorError> known) {
    std::string text = about_ + "\n";
    for (const auto& error : known) text += dump_json(error_to_json(error)) + "\n";
    write_file_atomic(path_, text);
    out_.open(path_, std::ios::app);
  }
  void add(const TensorError& error) {
    out_ << dump_json(error_to_json(error)) << '\n' << std::flush;
    if (!out_) throw Error(ErrorCode::kFailure, "cannot write " + path_, "check the free space");
  }

 private:
  std::string path_;
  std::string about_;
  std::ofstream out_;
};

// What a conversion is made from: names, sizes and times of the weights' files.
Json source_of(const std::string& dir) {
  Json out = Json::array();
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(dir, ignored))
    if (entry.path().extension() == ".safetensors") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0) continue;
    out.push_back({{"file", file.filename().string()},
                   {"bytes", info.st_size},
                   {"modified", static_cast<std::int64_t>(info.st_mtim.tv_sec) * 1'000'000'000 + info.st_mtim.tv_nsec}});
  }
  return out;
}

class Converter {
 public:
  explicit Converter(const QuantizeOptions& options) : options_(options), pool_(options.threads) {}

  void plan_bytes(std::uint64_t total) { progress_.bytes_total = total; }
  ConvertedFile convert(const std::string& path, const GgufPlan& plan, const Json& source);

 private:
  struct Task {
    const StoredTensor& source;
    const GgufPlace& place;
  };
  TensorError convert_tensor(const Task& task, GgufWriter& writer);
  RowSums convert_piece(const Task& task, std::size_t from, std::span<std::byte> out);
  void report(const Task& task) {
    progress_.bytes_done += task.source.data.size();
    progress_.tensor = task.place.name;
    if (options_.progress) options_.progress(progress_);
  }

  const QuantizeOptions& options_;
  ThreadPool pool_;
  QuantizeProgress progress_;
};

std::size_t elements_of(const StoredTensor& tensor) {
  std::size_t count = 1;
  for (const std::int64_t dim : tensor.shape) count *= static_cast<std::size_t>(dim);
  return count;
}

// Length of what is converted at once: a row where blocks may not cross its end.
std::size_t row_length(const GgufPlace& place, std::size_t elements) {
  if (gguf_type_info(place.type).block > 1) return static_cast<std::size_t>(place.shape.back());
  return std::max<std::size_t>(std::min(elements, kRun), 1);
}

// Values from `from` on, as many as fit into `out`.
RowSums Converter::convert_piece(const Task& task, std::size_t from, std::span<std::byte> out) {
  const GgufTypeInfo& info = gguf_type_info(task.place.type);
  const WeightType target = *weight_type_of(info);
  const std::size_t length = row_length(task.place, elements_of(task.source)), count = out.size() / info.bytes * info.block;
  const std::size_t rows = (count + length - 1) / length;
  std::vector<RowSums> sums(rows);
  pool_.parallel_for(rows, 1, [&](std::size_t begin, std::size_t end) {
    std::vector<float> values(length), stored(length);
    for (std::size_t r = begin; r < end; ++r) {
      const std::size_t n = std::min(length, count - r * length), at = from + r * length;
      const int k = static_cast<int>(n);
      // The source is in plain numbers (the plan has checked): any run of it can be read alone.
      dequantize_row(*task.source.type, task.source.data.data() + at * block_bytes(*task.source.type), k, values.data());
      if (std::any_of(values.begin(), values.begin() + k, [](float v) { return !std::isfinite(v); })) {
        sums[r].finite = false;
        continue;
      }
      std::byte* row = out.data() + r * length / info.block * info.bytes;
      quantize_row(target, values.data(), k, row);
      dequantize_row(target, row, k, stored.data());
      sums[r] = compare(std::span(values).first(n), std::span(stored).first(n));
    }
  });
  RowSums all;
  for (const auto& row : sums) all.add(row);
  return all;
}

TensorError Converter::convert_tensor(const Task& task, GgufWriter& writer) {
  const GgufTypeInfo& info = gguf_type_info(task.place.type);
  const std::size_t elements = elements_of(task.source), length = row_length(task.place, elements);
  const std::size_t piece = std::max<std::size_t>(kPiece / length, 1) * length;
  std::vector<std::byte> out;
  RowSums sums;
  for (std::size_t from = 0; from < elements; from += piece) {
    throw_if_interrupted();
    const std::size_t count = std::min(piece, elements - from);
    out.resize(count / info.block * info.bytes);
    sums.add(convert_piece(task, from, out));
    if (!sums.finite)
      throw Error(
          ErrorCode::kModel,
          task.source.file + ": tensor " + task.source.name + " holds values that are not finite or too large for " + info.name,
          "try --type bf16, or repair the checkpoint");
    writer.append(out);
    forget_pages(task.source.data.subspan(from * block_bytes(*task.source.type), count * block_bytes(*task.source.type)));
  }
  TensorError error{task.place.name, info.name, task.place.shape, task.place.bytes};
  const double n = static_cast<double>(std::max<std::size_t>(elements, 1));
  error.rmse = std::sqrt(sums.squared_error / n);
  error.max = sums.max_error;
  if (sums.source > 0) error.relative = std::sqrt(sums.squared_error / sums.source);
  if (sums.source > 0 && sums.stored > 0) error.cosine = std::min(1.0, sums.product / std::sqrt(sums.source * sums.stored));
  return error;
}

ConvertedFile Converter::convert(const std::string& path, const GgufPlan& plan, const Json& source) {
  const auto& places = plan.head.tensors();
  Journal journal(path, {{"source", source}, {"head", sha256_hex(plan.head.bytes())}, {"tensors", places.size()}});
  ConvertedFile out{path, plan.head.bytes().size() + plan.head.data_bytes(), 0, journal.read()};
  const auto skip = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) report({*plan.sources[i], places[i]});
  };
  std::error_code ignored;
  if (fs::exists(path, ignored)) {
    if (out.tensors.size() == places.size() && fs::file_size(path, ignored) == out.bytes) {
      skip(places.size());
      out.resumed = places.size();
      return out;
    }
    if (options_.existing == ExistingOutput::kKeep)
      throw Error(ErrorCode::kUsage, path + " exists and is another conversion's",
                  "name another --out, or replace it with --force");
    fs::remove(path);
  }
  GgufWriter writer(path, plan.head);
  out.resumed = writer.resume(out.tensors.size());
  out.tensors.resize(out.resumed);
  journal.start(out.tensors);
  skip(out.resumed);
  for (std::size_t i = out.resumed; i < places.size(); ++i) {
    const Task task{*plan.sources[i], places[i]};
    out.tensors.push_back(convert_tensor(task, writer));
    writer.end_tensor();
    journal.add(out.tensors.back());
    report(task);
  }
  writer.finish();
  return out;
}

struct Outputs {
  std::string text, mmproj;
};

Outputs outputs_of(const QuantizeOptions& options) {
  const fs::path out(options.out);
  if (out.extension() != ".gguf") return {(out / "model.gguf").string(), (out / "mmproj.gguf").string()};
  return {out.string(), (out.parent_path() / ("mmproj-" + out.filename().string())).string()};
}

// The files around the weights, so that the directory is a model by itself.
void copy_side_files(const std::string& from, const std::string& to) {
  for (const char* name : {"config.json", "generation_config.json", "preprocessor_config.json", "processor_config.json",
                           "tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "added_tokens.json",
                           "special_tokens_map.json", "chat_template.jinja", "chat_template.json"}) {
    std::error_code ignored;
    const fs::path source = fs::path(from) / name;
    if (fs::exists(source, ignored)) write_file_atomic((fs::path(to) / name).string(), read_file(source.string()));
  }
}

std::uint64_t source_bytes(const GgufPlan& plan) {
  std::uint64_t total = 0;
  for (const StoredTensor* tensor : plan.sources) total += tensor->data.size();
  return total;
}

}  // namespace

std::vector<ConvertedFile> quantize_model(const QuantizeOptions& options) {
  const ModelFiles files = find_model_files(options.model_dir);
  if (files.is_gguf())
    throw Error(ErrorCode::kUsage, options.model_dir + " is in GGUF already", "name the directory of the released checkpoint");
  const ModelConfig config = load_model_config(options.model_dir);
  const StoredTensors tensors = StoredTensors::open(files);
  const PlanInput input{options.model_dir, config, tensors};
  const GgufPlan text = plan_text_model(input, options.type), mmproj = plan_mmproj(input, options.mmproj_type);
  const Outputs outputs = outputs_of(options);
  make_directories(parent_directory(outputs.text));
  if (fs::path(options.out).extension() != ".gguf") copy_side_files(options.model_dir, options.out);

  Converter converter(options);
  converter.plan_bytes(source_bytes(text) + source_bytes(mmproj));
  const Json source = source_of(options.model_dir);
  std::vector<ConvertedFile> out;
  out.push_back(converter.convert(outputs.text, text, source));
  out.push_back(converter.convert(outputs.mmproj, mmproj, source));
  return out;
}

Json converted_to_json(const std::vector<ConvertedFile>& files) {
  Json out = Json::array();
  for (const auto& file : files) {
    Json tensors = Json::array();
    for (const auto& error : file.tensors) tensors.push_back(error_to_json(error));
    out.push_back({{"path", file.path}, {"bytes", file.bytes}, {"resumed", file.resumed}, {"tensors", tensors}});
  }
  return {{"files", out}};
}

}  // namespace areason
