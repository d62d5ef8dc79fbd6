#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mmap.h"
#include "base/random.h"
#include "base/testing.h"
#include "base/thread_pool.h"

namespace areason {
namespace {

TEST(Files, WritesAtomicallyAndReadsBack) {
  const std::string path = scratch_path("file");
  write_file_atomic(path, "one");
  write_file_atomic(path, std::string("two\0three", 9));
  EXPECT_EQ(read_file(path), std::string("two\0three", 9));
  EXPECT_THROW(read_file(path, 3), Error);
}

TEST(Files, NamesThePathOfAMissingFile) {
  try {
    read_file("/nowhere/x.bin");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInput);
    EXPECT_NE(std::string(e.what()).find("/nowhere/x.bin"), std::string::npos);
  }
}

TEST(Files, UnwritableDirectoryIsAnError) { EXPECT_THROW(write_file_atomic("/nowhere/x.bin", "x"), Error); }

TEST(Scratch, IsOnesOwnAndGoesWithItsOwner) {
  auto dir = std::make_unique<ScratchDir>();
  const ScratchDir other;
  EXPECT_NE(dir->path(), other.path());
  EXPECT_NE(scratch_path("x"), scratch_path("x"));
  const std::string file = dir->put("x", "1");
  const pid_t child = ::fork();
  if (child == 0) {
    dir.reset();
    ::_exit(0);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(read_file(file), "1") << "a child has removed it";
  dir.reset();
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(Hash, KnownSha256) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");  // FIPS 180-2, B.1
  const std::string path = scratch_path("hash");
  write_file_atomic(path, "abc");
  EXPECT_EQ(sha256_file(path), sha256_hex("abc"));
}

TEST(JsonText, TornInputIsOneLineNamingTheFile) {
  try {
    parse_json("{\"a\": [1, 2", "config.json");
    FAIL();
  } catch (const Error& e) {
    const std::string what = e.what();
    EXPECT_NE(what.find("config.json"), std::string::npos);
    EXPECT_EQ(what.find('\n'), std::string::npos);
  }
}

TEST(Mmap, EmptyAndFull) {
  const std::string path = scratch_path("map");
  write_file_atomic(path, "");
  EXPECT_TRUE(MappedFile(path).bytes().empty());
  write_file_atomic(path, "hello");
  MappedFile map(path);
  MappedFile moved(std::move(map));
  EXPECT_EQ(moved.bytes().size(), 5u);
  EXPECT_EQ(static_cast<char>(moved.bytes()[4]), 'o');
}

TEST(RandomNumbers, SameOnEveryMachine) {
  Random a(42, 54);
  // First outputs of pcg32-demo of the reference implementation for seed 42, stream 54.
  EXPECT_EQ(a.next_u32(), 0xa15c02b7u);
  EXPECT_EQ(a.next_u32(), 0x7b47f409u);
  EXPECT_EQ(a.next_u32(), 0xba1d3330u);
}

TEST(Files, APipeIsWrittenThroughNotReplaced) {
  const std::string path = scratch_path("pipe");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  std::string read;
  std::thread reader([&] { read = read_file(path); });
  write_file_atomic(path, "through");
  reader.join();
  EXPECT_EQ(read, "through");
  EXPECT_TRUE(std::filesystem::is_fifo(path));
}

TEST(RandomNumbers, BelowIsInRangeAndCoversIt) {
  Random r(1);
  std::vector<int> seen(7);
  for (int i = 0; i < 1000; ++i) ++seen[r.below(7)];
  for (const int n : seen) EXPECT_GT(n, 80);
}

// Both loops of a pool: parallel_for() and parallel_stretches().
class Threads : public ::testing::TestWithParam<bool> {
 protected:
  void loop(ThreadPool& pool, std::size_t count, std::size_t grain, const std::function<void(std::size_t, std::size_t)>& body) {
    GetParam() ? pool.parallel_stretches(count, grain, body) : pool.parallel_for(count, grain, body);
  }
};
INSTANTIATE_TEST_SUITE_P(Loops, Threads, ::testing::Bool());

TEST_P(Threads, EveryItemOnceAndExceptionsArrive) {
  for (const int threads : {1, 2, 3, 5}) {
    ThreadPool pool(threads);
    for (int round = 0; round < 200; ++round) {
      std::vector<std::atomic<int>> hits(static_cast<std::size_t>(round % 98));
      loop(pool, hits.size(), 1 + static_cast<std::size_t>(round) / 40, [&](std::size_t b, std::size_t e) {
        for (std::size_t i = b; i < e; ++i) hits[i].fetch_add(1);
      });
      for (const auto& h : hits) ASSERT_EQ(h.load(), 1) << threads << " threads";
    }
    EXPECT_THROW(loop(pool, 100, 1,
                      [](std::size_t, std::size_t e) {
                        if (e > 60) throw Error(ErrorCode::kFailure, "x", "y");
                      }),
                 Error);
    std::atomic<int> after{0};
    loop(pool, 10, 1, [&](std::size_t b, std::size_t e) { after += static_cast<int>(e - b); });
    EXPECT_EQ(after.load(), 10);
  }
}

// One item waits until all others are done: whoever is free must take what the waiting thread cannot.
TEST_P(Threads, NobodyWaitsForAThreadThatIsBusy) {
  ThreadPool pool(3);
  std::atomic<int> done{0};
  loop(pool, 60, 1, [&](std::size_t b, std::size_t e) {
    for (; b < e; ++b) {
      if (b == 0) {
        const double start = monotonic_seconds();
        while (done < 40 && monotonic_seconds() - start < 20) std::this_thread::yield();
        EXPECT_GE(done.load(), 40);
      }
      ++done;
    }
  });
  EXPECT_EQ(done.load(), 60);
}

TEST(Stretches, AThreadGoesThroughNeighbours) {
  ThreadPool pool(4);
  std::mutex mutex;
  std::map<std::thread::id, std::vector<std::pair<std::size_t, std::size_t>>> pieces;
  pool.parallel_stretches(4000, 1, [&](std::size_t b, std::size_t e) {
    const std::lock_guard lock(mutex);
    pieces[std::this_thread::get_id()].push_back({b, e});
  });
  std::size_t jumps = 0, count = 0;
  for (const auto& [thread, own] : pieces) {
    count += own.size();
    for (std::size_t i = 1; i < own.size(); ++i) jumps += own[i].first != own[i - 1].second ? 1 : 0;
  }
  // At the end what is left goes from thread to thread.
  EXPECT_LT(jumps, count * 2 / 3) << "of " << count << " pieces";
}

}  // namespace
}  // namespace areason
