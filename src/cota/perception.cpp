#include "cota/perception.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>

#include "cota/question.h"

namespace areason {
namespace {

constexpr int kMostQuotedWords = 9;
// Quiet noise under a clip is there to make classes harder to tell by their silence; nobody would mention it.
constexpr const char* kNoise = "background noise";
constexpr double kSilence = -200, kClearlyLouder = 4;  // LUFS, LU
constexpr double kShortestPart = 0.15;                 // seconds of an event that must lie in the window to be heard there

// The paper's sets speak of "speaker 2" all along: there a script's roles are told apart, not engines' voices.
bool described(const Heard& h) { return !h.manner.empty() && !h.gender.empty() && !h.detail; }

std::string speech_line(const Heard& h) {
  std::string out = speaker_name(h);
  if (!h.gender.empty()) out = described(h) ? "a " + h.gender + ", " + out : out + ", a " + h.gender;
  if (!h.mood.empty()) out += ", " + h.mood;
  if (!h.language.empty()) out += ", in " + h.language;
  if (h.detail && !h.detail->intent.empty()) out += ", " + h.detail->intent;
  if (!h.text.empty()) out += ", says \"" + h.text + "\"";
  return out;
}

std::string music_line(const MusicFacts& m) {
  // The accompaniment is left out: naming the melody's instrument is hard enough.
  std::string out = "The music: " + (m.instruments.empty() ? std::string("unknown") : m.instruments[0]);
  for (const std::string& part : {m.tempo, m.meter, m.feel, m.mode, m.mood}) {
    if (!part.empty()) out += ", " + part;
  }
  return out + ".";
}

// Of sounds whose loudness is known; "" when it is not clear which.
std::string loudest_sound(const Perception& p) {
  const Heard* most = nullptr;
  double second = kSilence;
  for (const Heard& h : p.heard) {
    if (h.kind != EventKind::kSound || !h.detail) continue;
    if (most == nullptr || h.detail->lufs > most->detail->lufs) {
      if (most != nullptr && most->name != h.name) second = std::max(second, most->detail->lufs);
      most = &h;
    } else if (h.name != most->name) {
      second = std::max(second, h.detail->lufs);
    }
  }
  return most != nullptr && second > kSilence && most->detail->lufs - second >= kClearlyLouder ? most->name : std::string();
}

std::string caption_of(const Perception& p) {
  std::string out;
  for (const Heard& h : p.heard) {
    if (!out.empty()) out += ' ';
    out += half_seconds(h.from) + " to " + half_seconds(h.to) +
           " s: " + (h.kind == EventKind::kSpeech ? speech_line(h) : h.name) + ".";
  }
  if (p.music) out += (out.empty() ? "" : " ") + music_line(*p.music);
  if (!p.background.empty()) out += (out.empty() ? "" : " ") + ("Background: " + p.background + ".");
  if (const std::string loudest = loudest_sound(p); !loudest.empty()) out += " Loudest: " + loudest + ".";
  return out.empty() ? "Nothing is heard." : out;
}

Heard heard_of(const Event& event, double from, double to) {
  Heard h;
  h.kind = event.kind;
  h.name = event.kind == EventKind::kMusic ? "music" : event.label;
  h.true_from = std::max(event.from, from) - from;
  h.true_to = std::min(event.to, to) - from;
  h.from = static_cast<int>(std::lround(h.true_from * 2));
  h.to = std::max(h.from + 1, static_cast<int>(std::lround(h.true_to * 2)));
  h.cut = event.from < from - 1e-6 || event.to > to + 1e-6;
  if (event.kind == EventKind::kSpeech) {
    h.gender = event.gender;
    h.manner = event.manner;
    if (event.mood.empty()) h.language = event.language;  // acted cries are too short to tell the language
    h.mood = event.mood;
    h.text = event.detail ? whole_text(event) : quotable_text(event);
  }
  h.translation = event.detail ? event.translation : "";
  h.detail = event.detail;
  return h;
}

// Phrases of one voice whose words are not written down are one stretch of speech.
void join_utterances(std::vector<Heard>& heard) {
  std::vector<Heard> out;
  for (Heard& h : heard) {
    const bool goes_on = !out.empty() && h.kind == EventKind::kSpeech && out.back().kind == EventKind::kSpeech &&
                         h.speaker == out.back().speaker && h.language == out.back().language && h.mood == out.back().mood &&
                         h.text.empty() && out.back().text.empty();
    if (!goes_on) {
      out.push_back(std::move(h));
      continue;
    }
    out.back().true_to = std::max(out.back().true_to, h.true_to);
    out.back().to = std::max(out.back().to, h.to);
    out.back().cut |= h.cut;
  }
  heard = std::move(out);
}

}  // namespace

std::string speaker_name(const Heard& h) {
  const auto place = static_cast<std::size_t>(std::max(1, h.speaker) - 1);
  return described(h) ? h.manner + " " + place_word(place) : "speaker " + std::to_string(h.speaker);
}

std::string half_seconds(int halves) { return fmt::format("{}.{}", halves / 2, halves % 2 == 0 ? 0 : 5); }

std::string quotable_text(const Event& event) {
  if (event.text.empty() || event.language != "English" || !event.mood.empty()) return {};
  std::string out;
  int words = 0;
  for (const unsigned char c : event.text) {
    if (c >= 0x80 || c == '"') return {};
    if (std::isalnum(c) || c == '\'') {
      out += static_cast<char>(std::tolower(c));
    } else if (!out.empty() && out.back() != ' ') {  // "red-nosed" is two words, as words_of (check.cpp) reads it
      out += ' ';
      ++words;
    }
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return words < kMostQuotedWords ? out : std::string();
}

std::string whole_text(const Event& event) {
  if (event.text.find_first_of("\"<>{}") != std::string::npos) return {};
  return event.text;
}

Perception perceive(const Scene& scene, double from, double to) {
  Perception p;
  std::map<std::string, int> speakers;
  for (const Event& event : scene.events) {
    if (std::min(event.to, to) - std::max(event.from, from) < std::min(kShortestPart, 0.9 * (event.to - event.from))) continue;
    if (event.kind == EventKind::kBackground) {
      if (event.label != kNoise) p.background = event.label;
      continue;
    }
    Heard h = heard_of(event, from, to);
    if (event.kind == EventKind::kSpeech) {
      h.speaker = speakers.try_emplace(event.speaker, static_cast<int>(speakers.size()) + 1).first->second;
    }
    if (event.kind == EventKind::kMusic) p.music = scene.music;
    p.heard.push_back(std::move(h));
  }
  if (!p.music && scene.music && scene.type == SceneType::kMusic) p.music = scene.music;
  std::stable_sort(p.heard.begin(), p.heard.end(), [](const Heard& a, const Heard& b) { return a.true_from < b.true_from; });
  join_utterances(p.heard);
  p.speakers = static_cast<int>(speakers.size());
  p.caption = caption_of(p);
  return p;
}

}  // namespace areason
