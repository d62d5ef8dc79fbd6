#include <algorithm>
#include <mutex>
#include <type_traits>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "store/job_store.h"
#include "store/sql.h"
#include "store/turns.h"

namespace areason::store {
namespace {

constexpr int kPage = 500;  // rows that each() reads at a time
constexpr const char* kSchema = "1";

constexpr const char* kColumns =
    "id, item, stage, version, clip, source, task, split, payload, state, claims, tries, owner, answer, outcome, reason, "
    "fingerprint, teacher, requests, input_tokens, output_tokens, money_pico";

// Text that every engine stores: valid UTF-8 without NUL, which PostgreSQL knows no way to keep.
std::string storable(const std::string& text) {
  std::string out = Json::parse(dump_json(Json(text))).get<std::string>();
  for (char& c : out) c = c == '\0' ? ' ' : c;
  return out;
}

// "a*_b" -> "a%\_b"
std::string like_pattern(const std::string& glob) {
  std::string out;
  for (const char c : glob) {
    if (c == '%' || c == '_' || c == '\\') out += '\\';
    out += c == '*' ? '%' : c;
  }
  return out;
}

class Statement {
 public:
  explicit Statement(std::string text) : sql(std::move(text)) {}
  // "$3" for the value, which becomes the third parameter.
  std::string with(SqlValue value) {
    parameters.push_back(std::move(value));
    return "$" + std::to_string(parameters.size());
  }
  // Appends " AND …" for every restriction of the filter.
  void restrict_to(const JobFilter& filter) {
    if (!filter.stage.empty()) sql += " AND stage = " + with(filter.stage);
    if (!filter.versions.empty()) {
      std::string list;
      for (const std::string& v : filter.versions) list += (list.empty() ? "" : ", ") + with(v);
      sql += " AND version IN (" + list + ")";
    }
    for (const auto& [column, glob] : filter.where) {
      if (column != "item" && column != "clip" && column != "source" && column != "task" && column != "split")
        throw Error(ErrorCode::kUsage, "jobs cannot be chosen by \"" + column + "\"", "use item, clip, source, task or split");
      sql += " AND " + column + " LIKE " + with(like_pattern(glob)) + " ESCAPE '\\'";
    }
  }
  std::string sql;
  std::vector<SqlValue> parameters;
};

Job job_of(const SqlRow& row) {
  Job job;
  std::size_t i = 0;
  const auto text = [&] { return row[i++]; };
  const auto number = [&] { return std::stoll(row[i++]); };
  job.id = number();
  job.key = {text(), text(), text()};
  job.labels = {text(), text(), text(), text()};
  job.payload = text();
  job.state = static_cast<JobState>(number());
  job.claims = static_cast<int>(number());
  job.tries = static_cast<int>(number());
  job.owner = text();
  job.answer = {text(), text(), text(), text(), text(), {}};
  job.answer.cost = {number(), number(), number(), number()};
  return job;
}

class SqlStore : public JobStore {
 public:
  explicit SqlStore(std::unique_ptr<SqlConnection> db) : db_(std::move(db)) { make_tables(); }

  std::string name() const override { return db_->name(); }

  std::size_t add(const std::vector<NewJob>& jobs) override {
    return transaction([&] { return insert(jobs); });
  }

  std::vector<Job> claim(const std::string& owner, const JobFilter& filter, int count, double lease_seconds) override {
    const SqlDialect& d = db_->dialect();
    Statement s("WITH chosen AS MATERIALIZED (SELECT id AS chosen_id FROM jobs WHERE state < 2");
    s.sql += std::string(" AND (state = 0 OR lease_until <= ") + d.now + ")";
    s.restrict_to(filter);
    s.sql += " ORDER BY id LIMIT " + s.with(std::int64_t{count}) + " " + d.skip_locked + ")";
    s.sql += " UPDATE jobs SET state = 1, claims = claims + 1, owner = " + s.with(owner);
    s.sql += std::string(", lease_until = ") + d.now + " + CAST(" + s.with(lease_seconds) + " AS DOUBLE PRECISION)";
    s.sql += std::string(" FROM chosen WHERE id = chosen_id RETURNING ") + kColumns;
    std::vector<Job> jobs;
    for (const SqlRow& row : transaction([&] { return db_->query(s.sql, s.parameters); }, Disk::kRelaxed))
      jobs.push_back(job_of(row));
    std::sort(jobs.begin(), jobs.end(), [](const Job& a, const Job& b) { return a.id < b.id; });
    return jobs;
  }

  std::size_t renew(const std::string& owner, double lease_seconds) override {
    Statement s(std::string("UPDATE jobs SET lease_until = ") + db_->dialect().now);
    s.sql += " + CAST(" + s.with(lease_seconds) + " AS DOUBLE PRECISION) WHERE state = 1 AND owner = " + s.with(owner);
    return changed(s, Disk::kRelaxed);
  }

  std::vector<bool> finish(const std::string& owner, const std::vector<JobEnd>& ends) override {
    return transaction([&] {
      std::vector<bool> counted;
      for (const JobEnd& end : ends) {
        counted.push_back(end_one(owner, end));
        if (counted.back()) insert(end.follow_ups);
      }
      return counted;
    });
  }

  std::size_t release(const std::string& owner) override {
    Statement s("UPDATE jobs SET state = 0, owner = '', lease_until = 0, claims = claims - 1 WHERE state = 1 AND owner = ");
    s.sql += s.with(owner);
    return changed(s, Disk::kRelaxed);
  }

  std::size_t reopen_failed(const JobFilter& filter) override {
    Statement s("UPDATE jobs SET state = 0, tries = 0, claims = 0, reason = '' WHERE state = 3");
    s.restrict_to(filter);
    return changed(s, Disk::kDurable);
  }

  Turn take_turn(const std::string& gate, const std::vector<TurnLimit>& limits, std::int64_t tokens) override {
    return transaction([&] { return store::take_turn(*db_, gate, limits, tokens); }, Disk::kRelaxed);
  }
  void end_turn(std::int64_t ticket, std::int64_t tokens) override {
    transaction([&] { return store::end_turn(*db_, ticket, tokens); }, Disk::kRelaxed);
  }

  Hold hold(const HoldRequest& request) override {
    return transaction([&] { return store::hold(*db_, request); }, Disk::kRelaxed);
  }
  bool settle(std::int64_t ticket, const Amount& billed, Bill bill) override {
    return transaction([&] { return store::settle(*db_, ticket, billed, bill); }, Disk::kRelaxed);
  }
  void renew_holds(const std::string& owner, double lease_seconds) override {
    Statement s(std::string("UPDATE holds SET lease_until = ") + db_->dialect().now);
    s.sql += " + CAST(" + s.with(lease_seconds) + " AS DOUBLE PRECISION) WHERE owner = " + s.with(owner);
    changed(s, Disk::kRelaxed);
  }
  Spending spending(const std::string& purse) override {
    return transaction([&] { return store::spending(*db_, purse); }, Disk::kRelaxed);
  }

  bool unfinished(const JobFilter& filter) override {
    Statement s("SELECT id FROM jobs WHERE state < 2");
    s.restrict_to(filter);
    return !transaction([&] { return db_->query(s.sql + " LIMIT 1", s.parameters); }).empty();
  }

  std::int64_t unfinished_jobs() override {
    return std::stoll(
        transaction([&] { return db_->query("SELECT count(*) FROM jobs WHERE state < 2"); }, Disk::kRelaxed).at(0).at(0));
  }
  std::string note(const std::string& name) override {
    const auto rows = transaction([&] { return db_->query("SELECT value FROM store_meta WHERE name = $1", {"note/" + name}); });
    return rows.empty() ? "" : rows[0][0];
  }
  void set_note(const std::string& name, const std::string& value) override {
    transaction([&] {
      return db_->query("INSERT INTO store_meta VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                        {"note/" + name, storable(value)});
    });
  }

  std::map<std::string, StageCounts> counts(const JobFilter& filter) override {
    Statement s(
        "SELECT stage, state, outcome, count(*), sum(requests), sum(input_tokens), sum(output_tokens), sum(money_pico)");
    s.sql += " FROM jobs WHERE 1 = 1";
    s.restrict_to(filter);
    s.sql += " GROUP BY stage, state, outcome";
    std::map<std::string, StageCounts> out;
    for (const SqlRow& row : transaction([&] { return db_->query(s.sql, s.parameters); })) {
      StageCounts& c = out[row[0]];
      const std::int64_t n = std::stoll(row[3]);
      const auto state = static_cast<JobState>(std::stoi(row[1]));
      (state == JobState::kOpen     ? c.open
       : state == JobState::kLeased ? c.leased
       : state == JobState::kDone   ? c.done
                                    : c.failed) += n;
      c.cost += {std::stoll(row[4]), std::stoll(row[5]), std::stoll(row[6]), std::stoll(row[7])};
      if (state == JobState::kDone || state == JobState::kFailed) c.outcomes[row[2]] += n;
    }
    return out;
  }

  void each(const JobFilter& filter, JobState state, const std::function<void(Job&&)>& each) override {
    std::int64_t last = 0;
    for (bool more = true; more;) {
      Statement s(std::string("SELECT ") + kColumns + " FROM jobs");
      s.sql += " WHERE state = " + s.with(static_cast<std::int64_t>(state)) + " AND id > " + s.with(last);
      s.restrict_to(filter);
      s.sql += " ORDER BY id LIMIT " + s.with(std::int64_t{kPage});
      const auto rows = transaction([&] { return db_->query(s.sql, s.parameters); });
      more = rows.size() == kPage;
      for (const SqlRow& row : rows) {
        Job job = job_of(row);
        last = job.id;
        each(std::move(job));
      }
    }
  }

  Job get(std::int64_t id) override {
    const auto rows =
        transaction([&] { return db_->query(std::string("SELECT ") + kColumns + " FROM jobs WHERE id = $1", {id}); });
    if (rows.empty()) throw Error(ErrorCode::kInput, name() + " has no job " + std::to_string(id), "was the store made anew?");
    return job_of(rows[0]);
  }

 private:
  // kRelaxed: what a power cut may undo without harm (claims, leases, turns); it need not wait for the disk.
  enum class Disk { kDurable, kRelaxed };
  // Runs `body` as one transaction; whatever it throws undoes it.
  template <typename F>
  std::invoke_result_t<F> transaction(F&& body, Disk disk = Disk::kDurable) {
    const std::lock_guard lock(mutex_);
    const SqlDialect& d = db_->dialect();
    const bool relaxed = disk == Disk::kRelaxed;
    if (relaxed && *d.before_relaxed != '\0') db_->query(d.before_relaxed);
    struct After {
      SqlConnection& db;
      const char* sql;
      ~After() {
        try {
          if (*sql != '\0') db.query(sql);
        } catch (const Error&) {  // the next transaction will say what is wrong
        }
      }
    } after{*db_, relaxed ? d.after_relaxed : ""};
    db_->begin();
    try {
      if (relaxed && *d.in_relaxed != '\0') db_->query(d.in_relaxed);
      auto result = body();
      db_->commit();
      return result;
    } catch (...) {
      db_->rollback();
      throw;
    }
  }

  std::size_t changed(const Statement& s, Disk disk) {
    return transaction([&] { return db_->query(s.sql + " RETURNING id", s.parameters).size(); }, disk);
  }

  void make_tables() {
    const SqlDialect& d = db_->dialect();
    if (*d.case_sensitive != '\0') db_->query(d.case_sensitive);
    const std::string schema = transaction([&] {
      if (*d.lock_schema != '\0') db_->query(d.lock_schema);
      db_->query("CREATE TABLE IF NOT EXISTS store_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)");
      db_->query(
          std::string("CREATE TABLE IF NOT EXISTS jobs (id ") + d.id_type +
          ", item TEXT NOT NULL, stage TEXT NOT NULL, version TEXT NOT NULL, clip TEXT NOT NULL, source TEXT NOT NULL, "
          "task TEXT NOT NULL, split TEXT NOT NULL, payload TEXT NOT NULL, state INTEGER NOT NULL DEFAULT 0, "
          "claims INTEGER NOT NULL DEFAULT 0, tries INTEGER NOT NULL DEFAULT 0, owner TEXT NOT NULL DEFAULT '', "
          "lease_until DOUBLE PRECISION NOT NULL DEFAULT 0, answer TEXT NOT NULL DEFAULT '', "
          "outcome TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '', fingerprint TEXT NOT NULL DEFAULT '', "
          "teacher TEXT NOT NULL DEFAULT '', requests BIGINT NOT NULL DEFAULT 0, input_tokens BIGINT NOT NULL DEFAULT 0, "
          "output_tokens BIGINT NOT NULL DEFAULT 0, money_pico BIGINT NOT NULL DEFAULT 0, "
          "UNIQUE (stage, version, item))");
      // Claims look at unfinished jobs only, however many are done.
      db_->query("CREATE INDEX IF NOT EXISTS jobs_unfinished ON jobs (stage, id) WHERE state < 2");
      db_->query("CREATE INDEX IF NOT EXISTS jobs_leased ON jobs (owner) WHERE state = 1");
      db_->query("CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state, stage, id)");
      make_turn_table(*db_);
      make_spending_tables(*db_);
      db_->query("INSERT INTO store_meta VALUES ('schema', $1) ON CONFLICT DO NOTHING", {std::string(kSchema)});
      return db_->query("SELECT value FROM store_meta WHERE name = 'schema'").at(0).at(0);
    });
    if (schema != kSchema)
      throw Error(ErrorCode::kUsage, name() + " was made by another version of the program (schema " + schema + ")",
                  "use that version, or begin a new store");
  }

  std::size_t insert(const std::vector<NewJob>& jobs) {
    std::size_t added = 0;
    for (const NewJob& j : jobs) {
      added += db_->query(
                      "INSERT INTO jobs (item, stage, version, clip, source, task, split, payload) "
                      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING id",
                      {storable(j.key.item), j.key.stage, j.key.version, storable(j.labels.clip), storable(j.labels.source),
                       storable(j.labels.task), storable(j.labels.split), storable(j.payload)})
                   .size();
    }
    return added;
  }

  bool end_one(const std::string& owner, const JobEnd& end) {
    const JobAnswer& a = end.answer;
    Statement s("UPDATE jobs SET owner = '', lease_until = 0");
    if (end.unasked) {
      s.sql += ", state = 0, claims = claims - 1";
    } else {
      s.sql += ", tries = tries + 1";
      s.sql += ", state = " + s.with(static_cast<std::int64_t>(end.state)) + ", answer = " + s.with(storable(a.text));
      s.sql += ", outcome = " + s.with(storable(a.outcome)) + ", reason = " + s.with(storable(a.reason));
      s.sql += ", fingerprint = " + s.with(a.fingerprint) + ", teacher = " + s.with(storable(a.teacher));
    }
    s.sql += " WHERE id = " + s.with(end.id);
    const bool answered = end.state == JobState::kDone && !end.unasked;
    s.sql += answered ? " AND state <> 2" : " AND state = 1 AND owner = " + s.with(owner);
    const bool counted = !db_->query(s.sql + " RETURNING id", s.parameters).empty();
    db_->query(
        "UPDATE jobs SET requests = requests + $1, input_tokens = input_tokens + $2, output_tokens = output_tokens + $3, "
        "money_pico = money_pico + $4 WHERE id = $5",
        {a.cost.requests, a.cost.input_tokens, a.cost.output_tokens, a.cost.money_pico, end.id});
    return counted;
  }

  std::mutex mutex_;
  std::unique_ptr<SqlConnection> db_;
};

}  // namespace

const char* state_name(JobState state) {
  constexpr const char* kNames[] = {"open", "leased", "done", "failed"};
  return kNames[static_cast<int>(state)];
}

JobCost& JobCost::operator+=(const JobCost& other) {
  requests += other.requests;
  input_tokens += other.input_tokens;
  output_tokens += other.output_tokens;
  money_pico += other.money_pico;
  return *this;
}

std::unique_ptr<JobStore> open_store(const std::string& address) {
  const bool postgres = address.rfind("postgresql://", 0) == 0 || address.rfind("postgres://", 0) == 0;
  if (!postgres && address.find("://") != std::string::npos)
    throw Error(ErrorCode::kUsage, "the store's address is neither a path nor postgresql://…",
                "give a file name (SQLite) or postgresql://user@host:port/database");
  return std::make_unique<SqlStore>(postgres ? open_postgres(address) : open_sqlite(address));
}

bool has_postgres() {
#ifdef AREASON_POSTGRES
  return true;
#else
  return false;
#endif
}

}  // namespace areason::store
