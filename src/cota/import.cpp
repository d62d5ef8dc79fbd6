#include "cota/import.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>

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
    if (fs::exists(clips_path())) read_source_clips(clips_path(), [&](SourceClip&& c) { remember(std::move(c)); });
    read_journal();
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

  void remember(SourceClip&& clip) {
    ids_.insert(clip.id);
    clips_.push_back(std::move(clip));
  }

  // Clips that a stopped import had heard; a torn last line is dropped.
  void read_journal() {
    std::ifstream in(journal_path(), std::ios::binary);
    std::string line;
    while (std::getline(in, line) && !in.eof()) {
      SourceClip clip = source_clip_from_json(parse_json(line, journal_path()), journal_path());
      if (!ids_.contains(clip.id)) remember(std::move(clip));
    }
    in.close();
    std::string whole;
    for (const SourceClip& c : clips_) whole += dump_json(source_clip_to_json(c)) + "\n";
    if (fs::exists(journal_path())) write_file_atomic(journal_path(), whole);
  }

  void take(ImportRow&& row) {
    if (options_.limit > 0 && report_.rows >= options_.limit) return;
    ++report_.rows;
    if (!ids_.insert(row.clip.id).second) {
      ++report_.known;
      return;
    }
    waiting_.push_back(std::move(row));
    if (waiting_.size() >= kBatch) flush();
  }

  void broken(const std::string& where, const std::string& what) {
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
        clips_.push_back(std::move(row.clip));
      } else {
        ++(found[i] == Found::kMissing ? report_.missing : report_.broken);
        problem(row.where, row.clip.id + ": " + why[i], found[i] == Found::kMissing ? "missing" : "broken");
      }
    }
    journal_.flush();
    problems_.flush();
    waiting_.clear();
    if (progress_) progress_(report_);
  }

  void finish() {
    std::tie(report_.duplicates, report_.across_splits) = mark_duplicates(clips_);
    std::string text;
    for (const SourceClip& c : clips_) {
      text += dump_json(source_clip_to_json(c)) + "\n";
      ++report_.licences[c.source.licence.empty() ? "unknown" : c.source.licence];
    }
    write_file_atomic(clips_path(), text);
    journal_.close();
    fs::remove(journal_path());
  }

  const ImportOptions& options_;
  const ImportProgress& progress_;
  ThreadPool pool_{options_.threads};
  ImportReport report_;
  std::vector<SourceClip> clips_;
  std::set<std::string> ids_;
  std::vector<ImportRow> waiting_;
  std::ofstream journal_, problems_;
};

bool is_test_side(const SourceClip& clip) { return !clip.split.empty() && clip.split != "train"; }

}  // namespace

std::pair<std::int64_t, std::int64_t> mark_duplicates(std::vector<SourceClip>& clips) {
  std::map<std::string, std::vector<SourceClip*>> by_content;
  for (SourceClip& clip : clips) {
    if (clip.excluded.rfind("duplicate", 0) == 0) clip.excluded.clear();
    if (!clip.content.empty()) by_content[clip.content].push_back(&clip);
  }
  std::int64_t duplicates = 0, across = 0;
  for (auto& [content, equal] : by_content) {
    if (equal.size() < 2) continue;
    // Test before validation before training; within one, the first that came.
    const auto rank = [](const SourceClip* c) { return !is_test_side(*c) ? 2 : c->split == "val" ? 1 : 0; };
    SourceClip* keep = *std::min_element(equal.begin(), equal.end(), [&](auto* a, auto* b) { return rank(a) < rank(b); });
    for (SourceClip* clip : equal) {
      if (clip == keep) continue;
      const bool border = is_test_side(*clip) != is_test_side(*keep);
      clip->excluded = "duplicate of " + keep->id + (border ? ", which is in " + keep->split : "");
      clip->group = keep->group;
      ++duplicates;
      across += border ? 1 : 0;
    }
  }
  return {duplicates, across};
}

ImportReport run_import(const ImportOptions& options, const ImportProgress& progress) {
  return Import(options, progress).run();
}

}  // namespace areason
