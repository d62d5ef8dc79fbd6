// The command line of quantize: files, report, refusals.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "base/testing.h"
#include "cli/testing.h"

namespace areason {
namespace {

namespace fs = std::filesystem;

class QuantizeCommandTest : public testing::Test {
 protected:
  const ScratchDir scratch_;
  const std::string dir_ = scratch_.file("model");
};

TEST_F(QuantizeCommandTest, WritesAModelAndReportsEveryTensor) {
  const std::string line = "quantize tests/golden/tiny/model --out " + dir_ + " --type q4_0";
  const Json report = parse_json(run(line + " --json"), "report");
  ASSERT_EQ(report.at("files").size(), 2u);
  std::set<std::string> types;
  for (const auto& file : report.at("files")) {
    EXPECT_EQ(fs::file_size(file.at("path").get<std::string>()), file.at("bytes").get<std::uintmax_t>());
    for (const auto& tensor : file.at("tensors")) types.insert(tensor.at("type").get<std::string>());
  }
  EXPECT_TRUE(types.contains("Q4_0") && types.contains("Q8_0") && types.contains("F32"));
  EXPECT_EQ(run("tokenize --model " + dir_, "hello\n"), run("tokenize --model tests/golden/tiny/model", "hello\n"));
  // The second time everything is there; the report is the same, as text.
  const std::string text = run(line);
  EXPECT_NE(text.find("blk.1.attn_q.weight"), std::string::npos) << text;
  EXPECT_NE(text.find("a.conv1d.2.weight"), std::string::npos) << text;
}

TEST_F(QuantizeCommandTest, RefusesWhatIsThereAndWhatIsNoCheckpoint) {
  run("quantize tests/golden/tiny/model --out " + dir_ + " --type f16");
  EXPECT_THROW(run("quantize tests/golden/tiny/model --out " + dir_ + " --type q8_0"), Error);
  EXPECT_NO_THROW(run("quantize tests/golden/tiny/model --out " + dir_ + " --type q8_0 --force"));
  EXPECT_THROW(run("quantize " + dir_ + " --out " + dir_ + "/again"), Error);
  EXPECT_THROW(run("quantize tests/golden --out " + dir_ + "/other"), Error);
  EXPECT_THROW(run("quantize tests/golden/tiny/model --out " + dir_ + " --type q3_k"), CLI::ParseError);
}

}  // namespace
}  // namespace areason
