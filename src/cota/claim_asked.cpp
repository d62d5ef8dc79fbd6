#include "cota/claim_asked.h"

#include <algorithm>
#include <utility>

namespace areason::claims {
namespace {

constexpr const char* kDoubtWhenAsked =
    "maybe|perhaps|could|might|would|should|option|options|not|no|nothing|none|nobody|neither|never|if|or|but|hardly|probably|"
    "possibly|certainly|depends|hard|i|we|question|see|let|either|both";

int size(const Sentence& s) { return static_cast<int>(s.words.size()); }

void append(Sentence& out, const Sentence& s, int from, int to) {
  for (int i = from; i < to; ++i) {
    Word w = word(s, i);
    w.clause = w.segment = 0;
    w.open = false;
    out.words.push_back(std::move(w));
  }
}

void append(Sentence& out, const char* text) {
  Word w;
  w.text = w.stem = text;
  out.words.push_back(std::move(w));
}

// "When does the siren start?" "At 2.7 seconds.", "How long does it last?" "Two seconds."
bool join_adverb(const Sentence& q, const Sentence& a, Sentence& out) {
  const bool when = is_one(word(q, 0), "when"), how_long = is_one(word(q, 0), "how") && is_one(word(q, 1), "long");
  const int aux = when ? 1 : 2;
  if ((!when && !how_long) || size(q) < aux + 3 || !is_one(word(q, aux), "does|do|did|is")) return false;
  const bool be = is_one(word(q, aux), "is");
  append(out, q, aux + 1, size(q));
  if (be && how_long) append(out, "lasts");
  append(out, a, 0, size(a));
  return !be || how_long;
}

// "Which sound comes first?" "The bell."
bool join_subject(const Sentence& q, const Sentence& a, Sentence& out) {
  if (!is_one(word(q, 0), "which|what|who")) return false;
  int verb = 1;
  while (verb < size(q) && verb < 8 && !is_verb(word(q, verb)) && !is_one(word(q, verb), "precedes|is|was")) ++verb;
  if (verb >= size(q) - 1 || verb >= 8 || is_one(word(q, verb), "does|do|did|can|have|has|are|were|heard|hear")) return false;
  // "What is the bell?" asks for something else.
  if (is_one(word(q, 0), "what") && is_one(word(q, verb), "is|was") &&
      find_word(q, "first|last|longest|shortest|loudest|quietest|final|second|third", verb, size(q)) < 0)
    return false;
  append(out, a, 0, size(a));
  append(out, q, verb, size(q));
  return true;
}

// "How many barks are there?" "Three."
bool join_count(const Sentence& q, const Sentence& a, Sentence& out) {
  if (size(q) < 4 || !is_one(word(q, 0), "how") || !is_one(word(q, 1), "many") || size(a) != 1 || word(a, 0).number < 0)
    return false;
  if (find_word(q, "are", 2, size(q)) != size(q) - 2 || !is_one(word(q, size(q) - 1), "there")) return false;
  append(out, "there");
  append(out, "are");
  append(out, a, 0, 1);
  append(out, q, 2, size(q) - 2);
  return true;
}

bool join(const Sentence& q, const Sentence& a, Sentence& out) {
  if (!q.question || a.question || size(q) < 3 || size(a) < 1 || size(a) > 6) return false;
  if (find_word(a, kDoubtWhenAsked, 0, size(a)) >= 0 ||
      find_word(q, "not|would|could|might|if|or|other|else|option", 0, size(q)) >= 0)
    return false;
  for (const Word& w : a.words)
    if (is_verb(w) || w.quote || is_one(w, ":|,|(")) return false;
  return join_adverb(q, a, out) || join_subject(q, a, out) || join_count(q, a, out);
}

}  // namespace

std::vector<Sentence> with_own_answers(std::vector<Sentence> sentences) {
  std::vector<Sentence> out;
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    Sentence told;
    const bool joined = i > 0 && join(out.back(), sentences[i], told);
    if (joined) told.source = out.back().source + " " + sentences[i].source;
    out.push_back(std::move(sentences[i]));
    if (joined) out.push_back(std::move(told));
  }
  return out;
}

}  // namespace areason::claims
