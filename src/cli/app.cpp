#include "cli/commands.h"

namespace areason {

void build_app(CLI::App& app) {
  app.name("audio-reasoner");
  app.description("Audio-Reasoner: hears a clip, reads a question, answers with a structured chain of thought");
  app.set_version_flag("--version", "audio-reasoner 0.1.0", "print the version and exit");
  app.require_subcommand(1);
  register_ask(app);
  register_chat(app);
  register_serve(app);
  register_probe(app);
  register_tokenize(app);
  register_data(app);
  register_eval(app);
  register_train(app);
  register_bench(app);
  register_quantize(app);
  register_docs(app);
}

}  // namespace areason
