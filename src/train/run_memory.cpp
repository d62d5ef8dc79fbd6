#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "base/error.h"
#include "base/log.h"
#include "train/device.h"
#include "train/plain/plan.h"
#include "train/run.h"

namespace areason::train {
namespace {

constexpr double kGiB = 1 << 30;

// Of /proc/meminfo, in bytes; 0 where there is none.
double available_memory() {
  std::ifstream in("/proc/meminfo");
  double kib = 0;
  for (std::string name, unit; in >> name >> kib; std::getline(in, unit)) {
    if (name == "MemAvailable:") return kib * 1024;
  }
  return 0;
}

// Ranks on this machine, as their starter says; all of them when it does not.
int ranks_here(int all) {
  for (const char* name : {"OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS", "SLURM_NTASKS_PER_NODE"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && std::atoi(value) > 0) return std::atoi(value);
  }
  return all;
}

}  // namespace

// Of this rank: what was given, what its device has free, or its share of the machine's.
double Run::free_memory() const {
  if (options_.memory_gib > 0) return options_.memory_gib * kGiB;
  const auto device = device_memory(device_);
  return device ? device->free : available_memory() / ranks_here(ranks_->size());
}

// What the device's tensors took at most, or else the process.
double Run::peak_memory() const {
  if (const auto device = device_memory(device_)) return device->peak / kGiB;
  struct rusage usage {};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / (1 << 20);  // Linux counts KiB
}

// Refuses before anything is allocated. Only what is certain counts: weights, gradients, master weights and states.
void Run::check_memory(const ModelConfig& config, at::ScalarType type) const {
  PlanOptions o;
  o.ranks = ranks_->size();
  o.precision = type == at::kFloat ? PlanPrecision::kF32 : PlanPrecision::kBf16Compute;
  const bool small = options_.optimizer.states == StateBits::k8;
  o.optimizer = options_.optimizer.muon ? PlanOptimizer::kMuon : small ? PlanOptimizer::kAdamW8 : PlanOptimizer::kAdamW;
  const bool recompute = options_.forward.activations == Activations::kRecompute;
  o.activations = recompute ? PlanActivations::kRecompute : PlanActivations::kKeep;
  o.sequence = static_cast<int>(std::min<std::int64_t>(options_.data_options.max_length, options_.data_options.micro_tokens));
  o.workers = workers_->size();
  if (!device_.is_cpu()) o.attention = PlanAttention::kFlash;
  const auto trains = [&](const char* part) {
    return std::find(options_.freeze.begin(), options_.freeze.end(), part) == options_.freeze.end();
  };
  o.train_tower = trains("audio_tower");
  o.train_projector = trains("projector");
  o.train_decoder = trains("decoder");
  o.lora_rank = options_.adapter.rank;
  o.fixed = std::uint64_t{256} << 20;
  const Plan plan = plan_memory(config, o);
  const int stage = ranks_->size() == 1 && options_.zero < 2 ? 0 : options_.zero;
  const PlanRow& row = plan.rows[static_cast<std::size_t>(stage)];
  const double own = free_memory();
  const double need = static_cast<double>(row.lasting());
  log_info(fmt::format(
      "memory of a rank: {:.2f} GiB for weights, gradients and states, about {:.2f} GiB in all; {:.2f} GiB are free",
      need / kGiB, static_cast<double>(row.total()) / kGiB, own / kGiB));
  if (own <= 0 || need <= own) return;
  throw Error(
      ErrorCode::kUsage,
      fmt::format("this run does not fit: weights, gradients and states of a rank take {:.2f} GiB, {:.2f} GiB are there",
                  need / kGiB, own / kGiB),
      "more ranks, --zero 2 or 3, --freeze or --lora-rank; `audio-reasoner train plan` shows the table");
}

}  // namespace areason::train
