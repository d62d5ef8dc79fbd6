// What is quoted, and what the question asks for.
#include <algorithm>

#include "cota/claim_people.h"
#include "cota/claim_rules.h"

namespace areason::claims {
namespace {

constexpr const char* kSays =
    "say|says|said|saying|ask|asks|asked|asking|reply|replies|replied|answer|answers|answered|utter|utters|utterance|shout|"
    "shouts|"
    "word|words|phrase|sentence|line|speak|speaks|spoke|tell|tells|told|voice|speaker|adds|responds|responded|continues|greets|"
    "exclaims|whispers|announces|states|remarks|mentions|repeats|hear|hears|heard|transcript|quote|man|woman|person";

// "…", "the early bird … the worm": parts between dots are looked for one by one.
bool said_somewhere(const Reading& r, const std::string& words) {
  return !r.facts.saying(words).empty() || r.facts.spoken().find(words) != std::string::npos;
}

void check_said_word(Reading& r) {
  // "The word is peter."
  const int at = r.find("word", 0, r.size());
  if (at < 0 || at + 2 >= r.size() || !is_one(r.word(at + 1), "is|was")) return;
  const Word& w = r.word(at + 2);
  if (w.quote || w.stem.empty() ||
      is_one(w,
             "the|a|an|said|spoken|in|not|that|heard|what|by|hers|his|theirs|mine|ours|somebody|someone|spoken|given|left|with|"
             "from|to"))
    return;
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

// Most of its words are said, in another way: a slip and no term of one's own.
bool nearly_said(const Reading& r, const std::string& words) {
  int all = 0, said = 0;
  std::string word;
  for (const char c : words.substr(1)) {
    if (c != ' ') {
      word += c;
      continue;
    }
    ++all;
    said += r.facts.spoken().find(" " + word + " ") != std::string::npos ? 1 : 0;
    word.clear();
  }
  return all >= 2 && said * 2 >= all;
}

// "I transcribe: jack goes to the garden": four words as they are said, then the last of the line is another.
void check_transcript(Reading& r) {
  if (r.facts.foreign() || r.sentence.question) return;
  for (int i = 0; i + 4 < r.size(); ++i) {
    std::string said = " ";
    int k = i;
    while (k < r.size() && !r.word(k).stem.empty() && !r.word(k).quote &&
           r.facts.spoken().find(said + r.word(k).text + " ") != std::string::npos)
      said += r.word(k++).text + " ";
    const bool last = k + 1 == r.size() || (k + 1 < r.size() && is_one(r.word(k + 1), ",|)"));
    if (k - i < 4 || k >= r.size() || !last || r.word(k).stem.empty() || r.word(k).open || r.word(k).quote) continue;
    for (const Happening& h : r.facts.all()) {
      const std::size_t at = h.words.find(said);
      if (at == std::string::npos) continue;
      const std::string rest = h.words.substr(at + said.size());
      // One word is left of the line, and it is another one.
      if (rest.size() > 2 && rest.find(' ') == rest.size() - 1) return r.wrong("words", "nobody says" + said + r.word(k).text);
    }
    i = k;
  }
}

// "Blue is mentioned", "the final word is black"
void check_word_named(Reading& r) {
  if (!r.facts.only_speech() || r.facts.foreign() || r.sentence.question ||
      r.has("not|no|never|nor|neither|isn't|aren't|nobody|none|without|if|would"))
    return;
  for (int i = 0; i + 2 < r.size(); ++i) {
    if (!r.word(i).quote && i == 0 && is_one(r.word(1), "is|was") && is_one(r.word(2), "mentioned|said|uttered|named") &&
        r.word(0).stem.size() > 2 &&
        !is_one(r.word(0), "it|this|that|what|which|everything|something|she|he|nothing|all|each|one|there|neither") &&
        r.facts.spoken().find(" " + r.word(0).text + " ") == std::string::npos)
      r.wrong("words", "nobody says " + r.word(0).text);
  }
}

// Options, the question and the answer may be quoted as they are.
bool given(const Sample& s, const std::string& words) {
  if (plain(s.question).find(words) != std::string::npos || plain(s.answer_text).find(words) != std::string::npos) return true;
  return std::any_of(s.choices.begin(), s.choices.end(),
                     [&](const std::string& c) { return plain(c).find(words) != std::string::npos; });
}

bool quotation_doubted(const Reading& r, int at) {
  return r.find(
             "not|never|no|nor|neither|without|isn't|aren't|wasn't|don't|doesn't|instead|rather|would|would've|option|if|wrong|"
             "nobody|none|"
             "term|called|label|than|could|might|absent|missing|like",
             std::max(0, at - 12), at + 9) >= 0 ||
         (r.facts.foreign() && r.has("mean|means|meaning|translate|translated|translation|translates|english|chinese|say|i.e"));
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
      if (given(*r.sample, words) || quotation_doubted(r, m.begin) || r.sentence.question) continue;
      const bool named = m.begin > 0 && is_one(r.word(m.begin - 1), "word|words|digit|name");
      const bool single = words_in(words) == 1 && !named && (r.facts.foreign() || !r.has(kSays));
      if (!single && (nearly_said(r, words) || !r.facts.foreign())) r.wrong("quote", "nobody says " + m.name);
    }
  }
  check_said_word(r);
  check_digits(r);
  check_transcript(r);
  check_word_named(r);
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
