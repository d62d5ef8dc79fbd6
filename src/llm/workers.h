#pragma once
// Many requests on a bounded number of threads: pulls requests as there is room, hands every reply on exactly once. Called by
// eval and the data stages. Thread rule: one run_requests() per call, from one thread; `next` and `done` are called one at a
// time (never at once), from the workers. Errors: what `next`, `done` or the provider throws ends the run and is rethrown when
// all workers have stopped; Ctrl-C likewise (Error(kInterrupted)): replies that came are handed on first.
#include <cstddef>
#include <functional>
#include <map>
#include <optional>

#include "llm/provider.h"

namespace areason::llm {

struct RunSummary {
  std::size_t requests = 0;
  std::map<Finish, std::size_t> outcomes;
  std::size_t attempts = 0;
  // The reply that ended the run early (stops_run(): key, quota, budget); none when every request was asked.
  std::optional<Reply> stopped_by;
};

// `next` gives the next request or nothing at the end; `done` gets the request's position (from 0, in the order of `next`).
RunSummary run_requests(Provider& provider, int workers, const std::function<std::optional<Request>()>& next,
                        const std::function<void(std::size_t, const Request&, Reply)>& done);

}  // namespace areason::llm
