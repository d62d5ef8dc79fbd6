#pragma once
// Small benchmarks on disk for the tests of runner, judges and report: clips of examples/, items of our own. Only *_test.cpp
// files include it. Thread rule: one thread.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "base/files.h"
#include "base/json.h"
#include "base/testing.h"
#include "eval/run.h"

namespace areason {

class RunTest : public ::testing::Test {
 protected:
  std::string file(const std::string& name) const { return dir_.file(name); }
  std::string put(const std::string& name, const std::string& text) const {
    make_directories(parent_directory(file(name)));
    write_file_atomic(file(name), text);
    return file(name);
  }
  // A clip that is there; what it holds does not matter to runs without our engine.
  void put_clip(const std::string& name) const {
    make_directories(parent_directory(file(name)));
    std::filesystem::copy_file("examples/clips/code.flac", file(name), std::filesystem::copy_options::skip_existing);
  }
  static Json mmau_item(const std::string& id, const std::string& answer = "Man") {
    return {{"id", id},
            {"audio_id", "./audio/a.flac"},
            {"question", "Who speaks?"},
            {"choices", {"Man", "Woman", "Child", "Robot"}},
            {"answer", answer},
            {"task", "speech"},
            {"difficulty", "easy"},
            {"sub-category", "who"}};
  }
  // mmau/mmau-test-mini.json with `n` items and their clip.
  std::string put_mmau(int n) const {
    Json items = Json::array();
    for (int i = 0; i < n; ++i) items.push_back(mmau_item("item" + std::to_string(i), i % 3 == 0 ? "Woman" : "Man"));
    put_clip("mmau/audio/a.flac");
    return put("mmau/mmau-test-mini.json", dump_json(items));
  }
  RunOptions options(const std::string& benchmark, const std::string& data, const std::string& out) const {
    RunOptions options;
    options.source.benchmark = benchmark;
    options.source.data = data;
    options.out = file(out);
    options.model = {{"kind", "test"}, {"name", "tester"}};
    options.generation = {{"seed", 1}};
    return options;
  }
  static std::string scores_of(const EvalRun& run) {
    RunScoreOptions score;
    score.score = {run.benchmark, ScoreStage::kMapped, "auto", {200, 1}};
    return dump_json(score_to_json(score_run(run, score), WithSamples::kYes));
  }
  const ScratchDir dir_;
};

}  // namespace areason
