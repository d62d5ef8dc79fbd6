// What is quoted, and short answers that only the question explains: "Yes.", "It is the bell.", "After it comes the dog."
#include <algorithm>

#include "cota/claim_rules.h"

namespace areason::claims {
namespace {

int words_in(const std::string& plain_text) {
  return static_cast<int>(std::count(plain_text.begin(), plain_text.end(), ' ')) - 1;
}

constexpr const char* kSays =
    "say|says|said|saying|ask|asks|asked|asking|reply|replies|replied|answer|answers|answered|utter|utters|utterance|shout|"
    "shouts|"
    "word|words|phrase|sentence|line|speak|speaks|spoke|tell|tells|told|voice|speaker|adds|responds|responded|continues|greets|"
    "exclaims|whispers|announces|states|remarks|mentions|repeats|hear|hears|heard|transcript|quote|man|woman|person";

// "…", "the early bird … the worm": parts between dots are looked for one by one.
bool said_somewhere(const Reading& r, const std::string& words) {
  return !r.facts.saying(words).empty() || r.facts.spoken().find(words) != std::string::npos;
}

// The speaker to whom a quotation is given in this sentence; 0 when that cannot be told.
int speaker_of(const Reading& r, std::size_t quote) {
  const Mention& q = r.mentions[quote];
  int speakers = 0, who = 0, quotes = 0;
  for (const Mention& m : r.mentions) {
    quotes += m.quote ? 1 : 0;
    if (m.speaker > 0) ++speakers;
  }
  // Nearest before it, with nothing quoted in between; else right behind it.
  for (std::size_t k = quote; k-- > 0;) {
    if (r.mentions[k].quote) break;
    if (r.mentions[k].speaker > 0) {
      who = r.mentions[k].speaker;
      break;
    }
  }
  if (who == 0 && quote + 1 < r.mentions.size() && r.mentions[quote + 1].speaker > 0 &&
      r.mentions[quote + 1].begin - q.end <= 3 && quotes == 1)
    who = r.mentions[quote + 1].speaker;
  if (speakers == 0 || who == 0) return 0;
  if (r.find("to|not|never|after|before", std::max(0, q.begin - 3), q.begin) >= 0) return 0;
  return who;
}

void check_said_word(Reading& r) {
  // "The word is peter."
  const int at = r.find("word", 0, r.size());
  if (at < 0 || at + 2 >= r.size() || !is_one(r.word(at + 1), "is|was")) return;
  const Word& w = r.word(at + 2);
  if (w.quote || w.stem.empty() || is_one(w, "the|a|an|said|spoken|in|not|that|heard|what|by")) return;
  if (r.facts.spoken().find(" " + w.text + " ") == std::string::npos) r.wrong("words", "nobody says \"" + w.text + "\"");
}

// "five five eight two" of a sentence about digits
void check_digits(Reading& r) {
  if (!r.has("digits|digit|number|numbers|code") || !r.facts.knows_words()) return;
  const char* kNames[] = {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"};
  std::string run;
  int count = 0;
  const auto end_run = [&] {
    if (count >= 3 && r.facts.spoken().find(" " + run) == std::string::npos) r.wrong("words", "nobody says " + run);
    run.clear();
    count = 0;
  };
  for (int i = 0; i < r.size(); ++i) {
    const Word& w = r.word(i);
    if (w.number >= 0 && w.number <= 9 && w.number == static_cast<int>(w.number)) {
      run += std::string(kNames[static_cast<int>(w.number)]) + " ";
      ++count;
    } else if (w.text != "," && w.text != "-") {
      end_run();
    }
  }
  end_run();
}

bool is_yes(const Reading& r) { return r.size() > 0 && is_one(r.word(0), "yes|yeah|correct"); }
bool is_no(const Reading& r) { return r.size() > 0 && is_one(r.word(0), "no") && (r.size() == 1 || r.word(1).text == ","); }

void check_yes_no(Reading& r) {
  if (!is_yes(r) && !is_no(r)) return;
  const bool yes = is_yes(r);
  const Asked& asked = r.asked;
  if (asked.what == Asked::What::kPresence && asked.mentions.size() == 1) {
    const Mention& m = asked.mentions[0];
    Set there = m.human ? r.facts.speech(kAnyAudio) : m.events;
    if (yes && there.empty() && (m.certain || m.human)) r.wrong("presence", "there is no " + m.name);
    if (!yes && !m.sure_events.empty() && !m.human) r.wrong("absence", m.name + " is there");
    if (!yes && m.human && !there.empty()) r.wrong("absence", "somebody speaks");
  }
  if (asked.mentions.size() != 2 || asked.mentions[0].events.empty() || asked.mentions[1].events.empty()) return;
  const Mention &a = asked.mentions[0], &b = asked.mentions[1];
  if (asked.what == Asked::What::kOverlap && a.events != b.events) {
    const double overlap = r.facts.overlap(a.events, b.events);
    if (yes && overlap < -kSame) r.wrong("overlap", a.name + " and " + b.name + " do not overlap");
    if (!yes && overlap > 0.4) r.wrong("overlap", a.name + " and " + b.name + " overlap");
  }
}

// The only sound that a short answer names is what was asked for.
void check_named(Reading& r) {
  const Mention* named = nullptr;
  for (const Mention& m : r.mentions) {
    const bool of_question = std::any_of(r.asked.mentions.begin(), r.asked.mentions.end(),
                                         [&](const Mention& q) { return q.events == m.events && !q.events.empty(); });
    if (of_question && r.mentions.size() > 1) continue;
    if (named != nullptr && named->events != m.events) return;
    named = &m;
  }
  if (named == nullptr || named->events.empty() || named->denied || named->neutral || named->human || named->quote) return;
  const bool answers = r.size() > 0 &&
                       (is_one(r.word(0), "it|the|so|that|this|after|before|a|an|therefore") || r.mentions.size() == 1) &&
                       r.size() <= 14;
  const bool more = r.has("before|after|while|then|not|other|both|second|third|once|twice|times|lasts|from|at");
  const bool neighbours = r.asked.what == Asked::What::kAfter || r.asked.what == Asked::What::kBefore;
  if (!answers || (more && (!neighbours || r.size() > 10))) return;
  const Asked& asked = r.asked;
  const auto refuse = [&](const std::string& what) { r.wrong("answer", named->name + " is not what is heard " + what); };
  if (asked.what == Asked::What::kFirst && !r.facts.nth(named->events, 1, r.audio)) refuse("first");
  if (asked.what == Asked::What::kLast && !r.facts.nth(named->events, -1, r.audio)) refuse("last");
  if (asked.what == Asked::What::kNth && !r.facts.nth(named->events, asked.nth, r.audio)) refuse("in that place");
  if (asked.mentions.size() != 1 || asked.mentions[0].events.empty() || asked.mentions[0].events == named->events) return;
  if (asked.what == Asked::What::kAfter && !r.facts.next(asked.mentions[0].events, named->events)) refuse("next");
  if (asked.what == Asked::What::kBefore && !r.facts.next(named->events, asked.mentions[0].events)) refuse("just before");
}

Asked::What kind_of(const Sentence& s, const std::vector<Mention>& mentions, int& nth) {
  using What = Asked::What;
  const int n = static_cast<int>(s.words.size());
  if (find_word(s, "many|often|number|count|times", 0, n) >= 0) return What::kCount;
  if (has_word(s, "overlap|overlaps|simultaneously|while|during|together") ||
      (has_word(s, "same") && has_word(s, "time|moment")))
    return What::kOverlap;
  if (has_word(s, "order|sequence")) return What::kOrder;
  if (has_word(s, "longer|shorter|longest|shortest|louder|quieter|loudest|lasts")) return What::kLonger;
  const bool which = has_word(s, "what|which|name|identify");
  if (which && mentions.size() == 1 && !has_word(s, "first|last|audio|clip")) {
    if (has_word(s, "after|follows|following|next|succeeds")) return What::kAfter;
    if (has_word(s, "before|precedes|preceding|prior")) return What::kBefore;
  }
  if (which && mentions.empty()) {
    for (const Word& w : s.words) {
      if (w.ordinal == 0) continue;
      nth = w.ordinal;
      return w.ordinal == 1 ? What::kFirst : w.ordinal < 0 ? What::kLast : What::kNth;
    }
    if (has_word(s, "starts|begins|opens|beginning|start")) return What::kFirst;
    if (has_word(s, "ends|closes|end|concludes")) return What::kLast;
  }
  if (mentions.size() == 1 && !which &&
      !has_word(s, "who|whose|how|where|when|why|before|after|first|last|man|woman|or|audio") &&
      has_word(s, "is|are|does|do|can|was|were|did|could"))
    return What::kPresence;
  return What::kOther;
}

}  // namespace

void check_quotations(Reading& r) {
  if (!r.facts.knows_words()) return;
  for (std::size_t k = 0; k < r.mentions.size(); ++k) {
    const Mention& m = r.mentions[k];
    if (!m.quote) continue;
    const std::string& words = r.word(m.begin).text;
    if (words_in(words) < 1) continue;
    if (!said_somewhere(r, words)) {
      // Short quotations may be terms: a label, an option.
      if (words_in(words) > 3 || r.has(kSays)) r.wrong("quote", "nobody says " + m.name);
      continue;
    }
    const int who = speaker_of(r, k);
    if (who == 0 || m.events.empty() || r.facts.speakers(kAnyAudio) < who) continue;
    const bool theirs = std::any_of(m.events.begin(), m.events.end(), [&](int i) { return r.facts.at(i).speaker == who; });
    if (!theirs) r.wrong("quote", "speaker " + std::to_string(who) + " does not say " + m.name);
  }
  check_said_word(r);
  check_digits(r);
}

void check_short_answer(Reading& r) {
  check_yes_no(r);
  check_named(r);
}

Asked read_question(const std::string& question, const Facts& facts) {
  Asked out;
  const auto sentences = sentences_of(question);
  if (sentences.empty()) return out;
  // The last sentence that asks; a two-step question has its data before it.
  const Sentence* asking = &sentences[0];
  for (const Sentence& s : sentences)
    if (s.question) asking = &s;
  out.mentions = mentions_in(*asking, facts, kAnyAudio);
  out.what = kind_of(*asking, out.mentions, out.nth);
  out.speakers =
      out.what == Asked::What::kCount &&
      has_word(*asking,
               "people|speakers|speaker|voices|persons|person|individuals|participants|talkers|speak|speaks|talk|talks");
  const bool things = has_word(*asking, "sound|sounds|event|events|noise|noises|occurrences|all|total");
  if (out.what == Asked::What::kCount && !out.speakers && out.mentions.empty() &&
      (!things || has_word(*asking, "it|them|that|those|these")))
    out.what = Asked::What::kOther;
  if (has_word(*asking, "before|after|other|besides|between|longer|shorter|different|audio|kinds|types|words|word")) {
    if (out.what == Asked::What::kCount && !out.speakers) out.what = Asked::What::kOther;
  }
  return out;
}

}  // namespace areason::claims
