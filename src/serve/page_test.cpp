// The web page: its files and headers over HTTP, and the page itself in a browser, where there is one: a question about a
// sample clip, the next one, hostile texts, the microphone, a key, Stop.
#include "serve/page.h"

#include <gtest/gtest.h>
#include <httplib.h>

#include <algorithm>
#include <cmath>

#include "audio/decode.h"
#include "audio/write.h"
#include "base/files.h"
#include "base/testing.h"
#include "reason/session.h"
#include "serve/base64.h"
#include "serve/browser_testing.h"
#include "serve/testing.h"

namespace areason::serve {
namespace {

// The file of the repository behind a path of the page.
std::string source_of(const PageFile& file) {
  if (file.path == "/") return "web/index.html";
  return (file.path.rfind("/clips/", 0) == 0 ? "examples" : "web") + std::string(file.path);
}

TEST(Page, ItsFilesAreServedAsTheyAreWithoutAKey) {
  const Running server([](ServeOptions& o) { o.keys = {"secret"}; });
  httplib::Client client = server.client();
  for (const PageFile& file : page_files()) {
    const auto result = client.Get(std::string(file.path));
    ASSERT_TRUE(result) << file.path;
    EXPECT_EQ(result->status, 200) << file.path;
    EXPECT_EQ(result->get_header_value("Content-Type"), file.type);
    EXPECT_TRUE(result->body == read_file(source_of(file))) << file.path;
  }
  EXPECT_EQ(client.Get("/v1/models")->status, 401);
  for (const char* nothing : {"/index.html", "/pageXjs", "/clips/", "/clips/none.flac", "/../README.md", "/clips/../page.js"})
    EXPECT_EQ(client.Get(nothing)->status, 404) << nothing;
  EXPECT_EQ(client.Post("/", "", "text/plain")->status, 404);
}

TEST(Page, EveryFileOfTheFolderIsServed) {
  for (const auto& entry : std::filesystem::directory_iterator("web")) {
    const auto files = page_files();
    EXPECT_TRUE(std::any_of(files.begin(), files.end(), [&](const PageFile& f) { return source_of(f) == entry.path(); }))
        << entry.path();
  }
}

TEST(Page, ItsHeadersLetNothingElseIn) {
  const Running server;
  httplib::Client client = server.client();
  const auto result = client.Get("/");
  ASSERT_TRUE(result);
  const std::string policy = result->get_header_value("Content-Security-Policy");
  for (const char* rule : {"default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"})
    EXPECT_NE(policy.find(rule), std::string::npos) << policy;
  EXPECT_EQ(policy.find("unsafe"), std::string::npos) << policy;
  EXPECT_EQ(result->get_header_value("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(result->get_header_value("Cache-Control"), "no-cache");
  const std::string tag = result->get_header_value("ETag");
  const auto again = client.Get("/", {{"If-None-Match", tag}});
  EXPECT_EQ(again->status, 304);
  EXPECT_EQ(again->body, "");
  EXPECT_EQ(client.Get("/", {{"If-None-Match", "\"another\""}})->status, 200);
  EXPECT_NE(client.Get("/page.js")->get_header_value("ETag"), tag);
  EXPECT_EQ(client.Head("/")->get_header_value("Content-Length"), std::to_string(result->body.size()));
}

TEST(Page, CanBeLeftOut) {
  const Running server([](ServeOptions& o) { o.page = false; });
  httplib::Client client = server.client();
  for (const PageFile& file : page_files()) EXPECT_EQ(client.Get(std::string(file.path))->status, 404) << file.path;
  EXPECT_EQ(client.Get("/v1/models")->status, 200);
}

// A page in a browser; the tests need one.
class PageInABrowserSlow : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!Browser::there()) GTEST_SKIP() << "no browser";
  }
};

std::string quoted(const std::string& text) { return dump_json(Json(text)); }

void click(Browser& browser, const std::string& selector, const std::string& text = "") {
  browser.evaluate("[...document.querySelectorAll(" + quoted(selector) + ")].find((e) => e.textContent.includes(" +
                   quoted(text) + ")).click()");
}

void choose_sample(Browser& browser, const std::string& title) {
  click(browser, "#samples button", title);
  browser.wait("document.querySelector('#clips audio')");
}

// {state, response, sections, all} of the latest answer once it has ended.
Json answer(Browser& browser) {
  return browser.wait(R"(((turn) => turn && turn.dataset.state !== "asking" && {
      state: turn.dataset.state,
      asked: turn.querySelector(".asked").textContent,
      response: turn.querySelector(".response").textContent,
      sections: [...turn.querySelectorAll(".sections p")].map((p) => p.textContent),
      all: turn.textContent,
    })(document.querySelector(".turn")))");
}

// As a user does it, by keys.
Json ask(Browser& browser, const std::string& question) {
  browser.evaluate("document.querySelector('#question').value = ''; document.querySelector('#question').focus()");
  browser.type(question);
  browser.press_enter();
  Json out = answer(browser);
  EXPECT_EQ(out["asked"], question);
  return out;
}

std::string trimmed(const std::string& text) {
  const auto begin = text.find_first_not_of(" \n"), end = text.find_last_not_of(" \n");
  return begin == std::string::npos ? "" : text.substr(begin, end - begin + 1);
}

void expect_same(const Json& shown, const Answer& said) {
  EXPECT_EQ(shown["state"], "done") << shown;
  EXPECT_EQ(shown["response"], trimmed(said.sections[Section::kResponse]));
  ASSERT_EQ(shown["sections"].size(), 4u) << shown;
  std::size_t i = 0;
  for (const Section section : {Section::kPlanning, Section::kCaption, Section::kReasoning, Section::kSummary})
    EXPECT_EQ(shown["sections"][i++], trimmed(said.sections[section]));
}

// The page complained of nothing and asked nobody else for anything.
void expect_quiet(const Browser& browser, const std::string& url) {
  int requests = 0;
  for (const Json& event : browser.events()) {
    const std::string method = event.at("method");
    EXPECT_TRUE(method != "Runtime.exceptionThrown" && method != "Log.entryAdded") << event;
    if (method != "Network.requestWillBeSent") continue;
    ++requests;
    const std::string asked = event["params"]["request"]["url"];
    // data: are the browser's own pictures in its player.
    EXPECT_TRUE(asked.rfind(url + "/", 0) == 0 || asked.rfind("blob:" + url + "/", 0) == 0 || asked.rfind("data:", 0) == 0)
        << asked;
  }
  EXPECT_GT(requests, 5);
}

TEST_F(PageInABrowserSlow, AnswersAreThoseOfAskAndTheConversationGoesOn) {
  const Running server;
  Browser browser;
  browser.open(server.url() + "/");
  browser.wait("document.querySelector('#model').textContent === 'nano'");
  choose_sample(browser, "Sounds");
  const Json seconds = browser.evaluate(
      "new Promise((done, fail) => { const a = document.querySelector('#clips audio'); a.onerror = fail;"
      "  if (a.readyState > 0) done(a.duration); else a.onloadedmetadata = () => done(a.duration); })");
  EXPECT_NEAR(seconds.get<double>(), 10.1, 0.1);
  EXPECT_EQ(browser.evaluate("document.querySelector('#question').value"), "What is the first sound?");

  Session session("models/nano", {.threads = 1});
  expect_same(ask(browser, "What is the last sound?"),
              session.ask({"examples/clips/sounds.flac"}, "What is the last sound?", {}));
  expect_same(ask(browser, "And what comes before it?"), session.ask({}, "And what comes before it?", {}));
  // Another clip is another conversation.
  choose_sample(browser, "code");
  browser.wait("document.querySelector('#clips figcaption').textContent === 'code.flac'");
  session.clear();
  expect_same(ask(browser, "Which digits are spoken?"),
              session.ask({"examples/clips/code.flac"}, "Which digits are spoken?", {}));
  EXPECT_EQ(browser.evaluate("document.querySelectorAll('.turn').length"), 3);
  expect_quiet(browser, server.url());
}

TEST_F(PageInABrowserSlow, HostileTextsStayText) {
  const Running server;
  Browser browser;
  browser.open(server.url() + "/");
  choose_sample(browser, "code");
  const std::string hostile = "<img src=x onerror=\"document.title='gone'\"><script>document.title='gone'</script>";
  EXPECT_EQ(ask(browser, hostile)["state"], "done");
  // nano does not say such things, so the page's own element for answers is given them.
  const Json shown = browser.evaluate(
      "import(location.origin + '/turn.js').then(({ Turn }) => {"
      "  const text = " +
      quoted(hostile) +
      ", turn = new Turn(text);"
      "  document.querySelector('#answers').append(turn.article);"
      "  turn.write({ content: text, chain: `<PLANNING>\\n${text}</PLANNING>\\n` });"
      "  turn.finish({ content: text, facts: { cut: [text] } }, 1);"
      "  turn.fail(text);"
      "  return turn.article.textContent.split(text).length - 1; })");
  EXPECT_EQ(shown, 5);  // the question, a section, the response, the facts, the error
  EXPECT_EQ(browser.evaluate("document.querySelectorAll('#answers img, #answers script').length"), 0);
  EXPECT_EQ(browser.evaluate("document.title"), "Audio-Reasoner");
  expect_quiet(browser, server.url());
}

TEST_F(PageInABrowserSlow, AKeyIsAskedForErrorsAreShownAndStopStops) {
  const Running server([](ServeOptions& o) { o.keys = {"secret"}; });
  Browser browser;
  browser.open(server.url() + "/");
  browser.wait("!document.querySelector('#key-form').hidden");
  click(browser, "#ask");
  browser.wait("document.querySelector('#clip-error').textContent.startsWith('Choose a clip')");
  choose_sample(browser, "code");
  Json shown = ask(browser, "Which digits are spoken?");
  EXPECT_EQ(shown["state"], "failed");
  EXPECT_NE(shown["all"].get<std::string>().find("no API key"), std::string::npos) << shown;
  browser.evaluate("document.querySelector('#key').focus()");
  browser.type("secret");
  browser.press_enter();
  browser.wait("document.querySelector('#model').textContent === 'nano' && document.querySelector('#key-form').hidden");

  // The question has been put back. Stop, before anything has come.
  EXPECT_EQ(browser.evaluate("document.querySelector('#question').value"), "Which digits are spoken?");
  browser.evaluate("document.querySelector('#ask').click(), document.querySelector('#stop').click()");
  shown = answer(browser);
  EXPECT_EQ(shown["state"], "stopped") << shown;
  browser.evaluate("document.querySelector('#max-tokens').value = 3");
  shown = ask(browser, "Which digits are spoken?");
  EXPECT_EQ(shown["state"], "failed");
  EXPECT_NE(shown["all"].get<std::string>().find("3 new tokens"), std::string::npos) << shown;
  browser.evaluate("document.querySelector('#max-tokens').value = ''");
  EXPECT_EQ(ask(browser, "Which digits are spoken?")["state"], "done");
  EXPECT_EQ(browser.evaluate("document.querySelectorAll('#answers h3').length"), 1);  // all of it is one conversation
}

// What the page sent: the bytes of the first clip of its latest question.
std::string sent_clip(Browser& browser) {
  const std::vector<Json> events = browser.events();
  const auto sent = std::find_if(events.rbegin(), events.rend(), [](const Json& event) {
    return event.at("method") == "Network.requestWillBeSent" && event["params"]["request"]["method"] == "POST";
  });
  if (sent == events.rend()) return "";
  const Json data = browser.call("Network.getRequestPostData", {{"requestId", (*sent)["params"]["requestId"]}});
  const Json body = parse_json(data["postData"].get<std::string>(), "the page's question");
  return from_base64(body["messages"][0]["content"][0]["input_audio"]["data"].get<std::string>()).value_or("");
}

TEST_F(PageInABrowserSlow, TheMicrophoneIsRecordedAsTheModelWantsIt) {
  const ScratchDir dir;
  Waveform tone{.samples = std::vector<float>(48000 * 4), .sample_rate = 48000};
  for (std::size_t i = 0; i < tone.samples.size(); ++i)
    tone.samples[i] = 0.5f * static_cast<float>(std::sin(2 * M_PI * 1000 * static_cast<double>(i) / 48000));
  write_wav(dir.file("tone.wav"), tone);
  const Running server;
  Browser browser({"--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
                   "--use-file-for-fake-audio-capture=" + dir.file("tone.wav")});
  browser.open(server.url() + "/");
  click(browser, "#record");
  browser.wait("document.querySelector('#record').textContent.match(/[1-9][.]/)");  // a second or more
  click(browser, "#record");
  browser.wait("document.querySelector('#clips figcaption')?.textContent === 'recording.wav'");
  EXPECT_EQ(ask(browser, "What sound is this?")["state"], "done");

  const DecodedAudio heard = decode_audio(dir.put("heard.wav", sent_clip(browser)), {.fallback = Fallback::kNone});
  EXPECT_EQ(heard.sample_rate, 16000);
  EXPECT_EQ(heard.channels, 1);
  ASSERT_GT(heard.samples.size(), 16000u * 9 / 10);
  EXPECT_NEAR(*std::max_element(heard.samples.begin(), heard.samples.end()), 0.5, 0.1);
  // 16 samples a period, the median since a busy machine leaves gaps in what its device plays.
  std::vector<std::size_t> periods;
  std::size_t before = 0;
  for (std::size_t i = 1; i < heard.samples.size(); ++i) {
    if (heard.samples[i - 1] >= 0 || heard.samples[i] < 0) continue;
    periods.push_back(i - before);
    before = i;
  }
  ASSERT_GT(periods.size(), 100u);
  std::nth_element(periods.begin(), periods.begin() + static_cast<std::ptrdiff_t>(periods.size() / 2), periods.end());
  EXPECT_EQ(periods[periods.size() / 2], 16u);
  expect_quiet(browser, server.url());
}

}  // namespace
}  // namespace areason::serve
