#include "llm/openai.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "llm/testing.h"

namespace areason::llm {
namespace {

using namespace testing;

OpenAiOptions openai_options(const Server& server) {
  OpenAiOptions options;
  options.url = server.url();
  options.key = test_key();
  return options;
}

TEST(OpenAiChat, SendsWhatTheApiDocumentsAndReadsTheAnswer) {
  Server server([](const auto&, auto& response) {
    Json body = chat_answer("A tone.", 120, 7);
    body["usage"]["prompt_tokens_details"] = {{"audio_tokens", 100}, {"cached_tokens", 0}};
    body["usage"]["completion_tokens_details"] = {{"reasoning_tokens", 3}};
    answer(response, body);
  });
  const auto provider = make_openai_chat(openai_options(server));
  Request request = ask_about(tone(), "What is heard?", "gpt-4o-audio-preview");
  request.messages.insert(request.messages.begin(), text_message(Role::kSystem, "Be brief."));
  request.parameters.temperature = 0;
  request.parameters.seed = 7;
  request.parameters.stop = {"END"};
  request.parameters.extra_json = R"({"min_p": 0.05})";
  const Reply reply = provider->complete(request);

  EXPECT_EQ(reply.finish, Finish::kStop);
  EXPECT_EQ(reply.text, "A tone.");
  EXPECT_EQ(reply.detail, "stop");
  EXPECT_EQ(reply.http_status, 200);
  EXPECT_TRUE(reply.usage.known);
  EXPECT_EQ(reply.usage.input, 120);
  EXPECT_EQ(reply.usage.output, 7);
  EXPECT_EQ(reply.usage.audio, 100);
  EXPECT_EQ(reply.usage.thinking, 3);
  EXPECT_GT(reply.latency_seconds, 0);
  EXPECT_EQ(parse_json(reply.raw, "raw")["id"], "chatcmpl-1");

  const auto seen = server.seen();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].path, "/v1/chat/completions");
  EXPECT_EQ(seen[0].header("Authorization"), std::string("Bearer ") + kTestKey);
  const Json wanted = {
      {"model", "gpt-4o-audio-preview"},
      {"messages",
       Json::array({{{"role", "system"}, {"content", "Be brief."}},
                    {{"role", "user"},
                     {"content", Json::array({{{"type", "input_audio"},
                                               {"input_audio", {{"data", base64(tone()->bytes)}, {"format", "wav"}}}},
                                              {{"type", "text"}, {"text", "What is heard?"}}})}}})},
      {"max_tokens", 2048},
      {"temperature", 0.0},
      {"seed", 7},
      {"stop", Json::array({"END"})},
      {"min_p", 0.05}};
  EXPECT_EQ(parse_json(seen[0].body, "body"), wanted);
}

TEST(OpenAiChat, WritesAudioTheWayAServerWantsIt) {
  Server server([](const auto&, auto& response) { answer(response, chat_answer("ok", 1, 1)); });
  OpenAiOptions options = openai_options(server);
  options.url += "/v1/";
  options.token_field = TokenField::kMaxCompletionTokens;
  const std::string url = "data:audio/wav;base64," + base64(tone()->bytes);
  options.audio_field = AudioField::kAudioUrl;
  make_openai_chat(options)->complete(ask_about(tone(), "?"));
  options.audio_field = AudioField::kInputAudioDataUrl;
  make_openai_chat(options)->complete(ask_about(tone(), "?"));
  const auto seen = server.seen();
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].path, "/v1/chat/completions");
  const Json first = parse_json(seen[0].body, "body"), second = parse_json(seen[1].body, "body");
  EXPECT_EQ(first["messages"][0]["content"][0], (Json{{"type", "audio_url"}, {"audio_url", {{"url", url}}}}));
  EXPECT_EQ(second["messages"][0]["content"][0]["input_audio"]["data"], url);
  EXPECT_EQ(first["max_completion_tokens"], 2048);
  EXPECT_FALSE(first.contains("max_tokens"));
}

struct Case {
  const char* name;
  int status;
  std::string body;
  Finish finish;
  std::string text;
  std::string detail;
};

TEST(OpenAiChat, EveryKindOfAnswerHasItsOutcome) {
  Json refusal = chat_answer("", 5, 2);
  refusal["choices"][0]["message"] = {{"role", "assistant"}, {"content", nullptr}, {"refusal", "I can't help with that."}};
  Json parts = chat_answer("", 5, 2);
  parts["choices"][0]["message"]["content"] =
      Json::array({{{"type", "text"}, {"text", "two "}}, {{"type", "text"}, {"text", "parts"}}});
  const auto thoughtful = [](const char* content, const char* thoughts) {
    Json answer = chat_answer(content, 5, 2);
    answer["choices"][0]["message"]["reasoning_content"] = thoughts;
    return dump_json(answer);
  };
  const auto error = [](const char* message, const Json& code, const char* type) {
    return dump_json({{"error", {{"message", message}, {"type", type}, {"param", nullptr}, {"code", code}}}});
  };
  const std::vector<Case> cases = {
      {"length", 200, dump_json(chat_answer("cut", 5, 9, "length")), Finish::kLength, "cut", "length"},
      {"filter", 200, dump_json(chat_answer("", 5, 0, "content_filter")), Finish::kBlocked, "", "content_filter"},
      {"refusal", 200, dump_json(refusal), Finish::kRefused, "I can't help with that.", "stop"},
      {"empty", 200, dump_json(chat_answer("", 5, 0)), Finish::kEmpty, "", "stop"},
      {"parts", 200, dump_json(parts), Finish::kStop, "two parts", "stop"},
      {"our chain", 200, thoughtful("A dog.", "<PLANNING>I listen.</PLANNING>"), Finish::kStop,
       "<THINK>\n<PLANNING>I listen.</PLANNING>\n</THINK>\n<RESPONSE>\nA dog.</RESPONSE>", "stop"},
      {"our chain, cut", 200, thoughtful("", "<PLANNING>I lis"), Finish::kStop, "<THINK>\n<PLANNING>I lis", "stop"},
      {"others' thoughts", 200, thoughtful("A dog.", "Hmm, a dog?"), Finish::kStop, "A dog.", "stop"},
      {"abort", 200, dump_json(chat_answer("x", 5, 1, "abort")), Finish::kServerError, "x", "abort"},
      {"not JSON", 200, "<html>busy</html>", Finish::kMalformed, "", "malformed"},
      {"half", 200, dump_json(chat_answer("x", 5, 1)).substr(0, 60), Finish::kMalformed, "", "malformed"},
      {"no choices", 200, R"({"id": "x", "choices": []})", Finish::kMalformed, "", "malformed"},
      {"deep", 200, R"({"choices": [{"message": )" + std::string(1000000, '['), Finish::kMalformed, "", "malformed"},
      {"deep error", 500,
       R"({"error": {"message": "x", "details": )" + std::string(500000, '[') + std::string(500000, ']') + "}}",
       Finish::kServerError, "", "HTTP 500"},
      {"deep content", 200,
       R"({"choices": [{"finish_reason": "stop", "message": {"content": )" + std::string(500000, '[') +
           std::string(500000, ']') + "}}]}",
       Finish::kEmpty, "", "stop"},
      {"choice is text", 200, R"({"choices": ["x"]})", Finish::kMalformed, "", "malformed"},
      {"gateway", 200, R"({"error": {"message": "upstream", "code": 429}})", Finish::kRateLimited, "", "HTTP 429"},
      {"key", 401, error("Incorrect API key provided", "invalid_api_key", "invalid_request_error"), Finish::kUnauthorised, "",
       "invalid_api_key"},
      {"model", 404, error("The model does not exist", "model_not_found", "invalid_request_error"), Finish::kNoSuchModel, "",
       "model_not_found"},
      {"bad request", 400, error("Invalid temperature", nullptr, "invalid_request_error"), Finish::kRejected, "",
       "invalid_request_error"},
      {"azure filter", 400, error("filtered", "content_filter", ""), Finish::kBlocked, "", "content_filter"},
      {"quota", 429, error("You exceeded your current quota", "insufficient_quota", "insufficient_quota"), Finish::kQuota, "",
       "insufficient_quota"},
      {"rate", 429, error("Rate limit reached", "rate_limit_exceeded", "tokens"), Finish::kRateLimited, "",
       "rate_limit_exceeded"},
      {"large", 413, "too large", Finish::kTooLarge, "", "HTTP 413"},
      {"server", 500, "oops", Finish::kServerError, "", "HTTP 500"},
      {"overload", 503, R"({"detail": "loading"})", Finish::kServerError, "", "HTTP 503"},
      {"redirect", 302, "", Finish::kRejected, "", "HTTP 302"},
  };
  std::size_t current = 0;
  Server server([&](const auto&, auto& response) {
    response.status = cases[current].status;
    response.set_header("Location", "http://127.0.0.1:1/");
    response.set_content(cases[current].body, "application/json");
  });
  const auto provider = make_openai_chat(openai_options(server));
  for (; current < cases.size(); ++current) {
    const Case& c = cases[current];
    const Reply reply = provider->complete(ask("x"));
    EXPECT_EQ(reply.finish, c.finish) << c.name << ": " << finish_name(reply.finish) << " " << reply.error;
    EXPECT_EQ(reply.text, c.text) << c.name;
    EXPECT_EQ(reply.detail, c.detail) << c.name;
    EXPECT_EQ(reply.raw, c.body) << c.name;
    EXPECT_EQ(reply.error.empty(), is_answer(c.finish) && c.status == 200) << c.name;
  }
  EXPECT_EQ(server.seen().size(), cases.size()) << "one attempt each; a redirect is not followed";
}

TEST(OpenAiTranscription, SendsAFormAndReadsTheTranscript) {
  httplib::MultipartFormDataMap files;
  Server server([&](const auto& request, auto& response) {
    files = request.files;
    answer(
        response,
        {{"text", "hello there"},
         {"usage",
          {{"type", "tokens"}, {"input_tokens", 14}, {"output_tokens", 3}, {"input_token_details", {{"audio_tokens", 14}}}}}});
  });
  Request request = ask_about(tone(), "Names: Ann", "whisper-1");
  request.parameters.temperature = 0;
  request.parameters.extra_json = R"({"language": "en"})";
  const Reply reply = make_openai_transcription(openai_options(server))->complete(request);
  EXPECT_EQ(reply.finish, Finish::kStop);
  EXPECT_EQ(reply.text, "hello there");
  EXPECT_EQ(reply.usage.audio, 14);
  EXPECT_EQ(reply.usage.output, 3);
  EXPECT_EQ(server.seen()[0].path, "/v1/audio/transcriptions");
  const auto field = [&](const char* name) {
    return files.find(name) == files.end() ? "(none)" : files.find(name)->second.content;
  };
  EXPECT_EQ(field("model"), "whisper-1");
  EXPECT_EQ(field("response_format"), "json");
  EXPECT_EQ(field("prompt"), "Names: Ann");
  EXPECT_EQ(field("language"), "en");
  EXPECT_EQ(field("temperature"), "0.0");
  EXPECT_EQ(field("file"), tone()->bytes);
  EXPECT_EQ(files.find("file")->second.filename, "clip.wav");
  EXPECT_EQ(files.find("file")->second.content_type, "audio/wav");
  EXPECT_THROW(make_openai_transcription(openai_options(server))->complete(ask("no clip")), Error);
}

TEST(AudioData, AWaveformBecomesAWavThatReadsBack) {
  const auto clip = tone();
  EXPECT_EQ(clip->bytes.size(), 44u + 2 * 1600);
  EXPECT_DOUBLE_EQ(clip->seconds, 0.1);
  const auto again = audio_from_bytes(clip->bytes, "audio/wav", "tone");
  EXPECT_DOUBLE_EQ(again->seconds, 0.1);
  EXPECT_EQ(again->sha256, clip->sha256);
  EXPECT_THROW(audio_from_bytes("not audio", "audio/wav", "x"), Error);
}

TEST(AudioData, Base64IsThatOfRfc4648) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  // Longer than one piece of the encoder.
  const std::string large(4u << 20, 'a');
  const std::string encoded = base64(large);
  EXPECT_EQ(encoded.size(), (large.size() + 2) / 3 * 4);
  EXPECT_EQ(encoded.find("=", 0), encoded.size() - 2);
}

}  // namespace
}  // namespace areason::llm
