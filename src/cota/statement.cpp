#include "cota/statement.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <sstream>

#include "cota/annotate.h"
#include "cota/claim_text.h"

namespace areason::claims {
namespace {

// What stands between the brackets: x a thing, n a number, s a text, + one thing or more, ? a thing or nothing.
struct Form {
  const char* name;
  const char* arguments;
};
constexpr std::array kNumbers = {Form{"start", "x"},  Form{"end", "x"},   Form{"length", "x"},  Form{"level", "x"},
                                 Form{"count", "x"},  Form{"kinds", "?"}, Form{"voices", "?"},  Form{"words", "x"},
                                 Form{"digits", "x"}, Form{"gap", "xx"},  Form{"shared", "xx"}, Form{"overlaps", "?"},
                                 Form{"clip", "?"},   Form{"files", "?"}};
constexpr std::array kFacts = {
    Form{"heard", "x"},   Form{"before", "xx"},  Form{"next", "xx"},    Form{"order", "+"},   Form{"first", "x"},
    Form{"last", "x"},    Form{"nth", "xn"},     Form{"overlap", "xx"}, Form{"during", "xx"}, Form{"alone", "x"},
    Form{"at", "xn"},     Form{"within", "xnn"}, Form{"silent", "nn"},  Form{"longest", "x"}, Form{"shortest", "x"},
    Form{"loudest", "x"}, Form{"quietest", "x"}, Form{"says", "xs"},    Form{"topic", "xs"},  Form{"mentions", "xs"},
    Form{"is", "xs"},     Form{"music", "s"},    Form{"answer", "s"},   Form{"other", "s"},   Form{"same_voice", "xx"}};

// Deeper than any claim; a hostile answer must not exhaust the stack.
constexpr int kDeepest = 20;
constexpr std::size_t kLongestLine = 1000, kMostLines = 500;

template <std::size_t N>
const Form* find_form(const std::array<Form, N>& forms, const std::string& name) {
  const auto it = std::find_if(forms.begin(), forms.end(), [&](const Form& f) { return name == f.name; });
  return it == forms.end() ? nullptr : &*it;
}

// Index of the first of `signs` outside quotation marks and brackets, npos for none.
std::size_t find_outside(std::string_view text, std::string_view signs, std::size_t from = 0) {
  bool quoted = false;
  int depth = 0;
  for (std::size_t i = from; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (quoted) continue;
    if (depth == 0 && signs.find(text[i]) != std::string_view::npos) return i;
    if (text[i] == '(') ++depth;
    if (text[i] == ')') --depth;
  }
  return std::string_view::npos;
}

std::vector<std::string> split_outside(std::string_view text, char sign) {
  std::vector<std::string> out;
  for (;;) {
    const std::size_t at = find_outside(text, std::string_view(&sign, 1));
    out.push_back(trimmed(text.substr(0, at)));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + 1);
  }
}

// "4", "4.5 s", "500 ms", "50 %", "four"
std::optional<double> number_in(const std::string& text) {
  if (text.empty()) return {};
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (end == text.c_str()) {
    const double word = number_of(lower_ascii(text));
    return word >= 0 ? std::optional(word) : std::nullopt;
  }
  const std::string unit = lower_ascii(trimmed(end));
  if (!std::isfinite(value)) return {};
  if (unit == "ms") return value / 1000;
  if (unit == "%") return value / 100;
  for (const char* known : {"", "s", "sec", "seconds", "second", "db", "times"})
    if (unit == known) return value;
  return {};
}

// Does no bracket of the text close what was not opened in it?
bool closes_last(std::string_view text) {
  bool quoted = false;
  int depth = 0;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (depth < 0) return false;
  }
  return true;
}

// "name(arguments)" and nothing behind it.
struct Call {
  std::string name;
  std::vector<std::string> arguments;
};
std::optional<Call> call_in(const std::string& text) {
  const std::size_t open = text.find('(');
  if (open == std::string::npos || open == 0 || text.back() != ')') return {};
  Call call{lower_ascii(trimmed(text.substr(0, open))), {}};
  if (!std::all_of(call.name.begin(), call.name.end(), [](unsigned char c) { return std::isalpha(c) || c == '_'; })) return {};
  const std::string inner = trimmed(text.substr(open + 1, text.size() - open - 2));
  if (!closes_last(inner)) return {};
  if (!inner.empty()) call.arguments = split_outside(inner, ';');
  return call;
}

// Labels may hold commas; only where semicolons give too few arguments do commas part them.
void part_by_commas(Call& call, const Form& form) {
  const std::string_view wanted = form.arguments;
  if (call.arguments.size() != 1 || (wanted != "+" && wanted.size() < 2)) return;
  call.arguments = split_outside(call.arguments[0], ',');
}

std::string unquoted(const std::string& text) {
  return text.size() >= 2 && text.front() == '"' && text.back() == '"' ? text.substr(1, text.size() - 2) : text;
}

// Takes " #2" or " @2" off the end.
int suffix(std::string& text, char sign) {
  const std::size_t at = text.rfind(sign);
  if (at == std::string::npos || text.find('"', at) != std::string::npos) return 0;
  const std::string digits = trimmed(text.substr(at + 1));
  char* end = nullptr;
  const long value = std::strtol(digits.c_str(), &end, 10);
  if (digits.empty() || *end != '\0' || std::labs(value) > 10000) return 0;
  text = trimmed(text.substr(0, at));
  return static_cast<int>(value);
}

Name name_of(std::string text) {
  Name out;
  // In either order.
  for (int i = 0; i < 2; ++i) {
    if (const int n = suffix(text, '#'); n != 0) out.nth = n;
    if (const int n = suffix(text, '@'); n != 0) out.audio = std::max(0, n);
  }
  std::string low = lower_ascii(text);
  if (low.starts_with("each ") || low.starts_with("every ")) {
    out.each = true;
    text = trimmed(text.substr(text.find(' ')));
    low = lower_ascii(text);
  }
  if (text.starts_with('"')) {
    out.what = Name::What::kWords;
    out.text = unquoted(text);
    return out;
  }
  std::string noun = low;
  const std::size_t blank = low.rfind(' ');
  if (blank != std::string::npos) {
    if (const auto n = number_in(low.substr(blank + 1)); n && *n >= 1 && *n < 100) {
      noun = low.substr(0, blank);
      out.person = static_cast<int>(*n);
    }
  }
  if (noun == "man" || noun == "woman") {
    out.what = noun == "man" ? Name::What::kMan : Name::What::kWoman;
  } else if (noun == "person" || noun == "speaker" || noun == "voice" || noun == "speech") {
    out.what = Name::What::kSpeech;
  } else if (low.empty() || low == "any" || low == "anything" || low == "any sound") {
    out.what = Name::What::kAny;
  } else if (low == "music") {
    out.what = Name::What::kMusic;
  } else {
    out.person = 0;
    out.text = low;
  }
  return out;
}

Names names_of(const std::string& text) {
  Names out;
  bool each = false;
  for (const std::string& part : split_outside(text, '|')) {
    out.push_back(name_of(part));
    each = each || out.back().each;
  }
  for (Name& name : out) name.each = each;
  return out;
}

std::optional<Expression> expression_in(const std::string& text, int depth);

std::optional<Expression> factor_in(const std::string& text, int depth) {
  Expression out;
  if (const auto number = number_in(text)) {
    out.number = *number;
    const std::size_t point = text.find('.');
    if (point != std::string::npos)
      out.decimals = static_cast<int>(std::min(text.find_first_not_of("0123456789", point + 1), text.size()) - point - 1);
    return out;
  }
  if (text.size() >= 2 && text.front() == '(' && text.back() == ')')
    return expression_in(trimmed(text.substr(1, text.size() - 2)), depth + 1);
  auto call = call_in(text);
  if (!call) return {};
  const Form* form = find_form(kNumbers, call->name);
  if (form == nullptr) return {};
  part_by_commas(*call, *form);
  const std::string_view wanted = form->arguments;
  if (wanted == "?" ? call->arguments.size() > 1 : call->arguments.size() != wanted.size()) return {};
  out.what = Expression::What::kFunction;
  out.function = call->name;
  for (const std::string& argument : call->arguments) out.of.push_back(names_of(argument));
  return out;
}

// The last of `signs` that stands between two operands.
std::size_t last_operator(const std::string& text, std::string_view signs) {
  std::size_t found = std::string::npos;
  for (std::size_t at = find_outside(text, signs); at != std::string::npos; at = find_outside(text, signs, at + 1)) {
    const std::size_t before = text.find_last_not_of(' ', at == 0 ? 0 : at - 1);
    if (at > 0 && before != std::string::npos && std::string_view("+-*/(").find(text[before]) == std::string_view::npos)
      found = at;
  }
  return found;
}

std::optional<Expression> expression_in(const std::string& text, int depth) {
  if (depth > kDeepest) return {};
  for (const std::string_view signs : {std::string_view("+-"), std::string_view("*/")}) {
    const std::size_t at = last_operator(text, signs);
    if (at == std::string::npos) continue;
    const auto left = expression_in(trimmed(text.substr(0, at)), depth + 1);
    const auto right = expression_in(trimmed(text.substr(at + 1)), depth + 1);
    if (!left || !right) return {};
    Expression out;
    out.what = Expression::What::kOperation;
    out.operation = text[at];
    out.sides = {*left, *right};
    return out;
  }
  return factor_in(text, depth);
}

bool fill_fact(Statement& out, Call call, const Form& form) {
  part_by_commas(call, form);
  std::string_view wanted = form.arguments;
  out.fact = call.name;
  // "before(a; b; c)"
  if (call.name == "before" && call.arguments.size() > 2) {
    out.fact = "order";
    wanted = "+";
  }
  if (wanted == "+") {
    for (const std::string& argument : call.arguments) out.of.push_back(names_of(argument));
    return out.of.size() >= 2;
  }
  // A text may hold semicolons.
  if (wanted.back() == 's' && call.arguments.size() > wanted.size()) {
    for (std::size_t i = wanted.size(); i < call.arguments.size(); ++i)
      call.arguments[wanted.size() - 1] += "; " + call.arguments[i];
    call.arguments.resize(wanted.size());
  }
  if (call.arguments.size() != wanted.size()) return false;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const std::string& argument = call.arguments[i];
    if (wanted[i] == 'x') out.of.push_back(names_of(argument));
    if (wanted[i] == 's') out.text = unquoted(argument);
    if (wanted[i] != 'n') continue;
    const auto amount = expression_in(argument, 0);
    if (!amount) return false;
    out.amounts.push_back(*amount);
  }
  return true;
}

std::optional<Statement> fact_in(std::string text) {
  Statement out;
  for (const std::string_view no : {"not ", "not(", "!"}) {
    if (!lower_ascii(text).starts_with(no)) continue;
    out.denied = true;
    text = trimmed(text.substr(no == "not(" ? 3 : no.size()));
    if (text.size() > 2 && text.front() == '(' && text.back() == ')') text = trimmed(text.substr(1, text.size() - 2));
    break;
  }
  auto call = call_in(text);
  const Form* form = call ? find_form(kFacts, call->name) : nullptr;
  if (form == nullptr || !fill_fact(out, std::move(*call), *form)) return {};
  return out;
}

// Where a relation stands and how long it is.
struct Relation {
  std::size_t at = std::string::npos, length = 0;
};
Relation relation_in(const std::string& text, std::size_t from) {
  const std::size_t at = find_outside(text, "=~!<>", from);
  if (at == std::string::npos) return {};
  return {at, std::size_t{at + 1 < text.size() && (text[at + 1] == '=' || text[at + 1] == '~') ? 2u : 1u}};
}

std::string opposite(const std::string& relation) {
  for (const auto& [one, other] :
       {std::pair{"=", "!="}, {"~", "!="}, {"!=", "="}, {"<", ">="}, {">", "<="}, {"<=", ">"}, {">=", "<"}})
    if (relation == one) return other;
  return relation;
}

std::optional<Statement> comparison_in(std::string text) {
  const bool denied = lower_ascii(text).starts_with("not ");
  if (denied) text = trimmed(text.substr(4));
  const Relation found = relation_in(text, 0);
  if (found.at == std::string::npos || found.at == 0) return {};
  const std::string left = trimmed(text.substr(0, found.at)), right = trimmed(text.substr(found.at + found.length));
  std::string relation = text.substr(found.at, found.length);
  if (relation == "==") relation = "=";
  if (relation == "~=" || relation == "~~") relation = "~";
  // "heard(dog) = no"
  if (const std::string word = lower_ascii(right); word == "yes" || word == "no" || word == "true" || word == "false") {
    auto fact = fact_in(left);
    if (fact && ((word == "no" || word == "false") == (relation != "!=")) != denied) fact->denied = !fact->denied;
    return fact;
  }
  Statement out;
  const auto a = expression_in(left, 0), b = expression_in(right, 0);
  if (!a || !b || relation == "!") return {};
  out.relation = denied ? opposite(relation) : relation;
  out.left = *a;
  out.right = *b;
  return out;
}

std::optional<Statement> statement_in(const std::string& text) {
  std::optional<Statement> found = fact_in(text);
  if (!found) found = comparison_in(text);
  if (found) found->source = text;
  return found;
}

// "2 < start(bell) < 4" is two comparisons.
std::vector<std::string> comparisons_of(const std::string& line) {
  std::vector<std::size_t> borders = {0};
  for (Relation r = relation_in(line, 0); r.at != std::string::npos; r = relation_in(line, r.at + r.length)) {
    borders.push_back(r.at);
    borders.push_back(r.at + r.length);
  }
  if (borders.size() < 5) return {line};
  borders.push_back(line.size());
  std::vector<std::string> out;
  // Term, relation, term: the second term begins the next one.
  for (std::size_t i = 0; i + 3 < borders.size(); i += 2)
    out.push_back(trimmed(std::string_view(line).substr(borders[i], borders[i + 3] - borders[i])));
  return out;
}

// Empty when a part of the line cannot be read.
std::vector<Statement> statements_in(const std::string& line) {
  if (line.size() > kLongestLine) return {};
  if (auto whole = statement_in(line)) return {std::move(*whole)};
  std::vector<std::string> parts;
  std::string_view rest = line;
  for (std::size_t at = rest.find(" and "); at != std::string_view::npos; at = rest.find(" and ")) {
    parts.push_back(trimmed(rest.substr(0, at)));
    rest.remove_prefix(at + 5);
  }
  parts.push_back(trimmed(rest));
  std::vector<Statement> out;
  for (const std::string& part : parts) {
    for (const std::string& piece : comparisons_of(part)) {
      auto found = statement_in(piece);
      if (!found) return {};
      out.push_back(std::move(*found));
    }
  }
  return out;
}

std::string without_bullet(std::string line) {
  line = trimmed(line);
  std::erase(line, '`');
  std::size_t from = 0;
  while (from < line.size() && std::string_view("-*\u2022 \t").find(line[from]) != std::string_view::npos) ++from;
  std::size_t digits = from;
  while (digits < line.size() && std::isdigit(static_cast<unsigned char>(line[digits]))) ++digits;
  if (digits > from && digits + 1 < line.size() && (line[digits] == '.' || line[digits] == ')') && line[digits + 1] == ' ')
    from = digits + 2;
  line = trimmed(line.substr(from));
  while (!line.empty() && (line.back() == '.' || line.back() == ',' || line.back() == ';')) line.pop_back();
  return trimmed(line);
}

}  // namespace

Statements parse_statements(std::string_view whole) {
  Statements out;
  std::string text = without_code_fences(whole);
  const std::string low = lower_ascii(text);
  if (const std::size_t open = low.find("<claims>"); open != std::string::npos) {
    const std::size_t from = open + 8, to = low.find("</claims", from);
    text = text.substr(from, to == std::string::npos ? to : to - from);
  }
  std::istringstream in(text);
  for (std::string line; std::getline(in, line) && out.read.size() + out.unread.size() < kMostLines;) {
    line = without_bullet(line);
    if (line.empty()) continue;
    std::vector<Statement> found = statements_in(line);
    if (found.empty()) out.unread.push_back(line.substr(0, kLongestLine));
    for (Statement& s : found) out.read.push_back(std::move(s));
  }
  return out;
}

}  // namespace areason::claims
