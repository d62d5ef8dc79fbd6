#pragma once
// Jobs that many workers share: threads, processes, machines. SQLite (a file, one machine) or PostgreSQL (postgresql://…, any
// number of machines) behind one interface; job_store_test.cpp holds both to one contract. A job is leased while it is worked
// on; a worker that dies stops renewing, and its jobs become free when the lease ends. Every call is one transaction; jobs
// and answers are on disk when it returns (claims, leases and turns may be undone by a power cut, which harms nothing). Called
// by cota's stages, export and the CLI. Thread rule: every function is safe from any thread of the process. Units: seconds.
// Errors: Error(kUsage) for a bad address, Error(kFailure) naming the store (never a password) for what the database says.
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "store/job.h"
#include "store/spending.h"

namespace areason::store {

// Which jobs are meant; empty fields do not restrict. Keys of `where`: item, clip, source, task, split; in a value * stands for
// anything.
struct JobFilter {
  std::string stage;
  std::vector<std::string> versions;
  std::map<std::string, std::string> where;
};

// How one try of a leased job ended.
struct JobEnd {
  std::int64_t id = 0;
  JobState state = JobState::kDone;  // kOpen: to be tried again
  JobAnswer answer;
  std::vector<NewJob> follow_ups;  // added with the answer, or not at all
  // Nobody could be asked: the job is open again as if it had not been claimed, and of `answer` the cost alone is booked.
  bool unasked = false;
};

struct StageCounts {
  std::int64_t open = 0, leased = 0, done = 0, failed = 0;
  JobCost cost;
  std::map<std::string, std::int64_t> outcomes;  // of done and failed jobs
};

// A limit of requests and tokens within any stretch of so many seconds; 0: none.
struct TurnLimit {
  double seconds = 60;
  std::int64_t requests = 0, tokens = 0;
};
struct Turn {
  std::int64_t ticket = 0;
  double wait_seconds = 0;  // above 0: no turn yet, ask again then
};

class JobStore {
 public:
  virtual ~JobStore() = default;
  // "jobs.db (SQLite)", "postgresql host/database": for messages.
  virtual std::string name() const = 0;

  // Returns how many were new.
  virtual std::size_t add(const std::vector<NewJob>& jobs) = 0;
  // Takes up to `count` jobs that are open, or whose lease is over, in the order they were added.
  virtual std::vector<Job> claim(const std::string& owner, const JobFilter& filter, int count, double lease_seconds) = 0;
  // The heartbeat: all leases of the owner last for `lease_seconds` from now. Returns how many there are.
  virtual std::size_t renew(const std::string& owner, double lease_seconds) = 0;
  // Ends tries. An answer counts when the job has none yet, even if the lease was lost meanwhile: it has been paid for. A try
  // that brought none (kOpen, kFailed) counts only while the lease is the owner's. The cost is booked in any case. Returns for
  // each whether it counted.
  virtual std::vector<bool> finish(const std::string& owner, const std::vector<JobEnd>& ends) = 0;
  // Gives back what the owner still holds, as if it had not been claimed (Ctrl-C). Returns how many.
  virtual std::size_t release(const std::string& owner) = 0;
  // Failed jobs are open again, their tries forgotten. Returns how many.
  virtual std::size_t reopen_failed(const JobFilter& filter) = 0;

  // Turns to send something to `gate` (a server), counted over all processes of the store. A turn counts against the limits
  // from now until a whole stretch after the server must have had it: ten seconds, or its end_turn(). Those of killed processes
  // end by themselves.
  virtual Turn take_turn(const std::string& gate, const std::vector<TurnLimit>& limits, std::int64_t tokens) = 0;
  virtual void end_turn(std::int64_t ticket, std::int64_t tokens) = 0;
  // Money and tokens of all processes and runs together (spending.h). A bill that comes for a hold which is unknown counts for
  // nothing: false.
  virtual Hold hold(const HoldRequest& request) = 0;
  virtual bool settle(std::int64_t ticket, const Amount& billed, Bill bill) = 0;
  // The heartbeat of the holds; others wait for the bills of holds that are renewed, and for no others.
  virtual void renew_holds(const std::string& owner, double lease_seconds) = 0;
  virtual Spending spending(const std::string& purse) = 0;

  // Is there a job that is open or leased? Cheap, unlike counts().
  virtual bool unfinished(const JobFilter& filter) = 0;
  // How many jobs are open or leased, of any stage. Reads an index alone.
  virtual std::int64_t unfinished_jobs() = 0;
  // Small texts that belong to the store, "" when there is none of that name.
  virtual std::string note(const std::string& name) = 0;
  virtual void set_note(const std::string& name, const std::string& value) = 0;
  virtual std::map<std::string, StageCounts> counts(const JobFilter& filter) = 0;  // by stage
  // Calls `each` for every job of that state, in the order they were added; reads in pages, so the store may be large.
  virtual void each(const JobFilter& filter, JobState state, const std::function<void(Job&&)>& each) = 0;
  // One job by its id. Throws Error(kInput) when there is none.
  virtual Job get(std::int64_t id) = 0;
};

// A path (SQLite; the file and its folder are made) or postgresql://[user@]host[:port]/database[?options]. A password in the
// address is refused: it would show in the process list (PGPASSWORD or ~/.pgpass have it instead).
std::unique_ptr<JobStore> open_store(const std::string& address);
// Was the program built with libpq?
bool has_postgres();

}  // namespace areason::store
