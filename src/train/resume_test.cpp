// A run that is killed and started again ends with the same weights as one that was not. Runs the program itself on a tiny
// model and generated tones.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "audio/write.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "cota/sample.h"
#include "text/bpe_trainer.h"
#include "train/checkpoint.h"

namespace areason::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = R"({"model_type": "qwen2_audio", "tie_word_embeddings": true,
 "audio_config": {"num_mel_bins": 16, "d_model": 16, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 32},
 "text_config": {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2,
 "num_key_value_heads": 1, "max_position_embeddings": 1024, "tie_word_embeddings": true}})";

class Resume : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = fs::path(testing::TempDir()) / ("resume-" + std::to_string(::getpid()));
    fs::remove_all(dir_);
    make_directories(dir_ / "tok");
    write_file_atomic(dir_ / "config.json", kConfig);
    std::vector<std::string> texts;
    std::ofstream lines(dir_ / "data.jsonl");
    for (int i = 0; i < 12; ++i) {
      const std::string number = std::to_string(i);
      Waveform tone;
      tone.samples.resize(4000 + static_cast<std::size_t>(i) * 200);
      for (std::size_t t = 0; t < tone.samples.size(); ++t) {
        tone.samples[t] = static_cast<float>(0.5 * std::sin(0.05 * (i + 1) * static_cast<double>(t)));
      }
      write_wav(dir_ / (number + ".wav"), tone);
      for (int q = 0; q < 2; ++q) {
        Sample s;
        s.id = number + "-" + std::to_string(q);
        s.audio = {number + ".wav"};
        s.question = q ? "Which tone is it?" : "How many tones?";
        for (const Section section : kSections) s.sections[section] = "tone number " + number;
        lines << dump_json(sample_to_json(s)) << "\n";
        texts.push_back(s.question + " " + render_chain(s.sections));
      }
    }
    BpeTrainerOptions options;
    options.vocab_size = 300;
    train_bpe(texts, options, dir_ / "tok");
  }
  void TearDown() override { fs::remove_all(dir_); }

  pid_t start(const std::string& out, const std::vector<std::string>& more) const {
    std::istringstream flags(
        "--data data.jsonl --val data.jsonl --config config.json --tokenizer tok --threads 1 --precision f32 --save-dtype f32 "
        "--batch-samples 4 --max-steps 60 --save-every 4 --eval-every 12 --log-every 4 --keep 3 --dropout 0.1 --time-masks 1 "
        "--warmup 3 --max-length 1024 --out " +
        out);
    std::vector<std::string> args(1, AREASON_TRAIN_PROGRAM);
    for (std::string flag; flags >> flag;) args.push_back(flag);
    args.insert(args.end(), more.begin(), more.end());
    std::vector<char*> argv;
    for (std::string& a : args) argv.push_back(a.data());
    argv.push_back(nullptr);
    const pid_t pid = ::fork();
    if (pid == 0) {
      const int log = ::open((dir_ / "log.txt").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
      ::dup2(log, 2);
      if (::chdir(dir_.c_str()) != 0) ::_exit(126);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    return pid;
  }
  static int wait(pid_t pid) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    return status;
  }
  std::string weights(const std::string& out) const { return sha256_file(out + "/checkpoint-60/optimizer.safetensors"); }

  fs::path dir_;
};

TEST_F(Resume, AKilledRunEndsWithTheSameWeights) {
  const std::string whole = dir_ / "whole", parts = dir_ / "parts";
  ASSERT_EQ(wait(start(whole, {})), 0) << read_file(dir_ / "log.txt");
  const pid_t pid = start(parts, {});
  for (int i = 0; i < 3000 && !fs::exists(parts + "/checkpoint-8"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ::kill(pid, SIGKILL);
  wait(pid);
  ASSERT_TRUE(newest_checkpoint(parts).has_value());
  ASSERT_FALSE(fs::exists(parts + "/checkpoint-60")) << "the run ended before it was killed";
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
  for (int i = 0; i < 3000 && !fs::exists(parts + "/checkpoint-8"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ::kill(pid, SIGTERM);
  const int status = wait(pid);
  EXPECT_TRUE(WIFEXITED(status));
  ASSERT_EQ(wait(start(parts, {})), 0) << read_file(dir_ / "log.txt");
  EXPECT_EQ(weights(parts), weights(whole));
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

}  // namespace
}  // namespace areason::train
