// What the engine gives to questions, on nano and real sounds: files of questions decoded together, samples, the cache on disk.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/testing.h"
#include "reason/batch.h"
#include "reason/session.h"
#include "reason/vote.h"

namespace areason {
namespace {

const std::string kSounds = "tests/golden/sounds/usr/share/sonic-pi/samples/";

class EngineUse : public ::testing::Test {
 protected:
  static std::vector<Question> questions() {
    std::vector<Question> out;
    for (const char* sound : {"drum_snare_hard", "elec_beep", "drum_cymbal_closed", "elec_plip", "elec_blip2"}) {
      const std::string path = kSounds + sound + ".flac";
      out.push_back({std::string(sound) + "-1", {path}, "How many sounds are heard?", {}, {}});
      out.push_back({std::string(sound) + "-2",
                     {path},
                     "Which of the following sounds is in the clip? (a) drum, (b) dog bark, (c) beep",
                     {{"What is heard?", "<RESPONSE>A sound.</RESPONSE>"}},
                     {}});
    }
    return out;
  }
  std::map<std::string, std::string> answers(const std::string& name, const BatchOptions& options,
                                             BatchStats* stats = nullptr) {
    AnswerFile out(dir_ + "/" + name);
    const BatchStats done = answer_questions(questions(), options, out);
    EXPECT_EQ(done.answered, 10u);
    if (stats != nullptr) *stats = done;
    std::map<std::string, std::string> texts;
    const std::string all = read_file(dir_ + "/" + name);
    for (std::size_t at = 0; at < all.size(); at = all.find('\n', at) + 1) {
      const Json line = parse_json(all.substr(at, all.find('\n', at) - at), name);
      texts[line["id"]] = line["text"];
    }
    return texts;
  }
  static BatchOptions batch(int running) {
    BatchOptions out;
    out.model_dir = "models/nano";
    out.workers = 1;
    out.session.threads = 2;
    out.session.running = running;
    return out;
  }
  const ScratchDir scratch_;
  const std::string& dir_ = scratch_.path();
};

TEST_F(EngineUse, AFileOfQuestionsIsAnsweredAsOneByOne) {
  std::map<std::string, std::string> alone;
  for (const Question& question : questions()) {
    Session session("models/nano", {.threads = 2});
    session.begin(question.audio, question.turns, {});
    alone[question.id] = session.ask({}, question.question, {}).text;
  }
  BatchStats stats;
  EXPECT_EQ(answers("many.jsonl", batch(16), &stats), alone);
  EXPECT_GT(stats.engine.tokens_a_pass, 3);
  EXPECT_GT(stats.engine.kv_bytes, 1u << 20);
  EXPECT_EQ(answers("one.jsonl", batch(1)), alone);
  BatchOptions drafting = batch(3);
  drafting.session.drafted = 6;
  drafting.workers = 2;
  EXPECT_EQ(answers("drafts.jsonl", drafting, &stats), alone);
  EXPECT_GT(stats.engine.accepted, 0);
}

TEST_F(EngineUse, ASampleDoesNotDependOnHowManyThereAre) {
  AskOptions options;
  options.temperature = 1.5f;
  options.seed = 11;
  const std::string clip = kSounds + "elec_beep.flac", question = "What is heard?";
  const auto texts = [&](int count, int running) {
    Session session("models/nano", {.threads = 2, .running = running});
    std::vector<std::string> out;
    for (const Answer& answer : session.ask_samples({clip}, question, options, count)) out.push_back(answer.text);
    return out;
  };
  const auto six = texts(6, 16), three = texts(3, 16), narrow = texts(6, 2);
  EXPECT_EQ(std::vector<std::string>(six.begin(), six.begin() + 3), three);
  EXPECT_EQ(narrow, six);
  EXPECT_NE(six[0], six[1]);
  Session session("models/nano", {.threads = 2});
  EXPECT_EQ(session.ask({clip}, question, options).text, six[0]);  // sample 0 has the seed itself
}

TEST_F(EngineUse, TheConversationGoesOnWithTheWinner) {
  Session session("models/nano", {.threads = 2});
  AskOptions options;
  options.temperature = 0.7f;
  const auto samples = session.ask_samples({kSounds + "elec_beep.flac"}, "What is heard?", options, 4);
  const Vote vote = count_votes(samples);
  EXPECT_GT(vote.voters, 0u);
  EXPECT_EQ(session.transcript().back()["content"], samples[vote.winner()].text);
  const Answer next = session.ask({}, "How many sounds?", {});
  EXPECT_GT(next.reused_tokens, samples[0].audio_tokens);
}

TEST_F(EngineUse, WhatWasHeardIsKeptOnDisk) {
  const std::string clip = kSounds + "drum_cymbal_closed.flac";
  const SessionOptions how{.threads = 2, .cache_dir = dir_ + "/cache"};
  const auto ask = [&](const std::string& model, const std::string& question, const SessionOptions& options) {
    Session session(model, options);
    return session.ask({clip}, question, {});
  };
  const auto files = [&] {
    return std::distance(std::filesystem::directory_iterator(dir_ + "/cache"), std::filesystem::directory_iterator());
  };
  const Answer fresh = ask("models/nano", "How many sounds are heard?", {.threads = 2});
  const Answer first = ask("models/nano", "How many sounds are heard?", how);
  EXPECT_EQ(first.reused_tokens, 0);
  EXPECT_EQ(files(), 2);  // embeddings; keys and values
  const Answer second = ask("models/nano", "What is heard?", how);
  EXPECT_GT(second.reused_tokens, second.audio_tokens);
  EXPECT_EQ(ask("models/nano", "How many sounds are heard?", how).text, fresh.text);
  EXPECT_EQ(files(), 2);

  // Another type of keys and values, another model: nothing of it is used.
  SessionOptions half = how;
  half.kv_type = KvType::kF16;
  EXPECT_EQ(ask("models/nano", "What is heard?", half).reused_tokens, 0);
  EXPECT_EQ(files(), 3);
  std::filesystem::copy("models/nano", dir_ + "/model", std::filesystem::copy_options::recursive);
  write_file_atomic(dir_ + "/model/generation_config.json", "{\"eos_token_id\": [1711, 1709], \"repetition_penalty\": 1.01}");
  EXPECT_EQ(ask(dir_ + "/model", "What is heard?", how).reused_tokens, 0);
  EXPECT_EQ(files(), 5);

  // Damage is a miss, with the same answer.
  std::vector<std::string> kept;  // first: a file that is replaced during the listing may be listed again
  for (const auto& entry : std::filesystem::directory_iterator(dir_ + "/cache")) kept.push_back(entry.path().string());
  for (const std::string& path : kept) {
    std::string bytes = read_file(path);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 64);
    write_file_atomic(path, bytes);
  }
  const Answer damaged = ask("models/nano", "How many sounds are heard?", how);
  EXPECT_EQ(damaged.reused_tokens, 0);
  EXPECT_EQ(damaged.text, fresh.text);
  EXPECT_GT(ask("models/nano", "What is heard?", how).reused_tokens, 0);  // and it is written anew
}

TEST_F(EngineUse, AFolderThatCannotBeMadeIsAnError) {
  write_file_atomic(dir_ + "/file", "x");
  EXPECT_THROW(Session("models/nano", {.threads = 1, .cache_dir = dir_ + "/file/cache"}), Error);
}

}  // namespace
}  // namespace areason
