// What clients do to their connections, over real sockets on loopback: they go away, say nothing, or send what is not wanted.
#include "serve/connections.h"

#include <gtest/gtest.h>

#include <list>
#include <thread>

#include "serve/testing.h"

namespace areason::serve {
namespace {

TEST(Connections, AClientThatGoesFreesItsPlace) {
  const Running server([](ServeOptions& options) { options.session.running = 1; });
  Json body = endless_question(1);
  body["stream"] = true;
  std::size_t pieces = 0;
  httplib::Request request;
  request.method = "POST";
  request.path = "/v1/chat/completions";
  request.body = dump_json(body);
  request.set_header("Content-Type", "application/json");
  request.content_receiver = [&pieces](const char*, std::size_t, std::uint64_t, std::uint64_t) { return ++pieces < 3; };
  EXPECT_FALSE(server.client().send(request));
  EXPECT_EQ(pieces, 3u);
  body_of(server.post(short_question()));  // its turn comes
  EXPECT_EQ(server.metric("answers_given_up_total"), "1");
}

TEST(Connections, ANonStreamedClientThatGoesFreesItsPlace) {
  const Running server([](ServeOptions& options) { options.session.running = 1; });
  RawClient client(server);
  client.post(endless_question(1));
  server.await("answers_running", "1");
  client.close();
  server.await("answers_running", "0");
  EXPECT_EQ(server.metric("answers_given_up_total"), "1");
}

TEST(Connections, AClientThatGoesBeforeItsTurnIsForgotten) {
  const Running server([](ServeOptions& options) {
    options.session.running = 1;
    options.queue = 1;
  });
  RawClient first(server), waiting(server);
  first.post(endless_question(8));
  server.await("answers_running", "8");
  waiting.post(short_question());
  server.await("requests_waiting", "1");
  waiting.close();
  while (server.client().Get("/metrics")->body.find("status=\"499\"") == std::string::npos) {
    ASSERT_NE(server.metric("answers_running"), "0") << "it was noticed only when its turn came";
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  RawClient next(server);
  next.post(short_question());
  first.close();
  EXPECT_NE(next.rest().find("HTTP/1.1 200"), std::string::npos);  // its place in the queue was free
}

TEST(Connections, ClientsThatSayNothingKeepNobodyWaiting) {
  const Running server([](ServeOptions& options) {
    options.session.running = options.queue = 1;
    options.connections = 6;
    options.pause_seconds = 3600;
  });
  const std::string body = dump_json(short_question());
  std::list<RawClient> half;
  for (int i = 0; i < 60; ++i) {
    half.emplace_back(server).send_head(body.size());
    half.back().send(body.substr(0, 10));
  }
  for (int i = 0; i < 60; ++i) half.emplace_back(server);
  half.emplace_back(server).send_head(body.size());
  EXPECT_EQ(server.client().Get("/health")->status, 200);
  half.front().rest();  // the first one's connection has been closed
  half.back().send(body);
  EXPECT_NE(half.back().rest().find("HTTP/1.1 200"), std::string::npos);  // the last one's has not
}

TEST(Connections, ASlowRequestIsGivenUp) {
  const Running server([](ServeOptions& options) { options.pause_seconds = 0.3; });
  RawClient half_a_head(server), half_a_body(server);
  half_a_head.send("POST /v1/chat/completions HTTP/1.1\r\nHost:");
  half_a_body.send_head(1000);
  half_a_head.rest();
  EXPECT_NE(half_a_body.rest().find("HTTP/1.1 400"), std::string::npos);
}

TEST(Connections, ABodyThatIsNotWantedIsNotWaitedFor) {
  const Running server([](ServeOptions& options) {
    options.most_bytes = 1 << 20;
    options.pause_seconds = 3600;
  });
  for (const char* more : {"", "Expect: 100-continue\r\n"}) {
    RawClient client(server);
    client.send_head(2 << 20, more);
    const std::string answer = client.rest();
    EXPECT_EQ(answer.rfind("HTTP/1.1 413", 0), 0u) << answer;
    EXPECT_NE(answer.find("Connection: close"), std::string::npos) << answer;
  }
  RawClient packed(server);
  packed.send_head(1000, "Content-Encoding: gzip\r\n");
  EXPECT_EQ(packed.rest().rfind("HTTP/1.1 415", 0), 0u);
}

}  // namespace
}  // namespace areason::serve
