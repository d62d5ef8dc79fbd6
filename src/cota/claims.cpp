#include "cota/claims.h"

#include <algorithm>

#include "cota/claim_asked.h"
#include "cota/claim_files.h"
#include "cota/claim_rules.h"

namespace areason {
namespace claims {
namespace {

constexpr const char* kTalking =
    "speak|speaks|speaking|spoke|talk|talks|talking|talked|says|said|speech|conversation|dialogue|narrator|narration|spoken|"
    "converse|conversing|voice-over|sings|sing|singing|sung";

// What people talk about need not be heard; what plays in music is not in the timeline.
bool spoken_of(const Reading& r, const Mention& m) {
  bool parts_known = true;
  std::vector<std::string> stems;
  for (int i = m.begin; i < m.end; ++i) {
    if (r.facts.talked_of(r.word(i))) return true;
    stems.push_back(r.word(i).stem);
  }
  const SoundConcepts sure = r.facts.words().read(stems, 0).sure;
  if (r.facts.has_music())
    parts_known = (sure.empty() || !SoundWords::instrument(sure)) &&
                  !is_one(r.word(m.begin), "voice|voices|vocal|vocals|singer|singing|sings|choir|song|beat|beats");
  // Foreign words may mean anything: only what is said to sound is a claim.
  if (r.facts.foreign()) {
    const bool sounding = r.find(
                              "bark|barks|barking|hear|heard|audible|background|sounds|honks|rings|meows|noise|noises|laughs|"
                              "plays|playing|starts|clap|applause|engine",
                              0, r.size()) >= 0;
    if (!sounding) return true;
  }
  return !parts_known;
}

// Somebody is said to speak where nobody does.
bool talk_without_speech(const Reading& r, const Mention& m) {
  if (r.facts.has_speech() || r.facts.has_voice()) return false;
  if (r.find("man|woman|men|women|person|someone|somebody|people|voice|voices|speaker|speakers|narrator|he|she|human|boy|girl|"
             "announcer",
             std::max(0, m.begin - 4), std::min(r.size(), m.end + 3)) < 0 &&
      r.find("speech|conversation|dialogue|narration|talking", m.begin, m.end) < 0)
    return false;
  return r.find(kTalking, m.begin, std::min(r.size(), m.end + 3)) >= 0;
}

void check_absence(Reading& r, const Mention& m) {
  if (!m.human) {
    if (!m.sure_events.empty()) r.wrong("absence", m.name + " is there");
    return;
  }
  const bool anybody = is_one(r.word(m.begin), "voice|voices|someone|somebody|anyone|anybody|people|person|human");
  if (anybody && m.speaker == 0 && !r.facts.speech(r.audio).empty()) r.wrong("absence", m.name + " is there");
}

// "a dog barks", "there is a dog", "followed by a dog": said to sound, in so many words.
bool affirmed(const Reading& r, const Mention& m) {
  int from = m.begin, to = m.end;
  while (from > 0 && r.word(from - 1).segment == r.word(m.begin).segment) --from;
  while (to < r.size() && r.word(to).segment == r.word(m.begin).segment) ++to;
  if (r.find("have|has|had|do|mean|means|get|gets|never|not|no|nor|without", m.end, std::min(to, m.end + 4)) >= 0) return false;
  if (r.find("audible|present|heard|appears|appear|appeared|exists|exist|occurs|occur|does|did|too|recorded|proven|barks|"
             "detected|first|last|final",
             m.end, std::min(to + 1, m.end + 5)) >= 0)
    return true;
  // "Second is a dog."
  int rank = m.begin - 1;
  while (rank > 0 && is_one(r.word(rank), "a|an|the|some")) --rank;
  if (rank > 0 && is_one(r.word(rank), "is|comes") && r.word(rank - 1).ordinal != 0) return true;
  // "a good second of birdsong"
  if (m.begin > 1 && r.word(m.begin - 1).text == "of" && is_one(r.word(m.begin - 2), "second|seconds|s|burst|round|bit|lot"))
    return true;
  const bool added = r.find("too|also|well", std::max(from, m.begin - 5), std::min(r.size(), m.end + 3)) >= 0;
  if (m.end + 1 < r.size() && is_one(r.word(m.end), "is|are|was|were") && is_one(r.word(m.end + 1), "in|to") &&
      r.find("audio|clip|recording|found|be", m.end + 2, m.end + 5) >= 0)
    return true;
  const bool determined =
      added ||
      (m.plural && !r.word(m.end - 1).text.ends_with("'s") && r.find("the|these|those|my|his|her", m.begin - 2, m.begin) < 0) ||
      r.find("a|an|one|some|two|three|another|both|its|by|more|somebody|someone", std::max(from, m.begin - 3), m.begin) >= 0;
  if (r.find(
          "hear|hears|heard|notice|detect|catch|by|then|there|with|there's|hearing|comes|came|by|plus|also|contains|includes|"
          "followed|sound|besides|add|of|reports|features|brings|adds|presents|reveals|holds|comprises|joined",
          from, m.begin) >= 0 &&
      determined)
    return true;
  bool verb = false;
  for (int i = m.begin; i < std::min(to, m.end + 4); ++i)
    verb = verb || is_verb(r.word(i)) ||
           (i >= m.end && i < m.end + 2 && r.word(i).text.ends_with('s') && r.word(i).text.size() > 3);
  // "dogs bark lower" speaks of dogs in general.
  return verb && determined;
}

// "Water and a bell.": no verb, and something else that is there
bool fragment(const Reading& r, const Mention& m) {
  bool verb = false, other = false;
  for (int i = 0; i < r.size(); ++i) verb = verb || is_verb(r.word(i)) || r.word(i).open;
  for (const Mention& o : r.mentions) other = other || (&o != &m && is_asserted(o));
  return !verb && other && r.size() <= 7 && r.find("a|an|some|plus", m.begin - 2, m.begin) >= 0 &&
         !r.has("or|no|not|like|versus|vs|:|option");
}

bool offered(const Reading& r, const Mention& m) {
  std::string given = plain(r.sample->question);
  for (const std::string& choice : r.sample->choices) given += plain(choice);
  for (int i = m.begin; i < m.end; ++i) {
    std::string stem = r.word(i).stem;
    while (!stem.empty() && stem.back() == '?') stem.pop_back();
    if (stem.size() > 2 && given.find(" " + stem.substr(0, std::max<std::size_t>(3, stem.size() - 1))) != std::string::npos)
      return true;
  }
  return false;
}

// Is the sentence free of everything that sets options against each other?
bool unmixed(const Reading& r, const Mention& m) {
  // "Gunshot: audible at the start"
  const bool told = m.end + 1 < r.size() && is_one(r.word(m.end), ":") &&
                    is_one(r.word(m.end + 1), "audible|present|heard|yes|once|twice|proven|one|two|three|1|2|3") && !r.has("%");
  if (told || told_present(r, m)) return true;
  if (m.end < r.size() && is_one(r.word(m.end), "of|:|=|/")) return false;
  if (m.begin > 0 && is_one(r.word(m.begin - 1), ":|=|/|any") && r.section == Section::kReasoning) return false;
  if (r.section != Section::kReasoning) return true;
  if (!affirmed(r, m) && !fragment(r, m)) return false;
  // "there is also a drum hit here"
  for (int i = m.begin - 1; i >= std::max(0, m.begin - 5) && r.word(i).segment == r.word(m.begin).segment; --i)
    if (is_one(r.word(i), "there|there's") && r.find("a|an|also", i, m.begin) >= 0) return true;
  return !offered(r, m) || r.find("none|neither|however|tempting|thought|wonder|out|than|yet|nowhere|nothing", 0, r.size()) < 0;
}

// Does the sentence plainly speak of one file?
bool affirmed_there(const Reading& r) {
  return r.find(
             "not|no|never|neither|nor|none|nothing|only|but|while|whereas|other|than|both|if|would|or|either|which|same|"
             "doesn't|isn't",
             0, r.size()) < 0 ||
         (r.find("only|exclusively", 0, r.size()) >= 0 &&
          r.find("not|no|never|while|whereas|other|than|both|which|or", 0, r.size()) < 0);
}

// "No whoosh there": in the file that was spoken of before.
bool elsewhere_meant(const Reading& r) {
  if (r.facts.audios() < 2 || r.audio != kAnyAudio) return false;
  for (int i = 0; i < r.size(); ++i)
    if (is_one(r.word(i), "there|here|that|either|latter|former|other") &&
        !(r.word(i).text == "there" && i + 1 < r.size() && is_one(r.word(i + 1), "is|are|was|were|isn't|aren't|has")))
      return true;
  return false;
}

void check_presence(Reading& r) {
  const bool elsewhere = elsewhere_meant(r);
  for (const Mention& m : r.mentions) {
    if (m.quote || m.neutral) continue;
    if (m.denied) {
      if (!elsewhere) check_absence(r, m);
      continue;
    }
    if (m.speaker > 0) {
      if (r.facts.speakers(kAnyAudio) > 0 && m.speaker > r.facts.speakers(kAnyAudio) && m.events.empty())
        r.wrong("speakers", "there is no " + m.name);
      continue;
    }
    if (m.elsewhere && m.certain &&
        (r.has("is|belongs|occurs|heard|returns|appears|contains|has|lies|found|in|confined|there|holds|comes|gives") ||
         (r.size() > 2 && r.word(2).text == ":")) &&
        affirmed_there(r)) {
      r.wrong("where", m.name + " is in the other file");
      continue;
    }
    if (!m.events.empty() || m.elsewhere || spoken_of(r, m)) continue;
    if (m.human ? talk_without_speech(r, m) : m.certain) {
      const SoundWord word = r.facts.words().read({r.word(m.begin).stem}, 0);
      if (!m.human && SoundWords::speech(word.sure) && (r.facts.has_voice() || !talk_without_speech(r, m))) continue;
      if (unmixed(r, m)) r.wrong("presence", "there is no " + m.name);
    }
  }
}

constexpr const char* kGaps =
    "pause|pauses|gap|gaps|silence|silences|overlap|overlaps|overlapping|interval|intervals|break|breaks|crosstalk|quiet";

void check_section(const std::string& text, Section section, Reading& r) {
  FileScope scope;
  int gaps_before = 0;  // sentences since
  r.before.clear();
  r.earlier.clear();
  r.line.clear();
  r.interval = {-1, -1};
  r.section = section;
  r.answer = section == Section::kSummary || section == Section::kResponse;
  std::vector<Sentence> sentences;
  for (Sentence& whole : with_own_answers(sentences_of(text)))
    for (Sentence& s : by_file(std::move(whole), r.facts.audios())) sentences.push_back(std::move(s));
  for (Sentence& s : sentences) {
    r.audio = scope.of(s, r.facts.audios());
    r.sentence = std::move(s);
    if (r.audio == kMixedAudio) continue;
    r.mentions = mentions_in(r.sentence, r.facts, r.audio);
    gaps_before = r.has(kGaps) ? 6 : std::max(0, gaps_before - 1);
    r.gaps = gaps_before > 0;
    check_quotations(r);
    check_options(r);
    mark_scope(r);
    check_presence(r);
    for (const auto rule : {check_counts, check_order, check_places, check_times, check_overlaps, check_lengths, check_traits,
                            check_people, check_relations, check_trends, check_when, check_degrees, check_silences})
      rule(r);
    if (r.mentions.empty()) continue;
    r.earlier = std::move(r.before);
    r.before = r.mentions;
  }
}

}  // namespace

void Reading::wrong(const std::string& code, const std::string& what) {
  errors.push_back(code + ": " + what + " (\"" + sentence.source.substr(0, 160) + "\")");
}

int Reading::segment_begin(int i) const {
  while (i > 0 && word(i - 1).segment == word(i).segment) --i;
  return i;
}
int Reading::segment_end(int i) const {
  const int segment = word(i).segment;
  while (i < size() && word(i).segment == segment) ++i;
  return i;
}

double clip_end(const Reading& r) {
  double end = 0;
  for (const Happening& h : r.facts.all())
    if (r.audio == kAnyAudio || h.audio == r.audio) end = std::max(end, h.to);
  return end;
}

bool is_asserted(const Mention& m) { return !m.events.empty() && !m.denied && !m.neutral && !m.quote; }
bool may_be_asserted(const Mention& m) { return !m.events.empty() && !m.denied && (!m.neutral || m.unsure) && !m.quote; }
bool share(const Set& a, const Set& b) {
  return std::any_of(a.begin(), a.end(), [&](int i) { return b.contains(i); });
}

const Mention* Reading::mention_before(int i, Within within) const {
  const Mention* out = nullptr;
  for (const Mention& m : mentions)
    if (m.end <= i && (within == Within::kSentence || word(m.end - 1).clause == word(std::min(i, size() - 1)).clause)) out = &m;
  return out;
}
const Mention* Reading::mention_after(int i, Within within) const {
  for (const Mention& m : mentions)
    if (m.begin >= i && (within == Within::kSentence || word(m.begin).clause == word(std::min(i, size() - 1)).clause))
      return &m;
  return nullptr;
}

}  // namespace claims

std::vector<std::string> false_claims(const Sample& sample, const SourceClip* clip) {
  if (sample.timeline.empty()) return {};
  const claims::Facts facts(sample, clip);
  claims::Asked asked = claims::read_question(sample.question, facts);
  // "How many?" goes on from an earlier turn.
  if (!sample.turns.empty() && asked.mentions.empty()) asked = {};
  claims::Reading reading(facts, sample);
  reading.asked = std::move(asked);
  // PLANNING says what will be listened for.
  for (const Section section : {Section::kCaption, Section::kReasoning, Section::kSummary, Section::kResponse})
    claims::check_section(sample.sections[section], section, reading);
  claims::check_response(reading);
  auto& errors = reading.errors;
  std::sort(errors.begin(), errors.end());
  errors.erase(std::unique(errors.begin(), errors.end()), errors.end());
  return std::move(errors);
}

}  // namespace areason
