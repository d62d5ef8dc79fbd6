#include "cota/claim_known.h"

#include <algorithm>
#include <regex>
#include <tuple>

namespace areason::claims {
namespace {

struct Value {
  Trait trait;
  const char* value;
  const char* words;  // separated by |; several words by a blank
};

constexpr Value kValues[] = {
    {Trait::kSex, "man",
     "man|men|male|males|gentleman|gentlemen|guy|guys|boy|boys|baritone|masculine|man's|bloke|blokes|fellow|fellows"},
    {Trait::kSex, "woman", "woman|women|female|females|lady|ladies|girl|girls|feminine|woman's|soprano"},
    {Trait::kMood, "happy",
     "happy|cheerful|cheerfully|joyful|joyous|glad|delighted|happily|joyfully|merry|elated|happiness|joy|cheerfulness|cheery|"
     "pleased"},
    {Trait::kMood, "sad",
     "sad|sorrowful|mournful|sadly|unhappy|sadness|sorrow|gloomy|dejected|downcast|grief|grieving|melancholy|sombre|tearful"},
    {Trait::kMood, "angry", "angry|furious|angrily|furiously|enraged|irate|anger|rage|irritated|outraged|indignant"},
    {Trait::kMood, "afraid", "afraid|frightened|scared|fearful|terrified|fear|fearfully|frightful|panicked|panic"},
    {Trait::kMood, "surprised", "surprised|astonished|amazed|surprise|astonishment|startled|amazement"},
    {Trait::kMood, "bored", "bored|boredom"},
    {Trait::kMood, "calm", "calm|calmly|relaxed|serene"},
    {Trait::kMusicMood, "happy", "happy|cheerful|joyful|joyous|merry|jolly|cheery|happiness"},
    {Trait::kMusicMood, "sad", "sad|sorrowful|mournful|melancholy|melancholic|gloomy|sombre|sadness|plaintive|wistful"},
    {Trait::kMusicMood, "calm", "calm|peaceful|serene|tranquil|relaxed|soothing|gentle|calmness"},
    {Trait::kMusicMood, "energetic", "energetic|driving|vigorous|lively|energy|aggressive|powerful"},
    {Trait::kLanguage, "english", "english"},
    {Trait::kLanguage, "french", "french"},
    {Trait::kLanguage, "german", "german"},
    {Trait::kLanguage, "spanish", "spanish|castilian"},
    {Trait::kLanguage, "italian", "italian"},
    {Trait::kLanguage, "russian", "russian"},
    {Trait::kLanguage, "ukrainian", "ukrainian"},
    {Trait::kLanguage, "belarusian", "belarusian"},
    {Trait::kLanguage, "bulgarian", "bulgarian"},
    {Trait::kLanguage, "greek", "greek"},
    {Trait::kLanguage, "dutch", "dutch"},
    {Trait::kLanguage, "danish", "danish"},
    {Trait::kLanguage, "swedish", "swedish"},
    {Trait::kLanguage, "norwegian", "norwegian"},
    {Trait::kLanguage, "czech", "czech"},
    {Trait::kLanguage, "polish", "polish"},
    {Trait::kLanguage, "romanian", "romanian"},
    {Trait::kLanguage, "catalan", "catalan"},
    {Trait::kLanguage, "portuguese", "portuguese"},
    {Trait::kLanguage, "chinese", "chinese|mandarin|cantonese"},
    {Trait::kLanguage, "japanese", "japanese"},
    {Trait::kLanguage, "korean", "korean"},
    {Trait::kLanguage, "turkish", "turkish"},
    {Trait::kLanguage, "finnish", "finnish"},
    {Trait::kLanguage, "hungarian", "hungarian"},
    {Trait::kLanguage, "arabic", "arabic"},
    {Trait::kInstrument, "acoustic guitar",
     "acoustic guitar|classical guitar|nylon guitar|nylon string guitar|steel string guitar"},
    {Trait::kInstrument, "electric guitar", "electric guitar|distorted guitar|overdriven guitar"},
    {Trait::kInstrument, "guitar", "guitar"},
    {Trait::kInstrument, "violin", "violin|fiddle"},
    {Trait::kInstrument, "cello", "cello"},
    {Trait::kInstrument, "piano", "piano|grand piano"},
    {Trait::kInstrument, "synthesizer", "synthesizer|synthesiser|synth|synth lead"},
    {Trait::kInstrument, "flute", "flute"},
    {Trait::kInstrument, "clarinet", "clarinet"},
    {Trait::kInstrument, "oboe", "oboe"},
    {Trait::kInstrument, "xylophone", "xylophone|marimba|glockenspiel"},
    {Trait::kInstrument, "accordion", "accordion"},
    {Trait::kInstrument, "harmonica", "harmonica"},
    {Trait::kInstrument, "choir", "choir"},
    {Trait::kInstrument, "trumpet", "trumpet"},
    {Trait::kInstrument, "trombone", "trombone"},
    {Trait::kInstrument, "organ", "organ|pipe organ|church organ"},
    {Trait::kInstrument, "saxophone", "saxophone|sax"},
    {Trait::kInstrument, "harp", "harp"},
    {Trait::kInstrument, "banjo", "banjo"},
    {Trait::kTempo, "slow", "slow|slowly|leisurely|unhurried|largo|adagio|sluggish"},
    {Trait::kTempo, "medium", "medium|moderate|moderately|moderato|mid-tempo|andante|middling"},
    {Trait::kTempo, "fast", "fast|quick|brisk|rapid|up-tempo|uptempo|presto|allegro|rapidly|quickly|swift"},
    {Trait::kMetre, "3/4",
     "3 / 4|three four time|three-four|waltz|triple metre|triple meter|triple time|three beats|three quarter time"},
    {Trait::kMetre, "6/8", "6 / 8|six eight|six - eight|compound duple"},
    {Trait::kMetre, "4/4", "4 / 4|four - four|four four time|common time|four beats|four - beat|four beat"},
    {Trait::kMode, "major", "major"},
    {Trait::kMode, "minor", "minor"},
};

bool word_is(const Sentence& s, std::size_t i, std::string_view text) {
  return i < s.words.size() && !s.words[i].quote && s.words[i].text == text;
}

// How many words of the sentence from i on spell the phrase; 0 when they do not.
int spells(const Sentence& s, int i, std::string_view phrase) {
  int taken = 0;
  while (!phrase.empty()) {
    const std::size_t blank = phrase.find(' ');
    if (!word_is(s, static_cast<std::size_t>(i + taken), phrase.substr(0, blank))) return 0;
    ++taken;
    if (blank == std::string_view::npos) break;
    phrase.remove_prefix(blank + 1);
  }
  return taken;
}

bool is_music_kind(const std::string& kind) { return kind.starts_with("music"); }

void learn(Known& known, Trait trait, const std::string& text) {
  const std::string value = trait_value(trait, text);
  if (!value.empty()) known.values[trait].insert(value);
}

// The caption that data synth writes: "a man, steady one, in English, says …", "speaker 2, a woman, angry", "The music: organ,
// slow, 3/4, …".
void from_caption(Known& known, const std::string& caption) {
  static const std::regex speaker(R"(: (?:a ([a-z]+), [a-z]+ ([a-z]+)|speaker (\d+))((?:, [A-Za-z ]+)*))"),
      music(R"(The music: ([^.]*)\.)");
  for (std::sregex_iterator it(caption.begin(), caption.end(), speaker), end; it != end; ++it) {
    const int number = static_cast<int>(number_of((*it)[3].matched ? (*it)[3] : (*it)[2]));
    const std::string traits = (*it)[1].str() + (*it)[4].str();
    const std::string sex = trait_value(Trait::kSex, traits);
    if (!sex.empty() && number > 0) known.sex[number] = sex;
    learn(known, Trait::kMood, traits);
    learn(known, Trait::kLanguage, traits);
  }
  std::smatch found;
  if (std::regex_search(caption, found, music)) {
    for (const Trait t : {Trait::kInstrument, Trait::kTempo, Trait::kMetre, Trait::kMode, Trait::kMusicMood})
      learn(known, t, found[1]);
  }
}

int asked_speaker(const Sample& sample, int speakers) {
  if (speakers == 1) return 1;
  if (sample.question.find("first") != std::string::npos) return 1;
  if (sample.question.find("last") == std::string::npos || sample.timeline.empty()) return 0;
  std::map<std::string, int> order;
  int last = 0;
  for (const TimelineEntry& e : sample.timeline)
    if (!e.speaker.empty()) last = order.try_emplace(e.speaker, static_cast<int>(order.size()) + 1).first->second;
  return last;
}

// The known answer of a question about such a trait.
void from_answer(Known& known, const Sample& sample, int speakers) {
  const std::string& answer = sample.answer_text;
  if (answer.empty()) return;
  if (is_music_kind(sample.kind)) {
    for (const auto& [part, trait] :
         {std::pair{"instrument", Trait::kInstrument}, std::pair{"tempo", Trait::kTempo}, std::pair{"metre", Trait::kMetre},
          std::pair{"mode", Trait::kMode}, std::pair{"mood", Trait::kMusicMood}})
      if (sample.kind.find(part) != std::string::npos) learn(known, trait, answer);
    return;
  }
  if (sample.kind.find("mood") != std::string::npos) learn(known, Trait::kMood, answer);
  if (sample.kind.find("language") != std::string::npos) learn(known, Trait::kLanguage, answer);
  const std::string sex = trait_value(Trait::kSex, answer);
  const int who = asked_speaker(sample, speakers);
  if (!sex.empty() && (sample.kind == "speech-who" || sample.kind == "speech-gender") && who > 0) known.sex[who] = sex;
}

// Voices of speech programs are known by their names (their manuals; espeak-ng's variants +f… are women).
std::string sex_of_voice(const std::string& voice) {
  static const std::regex woman(
      R"(^(flite:slt|espeak-ng:[^+]*\+(f\d|belinda|steph|linda|alicia|annie|anika|andrea|michelle).*)$)", std::regex::icase),
      man(R"(^(flite:(kal|kal16|awb|rms)|festival:(ked|kal)_diphone|espeak-ng:.*)$)", std::regex::icase);
  if (voice.size() > 100) return "";
  return std::regex_match(voice, woman) ? "woman" : std::regex_match(voice, man) ? "man" : "";
}

// "tuxpaint:French", "espeak-ng:da+f5", "qabcs-data:de", "…:ru_desc_ru.ogg": by their names (ISO 639-1 codes).
std::string language_of_voice(const std::string& voice) {
  static const std::pair<const char*, const char*> kCodes[] = {
      {"da", "danish"},    {"de", "german"},    {"es", "spanish"}, {"fr", "french"},     {"it", "italian"},
      {"ru", "russian"},   {"uk", "ukrainian"}, {"nl", "dutch"},   {"sv", "swedish"},    {"pl", "polish"},
      {"cs", "czech"},     {"ro", "romanian"},  {"ca", "catalan"}, {"pt", "portuguese"}, {"zh", "chinese"},
      {"ja", "japanese"},  {"tr", "turkish"},   {"fi", "finnish"}, {"hu", "hungarian"},  {"el", "greek"},
      {"bg", "bulgarian"}, {"be", "belarusian"}};
  if (voice.size() > 100) return "";
  if (voice.starts_with("tuxpaint:") || voice.starts_with("hedgewars:")) {
    const std::string name = voice.substr(voice.find(':') + 1);
    return voice.starts_with("tuxpaint:") ? name : "";
  }
  static const std::regex code(
      R"(^(?:espeak-ng:([a-z]{2})(?:[-+].*)?|qabcs-data:([a-z]{2})|.*[:_-]([a-z]{2})(?:_desc_.*|-wav:.*)?)$)");
  std::smatch found;
  if (!std::regex_match(voice, found, code)) return "";
  const std::string spoken = found[1].str() + found[2].str() + found[3].str();
  for (const auto& [name, language] : kCodes)
    if (spoken == name) return language;
  return "";
}

void from_voices(Known& known, const Sample& sample) {
  std::vector<const TimelineEntry*> entries;
  for (const TimelineEntry& e : sample.timeline)
    if (!e.speaker.empty()) entries.push_back(&e);
  std::stable_sort(entries.begin(), entries.end(), [](const TimelineEntry* a, const TimelineEntry* b) {
    return std::tie(a->audio, a->from) < std::tie(b->audio, b->from);
  });
  std::set<std::string> seen;
  for (const TimelineEntry* e : entries) {
    if (!seen.insert(e->speaker).second) continue;
    if (const std::string sex = sex_of_voice(e->speaker); !sex.empty()) known.sex[static_cast<int>(seen.size())] = sex;
  }
}

// English by its small words; other languages are not told apart.
bool english(const Sample& sample) {
  static const std::regex small(R"(\b(the|is|to|of|and|in|it|you|i|we|for|on|please|what|has|was)\b)", std::regex::icase);
  int lines = 0, hits = 0;
  for (const TimelineEntry& e : sample.timeline) {
    if (e.text.empty() || e.text.size() > 2000) continue;
    ++lines;
    hits += std::regex_search(e.text, small) ? 1 : 0;
  }
  return lines > 0 && hits * 2 > lines;
}

}  // namespace

std::string trait_value(Trait trait, const Sentence& s, int i, int* taken) {
  std::string out;
  int best = 0;
  for (const Value& v : kValues) {
    if (v.trait != trait) continue;
    std::string_view words = v.words;
    while (!words.empty()) {
      const std::size_t bar = words.find('|');
      const int n = spells(s, i, words.substr(0, bar));
      if (n > best) {
        best = n;
        out = v.value;
      }
      if (bar == std::string_view::npos) break;
      words.remove_prefix(bar + 1);
    }
  }
  if (taken != nullptr) *taken = best;
  return out;
}

std::string trait_value(Trait trait, const std::string& text) {
  for (const Sentence& s : sentences_of(text)) {
    for (int i = 0; i < static_cast<int>(s.words.size()); ++i)
      if (std::string value = trait_value(trait, s, i); !value.empty()) return value;
  }
  return "";
}

int Known::with_sex(const std::string& value) const {
  return static_cast<int>(std::count_if(sex.begin(), sex.end(), [&](const auto& s) { return s.second == value; }));
}

Known::Known(const Sample& sample, const SourceClip* clip, int speakers) {
  from_voices(*this, sample);
  from_caption(*this, sample.caption);
  from_answer(*this, sample, speakers);
  if (clip != nullptr) {
    learn(*this, Trait::kMood, clip->fact("emotion"));
    learn(*this, Trait::kLanguage, clip->fact("language"));
    if (speakers == 1 && sex.empty()) {
      if (const std::string value = trait_value(Trait::kSex, clip->fact("gender")); !value.empty()) sex[1] = value;
    }
  }
  // Packaged voices are named by what they speak: "tuxpaint:French".
  if (!values.contains(Trait::kLanguage)) {
    for (const TimelineEntry& e : sample.timeline)
      if (const std::string language = language_of_voice(e.speaker); !language.empty())
        learn(*this, Trait::kLanguage, language);
  }
  if (!values.contains(Trait::kLanguage) && english(sample)) values[Trait::kLanguage] = {"english"};
  all_sexes = speakers > 0 && static_cast<int>(sex.size()) == speakers;
}

}  // namespace areason::claims
