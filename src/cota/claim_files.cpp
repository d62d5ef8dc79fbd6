#include "cota/claim_files.h"

#include <algorithm>
#include <cctype>

namespace areason::claims {
namespace {

constexpr const char* kFiles =
    "audio|clip|recording|part|file|track|exhibit|section|segment|tape|reel|sample|chest|shelf|box|side";

struct Named {
  int begin = 0, end = 0;  // words of the sentence
  int audio = 0;
};

// "audio 2", "the second clip", "in the second one".
std::vector<Named> files_in(const Sentence& s, int audios) {
  std::vector<Named> out;
  const int n = static_cast<int>(s.words.size());
  static const Word kNone;
  for (int i = 0; i < n; ++i) {
    const Word &a = word(s, i), &b = i + 1 < n ? word(s, i + 1) : kNone;
    int audio = kAnyAudio;
    if (is_one(a, kFiles) && b.number >= 1 && b.number <= 9) audio = static_cast<int>(b.number) - 1;
    if (a.ordinal > 0 && is_one(b, kFiles)) audio = a.ordinal - 1;
    if (a.ordinal > 0 && is_one(b, "half")) audio = a.ordinal - 1;
    // "In 2 there's a drum."
    if (is_one(a, "in") && b.number >= 1 && b.number <= 9 && std::isdigit(static_cast<unsigned char>(b.text[0])) != 0 &&
        (i + 2 >= n || is_one(word(s, i + 2), ",|there|there's|it|the|a|an|nothing|:|no")))
      audio = static_cast<int>(b.number) - 1;
    // "the rooster is only in the second one"
    if (a.ordinal > 0 && is_one(b, "one") && i > 1 && is_one(word(s, i - 2), "in|from|on|to")) audio = a.ordinal - 1;
    // "the first recording is of an owl, the second of a rooster"
    if (audio == kAnyAudio && a.ordinal > 0 && !out.empty() && i > 0 && is_one(word(s, i - 1), "the") &&
        (i + 1 == n || is_one(b, "of|has|holds|contains|is|with|offers|consists|there|,|:|)")))
      audio = a.ordinal - 1;
    if (audio == kAnyAudio || audio >= audios) continue;
    out.push_back({i, std::min(i + 2, n), audio});
    ++i;
  }
  return out;
}

constexpr const char* kLight =
    "in|the|of|for|on|to|from|within|during|as|while|whereas|and|but|,|--|by|contrast|however|only|then";

bool light(const Sentence& s, int from, int to) {
  for (int i = from; i < to; ++i)
    if (!is_one(word(s, i), kLight)) return false;
  return true;
}

}  // namespace

std::vector<Sentence> by_file(Sentence s, int audios) {
  if (audios < 2) return {std::move(s)};
  const std::vector<Named> named = files_in(s, audios);
  if (named.size() != 2 || named[0].audio == named[1].audio ||
      find_word(s, "than|or|same|both|neither|between|either|whether|respectively|compare|compared|more|fewer", 0,
                static_cast<int>(s.words.size())) >= 0)
    return {std::move(s)};
  int cut = -1;
  for (int i = named[0].end; i < named[1].begin; ++i)
    if (is_one(word(s, i), ",|and|but|while|whereas|--")) cut = i;
  const bool leads = light(s, 0, named[0].begin) && cut >= 0 && light(s, cut, named[1].begin);
  // "a dog barks in audio 1 and a cat in audio 2"
  const bool follows = !leads && named[0].end < named[1].begin && is_one(word(s, named[0].end), ",|and|but|while|whereas|--");
  if (!leads && !follows) return {std::move(s)};
  if (follows) cut = named[0].end;
  Sentence second = s;
  s.words.resize(static_cast<std::size_t>(cut));
  second.words.erase(second.words.begin(), second.words.begin() + cut + (leads ? 0 : 1));
  return {std::move(s), std::move(second)};
}

int FileScope::of(const Sentence& s, int audios) {
  if (audios < 2) return kAnyAudio;
  int named = kAnyAudio, count = 0;
  for (const Named& file : files_in(s, audios)) {
    const bool heading = file.begin == 0 && s.words.size() > 2 && word(s, 2).text == ":";
    if (heading) lasting_ = file.audio;
    count += file.audio == named ? 0 : 1;
    named = file.audio;
  }
  if (count > 1) return kMixedAudio;
  return count == 1 ? named : lasting_;
}

}  // namespace areason::claims
