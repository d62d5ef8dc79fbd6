#include "train/ranks.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "base/error.h"

#ifdef AREASON_MPI
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#include <mpi.h>
#pragma GCC diagnostic pop
#endif

namespace areason::train {
namespace {

// How many processes the starter says there are: OpenMPI, MPICH and Slurm.
int announced_processes() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"}) {
    if (const char* value = std::getenv(name)) return std::atoi(value);
  }
  return 1;
}

#ifdef AREASON_MPI
constexpr std::int64_t kPiece = std::int64_t{1} << 28;  // MPI counts in int

// A tensor where MPI can read it: itself, or a copy of a device's. back() brings what was received to the device.
class OnHost {
 public:
  explicit OnHost(const at::Tensor& tensor) : own_(tensor), host_(tensor.to(at::kCPU)) {}
  float* data() const { return host_.data_ptr<float>(); }
  std::int64_t size() const { return host_.numel(); }
  void back() {
    if (!own_.is_cpu()) own_.copy_(host_);
  }

 private:
  at::Tensor own_, host_;
};

class MpiRanks : public Ranks {
 public:
  MpiRanks() {
    int provided = 0;
    // torch's engine may run a backward pass, and with it the exchanges of a layer, on another thread than main's.
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
  }
  ~MpiRanks() override { MPI_Finalize(); }
  int rank() const override { return rank_; }
  int size() const override { return size_; }

  void sum_to(int owner, at::Tensor tensor) override {
    OnHost host(tensor);
    in_pieces(host, [&](float* data, int count) {
      if (rank_ == owner) {
        MPI_Reduce(MPI_IN_PLACE, data, count, MPI_FLOAT, MPI_SUM, owner, MPI_COMM_WORLD);
      } else {
        MPI_Reduce(data, nullptr, count, MPI_FLOAT, MPI_SUM, owner, MPI_COMM_WORLD);
      }
    });
    if (rank_ == owner) host.back();
  }
  void broadcast(int from, at::Tensor tensor) override {
    OnHost host(tensor);
    in_pieces(host, [&](float* data, int count) { MPI_Bcast(data, count, MPI_FLOAT, from, MPI_COMM_WORLD); });
    if (rank_ != from) host.back();
  }
  void send_to_first(int from, at::Tensor tensor) override {
    if (from == 0 || (rank_ != 0 && rank_ != from)) return;
    OnHost host(tensor);
    in_pieces(host, [&](float* data, int count) {
      if (rank_ == from) {
        MPI_Send(data, count, MPI_FLOAT, 0, 0, MPI_COMM_WORLD);
      } else {
        MPI_Recv(data, count, MPI_FLOAT, from, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      }
    });
    if (rank_ != from) host.back();
  }
  void all_gather(const at::Tensor& part, at::Tensor whole) override {
    const int count = part_count(part, whole);
    OnHost all(whole), own(part);
    auto* to = all.data();
    const auto* from = own.data();
    const bool in_place = from == to + static_cast<std::int64_t>(rank_) * count;
    MPI_Allgather(in_place ? MPI_IN_PLACE : from, count, MPI_FLOAT, to, count, MPI_FLOAT, MPI_COMM_WORLD);
    all.back();
  }
  void reduce_scatter(const at::Tensor& whole, at::Tensor part) override {
    const int count = part_count(part, whole);
    OnHost own(part);
    MPI_Reduce_scatter_block(OnHost(whole).data(), own.data(), count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    own.back();
  }
  void sum(std::vector<double>& values) override {
    // Gathered and added in order: the same bits on every rank.
    std::vector<double> all(values.size() * static_cast<std::size_t>(size_));
    const int count = static_cast<int>(values.size());
    MPI_Allgather(values.data(), count, MPI_DOUBLE, all.data(), count, MPI_DOUBLE, MPI_COMM_WORLD);
    std::fill(values.begin(), values.end(), 0.0);
    for (std::size_t i = 0; i < all.size(); ++i) values[i % values.size()] += all[i];
  }
  std::string from_first(const std::string& text) override {
    auto size = static_cast<std::uint64_t>(text.size());
    MPI_Bcast(&size, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD);
    std::string out = text;
    out.resize(size);
    MPI_Bcast(out.data(), static_cast<int>(size), MPI_CHAR, 0, MPI_COMM_WORLD);
    return out;
  }
  void end_all(int status) override { MPI_Abort(MPI_COMM_WORLD, status); }

 private:
  template <typename Body>
  static void in_pieces(const OnHost& host, const Body& body) {
    for (std::int64_t at = 0; at < host.size(); at += kPiece)
      body(host.data() + at, static_cast<int>(std::min(kPiece, host.size() - at)));
  }
  // Elements of a part; MPI counts them in int.
  int part_count(const at::Tensor& part, const at::Tensor& whole) const {
    if (part.numel() * size_ != whole.numel() || part.numel() > std::numeric_limits<int>::max())
      throw Error(ErrorCode::kFailure, "a part of " + std::to_string(part.numel()) + " elements cannot be exchanged",
                  "more ranks make parts smaller");
    return static_cast<int>(part.numel());
  }
  int rank_ = 0, size_ = 1;
};
#endif

}  // namespace

void Ranks::all_gather(const at::Tensor& part, at::Tensor whole) {
  if (part.data_ptr() != whole.data_ptr()) whole.copy_(part);
}
void Ranks::reduce_scatter(const at::Tensor& whole, at::Tensor part) { part.copy_(whole); }

bool built_with_mpi() {
#ifdef AREASON_MPI
  return true;
#else
  return false;
#endif
}

std::unique_ptr<Ranks> Ranks::join() {
  if (announced_processes() <= 1) return std::make_unique<Ranks>();
#ifdef AREASON_MPI
  return std::make_unique<MpiRanks>();
#else
  throw Error(ErrorCode::kUsage, "several processes were started, but the trainer is built without MPI",
              "install libopenmpi-dev and build again, or start it without mpirun");
#endif
}

}  // namespace areason::train
