#include "llm/gemini.h"

#include <gtest/gtest.h>

#include <atomic>

#include "base/error.h"
#include "llm/governed.h"
#include "llm/testing.h"

namespace areason::llm {
namespace {

using namespace testing;

GeminiOptions gemini_options(const Server& server) {
  GeminiOptions options;
  options.url = server.url();
  options.key = test_key();
  options.clock = std::make_shared<ManualClock>();
  return options;
}

Json candidate(const Json& parts, const char* finish) {
  return {{"candidates",
           Json::array({{{"content", {{"role", "model"}, {"parts", parts}}}, {"finishReason", finish}, {"index", 0}}})},
          {"usageMetadata",
           {{"promptTokenCount", 50},
            {"candidatesTokenCount", 6},
            {"thoughtsTokenCount", 4},
            {"totalTokenCount", 60},
            {"promptTokensDetails",
             Json::array({{{"modality", "TEXT"}, {"tokenCount", 18}}, {{"modality", "AUDIO"}, {"tokenCount", 32}}})}}},
          {"modelVersion", "gemini-2.0-flash"},
          {"responseId", "r1"}};
}

TEST(Gemini, SendsWhatTheApiDocumentsAndReadsTheAnswer) {
  Server server([](const auto&, auto& response) {
    answer(response,
           candidate(Json::array({{{"thought", true}, {"text", "hmm"}}, {{"text", "A "}}, {{"text", "tone."}}}), "STOP"));
  });
  GeminiOptions options = gemini_options(server);
  options.safety_threshold = "BLOCK_NONE";
  Request request = ask_about(tone(), "What is heard?", "gemini-2.0-flash");
  request.messages.insert(request.messages.begin(), text_message(Role::kSystem, "Be brief."));
  request.messages.push_back(text_message(Role::kAssistant, "A beep."));
  request.messages.push_back(text_message(Role::kUser, "Sure?"));
  request.parameters.temperature = 0;
  request.parameters.top_k = 5;
  request.parameters.stop = {"END"};
  request.parameters.extra_json = R"({"generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}})";
  const Reply reply = make_gemini(options)->complete(request);
  EXPECT_EQ(reply.finish, Finish::kStop);
  EXPECT_EQ(reply.text, "A tone.");
  EXPECT_EQ(reply.usage.input, 50);
  EXPECT_EQ(reply.usage.output, 10) << "thinking is paid as output";
  EXPECT_EQ(reply.usage.thinking, 4);
  EXPECT_EQ(reply.usage.audio, 32);

  const auto seen = server.seen();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].path, "/v1beta/models/gemini-2.0-flash:generateContent");
  EXPECT_EQ(seen[0].header("x-goog-api-key"), kTestKey);
  const Json body = parse_json(seen[0].body, "body");
  EXPECT_EQ(body["systemInstruction"], (Json{{"parts", Json::array({{{"text", "Be brief."}}})}}));
  ASSERT_EQ(body["contents"].size(), 3u);
  EXPECT_EQ(body["contents"][0],
            (Json{{"role", "user"},
                  {"parts", Json::array({{{"inlineData", {{"mimeType", "audio/wav"}, {"data", base64(tone()->bytes)}}}},
                                         {{"text", "What is heard?"}}})}}));
  EXPECT_EQ(body["contents"][1]["role"], "model");
  EXPECT_EQ(body["generationConfig"], (Json{{"temperature", 0.0},
                                            {"topK", 5},
                                            {"maxOutputTokens", 2048},
                                            {"stopSequences", Json::array({"END"})},
                                            {"thinkingConfig", {{"thinkingBudget", 0}}}}));
  EXPECT_EQ(body["safetySettings"].size(), 5u);
  EXPECT_EQ(body["safetySettings"][0], (Json{{"category", "HARM_CATEGORY_HARASSMENT"}, {"threshold", "BLOCK_NONE"}}));
}

TEST(Gemini, EveryKindOfAnswerHasItsOutcome) {
  struct Case {
    const char* name;
    int status;
    Json body;
    Finish finish;
    const char* detail;
  };
  const auto without_content = [](const char* reason) {
    Json out = candidate(Json::array(), reason);
    out["candidates"][0].erase("content");
    return out;
  };
  const Json rate = {
      {"error",
       {{"code", 429},
        {"status", "RESOURCE_EXHAUSTED"},
        {"message", "slow down"},
        {"details", Json::array({{{"@type", "type.googleapis.com/google.rpc.RetryInfo"}, {"retryDelay", "57.25s"}}})}}}};
  Json day = rate;
  day["error"]["details"].push_back(
      {{"@type", "type.googleapis.com/google.rpc.QuotaFailure"},
       {"violations", Json::array({{{"quotaId", "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}}})}});
  const auto error = [](int code, const char* status, const char* message) {
    return Json{{"error", {{"code", code}, {"status", status}, {"message", message}}}};
  };
  const std::vector<Case> cases = {
      {"blocked prompt",
       200,
       {{"promptFeedback", {{"blockReason", "PROHIBITED_CONTENT"}}},
        {"usageMetadata", {{"promptTokenCount", 13}, {"totalTokenCount", 13}}}},
       Finish::kBlocked,
       "PROHIBITED_CONTENT"},
      {"blocked answer", 200, without_content("SAFETY"), Finish::kBlocked, "SAFETY"},
      {"lyrics", 200, without_content("RECITATION"), Finish::kBlocked, "RECITATION"},
      {"thinking ate it", 200, without_content("MAX_TOKENS"), Finish::kLength, "MAX_TOKENS"},
      {"cut", 200, candidate(Json::array({{{"text", "half"}}}), "MAX_TOKENS"), Finish::kLength, "MAX_TOKENS"},
      {"new word", 200, candidate(Json::array({{{"text", "x"}}}), "SOMETHING_NEW"), Finish::kStop, "SOMETHING_NEW"},
      {"nothing said", 200, without_content("STOP"), Finish::kEmpty, "STOP"},
      {"nothing at all", 200, Json::object(), Finish::kMalformed, "malformed"},
      {"a list", 200, Json::array(), Finish::kMalformed, "malformed"},
      {"parts is a number", 200, candidate(7, "STOP"), Finish::kEmpty, "STOP"},
      {"rate", 429, rate, Finish::kRateLimited, "RESOURCE_EXHAUSTED"},
      {"rate, as a list", 429, Json::array({rate}), Finish::kRateLimited, "RESOURCE_EXHAUSTED"},
      {"day quota", 429, day, Finish::kQuota, "RESOURCE_EXHAUSTED"},
      {"key", 400, error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."), Finish::kUnauthorised,
       "INVALID_ARGUMENT"},
      {"argument", 400, error(400, "INVALID_ARGUMENT", "Unknown name"), Finish::kRejected, "INVALID_ARGUMENT"},
      {"forbidden", 403, error(403, "PERMISSION_DENIED", "no"), Finish::kUnauthorised, "PERMISSION_DENIED"},
      {"model", 404, error(404, "NOT_FOUND", "no such model"), Finish::kNoSuchModel, "NOT_FOUND"},
      {"overloaded", 503, error(503, "UNAVAILABLE", "The model is overloaded."), Finish::kServerError, "UNAVAILABLE"},
  };
  std::size_t current = 0;
  Server server([&](const auto&, auto& response) { answer(response, cases[current].body, cases[current].status); });
  const auto provider = make_gemini(gemini_options(server));
  for (; current < cases.size(); ++current) {
    const Reply reply = provider->complete(ask("x"));
    EXPECT_EQ(reply.finish, cases[current].finish)
        << cases[current].name << ": " << finish_name(reply.finish) << " " << reply.error;
    EXPECT_EQ(reply.detail, cases[current].detail) << cases[current].name;
    if (reply.finish == Finish::kRateLimited) {
      EXPECT_EQ(reply.retry_after_seconds, 57.25);
    }
  }
  EXPECT_THROW(provider->complete(ask("x", "../../evil?key=")), Error);
}

// The server side of the resumable upload (ai.google.dev, "Files API"; the facts are in the reference of the headers).
class FileServer {
 public:
  FileServer() : server([this](const auto& request, auto& response) { handle(request, response); }) {}

  std::atomic<int> polls_until_active{2}, failing_chunks{0}, starts{0}, polls{0}, gone{0};
  std::string wrong_origin;
  std::string received;
  std::vector<std::string> used_uris;
  Server server;

 private:
  void handle(const httplib::Request& request, httplib::Response& response) {
    const std::string command = request.get_header_value("X-Goog-Upload-Command");
    if (request.path == "/upload/v1beta/files" && command == "start") {
      EXPECT_EQ(request.get_header_value("X-Goog-Upload-Protocol"), "resumable");
      EXPECT_EQ(request.get_header_value("X-Goog-Upload-Header-Content-Type"), "audio/wav");
      size_ = std::stoul(request.get_header_value("X-Goog-Upload-Header-Content-Length"));
      received.clear();
      ++starts;
      response.set_header("X-Goog-Upload-URL",
                          (wrong_origin.empty() ? server.url() : wrong_origin) + "/upload/v1beta/files?upload_id=abc");
      return answer(response, Json::object());
    }
    if (request.path == "/upload/v1beta/files") return handle_chunk(request, response, command);
    if (request.method == "GET" && request.path == "/v1beta/files/f1") {
      ++polls;
      return answer(response, file(--polls_until_active > 0 ? "PROCESSING" : "ACTIVE"));
    }
    const Json body = parse_json(request.body, "body");
    if (gone-- > 0)
      return answer(response,
                    {{"error",
                      {{"code", 403},
                       {"status", "PERMISSION_DENIED"},
                       {"message", "You do not have permission to access the File f1 or it may not exist."}}}},
                    403);
    used_uris.push_back(body["contents"][0]["parts"][0]["fileData"]["fileUri"]);
    answer(response, candidate(Json::array({{{"text", "heard"}}}), "STOP"));
  }

  void handle_chunk(const httplib::Request& request, httplib::Response& response, const std::string& command) {
    if (command == "query") {
      response.set_header("X-Goog-Upload-Status", "active");
      response.set_header("X-Goog-Upload-Size-Received", std::to_string(received.size()));
      return answer(response, Json::object());
    }
    EXPECT_EQ(std::stoul(request.get_header_value("X-Goog-Upload-Offset")), received.size());
    if (failing_chunks > 0) {
      --failing_chunks;
      received += request.body.substr(0, request.body.size() / 2);  // some of it had arrived
      return answer(response, {{"error", {{"code", 503}, {"message", "later"}}}}, 503);
    }
    received += request.body;
    EXPECT_EQ(command, received.size() == size_ ? "upload, finalize" : "upload");
    answer(response, received.size() == size_ ? Json{{"file", file("PROCESSING")}} : Json::object());
  }

  Json file(const char* state) const {
    return {{"name", "files/f1"}, {"uri", server.url() + "/v1beta/files/f1"}, {"mimeType", "audio/wav"}, {"state", state}};
  }
  std::size_t size_ = 0;
};

TEST(Gemini, LargeClipsGoThroughTheFilesApiOnce) {
  FileServer files;
  files.failing_chunks = 1;
  GeminiOptions options = gemini_options(files.server);
  options.inline_limit_bytes = 2000;
  options.upload_chunk_bytes = 1000;
  const auto provider = make_gemini(options);
  const auto clip = tone();
  const Reply reply = provider->complete(ask_about(clip, "?"));
  EXPECT_EQ(reply.finish, Finish::kStop) << reply.error;
  EXPECT_EQ(reply.text, "heard");
  EXPECT_EQ(files.received, clip->bytes) << "resumed in the middle of the chunk that failed";
  EXPECT_EQ(files.polls, 2);
  ASSERT_EQ(files.used_uris.size(), 1u);
  EXPECT_EQ(files.used_uris[0], files.server.url() + "/v1beta/files/f1");
  provider->complete(ask_about(clip, "again?"));
  EXPECT_EQ(files.starts, 1) << "the same clip is not uploaded twice";
  for (const Seen& seen : files.server.seen()) EXPECT_EQ(seen.header("x-goog-api-key"), kTestKey) << seen.path;
  // Nearly two days later it is.
  dynamic_cast<ManualClock&>(*options.clock).advance(47 * 3600.0);
  files.polls_until_active = 1;
  provider->complete(ask_about(clip, "still there?"));
  EXPECT_EQ(files.starts, 2);
}

TEST(Gemini, AFileThatIsGoneIsUploadedAgainByTheNextTry) {
  FileServer files;
  GeminiOptions options = gemini_options(files.server);
  options.inline_limit_bytes = 2000;
  GovernedOptions governed;
  governed.clock = options.clock;
  const auto provider = make_governed(make_gemini(options), governed);
  EXPECT_EQ(provider->complete(ask_about(tone(), "?")).finish, Finish::kStop);
  files.gone = 1;
  files.polls_until_active = 1;
  const Reply reply = provider->complete(ask_about(tone(), "?"));
  EXPECT_EQ(reply.finish, Finish::kStop) << reply.error;
  EXPECT_EQ(reply.attempts, 2);
  EXPECT_EQ(files.starts, 2);
}

TEST(Gemini, AnUploadThatFailsIsTheAttemptsOutcome) {
  FileServer files;
  GeminiOptions options = gemini_options(files.server);
  options.inline_limit_bytes = 2000;
  files.failing_chunks = 100;
  EXPECT_EQ(make_gemini(options)->complete(ask_about(tone(), "?")).finish, Finish::kServerError);
  files.failing_chunks = 0;
  files.polls_until_active = 1000000;
  options.file_timeout_seconds = 20;
  const Reply slow = make_gemini(options)->complete(ask_about(tone(), "?"));
  EXPECT_EQ(slow.finish, Finish::kMalformed);
  EXPECT_NE(slow.error.find("still being processed"), std::string::npos) << slow.error;
  // The key is not sent wherever an answer points to.
  Server other([](const auto&, auto&) {});
  files.wrong_origin = other.url();
  EXPECT_EQ(make_gemini(options)->complete(ask_about(tone(), "?")).finish, Finish::kMalformed);
  EXPECT_TRUE(other.seen().empty());
}

}  // namespace
}  // namespace areason::llm
