// audio-reasoner serve: the model behind an HTTP server that speaks OpenAI's chat completions.
#include <cstdlib>
#include <memory>
#include <sstream>
#include <string>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "cli/ask_flags.h"
#include "cli/commands.h"
#include "cli/paths.h"
#include "serve/server.h"

namespace areason {
namespace {

struct ServeFlags {
  AskFlags ask;
  serve::ServeOptions options;
  double most_megabytes = 64;
  int batch = 16;
};

// From the environment, where a list of processes does not show them: "KEY" or "KEY,KEY". Throws Error(kUsage) for a variable
// without a key in it: who sets it means to have one asked for.
std::vector<std::string> api_keys() {
  const char* variable = std::getenv("AREASON_API_KEY");
  if (variable == nullptr) return {};
  std::vector<std::string> out;
  std::stringstream list(variable);
  for (std::string key; std::getline(list, key, ',');) {
    const auto begin = key.find_first_not_of(" \t\n");
    if (begin != std::string::npos) out.push_back(key.substr(begin, key.find_last_not_of(" \t\n") - begin + 1));
  }
  if (out.empty())
    throw Error(ErrorCode::kUsage, "AREASON_API_KEY holds no key",
                "write KEY or KEY,KEY into it, or unset it to serve anybody");
  return out;
}

void serve_until_stopped(ServeFlags& flags) {
  serve::ServeOptions options = flags.options;
  options.keys = api_keys();
  options.ask = flags.ask.finish();
  options.session = flags.ask.session();
  options.session.running = flags.batch;
  options.model_dir = flags.ask.model_dir();
  if (options.model_name.empty()) options.model_name = model_name(options.model_dir);
  options.most_bytes = static_cast<std::size_t>(flags.most_megabytes * 1e6);
  serve::Server server(options);
  if (options.keys.empty() && options.host != "127.0.0.1" && options.host != "localhost" && options.host != "::1")
    log_warning("anybody who reaches " + server.url() + " can use it: set AREASON_API_KEY to ask for a key");
  const std::string page = options.page ? ", with a page for browsers at " + server.url() + "/" : "";
  log_info("serving " + options.model_name + " at " + server.url() + "/v1" + page + " (Ctrl-C stops)");
  server.run([] { return interrupted(); });
}

void add_server_flags(CLI::App& command, ServeFlags& flags) {
  command.add_option("--host", flags.options.host, "address to listen on; 0.0.0.0: all of this machine")
      ->type_name("ADDRESS")
      ->capture_default_str();
  command.add_option("--port", flags.options.port, "0: any free one, which is printed")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  command
      .add_option("--model-name", flags.options.model_name,
                  "in requests and answers (default: the last part of the model's path)")
      ->type_name("NAME");
  command.add_flag_callback(
      "--no-page", [&flags] { flags.options.page = false; }, "only the API: no web page at /");
  command.add_option("--batch", flags.batch, "answers written at the same time")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command.add_option("--queue", flags.options.queue, "requests that wait for their turn; more are answered with 429")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command.add_option("--max-body-mb", flags.most_megabytes, "most megabytes of a request, its clips in base64 included")
      ->check(CLI::Range(0.001, 4000.0))
      ->capture_default_str();
  command.add_option("--drain-seconds", flags.options.drain_seconds, "that answers in progress get when the server is stopped")
      ->check(CLI::Range(0.0, 86400.0))
      ->capture_default_str();
}

}  // namespace

void register_serve(CLI::App& app) {
  const auto flags = std::make_shared<ServeFlags>();
  CLI::App* command = app.add_subcommand("serve", "answer over HTTP as OpenAI's chat completions do; many requests at once");
  add_server_flags(*command, *flags);
  flags->ask.add_to(*command);
  command->remove_option(command->get_option("--seed"));  // a request has its own, or a random one
  command->callback([flags] { serve_until_stopped(*flags); });
}

}  // namespace areason
