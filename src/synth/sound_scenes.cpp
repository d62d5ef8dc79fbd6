#include "synth/sound_scenes.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"

namespace areason {
namespace {

constexpr double kInnerGap = 0.35;     // longer pauses separate events
constexpr double kRepeatGap = 0.75;    // at least, between two events of one class
constexpr double kSoundingDepth = 30;  // dB below the loudest frame

bool is_rhythmic(const std::string& name) { return name == "footsteps" || name == "water drip"; }

void append_silence(Samples& samples, double seconds) {
  samples.resize(samples.size() + static_cast<std::size_t>(seconds * kSynthRate), 0.F);
}

Samples slice(const Samples& samples, SampleRange range) {
  Samples part(samples.begin() + static_cast<std::ptrdiff_t>(range.from),
               samples.begin() + static_cast<std::ptrdiff_t>(range.to));
  fade(part, 0.005, 0.02);
  return part;
}

// A stretch of at most `longest` seconds out of a long range, at a place where the sound is not much weaker than elsewhere.
SampleRange crop(const Samples& samples, SampleRange range, double longest, Random& random) {
  const auto most = static_cast<std::size_t>(longest * kSynthRate);
  if (range.size() <= most) return range;
  const std::span<const float> all(samples);
  const double level = active_level_db(all.subspan(range.from, range.size()));
  SampleRange best{range.from, range.from + most};
  for (int attempt = 0; attempt < 6; ++attempt) {
    const std::size_t room = range.size() - most;
    const std::size_t shift = attempt == 0 && random.chance(0.4) ? 0 : random.below(static_cast<std::uint32_t>(room + 1));
    const SampleRange candidate{range.from + shift, range.from + shift + most};
    best = candidate;
    if (active_level_db(all.subspan(candidate.from, most)) > level - 6) break;
  }
  return best;
}

// The stretches loud enough to stand for the sound.
std::vector<SampleRange> good_ranges(const Samples& samples) {
  std::vector<SampleRange> ranges = sounding_ranges(samples, kSoundingDepth, kInnerGap);
  const std::span<const float> all(samples);
  double loudest = -200;
  for (const SampleRange& r : ranges) loudest = std::max(loudest, active_level_db(all.subspan(r.from, r.size())));
  std::erase_if(ranges, [&](const SampleRange& r) {
    return r.size() < kSynthRate / 50 || active_level_db(all.subspan(r.from, r.size())) < loudest - 12;
  });
  return ranges;
}

Samples repeat_rhythm(const Samples& step, double longest, Random& random) {
  const double own = static_cast<double>(step.size()) / kSynthRate;
  const double period = own + random.uniform(0.08, 0.28);
  const int most = std::max(3, static_cast<int>(longest / period));
  const int count = random.between(3, std::min(8, most));
  Samples result;
  for (int i = 0; i < count; ++i) {
    Samples one = change_speed(step, random.uniform(0.97, 1.03));
    scale(one, random.uniform(0.8, 1.0));
    result.insert(result.end(), one.begin(), one.end());
    if (i + 1 < count) append_silence(result, std::max(0.02, period - own));
  }
  return result;
}

// One or several stretches in a row, their pauses squeezed below kInnerGap, until the event lasts long enough to be recognised.
Samples gather(const Samples& samples, const std::vector<SampleRange>& ranges, double longest, Random& random) {
  std::size_t index = random.below(static_cast<std::uint32_t>(ranges.size()));
  const double wanted = std::min(longest, random.uniform(0.5, 2.2));
  Samples result = slice(samples, crop(samples, ranges[index], longest, random));
  while (++index < ranges.size()) {
    const double now = static_cast<double>(result.size()) / kSynthRate;
    const double next = static_cast<double>(ranges[index].size()) / kSynthRate;
    if (now >= wanted || now + next + 0.2 > longest) break;
    append_silence(result, random.uniform(0.08, 0.28));
    const Samples part = slice(samples, ranges[index]);
    result.insert(result.end(), part.begin(), part.end());
  }
  // A very short single sound is often made twice or three times.
  const double own = static_cast<double>(result.size()) / kSynthRate;
  if (own < 0.35 && random.chance(own < 0.2 ? 0.8 : 0.5)) {
    const Samples once = result;
    for (int i = random.between(1, 2); i > 0; --i) {
      append_silence(result, random.uniform(0.1, 0.28));
      result.insert(result.end(), once.begin(), once.end());
    }
  }
  return result;
}

void colour_event(Samples& event, Random& random) {
  event = change_speed(event, std::exp(random.uniform(std::log(0.9), std::log(1.12))));
  high_shelf(event, random.uniform(800, 3000), random.uniform(-4, 4));
  if (random.chance(0.35)) low_pass(event, random.uniform(3500, 7000));
  if (random.chance(0.3)) high_pass(event, random.uniform(60, 250));
  fade(event, 0.005, std::min(0.06, 0.1 * static_cast<double>(event.size()) / kSynthRate));
}

}  // namespace

Samples make_sound_event(const SoundLibrary& library, std::size_t recording, double longest, Random& random) {
  return make_sound_event(library.samples(recording), library.recordings()[recording].id, longest, random);
}

Samples as_sounded(const std::string& label, Samples event, double longest, Random& random) {
  const bool repeated = is_rhythmic(label) && event.size() < kSynthRate * 6 / 10;
  return repeated ? repeat_rhythm(event, longest, random) : event;
}

Samples make_sound_event(const Samples& samples, const std::string& id, double longest, Random& random) {
  const std::vector<SampleRange> ranges = good_ranges(samples);
  if (ranges.empty()) throw Error(ErrorCode::kInput, id + " is silent", "take it out of the sounds to be mixed");
  Samples event = gather(samples, ranges, longest, random);
  colour_event(event, random);
  return event;
}

SoundChoice choose_sound(const SoundLibrary& library, const std::string& split, const std::vector<std::string>& avoid,
                         Random& random) {
  const bool unseen = split == "test-unseen";
  const auto fits = [&](const InstalledClass& installed) {
    const std::string& name = installed.definition->name;
    return !installed.side(unseen).empty() && std::find(avoid.begin(), avoid.end(), name) == avoid.end();
  };
  if (std::none_of(library.classes().begin(), library.classes().end(), fits)) {
    throw Error(ErrorCode::kInput,
                "too few sound classes for a scene of " + std::to_string(avoid.size() + 1) + " different ones",
                "install the sound packages (docs: data synth)");
  }
  for (;;) {
    const InstalledClass& installed = random.pick(library.classes());
    if (fits(installed)) return {&installed, random.pick(installed.side(unseen))};
  }
}

double place_sound(Mix& mix, const SoundLibrary& library, const SoundChoice& choice, const SoundPlacement& placement,
                   Random& random) {
  Samples samples = make_sound_event(library, choice.recording, placement.longest, random);
  const std::string& name = choice.installed->definition->name;
  samples = as_sounded(name, std::move(samples), placement.longest, random);
  Event event;
  event.kind = EventKind::kSound;
  event.label = name;
  event.recording = library.recordings()[choice.recording].id;
  mix.add_source(library.source(choice.recording));
  return mix.place(std::move(event), std::move(samples), placement.at, placement.level_offset_db);
}

namespace {

// The classes of a scene in order: all different, or some repeated so that counts mean something.
std::vector<SoundChoice> plan_sounds(const SoundLibrary& library, const std::string& split, int count, Random& random) {
  std::vector<SoundChoice> plan;
  std::vector<std::string> names;
  const bool repeats = count > 1 && random.chance(0.5);
  const int available = static_cast<int>(library.classes().size());
  const int distinct = std::min(available, repeats ? random.between(1, count - 1) : count);
  for (int i = 0; i < distinct; ++i) {
    plan.push_back(choose_sound(library, split, names, random));
    names.push_back(plan.back().installed->definition->name);
  }
  const bool one_repeats = random.chance(0.6);  // the same sound several times rather than several sounds twice
  while (static_cast<int>(plan.size()) < count) {
    SoundChoice again = one_repeats ? plan.front() : plan[random.below(static_cast<std::uint32_t>(distinct))];
    if (random.chance(0.25)) again.recording = random.pick(again.installed->side(split == "test-unseen"));
    plan.push_back(again);
  }
  random.shuffle(plan);
  return plan;
}

// The end of the last event of the class, or a time long ago.
double last_end(const Mix& mix, const std::string& label) {
  double end = -10;
  for (const Event& event : mix.events()) {
    if (event.label == label) end = std::max(end, event.to);
  }
  return end;
}

}  // namespace

void compose_sounds(Mix& mix, const SoundLibrary& library, const std::string& split, Random& random) {
  static constexpr std::array<double, 4> kLongest = {4.0, 3.2, 2.4, 1.9};
  const double draw = random.uniform();
  const int count = draw < 0.2 ? 1 : draw < 0.5 ? 2 : draw < 0.8 ? 3 : 4;
  const std::vector<SoundChoice> plan = plan_sounds(library, split, count, random);
  const bool overlapping = random.chance(0.3);
  double at = random.uniform(0.1, 0.6);
  for (std::size_t i = 0; i < plan.size(); ++i) {
    const std::string& name = plan[i].installed->definition->name;
    SoundPlacement placement;
    placement.longest = kLongest[static_cast<std::size_t>(count - 1)];
    placement.level_offset_db = random.uniform(-4, 4);
    placement.at = std::max(at, last_end(mix, name) + kRepeatGap);
    const double before = mix.end();
    place_sound(mix, library, plan[i], placement, random);
    const Event placed = mix.events().back();
    const bool next_differs = i + 1 < plan.size() && plan[i + 1].installed != plan[i].installed;
    const bool alone = placed.from >= before;  // at most two sounds at once
    if (overlapping && alone && next_differs && placed.to - placed.from > 1.0) {
      at = placed.from + random.uniform(0.25, 0.6) * (placed.to - placed.from);
    } else {
      at = std::max(at, mix.end() + random.uniform(0.2, 1.1));
    }
  }
  mix.maybe_background(0.35);
}

void compose_long(Mix& mix, const SoundLibrary& library, const std::string& split, Random& random) {
  const double seconds = random.uniform(33, 44);
  const int count = random.between(3, 6);
  const std::vector<SoundChoice> plan = plan_sounds(library, split, count, random);
  // One event in each of `count` equal parts of the clip, so that the second window (after 30 s) is never empty.
  const double part = seconds / count;
  for (std::size_t i = 0; i < plan.size(); ++i) {
    SoundPlacement placement;
    placement.longest = 4;
    placement.level_offset_db = random.uniform(-4, 4);
    const double earliest = static_cast<double>(i) * part + 0.2;
    placement.at = random.uniform(earliest, earliest + std::max(0.1, part - 4.8));
    if (i + 1 == plan.size()) placement.at = std::max(placement.at, random.uniform(31, seconds - 1.5));
    place_sound(mix, library, plan[i], placement, random);
  }
  mix.maybe_background(0.6);
}

}  // namespace areason
