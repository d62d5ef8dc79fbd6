#pragma once
// A job of the data pipeline as the store keeps it: one (item, stage, prompt version), what it needs, how it stands and what it
// brought. The store knows no prompts and no audio: payload and answer are text of the caller's. Written by job_store.h's
// implementations, read by cota and the CLI. Units: tokens, money in 1e-12 of the currency. Thread rule: values.
#include <cstdint>
#include <string>
#include <vector>

namespace areason::store {

enum class JobState { kOpen = 0, kLeased = 1, kDone = 2, kFailed = 3 };
const char* state_name(JobState state);

// The identity: adding a job whose key is there already does nothing.
struct JobKey {
  std::string item, stage, version;
};

// What --where can ask for, beside the item itself.
struct JobLabels {
  std::string clip, source, task, split;
};

struct NewJob {
  JobKey key;
  JobLabels labels;
  std::string payload;
};

// Everything that was paid for a job, refused answers included.
struct JobCost {
  std::int64_t requests = 0;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::int64_t money_pico = 0;
  JobCost& operator+=(const JobCost& other);
};

// What an answer brings with it; of a refused answer too (the next try is told `reason`).
struct JobAnswer {
  std::string text;
  std::string outcome;      // "ok", "refused", "blocked", "length" …
  std::string reason;       // why it was refused or given up, "" for a good one
  std::string fingerprint;  // hash of prompt, model and parameters
  std::string teacher;
  JobCost cost;  // of this try alone
};

struct Job {
  std::int64_t id = 0;
  JobKey key;
  JobLabels labels;
  std::string payload;
  JobState state = JobState::kOpen;
  int claims = 0;    // how often a worker took it
  int tries = 0;     // how many answers came
  JobAnswer answer;  // the last one; its cost is the sum over all tries
  std::string owner;
};

}  // namespace areason::store
