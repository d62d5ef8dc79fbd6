#include "cota/import.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <unordered_set>

#include "audio/decode.h"
#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "base/thread_pool.h"
#include "cota/import_sources.h"

namespace areason {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kBatch = 64;  // rows that are decoded between two looks at Ctrl-C
constexpr double kQuietest = 1e-4;  // peak below which a clip is silence

// Hash of the sound as the model would hear it, to 16 bits: containers and tags do not matter, resampling noise hardly ever.
std::string content_hash(const Waveform& audio) {
  std::string pcm;
  pcm.reserve(audio.samples.size() * 2);
  for (const float s : audio.samples) {
    const auto v = static_cast<int>(std::clamp(s, -1.0f, 1.0f) * 32767);
    pcm += static_cast<char>(v & 0xff);
    pcm += static_cast<char>((v >> 8) & 0xff);
  }
  return sha256_hex(pcm);
}

bool is_test_side(const std::string& split) { return !split.empty() && split != "train"; }
// Test before validation before training.
int rank_of(const std::string& split) { return !is_test_side(split) ? 2 : split == "val" ? 1 : 0; }

// Sixteen bytes that stand for a name: a set may have millions.
std::string key_of(const std::string& text) { return sha256_hex(text).substr(0, 32); }

enum class Found { kGood, kMissing, kBroken };

// Finds and hears the files of a row. `why` says what is wrong.
Found hear(ImportRow& row, std::string& why) {
  SourceClip& clip = row.clip;
  try {
    for (const std::string& name : row.candidates) {
      if (!fs::is_regular_file(path_inside(clip.root, name))) continue;
      clip.audio = {name};
      break;
    }
    if (clip.audio.empty()) {
      why = "no file " + (row.candidates.empty() ? std::string("named") : row.candidates[0]) + " in " + clip.root;
      return Found::kMissing;
    }
    float peak = 0;
    std::string content, files;
    for (const std::string& name : clip.audio) {
      const std::string path = path_inside(clip.root, name);
      if (!fs::is_regular_file(path)) {
        why = path + " is missing";
        return Found::kMissing;
      }
      const Waveform audio = load_audio_16k(path);
      for (const float s : audio.samples) peak = std::max(peak, std::abs(s));
      clip.seconds += audio.seconds();
      content += content_hash(audio);
      files += sha256_file(path);
    }
    clip.content = clip.audio.size() == 1 ? content : sha256_hex(content);
    if (clip.source.sha256.empty()) clip.source.sha256 = clip.audio.size() == 1 ? files : sha256_hex(files);
    if (clip.source.path.empty()) clip.source.path = clip.audio[0];
    if (peak < kQuietest) why = "silence";
  } catch (const Error& e) {
    if (e.code() == ErrorCode::kInterrupted) throw;
    why = e.what();
  }
  if (why.empty() && row.expected_seconds > 0 &&
      (clip.seconds > 3 * row.expected_seconds + 2 || clip.seconds < row.expected_seconds / 3 - 0.5))
    why =
        "the file lasts " + std::to_string(clip.seconds) + " s, the table says " + std::to_string(row.expected_seconds) + " s";
  return why.empty() ? Found::kGood : Found::kBroken;
}

class Import {
 public:
  Import(const ImportOptions& options, const ImportProgress& progress) : options_(options), progress_(progress) {
    make_directories(options.set);
    if (fs::exists(clips_path())) read_source_clips(clips_path(), [&](SourceClip&& c) { ids_.insert(key_of(c.id)); });
    repair_journal();
    journal_.open(journal_path(), std::ios::app | std::ios::binary);
    problems_.open(options.set + "/import-problems.jsonl", std::ios::app | std::ios::binary);
    if (!journal_ || !problems_)
      throw Error(ErrorCode::kFailure, options.set + ": cannot be written", "check that you may write there");
  }

  ImportReport run() {
    const auto& kinds = import_kinds();
    const auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const ImportKind& k) { return k.name == options_.kind; });
    if (kind == kinds.end())
      throw Error(ErrorCode::kUsage, "unknown kind of source \"" + options_.kind + "\"",
                  "see audio-reasoner data import --help");
    kind->list(options_, {[&](ImportRow&& row) { take(std::move(row)); },
                          [&](const std::string& where, const std::string& what) { broken(where, what); }});
    flush();
    finish();
    return report_;
  }

 private:
  std::string clips_path() const { return options_.set + "/clips.jsonl"; }
  std::string journal_path() const { return options_.set + "/clips.jsonl.part"; }

  // Clips that a stopped import had heard; a torn last line is cut off.
  void repair_journal() {
    if (!fs::exists(journal_path())) return;
    std::ifstream in(journal_path(), std::ios::binary);
    std::uintmax_t good = 0;
    bool merged = false;  // the import was stopped between its last two steps
    for (std::string line; std::getline(in, line) && !in.eof() && !merged; good += line.size() + 1)
      merged = !ids_.insert(key_of(source_clip_from_json(parse_json(line, journal_path()), journal_path()).id)).second;
    in.close();
    merged ? static_cast<void>(fs::remove(journal_path())) : fs::resize_file(journal_path(), good);
  }

  void take(ImportRow&& row) {
    if (options_.limit > 0 && report_.rows >= options_.limit) return;
    ++report_.rows;
    if (!ids_.insert(key_of(row.clip.id)).second) {
      ++report_.known;
      return;
    }
    waiting_.push_back(std::move(row));
    if (waiting_.size() >= kBatch) flush();
  }

  void broken(const std::string& where, const std::string& what) {
    if (options_.limit > 0 && report_.rows >= options_.limit) return;
    ++report_.rows;
    ++report_.broken;
    problem(where, what, "broken");
  }
  void problem(const std::string& where, const std::string& what, const char* sort) {
    problems_ << dump_json(Json{{"kind", options_.kind}, {"where", where}, {"problem", sort}, {"what", what}}) << '\n';
  }

  void flush() {
    throw_if_interrupted();
    std::vector<Found> found(waiting_.size(), Found::kBroken);
    std::vector<std::string> why(waiting_.size());
    pool_.parallel_for(waiting_.size(), 1, [&](std::size_t from, std::size_t to) {
      for (std::size_t i = from; i < to; ++i) found[i] = hear(waiting_[i], why[i]);
    });
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
      ImportRow& row = waiting_[i];
      if (found[i] == Found::kGood) {
        ++report_.imported;
        journal_ << dump_json(source_clip_to_json(row.clip)) << '\n';
      } else {
        ++(found[i] == Found::kMissing ? report_.missing : report_.broken);
        problem(row.where, row.clip.id + ": " + why[i], found[i] == Found::kMissing ? "missing" : "broken");
      }
    }
    journal_.flush();
    problems_.flush();
    require_written();
    waiting_.clear();
    if (progress_) progress_(report_);
  }

  void require_written() const {
    if (!journal_) throw Error(ErrorCode::kFailure, journal_path() + ": cannot be written", "is the disk full?");
    if (!problems_)
      throw Error(ErrorCode::kFailure, options_.set + "/import-problems.jsonl: cannot be written", "is the disk full?");
  }

  // Old clips and new ones, in the order they came, one at a time.
  void each_clip(const std::function<void(SourceClip&&)>& each) const {
    for (const std::string& path : {clips_path(), journal_path()})
      if (fs::exists(path)) read_source_clips(path, each);
  }

  // Three passes over the files instead of all clips in memory: whose sound is whose, who those that stay are, and writing.
  void finish() {
    journal_.close();
    require_written();
    Duplicates duplicates;
    each_clip([&](SourceClip&& c) { duplicates.hear(c); });
    each_clip([&](SourceClip&& c) { duplicates.remember(c); });
    const std::string part = clips_path() + ".new";
    std::ofstream out(part, std::ios::binary | std::ios::trunc);
    each_clip([&](SourceClip&& c) {
      duplicates.mark(c);
      out << dump_json(source_clip_to_json(c)) << '\n';
      ++report_.licences[c.source.licence.empty() ? "unknown" : c.source.licence];
    });
    out.close();
    if (!out) throw Error(ErrorCode::kFailure, part + ": cannot be written", "is the disk full?");
    report_.duplicates = duplicates.found();
    report_.across_splits = duplicates.across();
    fs::rename(part, clips_path());
    fs::remove(journal_path());
  }

  const ImportOptions& options_;
  const ImportProgress& progress_;
  ThreadPool pool_{options_.threads};
  ImportReport report_;
  std::unordered_set<std::string> ids_;  // key_of()
  std::vector<ImportRow> waiting_;
  std::ofstream journal_, problems_;
};

}  // namespace

void Duplicates::hear(const SourceClip& clip) {
  const std::int64_t at = heard_++;
  if (clip.content.empty()) return;
  const auto [it, is_new] = by_content_.try_emplace(key_of(clip.content), Kept{at, rank_of(clip.split), false});
  if (is_new) return;
  it->second.shared = true;
  // Within one split the first that came.
  if (rank_of(clip.split) < it->second.rank) it->second = {at, rank_of(clip.split), true};
}

void Duplicates::remember(const SourceClip& clip) {
  const std::int64_t at = remembered_++;
  const auto it = clip.content.empty() ? by_content_.end() : by_content_.find(key_of(clip.content));
  if (it != by_content_.end() && it->second.shared && it->second.at == at)
    kept_[key_of(clip.content)] = {clip.id, clip.split, clip.group};
}

void Duplicates::mark(SourceClip& clip) {
  const std::int64_t at = marked_++;
  if (clip.excluded.rfind("duplicate", 0) == 0) clip.excluded.clear();
  const auto it = clip.content.empty() ? by_content_.end() : by_content_.find(key_of(clip.content));
  if (it == by_content_.end() || !it->second.shared || it->second.at == at) return;
  const Named& keep = kept_.at(key_of(clip.content));
  const bool border = is_test_side(clip.split) != is_test_side(keep.split);
  clip.excluded = "duplicate of " + keep.id + (border ? ", which is in " + keep.split : "");
  clip.group = keep.group;
  ++found_;
  across_ += border ? 1 : 0;
}

ImportReport run_import(const ImportOptions& options, const ImportProgress& progress) {
  return Import(options, progress).run();
}

}  // namespace areason
