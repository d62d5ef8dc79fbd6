#include "synth/composer.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace areason {
namespace {

constexpr std::array<const char*, 12> kTonics = {"C",       "C sharp", "D",      "E flat", "E",      "F",
                                                 "F sharp", "G",       "A flat", "A",      "B flat", "B"};
constexpr std::array<int, 7> kMajor = {0, 2, 4, 5, 7, 9, 11};
constexpr std::array<int, 7> kMinor = {0, 2, 3, 5, 7, 8, 10};
// Chords of four bars as scale degrees from 0.
constexpr std::array<std::array<int, 4>, 4> kMajorChords = {{{0, 4, 5, 3}, {0, 3, 4, 0}, {0, 5, 3, 4}, {0, 3, 0, 4}}};
constexpr std::array<std::array<int, 4>, 4> kMinorChords = {{{0, 5, 6, 0}, {0, 3, 4, 0}, {0, 3, 6, 0}, {0, 5, 3, 4}}};
// General MIDI drum keys.
constexpr int kKick = 36, kSnare = 38, kStick = 37, kHat = 42, kRide = 51;
constexpr int kMelody = 0, kChords = 1, kBass = 2, kDrums = 9;

// What a piece is made from.
struct Plan {
  std::string mood, tempo, meter;
  bool minor = false, drums = true, swung = false, staccato = false;
  int bpm = 100, tonic = 0, loudness = 0;
  LeadInstrument lead;
  double bar_quarters = 4, beat_quarters = 1;
  int bars = 4;
};

std::string draw_tempo(Random& random) { return random.pick(std::vector<std::string>{"slow", "medium", "fast"}); }

// Away from the borders at 80 and 125, so that nobody has to guess.
int draw_bpm(const std::string& tempo, Random& random) {
  if (tempo == "slow") return random.between(54, 72);
  return tempo == "medium" ? random.between(88, 114) : random.between(136, 168);
}

void draw_mood(Plan& plan, Random& random) {
  plan.minor = random.chance(0.5);
  plan.tempo = draw_tempo(random);
  plan.drums = random.chance(0.6);
  plan.staccato = random.chance(0.4);
  if (!random.chance(0.45)) return;
  plan.mood = random.pick(std::vector<std::string>{"calm", "energetic", "happy", "sad"});
  plan.minor = plan.mood == "sad" || plan.mood == "energetic";
  plan.drums = plan.mood == "energetic" || plan.mood == "happy";
  plan.staccato = plan.drums;
  plan.loudness = plan.mood == "energetic" ? 25 : plan.drums ? 8 : -15;
  if (plan.mood == "happy") {
    plan.tempo = random.chance(0.5) ? "fast" : "medium";
  } else {
    plan.tempo = plan.mood == "energetic" ? "fast" : "slow";
  }
}

Plan draw_plan(Random& random) {
  Plan plan;
  draw_mood(plan, random);
  plan.meter = random.pick(std::vector<std::string>{"4/4", "3/4", "6/8"});
  plan.swung = plan.meter == "4/4" && plan.drums && plan.tempo != "slow" && plan.mood.empty() && random.chance(0.3);
  plan.bpm = draw_bpm(plan.tempo, random);
  if (plan.meter == "6/8" && plan.bpm > 144) plan.bpm = random.between(132, 144);
  plan.tonic = random.between(0, 11);
  plan.lead = random.pick(lead_instruments());
  // In 6/8 a beat is a dotted quarter.
  plan.beat_quarters = plan.meter == "6/8" ? 1.5 : 1;
  plan.bar_quarters = plan.meter == "4/4" ? 4 : 3;
  const double bar_seconds = plan.bar_quarters / plan.beat_quarters * 60 / plan.bpm;
  plan.bars = std::clamp(static_cast<int>(std::lround(random.uniform(7, 11) / bar_seconds)), 3, 16);
  return plan;
}

int degree_key(const Plan& plan, int degree, int lowest) {
  const auto& scale = plan.minor ? kMinor : kMajor;
  const int octave = degree >= 0 ? degree / 7 : -((6 - degree) / 7);
  int base = plan.tonic;
  while (base < lowest) base += 12;
  return base + 12 * octave + scale[static_cast<std::size_t>(degree - 7 * octave)];
}

// The chord's root as a scale degree; the last bar is home.
int chord_of_bar(const Plan& plan, const std::array<int, 4>& chords, int bar) {
  return bar + 1 == plan.bars ? 0 : chords[static_cast<std::size_t>(bar % 4)];
}

// In minor the chord on the fifth is major (harmonic minor).
int chord_key(const Plan& plan, int root, int step, int lowest) {
  const int key = degree_key(plan, root + step, lowest);
  return plan.minor && root == 4 && step == 2 ? key + 1 : key;
}

class Composer {
 public:
  Composer(const Plan& plan, Random& random) : plan_(plan), random_(random) {
    const auto index = random.below(4);
    chords_ = plan.minor ? kMinorChords[index] : kMajorChords[index];
  }

  MidiPiece write() {
    for (int bar = 0; bar < plan_.bars; ++bar) {
      const int root = chord_of_bar(plan_, chords_, bar);
      const bool last = bar + 1 == plan_.bars;
      accompany(bar, root, last);
      if (plan_.drums) drum(bar, last);
      last ? end_melody(bar) : melody(bar, root);
    }
    return std::move(piece_);
  }

 private:
  void add(int channel, int key, int velocity, double start, double length) {
    const int loud = std::clamp(velocity + plan_.loudness + random_.between(-5, 5), 20, 120);
    piece_.notes.push_back({channel, key, loud, swing(start), length});
  }
  // Off-beat eighths come late.
  double swing(double start) const {
    if (!plan_.swung) return start;
    const double inside = start - std::floor(start);
    return std::abs(inside - 0.5) < 0.01 ? start + 1.0 / 6 : start;
  }
  void chord(int root, double start, double length, int velocity) {
    for (const int step : {0, 2, 4}) add(kChords, chord_key(plan_, root, step, 52), velocity, start, length);
  }

  // The metre: bass on the strong beats, chords on the others.
  void accompany(int bar, int root, bool last) {
    const double t = bar * plan_.bar_quarters;
    if (last) {
      add(kBass, degree_key(plan_, root, 36), 85, t, plan_.bar_quarters);
      chord(root, t, plan_.bar_quarters, 70);
      return;
    }
    const int low = degree_key(plan_, root, 36), fifth = degree_key(plan_, root + 4, 36);
    if (plan_.meter == "4/4") {
      add(kBass, low, 92, t, 0.9), add(kBass, fifth, 80, t + 2, 0.9);
      chord(root, t + 1, 0.7, 62), chord(root, t + 3, 0.7, 62);
    } else if (plan_.meter == "3/4") {
      add(kBass, low, 96, t, 0.9);
      chord(root, t + 1, 0.7, 62), chord(root, t + 2, 0.7, 60);
    } else {
      add(kBass, low, 96, t, 0.5), add(kBass, fifth, 82, t + 1.5, 0.5);
      for (const double eighth : {0.5, 1.0, 2.0, 2.5}) chord(root, t + eighth, 0.35, 56);
    }
  }

  void drum(int bar, bool last) {
    const double t = bar * plan_.bar_quarters;
    add(kDrums, kKick, 100, t, 0.2);
    if (last) return;
    if (plan_.meter == "4/4") {
      add(kDrums, kSnare, 88, t + 1, 0.2), add(kDrums, kKick, 92, t + 2, 0.2), add(kDrums, kSnare, 88, t + 3, 0.2);
      for (int i = 0; i < 8; ++i) add(kDrums, plan_.swung ? kRide : kHat, i % 2 ? 50 : 66, t + 0.5 * i, 0.1);
    } else if (plan_.meter == "3/4") {
      add(kDrums, kStick, 70, t + 1, 0.2), add(kDrums, kStick, 66, t + 2, 0.2);
      for (int i = 0; i < 3; ++i) add(kDrums, kHat, i ? 54 : 64, t + i, 0.1);
    } else {
      add(kDrums, kSnare, 84, t + 1.5, 0.2);
      for (int i = 0; i < 6; ++i) add(kDrums, kHat, i % 3 ? 46 : 68, t + 0.5 * i, 0.1);
    }
  }

  // The lengths of one bar's melody notes in quarters.
  std::vector<double> rhythm() {
    using Rhythms = std::vector<std::vector<double>>;
    static const Rhythms four = {{1, 1, 1, 1}, {1, 0.5, 0.5, 1, 1}, {2, 1, 1}, {1, 1, 0.5, 0.5, 1}, {1.5, 0.5, 1, 1}};
    static const Rhythms three = {{1, 1, 1}, {2, 1}, {1, 0.5, 0.5, 1}, {1.5, 0.5, 1}};
    static const Rhythms six = {{1, 0.5, 1, 0.5}, {1.5, 0.5, 0.5, 0.5}, {0.5, 0.5, 0.5, 1.5}, {1, 0.5, 1.5}};
    return random_.pick(plan_.meter == "4/4" ? four : plan_.meter == "3/4" ? three : six);
  }

  void melody(int bar, int root) {
    double t = bar * plan_.bar_quarters;
    bool first = true;
    for (const double length : rhythm()) {
      if (first) {  // a chord tone on the strong beat, as near as possible
        int best = degree_;
        for (const int step : {0, 2, 4}) {
          for (const int octave : {-7, 0, 7}) {
            const int d = root + step + octave;
            if (d >= 0 && d <= 10 && (best == degree_ || std::abs(d - degree_) < std::abs(best - degree_))) best = d;
          }
        }
        degree_ = best;
      } else {
        degree_ = std::clamp(degree_ + random_.pick(std::vector<int>{-2, -1, -1, 1, 1, 2}), 0, 10);
      }
      const double held = plan_.staccato ? 0.55 : 0.95;
      add(kMelody, degree_key(plan_, degree_, plan_.lead.lowest), first ? 108 : 98, t, length * held);
      t += length;
      first = false;
    }
  }

  void end_melody(int bar) {
    add(kMelody, degree_key(plan_, degree_ >= 5 ? 7 : 0, plan_.lead.lowest), 104, bar * plan_.bar_quarters, plan_.bar_quarters);
  }

  const Plan& plan_;
  Random& random_;
  std::array<int, 4> chords_{};
  MidiPiece piece_;
  int degree_ = 4;
};

std::string feel_of(const Plan& plan) {
  if (plan.meter == "3/4") return "waltz feel";
  if (plan.meter == "6/8") return "lilting six-eight feel";
  return plan.swung ? "swung four-beat feel" : "steady four-beat feel";
}

struct Accompanist {
  std::string name;
  int program;
};

Accompanist draw_accompanist(const Plan& plan, Random& random) {
  static const std::vector<Accompanist> all = {{"piano", 0}, {"acoustic guitar", 24}, {"strings", 48}, {"electric piano", 4}};
  for (;;) {
    const Accompanist& one = random.pick(all);
    if (one.name != plan.lead.name) return one;
  }
}

}  // namespace

const std::vector<LeadInstrument>& lead_instruments() {
  static const std::vector<LeadInstrument> instruments = {
      {"piano", 0, 64},      {"organ", 19, 60},     {"acoustic guitar", 24, 55}, {"electric guitar", 29, 55},
      {"violin", 40, 67},    {"trumpet", 56, 62},   {"saxophone", 65, 57},       {"flute", 73, 72},
      {"xylophone", 13, 72}, {"accordion", 21, 62}, {"choir", 52, 60},           {"synthesizer", 81, 64},
  };
  return instruments;
}

Composition compose_piece(Random& random) {
  const Plan plan = draw_plan(random);
  Composition result;
  result.piece = Composer(plan, random).write();
  result.piece.quarters_per_minute = plan.bpm * plan.beat_quarters;
  result.piece.meter_numerator = plan.meter[0] - '0';
  result.piece.meter_denominator = plan.meter[2] - '0';
  const Accompanist accompanist = draw_accompanist(plan, random);
  result.piece.programs = {{kMelody, plan.lead.program}, {kChords, accompanist.program}, {kBass, 33}};
  result.seconds = plan.bars * plan.bar_quarters * 60 / result.piece.quarters_per_minute;
  MusicFacts& facts = result.facts;
  facts.instruments = {plan.lead.name, accompanist.name, "bass"};
  if (plan.drums) facts.instruments.push_back("drums");
  facts.bpm = plan.bpm;
  facts.tempo = plan.tempo;
  facts.meter = plan.meter;
  facts.feel = feel_of(plan);
  facts.mode = plan.minor ? "minor" : "major";
  facts.key = std::string(kTonics[static_cast<std::size_t>(plan.tonic)]) + " " + facts.mode;
  facts.mood = plan.mood;
  return result;
}

}  // namespace areason
