// The NCCL path without NCCL: loaded by dlopen is nccl_over_mpi.cpp, two processes train on the second device through it.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <map>

#include "base/error.h"
#include "base/files.h"
#include "base/testing.h"
#include "train/device.h"
#include "train/nccl_ranks.h"
#include "train/second_device/second_device.h"
#include "train/second_device/trained.h"

namespace areason::train {
namespace {

CollectivesOptions nccl(const std::string& library) { return {Collectives::kNccl, library}; }

std::string refusal(const std::string& library, at::Device device) {
  auto ranks = std::make_unique<Ranks>();
  try {
    use_collectives(ranks, device, nccl(library));
  } catch (const Error& e) {
    return std::string(e.what()) + " | " + e.hint();
  }
  return "";
}

TEST(Nccl, AMissingLibraryIsNamed) {
  const std::string missing = refusal("libnccl-that-is-not-there.so.2", open_device(kSecondDevice));
  EXPECT_NE(missing.find("libnccl-that-is-not-there.so.2"), std::string::npos) << missing;
  EXPECT_NE(missing.find("--collectives mpi"), std::string::npos) << missing;
  // A library, but not NCCL.
  const std::string wrong = refusal("libm.so.6", open_device(kSecondDevice));
  EXPECT_NE(wrong.find("libm.so.6 has no function nccl"), std::string::npos) << wrong;
  EXPECT_NE(refusal(kNcclLibrary, at::kCPU).find("processor"), std::string::npos);
}

TEST(Nccl, OneProcessAndTheProcessorNeedNone) {
  auto ranks = std::make_unique<Ranks>();
  const Ranks* before = ranks.get();
  use_collectives(ranks, at::kCPU, {});
  use_collectives(ranks, open_device(kSecondDevice), {});
  EXPECT_EQ(ranks.get(), before);
}

// Runs in both processes that the next test starts.
TEST(InTwoRanks, DISABLED_NcclEqualsMpi) {
  std::unique_ptr<Ranks> ranks = Ranks::join();
  ASSERT_EQ(ranks->size(), 2);
  const at::Device device = open_device(kSecondDevice);
  std::map<int, TrainedModel> host, staged, over_nccl;
  TrainingCase c;
  for (const int stage : {1, 2, 3}) {
    c.stage = stage;
    c.device = at::kCPU;
    host[stage] = train_small(c, *ranks);
    c.device = device;
    staged[stage] = train_small(c, *ranks);
  }
  use_collectives(ranks, device, nccl(AREASON_NCCL_OVER_MPI));
  void* library = dlopen(AREASON_NCCL_OVER_MPI, RTLD_NOW | RTLD_NOLOAD);
  ASSERT_NE(library, nullptr);
  const auto calls = reinterpret_cast<int (*)()>(dlsym(library, "nccl_over_mpi_calls"));
  for (const int stage : {1, 2, 3}) {
    c.stage = stage;
    const int before = calls();
    over_nccl[stage] = train_small(c, *ranks);
    EXPECT_GT(calls(), before + c.steps) << "stage " << stage;
    EXPECT_EQ(over_nccl[stage].losses, staged[stage].losses);
    EXPECT_EQ(over_nccl[stage].norms, staged[stage].norms);
    for (std::size_t i = 0; i < host[stage].norms.size(); ++i)
      EXPECT_NEAR(over_nccl[stage].norms[i] / host[stage].norms[i], 1, 1e-4);
    if (!ranks->first()) continue;
    // The same sums in the same order; against the processor in another one.
    EXPECT_EQ(farthest(over_nccl[stage].values, staged[stage].values), 0) << "stage " << stage;
    EXPECT_EQ(farthest(over_nccl[stage].states, staged[stage].states), 0) << "stage " << stage;
    EXPECT_LT(farthest(over_nccl[stage].values, host[stage].values), 2e-3) << "stage " << stage;
  }
}

TEST(Nccl, TwoRanksThroughItEqualMpiSlow) {
  if (std::string(AREASON_MPIEXEC).empty())
    GTEST_SKIP() << "built without MPI: ranks are not tested (apt-get install libopenmpi-dev openmpi-bin)";
  const ScratchDir scratch;
  const std::string log = scratch.path() + "/log.txt", self = std::filesystem::read_symlink("/proc/self/exe");
  const std::string settings =
      "env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl_vader_single_copy_mechanism=none "
      "OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1 OMP_NUM_THREADS=1 ";
  const std::string command = settings + AREASON_MPIEXEC + " -n 2 --bind-to none '" + self +
                              "' --gtest_color=no --gtest_also_run_disabled_tests --gtest_filter='InTwoRanks.*' > '" + log +
                              "' 2>&1";
  const int status = ::system(command.c_str());
  const std::string said = read_file(log);
  EXPECT_EQ(status, 0) << said;
  EXPECT_NE(said.find("[  PASSED  ] 1 test"), std::string::npos) << said;
}

}  // namespace
}  // namespace areason::train
