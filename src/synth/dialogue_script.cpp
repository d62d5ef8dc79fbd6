#include "synth/dialogue_script.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace areason {
namespace {

struct Topic {
  const char* name;
  std::vector<const char*> statements;  // of "it"
};
struct Scenario {
  const char* name;
  std::vector<const char*> openings, closings;
  std::vector<Topic> topics;
};

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all = {
      {"preparing a trip",
       {"We leave in two weeks, so let us decide.", "Good morning everyone, today we prepare the trip.",
        "So, where are we with the journey?"},
       {"Fine, then I will book it tonight.", "Good, that settles it.", "Then we all agree, more or less."},
       {{"the hotel",
         {"is far too expensive", "has a lovely garden", "is next to the station", "was full last summer", "needs new beds",
          "looks friendly"}},
        {"the train",
         {"is always late on fridays", "takes six hours", "has no dining car", "is better than flying", "leaves before sunrise",
          "stops in every village"}},
        {"the weather",
         {"will be warm enough", "worries me a little", "changes every hour there", "never stopped us before",
          "should stay dry", "is the best part"}},
        {"the museum",
         {"closes on mondays", "is worth a whole day", "bores the children", "has a new roof", "costs nothing in the evening",
          "is too far away"}}}},
      {"talking about dinner",
       {"Dinner is ready, please sit down.", "Thank you all for coming tonight.", "I hope that everybody is hungry."},
       {"Next time we cook together.", "Leave the plates, I will wash up.", "Now let us have some coffee."},
       {{"the soup",
         {"needs more pepper", "reminds me of my grandmother", "is already cold", "tastes wonderful", "is a little too thick",
          "came out of a tin"}},
        {"the bread",
         {"is still warm", "is as hard as stone", "was baked this morning", "goes well with cheese", "has too much salt",
          "will be gone soon"}},
        {"the kitchen",
         {"is too small for three cooks", "smells of onions", "was painted last month", "gets the morning sun",
          "looks like a battlefield", "needs a new lamp"}},
        {"the wine",
         {"comes from my uncle", "is too sweet for me", "gives me a headache", "should have been opened earlier",
          "is better than last year", "can wait"}}}},
      {"a meeting at work",
       {"Let us begin, we have half an hour.", "Hello everyone, can you all hear me?", "There are three points for today."},
       {"I will send the notes tomorrow.", "That is all for today, thank you.", "Let us meet again on thursday."},
       {{"the budget",
         {"was cut by a third", "is larger than we thought", "has to wait until march", "covers only one machine",
          "looks healthy to me", "is a secret"}},
        {"the new printer",
         {"jams all the time", "is quiet at least", "prints only in blue", "was a bargain", "stands in the wrong room",
          "saves a lot of paper"}},
        {"the customer",
         {"wants an answer today", "has called again", "is never satisfied", "has paid already", "likes our second design",
          "went on holiday"}},
        {"the schedule",
         {"is too tight", "leaves no room for tests", "looks realistic", "was my mistake", "changes every week",
          "ends in june"}}}},
      {"looking for something lost",
       {"I cannot find my keys anywhere.", "Has anybody seen my bag?", "Something is missing from this room."},
       {"Never mind, I found it in my pocket.", "Then we must ask the neighbours.", "Let us look again after lunch."},
       {{"the garage",
         {"has been locked all day", "is full of old boxes", "was open last night", "has no light", "is the last place to look",
          "smells of paint"}},
        {"the red bag",
         {"is under the table", "belongs to my sister", "was in the car this morning", "has a broken zip",
          "is too small for that", "hangs behind the door"}},
        {"the neighbour",
         {"saw somebody in the garden", "is away until sunday", "has a spare key", "never notices anything",
          "borrowed the ladder", "lost his cat too"}},
        {"the dog",
         {"hides things in the garden", "slept all morning", "would have barked", "is afraid of the stairs", "chewed my glove",
          "looks guilty"}}}},
      {"neighbours in the garden",
       {"What a fine morning, neighbours.", "The garden looks very different this year.",
        "Do you have a moment to talk about the garden?"},
       {"I had better go back to work.", "Come over for tea some time.", "We will see in the spring."},
       {{"the apple tree",
         {"has not carried fruit for years", "must be cut back", "is older than the house", "gives too much shade",
          "is full of birds", "blossoms early"}},
        {"the fence",
         {"leans to one side", "was never straight", "needs a coat of paint", "keeps the rabbits out", "belongs to both of us",
          "is coming down in may"}},
        {"the pond",
         {"attracts mosquitoes", "is deeper than it looks", "froze last winter", "has two new fish", "makes me happy",
          "leaks somewhere"}},
        {"the new house",
         {"blocks the view", "will be finished soon", "has tiny windows", "is remarkably quiet", "was sold in spring",
          "has a flat roof"}}}},
      {"after the football match",
       {"Well, that was a match.", "Did you all watch it to the end?", "I have no voice left after that game."},
       {"We will win the next one.", "I am going home now.", "Same place next saturday?"},
       {{"the goalkeeper",
         {"saved the match", "was half asleep", "should be the captain", "is only nineteen", "slipped on the grass",
          "will be sold"}},
        {"the referee",
         {"saw nothing at all", "was fair to both sides", "needs new glasses", "stopped the game too often", "did a good job",
          "comes from their town"}},
        {"the second goal",
         {"was pure luck", "was the best of the season", "should not have counted", "woke the whole street", "came too late",
          "was my favourite moment"}},
        {"the stadium",
         {"was half empty", "shook when they scored", "has terrible seats", "is too cold in winter", "deserves a new roof",
          "sells good sausages"}}}},
      {"in the waiting room",
       {"Excuse me, is this seat free?", "How long have you been waiting?", "They said it would take ten minutes."},
       {"Ah, that is my turn, goodbye.", "Maybe we should come back tomorrow.", "At least it is warm in here."},
       {{"the doctor",
         {"is never on time", "listens very patiently", "moved here from the coast", "has steady hands", "talks too fast",
          "is on holiday"}},
        {"the coffee machine",
         {"is out of order", "makes good chocolate", "swallowed my coins", "is the best thing here", "was repaired yesterday",
          "makes too much noise"}},
        {"the form",
         {"has eleven pages", "asks the same thing again", "was lost last time", "can be filled in online",
          "is only for new patients", "took me an hour"}},
        {"the magazine",
         {"is five years old", "has a nice recipe", "belongs to the nurse", "has no cover", "is about boats",
          "is more fun than my phone"}}}},
      {"at the school gate",
       {"Good afternoon, are you waiting for the children too?", "School ends early today, it seems.",
        "Did you all get the letter?"},
       {"Here they come at last.", "See you at the summer party.", "I will write to the school about it."},
       {{"the new teacher",
         {"gives a lot of homework", "plays the guitar", "is strict but kind", "comes from abroad", "knows every name already",
          "was late on monday"}},
        {"the school bus",
         {"broke down again", "is always crowded", "stops at our door", "has a cheerful driver", "should come earlier",
          "is too expensive"}},
        {"the playground",
         {"is muddy after rain", "has a new slide", "is too small", "closes at four", "was built by parents",
          "needs more trees"}},
        {"the lunch",
         {"is better than at home", "has too little fruit", "costs two euros", "is cooked in the next town",
          "was cold yesterday", "could be bigger"}}}},
  };
  return all;
}

constexpr std::array<const char*, 6> kAsk = {"What do you think about {x}?", "And what about {x}?",
                                             "How do you like {x}?",         "Can anybody say something about {x}?",
                                             "Tell me about {x}.",           "Any news about {x}?"};
constexpr std::array<const char*, 6> kState = {"If you ask me, {x} {s}.", "I think {x} {s}.",      "Well, {x} {s}.",
                                               "Honestly, {x} {s}.",      "I heard that {x} {s}.", "You know that {x} {s}."};
constexpr std::array<const char*, 5> kAnswer = {"But {x} {s}.", "No, {x} {s}.", "To me {x} {s}.", "Perhaps, but {x} {s}.",
                                                "I would rather say {x} {s}."};

std::string capital(std::string text) {
  text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

std::string filled(std::string text, const std::string& x, const std::string& s) {
  for (const auto& [slot, value] : {std::pair<std::string, const std::string*>{"{x}", &x}, {"{s}", &s}}) {
    if (const std::size_t at = text.find(slot); at != std::string::npos) text.replace(at, slot.size(), *value);
  }
  return capital(std::move(text));
}

class Writer {
 public:
  Writer(const Scenario& scenario, int speakers, Random& random) : scenario_(scenario), random_(random) {
    script_.scenario = scenario.name;
    for (int i = 0; i < speakers; ++i) script_.speakers.push_back({std::string("speaker ") + std::to_string(i + 1), ""});
  }

  DialogueScript write(std::size_t lines) {
    say(0, random_.pick(scenario_.openings));
    std::vector<Topic> topics = scenario_.topics;
    random_.shuffle(topics);
    for (const Topic& topic : topics) {
      if (script_.lines.size() >= lines) break;
      discuss(topic);
    }
    if (random_.chance(0.6)) say(other(), random_.pick(scenario_.closings));
    return std::move(script_);
  }

 private:
  void say(int speaker, const std::string& text, const std::string& topic = "", const std::string& statement = "") {
    script_.lines.push_back({speaker, text, topic, statement.empty() ? "" : "it " + statement});
  }
  // Somebody who did not say the last line; those who have not spoken yet first.
  int other() {
    std::vector<int> fresh, rest;
    for (int i = 0; i < static_cast<int>(script_.speakers.size()); ++i) {
      const bool spoken =
          std::any_of(script_.lines.begin(), script_.lines.end(), [&](const ScriptLine& l) { return l.speaker == i; });
      if (i == script_.lines.back().speaker) continue;
      (spoken ? rest : fresh).push_back(i);
    }
    return random_.pick(fresh.empty() ? rest : fresh);
  }
  void discuss(const Topic& topic) {
    std::vector<const char*> statements = topic.statements;
    random_.shuffle(statements);
    if (random_.chance(0.5)) say(other(), filled(kAsk[random_.below(kAsk.size())], topic.name, ""));
    std::vector<int> had;
    const int opinions = random_.between(1, std::min(3, static_cast<int>(script_.speakers.size())));
    for (int i = 0; i < opinions; ++i) {
      const int who = other();
      if (std::find(had.begin(), had.end(), who) != had.end()) break;
      had.push_back(who);
      const char* pattern = i == 0 ? kState[random_.below(kState.size())] : kAnswer[random_.below(kAnswer.size())];
      const std::string statement = statements[static_cast<std::size_t>(i)];
      say(who, filled(pattern, topic.name, statement), topic.name, statement);
    }
  }

  const Scenario& scenario_;
  Random& random_;
  DialogueScript script_;
};

}  // namespace

DialogueScript make_grammar_script(Random& random) {
  const Scenario& scenario = random.pick(scenarios());
  const double draw = random.uniform();
  const int speakers = draw < 0.4 ? 2 : draw < 0.8 ? 3 : 4;
  return Writer(scenario, speakers, random).write(static_cast<std::size_t>(random.between(5, 8)));
}

std::vector<std::string> statements_about(const std::string& topic) {
  std::vector<std::string> out;
  for (const Scenario& scenario : scenarios()) {
    for (const Topic& t : scenario.topics) {
      if (topic != t.name) continue;
      for (const char* statement : t.statements) out.push_back(std::string("it ") + statement);
    }
  }
  return out;
}

std::vector<std::string> grammar_scenarios() {
  std::vector<std::string> out;
  for (const Scenario& scenario : scenarios()) out.emplace_back(scenario.name);
  std::sort(out.begin(), out.end());
  return out;
}

std::string spoken_words(const std::string& written) {
  std::string out;
  for (const unsigned char c : written) {
    if (std::isalnum(c) != 0 || c == '\'' || c >= 0x80) {
      out += static_cast<char>(std::tolower(c));
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

}  // namespace areason
