// What a sentence asserts, denies, or only weighs: the rules judge the first two and leave the rest alone.
#include <algorithm>

#include "cota/claim_rules.h"

namespace areason::claims {
namespace {

constexpr const char* kDoubtInSegment =
    "supposedly|allegedly|apparently|seemingly|ostensibly|reportedly|presumably|would|wouldn't|might|may|could|couldn't|should|"
    "shouldn't|perhaps|maybe|possibly|probably|presumably|option|options|"
    "choice|choices|candidate|candidates|distractor|distractors|alternative|alternatives|expect|expected|suspect|suspected|"
    "thought|think|considered|consider|considering|premise|hypothesis|assume|assumed|assuming|suppose|rule|rules|ruled|"
    "ruling|eliminate|eliminates|eliminated|eliminating|exclude|excludes|excluded|excluding|discard|discarded|dismiss|"
    "dismissed|reject|rejected|rejecting|fail|fails|failed|need|needs|needed|wrong|incorrect|incorrectly|confuse|confused|"
    "mistake|mistaken|mistook|listen|listening|look|looking|search|searching|searched|scan|scanning|typical|typically|usual|"
    "usually|normally|generally|characteristic|tend|tends|wonder|wondered|question|asked|imagine|plausible|unlikely|possible|"
    "possibility|impossible|unclear|guess|tempting|supposed|want|wanted|wants|resemble|resembles|resembling|similar|"
    "reminiscent|distinguish|distinguishes|necessarily|otherwise|theory|expecting|hypothetical|hoped|hint|hints|suggest|"
    "suggests|suggesting|suggestion|evoke|evokes|evoking|mention|mentions|mentioned|word|words|term|ought|interpretation|"
    "offered|offers|listed|lists|offer|potentially|confirm|confirms|fit|fits|fitting|must|proposed|category";
constexpr const char* kSaying =
    "says|say|said|tells|tell|told|claims|claim|claimed|thinks|replies|reply|replied|answers|answer|answered|objects|objected|"
    "complains|complained|asks|ask|asked|mentions|mentioned|suggests|suggested|explains|explained|believes|finds|wants|wanted|"
    "states|stated|remarks|remarked|adds|added|praises|points|pointed|notes|noted|argues|argued|talks|talk|talking|discuss|"
    "discusses|discussing|chat|announces|announced|warns|reports|reported|counters|countered|responds|responded|wonders|calls|"
    "requests|orders|names|named|naming|lists|listing|describes|described|agrees|agreed|saying|asking|telling|debate|proposes|"
    "plan|plans|opens|inquires|enquires|raises|brings|means|meaning|translates|reads|argue|speaks|comments|worries";

// The words of i's segment as [from, to).
std::pair<int, int> segment_around(const Reading& r, int i) {
  int from = i, to = i + 1;
  while (from > 0 && r.word(from - 1).segment == r.word(i).segment) --from;
  while (to < r.size() && r.word(to).segment == r.word(i).segment) ++to;
  return {from, to};
}

void open_words(Reading& r, int from, int to) {
  for (int i = std::max(0, from); i < std::min(to, r.size()); ++i) r.sentence.words[static_cast<std::size_t>(i)].open = true;
}
void open_segment(Reading& r, int i) {
  const auto [from, to] = segment_around(r, i);
  open_words(r, from, to);
}

// From a doubt on to where a new thought begins.
int thought_end(const Reading& r, int i) {
  for (int k = i + 1; k < r.size(); ++k)
    if (is_one(r.word(k), "but|because|since|whereas|however") || r.word(k).text == ":") return k;
  return r.size();
}

bool first_person_plan(const Reading& r, int i) {
  if (i + 1 >= r.size()) return false;
  if (is_one(r.word(i), "i|we") &&
      is_one(r.word(i + 1), "will|need|must|want|should|check|look|listen|compare|find|go|have|'ll|would|try|note|take|focus"))
    return !is_one(r.word(i + 1), "have|note|find|take") || (i + 2 < r.size() && r.word(i + 2).text == "to");
  if (is_one(r.word(i), "i'll|we'll|i'd|let's")) return true;
  return is_one(r.word(i), "let") && is_one(r.word(i + 1), "me|us");
}

// What somebody in the clip says is no claim about the clip.
void open_reported(Reading& r) {
  if (!r.facts.has_speech()) return;
  for (int i = 0; i < r.size(); ++i) {
    if (!is_one(r.word(i), kSaying)) continue;
    bool human = r.facts.only_speech();
    for (const Mention& m : r.mentions) human = human || ((m.human || m.speaker > 0) && m.begin <= i);
    human = human || r.find("he|she|they|who|somebody|someone|friends|parents|colleagues|neighbours|neighbors", 0, i) >= 0;
    bool quoted = false;
    for (int k = i + 1; k < std::min(r.size(), i + 5); ++k) quoted = quoted || r.word(k).quote;
    if (!human || quoted) continue;
    int end = i + 1;
    const auto counts = [&](int k) {
      return r.word(k).text == "," && k + 1 < r.size() &&
             (r.word(k + 1).number > 0 || is_one(r.word(k + 1), "once|twice|all|each"));
    };
    // "…, and the second suggests the park": somebody else's saying
    const auto another = [&](int k) {
      return r.word(k).text == "and" && k + 2 < r.size() && is_one(r.word(k + 1), "the|he|she|a|another") &&
             (r.word(k + 1).text != "the" || r.word(k + 2).ordinal != 0 || is_one(r.word(k + 2), "man|woman|other"));
    };
    while (end < r.size() && !counts(end) && !another(end) &&
           !is_one(r.word(end), "while|whereas|after|before|then|;|until|twice|once|times|first|last|with"))
      ++end;
    // What is said begins behind the verb; times, counts and places of the saying itself stay.
    // "says something for about ten seconds"
    for (int k = i + 1; k + 2 < end; ++k)
      if (r.word(k).text == "for" && (r.word(k + 1).number >= 0 || r.word(k + 2).number >= 0) &&
          r.find("s|second|seconds", k + 2, k + 5) >= 0)
        end = k;
    for (int k = i + 1; k < end; ++k)
      if (is_one(r.word(k), "about|that|to|how|what|where|of|a|the|for|it|she|he|they|is|up|on|whether|why|,|:"))
        return open_words(r, k, end);
  }
}

// "In a and c the scream comes first", "B has the horn before the cymbal": what an option says.
void open_options(Reading& r) {
  const auto count = r.sample->choices.size();
  const auto letter = [&](int i) {
    return i < r.size() && r.word(i).text.size() == 1 && r.word(i).text[0] >= 'a' &&
           r.word(i).text[0] < 'a' + static_cast<int>(count);
  };
  for (int i = 0; i + 1 < r.size() && count > 1; ++i) {
    int k = is_one(r.word(i), "in|under|with|by|per") ? i + 1 : i;
    const bool in = k > i;
    if (k < r.size() && r.word(k).text == "(") ++k;
    if (!letter(k)) continue;
    const bool several = k + 2 < r.size() && is_one(r.word(k + 1), "and|or|,|/|)") && (letter(k + 2) || letter(k + 3));
    const bool sure = several || r.word(k).text != "a" || (k + 1 < r.size() && r.word(k + 1).text == ")");
    int end = k + 1;
    while (end < r.size() && (letter(end) || is_one(r.word(end), "and|or|,|/|(|)"))) ++end;
    const bool claims = end < r.size() && is_one(r.word(end),
                                                 "has|have|puts|put|begins|begin|starts|start|places|place|swaps|"
                                                 "swap|reverses|opens|lists|says|say|wants|claims|assumes|leads");
    const bool aside = i > 0 && r.word(i - 1).text == "," && r.word(end - 1).text == ",";  // "the water, in (b), arrives"
    if (sure && !aside && (in || (claims && (r.word(k).capital || several || end > k + 1))))
      open_words(r, k, segment_around(r, std::min(end, r.size() - 1)).second);
  }
}

void mark_open(Reading& r) {
  if (r.sentence.question) return open_words(r, 0, r.size());
  open_options(r);
  for (int i = 0; i < r.size(); ++i) {
    const Word& w = r.word(i);
    if (is_one(w, "if|iff|unless|suppose|imagine|provided") || (is_one(w, "had") && i == 0)) {
      const bool as_if = i > 0 && is_one(r.word(i - 1), "as|even");
      open_words(r, i, as_if ? segment_around(r, i).second : thought_end(r, i));
      if (!as_if && i > 0) open_segment(r, i - 1);
    }
    if (is_one(w, "whether|though") && (w.text == "whether" || (i > 0 && r.word(i - 1).text == "as")))
      open_words(r, i, thought_end(r, i));
    if (first_person_plan(r, i)) open_words(r, i, thought_end(r, i));
    if (is_one(w, kDoubtInSegment)) {
      if (is_one(w, "could|couldn't") && i + 1 < r.size() && is_one(r.word(i + 1), "be|hear|clearly")) continue;
      // "the options": "of the options only the dog is heard"
      if (is_one(w, "words|word") && !r.facts.only_speech()) continue;
      if (is_one(w, "words|word|question|asked|wants|need|needs|mention|mentions|mentioned|suggests") && r.facts.only_speech())
        continue;
      open_segment(r, i);
      // "Option (b) does, but puts the applause in second place"
      for (int k = i + 1; k + 1 < r.size() && is_one(w, "option|options"); ++k)
        if (is_one(r.word(k), "but|and") && is_one(r.word(k + 1), "puts|put|places|place|swaps|lists|gives|says|claims|wants"))
          open_words(r, k, r.size());
      if (is_one(w,
                 "rules|ruled|rule|eliminates|eliminate|excludes|exclude|excluded|dismiss|discard|reject|listened|looked|"
                 "searched|thought|wondered|"
                 "wonder|considered|expected|supposes"))
        open_words(r, i, thought_end(r, i));
    }
    // "(c) is wrong, for there the duck comes second"
    if (w.text == "there" && i + 1 < r.size() && is_one(r.word(i + 1), "the|it|a") && i > 0 &&
        is_one(r.word(i - 1), "for|,|because|since|as|and|but"))
      open_words(r, i, r.size());
    if (is_one(w, "everything|all|nothing|anything") && i + 1 < r.size() && is_one(r.word(i + 1), "but|except")) {
      open_words(r, i, r.size());
    }
    if (is_one(w, "rather|instead|opposed|unlike|except|besides|apart|distinct|other|different") &&
        (is_one(w, "unlike|except|besides") || (i + 1 < r.size() && is_one(r.word(i + 1), "than|of|to|from"))))
      open_words(r, i, segment_around(r, i).second);
  }
  open_reported(r);
}

bool simile(const Reading& r, const Mention& m) {
  const int from = std::max(segment_around(r, m.begin).first, m.begin - 5);
  // "at the same time as the duck"
  if (r.find("time|moment|instant", from, m.begin) >= 0 && r.find("as", m.begin - 3, m.begin) >= 0 &&
      r.find("same", from, m.begin) >= 0)
    return false;
  if (r.find("like|similar|resembles|resembling|unlike|as|kind|sort|type|reminds|evoking|akin|almost|practically|nearly|say|"
             "imitat|toward|towards",
             from, m.begin) >= 0)
    return true;
  return m.end + 1 < r.size() && r.word(m.end).text == "-" && is_one(r.word(m.end + 1), "like|ish|shaped|style|type|sized");
}

constexpr const char* kQualified =
    "until|before|after|again|anymore|left|during|twice|overlap|overlaps|than|while|when|other|more|further|second|third|"
    "additional|"
    "another|else|longer|shorter|louder|quieter|first|last|between|start|end|once|stop|stops|continue|only|just|alone|return|"
    "returns|three|four|two|immediately|directly|following|preceded|followed|by|half|both|simultaneously|over|interrupt|"
    "interrupts|interrupting|interrupted|together|follows|follow|precedes|precede|point|moment|same|starts|begins|yet|still|"
    "already|any|single|individual|new|part|audio|in|far|then|at|behind|beyond|loud|loudest|of|to|one|where|with|adjacent";

// Words that may stand between "no" and what is not there.
bool passes_no(const Reading& r, int i) {
  for (const Mention& m : r.mentions)
    if (i >= m.begin && i < m.end) return true;
  return is_one(r.word(i),
                "any|a|an|the|or|nor|and|sound|sounds|sign|signs|trace|hint|such|kind|hear|hears|contain|contains|is|are|"
                "include|includes|have|has|feature|features|detect|notice|heard|evidence|audible|at|all|actual|either|human|"
                "perceive|there|be|find|whatsoever|of|can|singing|present|one");
}

constexpr const char* kNo = "no|without|neither|nor|never|lacks|lack|lacking|absence|nobody|none|nothing|zero|nowhere|noone";
constexpr const char* kNotInScope =
    "not|cannot|can't|don't|doesn't|didn't|couldn't|isn't|aren't|wasn't|weren't|hardly|won't|hasn't|haven't|barely|rarely";

bool denied_before(const Reading& r, const Mention& m) {
  const int from = segment_around(r, m.begin).first;
  for (int i = m.begin - 1; i >= std::max(from, m.begin - 10); --i) {
    const Word& w = r.word(i);
    if (is_one(w, "no|without|zero|nobody|neither|nor") || (is_one(w, "lacks|lack|lacking|absence"))) return true;
    if (is_one(w, kNotInScope)) {
      const bool existence = (is_one(w, "isn't|aren't|wasn't|weren't|not") && r.find("there", i - 2, i) >= 0) ||
                             (is_one(w, "not") && r.find("there", i - 3, i) >= 0);
      return existence || r.find("hear|contain|include|have|feature|detect|notice|perceive|find", i, m.begin) >= 0;
    }
    if (!passes_no(r, i)) return false;
  }
  return false;
}

// "the dog is not heard", "the dog is absent", "dog: absent", "the dog never appears".
bool denied_after(const Reading& r, const Mention& m) {
  for (int i = m.end; i < std::min(r.size(), m.end + 9); ++i) {
    const Word& w = r.word(i);
    if (is_one(w, "absent|missing|nowhere")) return true;
    if (is_one(w, "never|not|cannot|can't|isn't|aren't|wasn't|weren't|doesn't|don't|didn't"))
      return r.find(
                 "heard|present|audible|there|appear|appears|occur|occurs|occurred|detected|featured|included|found|happen|"
                 "exist|hear",
                 i, std::min(r.size(), i + 5)) >= 0;
    if (!is_one(w,
                "is|are|was|were|can|could|be|does|do|did|or|and|sound|sounds|itself|simply|completely|entirely|at|a|an|the|"
                "any|nor|all|clearly|plainly|both|of|:|,|also|just")) {
      bool mention = false;
      for (const Mention& other : r.mentions) mention = mention || (i >= other.begin && i < other.end);
      if (!mention) return false;
    }
  }
  return false;
}

bool has_denial(const Reading& r, int from, int to) { return r.find(kNo, from, to) >= 0 || r.find(kNotInScope, from, to) >= 0; }

// "Music: none", "train: 0"
bool denied_by_colon(const Reading& r, const Mention& m) {
  if (m.end + 1 >= r.size() || !is_one(r.word(m.end), ":|=|--|(")) return false;
  if (is_one(r.word(m.end + 1), "none|absent|missing|nowhere|never")) return true;
  return is_one(r.word(m.end + 1), "0|no|zero") && (m.end + 2 >= r.size() || is_one(r.word(m.end + 2), ",|)"));
}

}  // namespace

// "not a voice, but there's a dog", "no fire, but an arrow", "…, but a cow has", "thunder: proven", "door: 99 %"
bool told_present(const Reading& r, const Mention& m) {
  if (m.end + 1 < r.size() && is_one(r.word(m.end), ":|(|=")) {
    if (is_one(r.word(m.end + 1), "proven|present|audible|confirmed|yes|attested|found")) return true;
    return m.end + 2 < r.size() && r.word(m.end + 1).number >= 60 && is_one(r.word(m.end + 2), "%|percent");
  }
  const int but = r.find("but|though|although|however", std::max(0, m.begin - 5), m.begin);
  if (but < 0 || r.find("no|not|never|neither|nor|none|would|could|like|as|only|than|for|with|by|to|from", but, m.begin) >= 0)
    return false;
  const bool there = r.find("there|there's|also", but, m.begin) >= 0;
  const bool alone = m.end >= r.size() || is_one(r.word(m.end), ",|)|--");
  const bool has =
      m.end < r.size() && is_one(r.word(m.end), "has|have|is|are|was|does|yes") &&
      (m.end + 1 >= r.size() || is_one(r.word(m.end + 1), ",|present|heard|audible|there") ||
       (m.end + 2 >= r.size() && (r.word(m.end + 1).text.ends_with("en") || r.word(m.end + 1).text.ends_with("ed"))));
  return (there || alone || has) && has_denial(r, 0, but);
}

namespace {

void mark_mention(Reading& r, Mention& m) {
  const auto [from, to] = segment_around(r, m.begin);
  m.neutral = r.word(m.begin).open || simile(r, m);
  // "dog yes, horn no": a comparison with what is wanted.
  if (m.end < r.size() && is_one(r.word(m.end), "yes|no") && !(r.word(m.end).text == "yes" && r.section != Section::kReasoning))
    m.neutral = true;
  // "n(dog) = 4"
  if (m.begin > 1 && r.word(m.begin - 1).text == "(" && r.word(m.begin - 2).text.size() == 1) m.neutral = true;
  if (m.quote) return;
  const bool leading_no = from == 0 && is_one(r.word(0), "no|yes") && r.size() > 1 && r.word(1).text == ",";
  if (denied_by_colon(r, m)) {
    m.denied = !m.neutral;
    m.neutral = !m.denied;
    return;
  }
  const bool before = denied_before(r, m), after = denied_after(r, m) && !told_present(r, m);
  if (before || after) {
    // "no siren was reported until …"
    const bool limited = to < r.size() && is_one(r.word(to), "until|till|before|after|when|while|once|besides|except");
    const bool qualified = limited || r.find(kQualified, m.end, to) >= 0 ||
                           r.find(
                               "other|more|further|second|third|additional|another|longer|louder|only|new|such|single|"
                               "similar|actual|real|true|individual|distinct|separate|clear|loud|further|new|point|moment|time",
                               from, m.begin) >= 0;
    // "no dog, no cat", "there is no dog in the clip"
    const bool place =
        r.find("in|of|at|on", m.end, to) >= 0 &&
        r.find("clip|recording|audio|here|all|all|point|timeline|scene|file|any|it|them|mix|whole|entire|sequence", m.end,
               to) >= 0 &&
        r.find("until|before|after|again|anymore|during|than|while|when|first|last|part|half|second|with|by|over", m.end, to) <
            0;
    (qualified && !place ? m.neutral : m.denied) = true;
    return;
  }
  if (told_present(r, m)) return;
  int told_to = to;
  for (int i = m.end; i + 1 < to && told_to == to; ++i)
    if (is_one(r.word(i), "and|but") && is_one(r.word(i + 1), "no|not|never|neither|nobody|nothing")) told_to = i;
  if (has_denial(r, leading_no ? 2 : from, told_to)) m.neutral = m.unsure = true;
  // "no dog, cat or cow": what goes on behind a denial without a verb of its own.
  bool verb = false;
  for (int i = from; i < to; ++i) verb = verb || is_verb(r.word(i));
  const int clause = r.word(m.begin).clause;
  int begin = m.begin;
  while (begin > 0 && r.word(begin - 1).clause == clause) --begin;
  if (!verb && has_denial(r, leading_no ? std::max(2, begin) : begin, from)) m.neutral = m.unsure = true;
  // "the dog, which is not there": said behind the comma
  if (to < r.size() && r.find("absent|missing|nowhere|neither", to, std::min(r.size(), to + 6)) >= 0) m.neutral = true;
}

}  // namespace

void mark_scope(Reading& r) {
  mark_open(r);
  for (Mention& m : r.mentions) mark_mention(r, m);
  // Numbers and places of what is only weighed count nothing.
  for (Word& w : r.sentence.words)
    if (w.open) {
      w.number = -1;
      w.ordinal = 0;
    }
}

}  // namespace areason::claims
