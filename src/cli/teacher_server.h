#pragma once
// For tests only: a teacher behind a real HTTP server on loopback that speaks Gemini's generateContent and OpenAI's chat
// completions word by word, checks what it is sent, fails in every way that servers fail, and keeps a ledger of what it gave to
// whom. Its answers follow from the prompt alone, except for a serial number that tells two answers to one prompt apart.
// Thread rule: the ledger may be read from any thread.
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/random.h"
#include "llm/testing.h"

namespace areason::testing_jobs {

enum class Fault { kNone, kBusy, kBroken, kCut, kNoJson, kSlow, kUseless, kLength, kEmpty, kBlocked };

struct Given {
  Fault fault = Fault::kNone;
  double at = 0;
  std::int64_t input = 0, output = 0;  // tokens that the answer said
  std::string text;
};

class TeacherServer {
 public:
  explicit TeacherServer(double slow_share)
      : slow_share_(slow_share), server_([this](const httplib::Request& q, httplib::Response& r) { answer(q, r); }) {}
  ~TeacherServer() { server_.release(); }

  std::string url() const { return server_.url(); }

  // By prompt (without the reason why an earlier answer was no use) and clip.
  std::map<std::string, std::vector<Given>> ledger() const {
    const std::lock_guard lock(mutex_);
    return ledger_;
  }
  std::vector<std::string> complaints() const {
    const std::lock_guard lock(mutex_);
    return complaints_;
  }
  // Waits until so many answers were given, or `enough` says that nothing more will come.
  template <typename F>
  void wait_for_answers(std::size_t count, const F& enough) {
    std::unique_lock lock(mutex_);
    while (answers_ < count && !enough()) more_.wait_for(lock, std::chrono::milliseconds(20));
  }
  std::size_t answers() const {
    const std::lock_guard lock(mutex_);
    return answers_;
  }
  // The most requests that came within any stretch of so many seconds.
  std::size_t most_within(double seconds) const {
    std::vector<double> times;
    for (const auto& seen : server_.seen()) times.push_back(seen.at);
    std::sort(times.begin(), times.end());
    std::size_t most = 0;
    for (std::size_t from = 0, to = 0; to < times.size(); ++to) {
      while (times[to] - times[from] >= seconds) ++from;
      most = std::max(most, to - from + 1);
    }
    return most;
  }

 private:
  struct Asked {
    std::string text, audio;
    std::int64_t max_tokens = 0;
  };

  void complain(const std::string& what) {
    const std::lock_guard lock(mutex_);
    complaints_.push_back(what);
  }

  // The request as the API's documentation has it; whatever is not there is a complaint.
  Asked read(const httplib::Request& request, bool gemini) {
    Asked out;
    try {
      const Json body = Json::parse(request.body);
      if (gemini) {
        for (const Json& part : body.at("contents").at(0).at("parts")) {
          if (part.contains("text")) out.text += part["text"].get<std::string>();
          if (part.contains("inlineData")) {
            if (part["inlineData"].at("mimeType") != "audio/wav") complain("mime type");
            out.audio += part["inlineData"].at("data").get<std::string>();
          }
        }
        if (body["contents"][0].at("role") != "user") complain("role");
        out.max_tokens = body.at("generationConfig").at("maxOutputTokens");
        if (request.get_header_value("x-goog-api-key") != llm::testing::kTestKey) complain("key");
      } else {
        for (const Json& part : body.at("messages").at(0).at("content")) {
          if (part.at("type") == "text") out.text += part.at("text").get<std::string>();
          if (part.at("type") == "input_audio") {
            if (part["input_audio"].at("format") != "wav") complain("format");
            out.audio += part["input_audio"].at("data").get<std::string>();
          }
        }
        if (body["messages"][0].at("role") != "user") complain("role");
        out.max_tokens = body.at("max_tokens");
        if (request.get_header_value("Authorization") != std::string("Bearer ") + llm::testing::kTestKey) complain("key");
      }
      if (!out.audio.starts_with("UklGR")) complain("no RIFF file came");  // base64 of "RIFF"
    } catch (const std::exception& e) {
      complain(std::string("unreadable request: ") + e.what());
    }
    return out;
  }

  // What happens to a prompt, before it is answered for good: at most one fault, and for a few prompts a block.
  Fault fault_of(const std::string& prompt, std::size_t asked_before) const {
    Random random = Random::for_item(5, sha256_hex(prompt));
    const double u = random.uniform();
    if (u > 0.985) return Fault::kBlocked;
    if (asked_before > 0) return Fault::kNone;
    const std::pair<Fault, double> shares[] = {{Fault::kBusy, 0.04},   {Fault::kBroken, 0.04},     {Fault::kCut, 0.02},
                                               {Fault::kNoJson, 0.02}, {Fault::kUseless, 0.04},    {Fault::kLength, 0.01},
                                               {Fault::kEmpty, 0.01},  {Fault::kSlow, slow_share_}};
    double sum = 0;
    for (const auto& [fault, share] : shares) {
      sum += share;
      if (u < sum) return fault;
    }
    return Fault::kNone;
  }

  void answer(const httplib::Request& request, httplib::Response& response) {
    const bool gemini = request.path.find(":generateContent") != std::string::npos;
    if (!gemini && request.path != "/v1/chat/completions") complain("path " + request.path);
    const Asked asked = read(request, gemini);
    const std::string prompt = asked.text.substr(0, asked.text.find("\n\nAn earlier answer")) + asked.audio;
    Given given;
    {
      const std::lock_guard lock(mutex_);
      auto& before = ledger_[prompt];
      given.fault = fault_of(prompt, before.size());
      given.at = llm::testing::steady_seconds();
      const std::int64_t serial = ++serial_;
      const bool paid = given.fault == Fault::kNone || given.fault == Fault::kUseless || given.fault == Fault::kLength ||
                        given.fault == Fault::kEmpty || given.fault == Fault::kBlocked;
      if (paid) {
        given.input = 1000 + serial;
        given.output = given.fault == Fault::kBlocked ? 0 : 7 + serial % 500;
      }
      if (given.fault == Fault::kNone) given.text = text_for(asked.text, serial);
      if (given.fault == Fault::kUseless) given.text = "I am sorry, but which clip do you mean? " + std::to_string(serial);
      if (given.fault == Fault::kLength) given.text = "<caption>and so on and";
      before.push_back(given);
    }
    send(response, given, gemini);
    if (given.fault != Fault::kNone) return;
    const std::lock_guard lock(mutex_);
    ++answers_;
    more_.notify_all();
  }

  void send(httplib::Response& response, const Given& given, bool gemini) {
    const auto error = [&](int status, const char* code, const char* message) {
      llm::testing::answer(response,
                           gemini ? Json{{"error", {{"code", status}, {"message", message}, {"status", code}}}}
                                  : Json{{"error", {{"message", message}, {"type", code}, {"code", nullptr}}}},
                           status);
    };
    const Json body = gemini ? gemini_body(given) : openai_body(given);
    switch (given.fault) {
      case Fault::kBusy:
        response.set_header("Retry-After", ++busy_ % 40 == 0 ? "1" : "0");
        return error(429, "RESOURCE_EXHAUSTED", "slow down");
      case Fault::kBroken:
        return error(given.at > 0 && ++broken_ % 2 == 0 ? 500 : 503, "INTERNAL", "try again");
      case Fault::kCut:
        return llm::testing::cut_off(response, dump_json(body));
      case Fault::kNoJson:
        response.set_content("<html>gateway</html>", "text/html");
        return;
      case Fault::kSlow:
        server_.hang();
        break;
      default:
        break;
    }
    llm::testing::answer(response, body);
  }

  static Json gemini_body(const Given& g) {
    Json usage = {{"promptTokenCount", g.input}, {"totalTokenCount", g.input + g.output}};
    if (g.output > 0) usage["candidatesTokenCount"] = g.output;
    if (g.fault == Fault::kBlocked) return {{"promptFeedback", {{"blockReason", "SAFETY"}}}, {"usageMetadata", usage}};
    Json candidate = {{"index", 0}, {"finishReason", g.fault == Fault::kLength ? "MAX_TOKENS" : "STOP"}};
    candidate["content"] = {{"role", "model"}, {"parts", Json::array({{{"text", g.text}}})}};
    return {{"candidates", Json::array({candidate})}, {"usageMetadata", usage}, {"modelVersion", "m"}};
  }
  static Json openai_body(const Given& g) {
    const char* finish = g.fault == Fault::kBlocked ? "content_filter" : g.fault == Fault::kLength ? "length" : "stop";
    return llm::testing::chat_answer(g.text, static_cast<int>(g.input), static_cast<int>(g.output), finish);
  }

  static std::string text_for(const std::string& prompt, std::int64_t serial) {
    const std::string number = std::to_string(serial);
    if (prompt.find("<question1><question>") != std::string::npos) {
      std::string out = "<caption>A tone of a kind, number " + number + ".</caption>";
      for (const char* n : {"1", "2", "3"})
        out += std::string("<question") + n + "><question>What is heard " + number + " " + n +
               "? (a) a tone (b) a dog (c) rain (d) a bell</question> <answer>A tone, so the answer is A.</answer></question" +
               n + ">";
      return out;
    }
    if (prompt.find("end with <True>") != std::string::npos) return "Nothing is wrong, " + number + ". <True>";
    const std::size_t option = prompt.find("(option ");
    const char letter = option == std::string::npos ? 'a' : prompt[option + 8];
    return "<THINK>\n<PLANNING>\nI listen.</PLANNING>\n<CAPTION>\nA tone.</CAPTION>\n<REASONING>\nIt is one tone, " + number +
           ".</REASONING>\n<SUMMARY>\nA tone.</SUMMARY>\n</THINK>\n<RESPONSE>\nA tone is heard. The answer is " +
           std::string(1, static_cast<char>(letter - 32)) + ".</RESPONSE>";
  }

  const double slow_share_;
  mutable std::mutex mutex_;
  std::condition_variable more_;
  std::map<std::string, std::vector<Given>> ledger_;
  std::vector<std::string> complaints_;
  std::int64_t serial_ = 0;
  std::size_t answers_ = 0;
  std::atomic<int> busy_{0}, broken_{0};
  llm::testing::Server server_;  // last: its threads use the rest
};

}  // namespace areason::testing_jobs
