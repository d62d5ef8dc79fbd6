#pragma once
// The rules behind false_claims(): each reads one kind of claim out of a sentence and reports those that the timeline refutes.
// Called by claims.cpp in this order for every sentence. Thread rule: one thread a Reading.
#include <string>
#include <utility>
#include <vector>

#include "cota/claim_facts.h"

namespace areason::claims {

// What is asked, as far as it helps to read a short answer ("Three.", "It is the bell.").
struct Asked {
  enum class What { kOther, kCount, kPresence, kFirst, kLast, kNth, kAfter, kBefore, kOverlap, kOrder, kLonger, kWords };
  What what = What::kOther;
  int nth = 0;
  bool speakers = false;          // how many people …
  std::vector<Mention> mentions;  // before the options
};
Asked read_question(const std::string& question, const Facts& facts);

enum class Within { kClause, kSentence };

struct Reading {
  Reading(const Facts& known_facts, const Sample& whole) : facts(known_facts), sample(&whole) {}
  const Facts& facts;
  const Sample* sample;
  Asked asked;
  Sentence sentence;
  std::vector<Mention> mentions;
  std::vector<Mention> before;                    // of the sentence before
  std::vector<Mention> earlier;                   // of the last one before that
  Set line;                                       // what the line before quotes, and nothing else
  std::pair<double, double> interval = {-1, -1};  // the last one that was named
  bool gaps = false;                              // this sentence or the one before speaks of pauses or overlaps
  int audio = kAnyAudio;                          // the file that is spoken of
  bool answer = false;                            // in SUMMARY or RESPONSE
  Section section = Section::kCaption;
  std::vector<std::string> errors;

  const Word& word(int i) const { return sentence.words[static_cast<std::size_t>(i)]; }
  int size() const { return static_cast<int>(sentence.words.size()); }
  int find(std::string_view list, int from, int to) const { return find_word(sentence, list, from, to); }
  bool has(std::string_view list) const { return has_word(sentence, list); }
  // "code: what", with the sentence.
  void wrong(const std::string& code, const std::string& what);
  // The mention that ends last before word i, or begins first after it, in its clause or in the whole sentence.
  // Null without one.
  const Mention* mention_before(int i, Within within) const;
  const Mention* mention_after(int i, Within within) const;
  // First word of word i's segment, and the word behind its last.
  int segment_begin(int i) const;
  int segment_end(int i) const;
};

// When the last of what is heard in the file that is spoken of ends.
double clip_end(const Reading& r);
// Is the sound said to be there, plainly? And is it, or might it be meant so?
bool is_asserted(const Mention& m);
bool may_be_asserted(const Mention& m);
bool share(const Set& a, const Set& b);

void mark_scope(Reading& r);
bool told_present(const Reading& r, const Mention& m);  // "…, but there is a dog"
void check_traits(Reading& r);                          // sex, mood, language; instrument, tempo, metre, key
void check_response(Reading& r);                        // the whole RESPONSE against the known answer
void check_counts(Reading& r);
void check_order(Reading& r);
void check_places(Reading& r);  // first, last, second …
void check_times(Reading& r);
void check_overlaps(Reading& r);
void check_lengths(Reading& r);  // longer, louder, more than
void check_quotations(Reading& r);
void check_people(Reading& r);     // who says what, who begins, who has how many turns
void check_relations(Reading& r);  // what the patterns of claim_patterns.h find
void check_trends(Reading& r);     // one kind of sound against itself
void check_when(Reading& r);       // one sound as another begins, ends or goes on
void check_silences(Reading& r);   // amounts of silence, of level, lists of times
void check_options(Reading& r);    // letters of options as names, before the scope is marked
void check_degrees(Reading& r);    // longer, loudest, half as long, of whatever is spoken of

}  // namespace areason::claims
