#include "reason/file_cache.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/files.h"
#include "base/testing.h"

namespace areason {
namespace {

class FileCacheTest : public ::testing::Test {
 protected:
  static void put(FileCache& cache, const std::string& name, const std::string& a, const std::string& b = "") {
    const std::string_view pieces[] = {a, b};
    cache.put(name, pieces);
  }
  static std::string get(FileCache& cache, const std::string& name) {
    const auto content = cache.get(name);
    if (!content) return "(none)";
    return {reinterpret_cast<const char*>(content->bytes().data()), content->bytes().size()};
  }
  std::string path(const std::string& name) const { return dir_ + "/" + name + ".cache"; }
  // When a file was used, in seconds since 1970: what the order of deletion goes by.
  void used(const std::string& name, long seconds) const {
    const timespec times[2] = {{seconds, 0}, {seconds, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, path(name).c_str(), times, 0), 0);
  }
  const ScratchDir scratch_;
  const std::string dir_ = scratch_.file("cache");
};

TEST_F(FileCacheTest, GivesBackWhatWasPut) {
  FileCache cache(dir_ + "/deep", 1 << 20);
  EXPECT_EQ(get(cache, "a"), "(none)");
  std::string large;
  for (int i = 0; i < 1000; ++i) large += std::to_string(i);
  put(cache, "a", "xy", large);
  EXPECT_EQ(get(cache, "a"), "xy" + large);
  put(cache, "a", "");
  EXPECT_EQ(get(cache, "a"), "");
  EXPECT_TRUE(cache.has("a"));
  FileCache other(dir_ + "/deep", 1 << 20);  // another process
  EXPECT_EQ(get(other, "a"), "");
}

TEST_F(FileCacheTest, DamagedFilesAreMissesAndGo) {
  FileCache cache(dir_, 1 << 20);
  const std::string text(500, 'q');
  put(cache, "whole", text);
  const std::string whole = read_file(path("whole"));
  for (const std::size_t at : {std::size_t{0}, std::size_t{9}, std::size_t{17}, std::size_t{24}, whole.size() - 1}) {
    std::string bad = whole;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    write_file_atomic(path("bad"), bad);
    EXPECT_EQ(get(cache, "bad"), "(none)") << at;
    EXPECT_FALSE(cache.has("bad"));
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{5}, std::size_t{24}, whole.size() - 1}) {
    write_file_atomic(path("short"), whole.substr(0, size));
    EXPECT_EQ(get(cache, "short"), "(none)") << size;
  }
  write_file_atomic(path("long"), whole + "x");
  EXPECT_EQ(get(cache, "long"), "(none)");
  EXPECT_EQ(get(cache, "whole"), text);
}

TEST_F(FileCacheTest, TheLeastRecentlyUsedGoFirst) {
  FileCache cache(dir_, 1000);
  for (const char* name : {"a", "b", "c"}) put(cache, name, std::string(270, 'x'));
  used("a", 1000);
  used("b", 2000);
  used("c", 3000);
  EXPECT_NE(get(cache, "a"), "(none)");  // used now
  put(cache, "d", std::string(270, 'x'));
  EXPECT_FALSE(cache.has("b"));
  for (const char* name : {"a", "c", "d"}) EXPECT_TRUE(cache.has(name)) << name;
  put(cache, "huge", std::string(1001, 'x'));  // would not fit alone: nothing goes for it
  EXPECT_FALSE(cache.has("huge"));
  EXPECT_TRUE(cache.has("a"));
  write_file_atomic(dir_ + "/notes.txt", std::string(5000, 'x'));  // somebody else's file counts for nothing and stays
  put(cache, "e", "x");
  EXPECT_TRUE(std::filesystem::exists(dir_ + "/notes.txt"));
  EXPECT_TRUE(cache.has("a"));
  const FileCache smaller(dir_, 400);  // room for one: the order of use holds
  EXPECT_FALSE(cache.has("c"));
  EXPECT_LE(cache.has("a") + cache.has("d"), 1);
}

TEST_F(FileCacheTest, AFolderThatCannotBeWrittenIsAMissOnly) {
  FileCache cache(dir_, 1 << 20);
  std::filesystem::remove_all(dir_);
  write_file_atomic(dir_, "a file in its place");
  put(cache, "a", "x");
  EXPECT_EQ(get(cache, "a"), "(none)");
}

}  // namespace
}  // namespace areason
