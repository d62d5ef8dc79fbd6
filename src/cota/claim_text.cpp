#include "cota/claim_text.h"

#include <array>
#include <cctype>
#include <map>
#include <set>

#include "cota/sound_words.h"

namespace areason::claims {
namespace {

// Bytes of other alphabets are letters; signs were replaced before (simplified()).
bool letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) >= 0x80; }
bool digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

int ordinal_of(const std::string& word) {
  static const std::map<std::string, int> kWords = {{"first", 1}, {"second", 2},  {"third", 3},   {"fourth", 4},  {"fifth", 5},
                                                    {"sixth", 6}, {"seventh", 7}, {"eighth", 8},  {"ninth", 9},   {"tenth", 10},
                                                    {"last", -1}, {"final", -1},  {"initial", 1}, {"opening", 1}, {"1st", 1},
                                                    {"2nd", 2},   {"3rd", 3},     {"4th", 4},     {"5th", 5}};
  const auto it = kWords.find(word);
  return it == kWords.end() ? 0 : it->second;
}

// Typographic signs as plain ones, tags and markdown emphasis away.
std::string simplified(std::string_view text) {
  static const std::pair<const char*, const char*> kSigns[] = {
      {"\u201c", "\""}, {"\u201d", "\""},  {"\u201e", "\""},      {"\u2018", "'"},
      {"\u2019", "'"},  {"\u2013", "-"},   {"\u2014", " - "},     {"\u2192", " then "},
      {"->", " then "}, {"=>", " then "},  {"\u2026", "..."},     {"**", ""},
      {"__", ""},       {"\u00a0", " "},   {"\u202f", " "},       {"\u2248", " about "},
      {"~", " about "}, {"\u00d7", " x "}, {"\u2212", "-"},       {"\u00ab", "\""},
      {"\u00bb", "\""}, {"\u2022", "\n"},  {"\u2192", " then "},  {"|", " , "},
      {"\u2264", " "},  {"\u2265", " "},   {"\u00b1", " about "}, {"`", ""},
      {"\u300c", "\""}, {"\u300d", "\""},  {"\u2011", "-"},       {"\u2010", "-"},
      {"\u2003", " "},  {"\u2009", " "},   {"\u00bd", ".5"},      {"\u201a", "'"},
      {"\u2032", "'"},  {"\u2033", "\""},  {"\u2015", " - "},     {"\u2190", " after "},
      {"+++", "\n"},    {"\u25cf", "\n"},  {"\u25aa", "\n"}};
  std::string out(text);
  for (const auto& [from, to] : kSigns) {
    for (std::size_t at = out.find(from); at != std::string::npos; at = out.find(from, at + std::string_view(to).size()))
      out.replace(at, std::string_view(from).size(), to);
  }
  return out;
}

// "(a) one (b) two." up to the end of the sentence that holds the last option.
std::string without_options(std::string text) {
  for (std::size_t begin = text.find("(a)"); begin != std::string::npos; begin = text.find("(a)", begin)) {
    std::size_t last = begin;
    for (char next = 'b'; next <= 'h'; ++next) {
      const std::size_t at = text.find(std::string("(") + next + ")", last);
      if (at == std::string::npos || at - last > 400) break;
      last = at;
    }
    if (last == begin) {
      begin += 3;
      continue;
    }
    const std::size_t end = text.find_first_of(".\n;", last);
    text.erase(begin, end == std::string::npos ? std::string::npos : end - begin);
  }
  return text;
}

class Reader {
 public:
  explicit Reader(std::string text) : text_(std::move(text)) {}

  std::vector<Sentence> read() {
    while (at_ < text_.size()) step();
    end_sentence();
    return std::move(out_);
  }

 private:
  char look(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : ' '; }
  char before() const { return at_ == 0 ? '\n' : text_[at_ - 1]; }

  void step() {
    const char c = look();
    if (c == '"' || (c == '\'' && !letter(before()) && !digit(before()))) {
      if (read_quote(c)) return;
    }
    if (letter(c) || digit(c)) return read_word();
    ++at_;
    if (c == '\n' && at_ < text_.size() && std::islower(static_cast<unsigned char>(text_[at_])) != 0) return;
    if (c == '\n' || c == ';' || c == '!' || c == '?') {
      sentence_.question = sentence_.question || c == '?';
      return end_sentence();
    }
    // ".6 s"
    if (c == '.' && digit(look()) && !digit(at_ > 1 ? text_[at_ - 2] : ' ')) {
      text_.insert(at_ - 1, "0");
      --at_;
      return read_word();
    }
    if (c == '.') return (std::isspace(static_cast<unsigned char>(look())) != 0 || at_ >= text_.size()) ? full_stop() : void();
    if (c == '-' && digit(look()) && after_amount()) return push("to");
    // "three-second" is one thing, " - " a break.
    if (c == '-')
      return push(at_ > 1 && (letter(text_[at_ - 2]) || digit(text_[at_ - 2])) && (letter(look()) || digit(look())) ? "-"
                                                                                                                    : "--");
    if (c == ',' || c == ':' || c == '(' || c == ')' || c == '/' || c == '%') push(std::string(1, c));
  }

  bool after_amount() const {
    const auto& words = sentence_.words;
    return !words.empty() && (words.back().number >= 0 || (words.size() > 1 && words.back().text == "s"));
  }

  // "1. A dog" at the start of a line is a list's number; "approx. 3 s" goes on.
  void full_stop() {
    if (!sentence_.words.empty()) {
      const std::string& last = sentence_.words.back().text;
      if (last == "approx" || last == "e" || last == "g" || last == "ca" || last == "vs" || last == "dr" || last == "mr" ||
          last == "mrs")
        return;
      if (sentence_.words.size() == 1 && digit(last[0])) return sentence_.words.clear();
    }
    end_sentence();
  }

  bool read_quote(char mark) {
    std::size_t end = at_ + 1;
    for (;; ++end) {
      end = text_.find(mark, end);
      if (end == std::string::npos || end - at_ > 600) return false;
      const char next = end + 1 < text_.size() ? text_[end + 1] : ' ';
      if (mark == '"' || (!letter(next) && !digit(next))) break;
    }
    const std::string inner = text_.substr(at_ + 1, end - at_ - 1);
    if (inner.find('\n') != std::string::npos) return false;
    Word w;
    w.text = plain(inner);
    w.quote = true;
    sentence_.words.push_back(std::move(w));
    const bool stop = !inner.empty() && (inner.back() == '.' || inner.back() == '?' || inner.back() == '!');
    source_ += text_.substr(at_, end + 1 - at_);
    at_ = end + 1;
    // He says "Yes." Then …
    std::size_t next = at_;
    while (next < text_.size() && text_[next] == ' ') ++next;
    if (stop && next < text_.size() && std::isupper(static_cast<unsigned char>(text_[next]))) end_sentence();
    return true;
  }

  void read_word() {
    const std::size_t begin = at_;
    if (digit(look())) {
      while (digit(look()) || (look() == '.' && digit(look(1)))) ++at_;
      // "0:07" of a clock
      if (look() == ':' && digit(look(1)) && digit(look(2)) && !digit(look(3))) {
        const double minutes = std::min(std::stod(text_.substr(begin, at_ - begin)), 1e4);
        const int whole = static_cast<int>(minutes) * 60 + std::stoi(text_.substr(at_ + 1, 2));
        at_ += 3;
        const std::size_t rest = at_;
        if (look() == '.' && digit(look(1)))
          for (++at_; digit(look());) ++at_;
        push(std::to_string(whole) + text_.substr(rest, std::min<std::size_t>(3, at_ - rest)));
        return push("s");
      }
      const std::string rest = text_.substr(at_, 2);
      if (rest == "st" || rest == "nd" || rest == "rd" || rest == "th") at_ += 2;
    } else {
      while (letter(look()) || digit(look()) || (look() == '\'' && letter(look(1)))) ++at_;
    }
    push(text_.substr(begin, at_ - begin));
  }

  void push(const std::string& text) {
    // "x4" of "explosion x4"
    if (text.size() == 2 && (text[0] == 'x' || text[0] == 'X') && digit(text[1])) {
      push("x");
      return push(text.substr(1));
    }
    Word w;
    for (const char c : text) w.text += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    static const std::set<std::string> kBare = {"dont", "doesnt", "isnt", "cant", "didnt", "wasnt", "arent", "couldnt", "wont"};
    if (kBare.contains(w.text)) w.text.insert(w.text.size() - 1, "'");
    w.capital = std::isupper(static_cast<unsigned char>(text[0])) != 0;
    if (letter(w.text[0])) w.stem = word_stem(w.text);
    w.number = number_of(w.text);
    w.ordinal = ordinal_of(w.text);
    source_ += (source_.empty() || text == "," || text == ":" ? "" : " ") + text;
    sentence_.words.push_back(std::move(w));
  }

  void end_sentence() {
    sentence_.source = source_;
    if (!sentence_.words.empty()) out_.push_back(std::move(sentence_));
    sentence_ = {};
    source_.clear();
  }

  std::string text_, source_;
  std::size_t at_ = 0;
  Sentence sentence_;
  std::vector<Sentence> out_;
};

// A comma or a conjunction begins a clause when there is a verb on both sides of it; a segment at every one of them.
void find_clauses(Sentence& s) {
  const int n = static_cast<int>(s.words.size());
  int clause = 0, segment = 0;
  bool verb = false;
  for (int i = 0; i < n; ++i) {
    Word& w = s.words[static_cast<std::size_t>(i)];
    const bool last = i + 1 >= n || is_one(s.words[static_cast<std::size_t>(i + 1)], ",|)|:");
    if (is_one(w, ",|:|(|)|--|but|whereas|while|although|though|because|since|however|which|until|when|where") ||
        (is_one(w, "so|yet") && !last) ||
        (is_one(w, "once") && i + 1 < n &&
         is_one(s.words[static_cast<std::size_t>(i + 1)], "the|a|an|it|this|that|they|both|all|everything|he|she")))
      ++segment;
    if (is_one(w, ",|:|but|whereas|while|although|though|because|since|so|and|yet|however") && verb) {
      for (int k = i + 1; k < n; ++k) {
        const Word& next = s.words[static_cast<std::size_t>(k)];
        if (is_one(next, ",|but|whereas|while|although|and|or")) {
          if (k > i + 1) break;
          continue;
        }
        if (!is_verb(next)) continue;
        ++clause;
        if (is_one(w, "and")) ++segment;
        verb = false;
        break;
      }
    }
    w.clause = clause;
    w.segment = segment;
    verb = verb || is_verb(w);
  }
}

}  // namespace

double number_of(const std::string& word) {
  static const std::map<std::string, double> kWords = {
      {"zero", 0},      {"one", 1},       {"two", 2},       {"three", 3},    {"four", 4},     {"five", 5},
      {"six", 6},       {"seven", 7},     {"eight", 8},     {"nine", 9},     {"ten", 10},     {"eleven", 11},
      {"twelve", 12},   {"thirteen", 13}, {"fourteen", 14}, {"fifteen", 15}, {"sixteen", 16}, {"seventeen", 17},
      {"eighteen", 18}, {"nineteen", 19}, {"twenty", 20},   {"thirty", 30},  {"forty", 40},   {"fifty", 50},
      {"sixty", 60},    {"single", 1},    {"lone", 1},      {"sole", 1},     {"solitary", 1}, {"couple", 2},
      {"pair", 2},      {"half", 0.5},    {"dozen", 12}};
  const auto it = kWords.find(word);
  if (it != kWords.end()) return it->second;
  if (word.empty() || word.size() > 8 || !digit(word[0]) || word.find_first_not_of("0123456789.") != std::string::npos)
    return -1;
  return std::stod(word);
}

std::string plain(std::string_view text) {
  std::string out = " ";
  for (const char c : simplified(text)) {
    if (letter(c) || digit(c))
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    else if (c != '\'' && out.back() != ' ')
      out += ' ';
  }
  return out.back() == ' ' ? out : out + ' ';
}

bool is_one(const Word& word, std::string_view list) {
  if (word.quote) return false;
  while (!list.empty()) {
    const std::size_t bar = list.find('|');
    if (word.text == list.substr(0, bar)) return true;
    if (bar == std::string_view::npos) break;
    list.remove_prefix(bar + 1);
  }
  return false;
}

int find_word(const Sentence& s, std::string_view list, int from, int to) {
  for (int i = std::max(0, from); i < std::min(to, static_cast<int>(s.words.size())); ++i)
    if (is_one(s.words[static_cast<std::size_t>(i)], list)) return i;
  return -1;
}

bool has_word(const Sentence& s, std::string_view list) { return find_word(s, list, 0, static_cast<int>(s.words.size())) >= 0; }

bool is_verb(const Word& w) {
  return is_one(
      w,
      "is|are|was|were|be|been|has|have|had|does|do|did|can|cannot|can't|isn't|aren't|wasn't|doesn't|don't|hear|hears|"
      "heard|comes|come|came|follows|follow|followed|starts|start|started|begins|begin|began|ends|end|ended|lasts|lasted|"
      "occurs|occur|occurred|happens|happened|appears|appear|appeared|rings|rang|plays|played|passes|passed|answers|"
      "replies|enters|joins|stops|stopped|continues|continued|fades|overlaps|overlap|precedes|contains|contain|includes|"
      "holds|makes|gives|repeats|barks|barked|meows|meowed|wails|honks|honked|speaks|spoke|talks|says|said|sounds|goes|"
      "rumbles|howls|moos|bleats|chirps|crows|quacks|hoots|caws|laughs|laughed|screams|screamed|neighs|oinks|roars|"
      "buzzes|breaks|broke|shatters|shattered|slams|knocks|drips|splashes|crackles|explodes|exploded|beeps|strikes|"
      "struck|tolls|blares|blows|blew|runs|ran|count|counts|know|think|notice|recognise|recognize|identify|detect|"
      "remains|arrives|interrupts|opens|closes|asks|asked|tells|told|sings|sang|claps|applauds|drives|flies|interrupted|"
      "rules|shows|means|gets|falls|fell|sits|lies|lay|stays|builds|cuts|leads|croaks|cries|hoots|squeaks|clinks|hisses|"
      "whistles|"
      "clucks|growls|coughs|sneezes|snores|applauds|rattles|clicks|ticks|hums|screeches|squeals|thuds|booms|pops|fires|shuts|"
      "sets|"
      "dies|keeps|takes|drones|swells|gallops|trots|chops|saws|hammers|types|walks|flushes|pours|trickles|gurgles|bubbles|"
      "burns|"
      "toots|resumes|returns|whooshes|hits|hit|bark|bark|caws|clap|cheers|cheer|laugh|drip|ring|exist|exists|proves|opens");
}

std::vector<Sentence> sentences_of(std::string_view text) {
  auto out = Reader(without_options(simplified(text.substr(0, 50000)))).read();
  for (Sentence& s : out) {
    join_numbers(s);
    find_clauses(s);
  }
  return out;
}

}  // namespace areason::claims
