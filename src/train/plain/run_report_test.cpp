// Event files byte for byte as TensorBoard reads them, and the report of a log.
#include "train/plain/run_report.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/testing.h"
#include "train/plain/event_file.h"

namespace areason::train {
namespace {

namespace fs = std::filesystem;

class RunFiles : public testing::Test {
 protected:
  const ScratchDir scratch_;
  const fs::path dir_ = scratch_.path();
};

template <typename T>
T number(const std::string& bytes, std::size_t at) {
  T out;
  std::memcpy(&out, bytes.data() + at, sizeof(T));
  return out;
}

// RFC 3720's test value of CRC-32C.
TEST(EventFile, Crc) { EXPECT_EQ(crc32c("123456789"), 0xe3069283u); }

TEST_F(RunFiles, EventsAreFramedAndChecked) {
  {
    EventFile file(dir_);
    file.scalar("train/loss", 300, 0.5);
  }
  const std::string bytes = read_file(fs::directory_iterator(dir_)->path());
  std::vector<std::string> events;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto length = number<std::uint64_t>(bytes, at);
    const auto mask = [](std::uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8u; };
    ASSERT_EQ(number<std::uint32_t>(bytes, at + 8), mask(crc32c(bytes.substr(at, 8))));
    events.push_back(bytes.substr(at + 12, length));
    ASSERT_EQ(number<std::uint32_t>(bytes, at + 12 + length), mask(crc32c(events.back())));
    at += 16 + length;
  }
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].substr(9),
            "\x1a\x0d"
            "brain.Event:2");
  // step 300 (varint ac 02), then summary { value { tag, simple_value 0.5 } }.
  const std::string expected =
      std::string("\x10\xac\x02\x2a\x13\x0a\x11\x0a\x0a") + "train/loss" + std::string("\x15\x00\x00\x00\x3f", 5);
  EXPECT_EQ(events[1].substr(9), expected);
}

TEST_F(RunFiles, ReportShowsTheLog) {
  write_file_atomic(dir_ / "logging.jsonl",
                    R"({"loss": 2.5, "grad_norm": 1, "learning_rate": 0.1, "global_step/max_steps": "1/10"}
{"skipped_step": 2, "reason": "x", "samples": ["a"]}
{"loss": 1.5, "grad_norm": 2, "learning_rate": 0.05, "global_step/max_steps": "10/10"}
{"eval_loss": 1.25, "eval_task_acc": {"order<1>": 0.75}, "global_step/max_steps": "10/10"}
{"last_model_checkpoint": "x/checkpoint-10", "best_metric": 1.25, "global_step": 10, "left_out": {"bad_rows": 3}}
{"loss": 1.)");
  const std::string html = run_report(dir_);
  for (const char* part : {"10 steps, 1 of them skipped", "\"bad_rows\":3", "order&lt;1&gt;", "75.0 %", "training (last 1.5)",
                           "held out (last 1.25)", "Gradient norm", "Learning rate"}) {
    EXPECT_NE(html.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(html.find("Tokens per second"), std::string::npos) << "the log has none";
  EXPECT_THROW(run_report(dir_ / "missing"), Error);
}

TEST_F(RunFiles, ReportOfReinforcement) {
  write_file_atomic(
      dir_ / "logging.jsonl",
      R"({"reward": 0.5, "reward_std": 0.25, "kl": 0.01, "rewards/answer/mean": 0.5, "global_step/max_steps": "1/2"}
{"eval_answer_acc": 0.75, "eval_task_acc": {"order": 0.75}, "global_step/max_steps": "2/2"}
{"last_model_checkpoint": "x/checkpoint-2", "best_metric": 0.25, "global_step": 2})");
  const std::string html = run_report(dir_);
  for (const char* part : {"Best share of right answers, held out: 75.0 %", "deviation within groups (last 0.25)",
                           "nats a token (last 0.01)", "best token (last 0.75)", "as `data score` counts it"}) {
    EXPECT_NE(html.find(part), std::string::npos) << part;
  }
}

}  // namespace
}  // namespace areason::train
