#pragma once
// Chromium without a window, for tests of the page: spoken to in the DevTools protocol over two pipes (file descriptors 3 and 4
// of the browser, messages end with a zero byte), which needs neither a port nor a driver. Only *_test.cpp files include it.
// Every wait is for something that happens; a browser that hangs is ended with the test by ctest's limit, since it ends when
// its pipes close. Thread rule: one thread. Errors: Error(kFailure).
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/testing.h"

namespace areason::serve {

class Browser {
 public:
  // False, with a loud message, where Debian's package chromium is not installed.
  static bool there() {
    if (::access(kProgram, X_OK) == 0) return true;
    std::fprintf(stderr, "\n*** NO BROWSER at %s (apt-get install chromium): the page is not tested here ***\n\n", kProgram);
    return false;
  }

  explicit Browser(const std::vector<std::string>& more = {}) {
    start(more);
    const Json target = call("Target.createTarget", {{"url", "about:blank"}});
    session_ = call("Target.attachToTarget", {{"targetId", target.at("targetId")}, {"flatten", true}}).at("sessionId");
    for (const char* domain : {"Page", "Runtime", "Log", "Network"}) call(std::string(domain) + ".enable");
  }
  ~Browser() {
    ::close(commands_);
    ::close(replies_);
    ::waitpid(pid_, nullptr, 0);
  }
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  // Until all of the page has been loaded.
  void open(const std::string& url) {
    call("Page.navigate", {{"url", url}});
    while (events_.empty() || events_.back().at("method") != "Page.loadEventFired") events_.push_back(read());
  }
  // A command of the protocol and its result.
  Json call(const std::string& method, const Json& parameters = Json::object()) {
    Json command = {{"id", ++last_}, {"method", method}, {"params", parameters}};
    if (!session_.empty()) command["sessionId"] = session_;
    write(dump_json(command));
    for (;;) {
      Json message = read();
      if (!message.contains("id")) {
        events_.push_back(std::move(message));
      } else if (message.at("id") == last_) {
        if (message.contains("error")) fail(method + ": " + dump_json(message.at("error")));
        return message.at("result");
      }
    }
  }
  // The value of an expression; of what it promises, once that is there.
  Json evaluate(const std::string& script) {
    const Json result = call("Runtime.evaluate",
                             {{"expression", script}, {"awaitPromise", true}, {"returnByValue", true}, {"userGesture", true}});
    if (result.contains("exceptionDetails")) fail(script + ": " + dump_json(result.at("exceptionDetails")));
    return result.at("result").value("value", Json());
  }
  // Waits until changes of the page make the expression true; its value.
  Json wait(const std::string& condition) {
    return evaluate(
        "new Promise((done) => {"
        "  const look = () => { const value = (" +
        condition +
        "); if (value) { observer.disconnect(); done(value); } };"
        "  const observer = new MutationObserver(look);"
        "  observer.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});"
        "  look();"
        "})");
  }
  // Keys, for whatever has the focus.
  void type(const std::string& text) { call("Input.insertText", {{"text", text}}); }
  void press_enter() {
    Json key = {{"type", "keyDown"}, {"key", "Enter"}, {"code", "Enter"}, {"text", "\r"}, {"windowsVirtualKeyCode", 13}};
    call("Input.dispatchKeyEvent", key);
    key["type"] = "keyUp";
    call("Input.dispatchKeyEvent", key);
  }
  // What the browser said without being asked: requests, errors, messages of the console.
  const std::vector<Json>& events() const { return events_; }

 private:
  static constexpr const char* kProgram = "/usr/bin/chromium";

  void start(const std::vector<std::string>& more) {
    int commands[2], replies[2];
    if (::pipe2(commands, O_CLOEXEC) != 0 || ::pipe2(replies, O_CLOEXEC) != 0) fail("no pipes");
    // --no-sandbox: its sandbox refuses root and most containers; it sees our own page only.
    std::vector<std::string> words = {kProgram,
                                      "--headless=new",
                                      "--no-sandbox",
                                      "--disable-gpu",
                                      "--disable-dev-shm-usage",
                                      "--no-first-run",
                                      "--remote-debugging-pipe",
                                      "--user-data-dir=" + files_.file("profile")};
    words.insert(words.end(), more.begin(), more.end());
    words.push_back("about:blank");
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const std::string home = "HOME=" + files_.path(), folder = "TMPDIR=" + files_.path();
    std::string environment[] = {home, folder, "PATH=/usr/bin:/bin", "LANG=C.UTF-8"};
    std::vector<char*> variables;
    for (std::string& variable : environment) variables.push_back(variable.data());
    variables.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, commands[0], 3);
    ::posix_spawn_file_actions_adddup2(&actions, replies[1], 4);
    ::posix_spawn_file_actions_addopen(&actions, 2, files_.file("errors").c_str(), O_WRONLY | O_CREAT, 0600);
    const int status = ::posix_spawn(&pid_, kProgram, &actions, nullptr, arguments.data(), variables.data());
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(commands[0]);
    ::close(replies[1]);
    commands_ = commands[1];
    replies_ = replies[0];
    if (status != 0) fail("the browser does not start");
  }
  [[noreturn]] void fail(const std::string& what) const {
    const std::string errors = files_.file("errors");
    throw Error(ErrorCode::kFailure, what, ::access(errors.c_str(), R_OK) == 0 ? read_file(errors) : "");
  }
  void write(const std::string& text) {
    const std::string whole = text + '\0';
    for (std::size_t at = 0; at < whole.size();) {
      const ssize_t n = ::write(commands_, whole.data() + at, whole.size() - at);
      if (n <= 0) fail("the browser has gone");
      at += static_cast<std::size_t>(n);
    }
  }
  Json read() {
    for (;;) {
      if (const auto end = waiting_.find('\0'); end != std::string::npos) {
        Json out = parse_json(waiting_.substr(0, end), "a message of the browser");
        waiting_.erase(0, end + 1);
        return out;
      }
      char buffer[65536];
      const ssize_t n = ::read(replies_, buffer, sizeof buffer);
      if (n <= 0) fail("the browser has gone");
      waiting_.append(buffer, static_cast<std::size_t>(n));
    }
  }

  ScratchDir files_;
  pid_t pid_ = -1;
  int commands_ = -1, replies_ = -1, last_ = 0;
  std::string session_, waiting_;
  std::vector<Json> events_;
};

}  // namespace areason::serve
