#pragma once
// Recorded answers: a JSONL file, a line per answer, found by the hash of model, parameters, prompt and clips. For tests,
// audits and runs that go on after a crash without paying twice. Errors of a provider are never recorded, so that they are
// asked again. Lines are appended with one write and flushed to the disk; a last line that a crash cut off is removed at the
// next opening. Several processes may record into one file. Built by config.h. Thread rule: complete() from any number of
// threads. Errors: Error(kInput) naming file and line for a broken file, Error(kFailure) when it cannot be written.
#include <string>

#include "llm/provider.h"

namespace areason::llm {

enum class ReplayMode {
  kReplay,  // recorded answers only; others are Finish::kNotRecorded
  kRecord,  // what is not recorded is asked of the inner provider and recorded
};

// `inner` may be null for kReplay.
ProviderPtr make_replay(ProviderPtr inner, const std::string& path, ReplayMode mode);

// The SHA-256 that names a request in recordings and stores: model, parameters, every message's role and text, every clip's
// hash, and Request::sample. Not the timeout, not the provider's address, not the descriptions of clips that are sent as sound.
std::string request_hash(const Request& request);

}  // namespace areason::llm
