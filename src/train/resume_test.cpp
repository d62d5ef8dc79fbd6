// A run that is killed and started again ends with the same weights as one that was not. Runs the program itself on a tiny
// model and generated tones.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/testing.h"
#include "model/safetensors.h"
#include "train/checkpoint.h"
#include "train/testing_run.h"

namespace areason::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPreset =
    R"({"flags": {"data": "data.jsonl", "val": "data.jsonl", "config": "config.json", "tokenizer": "tok",
 "threads": 1, "precision": "f32", "save-dtype": "f32", "batch-samples": 4, "max-steps": 60, "save-every": 4, "eval-every": 12,
 "log-every": 4, "keep": 3, "dropout": 0.1, "time-masks": 1, "warmup": 3, "max-length": 1024}})";

class Resume : public testing::Test {
 protected:
  void SetUp() override {
    write_small_run(dir_);
    write_file_atomic(dir_ / "preset.json", kPreset);
  }

  // Flags in `more` replace those of the preset.
  pid_t start(const std::string& out, const std::vector<std::string>& more, rlim_t file_limit = RLIM_INFINITY) const {
    std::vector<std::string> args = {AREASON_TRAIN_PROGRAM, "--preset", "preset.json", "--out", out};
    args.insert(args.end(), more.begin(), more.end());
    return start_program(args, file_limit);
  }
  pid_t start_program(std::vector<std::string> args, rlim_t file_limit) const {
    std::vector<char*> argv;
    for (std::string& a : args) argv.push_back(a.data());
    argv.push_back(nullptr);
    const pid_t pid = ::fork();
    if (pid == 0) {
      const int log = ::open((dir_ / "log.txt").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
      ::dup2(log, 2);
      if (::chdir(dir_.c_str()) != 0) ::_exit(126);
      // A full disk, for this process: writes beyond the limit fail as those to a full disk do.
      const struct rlimit limit = {file_limit, file_limit};
      const bool limited = file_limit != RLIM_INFINITY;
      if (limited && (::setrlimit(RLIMIT_FSIZE, &limit) != 0 || ::signal(SIGXFSZ, SIG_IGN) == SIG_ERR)) ::_exit(126);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    return pid;
  }
  int run(const std::string& out, const std::vector<std::string>& more) const {
    const int status = wait(start(out, more));
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  // Until the file is there or the run has ended; a machine that others use may need a minute.
  static void wait_for(const std::string& file, pid_t pid) {
    siginfo_t ended{};
    while (!fs::exists(file) && ::waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           ended.si_pid == 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  std::string log() const { return read_file(dir_ / "log.txt"); }
  static int wait(pid_t pid) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    return status;
  }
  // Waits until the file is there or the process has ended, however slow the machine is; false when it ended without it.
  static bool appears(const std::string& path, pid_t pid) {
    while (!fs::exists(path)) {
      siginfo_t info = {};
      ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT);
      if (info.si_pid == pid) return fs::exists(path);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }
  std::string weights(const std::string& out) const { return sha256_file(out + "/checkpoint-60/optimizer.safetensors"); }

  const ScratchDir scratch_;
  const fs::path dir_ = scratch_.path();
};

TEST_F(Resume, AKilledRunEndsWithTheSameWeights) {
  const std::string whole = dir_ / "whole", parts = dir_ / "parts";
  ASSERT_EQ(wait(start(whole, {})), 0) << read_file(dir_ / "log.txt");
  // By itself it would stop at step 40: however late the signal comes, the run is not finished.
  const pid_t pid = start(parts, {"--stop-after", "40"});
  wait_for(parts + "/checkpoint-8", pid);
  ::kill(pid, SIGKILL);
  wait(pid);
  ASSERT_TRUE(newest_checkpoint(parts).has_value());
  ASSERT_FALSE(fs::exists(parts + "/checkpoint-60"));
  ASSERT_EQ(wait(start(parts, {})), 0) << read_file(dir_ / "log.txt");
  EXPECT_EQ(weights(parts), weights(whole));
  EXPECT_TRUE(fs::exists(parts + "/best/model.safetensors"));
}

TEST_F(Resume, SigtermSavesAndAStoppedRunGoesOn) {
  const std::string whole = dir_ / "whole", parts = dir_ / "parts";
  ASSERT_EQ(wait(start(whole, {})), 0) << read_file(dir_ / "log.txt");
  ASSERT_EQ(wait(start(parts, {"--stop-after", "5"})), 0) << read_file(dir_ / "log.txt");
  EXPECT_TRUE(fs::exists(parts + "/checkpoint-5"));
  const pid_t pid = start(parts, {});
  wait_for(parts + "/checkpoint-8", pid);
  ::kill(pid, SIGTERM);
  const int status = wait(pid);
  EXPECT_TRUE(WIFEXITED(status));
  ASSERT_EQ(wait(start(parts, {})), 0) << read_file(dir_ / "log.txt");
  EXPECT_EQ(weights(parts), weights(whole));
}

TEST_F(Resume, ARunThatCannotFitIsRefusedBeforeItStarts) {
  const std::string out = dir_ / "large";
  EXPECT_EQ(run(out, {"--memory", "0.0001"}), static_cast<int>(ErrorCode::kUsage));
  EXPECT_NE(log().find("error: this run does not fit: "), std::string::npos) << log();
  EXPECT_FALSE(fs::exists(out + "/logging.jsonl"));
}

TEST_F(Resume, WrongFlagsAreNamed) {
  for (const std::vector<std::string>& flags :
       std::vector<std::vector<std::string>>{{"--micro-tokens", "0"},
                                             {"--lr", "-1"},
                                             {"--dropout", "2"},
                                             {"--warmup", "-1"},
                                             {"--no-such-flag"},
                                             {"--dropout", "nan"},
                                             {"--save-every", "-1"},
                                             {"--freeze", "audio_tower,projector,decoder"},
                                             {"--merge"}}) {
    write_file_atomic(dir_ / "log.txt", "");
    EXPECT_EQ(run(dir_ / "none", flags), static_cast<int>(ErrorCode::kUsage)) << flags[0];
    EXPECT_EQ(log().find("error: "), 0u) << log();
    EXPECT_NE(log().find(flags[0]), std::string::npos) << log();
    EXPECT_NE(log().find("\nhint: "), std::string::npos) << log();
  }
  const std::string out = dir_ / "thawed";
  ASSERT_EQ(run(out, {"--freeze", "audio_tower", "--stop-after", "2"}), 0) << log();
  EXPECT_EQ(run(out, {}), static_cast<int>(ErrorCode::kUsage));
  EXPECT_NE(log().find("the run was begun with other parts frozen"), std::string::npos) << log();
}

TEST_F(Resume, AFrozenTowerTrainsFromTheCache) {
  const std::string out = dir_ / "frozen";
  ASSERT_EQ(wait(start(out, {"--freeze", "audio_tower", "--lr", "0.02"})), 0) << read_file(dir_ / "log.txt");
  EXPECT_TRUE(fs::exists(out + "/features/index.jsonl"));
  const std::string log = read_file(out + "/logging.jsonl");
  const auto value = [](const std::string& line, const char* key) { return parse_json(line, "log")[key].get<double>(); };
  const std::string first = log.substr(0, log.find('\n'));
  const std::string last = log.substr(log.find("\"eval_loss\"") - 1);
  EXPECT_LT(value(last.substr(0, last.find('\n')), "eval_loss"), 0.8 * value(first, "loss"));
}

TEST_F(Resume, MessagesAreTheSameRunAsSamples) {
  const std::string samples = dir_ / "samples", messages = dir_ / "messages";
  for (const auto& [out, data] : {std::pair{samples, "data.jsonl"}, {messages, "swift.jsonl"}})
    ASSERT_EQ(run(out, {"--data", data, "--max-steps", "4", "--recompute", "--neftune", "5"}), 0) << log();
  EXPECT_EQ(sha256_file(samples + "/checkpoint-4/optimizer.safetensors"),
            sha256_file(messages + "/checkpoint-4/optimizer.safetensors"));
}

TEST_F(Resume, ABrokenCheckpointIsSetAside) {
  const std::string whole = dir_ / "whole", parts = dir_ / "parts";
  ASSERT_EQ(run(whole, {"--max-steps", "12"}), 0) << log();
  ASSERT_EQ(run(parts, {"--max-steps", "12", "--stop-after", "8"}), 0) << log();
  const std::string file = parts + "/checkpoint-8/optimizer.safetensors";
  std::string bytes = read_file(file);
  bytes[bytes.size() / 2] ^= 1;
  write_file_atomic(file, bytes);
  ASSERT_EQ(run(parts, {"--max-steps", "12"}), 0) << log();
  EXPECT_NE(log().find("checkpoint-8 is broken and set aside: optimizer.safetensors has changed"), std::string::npos) << log();
  EXPECT_EQ(sha256_file(parts + "/checkpoint-12/optimizer.safetensors"),
            sha256_file(whole + "/checkpoint-12/optimizer.safetensors"));
}

TEST_F(Resume, BrokenCheckpointsAreNotForgotten) {
  const std::string out = dir_ / "out";
  ASSERT_EQ(run(out, {"--max-steps", "12", "--stop-after", "4"}), 0) << log();
  fs::create_directory(out + "/checkpoint-99");
  ASSERT_EQ(run(out, {"--max-steps", "12", "--stop-after", "8"}), 0) << log();
  EXPECT_NE(log().find("checkpoint-99 is broken and set aside: trainer_state.json is missing"), std::string::npos) << log();
  for (const auto& entry : fs::directory_iterator(out))
    if (entry.is_directory() && !entry.is_symlink()) fs::remove(entry.path() / "trainer_state.json");
  for (int again = 0; again < 2; ++again) {
    EXPECT_EQ(run(out, {"--max-steps", "12"}), static_cast<int>(ErrorCode::kModel)) << log();
    EXPECT_NE(log().find("all checkpoints are broken"), std::string::npos) << log();
  }
  EXPECT_EQ(run(out, {"--max-steps", "2", "--fresh"}), 0) << log();
}

TEST_F(Resume, TwoRunsDoNotShareAFolder) {
  const std::string out = dir_ / "out";
  const pid_t pid = start(out, {});
  ASSERT_TRUE(appears(out + "/logging.jsonl", pid));
  EXPECT_EQ(run(out, {}), static_cast<int>(ErrorCode::kUsage));
  EXPECT_NE(log().find("run.lock is held by another"), std::string::npos) << log();
  ::kill(pid, SIGKILL);
  wait(pid);
}

TEST_F(Resume, ADivergingRunStopsAndNamesItsSamples) {
  const std::string out = dir_ / "diverging";
  EXPECT_EQ(run(out, {"--lr", "1e30", "--clip", "0", "--max-skipped", "3"}), 1);
  EXPECT_NE(log().find("error: 3 steps in a row were skipped"), std::string::npos) << log();
  EXPECT_NE(log().find("not finite; samples: "), std::string::npos) << log();
  EXPECT_NE(read_file(out + "/logging.jsonl").find("\"skipped_step\""), std::string::npos);
}

TEST_F(Resume, WeightsThatAreNotFiniteAreNotSaved) {
  const std::string out = dir_ / "infinite";
  ASSERT_EQ(run(out, {"--max-steps", "2"}), 0) << log();
  // The last step breaks the weights: no loss of a later one can tell.
  EXPECT_EQ(run(out, {"--max-steps", "3", "--lr", "1e39", "--clip", "0"}), 1) << log();
  EXPECT_NE(log().find("error: step 3 left numbers in "), std::string::npos) << log();
  EXPECT_FALSE(fs::exists(out + "/checkpoint-3"));
  EXPECT_EQ(newest_checkpoint(out), out + "/checkpoint-2");
}

TEST_F(Resume, ARunOfAnotherKindIsNotGoneOnWith) {
  const std::string base = dir_ / "base", out = dir_ / "adapter";
  ASSERT_EQ(run(base, {"--max-steps", "2"}), 0) << log();
  const auto adapter = [&](const char* rank) {
    return run(out, {"--init", base + "/last", "--lora-rank", rank, "--max-steps", "2"});
  };
  ASSERT_EQ(adapter("4"), 0) << log();
  EXPECT_NE(log().find("--config and --tokenizer are not used"), std::string::npos) << log();
  EXPECT_EQ(adapter("8"), static_cast<int>(ErrorCode::kUsage));
  EXPECT_NE(log().find("was begun with --lora-rank 4, not --lora-rank 8"), std::string::npos) << log();
  const std::vector<std::string> policy = {"--method", "grpo", "--init", base + "/last", "--max-steps", "3"};
  EXPECT_EQ(run(base, policy), static_cast<int>(ErrorCode::kUsage));
  EXPECT_NE(log().find("was begun with train sft, not train grpo"), std::string::npos) << log();
}

TEST_F(Resume, AVanishedFileEndsTheRunWithAWholeCheckpoint) {
  const std::string out = dir_ / "vanished";
  const pid_t pid = start(out, {"--max-steps", "1000000"});
  wait_for(out + "/checkpoint-4", pid);
  fs::rename(dir_ / "7.wav", dir_ / "7.away");
  const int status = wait(pid);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 3) << log();
  EXPECT_NE(log().find("7.wav: the audio of sample 7-"), std::string::npos) << log();
  EXPECT_TRUE(newest_whole_checkpoint(out).has_value());
  fs::rename(dir_ / "7.away", dir_ / "7.wav");
  EXPECT_EQ(run(out, {"--max-steps", "1000000", "--stop-after", "1"}), 0) << log();
}

TEST_F(Resume, AFullDiskLeavesTheLastCheckpointWhole) {
  const std::string out = dir_ / "full";
  ASSERT_EQ(run(out, {"--stop-after", "4"}), 0) << log();
  const int status = wait(start(out, {}, 100000));
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << log();
  EXPECT_NE(log().find("error: "), std::string::npos) << log();
  const auto found = newest_whole_checkpoint(out);
  ASSERT_TRUE(found.has_value());
  EXPECT_TRUE(found->ends_with("checkpoint-4")) << *found;
  EXPECT_FALSE(fs::exists(out + "/checkpoint.tmp"));
}

TEST_F(Resume, StatesOfEightBitsGoOnBitForBit) {
  const std::string whole = dir_ / "whole8", parts = dir_ / "parts8", wide = dir_ / "wide8";
  const std::vector<std::string> flags = {"--max-steps", "8", "--optimizer-states", "8bit"};
  std::vector<std::string> first = flags;
  first.insert(first.end(), {"--stop-after", "3"});
  ASSERT_EQ(run(whole, flags), 0) << log();
  ASSERT_EQ(run(parts, first), 0) << log();
  ASSERT_EQ(run(parts, flags), 0) << log();
  ASSERT_EQ(run(wide, {"--max-steps", "8"}), 0) << log();
  const std::string file = "/checkpoint-8/optimizer.safetensors";
  EXPECT_EQ(sha256_file(parts + file), sha256_file(whole + file));
  EXPECT_NE(sha256_file(wide + file), sha256_file(whole + file)) << "the flag must do something";
}

TEST_F(Resume, AnAdapterIsTrainedResumedAndMerged) {
  const std::string base = dir_ / "base", whole = dir_ / "whole", parts = dir_ / "parts";
  ASSERT_EQ(run(base, {"--max-steps", "4"}), 0) << log();
  const std::vector<std::string> flags = {"--init", base + "/last", "--lora-rank", "4",   "--rslora", "--max-steps",
                                          "8",      "--merge",      "--lr",        "0.01"};
  ASSERT_EQ(run(whole, flags), 0) << log();
  std::vector<std::string> first = flags;
  first.insert(first.end(), {"--stop-after", "3"});
  ASSERT_EQ(run(parts, first), 0) << log();
  ASSERT_EQ(run(parts, flags), 0) << log();
  const std::string file = "/checkpoint-8/adapter_model.safetensors";
  EXPECT_EQ(sha256_file(parts + file), sha256_file(whole + file));
  EXPECT_FALSE(fs::exists(whole + "/checkpoint-8/model.safetensors"));
  const std::string weight = "language_model.model.layers.1.mlp.down_proj.weight";
  EXPECT_NE(TensorStore::open(whole + "/merged").at(weight).to_f32(), TensorStore::open(base + "/last").at(weight).to_f32());
  EXPECT_TRUE(fs::exists(whole + "/merged/tokenizer.json"));
}

// Two processes under mpirun; skipped, loudly, where the trainer is built without MPI.
class RanksOfARun : public Resume {
 protected:
  void SetUp() override {
    if (std::string(AREASON_MPIEXEC).empty())
      GTEST_SKIP() << "built without MPI: ranks are not tested (apt-get install libopenmpi-dev openmpi-bin)";
    for (const char* name : {"OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"}) ::setenv(name, "1", 1);
    ::setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", 1);  // process_vm_readv is forbidden in many containers
    ::setenv("OMPI_MCA_rmaps_base_oversubscribe", "1", 1);
    ::setenv("OMPI_MCA_mpi_yield_when_idle", "1", 1);  // a waiting rank must not hold the core that the other one needs
    Resume::SetUp();
  }
  pid_t start_two(const std::string& out, const std::vector<std::string>& more) const {
    std::vector<std::string> args = {AREASON_MPIEXEC,       "-n",       "2",           "--bind-to", "none",
                                     AREASON_TRAIN_PROGRAM, "--preset", "preset.json", "--out",     out};
    args.insert(args.end(), more.begin(), more.end());
    return start_program(args, RLIM_INFINITY);
  }
  static double eval_loss(const std::string& out) {
    const std::string log = read_file(out + "/logging.jsonl");
    const std::size_t at = log.rfind("\"eval_loss\"");
    return parse_json(log.substr(at - 1, log.find('\n', at) - at + 1), "log").at("eval_loss");
  }
  static std::map<std::string, std::vector<float>> state(const std::string& checkpoint) {
    std::map<std::string, std::vector<float>> out;
    const TensorStore store = TensorStore::open(checkpoint + "/optimizer.safetensors");
    for (const auto& [name, view] : store.tensors()) out[name] = view.to_f32();
    return out;
  }
  // Greatest difference of a tensor's elements as a share of its greatest element, over all tensors of two checkpoints.
  static double difference(const std::string& a, const std::string& b) {
    const auto left = state(a), right = state(b);
    EXPECT_EQ(left.size(), right.size());
    double worst = 0;
    for (const auto& [name, values] : left) {
      double top = 1e-12, apart = 0;
      for (std::size_t i = 0; i < values.size(); ++i) {
        top = std::max(top, std::abs(static_cast<double>(values[i])));
        apart = std::max(apart, std::abs(static_cast<double>(values[i] - right.at(name).at(i))));
      }
      worst = std::max(worst, apart / top);
    }
    return worst;
  }
};

TEST_F(RanksOfARun, TwoEqualOneAndARunGoesOnWithAnotherNumber) {
  const std::string one = dir_ / "one", two = dir_ / "two", mixed = dir_ / "mixed";
  const std::vector<std::string> flags = {"--max-steps", "6", "--dropout", "0"};
  std::vector<std::string> first = flags;
  first.insert(first.end(), {"--stop-after", "3"});
  ASSERT_EQ(run(one, flags), 0) << log();
  ASSERT_EQ(wait(start_two(two, flags)), 0) << log();
  ASSERT_EQ(wait(start_two(mixed, first)), 0) << log();
  ASSERT_EQ(run(mixed, flags), 0) << log();
  // Sums of micro-batches in another order; AdamW magnifies the difference of tiny gradients in the first steps.
  EXPECT_LT(difference(one + "/checkpoint-6", two + "/checkpoint-6"), 5e-3);
  EXPECT_LT(difference(one + "/checkpoint-6", mixed + "/checkpoint-6"), 5e-3);
  EXPECT_NE(log().find("2 ranks: data parallel"), std::string::npos) << log();
}

// Five samples a step: one rank has more rows than the other. The second half of a run may have another stage and number.
TEST_F(RanksOfARun, DividedGradientsAndWeightsAreTheSameRun) {
  const std::string one = dir_ / "one";
  const std::vector<std::string> flags = {"--max-steps", "6", "--dropout", "0", "--batch-samples", "5", "--clip", "0.5"};
  const auto with = [&](std::initializer_list<std::string> more) {
    std::vector<std::string> out = flags;
    out.insert(out.end(), more);
    return out;
  };
  ASSERT_EQ(run(one, flags), 0) << log();
  for (const std::string stage : {"2", "3"}) {
    const std::string two = dir_ / ("two" + stage), mixed = dir_ / ("mixed" + stage);
    ASSERT_EQ(wait(start_two(two, with({"--zero", stage}))), 0) << log();
    EXPECT_LT(difference(one + "/checkpoint-6", two + "/checkpoint-6"), 5e-3) << "stage " << stage;
    EXPECT_NEAR(eval_loss(one), eval_loss(two), 1e-4);
    ASSERT_EQ(wait(start_two(mixed, with({"--zero", stage, "--stop-after", "2"}))), 0) << log();
    ASSERT_EQ(run(mixed, with({"--zero", stage, "--stop-after", "2"})), 0) << log();
    ASSERT_EQ(wait(start_two(mixed, with({"--zero", stage == "2" ? "3" : "1"}))), 0) << log();
    EXPECT_LT(difference(one + "/checkpoint-6", mixed + "/checkpoint-6"), 5e-3) << "stage " << stage;
  }
  EXPECT_NE(log().find("weights divided (ZeRO 3)"), std::string::npos) << log();
}

// From a cache, with the tower frozen; and an adapter beside weights that are divided too.
TEST_F(RanksOfARun, AFrozenTowerAndAnAdapterWithDividedWeights) {
  const std::string one = dir_ / "one", two = dir_ / "two", small = dir_ / "small", both = dir_ / "both";
  const std::vector<std::string> frozen = {"--max-steps", "4", "--dropout", "0", "--freeze", "audio_tower"};
  ASSERT_EQ(run(one, frozen), 0) << log();
  std::vector<std::string> divided = frozen;
  divided.insert(divided.end(), {"--zero", "3"});
  ASSERT_EQ(wait(start_two(two, divided)), 0) << log();
  EXPECT_LT(difference(one + "/checkpoint-4", two + "/checkpoint-4"), 5e-3);

  const std::vector<std::string> adapter = {"--init", one + "/last", "--lora-rank", "2",         "--lora-dropout",
                                            "0",      "--max-steps", "4",           "--dropout", "0"};
  ASSERT_EQ(run(small, adapter), 0) << log();
  divided = adapter;
  divided.insert(divided.end(), {"--zero", "3"});
  ASSERT_EQ(wait(start_two(both, divided)), 0) << log();
  EXPECT_LT(difference(small + "/checkpoint-4", both + "/checkpoint-4"), 5e-3);
}

TEST_F(RanksOfARun, ALostRankEndsTheRunWithAWholeCheckpointAndItGoesOn) {
  for (const std::string stage : {"1", "3"}) {
    const std::string out = dir_ / ("lost" + stage);
    const pid_t pid = start_two(out, {"--max-steps", "1000000", "--zero", stage});
    ASSERT_TRUE(appears(out + "/checkpoint-4", pid)) << log();
    std::ifstream children("/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) + "/children");
    pid_t rank = 0, last = 0;
    while (children >> rank) last = rank;
    ASSERT_GT(last, 0) << log();
    ::kill(last, SIGKILL);
    EXPECT_NE(wait(pid), 0) << "mpirun must say that a rank was lost";
    ASSERT_TRUE(newest_whole_checkpoint(out).has_value());
    EXPECT_EQ(wait(start_two(out, {"--max-steps", "1000000", "--stop-after", "2", "--zero", stage})), 0) << log();
    EXPECT_EQ(run(out, {"--max-steps", "1000000", "--stop-after", "2"}), 0) << log();
    EXPECT_NE(log().find("resumed from " + out), std::string::npos) << log();
  }
}

}  // namespace
}  // namespace areason::train
