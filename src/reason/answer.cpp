#include "base/json.h"
#include "reason/session.h"

namespace areason {

Json answer_to_json(const Answer& answer, const std::string& model) {
  Json sections = Json::object();
  for (const Section section : kSections) sections[std::string(section_key(section))] = answer.sections[section];
  Json audio = Json::array();
  for (const HeardAudio& heard : answer.audio) {
    audio.push_back({{"path", heard.path},
                     {"seconds", heard.seconds},
                     {"heard_seconds", heard.heard_seconds},
                     {"tokens", heard.tokens},
                     {"windows", heard.windows},
                     {"truncated", heard.truncated}});
  }
  Json cut = Json::array();
  for (const Section section : answer.cut) cut.push_back(section_key(section));
  Json timings = Json::object();
  for (const auto& [name, seconds] : answer.seconds) timings[name] = seconds;
  return {{"sections", std::move(sections)},
          {"text", answer.text},
          {"complete", answer.complete},
          {"cut", std::move(cut)},
          {"model", model},
          {"audio", std::move(audio)},
          {"usage",
           {{"prompt_tokens", answer.prompt_tokens},
            {"audio_tokens", answer.audio_tokens},
            {"completion_tokens", answer.completion_tokens},
            {"reused_tokens", answer.reused_tokens}}},
          {"timings", std::move(timings)},
          {"finish_reason", answer.finish_reason}};
}

}  // namespace areason
