// Questions about Multi-Speaker: who said what, about what, in answer to what. Speakers are called by the order in which they
// begin to speak, lines are quoted as the caption has them.
#include <algorithm>
#include <map>
#include <set>

#include "cota/set_questions.h"
#include "synth/dialogue_script.h"

namespace areason {
namespace {

using Maybe = std::optional<Draft>;

constexpr const char* kOrdinals[] = {"first", "second", "third", "fourth", "fifth", "sixth"};

std::string speaker_name(int speaker) {
  return speaker >= 1 && speaker <= 6 ? std::string("the ") + kOrdinals[speaker - 1] + " speaker"
                                      : "speaker " + std::to_string(speaker);
}

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

// The lines, or none when the clip is no dialogue or a line's words are unknown.
std::vector<Heard> lines_of(const Listening& l) {
  std::vector<Heard> out;
  if (l.set != "multi_speaker" || l.form != ListeningForm::kOne) return out;
  for (const Heard& h : l.audios[0].heard) {
    if (h.kind != EventKind::kSpeech) continue;
    if (h.text.empty()) return {};
    out.push_back(h);
  }
  return out;
}

int times_said(const std::vector<Heard>& lines, const std::string& text) {
  return static_cast<int>(std::count_if(lines.begin(), lines.end(), [&](const Heard& h) { return h.text == text; }));
}

void finish_statement(Draft& d, const std::string& fact, const std::string& sentence) {
  // Options are whole sentences here: only the letter is named.
  d.reasoning = fact + " That is " + static_cast<char>('A' + d.gold) + ".";
  d.summary = sentence;
  d.response = sentence + " " + letter_sentence(d);
}

Maybe about(const Listening& l, const Material&, Random& random) {
  const auto lines = lines_of(l);
  std::vector<const Heard*> possible;
  for (const Heard& h : lines) {
    if (h.detail && !h.detail->topic.empty() && statements_about(h.detail->topic).size() >= 4) possible.push_back(&h);
  }
  if (possible.empty()) return {};
  const Heard& h = *possible[random.below(static_cast<std::uint32_t>(possible.size()))];
  // What the others say of it first: they are really said, but by somebody else.
  std::vector<std::string> others, rest = statements_about(h.detail->topic);
  for (const Heard* o : possible) {
    if (o->detail->topic == h.detail->topic && o->detail->statement != h.detail->statement)
      others.push_back(o->detail->statement);
  }
  random.shuffle(rest);
  for (const std::string& s : rest) {
    if (others.size() < 3 && s != h.detail->statement && std::find(others.begin(), others.end(), s) == others.end())
      others.push_back(s);
  }
  if (others.size() > 3) others.resize(3);
  Draft d;
  d.question =
      phrase(random,
             {"What does {x} say about {y}?", "What is the opinion of {x} on {y}?", "What does {x} tell the others about {y}?"},
             {speaker_name(h.speaker), h.detail->topic});
  d.planning = phrase(random, {"I find {x} and what is said about {y}.", "I follow {x} and listen for {y}."},
                      {speaker_name(h.speaker), h.detail->topic});
  set_options(d, h.detail->statement, others, random);
  finish_statement(d, "Speaker " + std::to_string(h.speaker) + " says " + quoted(h.text) + ".",
                   "Of " + h.detail->topic + " " + speaker_name(h.speaker) + " says that " + h.detail->statement + ".");
  return d;
}

Maybe who_said(const Listening& l, const Material&, Random& random) {
  const auto lines = lines_of(l);
  if (l.audios.empty() || l.audios[0].speakers < 2 || lines.empty()) return {};
  const Heard& h = random.pick(lines);
  if (times_said(lines, h.text) > 1) return {};
  std::vector<std::string> others;
  for (int s = 1; s <= std::min(4, l.audios[0].speakers); ++s) {
    if (s != h.speaker) others.push_back(speaker_name(s));
  }
  if (h.speaker > 4) return {};
  Draft d;
  d.question = phrase(random, {"Who says {x}?", "Which speaker says {x}?", "Whose words are {x}?"}, {quoted(h.text)});
  d.planning = phrase(random, {"I look for the words and tell whose voice says them.",
                               "I number the voices as they appear and look for the one with these words."});
  d.choices = others;
  d.choices.push_back(speaker_name(h.speaker));
  std::sort(d.choices.begin(), d.choices.end());
  random.shuffle(d.choices);
  d.answer = speaker_name(h.speaker);
  d.gold = static_cast<int>(std::find(d.choices.begin(), d.choices.end(), d.answer) - d.choices.begin());
  finish_statement(d,
                   "The words " + quoted(h.text) + " are said at " + half_seconds(h.from) + " s by speaker " +
                       std::to_string(h.speaker) + ".",
                   "It is " + d.answer + ".");
  return d;
}

Maybe next_line(const Listening& l, const Material&, Random& random) {
  const auto lines = lines_of(l);
  if (lines.size() < 5) return {};
  const std::size_t at = random.below(static_cast<std::uint32_t>(lines.size() - 1));
  std::set<std::string> texts;
  for (const Heard& h : lines) texts.insert(h.text);
  if (texts.size() != lines.size() || lines[at + 1].true_from - lines[at].true_from < 0.5) return {};
  std::vector<std::string> others;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i != at && i != at + 1) others.push_back(lines[i].text);
  }
  random.shuffle(others);
  others.resize(3);
  Draft d;
  d.question = phrase(random, {"What is said right after {x}?", "Which line follows {x}?", "What is the reply to {x}?"},
                      {quoted(lines[at].text)});
  d.planning = phrase(random, {"I find that line and take the next one.", "I go through the lines in order."});
  set_options(d, lines[at + 1].text, others, random);
  finish_statement(d,
                   quoted(lines[at].text) + " begins at " + half_seconds(lines[at].from) + " s; the next line, by speaker " +
                       std::to_string(lines[at + 1].speaker) + ", is " + quoted(lines[at + 1].text) + ".",
                   "The next line is " + quoted(lines[at + 1].text) + ".");
  return d;
}

Maybe scenario(const Listening& l, const Material&, Random& random) {
  const auto lines = lines_of(l);
  const auto all = grammar_scenarios();
  if (lines.size() < 4 || std::find(all.begin(), all.end(), l.scenario) == all.end()) return {};
  std::vector<std::string> topics;
  for (const Heard& h : lines) {
    if (h.detail && !h.detail->topic.empty() && std::find(topics.begin(), topics.end(), h.detail->topic) == topics.end())
      topics.push_back(h.detail->topic);
  }
  if (topics.empty()) return {};
  Draft d;
  d.question = phrase(random, {"Which situation fits the conversation?", "In which situation do these people talk?",
                               "What is the setting of the conversation?"});
  d.planning = phrase(random, {"I collect what they talk about and think of a situation where all of it belongs.",
                               "I listen for the matters and draw a conclusion on the situation."});
  set_options(d, l.scenario, pick_others(all, {l.scenario}, 3, random), random);
  finish_statement(d,
                   "They talk about " + list_words(topics) + ", and it begins with " + quoted(lines[0].text) +
                       ". That belongs to " + l.scenario + ".",
                   "The situation: " + l.scenario + ".");
  return d;
}

Maybe turns(const Listening& l, const Material&, Random& random) {
  const auto lines = lines_of(l);
  if (lines.size() < 3 || l.audios[0].speakers < 2) return {};
  const int who = random.between(1, std::min(4, l.audios[0].speakers));
  std::string list;
  int n = 0, last = 0;
  for (const Heard& h : lines) {
    if (h.speaker == last) return {};  // two lines in a row may be heard as one
    last = h.speaker;
    list += (list.empty() ? "speaker " : ", speaker ") + std::to_string(h.speaker);
    if (h.speaker == who) list += " yes " + std::to_string(++n);
  }
  Draft d;
  d.question =
      phrase(random, {"How many times does {x} speak?", "How often does {x} take the word?", "Count the turns of {x}."},
             {speaker_name(who)});
  d.planning =
      phrase(random, {"I list the turns and count those of {x}.", "I follow the voices turn by turn."}, {speaker_name(who)});
  d.answer = std::to_string(n);
  d.reasoning = "The turns: " + list + ". That makes " + d.answer + ".";
  d.summary = "It takes the word " + d.answer + (n == 1 ? " time." : " times.");
  d.response = "The " + std::string(kOrdinals[who - 1]) + " speaker speaks " + d.answer + (n == 1 ? " time." : " times.");
  return d;
}

Maybe overlap(const Listening& l, const Material&, Random& random) {
  const auto lines = lines_of(l);
  if (lines.size() < 2 || l.audios[0].speakers < 2) return {};
  const Heard *first = nullptr, *second = nullptr;
  bool unclear = false;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const double common = lines[i - 1].true_to - lines[i].true_from;
    if (common >= 0.4 && lines[i].from < lines[i - 1].to) {
      first = &lines[i - 1];
      second = &lines[i];
    } else if (common > -0.1) {
      unclear = true;
    }
  }
  if (first == nullptr && (unclear || !random.chance(0.5))) return {};
  Draft d;
  d.question = phrase(random, {"Do two of the speakers talk at the same time?", "Does anybody speak while another is speaking?",
                               "Is one of the speakers interrupted?"});
  d.planning = phrase(random, {"I compare the end of each line with the start of the next.",
                               "I look for a line that begins before the last one has ended."});
  d.answer = first == nullptr ? "no" : "yes";
  d.reasoning = first == nullptr ? "Every line begins after the one before has ended."
                                 : "The line of speaker " + std::to_string(first->speaker) + " ends at " +
                                       half_seconds(first->to) + " s, that of speaker " + std::to_string(second->speaker) +
                                       " begins at " + half_seconds(second->from) + " s, before it.";
  d.summary = first == nullptr ? "They speak one after the other." : "One line begins before another has ended.";
  d.response = first == nullptr ? "No. They speak one after the other." : "Yes. For a moment they speak at the same time.";
  return d;
}

}  // namespace

std::vector<NamedMaker> dialogue_makers() {
  return {{"dialogue-about", about},       {"dialogue-who", who_said}, {"dialogue-next", next_line},
          {"dialogue-scenario", scenario}, {"dialogue-turns", turns},  {"dialogue-overlap", overlap}};
}

}  // namespace areason
