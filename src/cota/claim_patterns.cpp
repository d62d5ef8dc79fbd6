#include "cota/claim_patterns.h"

#include <algorithm>
#include <bitset>
#include <map>
#include <sstream>
#include <unordered_map>

#include "base/error.h"

namespace areason::claims {
namespace {

struct PatternRow {
  Relation relation;
  const char* pattern;
};

// Sets of words that patterns name in capitals.
const std::map<std::string, const char*>& sets() {
  static const std::map<std::string, const char*> out = {
      {"THEN", "then|later|next|afterwards|afterward|thereafter|subsequently|finally|lastly|eventually|thereupon|whereupon"},
      {"START", "starts|start|begins|begin|sets|started|began|enters|arrives|commences|comes|appears|kicks|joins|sounds|heard"},
      {"END",
       "ends|ended|end|stops|stopped|over|gone|finished|finishes|faded|fades|done|ceases|ceased|died|dies|silent|quiet|"
       "subsided|subsides|concluded|completed|complete|fallen|through|away"},
      {"CLIP",
       "clip|recording|audio|excerpt|sequence|scene|track|file|it|things|proceedings|everything|piece|match|game|show|race|"
       "broadcast|performance|affair|list"},
      {"SOUND", "sound|event|noise|thing|item|one|element"},
      {"SEP", ",|and|--"},
      {"LONGER", "longer"},
      {"SHORTER", "shorter|briefer"},
      {"LOUDER", "louder|stronger"},
      {"QUIETER", "quieter|softer|fainter|weaker"},
      {"IS", "is|was|being|are"},
      {"BEGINNING", "beginning|start|outset|opening"},
      {"CLOSE", "end|close|finish"},
      {"OF", "of|in"}};
  return out;
}

constexpr PatternRow kPatternRows[] = {
    {Relation::kBefore, "X ?SEP ?SEP THEN ?, X"},
    {Relation::kBefore, "X ?SEP ?SEP THEN by X"},
    {Relation::kNone, "X ?SEP ?SEP before|after it|that|they has|have|is|was|had|can ?END ?, X"},
    {Relation::kBefore, "X ?SEP ?SEP after that|this|which ?, X"},
    {Relation::kAfter, "X ?SEP ?SEP before that|this|which ?, X"},
    {Relation::kBefore, "X before X"},
    {Relation::kNone, "X before|after X does|do|did"},
    {Relation::kNone, "X END before X END"},
    {Relation::kNone, "X before X END"},
    {Relation::kNone, "X until X"},
    {Relation::kNone, "X until after X"},
    {Relation::kDone, "X END before X START"},
    {Relation::kDone, "X END when X START"},
    {Relation::kDone, "X END by time X START"},
    {Relation::kBefore, "X precedes|preceding X"},
    {Relation::kBefore, "X ?, followed|succeeded|replaced|relieved by X"},
    {Relation::kBefore, "X gives|gave|giving way to X"},
    {Relation::kBefore, "X yields|yielded to X"},
    {Relation::kBefore, "X makes|make|made room|way for X"},
    {Relation::kBefore, "X earlier than X"},
    {Relation::kBefore, "X sooner than X"},
    {Relation::kBefore, "X ahead of X"},
    {Relation::kBefore, "X prior to X"},
    {Relation::kBefore, "after X , X"},
    {Relation::kBefore, "after X START X"},
    {Relation::kBefore, "following X , X"},
    {Relation::kDone, "once|when|after|as X END , X"},
    {Relation::kBefore, "X ?SEP ?SEP last|lastly of all X"},
    {Relation::kBefore, "X SEP ?SEP at|in end|close X"},
    {Relation::kBefore, "first X ?, and|then X"},
    {Relation::kAfter, "X after X"},
    {Relation::kAfter, "X following X"},
    {Relation::kDoneAfter, "X after|once|when X END"},
    {Relation::kAfter, "X follows|follow|succeeds X"},
    {Relation::kAfter, "X follows|follow on X"},
    {Relation::kAfter, "X ?, preceded by X"},
    {Relation::kAfter, "X later than X"},
    {Relation::kAfter, "X on heels of X"},
    {Relation::kAfter, "X in wake of X"},
    {Relation::kAfter, "before X , X"},
    {Relation::kDoneAfter, "X waits|wait until|for X"},
    {Relation::kBefore, "at first ?, IS X ?, ?and after|then ?that IS X"},
    {Relation::kAfter, "X ?only START after X"},
    {Relation::kDone, "X ?SEP only after|once it|that END ?, X"},
    {Relation::kOverlap, "X ?, during which|that X"},
    {Relation::kBefore, "X ?, before which X"},
    {Relation::kBefore, "X ?, after which X"},
    {Relation::kOverlap, "X while|as X START"},
    {Relation::kOverlap, "while|as X START , X"},
    {Relation::kOverlap, "X falls|lies entirely|wholly|completely within|inside X"},
    {Relation::kDoneAfter, "X falls|lies entirely|wholly|completely|well after X"},
    {Relation::kDone, "X falls|lies entirely|wholly|completely|well before X"},
    {Relation::kDoneAfter, "X after|once X has|have|had"},
    {Relation::kNone, "X after|once|when X has|have|had been|begun|started|already|just|set|come|appeared|entered|joined"},
    {Relation::kOverlap, "X beneath|under|underneath X"},
    {Relation::kApart, "X SEP X ?IS never|not heard together"},
    {Relation::kApart, "X SEP X never|not overlap|coincide|meet|intersect"},
    {Relation::kOverlap, "X SEP X sound|are|play|heard together"},
    {Relation::kLonger, "X goes|runs on longer than X"},
    {Relation::kShorter, "X falls short of X in length|duration"},
    {Relation::kLonger, "X lasts|is longer ?, than X"},
    {Relation::kLonger, "X beats X in length|duration"},
    {Relation::kShorter, "X IS over|done|finished sooner than X"},
    {Relation::kOverlap, "X during|amid|amidst X"},
    {Relation::kOverlap, "X at same time|moment as|with X"},
    {Relation::kOverlap, "X simultaneously|simultaneous|together|concurrently with X"},
    {Relation::kOverlap, "X coincides|coincide|overlaps|overlap|overlapping ?with X"},
    {Relation::kOverlap, "X in course|middle|midst of X"},
    {Relation::kOverlap, "X within|inside X"},
    {Relation::kOverlap, "X accompanied|drowned|masked|covered by X"},
    {Relation::kOverlap, "X accompanies|drowns X"},
    {Relation::kOverlap, "X on top of X"},
    {Relation::kOverlap, "X SEP X at same time|moment"},
    {Relation::kOverlap, "X SEP X simultaneously|together|concurrently"},
    {Relation::kLonger, "X LONGER than X"},
    {Relation::kLonger, "X outlasts|outlast|outlasted|outlives X"},
    {Relation::kLonger, "X exceeds X in length|duration"},
    {Relation::kLonger, "X takes|needs more time than X"},
    {Relation::kShorter, "X takes|needs less time than X"},
    {Relation::kShorter, "X SHORTER than X"},
    {Relation::kLouder, "X LOUDER than X"},
    {Relation::kQuieter, "X QUIETER than X"},
    {Relation::kFirst, "X opens|inaugurates|starts|begins|commences|introduces CLIP"},
    {Relation::kFirst, "X kicks|starts|leads CLIP off"},
    {Relation::kFirst, "X kicks|leads ?CLIP off"},
    {Relation::kFirst, "X START first"},
    {Relation::kFirst, "X gets there first"},
    {Relation::kLast, "X gets there last"},
    {Relation::kAfter, "X trails|trail|lags|succeeds ?behind X"},
    {Relation::kBefore, "X heralds|herald|predates|anticipates|foreshadows X"},
    {Relation::kFirst, "CLIP opens|starts|begins|commences|opening|starting ?off with|on|by X"},
    {Relation::kFirst, "CLIP kicks off with X"},
    {Relation::kFirst, "first SOUND ?OF ?CLIP IS X"},
    {Relation::kFirst, "X IS first SOUND"},
    {Relation::kFirst, "X marks beginning|start|opening"},
    {Relation::kLast, "X closes|concludes|ends|finishes|terminates CLIP"},
    {Relation::kLast, "X that|which|who closes|concludes|ends|finishes CLIP"},
    {Relation::kLast, "X START last"},
    {Relation::kLast, "X has|have|gets last|final|closing word|say|note|bar|bars"},
    {Relation::kFirst, "X has|have|gets first|opening word|say|note|bar|bars"},
    {Relation::kLast, "X brings CLIP to end|close"},
    {Relation::kLast, "X rounds|finishes ?CLIP off"},
    {Relation::kLast, "X marks end|close|ending"},
    {Relation::kLast, "CLIP ends|closes|concludes|finishes|ending ?off with|on|in|by X"},
    {Relation::kLast, "CLIP to close|end with X"},
    {Relation::kLast, "last|final SOUND ?OF ?CLIP IS X"},
    {Relation::kLast, "X IS last|final SOUND"},
    {Relation::kLast, "last|lastly of all , X"},
    {Relation::kLast, "last|lastly of all X"},
    {Relation::kLast, "as finale , X"},
    {Relation::kLast, "CLIP|we end|ends|finish on|with X"},
    {Relation::kLast, "and ?, to finish|conclude|end ?, X"},
    {Relation::kEarly, "X START in|very early"},
    {Relation::kLate, "X START in|very late"},
    {Relation::kFirst, "it IS X that START first"},
    {Relation::kFirst, "it IS X that|which IS heard first"},
    {Relation::kLast, "it IS X that|which IS heard last"},
    {Relation::kLast, "X IS ?also ?what ?we END on|with"},
    {Relation::kFirst, "X IS ?also ?what ?we start|begin|open on|with"},
    {Relation::kLast, "it IS X that START last"},
    {Relation::kLast, "it IS X that concludes|ends|closes|finishes CLIP"},
    {Relation::kFirst, "it IS X that opens|begins|starts CLIP"},
    {Relation::kFirst, "CLIP starts|begins|opens X"},
    {Relation::kLongest, "X lasts|is longer than anything|everything"},
    {Relation::kShortest, "X IS shorter than anything|everything"},
    {Relation::kLouder, "X is above X in level"},
    {Relation::kFirst, "X earlier than anything|everything"},
    {Relation::kLast, "X later than anything|everything"},
    {Relation::kFirst, "first of all , X"},
    {Relation::kFirst, "first of all X"},
    {Relation::kEarly, "X at|near|towards|toward|by|in BEGINNING"},
    {Relation::kEarly, "X close|near to BEGINNING"},
    {Relation::kEarly, "X early on"},
    {Relation::kLate, "X at|near|towards|toward|in CLOSE"},
    {Relation::kLate, "X close|near to CLOSE"},
    {Relation::kEarly, "at|near|towards|toward|in BEGINNING ?, X"},
    {Relation::kLate, "at|near|towards|toward|in CLOSE ?, X"},
    {Relation::kLate, "close|near to CLOSE ?, X"},
    {Relation::kEarly, "close|near to BEGINNING ?, X"},
    {Relation::kWhole, "X throughout"},
    {Relation::kWhole, "X from start|beginning to finish|end"},
    {Relation::kWhole, "X whole|entire time|clip|recording|audio"},
    {Relation::kLongest, "X IS longest"},
    {Relation::kShortest, "X IS shortest|briefest"},
    {Relation::kLoudest, "X IS loudest"},
    {Relation::kQuietest, "X IS quietest|softest|faintest"},
    {Relation::kLongest, "X lasts longest"},
};

// What may not stand between two words of a pattern.
constexpr const char* kStops =
    "not|never|no|nor|neither|without|but|while|whereas|or|if|than|as|before|after|then|during|until|till|when|once|which|who|"
    "it|they|this|these|those|because|since|except|unlike|instead|rather|to|from|between|with|by|for|over|under|beneath|"
    "into|nothing|none|nobody|isn't|doesn't|don't|didn't|wasn't|cannot|can't|longer|shorter|louder|quieter|first|last|"
    "second|third|fourth|fifth|and|,|:|(|)|--|/|that|where|whose|both|each|either|hardly|though|although|so|yet|however|than|"
    "followed|preceded|follows|precedes|does|do|did|nearly|almost|half|barely|still|remains|continues|keeps|stays|goes|alone|"
    "carries|like|"
    "against|besides|next|later|both|respectively|again|of|in|at|on|he|she";

constexpr int kMostBetween = 4;

struct Token {
  bool sound = false, optional = false;
  std::size_t list = 0;  // of its words, in ListsOfWords
};

// Every list of words that the patterns name, so that a word is looked up once and not once a pattern: there are some 170
// patterns, and this was half of the time of a review.
class ListsOfWords {
 public:
  static constexpr std::size_t kMost = 192;
  using Marks = std::bitset<kMost>;

  // The place of this list ("a|b|c"), which is added if it is new.
  std::size_t add(const std::string& list) {
    const auto [it, added] = places_.emplace(list, places_.size());
    if (!added) return it->second;
    if (places_.size() > kMost)
      throw Error(ErrorCode::kFailure, "patterns have over " + std::to_string(kMost) + " lists of words",
                  "raise ListsOfWords::kMost");
    std::istringstream in(list);
    for (std::string word; std::getline(in, word, '|');) marks_[word].set(it->second);
    return it->second;
  }
  // Which lists this word is on; a quotation is on none.
  Marks of(const Word& word) const {
    if (word.quote) return {};
    const auto it = marks_.find(word.text);
    return it == marks_.end() ? Marks() : it->second;
  }

 private:
  std::map<std::string, std::size_t> places_;
  std::unordered_map<std::string, Marks> marks_;
};

std::vector<Token> tokens_of(const char* pattern, ListsOfWords& lists) {
  std::vector<Token> out;
  std::string word;
  for (const char* c = pattern;; ++c) {
    if (*c != ' ' && *c != 0) {
      word += *c;
      continue;
    }
    Token t;
    if (word[0] == '?') {
      t.optional = true;
      word.erase(0, 1);
    }
    t.sound = word == "X";
    const auto it = sets().find(word);
    if (!t.sound) t.list = lists.add(it == sets().end() ? word : it->second);
    out.push_back(std::move(t));
    word.clear();
    if (*c == 0) return out;
  }
}

struct Compiled {
  Relation relation;
  std::vector<Token> tokens;
};

struct Table {
  ListsOfWords lists;
  std::vector<Compiled> rows;
  std::size_t stops;
};

const Table& table() {
  static const Table out = [] {
    Table t;
    for (const PatternRow& row : kPatternRows) t.rows.push_back({row.relation, tokens_of(row.pattern, t.lists)});
    t.stops = t.lists.add(kStops);
    return t;
  }();
  return out;
}

// What all patterns ask of the words of one sentence.
class MarkedReading {
 public:
  explicit MarkedReading(const Reading& r) : r_(r) {
    const auto n = static_cast<std::size_t>(r.size());
    sounds_.resize(n);
    for (const Mention& m : r.mentions)
      if (!m.quote && m.begin < r.size() && sounds_[static_cast<std::size_t>(m.begin)] == nullptr)
        sounds_[static_cast<std::size_t>(m.begin)] = &m;
    marks_.reserve(n);
    for (int i = 0; i < r.size(); ++i) {
      marks_.push_back(table().lists.of(r.word(i)));
      skips_.push_back(may_be_skipped(i));
      counts_.push_back(r.word(i).number < 0 && !is_one(r.word(i), "s|second|seconds|more|less|than|a|the"));
      measures_.push_back(measures(i));
    }
    for (int i = 0; i < r.size(); ++i) behind_.push_back(r.word(i).text == "," ? behind_aside(i) : 0);
  }

  int size() const { return r_.size(); }
  const Mention* sound(int i) const { return sounds_[static_cast<std::size_t>(i)]; }
  // Is word i one of this list, and no amount ("over half a second" ends nothing)?
  bool on(int i, std::size_t list) const {
    return marks_[static_cast<std::size_t>(i)].test(list) && !measures_[static_cast<std::size_t>(i)];
  }
  // May word i stand between two words of a pattern?
  bool skips(int i) const { return skips_[static_cast<std::size_t>(i)]; }
  // "more than half a second before" is as near as "before".
  bool counts(int i) const { return counts_[static_cast<std::size_t>(i)]; }
  // Where the sentence goes on behind ", faint and lasting but a moment,"; 0 where word i opens nothing of the kind.
  int behind(int i) const { return behind_[static_cast<std::size_t>(i)]; }

 private:
  bool may_be_skipped(int i) const {
    if (r_.word(i).text == "than" && i > 0 && is_one(r_.word(i - 1), "more|less")) return true;
    return !r_.word(i).quote && sound(i) == nullptr && !marks_[static_cast<std::size_t>(i)].test(table().stops);
  }
  int behind_aside(int i) const {
    for (int k = i + 1; k < std::min(r_.size(), i + 14); ++k) {
      if (r_.word(k).text == ",") return k > i + 1 ? k + 1 : 0;
      if (r_.word(k).quote || sound(k) != nullptr || is_verb(r_.word(k)) ||
          is_one(r_.word(k), "not|never|no|if|then|while|whereas|or|than|before|after|:|--"))
        return 0;
    }
    return 0;
  }
  bool measures(int i) const {
    return is_one(r_.word(i), "over|through|away") && i + 1 < r_.size() &&
           (r_.word(i + 1).number >= 0 || is_one(r_.word(i + 1), "a|the|half|its|all|it|by|from"));
  }

  const Reading& r_;
  std::vector<const Mention*> sounds_;
  std::vector<ListsOfWords::Marks> marks_;
  std::vector<bool> skips_, counts_, measures_;
  std::vector<int> behind_;
};

class Matcher {
 public:
  Matcher(const MarkedReading& r, const Compiled& row) : r_(r), row_(row) {}

  // Does the pattern begin at word i?
  bool at(int i, Match& out) {
    match_ = {row_.relation, i, i, {}};
    if (!step(0, i, 0)) return false;
    out = match_;
    return true;
  }

 private:
  bool step(std::size_t token, int i, int between) {
    if (token == row_.tokens.size()) {
      match_.end = i;
      return true;
    }
    const Token& t = row_.tokens[token];
    if (i < r_.size()) {
      if (t.sound) {
        if (const Mention* m = r_.sound(i); m != nullptr) {
          match_.sounds.push_back(m);
          if (step(token + 1, m->end, 0)) return true;
          match_.sounds.pop_back();
        }
      } else if (r_.on(i, t.list) && step(token + 1, i + 1, 0)) {
        return true;
      }
    }
    if (t.optional && step(token + 1, i, between)) return true;
    if (token == 0 || i >= r_.size()) return false;
    if (const int behind = r_.behind(i); behind > 0 && step(token, behind, between)) return true;
    return between < kMostBetween && r_.skips(i) && step(token, i + 1, between + (r_.counts(i) ? 1 : 0));
  }

  const MarkedReading& r_;
  const Compiled& row_;
  Match match_;
};

}  // namespace

std::vector<Match> matches_in(const Reading& r) {
  std::vector<Match> out;
  if (r.mentions.empty()) return out;
  const MarkedReading marked(r);
  for (int i = 0; i < r.size(); ++i) {
    Match best;
    for (const Compiled& row : table().rows) {
      Match m;
      if (Matcher(marked, row).at(i, m) && m.end > best.end) best = m;
    }
    if (best.end > i) out.push_back(best);
  }
  return out;
}

}  // namespace areason::claims
