#include "cota/claim_lists.h"

#include <algorithm>

namespace areason::claims {
namespace {

// "The order is A, B, C", "A, B and C, in this order".
void check_headed_list(Reading& r) {
  const int cue = r.find("order|sequence|chronologically|chronological|succession|turn|row", 0, r.size());
  if (cue < 0 || r.word(cue).open) return;
  // "The sequence is not in dispute: owl, hooves, duck": the list stands behind the colon.
  const int colon = r.find(":", cue, cue + 9);
  if (r.find("reverse|reversed|backwards|wrong|different|out|option|other|whether|matches|loudness|length|importance|opposite",
             0, r.size()) >= 0 ||
      r.find("not|after|before|while|during|no", std::max(0, colon), r.size()) >= 0)
    return;
  if (r.word(cue).text == "row" || (r.word(cue).text == "turn" && r.find("in|by", cue - 1, cue) < 0)) return;
  std::vector<Set> sets;
  bool behind = false;
  for (const Mention& m : r.mentions) behind = behind || m.begin > cue;
  for (const Mention& m : r.mentions) {
    if (behind && m.begin < cue) continue;
    if (!(colon >= 0 && m.begin > colon ? may_be_asserted(m) : is_asserted(m)) || m.human) return;
    if (sets.empty() || sets.back() != m.events || m.events.size() > 1) sets.push_back(m.events);
  }
  if (sets.size() >= 2 && !r.facts.in_sequence(sets)) r.wrong("order", "the sounds do not come in this order");
}

// "Crow, hooves, drip, duck." and nothing else: told in their order, once for each time it is heard.
void check_bare_list(Reading& r) {
  if (r.mentions.size() < 3 || r.facts.audios() > 1) return;
  int commas = 0;
  int from = 0;
  for (int i = 0; i < r.size(); ++i)
    if (is_one(r.word(i), ":") && i <= 9 && r.mentions.size() >= 3 && r.mentions[r.mentions.size() - 3].begin > i) from = i + 1;
  std::vector<const Mention*> items;
  for (const Mention& m : r.mentions)
    if (m.begin >= from) items.push_back(&m);
  if (items.size() < 3) return;
  if (from == 0 && items[0]->begin > 1) return;
  for (int i = from; i < items.back()->end; ++i) {
    const bool in = std::any_of(items.begin(), items.end(), [&](const Mention* m) { return i >= m->begin && i < m->end; });
    if (is_one(r.word(i), ",|--|/|then")) ++commas;
    // "two more howls" are no list of single ones
    if (!in && r.word(i).number >= 2 && i + 2 < r.size() && r.find("s|seconds|)", i + 1, i + 2) < 0 &&
        (r.word(i + 1).text == "more" || r.word(i + 1).text.ends_with('s')))
      return;
    if (!in && r.word(i).number < 0 &&
        !is_one(r.word(i),
                ",|--|/|(|)|a|an|the|then|again|and|finally|another|lastly|next|s|seconds|at|about|to|x|once|more|some"))
      return;
  }
  if (commas + 1 < static_cast<int>(items.size()) - 1) return;
  std::vector<Set> sets;
  for (const Mention* m : items) {
    if (!is_asserted(*m) || m->human || m->nth != 0 || is_one(r.word(m->begin), "somebody|someone|people|who")) return;
    sets.push_back(m->events);
  }
  std::vector<int> order;
  for (const int e : r.facts.foreground(kAnyAudio)) order.push_back(e);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return r.facts.key(a) < r.facts.key(b); });
  std::set<Set> kinds(sets.begin(), sets.end());
  const bool repeats = kinds.size() < sets.size();
  if (!repeats && sets.size() != order.size()) {
    // Kinds once each: as they first appear, if it is all of them.
    std::set<std::string> labels;
    for (const int e : order) labels.insert(r.facts.at(e).label);
    if (labels.size() != sets.size()) return;
  }
  if (repeats && sets.size() != order.size() && (r.section == Section::kCaption || sets.size() > order.size()))
    return r.wrong("order",
                   "the list has " + std::to_string(sets.size()) + " sounds, the clip " + std::to_string(order.size()));
  if (!r.facts.in_sequence(sets)) r.wrong("order", "the sounds do not come in this order");
}

// "a bird, a cat, a wolf, and last of all a door": a cue among them makes the whole list a sequence.
void check_cued_list(Reading& r) {
  if (r.mentions.size() < 3 || r.facts.audios() > 1 || r.has("or|neither|nor|no|not|than|while|during|option|if")) return;
  std::vector<Set> run;
  bool cue = false;
  const auto judge = [&] {
    if (run.size() >= 3 && cue && !r.facts.in_sequence(run)) r.wrong("order", "the sounds do not come in this order");
    run.clear();
    cue = false;
  };
  int end = 0;
  for (const Mention& m : r.mentions) {
    if (!is_asserted(m) || m.human) {
      judge();
      end = m.end;
      continue;
    }
    bool joined = !run.empty();
    for (int i = end; i < m.begin; ++i) {
      const bool forward = is_one(r.word(i), "then|finally|lastly|next|afterwards|later|thereafter|again");
      joined =
          joined &&
          (forward ||
           is_one(r.word(i), ",|and|a|an|the|some|last|lastly|of|all|another|more|first|at|in|end|--|one|short|long|very") ||
           r.word(i).stem.ends_with("?"));
      cue = cue || forward || (r.word(i).text == "last" && i + 2 < r.size() && r.word(i + 1).text == "of");
    }
    cue = cue || (m.end < r.size() && r.word(m.end).text == "again");
    // "wood being chopped" is one of them
    if (joined && end > 0 && run.back() == m.wide && r.find(",|then|and|again|another|finally|more|--", end, m.begin) < 0) {
      end = m.end;
      continue;
    }
    if (!joined) {
      const bool keep = !run.empty();
      if (keep) judge();
    }
    run.push_back(m.nth != 0 ? m.events : m.wide);
    end = m.end;
  }
  judge();
}

// Quotations one after another, in a sentence or line by line, are told in their order.
void check_quote_order(Reading& r) {
  const Mention* last = nullptr;
  bool bare = true;
  for (const Mention& m : r.mentions) {
    if (!m.quote) bare = false;
    if (!m.quote) continue;
    if (last != nullptr && m.events.size() == 1 && last->events.size() == 1 && m.events != last->events) {
      bool list = true;
      for (int i = last->end; i < m.begin; ++i)
        list = list && is_one(r.word(i), ",|and|then|finally|after|a|brief|short|pause|--|/|later|lastly|at|last|the|end");
      if (list && r.find("after|later", last->end, m.begin) >= 0) list = r.find("pause|then|later", last->end, m.begin) >= 0;
      if (list && !r.has("not|never|no|or|nor|neither|which|meaning|order|both|words|phrases|options|mean") &&
          !r.facts.before(last->events, m.events))
        r.wrong("order", m.name + " comes before " + last->name);
    }
    last = &m;
  }
  for (int i = 0; i < r.size(); ++i)
    bare = bare && (r.word(i).quote || r.word(i).number >= 0 || r.word(i).stem.empty() || is_one(r.word(i), "then|turn|line"));
  if (!bare || last == nullptr || last->events.size() != 1) {
    r.line.clear();
    return;
  }
  if (!r.line.empty() && r.line != last->events && !r.facts.before(r.line, last->events))
    r.wrong("order", last->name + " comes earlier");
  r.line = last->events;
}

}  // namespace

void check_lists(Reading& r) {
  check_bare_list(r);
  check_cued_list(r);
  check_quote_order(r);
  check_headed_list(r);
}

}  // namespace areason::claims
