// audio-reasoner quantize: a released checkpoint as GGUF files, with what every tensor lost.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/commands.h"
#include "model/quantize.h"

namespace areason {
namespace {

struct QuantizeFlags {
  QuantizeOptions options;
  std::string type = "q8_0";
  std::string mmproj_type;
  bool force = false;
  bool json = false;
};

GgufType type_of(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return gguf_type_named(name).value_or(GgufType::kF32);  // the flag's check knows the names
}

// Four bits are too few for the audio tower: it stays at eight, as is usual for mmproj files.
std::string default_mmproj_type(const std::string& type) { return type == "q4_0" ? "q8_0" : type; }

// One line on a terminal, rewritten; a line of the log every two seconds elsewhere.
class ByteProgress {
 public:
  void operator()(const QuantizeProgress& progress) {
    const auto now = std::chrono::steady_clock::now();
    const bool last = progress.bytes_done >= progress.bytes_total;
    if (!last && now - reported_ < std::chrono::seconds(2)) return;
    reported_ = now;
    const double share = static_cast<double>(progress.bytes_done) / std::max(static_cast<double>(progress.bytes_total), 1.0);
    const std::string line = fmt::format("{:.1f} of {:.1f} MB read ({:.0f} %), {}", megabytes(progress.bytes_done),
                                         megabytes(progress.bytes_total), 100.0 * share, progress.tensor);
    if (isatty(STDERR_FILENO) != 0)
      std::cerr << "\r" << line << "\033[K" << (last ? "\n" : "") << std::flush;
    else
      log_info(line);
  }
  static double megabytes(std::uint64_t bytes) { return static_cast<double>(bytes) / 1e6; }

 private:
  std::chrono::steady_clock::time_point reported_ = std::chrono::steady_clock::now();
};

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t dim : shape) text += (text.empty() ? "" : "x") + std::to_string(dim);
  return text;
}

void print_report(const std::vector<ConvertedFile>& files) {
  for (const auto& file : files) {
    std::cout << fmt::format("{}: {:.1f} MB, {} tensors\n", file.path, ByteProgress::megabytes(file.bytes),
                             file.tensors.size());
    std::cout << fmt::format("{:<28} {:<5} {:>13} {:>10} {:>9} {:>10} {:>11}\n", "tensor", "type", "shape", "rmse", "relative",
                             "max", "1 - cosine");
    for (const auto& error : file.tensors)
      std::cout << fmt::format("{:<28} {:<5} {:>13} {:>10.3g} {:>9.3g} {:>10.3g} {:>11.3g}\n", error.name, error.type,
                               shape_text(error.shape), error.rmse, error.relative, error.max, 1.0 - error.cosine);
  }
  std::cout.flush();
}

void run_quantize(QuantizeFlags& flags) {
  QuantizeOptions& options = flags.options;
  options.type = type_of(flags.type);
  options.mmproj_type = type_of(flags.mmproj_type.empty() ? default_mmproj_type(flags.type) : flags.mmproj_type);
  options.existing = flags.force ? ExistingOutput::kReplace : ExistingOutput::kKeep;
  ByteProgress progress;
  options.progress = std::ref(progress);
  const auto files = quantize_model(options);
  for (const auto& file : files)
    if (file.resumed > 0)
      log_info(
          fmt::format("{}: {} of {} tensors were there from an earlier run", file.path, file.resumed, file.tensors.size()));
  if (flags.json)
    std::cout << dump_json(converted_to_json(files), 2) << std::endl;
  else
    print_report(files);
}

}  // namespace

void register_quantize(CLI::App& app) {
  auto flags = std::make_shared<QuantizeFlags>();
  CLI::App* command = app.add_subcommand(
      "quantize",
      "a checkpoint as GGUF files (text model and mmproj) for this program and llama.cpp, with each tensor's error");
  command->add_option("model", flags->options.model_dir, "checkpoint directory, as released (safetensors)")
      ->type_name("MODEL_DIR")
      ->required();
  command
      ->add_option(
          "--out", flags->options.out,
          "a directory, which becomes a model by itself; or the text model's FILE.gguf, with mmproj-FILE.gguf beside it")
      ->type_name("DIR|FILE")
      ->required();
  const CLI::IsMember types({"q8_0", "q4_0", "f16", "bf16", "f32"});
  command->add_option("--type", flags->type, "format of the text model's matrices (q4_0: the output head is q8_0)")
      ->type_name("TYPE")
      ->check(types)
      ->capture_default_str();
  command
      ->add_option("--mmproj-type", flags->mmproj_type, "format of the audio tower's matrices (default: --type, for q4_0 q8_0)")
      ->type_name("TYPE")
      ->check(types);
  command->add_option("--threads", flags->options.threads, "threads (default: all cores)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
  command->add_flag("--force", flags->force, "replace finished files of another conversion");
  command->add_flag("--json", flags->json, "the report as JSON");
  command->footer(
      "Memory does not grow with the model. A conversion that was stopped (Ctrl-C, a crash) goes on where it was when the "
      "same\n"
      "command is given again, and ends in the same bytes. FILE.errors.jsonl keeps each tensor's error beside each file.");
  command->callback([flags] { run_quantize(*flags); });
}

}  // namespace areason
