#include "model/safetensors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>

#include "base/error.h"
#include "base/files.h"
#include "base/testing.h"

namespace areason {
namespace {

class SafetensorsTest : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return dir_.file(name); }

  // A file with this header and `data_bytes` zero bytes; `claimed` < 0 means the true length.
  std::string make(const std::string& header, std::size_t data_bytes, std::int64_t claimed = -1) const {
    const std::uint64_t length = claimed < 0 ? header.size() : static_cast<std::uint64_t>(claimed);
    std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
    bytes += header + std::string(data_bytes, '\0');
    write_file_atomic(path("x.safetensors"), bytes);
    return path("x.safetensors");
  }

  // The error of opening `target`, or "" when it opens.
  static std::string error_of(const std::string& target) {
    try {
      TensorStore::open(target);
      return "";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kModel);
      EXPECT_FALSE(e.hint().empty());
      return e.what();
    }
  }

  const ScratchDir dir_;
};

TEST_F(SafetensorsTest, WritesAndReadsBack) {
  const std::vector<float> values = {1.5f, -2.0f, 0.25f, 3e-39f, -0.0f, 7.0f};
  const std::vector<std::int64_t> ids = {1, -2, std::numeric_limits<std::int64_t>::max()};
  const std::vector<TensorOut> out = {make_i64("ids", {3}, ids), make_f32("w", {2, 3}, values), make_f32("empty", {0, 4}, {})};
  write_safetensors(path("model.safetensors"), out);
  for (const std::string& target : {path("model.safetensors"), dir_.path()}) {
    const TensorStore store = TensorStore::open(target);
    ASSERT_EQ(store.tensors().size(), 3u);
    EXPECT_EQ(store.at("w").shape, (std::vector<std::int64_t>{2, 3}));
    EXPECT_EQ(store.at("w").to_f32(), values);
    EXPECT_EQ(std::memcmp(store.at("ids").data.data(), ids.data(), 24), 0);
    EXPECT_TRUE(store.at("empty").to_f32().empty());
    EXPECT_THROW(store.at("nothing"), Error);
    EXPECT_THROW(store.at("ids").to_f32(), Error);
  }
}

TEST_F(SafetensorsTest, NamesWhatIsWrong) {
  const std::string good = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  EXPECT_EQ(error_of(make(good, 8)), "");
  const auto expect = [&](const std::string& file, const std::string& part) {
    const std::string message = error_of(file);
    EXPECT_NE(message.find(part), std::string::npos) << "message: " << message;
    EXPECT_NE(message.find("x.safetensors"), std::string::npos) << message;
  };
  expect(make(good, 7), "tensor a lies outside the file");
  expect(make(good, 8, 4000), "ends earlier");
  expect(make(good, 8, std::int64_t{1} << 60), "claims a header");
  expect(make(good, 8, 10), "not valid JSON");
  expect(make("[1,2]", 8), "not a JSON object");
  expect(make("", 0), "not valid JSON");
  expect(make(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8), "tensor a: its shape and dtype");
  expect(make(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8), "tensor a lies outside");
  expect(make(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}})", 8), "not a whole number");
  expect(make(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", 8), "too large");
  expect(make(R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,0]}})", 8), "too large");
  expect(make(R"({"a":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}})", 8), "dtype C64");
  expect(make(R"({"a":{"dtype":7,"shape":[1],"data_offsets":[0,8]}})", 8), "has no dtype");
  expect(make(R"({"a":{"dtype":"F32","data_offsets":[0,8]}})", 8), "has no shape");
  expect(make(R"({"a":{"dtype":"F32","shape":[2]}})", 8), "has no data_offsets");
  expect(make(R"({"a":[]})", 8), "tensor a: its entry");
  expect(
      make(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[1],"data_offsets":[7,8]}})", 8),
      "tensors a and b overlap");
  expect(
      make(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", 8),
      "tensor a appears twice");
  expect(make("{\"a\":" + std::string(1000, '['), 8), "nested too deeply");
}

TEST_F(SafetensorsTest, ShortFilesAreRefused) {
  write_file_atomic(path("x.safetensors"), "abc");
  EXPECT_NE(error_of(path("x.safetensors")).find("too short"), std::string::npos);
  write_file_atomic(path("x.safetensors"), "");
  EXPECT_NE(error_of(path("x.safetensors")).find("too short"), std::string::npos);
  EXPECT_NE(error_of(path("gone.safetensors")).find("gone.safetensors"), std::string::npos);
}

TEST_F(SafetensorsTest, IndexNamesItsShards) {
  EXPECT_NE(error_of(dir_.path()).find("no *.safetensors"), std::string::npos);
  const std::vector<float> one = {1.0f};
  const std::vector<TensorOut> first = {make_f32("a", {1}, one)}, second = {make_f32("b", {1}, one)};
  write_safetensors(path("m-1.safetensors"), first);
  write_safetensors(path("m-2.safetensors"), second);
  const auto index = [&](const std::string& text) { write_file_atomic(path("model.safetensors.index.json"), text); };
  index(R"({"weight_map":{"a":"m-1.safetensors","b":"m-2.safetensors"}})");
  EXPECT_EQ(TensorStore::open(dir_.path()).tensors().size(), 2u);
  index(R"({"weight_map":{"a":"m-1.safetensors","b":"m-3.safetensors"}})");
  EXPECT_NE(error_of(dir_.path()).find("m-3.safetensors"), std::string::npos);
  index(R"({"weight_map":{"a":"m-1.safetensors","c":"m-2.safetensors"}})");
  EXPECT_NE(error_of(dir_.path()).find("tensor c is missing"), std::string::npos);
  index(R"({"weight_map":{"a":"../m-1.safetensors"}})");
  EXPECT_NE(error_of(dir_.path()).find("not a plain file name"), std::string::npos);
  index(R"({"weight_map":)");
  EXPECT_NE(error_of(dir_.path()).find("not valid JSON"), std::string::npos);
  index("[]");
  EXPECT_NE(error_of(dir_.path()).find("weight_map"), std::string::npos);
  // Without an index all files are taken; the same tensor in two of them is an error.
  std::filesystem::remove(path("model.safetensors.index.json"));
  EXPECT_EQ(TensorStore::open(dir_.path()).tensors().size(), 2u);
  write_safetensors(path("m-2.safetensors"), first);
  EXPECT_NE(error_of(dir_.path()).find("another file"), std::string::npos);
}

TEST(HalfFloats, EveryBitPatternAgreesWithTheDefinition) {
  // binary16 to f32 is exact; ldexp on the decoded fields is the definition.
  for (int bits = 0; bits < 0x10000; ++bits) {
    const int exponent = (bits >> 10) & 31, mantissa = bits & 1023;
    const float value = f16_to_f32(static_cast<std::uint16_t>(bits));
    const float sign = (bits & 0x8000) != 0 ? -1.0f : 1.0f;
    if (exponent == 31) {
      EXPECT_TRUE(mantissa == 0 ? std::isinf(value) : std::isnan(value)) << bits;
    } else {
      const float magnitude = exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -24)
                                            : std::ldexp(static_cast<float>(1024 + mantissa), exponent - 25);
      EXPECT_EQ(value, sign * magnitude) << bits;
    }
    const float wide = bf16_to_f32(static_cast<std::uint16_t>(bits));
    if (!std::isnan(wide)) {
      EXPECT_EQ(f32_to_bf16(wide), bits);
    }
  }
  EXPECT_EQ(f32_to_bf16(1.00390625f), 0x3f80);  // a tie goes to the even neighbour
  EXPECT_EQ(f32_to_bf16(1.01171875f), 0x3f82);
  EXPECT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(std::numeric_limits<float>::quiet_NaN()))));
}

}  // namespace
}  // namespace areason
