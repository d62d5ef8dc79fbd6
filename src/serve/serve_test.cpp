// The server with the model that ships, over real HTTP on loopback: answers as `ask` gives them, streams, many at once,
// refusals, the end. What clients do to their connections: connections_test.cpp.
#include <gtest/gtest.h>
#include <httplib.h>

#include <map>
#include <set>
#include <thread>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "cot/sections.h"
#include "llm/openai.h"
#include "serve/base64.h"
#include "serve/chat_request.h"
#include "serve/testing.h"

namespace areason::serve {
namespace {

const std::string kClip = "examples/clips/sounds.flac";
const std::string kQuestion = "What is the first sound?";

std::string clip_base64() { return llm::base64(read_file(kClip)); }

Json question(const std::string& text = kQuestion) {
  return {{"model", "nano"},
          {"messages",
           {{{"role", "user"},
             {"content",
              {{{"type", "input_audio"}, {"input_audio", {{"data", clip_base64()}, {"format", "flac"}}}},
               {{"type", "text"}, {"text", text}}}}}}}};
}

std::vector<Answer> asked(const std::vector<std::string>& texts) {
  Session session("models/nano", {.threads = 1});
  std::vector<Answer> out;
  for (const std::string& text : texts) {
    session.clear();
    out.push_back(session.ask({kClip}, text, {}));
  }
  return out;
}

std::vector<Json> events_of(const std::string& body) {
  std::vector<Json> out;
  for (std::size_t at = 0; at < body.size();) {
    const auto end = body.find("\n\n", at);
    const std::string line = body.substr(at, end - at);
    EXPECT_EQ(line.rfind("data: ", 0), 0u) << line;
    if (line != "data: [DONE]") out.push_back(parse_json(line.substr(6), "an event"));
    at = end == std::string::npos ? body.size() : end + 2;
  }
  return out;
}

TEST(Serve, AnAnswerIsTheOneThatAskGives) {
  const Running server;
  const Answer direct = asked({kQuestion}).front();
  const Json whole = body_of(server.post(question()));
  const Json& choice = whole["choices"][0];
  EXPECT_EQ(choice["message"]["content"], direct.sections[Section::kResponse]);
  EXPECT_EQ(choice["finish_reason"], "stop");
  EXPECT_EQ(choice["audio_reasoner"]["sections"]["caption"], direct.sections[Section::kCaption]);
  EXPECT_EQ(choice["audio_reasoner"]["audio"][0]["path"], "messages[0].content[0]");
  EXPECT_EQ(whole["usage"]["prompt_tokens"], direct.prompt_tokens);
  EXPECT_EQ(whole["usage"]["completion_tokens"], direct.completion_tokens);
  const std::string chain = choice["message"]["reasoning_content"];
  EXPECT_EQ(chain.rfind("<PLANNING>\n", 0), 0u) << chain;
  EXPECT_NE(chain.find("</SUMMARY>"), std::string::npos) << chain;

  Json inline_chain = question();
  inline_chain["reasoning_format"] = "none";
  EXPECT_EQ(body_of(server.post(inline_chain))["choices"][0]["message"]["content"], direct.text);
  EXPECT_EQ(server.metric("requests_waiting"), "0");
  EXPECT_EQ(server.metric("first_text_seconds_count"), "2");
}

TEST(Serve, AStreamAddsUpToTheAnswer) {
  const Running server;
  const Json whole = body_of(server.post(question()));
  for (const char* format : {"deepseek", "none"}) {
    Json body = question();
    body["stream"] = true;
    body["stream_options"] = {{"include_usage", true}};
    body["reasoning_format"] = format;
    const auto result = server.post(body);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->get_header_value("Content-Type"), "text/event-stream");
    EXPECT_EQ(result->body.substr(result->body.size() - 14), "data: [DONE]\n\n");
    std::string content, chain, finish;
    const std::vector<Json> events = events_of(result->body);
    EXPECT_GT(events.size(), 20u);  // token by token, not at once
    EXPECT_EQ(events.front()["choices"][0]["delta"]["role"], "assistant");
    for (const Json& event : events) {
      if (event["choices"].empty()) continue;
      const Json& delta = event["choices"][0]["delta"];
      content += delta.value("content", "");
      chain += delta.value("reasoning_content", "");
      if (event["choices"][0]["finish_reason"].is_string()) finish = event["choices"][0]["finish_reason"];
    }
    EXPECT_EQ(finish, "stop");
    EXPECT_EQ(events.back()["usage"]["completion_tokens"], whole["usage"]["completion_tokens"]);
    if (std::string(format) == "none") {
      EXPECT_NE(content.find("<CAPTION>"), std::string::npos);
      continue;
    }
    EXPECT_EQ(content, whole["choices"][0]["message"]["content"]);
    EXPECT_EQ(chain, whole["choices"][0]["message"]["reasoning_content"]);
  }
}

TEST(Serve, ManyAtOnceSayWhatEachSaysAlone) {
  const Running server;
  const std::vector<std::string> questions = {kQuestion, "What is the last sound?", "How many sounds are heard?",
                                              "Is a bell heard?"};
  std::vector<std::string> alone, together(questions.size());
  for (const Answer& answer : asked(questions)) alone.push_back(answer.sections[Section::kResponse]);
  std::vector<std::thread> clients;
  for (std::size_t i = 0; i < questions.size(); ++i)
    clients.emplace_back(
        [&, i] { together[i] = body_of(server.post(question(questions[i])))["choices"][0]["message"]["content"]; });
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(together, alone);
}

TEST(Serve, SamplesChoicesAndBudgets) {
  const Running server;
  Json body = question("Which sound comes first? (a) drum (b) siren (c) bell");
  body["n"] = 3;
  body["temperature"] = 1.5;
  body["seed"] = 3;
  body["choices"] = {"drum", "siren", "bell"};
  const Json first = body_of(server.post(body)), again = body_of(server.post(body));
  ASSERT_EQ(first["choices"].size(), 3u);
  std::set<std::string> chains;
  for (int i = 0; i < 3; ++i) {
    const std::string said = first["choices"][i]["message"]["content"];
    EXPECT_TRUE(said == "drum" || said == "siren" || said == "bell") << said;
    EXPECT_EQ(first["choices"][i]["message"], again["choices"][i]["message"]);
    chains.insert(first["choices"][i]["message"]["reasoning_content"]);
  }
  EXPECT_GT(chains.size(), 1u);
  // The choice is the one that the chain comes to.
  body["n"] = 1;
  body["temperature"] = 0;
  EXPECT_EQ(body_of(server.post(body))["choices"][0]["message"]["content"], "bell");
  body["choices"] = {"C. bell", "B. siren", "A. drum"};
  EXPECT_EQ(body_of(server.post(body))["choices"][0]["message"]["content"], "C. bell");
  Json short_plan = question();
  short_plan["section_budget"] = {{"planning", 2}};
  EXPECT_EQ(body_of(server.post(short_plan))["choices"][0]["audio_reasoner"]["cut"], Json::array({"planning"}));
}

TEST(Serve, AConversationWithItsChainGoesOnAsInChat) {
  const Running server;
  Session session("models/nano", {.threads = 1});
  const Answer one = session.ask({kClip}, kQuestion, {});
  const Answer two = session.ask({}, "What is heard after that?", {});
  Json body = question();
  const Json first = body_of(server.post(body));
  Json message = first["choices"][0]["message"];
  body["messages"].push_back(message);
  body["messages"].push_back({{"role", "user"}, {"content", "What is heard after that?"}});
  const Json second = body_of(server.post(body));
  EXPECT_EQ(second["choices"][0]["message"]["content"], two.sections[Section::kResponse]);
  EXPECT_GT(second["usage"]["prompt_tokens_details"]["cached_tokens"], 50);  // the clip is not computed again
}

TEST(Serve, IsATeacherForOurOwnClient) {
  const Running server;
  llm::OpenAiOptions options;
  options.url = server.url();
  for (const auto field : {llm::AudioField::kInputAudio, llm::AudioField::kInputAudioDataUrl, llm::AudioField::kAudioUrl}) {
    options.audio_field = field;
    llm::Request request;
    request.model = "nano";
    request.messages = {{llm::Role::kSystem, {{"Answer.", nullptr}}},
                        {llm::Role::kUser, {{"", llm::audio_from_file(kClip)}, {kQuestion, nullptr}}}};
    const llm::Reply reply = llm::make_openai_chat(options)->complete(request);
    EXPECT_EQ(reply.finish, llm::Finish::kStop) << reply.error;
    EXPECT_GT(reply.usage.audio, 0);
    EXPECT_TRUE(parse_chain(reply.text).complete) << reply.text;  // with all five sections, as the stages of `data` read it
  }
}

TEST(Serve, BadRequestsNameTheField) {
  const Running server([](ServeOptions& options) { options.most_bytes = 1 << 20; });
  const auto refused = [&](const std::function<void(Json&)>& spoil, int status, const std::string& param) {
    Json body = question();
    spoil(body);
    const Json error = body_of(server.post(body), status)["error"];
    EXPECT_EQ(error["param"].is_null() ? "" : error["param"].get<std::string>(), param) << error;
    EXPECT_FALSE(error["message"].get<std::string>().empty());
  };
  refused([](Json& b) { b["model"] = "gpt-4o"; }, 404, "model");
  refused([](Json& b) { b["messages"] = "hello"; }, 400, "messages");
  refused([](Json& b) { b["messages"][0]["role"] = "wizard"; }, 400, "messages[0].role");
  refused([](Json& b) { b["messages"][0]["role"] = "assistant"; }, 400, "messages[0]");
  refused([](Json& b) { b["messages"][0]["content"][0]["input_audio"]["data"] = "%%%"; }, 400, "messages[0].content[0]");
  refused([](Json& b) { b["messages"][0]["content"][0]["input_audio"]["data"] = "aGVsbG8="; }, 400, "messages[0].content[0]");
  refused(
      [](Json& b) {
        b["messages"][0]["content"][0] = {{"type", "audio_url"}, {"audio_url", {{"url", "file:///etc/passwd"}}}};
      },
      400, "messages[0].content[0].audio_url.url");
  refused([](Json& b) { b["temperature"] = "hot"; }, 400, "temperature");
  refused([](Json& b) { b["seed"] = 1e30; }, 400, "seed");
  refused([](Json& b) { b["top_k"] = 18446744073709551615ull; }, 400, "top_k");
  refused([](Json& b) { b["n"] = 0; }, 400, "n");
  refused([](Json& b) { b["tools"] = Json::array({{{"type", "function"}}}); }, 400, "tools");
  refused([](Json& b) { b["stop"] = "\n"; }, 400, "stop");
  refused([](Json& b) { b["section_budget"] = {{"poem", 3}}; }, 400, "section_budget.poem");
  refused([](Json& b) { b["choices"] = {"a", "a"}; }, 400, "choices");
  refused([](Json& b) { b["structure"] = "free", b["choices"] = {"a", "b"}; }, 400, "structure");
  refused([](Json& b) { b["max_tokens"] = 3; }, 400, "max_tokens");
  refused([](Json& b) { b["stream"] = true, b["max_tokens"] = 3; }, 400, "max_tokens");  // no stream is begun
  EXPECT_EQ(body_of(server.client().Post("/v1/chat/completions", "{\"messages\": [", "application/json"), 400)["error"]["type"],
            "invalid_request_error");
  EXPECT_EQ(body_of(server.client().Post("/v1/chat/completions", std::string(2 << 20, ' '), "application/json"),
                    413)["error"]["code"],
            413);
  const std::string form =
      body_of(server.client().Post("/v1/chat/completions", std::string(20 << 10, ' '), "application/x-www-form-urlencoded"),
              413)["error"]["message"];
  EXPECT_NE(form.find("application/json"), std::string::npos) << form;
  body_of(server.client().Get("/v1/nothing"), 404);
  body_of(server.post(short_question()));  // and none of it did any harm
}

TEST(Serve, ErrorsOfTheEngineAreInTheApisWords) {
  const Running server;
  const auto message_of = [&](const std::function<void(Json&)>& spoil, const std::string& param) {
    Json body = question();
    spoil(body);
    const Json error = body_of(server.post(body), 400)["error"];
    EXPECT_EQ(error["param"], param) << error;
    const std::string message = error["message"];
    for (const char* ours : {"--", "/clear"}) EXPECT_EQ(message.find(ours), std::string::npos) << message;
    return message;
  };
  EXPECT_NE(message_of([](Json& b) { b["max_tokens"] = 10; }, "max_tokens").find("(max_tokens)"), std::string::npos);
  std::string words;
  for (int i = 0; i < 20000; ++i) words += "word " + std::to_string(i) + " ";
  message_of([&](Json& b) { b["messages"][0]["content"][1]["text"] = words; }, "messages");
  message_of([](Json& b) { b["choices"] = {"a < b", "b"}; }, "choices");
  message_of([](Json& b) { b["messages"][0]["content"][0]["input_audio"]["data"] = "aGVsbG8="; }, "messages[0].content[0]");
}

TEST(ChatRequest, WhatChangesTheAnswerIsRefused) {
  const auto parse = [](const std::string& field, const Json& value) {
    Json body = short_question();
    body["structure"] = "guided";
    body[field] = value;
    return parse_chat_request(dump_json(body), {});
  };
  const std::vector<std::pair<std::string, Json>> refused = {{"guided_json", {{"type", "object"}}},
                                                             {"guided_regex", "auto"},
                                                             {"guided_grammar", "root ::= \"a\""},
                                                             {"stop", "none"},
                                                             {"stop_token_ids", {1}},
                                                             {"min_tokens", 5},
                                                             {"ignore_eos", true},
                                                             {"use_beam_search", true},
                                                             {"prompt_logprobs", 1}};
  for (const auto& [field, value] : refused) {
    try {
      parse(field, value);
      ADD_FAILURE() << field;
    } catch (const RequestError& e) {
      EXPECT_EQ(e.param(), field);
    }
    for (const Json& nothing : {Json(nullptr), Json(false), Json(0), Json(""), Json::array(), Json::object()})
      EXPECT_NO_THROW(parse(field, nothing)) << field << " " << nothing;
  }
  try {
    parse("structured_outputs", {{"choice", {"a", "b"}}, {"regex", "a|b"}});
    ADD_FAILURE() << "a regex";
  } catch (const RequestError& e) {
    EXPECT_EQ(e.param(), "structured_outputs.regex");
  }
}

TEST(ChatRequest, ChoicesHaveThreeNames) {
  const Json list = {"a", "b"};
  const std::vector<std::string> expected = {"a", "b"};
  Json body = short_question();
  body.erase("structure");
  for (const Json& form :
       {Json{{"choices", list}}, Json{{"guided_choice", list}}, Json{{"structured_outputs", {{"choice", list}}}},
        Json{{"choices", list}, {"structured_outputs", {{"choice", list}, {"json", nullptr}}}}}) {
    Json asked = body;
    asked.update(form);
    EXPECT_EQ(parse_chat_request(dump_json(asked), {}).options.choices, expected) << form;
  }
  body.update({{"choices", list}, {"structured_outputs", {{"choice", {"a", "c"}}}}});
  EXPECT_THROW(parse_chat_request(dump_json(body), {}), RequestError);
}

TEST(Serve, DefaultsOfClientsAreNoObstacle) {
  const Running server;
  Json body = short_question();
  body.update({{"frequency_penalty", 0},
               {"presence_penalty", 0.0},
               {"logprobs", false},
               {"tools", Json::array()},
               {"stop", nullptr},
               {"response_format", {{"type", "text"}}},
               {"user", "me"},
               {"top_k", -1},
               {"tool_choice", "none"},
               {"seed", nullptr}});
  body_of(server.post(body));
}

TEST(Serve, WantsAKeyWhenThereIsOne) {
  const Running server([](ServeOptions& options) { options.keys = {"first-key", "second-key"}; });
  EXPECT_EQ(body_of(server.post(short_question()), 401)["error"]["type"], "authentication_error");
  for (const char* wrong : {"second-kez", "second", "second-key-and-more", ""})
    body_of(server.post(short_question(), {{"Authorization", std::string("Bearer ") + wrong}}), 401);
  body_of(server.post(short_question(), {{"Authorization", "Bearer second-key"}}));
  body_of(server.client().Get("/v1/models"), 401);
  EXPECT_EQ(server.client().Get("/health")->status, 200);
}

TEST(Serve, ALimitThatNoAnswerFitsIntoIsRefusedAtTheStart) {
  try {
    Running server([](ServeOptions& options) { options.ask.max_new_tokens = 20; });
    FAIL() << "it started";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kUsage);
    EXPECT_NE(e.hint().find("--max-new-tokens"), std::string::npos) << e.hint();
  }
  const Running free([](ServeOptions& options) {
    options.ask.max_new_tokens = 20;
    options.ask.structure = Structure::kFree;
  });
}

TEST(Serve, AFullQueueSaysSo) {
  const Running server([](ServeOptions& options) {
    options.session.running = 1;
    options.queue = 1;
  });
  std::map<int, int> seen;
  std::mutex mutex;
  std::vector<std::thread> clients;
  for (int i = 0; i < 12; ++i) {
    clients.emplace_back([&] {
      const auto result = server.post(question());
      const std::lock_guard lock(mutex);
      ++seen[result ? result->status : 0];
      if (result && result->status == 429) {
        EXPECT_EQ(result->get_header_value("Retry-After"), "1");
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(seen[200] + seen[429], 12);
  EXPECT_GE(seen[200], 1);
  EXPECT_GE(seen[429], 1);
}

TEST(Serve, StoppingLetsAnswersEnd) {
  Running server;
  Json body = question();
  body["stream"] = true;
  std::thread stopper;
  std::string text;
  httplib::Request request;
  request.method = "POST";
  request.path = "/v1/chat/completions";
  request.body = dump_json(body);
  request.set_header("Content-Type", "application/json");
  request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
    if (text.empty()) stopper = std::thread([&server] { server.stop(); });
    text.append(data, size);
    return true;
  };
  EXPECT_TRUE(server.client().send(request));
  stopper.join();
  EXPECT_EQ(text.substr(text.size() - 14), "data: [DONE]\n\n");
  EXPECT_FALSE(server.client().Get("/health"));
}

TEST(Serve, Base64IsReadAsItIsWritten) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(from_base64(llm::base64(bytes)), bytes);
    bytes += static_cast<char>(i * 7);
  }
  EXPECT_EQ(from_base64("aGVs\r\n bG8"), "hello");  // lines, no padding
  for (const char* bad : {"a", "aGVsb", "aGVs=bG8", "a===", "aGV-", "aGV\xff"}) EXPECT_FALSE(from_base64(bad)) << bad;
}

TEST(Serve, APortInUseAndAMissingModelAreNamed) {
  const Running server;
  const int port = std::stoi(server.url().substr(server.url().rfind(':') + 1));
  try {
    Running second([&](ServeOptions& options) { options.port = port; });
    FAIL() << "two servers on one port";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kUsage);
    EXPECT_NE(std::string(e.what()).find(std::to_string(port)), std::string::npos);
  }
  try {
    Running third([](ServeOptions& options) { options.model_dir = "models/none"; });
    FAIL() << "no model";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kModel);
  }
}

}  // namespace
}  // namespace areason::serve
