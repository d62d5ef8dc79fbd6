#include "cota/claim_facts.h"

#include <algorithm>
#include <map>

namespace areason::claims {
namespace {

std::vector<std::string> labels_of(const Sample& sample) {
  std::vector<std::string> out;
  for (const TimelineEntry& e : sample.timeline)
    if (e.label != "background noise" && e.label != "silence") out.push_back(e.label);
  return out;
}

int voices_in(const Sample& sample) {
  std::set<std::string> out;
  for (const TimelineEntry& e : sample.timeline)
    if (!e.speaker.empty() || !e.text.empty() || e.label == "speech") out.insert(e.speaker);
  return static_cast<int>(out.size());
}

bool within(const Happening& h, int audio) { return audio == kAnyAudio || h.audio == audio; }
bool meet(const SoundConcepts& a, const SoundConcepts& b) {
  return std::any_of(a.begin(), a.end(), [&](int c) { return b.contains(c); });
}

}  // namespace

Facts::Facts(const Sample& sample, const SourceClip* clip)
    : words_(labels_of(sample)), known_(sample, clip, voices_in(sample)) {
  std::map<int, double> ends;
  std::map<std::string, int> speakers;
  for (const TimelineEntry& e : sample.timeline) ends[e.audio] = std::max(ends[e.audio], e.to);
  lengths_ = ends;
  std::vector<TimelineEntry> entries = sample.timeline;
  std::stable_sort(entries.begin(), entries.end(), [](const TimelineEntry& a, const TimelineEntry& b) {
    return std::tie(a.audio, a.from) < std::tie(b.audio, b.from);
  });
  for (const TimelineEntry& e : entries) {
    if (e.label == "background noise" || e.label == "silence") continue;
    Happening h{e.label, e.from, e.to, e.level_db, e.audio, 0, plain(e.text), words_.of_label(e.label), false};
    const bool said = !e.speaker.empty() || !e.text.empty() || e.label == "speech";
    if (said) {
      const SoundConcepts speech = words_.of_label("speech");
      h.concepts.insert(speech.begin(), speech.end());
      h.speaker = speakers.try_emplace(e.speaker, static_cast<int>(speakers.size()) + 1).first->second;
      const std::string name = plain(e.speaker);
      if (name.size() > 2) names_[name.substr(1, name.size() - 2)] = h.speaker;
    }
    h.background = !said && !SoundWords::music(h.concepts) && e.from < 0.2 && e.to > ends[e.audio] - 0.2 && e.to - e.from > 4;
    if (h.words.size() > 1) spoken_ += spoken_.empty() ? h.words : h.words.substr(1);
    audios_ = std::max(audios_, e.audio + 1);
    all_.push_back(std::move(h));
  }
  // A sound that lies under nothing else is no background.
  if (all_.size() == 1) all_[0].background = false;
  if (spoken_.empty() && clip != nullptr) spoken_ = plain(clip->fact("transcript"));
  if (spoken_.size() < 3) spoken_.clear();
  only_speech_ = true;
  for (const Happening& h : all_) {
    music_ = music_ || SoundWords::music(h.concepts);
    voice_ = voice_ || SoundWords::voice(h.concepts);
    only_speech_ = only_speech_ && h.speaker > 0;
  }
  lettered_ = only_speech_ && sample.answer_letter.empty();
  topics_ = spoken_;
  // What a question about something said offers is what the talk is about.
  if (only_speech_) {
    for (const std::string& choice : sample.choices) topics_ += plain(choice);
    topics_ += plain(sample.answer_text);
  }
  foreign_ = has_speech() &&
             (spoken_.empty() || !known_.values.contains(Trait::kLanguage) ||
              !known_.values.at(Trait::kLanguage).contains("english")) &&
             !spoken_.empty();
}

bool Facts::talked_of(const Word& word, const std::string& answer) const {
  if (word.text.size() < 3) return false;
  // A trait that a question asks for stands among its options.
  if (answer != "-") {
    if (spoken_.find(" " + word.text + " ") != std::string::npos) return true;
    return answer.find(' ') != std::string::npos && plain(answer).find(" " + word.text + " ") != std::string::npos;
  }
  if (topics_.find(" " + word.text + " ") != std::string::npos) return true;
  // "keys" of "key"
  return word.stem.size() > 3 && word.stem.back() != '?' && topics_.find(" " + word.stem) != std::string::npos;
}

Set Facts::of_concepts(const SoundConcepts& concepts, int audio) const {
  Set out;
  for (int i = 0; i < static_cast<int>(all_.size()); ++i)
    if (within(at(i), audio) && meet(at(i).concepts, concepts)) out.insert(i);
  return out;
}

Set Facts::of_speaker(int speaker, int audio) const {
  Set out;
  for (int i = 0; i < static_cast<int>(all_.size()); ++i)
    if (within(at(i), audio) && at(i).speaker > 0 && (speaker == 0 || at(i).speaker == speaker)) out.insert(i);
  return out;
}
Set Facts::speech(int audio) const { return of_speaker(0, audio); }

Set Facts::foreground(int audio) const {
  Set out;
  for (int i = 0; i < static_cast<int>(all_.size()); ++i)
    if (within(at(i), audio) && !at(i).background) out.insert(i);
  return out;
}

Set Facts::saying(const std::string& words) const {
  Set out;
  for (int i = 0; i < static_cast<int>(all_.size()); ++i)
    if (at(i).words.find(words) != std::string::npos) out.insert(i);
  return out;
}

int Facts::speakers(int audio) const {
  std::set<int> out;
  for (const Happening& h : all_)
    if (within(h, audio) && h.speaker > 0) out.insert(h.speaker);
  return static_cast<int>(out.size());
}

int Facts::speaker_named(const std::string& name) const {
  const auto it = names_.find(name);
  return it == names_.end() ? 0 : it->second;
}

bool Facts::before(const Set& a, const Set& b) const {
  for (const int i : a)
    for (const int k : b)
      if (i != k && key(i) < key(k) + kSame) return true;
  return a == b && a.size() == 1;
}

bool Facts::next(const Set& a, const Set& b) const {
  const std::vector<int> order = in_order(foreground(kAnyAudio));
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (!a.contains(order[i])) continue;
    // The next one, those that start with it, and the next of another kind.
    bool other_kind = false;
    for (std::size_t k = i + 1; k < order.size() && !other_kind; ++k) {
      if (b.contains(order[k])) return true;
      other_kind = at(order[k]).label != at(order[i]).label && key(order[k]) > key(order[i]) + kSame &&
                   (k + 1 == order.size() || key(order[k + 1]) > key(order[k]) + kSame);
    }
  }
  // What begins at nearly the same time may be heard the other way round.
  return std::any_of(a.begin(), a.end(), [&](int i) {
    return std::any_of(b.begin(), b.end(), [&](int k) { return i != k && std::abs(key(i) - key(k)) < kSame; });
  });
}

double Facts::overlap(const Set& a, const Set& b) const {
  double most = -1e9;
  for (const int i : a)
    for (const int k : b)
      if (i != k && at(i).audio == at(k).audio)
        most = std::max(most, std::min(at(i).to, at(k).to) - std::max(at(i).from, at(k).from));
  return most;
}

bool Facts::in_sequence(const std::vector<Set>& sets) const {
  double last = -1e9;
  Set used;
  for (const Set& set : sets) {
    int best = -1;
    for (const int i : set)
      if (!used.contains(i) && key(i) > last - kSame && (best < 0 || key(i) < key(best))) best = i;
    if (best < 0) return false;
    used.insert(best);
    last = key(best);
  }
  return true;
}

std::vector<int> Facts::in_order(const Set& sounds) const {
  std::vector<int> out(sounds.begin(), sounds.end());
  std::stable_sort(out.begin(), out.end(), [&](int a, int b) { return key(a) < key(b); });
  return out;
}

bool Facts::nth_of(const std::vector<int>& order, const Set& sounds, int n) const {
  if (order.empty()) return false;
  const auto count = static_cast<int>(order.size());
  const int place = n < 0 ? count - 1 : n - 1;
  if (place < 0 || place >= count) return false;
  return std::any_of(sounds.begin(), sounds.end(),
                     [&](int i) { return std::abs(key(i) - key(order[static_cast<std::size_t>(place)])) < kSame; });
}

bool Facts::nth(const Set& sounds, int n, int audio) const {
  const Set front = foreground(audio), talk = speech(audio);
  Set whole = front, no_speech;
  for (int i = 0; i < static_cast<int>(all_.size()); ++i)
    if (within(at(i), audio)) whole.insert(i);
  for (const int i : front)
    if (!talk.contains(i)) no_speech.insert(i);
  for (const Set* set : std::initializer_list<const Set*>{&front, &whole, &no_speech, &talk}) {
    const std::vector<int> order = in_order(*set);
    if (nth_of(order, sounds, n)) return true;
    std::vector<int> kinds;  // each kind once, where it comes first
    for (const int i : order)
      if (std::none_of(kinds.begin(), kinds.end(),
                       [&](int k) { return at(k).label == at(i).label && at(k).speaker == at(i).speaker; }))
        kinds.push_back(i);
    if (n > 1 && nth_of(kinds, sounds, n)) return true;
  }
  if (n != -1) return false;
  // The last may be the one that ends last.
  double end = -1e18;
  for (const int i : front) end = std::max(end, at(i).audio * 1e6 + at(i).to);
  return std::any_of(sounds.begin(), sounds.end(), [&](int i) { return at(i).audio * 1e6 + at(i).to > end - kSame; });
}

double Facts::longest(const Set& sounds) const {
  double out = 0;
  for (const int i : sounds) out = std::max(out, at(i).to - at(i).from);
  return out;
}
double Facts::loudest(const Set& sounds) const {
  double out = -1e9;
  for (const int i : sounds) out = std::max(out, at(i).level_db);
  return out;
}

}  // namespace areason::claims
