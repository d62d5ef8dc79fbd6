#include "cota/statement_judge.h"

#include <algorithm>

namespace areason::claims {
namespace {

bool same_thing(const Name& a, const Name& b) { return a.text == b.text && a.what == b.what && a.audio == b.audio; }

void add_names(const std::vector<Names>& of, std::vector<Name>& out) {
  for (const Names& names : of) out.insert(out.end(), names.begin(), names.end());
}

void add_names(const Expression& e, std::vector<Name>& out) {
  add_names(e.of, out);
  for (const Expression& side : e.sides) add_names(side, out);
}

// What a statement says something of each occurrence of.
std::vector<Name> each_in(const Statement& statement) {
  std::vector<Name> names, out;
  add_names(statement.of, names);
  add_names(statement.left, names);
  add_names(statement.right, names);
  for (const Name& name : names) {
    const auto same = [&](const Name& known) { return same_thing(known, name); };
    if (name.each && name.nth == 0 && std::none_of(out.begin(), out.end(), same)) out.push_back(name);
  }
  return out;
}

// The file that all names are of; 0: none, or several.
int file_of(const Names& names) {
  const auto same = [&](const Name& name) { return name.audio == names[0].audio; };
  return !names.empty() && std::all_of(names.begin(), names.end(), same) ? names[0].audio : 0;
}

// A statement about each occurrence, for one of them.
Statement with_one(const Statement& statement, const Name& each, int index) {
  Statement out = statement;
  const auto pin = [&](Names& names) {
    for (Name& name : names) {
      if (!name.each || !same_thing(name, each)) continue;
      name.each = false;
      name.nth = index;
    }
  };
  for (Names& names : out.of) pin(names);
  std::vector<Expression*> open = {&out.left, &out.right};
  while (!open.empty()) {
    Expression* e = open.back();
    open.pop_back();
    for (Names& names : e->of) pin(names);
    for (Expression& side : e->sides) open.push_back(&side);
  }
  return out;
}

}  // namespace

Verdict StatementJudge::judge(const Statement& statement) const {
  const std::vector<Name> each = each_in(statement);
  // "Each buzz of the second file is louder than those of the first": some of them stand for two lots.
  if (each.size() != 1) return judge_plain(statement);
  Name all = each[0];
  all.each = false;
  const Meant found = meant(all);
  if (found.open) return Verdict::kOpen;
  if (found.events.empty()) return Verdict::kFalse;
  for (int i = 1; i <= static_cast<int>(found.events.size()); ++i)
    if (const Verdict v = judge_plain(with_one(statement, each[0], i)); v != Verdict::kHolds) return v;
  return Verdict::kHolds;
}

Verdict StatementJudge::judge_plain(const Statement& statement) const {
  if (statement.fact.empty()) return compare(statement);
  const Fit found = fit(statement);
  if (found.open) return Verdict::kOpen;
  return (statement.denied ? found.strict : !found.lenient) ? Verdict::kFalse : Verdict::kHolds;
}

StatementJudge::Fit StatementJudge::fit(const Statement& s) const {
  const Fit open{true, false, true}, absent{false, false, false};
  if (s.fact == "other") return open;
  if (s.fact == "music") return fit_music(s.text);
  if (s.fact == "answer") return fit_answer(s.text);
  std::vector<std::vector<double>> amounts;
  for (const Expression& amount : s.amounts) {
    const Values found = values(amount);
    if (found.open) return open;
    if (found.any.empty()) return absent;
    amounts.push_back(found.any);
  }
  if (s.fact == "silent") return fit_silence(amounts[0], amounts[1]);
  std::vector<Set> sets;
  for (const Names& names : s.of) {
    const Meant found = meant(names);
    if (found.open) return open;
    if (s.fact == "heard") return {!found.events.empty(), !found.events.empty() && found.exact, false};
    if (found.events.empty()) return absent;
    sets.push_back(found.events);
  }
  if (s.fact == "order") return {facts_.in_sequence(sets), false, false};
  if (s.fact == "first") return fit_place(sets[0], 1);
  if (s.fact == "last") return fit_place(sets[0], -1);
  if (s.fact == "nth") return fit_place(sets[0], static_cast<int>(amounts[0][0]));
  if (s.fact == "at") return fit_at(sets[0], amounts[0]);
  if (s.fact == "within") return fit_within(sets[0], amounts[0], amounts[1]);
  if (s.fact == "says") return fit_says(sets[0], s.text);
  if (s.fact == "mentions") return fit_mentions(sets[0], s.text);
  if (s.fact == "topic") return fit_topic(sets[0], s.text);
  if (s.fact == "is") return fit_is(sets[0], s.text);
  if (s.fact == "alone") return fit_alone(sets[0]);
  if (s.of.size() == 1) return fit_extreme(s.fact, sets[0], file_of(s.of[0]));
  return fit_pair(s.fact, sets[0], sets[1]);
}

}  // namespace areason::claims
