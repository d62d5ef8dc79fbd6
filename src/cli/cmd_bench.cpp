// audio-reasoner bench: how fast a model runs here, beside what the machine allows.
#include "cli/cmd_bench.h"

#include <cstdio>
#include <fstream>
#include <memory>

#include "base/error.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/paths.h"

namespace areason {
namespace {

struct BenchFlags {
  BenchRunOptions run;
  BenchModelOptions model;
  bool json = false;
};

Json machine_json(const BenchMachine& machine) {
  return {{"isa", machine.isa},
          {"threads", machine.threads},
          {"read_bytes_per_second", machine.read},
          {"f32_operations_per_second", machine.f32},
          {"bf16_operations_per_second", machine.bf16},
          {"int8_operations_per_second", machine.int8}};
}

void print_machine(const BenchMachine& machine) {
  std::printf("machine: %s, %d threads; reads %.1f GB/s; f32 %.0f, bf16 %.0f, int8 %.0f Gop/s\n", machine.isa.c_str(),
              machine.threads, machine.read / 1e9, machine.f32 / 1e9, machine.bf16 / 1e9, machine.int8 / 1e9);
}

void print_result(const Json& item) {
  const std::string name = item["name"];
  if (name == "memory") {
    std::printf("memory: peak %.2f GB = weights %.2f + keys and values %.2f + other %.2f; %.0f KiB a token\n",
                item["peak_bytes"].get<double>() / 1e9, item["weight_bytes"].get<double>() / 1e9,
                item["kv_bytes"].get<double>() / 1e9, item["other_bytes"].get<double>() / 1e9,
                item["kv_bytes_per_token"].get<double>() / 1024);
    return;
  }
  std::printf("%-48s %8.3f s  %9.2f %s/s", name.c_str(), item["seconds"].get<double>(), item["rate"].get<double>(),
              item["unit"].get<std::string>().c_str());
  if (item.contains("limit")) std::printf("  limit %.2f  ratio %.2f", item["limit"].get<double>(), item["ratio"].get<double>());
  std::printf("\n");
}

// The machine's own measurement takes a gigabyte for a moment; the peak that is reported starts after it (proc(5)).
void forget_peak_memory() { std::ofstream("/proc/self/clear_refs") << "5"; }

void run(BenchFlags flags) {
  if (flags.run.model.empty()) flags.run.model = default_model_dir();
  const BenchMachine machine = measure_machine(flags.run.threads);
  forget_peak_memory();
  if (!flags.json) print_machine(machine);
  const Json results = run_bench(flags.run, machine);
  if (flags.json) {
    std::printf("%s\n",
                dump_json({{"model", flags.run.model}, {"machine", machine_json(machine)}, {"results", results}}).c_str());
    return;
  }
  for (const Json& item : results) print_result(item);
}

void run_machine(const BenchFlags& flags) {
  const BenchMachine machine = measure_machine(flags.run.threads);
  if (flags.json)
    std::printf("%s\n", dump_json(machine_json(machine)).c_str());
  else
    print_machine(machine);
}

void add_run_flags(CLI::App& command, BenchFlags& flags) {
  BenchRunOptions& run = flags.run;
  command.add_option("--model", run.model, "as for ask (default: the built-in nano)")->type_name("MODEL");
  command.add_option("--threads", run.threads, "0: all cores")
      ->type_name("N")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command.add_option("--repeat", run.repeat, "the best of so many runs counts")
      ->type_name("N")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command.add_option("--prefill", run.prefill, "lengths of prompts")
      ->type_name("N")
      ->delimiter(',')
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  command.add_option("--decode", run.decode, "tokens to decode, one at a time")
      ->type_name("N")
      ->check(CLI::Range(0, 1 << 20))
      ->capture_default_str();
  command.add_option("--context", run.context, "positions before the first decoded one")
      ->type_name("N")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  command.add_option("--batch", run.batch, "sequences that are decoded at once")
      ->type_name("N")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command.add_option("--audio", run.audio, "lengths of clips in seconds")
      ->type_name("S")
      ->delimiter(',')
      ->check(CLI::Range(0.1, 30.0))
      ->capture_default_str();
}

void add_make_model(CLI::App& bench, const std::shared_ptr<BenchFlags>& flags) {
  CLI::App* command = bench.add_subcommand("make-model", "a model of full size with random weights, as two GGUF files");
  BenchModelOptions& model = flags->model;
  command->add_option("--out", model.out, "directory to write model.gguf and mmproj.gguf into")->type_name("DIR")->required();
  command->add_option("--type", model.type, "format of the text model")
      ->type_name("TYPE")
      ->check(CLI::IsMember({"q4_0", "q8_0", "q4_k_m", "f16", "bf16"}))
      ->capture_default_str();
  command->add_option("--encoder-type", model.encoder_type, "format of the audio encoder")
      ->type_name("TYPE")
      ->check(CLI::IsMember({"f16", "bf16", "q8_0"}))
      ->capture_default_str();
  command->add_option("--layers", model.layers, "of the text model; fewer for short runs")
      ->type_name("N")
      ->check(CLI::Range(1, 128))
      ->capture_default_str();
  command->add_option("--encoder-layers", model.encoder_layers, "of the audio encoder")
      ->type_name("N")
      ->check(CLI::Range(1, 128))
      ->capture_default_str();
  command->callback([flags] { make_bench_model(flags->model); });
}

}  // namespace

void register_bench(CLI::App& app) {
  auto flags = std::make_shared<BenchFlags>();
  CLI::App* command = app.add_subcommand("bench", "how fast a model runs here, beside what the machine allows");
  command->require_subcommand(1);
  CLI::App* run_command = command->add_subcommand("run", "loading, prompts, decoding, encoder and memory of a model");
  add_run_flags(*run_command, *flags);
  run_command->add_flag("--json", flags->json, "one JSON object");
  run_command->callback([flags] { run(*flags); });
  CLI::App* machine = command->add_subcommand("machine", "memory bandwidth and arithmetic peaks of this machine alone");
  machine->add_option("--threads", flags->run.threads, "0: all cores")->type_name("N")->check(CLI::Range(0, 1024));
  machine->add_flag("--json", flags->json, "one JSON object");
  machine->callback([flags] { run_machine(*flags); });
  add_make_model(*command, flags);
}

}  // namespace areason
