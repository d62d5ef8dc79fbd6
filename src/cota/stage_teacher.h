#pragma once
// Who answers a job: a model behind src/llm (any provider, or a recording), or the oracle, which answers for clips of data
// synth from what it knows to be true. Called by stage_run. Thread rule: ask() may be called from any number of threads.
#include <memory>
#include <string>

#include "cota/stage_prompt.h"
#include "llm/budget.h"
#include "llm/message.h"
#include "llm/provider.h"

namespace areason {

struct Sample;
struct StageItem;

struct TeacherReply {
  llm::Reply reply;
  std::string fingerprint;  // hash of prompt, model, parameters and clips
  llm::Money money;
};

class Teacher {
 public:
  virtual ~Teacher() = default;
  virtual TeacherReply ask(Stage stage, const StageItem& item, const StagePrompt& prompt, const std::string& text) = 0;
  // For samples and reports: the model's name, "oracle".
  virtual std::string name() const = 0;
  // The most that a job can use and cost, for --dry-run.
  virtual llm::Estimate estimate(const StageItem& item, const StagePrompt& prompt, const std::string& text) const = 0;
};

enum class Hearing { kAudio, kTextOnly };  // kTextOnly: facts and timeline stand in for the clip

struct ProviderTeacherOptions {
  llm::ProviderPtr provider;
  std::string model;
  Hearing hearing = Hearing::kAudio;
  llm::PriceTable prices;
  std::string extra_json;  // merged into each request's body
  double timeout_seconds = 600;
};
std::unique_ptr<Teacher> make_provider_teacher(const ProviderTeacherOptions& options);
// Refuses clips that did not come from data synth.
std::unique_ptr<Teacher> make_oracle_teacher();
// Its verdict on a sample whose timeline is known, asked and read as in the review stage.
bool oracle_refuses(Teacher& oracle, const Sample& sample);

}  // namespace areason
