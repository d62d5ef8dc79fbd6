#include "synth/voice_bank.h"

#include <algorithm>
#include <set>

#include "base/error.h"

namespace areason {
namespace {

class EmbeddedVoices : public VoiceBank {
 public:
  explicit EmbeddedVoices(std::string work_dir) : work_dir_(std::move(work_dir)) {}

  std::vector<Voice> cast(const std::vector<std::string>& genders, const std::string& split, Random& random) const override {
    std::vector<Voice> side;
    for (const Voice& voice : english_voices()) {
      if (voice.unseen == (split == "test-unseen")) side.push_back(voice);
    }
    auto out = cast_from(std::move(side), genders, random);
    if (out.empty()) {
      throw Error(ErrorCode::kInput, "no " + std::to_string(genders.size()) + " different voices for a dialogue",
                  "use scripts with fewer speakers");
    }
    return out;
  }
  Samples speak(const Voice& voice, const VoiceStyle& style, const std::string& text) const override {
    return areason::speak(voice, style, text, work_dir_);
  }
  SourceRef source(const Voice& voice) const override { return source_of_voice(voice); }
  std::string name() const override { return "embedded"; }

 private:
  std::string work_dir_;
};

}  // namespace

std::vector<Voice> cast_from(std::vector<Voice> voices, const std::vector<std::string>& genders, Random& random) {
  if (voices.size() < genders.size()) return {};
  // A random order in which the first voice of each kin comes before every second one: flite's few voices would otherwise
  // drown among espeak-ng's many.
  random.shuffle(voices);
  std::set<std::string> kins;
  std::stable_partition(voices.begin(), voices.end(), [&](const Voice& v) { return kins.insert(v.kin).second; });
  const auto first_kins = static_cast<std::ptrdiff_t>(kins.size());
  std::vector<Voice> heads(voices.begin(), voices.begin() + first_kins);
  random.shuffle(heads);
  std::copy(heads.begin(), heads.end(), voices.begin());
  std::vector<Voice> out;
  for (const std::string& gender : genders) {
    auto it = std::find_if(voices.begin(), voices.end(), [&](const Voice& v) { return gender.empty() || v.gender == gender; });
    if (it == voices.end()) it = voices.begin();
    out.push_back(*it);
    voices.erase(it);
  }
  return out;
}

std::unique_ptr<VoiceBank> make_embedded_voices(const std::string& work_dir) {
  return std::make_unique<EmbeddedVoices>(work_dir);
}

}  // namespace areason
