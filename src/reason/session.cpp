#include "reason/session.h"

#include <atomic>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "reason/reasoner.h"
#include "reason/vote.h"

namespace areason {

struct Session::Impl {
  Impl(const std::string& model_dir, const SessionOptions& options) : reasoner(model_dir, options) {}

  Answer known() const {
    Answer answer;
    answer.seconds = {{"load", reasoner.load_seconds()},
                      {"decode", 0.0},
                      {"encode", 0.0},
                      {"cache", 0.0},
                      {"prefill", 0.0},
                      {"generate", 0.0}};
    return answer;
  }
  // Adds the user's turn and returns what is known of its answer.
  Answer add_turn(const std::vector<std::string>& audio_paths, const std::string& question, const AskOptions& options);
  std::vector<Answer> answers(const std::vector<Asked>& asked);

  Reasoner reasoner;
  Dialogue dialogue;
  std::atomic<bool> stop = false;
};

Answer Session::Impl::add_turn(const std::vector<std::string>& audio_paths, const std::string& question,
                               const AskOptions& options) {
  stop = false;
  Answer answer = known();
  for (const auto& clip : dialogue.waiting()) answer.audio.push_back(clip->heard);
  const HeardClips clips = reasoner.hear(audio_paths, options, answer);
  dialogue.begin(options);
  HeardClips all = dialogue.take_waiting();
  all.insert(all.end(), clips.begin(), clips.end());
  dialogue.add_user(all, question);
  return answer;
}

// Answers the dialogue's last question in each of these ways.
std::vector<Answer> Session::Impl::answers(const std::vector<Asked>& asked) {
  std::vector<Answer> out(asked.size());
  std::exception_ptr failure;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    Asked one = asked[i];
    one.stop = [this, &failure] { return stop.load() || interrupted() || failure != nullptr; };
    one.done = [&out, i](Answer&& answer) { out[i] = std::move(answer); };
    one.failed = [&failure](const std::exception_ptr& error) { failure = error; };
    try {
      reasoner.submit(dialogue, std::move(one));
    } catch (...) {
      failure = std::current_exception();
      break;
    }
  }
  // Answers in progress see the failure and end.
  while (reasoner.engine().step()) {
  }
  if (failure != nullptr) std::rethrow_exception(failure);
  return out;
}

Session::Session(const std::string& model_dir, const SessionOptions& options)
    : impl_(std::make_unique<Impl>(model_dir, options)) {}
Session::~Session() = default;

void Session::begin(const std::vector<std::string>& audio_paths, const std::vector<Exchange>& earlier,
                    const AskOptions& options) {
  Answer unused;
  HeardClips clips = impl_->reasoner.hear(audio_paths, options, unused);
  clear();
  impl_->dialogue.begin(options);
  for (const Exchange& round : earlier) {
    impl_->dialogue.add_user(std::exchange(clips, {}), round.question);
    impl_->dialogue.add_assistant(round.response);
  }
  impl_->dialogue.set_waiting(std::move(clips));
}

Answer Session::ask(const std::vector<std::string>& audio_paths, const std::string& question, const AskOptions& options,
                    const SectionSink& sink) {
  const Dialogue before = impl_->dialogue;
  try {
    Asked asked;
    asked.answer = impl_->add_turn(audio_paths, question, options);
    asked.options = options;
    asked.sink = sink;
    asked.keep = KeepPrefix::kAnswer;
    Answer answer = impl_->answers({asked}).front();
    impl_->dialogue.add_assistant(answer.text);
    return answer;
  } catch (...) {
    impl_->dialogue = before;  // a question that failed leaves the conversation as it was
    throw;
  }
}

std::uint64_t sample_seed(std::uint64_t seed, int sample) {
  return seed + static_cast<std::uint64_t>(sample) * 0x9e3779b97f4a7c15u;
}

std::vector<Answer> Session::ask_samples(const std::vector<std::string>& audio_paths, const std::string& question,
                                         const AskOptions& options, int samples) {
  const Dialogue before = impl_->dialogue;
  try {
    Asked asked;
    asked.answer = impl_->add_turn(audio_paths, question, options);
    asked.options = options;
    std::vector<Asked> all(static_cast<std::size_t>(samples), asked);
    for (int i = 0; i < samples; ++i) all[static_cast<std::size_t>(i)].options.seed = sample_seed(options.seed, i);
    std::vector<Answer> answers = impl_->answers(all);
    impl_->dialogue.add_assistant(answers.at(count_votes(answers).winner()).text);
    return answers;
  } catch (...) {
    impl_->dialogue = before;
    throw;
  }
}

void Session::clear() { impl_->dialogue = {}; }

void Session::stop() { impl_->stop = true; }

Json Session::transcript() const { return impl_->dialogue.transcript(); }
const std::string& Session::model_dir() const { return impl_->reasoner.dir(); }
SessionStats Session::stats() const { return impl_->reasoner.stats(); }

}  // namespace areason
