#pragma once
// A timeline as the checker asks about it (claims.h), and the parts of a sentence that speak of it: sounds, speakers,
// quotations. Thread rule: values; read-only once made. Units: seconds.
#include <map>
#include <set>
#include <string>
#include <vector>

#include "cota/claim_known.h"
#include "cota/claim_text.h"
#include "cota/import_clip.h"
#include "cota/sample.h"
#include "cota/sound_words.h"

namespace areason::claims {

struct Happening {
  std::string label;
  double from = 0, to = 0, level_db = 0;
  int audio = 0;
  int speaker = 0;    // 1, 2 … in order of appearance; 0: nobody speaks
  std::string words;  // plain()
  SoundConcepts concepts;
  bool background = false;
};

using Set = std::set<int>;  // indices into Facts::all()
constexpr int kAnyAudio = -1;
constexpr double kSame = 0.3;  // starts that a listener cannot put in order

class Facts {
 public:
  Facts(const Sample& sample, const SourceClip* clip);
  const std::vector<Happening>& all() const { return all_; }
  const SoundWords& words() const { return words_; }
  const Happening& at(int i) const { return all_[static_cast<std::size_t>(i)]; }

  Set of_concepts(const SoundConcepts& concepts, int audio) const;
  Set of_speaker(int speaker, int audio) const;
  Set speech(int audio) const;
  Set foreground(int audio) const;
  // Who says these words; empty when nobody does.
  Set saying(const std::string& plain_words) const;
  bool knows_words() const { return !spoken_.empty(); }
  const std::string& spoken() const { return spoken_; }  // all words in their order
  // Is the word one that is said in the clip, or that a question about something said offers as its answer?
  // `answer`: a text whose words are not meant.
  bool talked_of(const Word& word, const std::string& answer = "-") const;
  bool has_speech() const { return !speech(kAnyAudio).empty(); }
  const Known& known() const { return known_; }
  bool has_music() const { return music_; }
  bool has_voice() const { return voice_; }  // laughter, screams, children …
  bool only_speech() const { return only_speech_; }
  bool lettered_speakers() const { return lettered_; }  // no option has a letter that a speaker might have
  bool foreign() const { return foreign_; }             // words of another language are said
  int speakers(int audio) const;
  int speaker_named(const std::string& name) const;  // by the timeline's own name, in lower case; 0: nobody
  int audios() const { return audios_; }
  const std::map<int, double>& lengths() const { return lengths_; }   // of the files
  double key(int i) const { return at(i).audio * 1e6 + at(i).from; }  // order over several files

  // ---- may it be said of two sounds? (some of the one, some of the other) ----
  bool before(const Set& a, const Set& b) const;
  bool next(const Set& a, const Set& b) const;       // b comes right after a
  double overlap(const Set& a, const Set& b) const;  // seconds, of the two that overlap most; negative: the smallest gap
  bool in_sequence(const std::vector<Set>& sets) const;
  // Is one of them the nth (1 …; -1 last) that is heard, by any way of counting?
  bool nth(const Set& sounds, int n, int audio) const;
  double longest(const Set& sounds) const;
  double loudest(const Set& sounds) const;

 private:
  std::vector<int> in_order(const Set& sounds) const;
  bool nth_of(const std::vector<int>& order, const Set& sounds, int n) const;
  SoundWords words_;
  std::vector<Happening> all_;
  std::string spoken_;
  std::map<std::string, int> names_;
  int audios_ = 1;
  std::map<int, double> lengths_;
  std::string topics_;
  Known known_;
  bool music_ = false, voice_ = false, only_speech_ = false, foreign_ = false, lettered_ = false;
};

struct Mention {
  int begin = 0, end = 0;  // words of the sentence
  Set events;              // what it means
  Set wide;                // with those that the word might mean too
  Set sure_events;         // without those that the word often does not mean
  std::string name;
  bool certain = false;  // its absence would be an error
  bool human = false;    // "people", "a voice"
  bool quote = false, plural = false;
  int speaker = 0;
  int nth = 0;             // "the second bark": 2; -1 the last
  bool beyond = false;     // … where there are not so many
  bool denied = false;     // "no dog is heard"
  bool neutral = false;    // neither said to be there nor not
  bool unsure = false;     // … because something in its segment is denied
  bool elsewhere = false;  // not in the file that the sentence speaks of, but in another
};
std::vector<Mention> mentions_in(const Sentence& s, const Facts& facts, int audio);

}  // namespace areason::claims
