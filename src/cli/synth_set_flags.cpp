#include "cli/synth_set_flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/data_flags.h"
#include "cli/progress_line.h"
#include "cota/script_teacher.h"
#include "cota/set_questions.h"
#include "cota/sound_import.h"
#include "synth/speech_server.h"

namespace areason {

void SynthSetFlags::add_to(CLI::App& app) {
  std::string names;
  for (const PaperSet& set : paper_sets()) names += ", " + set.name;
  app.add_option("--set", sets, "make these sets of the paper instead of nano's scenes: all" + names)
      ->delimiter(',')
      ->type_name("NAME,…");
  app.add_option("--test", test, "with --set: clips of test-unseen")->capture_default_str()->check(CLI::Range(0, 10000000));
  app.add_option("--sounds", sounds, "mix complex_audio from the clips of a data import (its folder) instead of the packages")
      ->type_name("DIR");
  app.add_option("--voices", voices, "who speaks in multi_speaker: embedded (espeak-ng, flite, festival), cosyvoice, openai")
      ->check(CLI::IsMember({"embedded", "cosyvoice", "openai"}))
      ->capture_default_str();
  app.add_option("--speech-url", speech_url, "address of the speech server")->type_name("URL");
  app.add_option("--speech-key-variable", speech_key_variable, "environment variable with its key (default: none is sent)")
      ->type_name("NAME");
  app.add_option("--timbres", timbres, "cosyvoice: LibriSpeech's folder, or NAME.wav with NAME.txt")->type_name("DIR");
  app.add_option("--speech-model", speech_model, "openai: the model")->type_name("NAME")->capture_default_str();
  app.add_option("--speech-voices", speech_voices, "openai: voices, e.g. alloy,nova:woman,onyx:man,echo")
      ->delimiter(',')
      ->type_name("NAME,…");
  app.add_option("--speech-format", speech_format, "openai: what is asked for: wav, flac, mp3, pcm")
      ->check(CLI::IsMember({"wav", "flac", "mp3", "pcm"}))
      ->capture_default_str();
  app.add_option("--speech-rate", speech_rate, "samples a second of raw answers (CosyVoice 1: 22050)")
      ->check(CLI::Range(8000, 96000))
      ->capture_default_str();
  app.add_option("--speech-attempts", speech_attempts, "of a line whose server fails for a while")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--speech-timeout", speech_timeout, "seconds for one attempt")
      ->check(CLI::Range(0.01, 86400.0))
      ->capture_default_str();
  app.add_option("--speech-first-wait", speech_first_wait, "seconds before the second attempt at most, doubled each time")
      ->check(CLI::Range(0.0, 60.0))
      ->capture_default_str();
  app.add_option("--speech-requests-per-minute", speech_requests_per_minute, "0: no limit")->capture_default_str();
  script.add_to(app, "script-", "who writes the dialogues (default: the built-in grammar)", LlmFlags::Sampling::kByPrompt);
  budget.add_to(app);
  app.add_option("--prompts", prompts, "folder of prompts with script/default.txt (default: the program's own)")
      ->type_name("DIR");
}

std::shared_ptr<VoiceBank> SynthSetFlags::voice_bank(const std::string& work_dir) const {
  if (voices == "embedded") return make_embedded_voices(work_dir);
  if (speech_url.empty())
    throw Error(ErrorCode::kUsage, "--voices " + voices + " needs --speech-url", "e.g. http://127.0.0.1:50000");
  SpeechServerOptions server;
  server.url = speech_url;
  if (!speech_key_variable.empty()) server.key = llm::Secret::required(speech_key_variable);
  server.sample_rate = speech_rate;
  server.timeout_seconds = speech_timeout;
  server.governed.retry.attempts = speech_attempts;
  server.governed.retry.first_seconds = speech_first_wait;
  if (speech_requests_per_minute > 0) server.governed.rates.windows.push_back({60, speech_requests_per_minute, 0});
  if (voices == "openai") return make_speech_api({server, speech_model, speech_format, speech_voices});
  if (timbres.empty())
    throw Error(ErrorCode::kUsage, "--voices cosyvoice needs --timbres", "a folder of LibriSpeech, or NAME.wav with NAME.txt");
  return make_cosyvoice(server, read_timbres(timbres));
}

ScriptSource SynthSetFlags::teacher_scripts(std::vector<SetOrder>& orders, const SetJobOptions& job) const {
  std::vector<std::string> ids;
  for (const SetOrder& order : orders) {
    if (order.set == "multi_speaker") ids.push_back(order.id);
  }
  make_directories(job.out);
  const std::string file = job.out + "/scripts.jsonl";
  const auto spending = budget.build();
  const AskedModel teacher = script.build(spending, "");
  ScriptTeacherOptions options;
  options.provider = teacher.provider;
  options.model = teacher.model;
  options.parameters = teacher.parameters;
  options.timeout_seconds = teacher.timeout_seconds;
  options.workers = teacher.workers;
  options.seed = job.seed;
  options.prompt = read_prompt_file(prompts.empty() ? default_prompts_dir() : prompts, "script/default");
  options.progress = [line = std::make_shared<ProgressLine>()](std::size_t done, std::size_t total, double seconds) {
    (*line)({total, done, done, seconds, ""});
  };
  const KeptCounts counts = write_scripts(file, ids, options);
  log_info(fmt::format("scripts: {} written, {} were there, {} answers refused, {} clips given up; {}", counts.written,
                       counts.known, counts.refused_answers, counts.given_up.size(), spent_line(*spending)));
  require_some_answer(counts, "the scripts' teacher");
  if (!counts.given_up.empty()) log_warning("the last answer that could not be used: " + counts.last_refusal);
  const std::set<std::string> gone(counts.given_up.begin(), counts.given_up.end());
  std::erase_if(orders, [&](const SetOrder& order) { return gone.contains(order.id); });
  return [scripts = read_scripts(file), file](const std::string& id) {
    const auto it = scripts.find(id);
    if (it == scripts.end()) throw Error(ErrorCode::kInput, file + ": no script for " + id, "run the command again");
    return it->second;
  };
}

Json SynthSetFlags::run(SetJobOptions job, const SynthOptions& synth) const {
  script.refuse_without_api();
  if (voices == "embedded" && !speech_url.empty())
    throw Error(ErrorCode::kUsage, "--speech-url needs --voices", "--voices cosyvoice or openai says what the server speaks");
  job.test = test;
  if (sets != std::vector<std::string>{"all"}) job.sets = sets;
  std::vector<SetOrder> orders = plan_set_clips(job);
  const bool dialogues = std::any_of(orders.begin(), orders.end(), [](const SetOrder& o) { return o.set == "multi_speaker"; });
  SetMakerOptions options;
  options.sets = job.sets;
  options.synth = synth;
  job.material = "packaged sounds";
  if (!sounds.empty()) {
    const std::string file = std::filesystem::is_directory(sounds) ? sounds + "/clips.jsonl" : sounds;
    ImportedSounds imported = sounds_of_import(file);
    log_info(fmt::format("{}: {} sounds; left out: {} without a name, {} with several, {} too long, {} excluded", file,
                         imported.sounds.size(), imported.without_name, imported.several_names, imported.too_long,
                         imported.excluded));
    options.sounds = std::move(imported.sounds);
    job.material = "sounds of " + file;
  }
  if (dialogues) {
    options.voices = voice_bank(synth.work_dir);
    job.material += "; voices " + options.voices->name();
    job.material += "; scripts by " + (script.given() ? script.model : std::string("the grammar"));
    if (script.given()) options.scripts = teacher_scripts(orders, job);
  }
  const SetMaker maker(options);
  job.sounds = maker.own_sounds();
  return run_set_job(job, orders, [&](const std::string& id, const std::string& set, const std::string& split) {
    return maker.make(id, set, split);
  });
}

}  // namespace areason
