// The four forms an export can have. Files are written under a temporary name and renamed when they are whole; the export of
// the same samples goes on behind what lies there (export_folder.cpp removes what is left of another one).
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "chat/conversation.h"
#include "cota/export.h"
#include "cota/export_folder.h"

namespace areason {

namespace fs = std::filesystem;

namespace {

// A file that appears under its name when it is closed.
class NewFile {
 public:
  void open(const std::string& path) {
    start(path);
    out_.open(path + ".part", std::ios::binary | std::ios::trunc);
    check();
  }
  // Goes on behind the last whole line of an export that was stopped. Returns how many lines are there.
  std::int64_t open_lines(const std::string& path) {
    start(path);
    std::int64_t lines = 0;
    std::uintmax_t good = 0;
    const std::string part = path + ".part";
    if (fs::exists(part)) {
      std::ifstream in(part, std::ios::binary);
      for (std::string line; std::getline(in, line) && !in.eof(); good += line.size() + 1) ++lines;
      in.close();
      fs::resize_file(part, good);
    }
    out_.open(part, std::ios::binary | std::ios::app);
    check();
    return lines;
  }
  bool is_open() const { return out_.is_open(); }
  void write(std::string_view bytes) {
    out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    check();
  }
  void flush() {
    out_.flush();
    check();
  }
  void close() {
    if (!out_.is_open()) return;
    out_.close();
    check();
    fs::rename(path_ + ".part", path_);
  }

 private:
  void start(const std::string& path) {
    path_ = path;
    make_directories(parent_directory(path));
  }
  void check() const {
    if (!out_) throw Error(ErrorCode::kFailure, path_ + ": cannot be written", "is the disk full, or may you not write there?");
  }
  std::string path_;
  std::ofstream out_;
};

// The lines of one split: says which of its items are there already.
class SplitLines {
 public:
  // True when the item's line is wanted.
  bool begin(const std::string& split, const std::string& path) {
    if (split != split_ || fresh_) {
      file_.close();
      whole_ = fs::exists(path);
      there_ = whole_ ? 0 : file_.open_lines(path);
      split_ = split;
      fresh_ = false;
    }
    return !whole_ && --there_ < 0;
  }
  void write(const Json& json) { file_.write(dump_json(json) + "\n"); }
  void flush() { file_.flush(); }
  void close() { file_.close(); }

 private:
  std::string split_;
  NewFile file_;
  std::int64_t there_ = 0;
  bool whole_ = false, fresh_ = true;
};

// One text line a sample, one file a split.
class LineWriter : public ExportWriter {
 public:
  using Line = Json (*)(const ExportItem&);
  LineWriter(std::string out, Line line) : out_(std::move(out)), line_(line) {}
  void add(const std::string& split, const ExportItem& item) override {
    if (lines_.begin(split, out_ + "/" + split + ".jsonl")) lines_.write(line_(item));
  }
  void finish(const ExportReport&) override { lines_.close(); }

 private:
  std::string out_;
  Line line_;
  SplitLines lines_;
};

Json project_line(const ExportItem& item) {
  Sample s = item.sample;
  for (std::string& audio : s.audio) audio = export_audio_path(item, audio);
  return sample_to_json(s);
}

// ms-swift's custom format: messages with one <audio> a clip, audios beside them.
Json swift_line(const ExportItem& item) {
  const Sample& s = item.sample;
  Json messages = Json::array(), audios = Json::array();
  messages.push_back(Json{{"role", "system"}, {"content", kReasonerSystemPrompt}});
  std::string clips;
  for (const std::string& audio : s.audio) {
    clips += "<audio>";
    audios.push_back(export_audio_path(item, audio));
  }
  for (const Turn& turn : s.turns) {
    messages.push_back(Json{{"role", "user"}, {"content", clips + turn.question}});
    messages.push_back(Json{{"role", "assistant"}, {"content", turn.response}});
    clips.clear();
  }
  messages.push_back(Json{{"role", "user"}, {"content", clips + s.question}});
  messages.push_back(Json{{"role", "assistant"}, {"content", render_chain(s.sections)}});
  return Json{{"messages", messages}, {"audios", audios}};
}

// Letters, digits, '-' and '_': what WebDataset's keys and file names everywhere allow. Distinct ids stay distinct.
std::string key_of(const Sample& sample) {
  std::string out;
  bool changed = false;
  for (const char c : sample.id) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    out += plain ? c : '_';
    changed = changed || !plain;
  }
  if (out.size() > 80) out.resize(80);
  return changed || out.size() != sample.id.size() ? out + "-" + sha256_hex(sample.id).substr(0, 8) : out;
}

std::string shard_name(const std::string& split, std::int64_t shard) {
  char number[32];
  std::snprintf(number, sizeof number, "-%06lld.tar", static_cast<long long>(shard));
  return split + number;
}

std::string extension_of(const std::string& path) {
  const std::string extension = fs::path(path).extension().string();
  return extension.empty() ? ".wav" : extension;
}

// Hugging Face's audiofolder: data/<split>/metadata.jsonl beside the files. A clip with several questions is linked under
// several names, because a row is found by its file.
class AudioFolderWriter : public ExportWriter {
 public:
  explicit AudioFolderWriter(std::string out) : out_(std::move(out)) {}
  void add(const std::string& split, const ExportItem& item) override {
    const std::string folder = out_ + "/data/" + split;
    const Sample& s = item.sample;
    if (s.audio.empty()) return;
    const bool wanted = metadata_.begin(split, folder + "/metadata.jsonl");
    Json row = Json::object();
    std::vector<std::pair<std::string, std::string>> clips;  // from, to
    for (std::size_t i = 0; i < s.audio.size(); ++i) {
      const std::string from = export_audio_path(item, s.audio[i]);
      const std::string number = i == 0 ? "" : "_" + std::to_string(i + 1);
      const std::string name = key_of(s) + number + extension_of(from);
      clips.emplace_back(from, folder + "/" + name);
      row[i == 0 ? "file_name" : "audio" + number + "_file_name"] = name;
    }
    if (wanted) {
      Json rest = sample_to_json(s);
      rest.erase("audio");
      rest["text"] = render_chain(s.sections);
      row.update(rest);
      // Before the clips: no file lies there that no row names, so that a later export can remove them all.
      metadata_.write(row);
      metadata_.flush();
    }
    for (const auto& [from, to] : clips)
      if (wanted || !fs::exists(to)) place(from, to);
  }
  void finish(const ExportReport& report) override {
    metadata_.close();
    write_file_atomic(out_ + "/README.md", card(report));
  }

 private:
  static void place(const std::string& from, const std::string& to) {
    std::error_code error;
    fs::remove(to, error);
    fs::create_hard_link(from, to, error);
    if (error) fs::copy_file(from, to, fs::copy_options::overwrite_existing, error);
    if (error) throw Error(ErrorCode::kFailure, to + ": cannot be made from " + from, error.message());
  }

  static std::string table(const char* head, const std::map<std::string, std::int64_t>& counts) {
    std::string out = std::string("| ") + head + " | samples |\n|---|---|\n";
    for (const auto& [name, count] : counts) out += "| " + name + " | " + std::to_string(count) + " |\n";
    return out + "\n";
  }
  static std::string card(const ExportReport& report) {
    std::string out =
        "---\nlicense: other\ntask_categories:\n- audio-text-to-text\nconfigs:\n- config_name: default\n  data_files:\n";
    for (const auto& [split, count] : report.splits) {
      out += "  - split: " + split + "\n    path: data/" + split + "/**\n";
    }
    out += "---\n\n# Chains of thought about audio\n\nMade with `audio-reasoner data`: " + std::to_string(report.samples) +
           " samples, each with a question, an answer and a chain of thought in five sections (PLANNING, CAPTION, REASONING, "
           "SUMMARY, RESPONSE). " +
           std::to_string(report.refused) +
           " more did not pass the review. Every row names its source, licence, clip hash, prompt versions and teacher.\n\n";
    return out + table("split", report.splits) + table("task", report.tasks) + table("source", report.sources) +
           "Licences are those of the sources; a row's own stands in `source.licence`.\n\n" + table("licence", report.licences);
  }

  std::string out_;
  SplitLines metadata_;
};

// WebDataset: <split>-000000.tar with <key>.json and <key>.<extension> side by side. USTAR as POSIX has it.
class TarWriter : public ExportWriter {
 public:
  TarWriter(std::string out, int shard_samples) : out_(std::move(out)), shard_samples_(shard_samples) {}
  void add(const std::string& split, const ExportItem& item) override {
    if (split != split_) shard_ = 0;
    if (split != split_ || in_shard_ == shard_samples_) {
      close();
      const std::string path = out_ + "/" + shard_name(split, shard_++);
      whole_ = fs::exists(path);  // a shard that an earlier run has finished
      if (!whole_) file_.open(path);
      split_ = split;
    }
    ++in_shard_;
    if (whole_) return;
    const Sample& s = item.sample;
    const std::string key = key_of(s);
    Json json = sample_to_json(s);
    json["text"] = render_chain(s.sections);
    member(key + ".json", dump_json(json));
    for (std::size_t i = 0; i < s.audio.size(); ++i) {
      const std::string path = export_audio_path(item, s.audio[i]);
      member(key + (i == 0 ? "" : "." + std::to_string(i + 1)) + extension_of(path), read_file(path));
    }
  }
  void finish(const ExportReport&) override { close(); }

 private:
  void close() {
    if (file_.is_open()) file_.write(std::string(1024, '\0'));
    file_.close();
    in_shard_ = 0;
  }
  void member(const std::string& name, const std::string& bytes) {
    std::string header(512, '\0');
    const auto put = [&](std::size_t at, const std::string& text) { header.replace(at, text.size(), text); };
    char size[16];
    std::snprintf(size, sizeof size, "%011llo", static_cast<unsigned long long>(bytes.size()));
    put(0, name.substr(0, 99));
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, size);
    put(136, "00000000000");  // no time: equal exports are equal files
    put(148, "        ");
    put(156, "0");
    put(257, std::string("ustar\00000", 8));
    unsigned sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    char checksum[8];
    std::snprintf(checksum, sizeof checksum, "%06o", sum);
    put(148, std::string(checksum) + std::string("\0 ", 2));
    file_.write(header);
    file_.write(bytes);
    if (bytes.size() % 512 != 0) file_.write(std::string(512 - bytes.size() % 512, '\0'));
  }

  std::string out_, split_;
  int shard_samples_, shard_ = 0, in_shard_ = 0;
  bool whole_ = false;
  NewFile file_;
};

}  // namespace

std::vector<std::string> export_files(const ExportOptions& options, const std::map<std::string, std::int64_t>& splits) {
  std::vector<std::string> out;
  for (const auto& [split, samples] : splits) {
    if (options.format == ExportFormat::kWebDataset) {
      for (std::int64_t i = 0; i * options.shard_samples < samples; ++i) out.push_back(shard_name(split, i));
    } else if (options.format == ExportFormat::kHuggingFace) {
      out.push_back("data/" + split + "/metadata.jsonl");
    } else {
      out.push_back(split + ".jsonl");
    }
  }
  if (options.format == ExportFormat::kHuggingFace) out.push_back("README.md");
  return out;
}

void each_exported_clip(const std::string& metadata, const std::function<void(const std::string& name)>& each) {
  std::ifstream in(metadata, std::ios::binary);
  for (std::string line; std::getline(in, line);) {
    const Json row = Json::parse(line, nullptr, false);
    if (!row.is_object()) continue;
    for (const auto& [key, value] : row.items())
      if (key.ends_with("file_name") && value.is_string()) each(value.get<std::string>());
  }
}

std::unique_ptr<ExportWriter> make_export_writer(const ExportOptions& options) {
  switch (options.format) {
    case ExportFormat::kSwift:
      return std::make_unique<LineWriter>(options.out, swift_line);
    case ExportFormat::kHuggingFace:
      return std::make_unique<AudioFolderWriter>(options.out);
    case ExportFormat::kWebDataset:
      return std::make_unique<TarWriter>(options.out, options.shard_samples);
    case ExportFormat::kJsonl:
      break;
  }
  return std::make_unique<LineWriter>(options.out, project_line);
}

}  // namespace areason
