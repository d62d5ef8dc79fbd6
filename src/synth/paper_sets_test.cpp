// Complex Audio and Multi-Speaker: the truth against the sound, the same again from the same seed, and both speech servers'
// wire formats against a real HTTP server.
#include <gtest/gtest.h>

#include <filesystem>
#include <numbers>
#include <set>

#include "audio/decode.h"
#include "audio/write.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/testing.h"
#include "llm/testing.h"
#include "synth/complex_audio.h"
#include "synth/loudness.h"
#include "synth/multi_speaker.h"
#include "synth/speech_server.h"

namespace areason {
namespace {

namespace fs = std::filesystem;
using llm::testing::Server;

// Every recording of the committed slice as a sound of its own name; two thirds known, one third unseen.
std::vector<PoolSound> slice_sounds() {
  std::vector<PoolSound> out;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator("tests/golden/sounds/usr/share/sonic-pi/samples"))
    if (entry.path().extension() == ".flac") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::string name = files[i].stem().string();
    out.push_back({name, "", {"slice:" + name, "slice", files[i].string(), "CC0", ""}, false});
    out.push_back({name + " unseen", "", {"slice:" + name + "-unseen", "slice", files[i].string(), "CC0", ""}, true});
  }
  return out;
}

Samples tone(double hertz, double seconds) {
  Samples out(static_cast<std::size_t>(seconds * kSynthRate));
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = 0.3F * static_cast<float>(std::sin(2 * std::numbers::pi * hertz * static_cast<double>(i) / kSynthRate));
  return out;
}

// The slice's drums and beeps, and three engines that go on.
std::vector<PoolSound> slice_and_engines() {
  std::vector<PoolSound> out = slice_sounds();
  const std::string folder = scratch_path("engines");
  make_directories(folder);
  for (int i = 0; i < 6; ++i) {
    const std::string name = "engine " + std::to_string(i), path = folder + "/" + name + ".flac";
    write_flac(path, {tone(90 + 40 * i, 3), kSynthRate});
    out.push_back({name + (i % 2 == 1 ? " unseen" : ""), "", {"engines:" + name, "engines", path, "CC0", ""}, i % 2 == 1});
  }
  return out;
}

TEST(ComplexAudio, TruthAgreesWithTheSoundAndRepeats) {
  const SoundPool pool(slice_and_engines());
  const ComplexAudio maker(pool, {});
  int temporal = 0;
  for (int i = 0; i < 20; ++i) {
    const std::string id = "clip-" + std::to_string(i), split = i % 5 == 4 ? "test-unseen" : "train";
    const Scene scene = maker.make(id, split);
    ASSERT_TRUE(scene.staging);
    temporal += scene.staging->form == "temporal" ? 1 : 0;
    EXPECT_EQ(scene.staging->set, "complex_audio");
    EXPECT_LE(scene.seconds, 30.5);
    EXPECT_GE(scene.events.size(), scene.staging->form == "temporal" ? 3u : 2u);
    EXPECT_NEAR(integrated_loudness(scene.audio.samples, kSynthRate), scene.staging->lufs, 0.01);
    double last = 0;
    for (const Event& e : scene.events) {
      ASSERT_TRUE(e.detail);
      EXPECT_LT(e.from, e.to);
      EXPECT_LE(e.to, scene.seconds + 0.01);
      EXPECT_GE(e.from, last);
      last = e.from;
      EXPECT_EQ(e.label.ends_with("unseen"), split == "test-unseen") << e.label;
      EXPECT_EQ(e.kind == EventKind::kBackground, scene.staging->form == "composite" && &e == &scene.events.front()) << e.label;
    }
    for (const SourceRef& source : scene.sources) EXPECT_EQ(source.sha256.size(), 64u);
    EXPECT_EQ(maker.make(id, split).audio.samples, scene.audio.samples);
  }
  EXPECT_GT(temporal, 4);
  EXPECT_LT(temporal, 20);
}

TEST(ComplexAudio, TracksAreRepeatedWithoutAHole) {
  const Samples engine = tone(200, 2);
  EXPECT_TRUE(is_sustained(engine));
  Samples knocks(3 * kSynthRate, 0.F);
  for (std::size_t k = 0; k < 3; ++k)
    for (std::size_t i = 0; i < 800; ++i) knocks[k * kSynthRate + i] = 0.5F;
  EXPECT_FALSE(is_sustained(knocks));
  Random random(1);
  const Samples track = sustained_track(engine, 9.5, random);
  EXPECT_EQ(track.size(), static_cast<std::size_t>(9.5 * kSynthRate));
  for (std::size_t at = 0; at + 1600 <= track.size(); at += 1600)
    EXPECT_GT(rms(std::span<const float>(track).subspan(at, 1600)), 0.1) << at;
}

TEST(ComplexAudio, TooFewNamesAreAnErrorThatSaysSo) {
  std::vector<PoolSound> few = slice_sounds();
  few.resize(4);
  const SoundPool pool(few);
  const ComplexAudio maker(pool, {});
  EXPECT_THROW(maker.make("x", "train"), Error);
  EXPECT_THROW(SoundPool({}), Error);
}

TEST(SoundPool, ForgetsTheOldestSoundsOverItsLimit) {
  const SoundPool pool(slice_sounds(), 1);  // a byte: only the last one stays
  const auto first = pool.samples(0);
  pool.samples(2);
  EXPECT_EQ(*pool.samples(0), *first);
}

TEST(Script, GrammarNeverLetsOnePersonRepeatThemselves) {
  std::set<std::size_t> speakers;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    const DialogueScript script = make_grammar_script(random);
    speakers.insert(script.speakers.size());
    std::set<std::pair<int, std::string>> topics;
    std::set<int> heard;
    std::set<std::string> statements;
    for (std::size_t i = 0; i < script.lines.size(); ++i) {
      const ScriptLine& line = script.lines[i];
      heard.insert(line.speaker);
      if (i > 0) {
        EXPECT_NE(line.speaker, script.lines[i - 1].speaker);
      }
      if (line.topic.empty()) continue;
      EXPECT_TRUE(topics.insert({line.speaker, line.topic}).second) << line.text;
      EXPECT_TRUE(statements.insert(line.topic + line.statement).second) << line.text;
      const auto all = statements_about(line.topic);
      EXPECT_NE(std::find(all.begin(), all.end(), line.statement), all.end());
      EXPECT_NE(spoken_words(line.text).find(line.topic.substr(4) + " " + line.statement.substr(3)), std::string::npos);
    }
    EXPECT_GE(heard.size(), 2u);
  }
  EXPECT_EQ(speakers, (std::set<std::size_t>{2, 3, 4}));
}

// ---- speech servers ----

std::string pcm16(const Samples& samples) {
  std::string out;
  for (const float s : samples) {
    const auto v = static_cast<std::uint16_t>(static_cast<std::int16_t>(std::lround(s * 32767)));
    out += static_cast<char>(v & 0xff);
    out += static_cast<char>(v >> 8);
  }
  return out;
}

// A tone as long as the text would be spoken, at `rate` samples a second.
Samples spoken(const std::string& text, int rate) {
  const Waveform wave = resample({tone(300, 0.08 * static_cast<double>(text.size())), kSynthRate}, rate);
  return wave.samples;
}

// LibriSpeech's layout with two readers.
std::string timbre_folder() {
  const std::string root = scratch_path("LibriSpeech");
  for (const char* reader : {"19", "26", "27", "32", "39", "40"}) {
    const std::string folder = root + "/train-clean-100/" + reader + "/198";
    make_directories(folder);
    const std::string id = std::string(reader) + "-198-0000";
    write_flac(folder + "/" + id + ".flac", {tone(220, 4), kSynthRate});
    write_file_atomic(folder + "/" + reader + "-198.trans.txt", id + " NORTHANGER ABBEY THAT I'VE SEEN I THINK\n");
  }
  write_file_atomic(root + "/SPEAKERS.TXT",
                    ";ID  |SEX| SUBSET           |MINUTES| NAME\n19   | F | train-clean-100  | 25.19 | Kara Shallenberg\n"
                    "26   | M | train-clean-100  | 25.08 | Denny Sayers\n");
  return root;
}

SpeechServerOptions server_options(const std::string& url) {
  SpeechServerOptions options;
  options.url = url;
  options.timeout_seconds = 300;  // against a hang only: a loaded machine may stall for seconds
  options.governed.clock = std::make_shared<llm::testing::ManualClock>();
  options.governed.retry.seed = 1;
  return options;
}

TEST(Timbres, ReadsLibriSpeechAndPlainFolders) {
  const auto timbres = read_timbres(timbre_folder());
  ASSERT_EQ(timbres.size(), 6u);
  EXPECT_EQ(timbres[0].id, "19-198-0000");
  EXPECT_EQ(timbres[0].gender, "woman");
  EXPECT_EQ(timbres[1].gender, "man");
  EXPECT_EQ(timbres[2].gender, "");
  EXPECT_EQ(timbres[0].text, "Northanger abbey that I've seen I think.");
  const std::string plain = scratch_path("plain_timbres");
  make_directories(plain);
  EXPECT_THROW(read_timbres(plain), Error);
  write_wav(plain + "/kim.wav", {tone(200, 1), kSynthRate});
  write_file_atomic(plain + "/kim.txt", "Good day to you.\n");
  ASSERT_EQ(read_timbres(plain).size(), 1u);
  EXPECT_EQ(read_timbres(plain)[0].text, "Good day to you.");
}

TEST(SpeechServer, CosyVoiceWireFormat) {
  std::string tts, prompt, wav, file_name, content_type, method;
  Server server([&](const httplib::Request& request, httplib::Response& response) {
    method = request.method;
    tts = request.get_file_value("tts_text").content;
    prompt = request.get_file_value("prompt_text").content;
    wav = request.get_file_value("prompt_wav").content;
    file_name = request.get_file_value("prompt_wav").filename;
    content_type = request.get_header_value("Content-Type");
    // As the runtime streams it: chunked, no length, no header.
    response.set_chunked_content_provider("application/octet-stream", [text = tts](std::size_t, httplib::DataSink& sink) {
      const std::string bytes = pcm16(spoken(text, 24000));
      sink.write(bytes.data(), bytes.size() / 2);
      sink.write(bytes.data() + bytes.size() / 2, bytes.size() - bytes.size() / 2);
      sink.done();
      return true;
    });
  });
  const auto bank = make_cosyvoice(server_options(server.url()), read_timbres(timbre_folder()));
  Random random(1);
  const auto cast = bank->cast({"woman", ""}, "train", random);
  ASSERT_EQ(cast.size(), 2u);
  EXPECT_NE(cast[0].id, cast[1].id);
  const Voice kara{"cosyvoice:19", "cosyvoice", "19", "woman", "19", false};
  const Samples samples = bank->speak(kara, {}, "The train takes six hours.");
  EXPECT_EQ(server.seen()[0].path, "/inference_zero_shot");
  EXPECT_EQ(method, "POST");
  EXPECT_TRUE(content_type.starts_with("multipart/form-data")) << content_type;
  EXPECT_EQ(tts, "The train takes six hours.");
  EXPECT_EQ(prompt, "Northanger abbey that I've seen I think.");
  EXPECT_EQ(file_name, "prompt.wav");
  ASSERT_GT(wav.size(), 44u);
  EXPECT_EQ(wav.substr(0, 4), "RIFF");
  EXPECT_EQ(wav.substr(8, 4), "WAVE");
  const double wanted = 0.08 * 26;
  EXPECT_NEAR(static_cast<double>(samples.size()) / kSynthRate, wanted, 0.05);  // 24 kHz came back as 16 kHz
  EXPECT_TRUE(bank->source(kara).id.starts_with("cosyvoice:19:19-198-0000"));
}

TEST(SpeechServer, OtherRatesAreResampled) {
  Server server([](const httplib::Request& request, httplib::Response& response) {
    response.set_content(pcm16(spoken(request.get_file_value("tts_text").content, 22050)), "application/octet-stream");
  });
  SpeechServerOptions options = server_options(server.url());
  options.sample_rate = 22050;
  const auto bank = make_cosyvoice(options, read_timbres(timbre_folder()));
  const Samples samples = bank->speak({"", "", "26", "", "", false}, {}, "A line of some length.");
  EXPECT_NEAR(static_cast<double>(samples.size()) / kSynthRate, 0.08 * 22, 0.05);
}

TEST(SpeechServer, ARateThatTheServerNamesCounts) {
  Server server([](const httplib::Request& request, httplib::Response& response) {
    response.set_header("X-Custom-Header-sampleRate", "22050");
    response.set_content(pcm16(spoken(request.get_file_value("tts_text").content, 22050)), "application/octet-stream");
  });
  const auto bank = make_cosyvoice(server_options(server.url()), read_timbres(timbre_folder()));
  const Samples samples = bank->speak({"", "", "26", "", "", false}, {}, "A line of some length.");
  EXPECT_NEAR(static_cast<double>(samples.size()) / kSynthRate, 0.08 * 22, 0.05);
}

// What goes wrong inside the engine comes as 200 with a short, an odd or a silent body; 429, 500 and cut connections happen
// too.
TEST(SpeechServer, TriesAgainUntilSpeechComes) {
  int calls = 0;
  Server server([&](const httplib::Request&, httplib::Response& response) {
    const std::string good = pcm16(spoken("Is anybody there, please?", 24000));
    switch (calls++) {
      case 0:
        response.status = 500;
        return;
      case 1:
        response.set_content("", "application/octet-stream");
        return;
      case 2:
        response.set_content(good.substr(0, 2001), "application/octet-stream");
        return;
      case 3:
        response.set_content(std::string(good.size(), '\0'), "application/octet-stream");
        return;
      case 4:
        response.set_content(good.substr(0, 4000), "application/octet-stream");
        return;
      case 5:
        response.status = 429;
        response.set_header("Retry-After", "3");
        return;
      case 6:
        llm::testing::cut_off(response, good);
        return;
      default:
        response.set_content(good, "application/octet-stream");
    }
  });
  SpeechServerOptions options = server_options(server.url());
  options.governed.retry.attempts = 8;
  const auto bank = make_cosyvoice(options, read_timbres(timbre_folder()));
  EXPECT_GT(bank->speak({"", "", "26", "", "", false}, {}, "Is anybody there, please?").size(), 10000u);
  EXPECT_EQ(calls, 8);
}

TEST(SpeechServer, GivesUpWithAReason) {
  int calls = 0;
  Server server([&](const httplib::Request&, httplib::Response& response) {
    ++calls;
    response.status = 400;
    response.set_content("{\"detail\": \"prompt too long\"}", "application/json");
  });
  const auto bank = make_cosyvoice(server_options(server.url()), read_timbres(timbre_folder()));
  try {
    bank->speak({"", "", "26", "", "", false}, {}, "Hello there.");
    FAIL() << "a refusal was taken for speech";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kRemote);
    EXPECT_NE(std::string(e.what()).find("400"), std::string::npos) << e.what();
  }
  EXPECT_EQ(calls, 1);  // trying again would not help
}

std::string wav_bytes(const Samples& samples, int rate) {
  const std::string path = scratch_path("answer.wav");
  write_wav(path, {samples, rate});
  return read_file(path);
}

TEST(SpeechServer, SpeechApiWireFormat) {
  Json body;
  std::string key;
  Server server([&](const httplib::Request& request, httplib::Response& response) {
    body = parse_json(request.body, "request");
    key = request.get_header_value("Authorization");
    EXPECT_EQ(request.get_header_value("Content-Type"), "application/json");
    std::string wav = wav_bytes(spoken(body["input"], 44100), 44100);
    // Streaming servers do not know the length when they write the header.
    for (const std::size_t at : {std::size_t{4}, std::size_t{40}}) wav.replace(at, 4, "\xff\xff\xff\xff");
    response.set_content(wav, "audio/wav");
  });
  SpeechApiOptions options;
  options.server = server_options(server.url());
  options.server.key = llm::testing::test_key();
  options.voices = {"alloy", "nova:woman", "onyx:man", "echo"};
  const auto bank = make_speech_api(options);
  const Samples samples = bank->speak({"", "", "nova", "", "", false}, {}, "The lunch costs two euros.");
  EXPECT_EQ(server.seen()[0].path, "/v1/audio/speech");
  EXPECT_EQ(dump_json(body),
            R"({"model":"tts-1","input":"The lunch costs two euros.","voice":"nova","response_format":"wav"})");
  EXPECT_EQ(key, std::string("Bearer ") + llm::testing::kTestKey);
  EXPECT_NEAR(static_cast<double>(samples.size()) / kSynthRate, 0.08 * 26, 0.05);
  Random random(1);
  EXPECT_EQ(bank->cast({"woman", "man"}, "train", random)[0].name, "nova");
  EXPECT_EQ(bank->cast({""}, "test-unseen", random)[0].name, "echo");
  EXPECT_THROW(bank->cast({"", ""}, "test-unseen", random), Error);
  options.voices = {"a:child"};
  EXPECT_THROW(make_speech_api(options), Error);
  options.voices = {};
  EXPECT_THROW(make_speech_api(options), Error);
}

TEST(SpeechServer, RawSamplesThatWrappedAreRepaired) {
  // 0.9, then +1.0 cast to -32768, then 0.9.
  const auto samples = raw_samples(std::string("\x32\x73\x00\x80\x32\x73", 6));
  ASSERT_EQ(samples.size(), 3u);
  EXPECT_EQ(samples[1], 1.F);
  const auto loud = raw_samples(std::string("\xce\x8c\x00\x80\xce\x8c", 6));
  EXPECT_EQ(loud[1], -1.F);
}

TEST(MultiSpeaker, TimelineIsWhatIsHeard) {
  std::atomic<int> lines{0};
  Server server([&](const httplib::Request& request, httplib::Response& response) {
    ++lines;
    response.set_content(pcm16(spoken(request.get_file_value("tts_text").content, 24000)), "application/octet-stream");
  });
  const auto bank = make_cosyvoice(server_options(server.url()), read_timbres(timbre_folder()));
  MultiSpeakerOptions options;
  options.overlap_share = 0.5;
  const MultiSpeaker maker(*bank, options);
  int overlaps = 0, rooms = 0;
  for (std::uint64_t i = 0; i < 8; ++i) {
    Random random(i);
    const DialogueScript script = make_grammar_script(random);
    if (script.speakers.size() > 4) continue;
    const Scene scene = maker.make("d" + std::to_string(i), "train", script);
    ASSERT_GE(scene.events.size(), 3u);
    EXPECT_LE(scene.seconds, 30);
    rooms += scene.staging->decay_seconds > 0 ? 1 : 0;
    for (std::size_t k = 0; k < scene.events.size(); ++k) {
      const Event& e = scene.events[k];
      EXPECT_EQ(e.text, spoken_words(script.lines[k].text));
      EXPECT_EQ(e.detail->topic, script.lines[k].topic);
      EXPECT_EQ(e.speaker, scene
                               .events[static_cast<std::size_t>(
                                   std::find_if(script.lines.begin(), script.lines.end(),
                                                [&](const ScriptLine& l) { return l.speaker == script.lines[k].speaker; }) -
                                   script.lines.begin())]
                               .speaker);
      if (k > 0) overlaps += e.from < scene.events[k - 1].to ? 1 : 0;
      if (k > 1) {
        EXPECT_GE(e.from, scene.events[k - 2].to - 0.02) << "three at once";
      }
    }
    EXPECT_NEAR(integrated_loudness(scene.audio.samples, kSynthRate), scene.staging->lufs, 0.01);
    EXPECT_EQ(maker.make("d" + std::to_string(i), "train", script).audio.samples, scene.audio.samples);
  }
  EXPECT_GT(overlaps, 2);
  EXPECT_GT(rooms, 1);
}

}  // namespace
}  // namespace areason
