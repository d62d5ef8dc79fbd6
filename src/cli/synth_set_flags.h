#pragma once
// The flags of `data synth --set`: which of the paper's sets, what they are mixed from, who speaks and who writes the scripts;
// and the run itself. Called by cmd_data.cpp. Thread rule: values; the flags must outlive the parsing. Errors: Error(kUsage,
// kInput, kRemote, kInterrupted).
#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "cli/llm_flags.h"
#include "cota/set_job.h"
#include "cota/set_maker.h"

namespace areason {

struct SynthSetFlags {
  std::vector<std::string> sets;
  int test = 0;
  std::string sounds;               // DIR of an imported set, or its clips.jsonl
  std::string voices = "embedded";  // cosyvoice, openai
  std::string speech_url, speech_key_variable, speech_model = "tts-1", speech_format = "wav", timbres;
  std::vector<std::string> speech_voices;
  int speech_rate = 24000, speech_attempts = 5;
  double speech_timeout = 120, speech_first_wait = 1;
  std::int64_t speech_requests_per_minute = 0;
  LlmFlags script;  // who writes the dialogues; the grammar without an api
  BudgetFlags budget;
  std::string prompts;

  void add_to(CLI::App& app);
  bool given() const { return !sets.empty(); }
  // `job` has out, seed, train, val, threads and questions_per_clip. Returns the report.
  Json run(SetJobOptions job, const SynthOptions& synth) const;

 private:
  std::shared_ptr<VoiceBank> voice_bank(const std::string& work_dir) const;
  // Asks for what is missing in OUT/scripts.jsonl; drops the clips whose script was given up.
  ScriptSource teacher_scripts(std::vector<SetOrder>& orders, const SetJobOptions& job) const;
};

}  // namespace areason
