// The parts of a sentence that speak of what is heard.
#include <algorithm>
#include <iterator>

#include "cota/claim_facts.h"

namespace areason::claims {
namespace {

constexpr const char* kPeople =
    "people|person|persons|man|men|woman|women|speaker|speakers|voice|voices|individual|individuals|participant|participants|"
    "talker|talkers|boy|girl|lady|gentleman|guy|male|female|human|humans|parties|party";

// "the woman", "the male voice" where there is only one.
int speaker_by_sex(const Sentence& s, const Facts& facts, int i, int& end) {
  const Known& known = facts.known();
  const auto word = [&](int k) -> const Word& { return s.words[static_cast<std::size_t>(k)]; };
  if (!known.all_sexes || i == 0 || !is_one(word(i - 1), "the|this|that")) return 0;
  if (!is_one(word(i), "man|woman|male|female|lady|gentleman")) return 0;
  const std::string value = trait_value(Trait::kSex, s, i);
  if (known.with_sex(value) != 1) return 0;
  if (is_one(word(i), "male|female") && i + 1 < static_cast<int>(s.words.size()) && is_one(word(i + 1), "voice|speaker"))
    end = i + 2;
  for (const auto& [speaker, sex] : known.sex)
    if (sex == value) return speaker;
  return 0;
}

// Whose turn it is: "speaker 2", "the third voice".
int speaker_at(const Sentence& s, const Facts& facts, int i, int& end) {
  const auto word = [&](int k) -> const Word& { return s.words[static_cast<std::size_t>(k)]; };
  const int n = static_cast<int>(s.words.size());
  if (is_one(word(i), "speaker|person|voice") && i + 1 < n && word(i + 1).number >= 1 && word(i + 1).number < 50 &&
      word(i + 1).number == static_cast<int>(word(i + 1).number)) {
    end = i + 2;
    return static_cast<int>(word(i + 1).number);
  }
  // By name: "Anna", "speaker B". Names that are words of the language are left alone.
  if (is_one(word(i), "speaker|person|voice") && i + 1 < n && word(i + 1).text.size() <= 2) {
    if (const int named = facts.speaker_named(word(i + 1).text); named > 0) {
      end = i + 2;
      return named;
    }
  }
  if (word(i).text.size() > 2 && !word(i).stem.empty() && word(i).capital) {
    if (const int named = facts.speaker_named(word(i).text); named > 0) return named;
  }
  // "S2", or "B says" in a talk
  const std::string& text = word(i).text;
  if (text.size() == 2 && (text[0] == 's' || text[0] == 'p') && text[1] >= '1' && text[1] <= '9') return text[1] - '0';
  if (facts.lettered_speakers() && text.size() == 1 && word(i).capital && text[0] >= 'a' && text[0] <= 'e' && i + 1 < n &&
      is_one(word(i + 1),
             "says|asks|speaks|talks|replies|answers|tells|objects|counters|begins|closes|opens|starts|adds|has|therefore|"
             "responds|then|complains"))
    return text[0] - 'a' + 1;
  if (word(i).ordinal > 0 && i + 1 < n) {
    int k = i + 1;
    if (k + 1 < n && is_one(word(k), "male|female|different")) ++k;
    if (is_one(word(k), "speaker|person|voice|talker|participant")) {
      end = k + 1;
      return word(i).ordinal;
    }
  }
  return speaker_by_sex(s, facts, i, end);
}

// "bark of the dog", "dog's bark", "dog barking": one mention when what stands between says nothing.
bool joins(const Sentence& s, const Mention& a, int begin) {
  for (int i = a.end; i < begin; ++i)
    if (!is_one(s.words[static_cast<std::size_t>(i)], "of|a|an|the|some|from")) return false;
  return begin - a.end <= 2 && (begin == a.end || is_one(s.words[static_cast<std::size_t>(a.end)], "of|from"));
}

class MentionReader {
 public:
  MentionReader(const Sentence& s, const Facts& facts, int audio) : s_(s), facts_(facts), audio_(audio) {
    for (const Word& w : s.words) stems_.push_back(w.stem);
  }

  std::vector<Mention> read() {
    for (int i = 0; i < static_cast<int>(s_.words.size());) i = read_at(i);
    for (Mention& m : out_) {
      m.wide = m.events;
      if (!m.sure_events.empty() && !m.human) m.events = m.sure_events;
      pick_nth(m);
    }
    // What may mean nothing and would mean nothing that is there says nothing.
    std::erase_if(out_,
                  [](const Mention& m) { return !m.quote && m.speaker == 0 && !m.certain && !m.human && m.events.empty(); });
    return std::move(out_);
  }

 private:
  const Word& word(int i) const { return s_.words[static_cast<std::size_t>(i)]; }

  // Returns the word to go on with.
  int read_at(int i) {
    Mention m;
    m.begin = i;
    m.end = i + 1;
    if (word(i).quote) {
      m.quote = true;
      m.events = m.sure_events = facts_.saying(word(i).text);
      m.name = "\"" + word(i).text.substr(1, word(i).text.size() - 2) + "\"";
    } else if (const int speaker = speaker_at(s_, facts_, i, m.end); speaker > 0) {
      m.speaker = speaker;
      m.human = true;
      m.events = m.sure_events = facts_.of_speaker(speaker, audio_);
      m.name = "speaker " + std::to_string(speaker);
    } else {
      return read_sound(std::move(m));
    }
    out_.push_back(std::move(m));
    return out_.back().end;
  }

  int read_sound(Mention&& m) {
    const int i = m.begin;
    const SoundWord sound = word(i).stem.empty() ? SoundWord{} : facts_.words().read(stems_, static_cast<std::size_t>(i));
    if (sound.words == 0) return i + 1;
    m.end = i + sound.words;
    m.certain = !sound.sure.empty();
    m.human = is_one(word(m.end - 1), kPeople);
    m.plural = word(m.end - 1).text.ends_with('s');
    if (!out_.empty() && (same_sound(m, sound.concepts, sound.sure) || same_person(m, sound))) return out_.back().end;
    concepts_ = sound.concepts;
    sure_ = sound.sure;
    m.events = facts_.of_concepts(sound.concepts, audio_);
    m.sure_events = facts_.of_concepts(sound.sure, audio_);
    for (int k = m.begin; k < m.end; ++k) m.name += (k > m.begin ? " " : "") + word(k).text;
    m.elsewhere = m.events.empty() && audio_ != kAnyAudio && !facts_.of_concepts(sound.concepts, kAnyAudio).empty();
    out_.push_back(std::move(m));
    return out_.back().end;
  }

  // "the second bark": that one only.
  void pick_nth(Mention& m) const {
    if (m.human || m.quote || m.events.empty() || m.begin < 2) return;
    int at = m.begin - 1;
    if (word(at).ordinal == 0 && at > 1 &&
        is_one(word(at), "loud|short|long|single|quick|big|brief|soft|quieter|louder|such|longer|shorter|dog|car|church"))
      --at;
    const int n = word(at).ordinal;
    if (n == 0 || at == 0 || !is_one(word(at - 1), "the|its|that|this")) return;
    std::vector<int> order(m.events.begin(), m.events.end());
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return facts_.key(a) < facts_.key(b); });
    const auto size = static_cast<int>(order.size());
    m.nth = n;
    if (n > size) {
      m.beyond = m.certain && !(m.plural && word(m.end - 1).capital == false && m.end - m.begin == 1);
      return;
    }
    m.events = m.sure_events = {order[static_cast<std::size_t>(n < 0 ? size - 1 : n - 1)]};
  }

  // "dog barking": takes the new words into the mention before.
  bool same_sound(const Mention& m, const SoundConcepts& concepts, const SoundConcepts& sure) {
    Mention& before = out_.back();
    if (!joins(s_, before, m.begin) || before.speaker != 0 || before.quote) return false;
    SoundConcepts both;
    std::set_intersection(concepts.begin(), concepts.end(), concepts_.begin(), concepts_.end(),
                          std::inserter(both, both.begin()));
    if (both.empty()) return false;
    before.end = m.end;
    before.plural = before.plural || m.plural;
    before.certain = meets(both, sure_) || meets(both, sure);
    before.events = before.sure_events = facts_.of_concepts(both, audio_);
    before.human = (before.human || m.human) && SoundWords::speech(both);
    concepts_ = both;
    sure_.insert(sure.begin(), sure.end());
    return true;
  }

  // "speaker 2 speaks" is speaker 2; "somebody coughs" is a cough.
  bool same_person(Mention& m, const SoundWord& sound) {
    Mention& whom = out_.back();
    if (whom.end != m.begin || !SoundWords::human(sound.concepts)) return false;
    const bool anyone = whom.human || is_one(word(whom.begin), "someone|somebody|anyone|anybody");
    if (whom.speaker > 0 || (anyone && SoundWords::speech(sound.sure))) {
      whom.end = m.end;
      return true;
    }
    if (anyone && !sound.sure.empty()) {
      m.begin = whom.begin;
      m.human = false;
      out_.pop_back();
    }
    return false;
  }

  const Sentence& s_;
  const Facts& facts_;
  const int audio_;
  std::vector<std::string> stems_;
  static bool meets(const SoundConcepts& a, const SoundConcepts& b) {
    return std::any_of(a.begin(), a.end(), [&](int c) { return b.contains(c); });
  }

  SoundConcepts concepts_, sure_;  // of the last mention of a sound
  std::vector<Mention> out_;
};

}  // namespace

std::vector<Mention> mentions_in(const Sentence& s, const Facts& facts, int audio) {
  return MentionReader(s, facts, audio).read();
}

}  // namespace areason::claims
