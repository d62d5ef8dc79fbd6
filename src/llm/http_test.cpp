#include "llm/http.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <signal.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/testing.h"
#include "llm/config.h"
#include "llm/testing.h"
#include "llm/wire.h"

namespace areason::llm {
namespace {

using namespace testing;

TEST(BaseUrl, TakesAddressesAndRefusesWhatIsUnsafe) {
  const auto whole = [](const char* url, PlainHttp plain = PlainHttp::kLoopbackOnly) {
    return parse_base_url(url, "/v1", plain).whole();
  };
  EXPECT_EQ(whole("https://api.openai.com/v1/"), "https://api.openai.com/v1");
  EXPECT_EQ(whole("http://127.0.0.1:8000"), "http://127.0.0.1:8000/v1");
  EXPECT_EQ(whole("http://localhost:8000/openai/v1"), "http://localhost:8000/openai/v1");
  EXPECT_EQ(whole("http://[::1]:8000"), "http://[::1]:8000/v1");
  EXPECT_EQ(whole("http://10.0.0.5:8000", PlainHttp::kAnywhere), "http://10.0.0.5:8000/v1");
  for (const char* bad : {"http://10.0.0.5:8000", "http://127.0.0.1.evil.example/v1", "http://example.com",
                          "ftp://example.com/", "file:///etc/passwd", "https://user:secret@example.com/v1",
                          "https://example.com/v1?key=secret", "https://example.com/#secret", "", "not a url", "https://"}) {
    try {
      whole(bad);
      ADD_FAILURE() << bad << " was accepted";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kUsage) << bad;
      EXPECT_EQ(e.hint().find("--"), std::string::npos) << "no command has a flag for it: " << e.hint();
      EXPECT_EQ((std::string(e.what()) + e.hint()).find("secret"), std::string::npos) << e.what();
    }
  }
}

HttpResponse get(const std::string& url, double timeout_seconds = 300, HttpOptions options = {}) {
  HttpClient client(options, test_key());
  HttpRequest request;
  request.method = "GET";
  request.url = url;
  request.timeout_seconds = timeout_seconds;
  return client.send(request);
}

TEST(HttpClient, TransportTroubleIsToldApart) {
  Server* self = nullptr;
  Server server([&](const auto& request, auto& response) {
    if (request.path == "/slow") self->hang();
    if (request.path == "/cut") return cut_off(response, std::string(1000, 'x'));
    if (request.path == "/large") return response.set_content(std::string(5000, 'x'), "text/plain");
    response.set_content("fine", "text/plain");
  });
  self = &server;
  EXPECT_EQ(get(server.url() + "/").transport, Transport::kOk);
  // Time enough to connect on a machine that stalls.
  EXPECT_EQ(get(server.url() + "/slow", 2).transport, Transport::kTimeout);
  EXPECT_EQ(get(server.url() + "/cut").transport, Transport::kCutOff);
  HttpOptions small;
  small.max_response_bytes = 4999;
  EXPECT_EQ(get(server.url() + "/large", 300, small).transport, Transport::kTooLarge);
  // Port 1 (tcpmux) of loopback has no listener.
  EXPECT_EQ(get("http://127.0.0.1:1/").transport, Transport::kUnreachable);
  EXPECT_THROW(get("http://192.0.2.1/"), Error);
}

// A listener that the kernel answers for and nobody else: TLS is never agreed upon, so nothing was sent.
TEST(HttpClient, TimeThatRunsOutWhileConnectingIsNoTimeout) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener, 5), 0);
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::string url = "https://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
  HttpOptions brief;
  brief.connect_timeout_seconds = 0.2;
  EXPECT_EQ(get(url, 300, brief).transport, Transport::kUnreachable);
  EXPECT_EQ(get(url, 0.2).transport, Transport::kUnreachable);
  ::close(listener);
}

TEST(HttpClient, AnUntrustedCertificateIsRefused) {
  EVP_PKEY* key = EVP_RSA_gen(2048);
  X509* certificate = X509_new();
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  X509_sign(certificate, key, EVP_sha256());
  {
    httplib::SSLServer server(certificate, key);
    ASSERT_TRUE(server.is_valid());
    int served = 0;
    server.Get(".*", [&](const auto&, auto&) { ++served; });
    const int port = server.bind_to_any_port("127.0.0.1");
    std::thread thread([&] { server.listen_after_bind(); });
    while (!server.is_running()) std::this_thread::yield();
    const HttpResponse response = get("https://localhost:" + std::to_string(port) + "/");
    EXPECT_EQ(response.transport, Transport::kUnreachable);
    EXPECT_NE(response.error.find("certificate"), std::string::npos) << response.error;
    server.stop();
    thread.join();
    EXPECT_EQ(served, 0);
  }
  X509_free(certificate);
  EVP_PKEY_free(key);
}

TEST(HttpClient, CtrlCEndsATransfer) {
  Server* self = nullptr;
  Server server([&](const auto&, auto&) {
    ::raise(SIGINT);
    self->hang();
  });
  self = &server;
  struct sigaction before {};
  sigaction(SIGINT, nullptr, &before);
  install_interrupt_handler();
  try {
    get(server.url() + "/");
    ADD_FAILURE() << "not interrupted";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInterrupted);
  }
  clear_interrupt();
  sigaction(SIGINT, &before, nullptr);
}

TEST(Wire, RetryAfterIsReadInAllItsForms) {
  HttpResponse response;
  const auto with = [&](const char* name, const char* value) {
    response.headers = {{name, value}};
    return retry_after(response, 1445412480);  // Wed, 21 Oct 2015 07:28:00 GMT (RFC 9110's own example)
  };
  EXPECT_EQ(with("retry-after", "120"), 120.0);
  EXPECT_EQ(with("retry-after", "1.5"), 1.5);
  EXPECT_EQ(with("retry-after", "Wed, 21 Oct 2015 07:28:30 GMT"), 30.0);
  EXPECT_EQ(with("retry-after", "Wed, 21 Oct 2015 07:00:00 GMT"), 0.0);
  EXPECT_EQ(with("retry-after-ms", "250"), 0.25);
  EXPECT_FALSE(with("retry-after", "soon"));
  EXPECT_FALSE(with("retry-after", "-5"));
  EXPECT_FALSE(with("date", "120"));
  EXPECT_EQ(parse_duration("57.25s"), 57.25);
  EXPECT_EQ(parse_duration("1h16m0.5s"), 3600 + 16 * 60 + 0.5);
  EXPECT_EQ(parse_duration("200ms"), 0.2);
  for (const char* bad : {"", "5", "s", "5x", "-1s", "1e300s", "inf", "nan s"}) EXPECT_FALSE(parse_duration(bad)) << bad;
}

// Everything that a run leaves behind, with a server that shows the key wherever it can.
TEST(Secret, TheKeyIsNowhereToBeSeen) {
  const std::string key = kTestKey;
  ::setenv(kTestKeyVariable, kTestKey, 1);
  int count = 0;
  Server server([&](const auto& request, auto& response) {
    const std::string told = request.get_header_value("Authorization") + request.get_header_value("x-goog-api-key");
    response.set_header("x-echo", told);
    switch (count++ % 4) {
      case 0:
        return answer(response, {{"error", {{"message", "your key " + told + " is wrong"}, {"code", told}}}}, 429);
      case 1: {
        // "/" as "\/", which is the same in JSON.
        std::string body = dump_json(chat_answer("you said " + told, 3, 3));
        for (std::size_t at = 0; (at = body.find('/', at)) != std::string::npos; at += 2) body.replace(at, 1, "\\/");
        return response.set_content(body, "application/json");
      }
      case 2:
        return response.set_content("garbage " + told, "text/plain");
      default:
        return answer(response, chat_answer("you said " + told, 3, 3));
    }
  });
  const std::string path = scratch_path("secret.jsonl");
  ::testing::internal::CaptureStderr();
  set_log_level(LogLevel::kDebug);
  std::string all;
  for (const Api api : {Api::kOpenAi, Api::kTranscription, Api::kGemini}) {
    ProviderConfig config;
    config.api = api;
    config.url = server.url();
    config.key_variable = kTestKeyVariable;
    config.recording = path;
    config.retry = {2, 0.001, 0.002, 1, 1};
    const auto provider = build_provider(config);
    all += provider->name();
    for (int i = 0; i < 4; ++i) {
      const Reply reply = provider->complete(ask_about(tone(), "q" + std::to_string(i)));
      all += reply.text + reply.detail + reply.error + reply.raw;
    }
  }
  set_log_level(LogLevel::kInfo);
  all += ::testing::internal::GetCapturedStderr() + read_file(path);
  EXPECT_EQ(all.find(key), std::string::npos);
  EXPECT_EQ(all.find("0123456789abcdef"), std::string::npos) << "not even a part";
  EXPECT_NE(all.find("[key]"), std::string::npos) << "the server did show it";
  EXPECT_NE(all.find("attempt 1"), std::string::npos) << "the log was captured";
}

TEST(Secret, ComesFromTheEnvironmentOnly) {
  ::unsetenv("AREASON_LLM_NO_SUCH_KEY");
  try {
    Secret::required("AREASON_LLM_NO_SUCH_KEY");
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_NE(e.hint().find("key-variable"), std::string::npos) << "no flag of that name: " << e.hint();
  }
  EXPECT_TRUE(Secret::optional("AREASON_LLM_NO_SUCH_KEY").empty());
  ::setenv("AREASON_LLM_BAD_KEY", "abcdefgh\r\nX-Evil: 1", 1);
  try {
    Secret::optional("AREASON_LLM_BAD_KEY");
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_EQ((std::string(e.what()) + e.hint()).find("abcdefgh"), std::string::npos);
  }
  ::setenv("AREASON_LLM_SHORT_KEY", "EMPTY", 1);
  EXPECT_EQ(Secret::optional("AREASON_LLM_SHORT_KEY").redact("an EMPTY room"), "an EMPTY room");
}

}  // namespace
}  // namespace areason::llm
