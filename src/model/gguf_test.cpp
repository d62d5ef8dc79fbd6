// The container alone: what is written is read back, and every kind of damage is named.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>

#include "base/error.h"
#include "base/files.h"
#include "base/testing.h"
#include "model/gguf_reader.h"
#include "model/gguf_writer.h"

namespace areason {
namespace {

class GgufTest : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return dir_.file(name); }
  std::string put(const std::string& bytes) const {
    std::ofstream(path("x.gguf"), std::ios::binary) << bytes;
    return path("x.gguf");
  }
  // The message of the error that opening these bytes ends in; empty when they open.
  std::string refusal(const std::string& bytes) const {
    try {
      GgufFile::open(put(bytes));
      return "";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kModel);
      EXPECT_FALSE(e.hint().empty());
      return e.what();
    }
  }
  const ScratchDir dir_;
};

// A file by hand, so that it can lie.
struct Forge {
  std::string head = "GGUF", pairs, tensors, data;
  std::uint32_t version = 3;
  std::uint64_t tensor_count = 0, pair_count = 0;

  template <typename T>
  static std::string raw(T value) {
    std::string out(sizeof value, '\0');
    std::memcpy(out.data(), &value, sizeof value);
    return out;
  }
  static std::string text(const std::string& value) { return raw<std::uint64_t>(value.size()) + value; }
  void pair(const std::string& key, GgufKind kind, const std::string& payload) {
    pairs += text(key) + raw(static_cast<std::uint32_t>(kind)) + payload;
    ++pair_count;
  }
  struct Tensor {
    std::string name;
    std::vector<std::uint64_t> dims;  // innermost first, as in the file
    std::uint32_t type = 0;
    std::uint64_t offset = 0;
  };
  void tensor(const Tensor& t) {
    tensors += text(t.name) + raw(static_cast<std::uint32_t>(t.dims.size()));
    for (const auto dim : t.dims) tensors += raw(dim);
    tensors += raw(t.type) + raw(t.offset);
    ++tensor_count;
  }
  std::string bytes() const {
    std::string out = head + raw(version) + raw(tensor_count) + raw(pair_count) + pairs + tensors;
    out.resize((out.size() + 31) / 32 * 32, '\0');
    return out + data;
  }
};

GgufHead sample_head() {
  GgufHead head;
  head.add_text("general.architecture", "qwen2");
  head.add_u32("qwen2.block_count", 2);
  head.add_f32("qwen2.rope.freq_base", 10000.0f);
  head.add_flag("tokenizer.ggml.add_bos_token", false);
  const std::vector<std::string> tokens = {"a", "", "Ġb"};
  head.add_texts("tokenizer.ggml.tokens", tokens);
  const std::vector<std::int32_t> types = {1, 3, -1};
  head.add_i32s("tokenizer.ggml.token_type", types);
  head.add_tensor("v", GgufType::kF32, {3});
  head.add_tensor("m", GgufType::kQ8_0, {2, 32});
  return head;
}

std::string filled(std::size_t size, char first) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>(first + static_cast<char>(i % 50));
  return out;
}

std::string text_of(std::span<const std::byte> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

TEST_F(GgufTest, WhatIsWrittenIsReadBack) {
  GgufWriter writer(path("a.gguf"), sample_head());
  writer.append(bytes_of(filled(5, 'a')));
  writer.append(bytes_of(filled(7, 'f')));
  writer.end_tensor();
  writer.append(bytes_of(filled(68, '0')));
  writer.end_tensor();
  writer.finish();
  EXPECT_FALSE(std::filesystem::exists(path("a.gguf.partial")));
  const GgufFile file = GgufFile::open(path("a.gguf"));
  EXPECT_EQ(file.text("general.architecture"), "qwen2");
  EXPECT_EQ(file.whole("qwen2.block_count"), 2);
  EXPECT_EQ(file.number("qwen2.rope.freq_base"), 10000.0);
  EXPECT_EQ(file.flag("tokenizer.ggml.add_bos_token"), false);
  EXPECT_EQ(file.texts("tokenizer.ggml.tokens"), (std::vector<std::string_view>{"a", "", "Ġb"}));
  EXPECT_EQ(file.wholes("tokenizer.ggml.token_type"), (std::vector<std::int64_t>{1, 3, -1}));
  EXPECT_FALSE(file.text("absent").has_value());
  const GgufTensor* matrix = file.find_tensor("m");
  ASSERT_NE(matrix, nullptr);
  EXPECT_EQ(matrix->shape, (std::vector<std::int64_t>{2, 32}));
  EXPECT_STREQ(matrix->type->name, "Q8_0");
  EXPECT_EQ(text_of(matrix->data), filled(68, '0'));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(matrix->data.data()) % 32, 0u);
  EXPECT_EQ(text_of(file.find_tensor("v")->data), filled(5, 'a') + filled(7, 'f'));
}

TEST_F(GgufTest, AnInterruptedWriterGoesOnToTheSameBytes) {
  const auto whole = [&](const std::string& name) {
    GgufWriter writer(path(name), sample_head());
    for (const std::size_t size : {12u, 68u}) {
      writer.append(bytes_of(filled(size, 'k')));
      writer.end_tensor();
    }
    writer.finish();
    return read_file(path(name));
  };
  const std::string want = whole("want.gguf");
  {
    GgufWriter writer(path("cut.gguf"), sample_head());
    writer.append(bytes_of(filled(12, 'k')));
    writer.end_tensor();
    writer.append(bytes_of(filled(40, '?')));  // died in the middle of the second tensor
  }
  EXPECT_FALSE(std::filesystem::exists(path("cut.gguf")));
  GgufWriter writer(path("cut.gguf"), sample_head());
  ASSERT_EQ(writer.resume(1), 1u);
  writer.append(bytes_of(filled(68, 'k')));
  writer.end_tensor();
  writer.finish();
  EXPECT_EQ(read_file(path("cut.gguf")), want);
}

TEST_F(GgufTest, AnotherHeadsRemainsAreNotUsed) {
  {
    GgufWriter writer(path("a.gguf"), sample_head());
    writer.append(bytes_of(filled(12, 'k')));
    writer.end_tensor();
  }
  GgufHead other = sample_head();
  other.add_u32("x", 1);
  GgufWriter writer(path("a.gguf"), other);
  EXPECT_EQ(writer.resume(1), 0u);
}

TEST_F(GgufTest, AllKindsOfNumbersAreRead) {
  Forge forge;
  forge.version = 2;
  forge.pair("u8", GgufKind::kU8, Forge::raw<std::uint8_t>(200));
  forge.pair("i8", GgufKind::kI8, Forge::raw<std::int8_t>(-2));
  forge.pair("u16", GgufKind::kU16, Forge::raw<std::uint16_t>(60000));
  forge.pair("i16", GgufKind::kI16, Forge::raw<std::int16_t>(-3));
  forge.pair("i32", GgufKind::kI32, Forge::raw<std::int32_t>(-4));
  forge.pair("u64", GgufKind::kU64, Forge::raw<std::uint64_t>(5));
  forge.pair("big", GgufKind::kU64, Forge::raw(std::numeric_limits<std::uint64_t>::max()));
  forge.pair("i64", GgufKind::kI64, Forge::raw<std::int64_t>(-6));
  forge.pair("f64", GgufKind::kF64, Forge::raw(0.5));
  forge.pair("nan", GgufKind::kF32, Forge::raw(std::numeric_limits<float>::quiet_NaN()));
  const auto array = [](GgufKind item, std::uint64_t count) {
    return Forge::raw(static_cast<std::uint32_t>(item)) + Forge::raw(count);
  };
  forge.pair("nested", GgufKind::kArray, array(GgufKind::kArray, 1) + array(GgufKind::kU8, 2) + "ab");
  const GgufFile file = GgufFile::open(put(forge.bytes()));
  EXPECT_EQ(file.whole("u8"), 200);
  EXPECT_EQ(file.whole("i8"), -2);
  EXPECT_EQ(file.whole("u16"), 60000);
  EXPECT_EQ(file.whole("i16"), -3);
  EXPECT_EQ(file.whole("i32"), -4);
  EXPECT_EQ(file.whole("u64"), 5);
  EXPECT_EQ(file.whole("i64"), -6);
  EXPECT_EQ(file.number("f64"), 0.5);
  EXPECT_EQ(file.number("i8"), -2.0);
  EXPECT_EQ(file.find("nested")->count, 1u);
  for (const char* key : {"big", "f64", "nested"}) EXPECT_THROW(file.whole(key), Error) << key;
  EXPECT_THROW(file.number("nan"), Error);
  EXPECT_THROW(file.text("u8"), Error);
  EXPECT_THROW(file.texts("nested"), Error);
  EXPECT_THROW(file.wholes("u8"), Error);
}

TEST_F(GgufTest, EveryTruncationIsAnError) {
  Forge forge;
  forge.pair("k", GgufKind::kString, Forge::text("value"));
  forge.tensor({"t", {4}, 0, 0});
  forge.data = std::string(16, 'x');
  const std::string whole = forge.bytes();
  ASSERT_EQ(refusal(whole), "");
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_NE(refusal(whole.substr(0, size)), "") << size;
}

struct Lie {
  const char* name;
  std::function<void(Forge&)> make;
  const char* says;
};

TEST_F(GgufTest, LiesAreNamed) {
  constexpr std::uint64_t kHuge = std::uint64_t{1} << 62;
  const Lie lies[] = {
      {"magic", [](Forge& f) { f.head = "GGML"; }, "not a GGUF file"},
      {"version", [](Forge& f) { f.version = 4; }, "version 4"},
      {"old version", [](Forge& f) { f.version = 1; }, "version 1"},
      {"big endian", [](Forge& f) { f.version = 3u << 24; }, "big-endian"},
      {"tensor count", [](Forge& f) { f.tensor_count = kHuge; }, "more than the file can hold"},
      {"pair count", [](Forge& f) { f.pair_count = kHuge; }, "more than the file can hold"},
      {"string length", [](Forge& f) { f.pair("s", GgufKind::kString, Forge::raw(kHuge)); }, "metadata s"},
      {"array count", [](Forge& f) { f.pair("a", GgufKind::kArray, Forge::raw<std::uint32_t>(4) + Forge::raw(kHuge)); },
       "items of metadata a"},
      {"string array count", [](Forge& f) { f.pair("a", GgufKind::kArray, Forge::raw<std::uint32_t>(8) + Forge::raw(kHuge)); },
       "items of metadata a"},
      {"value type", [](Forge& f) { f.pair("k", static_cast<GgufKind>(13), ""); }, "unknown value type 13"},
      {"same key",
       [](Forge& f) {
         f.pair("k", GgufKind::kBool, "a");
         f.pair("k", GgufKind::kBool, "b");
       },
       "metadata k appears twice"},
      {"nesting",
       [](Forge& f) {
         std::string deep;
         for (int i = 0; i < 9; ++i) deep += Forge::raw<std::uint32_t>(9) + Forge::raw<std::uint64_t>(1);
         f.pair("d", GgufKind::kArray, deep + std::string(64, '\0'));
       },
       "nested too deeply"},
      {"alignment", [](Forge& f) { f.pair("general.alignment", GgufKind::kU32, Forge::raw<std::uint32_t>(24)); },
       "power of two"},
      {"tensor type",
       [](Forge& f) {
         f.tensor({"t", {4}, 5, 0});
       },
       "tensor t has the unknown type 5"},
      {"dimensions",
       [](Forge& f) {
         f.tensor({"t", {1, 1, 1, 1, 1}, 0, 0});
       },
       "tensor t has 5 dimensions"},
      {"overflow",
       [](Forge& f) {
         f.tensor({"t", {kHuge, 4}, 0, 0});
       },
       "tensor t: the shape is too large"},
      {"bytes overflow",
       [](Forge& f) {
         f.tensor({"t", {kHuge}, 0, 0});
       },
       "tensor t: the shape is too large"},
      {"negative",
       [](Forge& f) {
         f.tensor({"t", {~std::uint64_t{0}}, 0, 0});
       },
       "tensor t: a dimension is too large"},
      {"block",
       [](Forge& f) {
         f.tensor({"t", {33}, 8, 0});
       },
       "not a multiple of 32"},
      {"outside",
       [](Forge& f) {
         f.tensor({"t", {64}, 0, 0});
       },
       "tensor t lies outside the file"},
      {"offset",
       [](Forge& f) {
         f.tensor({"t", {4}, 0, kHuge});
       },
       "tensor t lies outside the file"},
      {"unaligned",
       [](Forge& f) {
         f.tensor({"t", {4}, 0, 4});
       },
       "not a multiple of the alignment"},
      {"same name",
       [](Forge& f) {
         f.tensor({"t", {4}, 0, 0});
         f.tensor({"t", {4}, 0, 32});
       },
       "tensor t appears twice"},
      {"overlap",
       [](Forge& f) {
         f.tensor({"t", {9}, 0, 0});
         f.tensor({"u", {4}, 0, 32});
       },
       "tensors t and u overlap"},
      {"control characters",
       [](Forge& f) {
         f.tensor({"t\n\x1b", {33}, 8, 0});
       },
       "tensor t   of type"},
  };
  for (const auto& lie : lies) {
    Forge forge;
    forge.data = std::string(64, 'x');
    lie.make(forge);
    EXPECT_NE(refusal(forge.bytes()).find(lie.says), std::string::npos) << lie.name << ": " << refusal(forge.bytes());
  }
}

}  // namespace
}  // namespace areason
