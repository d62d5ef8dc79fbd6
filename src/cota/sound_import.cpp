#include "cota/sound_import.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/random.h"
#include "cota/annotate.h"
#include "cota/import_clip.h"

namespace areason {
namespace {

constexpr double kLongest = 30, kUnseenShare = 0.2;

std::string plain_label(const std::string& label) {
  std::string out = trimmed(lower_ascii(label.substr(0, label.find(','))));
  std::replace(out.begin(), out.end(), '_', ' ');
  return out.find_first_of("\"<>{}()") == std::string::npos ? out : "";
}

// "" when there is none; `several` counts the clips that have more than one.
std::string label_of(const SourceClip& clip, int& several) {
  if (const std::string label = clip.fact("label"); !label.empty()) return plain_label(label);
  if (const std::string labels = clip.fact("labels"); !labels.empty()) {
    if (labels.find(';') == std::string::npos) return plain_label(labels);
    ++several;
    return "";
  }
  return plain_label(std::filesystem::path(clip.audio[0]).parent_path().filename().string());
}

}  // namespace

ImportedSounds sounds_of_import(const std::string& clips_file) {
  ImportedSounds out;
  bool has_test = false;
  std::vector<std::string> groups;
  read_source_clips(clips_file, [&](SourceClip&& clip) {
    if (!clip.excluded.empty() || clip.audio.empty()) {
      ++out.excluded;
      return;
    }
    if (clip.seconds > kLongest) {
      ++out.too_long;
      return;
    }
    const int several = out.several_names;
    const std::string label = label_of(clip, out.several_names);
    if (label.empty()) {
      out.without_name += several == out.several_names ? 1 : 0;
      return;
    }
    has_test = has_test || clip.split == "test";
    groups.push_back(clip.group);
    out.sounds.push_back(
        {label,
         "",
         {clip.id, clip.source.set, path_inside(clip.root, clip.audio[0]), clip.source.licence, clip.source.sha256},
         clip.split == "test"});
  });
  if (out.sounds.empty())
    throw Error(ErrorCode::kInput, clips_file + ": no clip has a name that sounds can be called by",
                "sounds need a fact \"label\" or \"labels\", or a folder per class");
  for (std::size_t i = 0; !has_test && i < groups.size(); ++i)
    out.sounds[i].unseen = Random::for_item(1, "sound group " + groups[i]).chance(kUnseenShare);
  return out;
}

}  // namespace areason
