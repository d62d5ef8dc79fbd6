#include "synth/timbres.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "base/error.h"
#include "base/files.h"
#include "base/random.h"

namespace areason {

namespace fs = std::filesystem;

namespace {

constexpr double kUnseenTimbres = 0.2;

std::string trim(const std::string& text) {
  const std::size_t from = text.find_first_not_of(" \t\r\n"), to = text.find_last_not_of(" \t\r\n");
  return from == std::string::npos ? "" : text.substr(from, to - from + 1);
}

// ";ID  |SEX| SUBSET           |MINUTES| NAME", then "14   | F | train-clean-360  | 25.03 | Kristin LeMoine".
std::map<std::string, std::string> read_genders(const fs::path& file) {
  std::map<std::string, std::string> out;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == ';') continue;
    std::istringstream fields(line);
    std::string id, sex;
    if (std::getline(fields, id, '|') && std::getline(fields, sex, '|')) out[trim(id)] = trim(sex) == "F" ? "woman" : "man";
  }
  return out;
}

std::string recording_beside(const fs::path& folder, const std::string& stem) {
  for (const char* extension : {".flac", ".wav", ".ogg", ".mp3"}) {
    const fs::path file = folder / (stem + extension);
    if (fs::exists(file)) return file.string();
  }
  return "";
}

void add_transcripts(const fs::path& file, std::vector<Timbre>& out) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const std::size_t blank = line.find(' ');
    if (blank == std::string::npos) continue;
    Timbre t;
    t.id = line.substr(0, blank);
    t.reader = t.id.substr(0, t.id.find('-'));
    t.path = recording_beside(file.parent_path(), t.id);
    t.text = recased(trim(line.substr(blank + 1)));
    if (!t.path.empty() && !t.text.empty()) out.push_back(std::move(t));
  }
}

void add_plain(const fs::path& file, std::vector<Timbre>& out) {
  Timbre t;
  t.id = t.reader = file.stem().string();
  t.path = recording_beside(file.parent_path(), t.id);
  t.text = trim(read_file(file.string(), 1 << 16));
  if (!t.path.empty() && !t.text.empty()) out.push_back(std::move(t));
}

}  // namespace

std::string recased(const std::string& transcript) {
  std::string out;
  for (const char c : transcript) out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (out.empty()) return out;
  for (std::size_t at = out.find(" i"); at != std::string::npos; at = out.find(" i", at + 1)) {
    const char after = at + 2 < out.size() ? out[at + 2] : ' ';
    if (after == ' ' || after == '\'') out[at + 1] = 'I';
  }
  out[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(out[0])));
  return std::isalnum(static_cast<unsigned char>(out.back())) != 0 ? out + "." : out;
}

std::vector<Timbre> read_timbres(const std::string& folder) {
  std::error_code error;
  std::vector<Timbre> out;
  std::map<std::string, std::string> genders;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name == "SPEAKERS.TXT") genders = read_genders(it->path());
    if (name.ends_with(".trans.txt")) {
      add_transcripts(it->path(), out);
    } else if (name.ends_with(".txt")) {
      add_plain(it->path(), out);
    }
  }
  if (genders.empty() && fs::exists(fs::path(folder).parent_path() / "SPEAKERS.TXT"))
    genders = read_genders(fs::path(folder).parent_path() / "SPEAKERS.TXT");  // a subset's folder was given
  if (out.empty()) {
    throw Error(ErrorCode::kInput, folder + ": no recordings with their words",
                "give a folder of LibriSpeech, or NAME.wav with NAME.txt beside it");
  }
  for (Timbre& t : out) {
    if (const auto it = genders.find(t.reader); it != genders.end()) t.gender = it->second;
    t.unseen = Random::for_item(1, "timbre " + t.reader).chance(kUnseenTimbres);
  }
  std::sort(out.begin(), out.end(), [](const Timbre& a, const Timbre& b) { return a.id < b.id; });
  return out;
}

}  // namespace areason
