#include "cota/sound_words.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <sstream>

namespace areason {
namespace {

struct Entry {
  const char* name;
  const char* forms;  // separated by commas; ~ before those that often mean something else
};

// Kinds that others belong to stand in each of theirs ("bird" in owl, crow …).
constexpr Entry kTable[] = {
    {"speech",
     "speech, speak, talk, voice, conversation, dialogue, dialog, speaker, spoken, utterance, narration, narrator, "
     "monologue, ~say, ~says, ~said, ~man, ~woman, ~person, ~people, ~someone, ~somebody, ~male, ~female, ~men, "
     "~women, ~human, ~guy, ~lady, ~gentleman, ~boy, ~girl, ~child, ~reply, ~ask, ~answers, ~announcer, ~participant, "
     "~individual, ~sentence, ~phrase, chat, ~shout, ~outburst, ~cry, ~yell"},
    {"music", "music, song, melody, tune, musical, ~band, ~ensemble, ~instrument, orchestra, ~jingle"},
    {"laughter", "laughter, laugh, giggle, chuckle, ~people, ~person, ~human, ~voice, ~man, ~woman, ~audience"},
    {"scream", "scream, person screaming, shriek, ~yell, ~shout, ~cry, ~voice, ~person, ~man, ~woman, ~human, ~people"},
    {"pain", "grunt, groan, moan, ~man, ~woman, ~person, ~voice, ~human"},
    {"crowd", "crowd, ~audience, ~people, ~murmur, ~chatter, ~voice, stadium, ~human, ~babble, ~cheer, ~fans"},
    {"applause", "applause, applaud, clapping, ovation, ~clap, ~audience, ~people, ~hands, ~cheer, ~crowd"},
    {"cheer", "cheer, ~crowd, ~people, ~voice, ~fans"},
    {"baby", "baby, infant, ~cry, ~child, ~human"},
    {"children", "children, kids, ~child, ~people, ~voice, ~human, ~laughter"},
    {"cough", "cough, ~person, ~human"},
    {"sneeze", "sneeze, ~person, ~human"},
    {"snore", "snore, ~person, ~human"},
    {"breath", "breathing, ~breath, ~sigh"},
    {"whistling", "whistle, ~person"},
    {"singing", "singing, singer, ~sing, choir, vocal, ~voice, ~person, ~music"},
    {"burp", "burp, belch, fart, hiccup"},
    {"footsteps", "footstep, footfall, ~step, ~walk, ~person, ~steps, ~shoes"},
    {"dog", "dog bark, dog, puppy, hound, bark, woof, ~canine, ~yap, ~animal, ~pet"},
    {"wolf", "wolf howl, wolf, wolves, coyote, ~howl, ~canine, ~animal"},
    {"cat", "cat meow, cat, kitten, meow, mew, ~purr, ~feline, ~animal, ~pet"},
    {"bigcat", "big cat roar, big cat, lion, tiger, leopard, jaguar, ~roar, ~growl, ~cat, ~feline, ~animal"},
    {"bear", "bear growl, ~growl, ~animal"},
    {"cow", "cow moo, cow, cattle, moo, calf, ~low, ~lowing, ~bull, ~ox, ~animal, ~bovine"},
    {"sheep", "sheep bleat, sheep, goat, lamb, bleat, ~baa, ~animal"},
    {"pig", "pig oink, pig, oink, hog, ~grunt, ~boar, ~animal"},
    {"horse", "horse neigh, horse, neigh, whinny, pony, ~mare, ~stallion, ~nicker, ~animal"},
    {"hooves", "horse hooves, horse hoof, hoof, hooves, hoofbeat, gallop, canter, clip-clop, ~clop, ~trot, horse, ~animal"},
    {"donkey", "donkey, mule, zebra, ~bray, ~animal"},
    {"rooster",
     "rooster or hen, rooster, hen, chicken, cockerel, cluck, ~cock, ~farmyard bird, ~crow, ~crowing, ~bird, ~animal, "
     "~poultry"},
    {"duck", "duck quack, duck, quack, ~bird, ~animal"},
    {"goose", "goose, geese, gander, turkey, ~gobble, ~honk, ~bird, ~animal"},
    {"owl", "owl hoot, owl, hoot, ~bird, ~animal"},
    {"crow", "crow caw, crow, raven, caw, ~bird, ~animal"},
    {"bird",
     "bird song, birdsong, bird, songbird, sparrow, blackbird, lark, tweet, twitter, warble, ~chirp, ~sing, ~song, ~animal"},
    {"cuckoo", "cuckoo, bird, ~animal"},
    {"gull", "gull, seagull, sea bird, seabird, bird, ~animal"},
    {"pigeon", "pigeon, dove, ~coo, bird, ~animal"},
    {"frog", "frog, toad, ~croak, ~ribbit, ~animal"},
    {"insect", "insect buzz, insect, honeybee, bees, mosquito, wasp, hornet, ~fly, ~buzz, ~bug, ~animal"},
    {"cricket", "cricket chirp, cricket, grasshopper, cicada, ~chirp, insect, ~animal"},
    {"monkey", "monkey, chimpanzee, ~ape, ~animal"},
    {"deer", "deer, moose, stag, ~animal"},
    {"elephant", "elephant, ~trumpet, ~animal"},
    {"whale", "whale, dolphin, ~animal"},
    {"snake", "snake, rattlesnake, ~hiss, ~animal"},
    {"mouse", "mice, squeak, ~mouse, ~rat, ~animal"},
    {"thunder",
     "clap of thunder, peal of thunder, roll of thunder, thunder, thunderclap, thunderstorm, ~storm, ~lightning, ~rumble, "
     "~weather"},
    {"rain", "rain, raindrop, rainfall, downpour, ~drizzle, ~storm, ~water, ~weather"},
    {"wind", "wind, breeze, ~gust, ~howl, ~weather, ~storm, windmill"},
    {"stream", "running water, water stream, stream, river, brook, creek, waterfall, faucet, ~tap, water, ~flow, ~trickle"},
    {"splash", "water splash, splash, water"},
    {"drip", "water drip, drip, droplet, ~drop, water"},
    {"bubbling", "bubbling, bubble, gurgle, water"},
    {"waves", "ocean wave, ocean, surf, ~wave, ~sea, water"},
    {"toilet", "toilet flush, toilet, flush, water"},
    {"shower", "shower, water"},
    {"boiling", "boiling, kettle, ~boil, water"},
    {"fire", "crackling fire, fire crackle, fire crackling, campfire, fire, flames, bonfire, ~crackle, ~burn"},
    {"explosion", "explosion, explode, detonation, ~blow up, ~blows up, ~blowing up, ~blew up, ~blast, ~boom, ~bang, ~bomb"},
    {"gunshot", "gunshot, gunfire, gun, rifle, pistol, shotgun, machine gun, ~shot, ~shoot, ~bang, ~firearm, ~fire"},
    {"fireworks", "firework, firecracker"},
    {"hissing", "hissing, ~hiss, ~fuse, steam, ~fire"},
    {"arrow", "arrow shot, arrow, crossbow, ~bow, ~shot"},
    {"whoosh", "whoosh, swoosh, ~swish, whip"},
    {"sword", "sword, ~blade, ~clash, metal clash"},
    {"glass",
     "glass breaking, glass break, breaking glass, glass shattering, shattering glass, shattered glass, glass, ~shatter, "
     "~break, ~clink, ~crash"},
    {"door", "door, door slam, ~slam, ~creak, ~knock, ~bell"},
    {"doorbell", "doorbell, door bell, ~bell, ~chime"},
    {"knock", "knocking, ~knock, ~door"},
    {"coins", "coin, coins, cash register, ~money, ~change, ~jingle, ~clink"},
    {"toy", "squeaky toy, rubber duck, toy, ~squeak, ~squeaky"},
    {"chopping", "wood chopping, chopping wood, chopping, axe, ~chop, ~wood, ~woodcutting"},
    {"sawing", "sawing, hand saw, handsaw, sawmill, ~saw, ~wood"},
    {"chainsaw", "chainsaw, chain saw, ~saw, ~engine, ~motor"},
    {"hammering", "hammering, hammer, anvil, ~pound, ~nail"},
    {"drill", "drill, ~drilling"},
    {"stone", "stone cutting, pickaxe, mining, ~chisel"},
    {"machine", "machinery, factory, ~machine, ~industrial, ~motor"},
    {"construction", "construction, bulldozer, jackhammer"},
    {"train", "train, locomotive, railway, railroad, ~rail, ~vehicle, ~whistle, subway, ~engine, ~motor"},
    {"traffic", "road traffic, traffic, ~car, ~cars, ~vehicle, ~road, ~engine, ~motor, ~truck"},
    {"carhorn", "car horn, horn honk, horn honking, honk, honking, vehicle horn, horn, ~beep, ~toot, ~car, ~blare, ~vehicle"},
    {"car", "car, automobile, car engine, ~vehicle, ~engine, ~tire, ~skid, truck, lorry"},
    {"bus", "bus, ~vehicle, ~engine, ~motor"},
    {"motorcycle", "motorcycle, motorbike, scooter, ~vehicle, ~engine, ~motor"},
    {"bicycle", "bicycle, bike bell, ~bike, ~bell"},
    {"engine", "engine, motor, ~car, ~bus, ~truck, ~idling, ~rev, ~vehicle, ~rumble"},
    {"siren", "siren, ambulance, police car, fire truck, fire engine, ~police, ~wail, ~alarm, ~vehicle"},
    {"helicopter", "helicopter, chopper, propeller, ~rotor, ~blades, ~aircraft, ~vehicle, ~engine, ~motor"},
    {"airplane", "airplane, aeroplane, propeller, plane, jet, airliner, ~aircraft, ~vehicle, ~engine, ~motor"},
    {"rocket", "rocket, ~launch, ~engine, ~motor"},
    {"ship", "ship horn, foghorn, ship, boat, ~harbour, ~harbor, horn, ~engine, ~motor"},
    {"hornsignal", "horn signal, bugle, hunting horn, ~signal, horn, ~fanfare"},
    {"bell", "church bell, bell, bells, ~chime, ~toll, ~ring, ~ding, ~gong, ~doorbell, ~door, ~alarm"},
    {"phone", "telephone, phone, ringtone, cellphone, ~ring, ~bell"},
    {"alarm", "alarm clock, alarm, smoke detector, ~beep, ~bell, ~ring"},
    {"beep", "electronic beep, beep, beeper, bleep, ~blip, ~electronic, ~tone"},
    {"clock", "clock, ticking, ~tick, ~watch, ~bell, ~alarm"},
    {"camera", "camera shutter, camera, ~shutter"},
    {"keyboard", "typing, computer keyboard, typewriter, ~keyboard, ~keys, ~type"},
    {"vacuum", "vacuum cleaner, vacuum, hoover, ~engine, ~motor"},
    {"washing", "washing machine, dishwasher"},
    {"blender", "blender, mixer"},
    {"mower", "lawn mower, lawnmower, mower, ~engine, ~motor"},
    {"printer", "printer, ~photocopier"},
    {"scissors", "scissors"},
    {"zipper", "zipper"},
    {"paper", "paper, ~rustle, ~crumple"},
    {"dishes", "dishes, cutlery, ~plates, ~pan"},
    {"ball", "billiard, ~ball, ~bounce"},
    {"static", "radio static, ~static, ~radio"},
    {"cymbal", "cymbal, ~crash, ~instrument, ~percussion, ~music"},
    {"drum", "drum, drumbeat, drummer, ~beat, ~instrument, ~percussion, ~music"},
    {"gong", "gong, ~instrument, ~percussion"},
    {"triangle", "triangle, ~instrument, ~percussion"},
    {"tambourine", "tambourine, maraca, castanet, ~instrument, ~percussion"},
    {"piano", "piano, ~keys, ~instrument, ~music"},
    {"guitar", "guitar, banjo, ukulele, ~strum, ~instrument, ~music"},
    {"violin", "violin, fiddle, cello, viola, ~strings, ~instrument, ~music"},
    {"flute", "flute, oboe, clarinet, bassoon, recorder, ~instrument, ~music"},
    {"trumpet", "trumpet, trombone, tuba, ~brass, ~instrument, ~music, ~horn"},
    {"saxophone", "saxophone, sax, ~instrument, ~music"},
    {"harp", "harp, ~instrument, ~music"},
    {"organ", "organ, accordion, harmonica, bagpipe, ~instrument, ~music"},
    {"xylophone", "xylophone, marimba, glockenspiel, ~instrument, ~music"},
    {"synth", "synthesizer, ~synth, ~instrument, ~music"},
};

bool vowel(char c) { return std::string_view("aeiouy").find(c) != std::string_view::npos; }
bool has_vowel(const std::string& s) { return std::any_of(s.begin(), s.end(), vowel); }

std::vector<std::string> stems_of(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  for (const char c : std::string(text) + " ") {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '\'' || static_cast<unsigned char>(c) >= 0x80) {
      word += c;
    } else if (!word.empty()) {
      out.push_back(word_stem(word));
      word.clear();
    }
  }
  return out;
}

bool ends_with(const std::string& w, std::string_view end) { return std::string_view(w).ends_with(end); }

// "chim?" is "chime" and "chim".
bool same_stem(const std::string& a, const std::string& b) {
  if (a == b) return true;
  const auto open = [](const std::string& s) { return !s.empty() && s.back() == '?'; };
  if (open(a) == open(b)) return false;
  const std::string_view base = std::string_view(open(a) ? a : b).substr(0, (open(a) ? a : b).size() - 1);
  std::string_view whole = open(a) ? b : a;
  if (base.size() < 3) return false;  // "being" is no bee
  if (whole == base) return true;
  if (!whole.empty() && whole.back() == 'e') whole.remove_suffix(1);
  return whole == base;
}

bool begins_at(const std::vector<std::string>& stems, std::size_t at, const std::vector<std::string>& form) {
  if (at + form.size() > stems.size()) return false;
  return std::equal(form.begin(), form.end(), stems.begin() + static_cast<std::ptrdiff_t>(at), same_stem);
}

// "sawing" is a sound, "saw" mostly something else.
bool only_as_gerund(const std::vector<std::string>& form, const std::string& stem) {
  return form.size() == 1 && form[0].back() == '?' && stem.back() != '?';
}

// Words of labels that say nothing about which sound it is.
bool says_little(const std::string& stem) {
  static const std::set<std::string> kWords = {"sound", "noise",  "or",      "and",    "of",     "a",      "the",
                                               "other", "big",    "small",   "smal",   "loud",   "quiet",  "short",
                                               "long",  "single", "run",     "person", "signal", "effect", "in",
                                               "on",    "with",   "squeaky", "wood",   "break?", "road",   "electronic"};
  return kWords.contains(stem);
}

int concept_named(std::string_view name) {
  for (int i = 0; i < static_cast<int>(std::size(kTable)); ++i)
    if (name == kTable[i].name) return i;
  return -1;
}

}  // namespace

std::string word_stem(std::string_view word) {
  std::string w;
  for (const char c : word) w += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (ends_with(w, "'s")) w.resize(w.size() - 2);
  while (!w.empty() && (w.back() == '\'' || w.back() == '-')) w.pop_back();
  if (w.size() > 4 && (ends_with(w, "ies") || ends_with(w, "ied"))) {
    w.resize(w.size() - 3);
    return w + "y";
  }
  if (w.size() > 3 && w.back() == 's' && !ends_with(w, "ss") && !ends_with(w, "us") && !ends_with(w, "is")) w.pop_back();
  bool inflected = true;
  if (w.size() > 4 && ends_with(w, "ing") && has_vowel(w.substr(0, w.size() - 3)))
    w.resize(w.size() - 3);
  else if (w.size() > 4 && ends_with(w, "ed") && has_vowel(w.substr(0, w.size() - 2)))
    w.resize(w.size() - 2);
  else
    inflected = false;
  if (w.size() > 2 && w.back() == w[w.size() - 2] && w.back() != 's' && !vowel(w.back())) {
    w.pop_back();
    // "planning" was no "plane".
    inflected = false;
  }
  // Nobody can tell whether "chiming" has lost an e; "plan" and "plane" are two words.
  return inflected ? w + "?" : w;
}

const std::vector<SoundWords::Form>& SoundWords::table() {
  static const std::vector<Form> forms = [] {
    std::vector<Form> out;
    for (int i = 0; i < static_cast<int>(std::size(kTable)); ++i) {
      std::istringstream in(kTable[i].forms);
      for (std::string form; std::getline(in, form, ',');) {
        const std::size_t begin = form.find_first_not_of(' ');
        const bool certain = form[begin] != '~';
        out.push_back({stems_of(form.substr(begin + (certain ? 0 : 1))), i, certain});
      }
    }
    return out;
  }();
  return forms;
}

SoundWords::SoundWords(const std::vector<std::string>& labels) : labels_(labels) {
  std::sort(labels_.begin(), labels_.end());
  labels_.erase(std::unique(labels_.begin(), labels_.end()), labels_.end());
  for (std::size_t i = 0; i < labels_.size(); ++i) {
    const int id = static_cast<int>(std::size(kTable) + i);
    const auto stems = stems_of(labels_[i]);
    if (stems.empty()) continue;
    learned_.push_back({stems, id, true});
    for (const std::string& stem : stems)
      if (stem.size() > 2 && !says_little(stem)) learned_.push_back({{stem}, id, false});
  }
}

SoundWord SoundWords::read(const std::vector<std::string>& stems, std::size_t at) const {
  SoundWord out;
  for (const auto* forms : {&table(), &learned_}) {
    for (const Form& form : *forms) {
      const int words = static_cast<int>(form.stems.size());
      if (words < out.words || !begins_at(stems, at, form.stems)) continue;
      if (words > out.words) out = {{}, {}, words};
      out.concepts.insert(form.concept_id);
      if (form.certain && !only_as_gerund(form.stems, stems[at])) out.sure.insert(form.concept_id);
    }
  }
  return out;
}

SoundConcepts SoundWords::of_label(const std::string& label) const {
  SoundConcepts out;
  const auto stems = stems_of(label);
  for (std::size_t at = 0; at < stems.size();) {
    SoundWord best;
    for (const Form& form : table()) {
      const int words = static_cast<int>(form.stems.size());
      if (!form.certain || words < best.words || !begins_at(stems, at, form.stems)) continue;
      if (words > best.words) best = {{}, {}, words};
      best.concepts.insert(form.concept_id);
    }
    out.insert(best.concepts.begin(), best.concepts.end());
    at += static_cast<std::size_t>(std::max(1, best.words));
  }
  const auto it = std::lower_bound(labels_.begin(), labels_.end(), label);
  if (it != labels_.end() && *it == label)
    out.insert(static_cast<int>(std::size(kTable)) + static_cast<int>(it - labels_.begin()));
  return out;
}

bool SoundWords::speech(const SoundConcepts& concepts) { return concepts.contains(concept_named("speech")); }
bool SoundWords::music(const SoundConcepts& concepts) { return concepts.contains(concept_named("music")); }
bool SoundWords::instrument(const SoundConcepts& concepts) {
  static const SoundConcepts kPlayed = [] {
    SoundConcepts out;
    for (const Form& form : table())
      if (form.stems == std::vector<std::string>{"music"}) out.insert(form.concept_id);
    return out;
  }();
  return std::includes(kPlayed.begin(), kPlayed.end(), concepts.begin(), concepts.end());
}
bool SoundWords::voice(const SoundConcepts& concepts) {
  for (const char* name : {"speech", "laughter", "scream", "pain", "crowd", "cheer", "baby", "children", "singing"})
    if (concepts.contains(concept_named(name))) return true;
  return false;
}
bool SoundWords::human(const SoundConcepts& concepts) {
  static const SoundConcepts kHuman = [] {
    SoundConcepts out;
    for (const char* name : {"speech", "laughter", "scream", "pain", "crowd", "applause", "cheer", "baby", "children", "cough",
                             "sneeze", "snore", "breath", "whistling", "singing", "burp", "footsteps"})
      out.insert(concept_named(name));
    return out;
  }();
  return std::any_of(concepts.begin(), concepts.end(), [](int c) { return kHuman.contains(c); });
}

}  // namespace areason
