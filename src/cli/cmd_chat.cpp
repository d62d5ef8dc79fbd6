// audio-reasoner chat: a conversation about clips; earlier turns' keys and values are kept.
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/files.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "cli/answer_printer.h"
#include "cli/ask_flags.h"
#include "cli/commands.h"

namespace areason {
namespace {

constexpr const char* kHelp =
    "/audio PATH  add a clip to the next question (several are possible)\n"
    "/clear       forget the conversation\n"
    "/save FILE   write the conversation as JSON messages\n"
    "/help        this list\n"
    "/quit        leave (or Ctrl-D)\n"
    "Ctrl-C stops an answer.\n";

class Chat {
 public:
  Chat(Session& session, const AskOptions& options) : session_(session), options_(options) {}

  void add_clip(const std::string& path) {
    std::error_code ignored;
    if (path != "-" && !std::filesystem::is_regular_file(path, ignored)) {
      throw Error(ErrorCode::kInput, "there is no file " + path, "write /audio and the path of a clip");
    }
    clips_.push_back(path);
  }

  // Reads and answers until the end of the input or /quit.
  void run() {
    const bool terminal = isatty(STDIN_FILENO) != 0;
    if (terminal) std::cerr << "Type a question; /audio PATH adds a clip, /help lists the commands.\n";
    while (const auto line = read_line(terminal)) {
      try {
        if (!handle(*line)) return;
      } catch (const Error& e) {
        std::cerr << "error: " << e.what() << "\nhint: " << e.hint() << "\n";
      }
    }
  }

 private:
  // Ctrl-C at the prompt only says how to leave.
  std::optional<std::string> read_line(bool terminal) {
    for (;;) {
      if (terminal) std::cerr << "\n> " << std::flush;
      char* buffer = nullptr;
      std::size_t capacity = 0;
      errno = 0;
      const ssize_t length = getline(&buffer, &capacity, stdin);
      std::string line = length > 0 ? std::string(buffer, static_cast<std::size_t>(length)) : std::string();
      free(buffer);
      if (length > 0) {
        while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
        return line;
      }
      if (!(errno == EINTR && interrupted())) return std::nullopt;
      if (!terminal) throw_if_interrupted();
      clearerr(stdin);
      clear_interrupt();
      std::cerr << "\n(/quit or Ctrl-D leaves)";
    }
  }

  // False: leave.
  bool handle(const std::string& line) {
    const auto begin = line.find_first_not_of(" \t");
    if (begin == std::string::npos) return true;
    if (line[begin] != '/') {
      answer(line.substr(begin));
      return true;
    }
    const auto end = std::min(line.find_first_of(" \t", begin), line.size());
    const std::string command = line.substr(begin, end - begin);
    const auto from = std::min(line.find_first_not_of(" \t", end), line.size());
    const auto last = line.find_last_not_of(" \t");
    return run_command(command, from > last ? "" : line.substr(from, last - from + 1));
  }

  bool run_command(const std::string& command, const std::string& argument) {
    if (command == "/quit" || command == "/exit") return false;
    if (command == "/help") {
      std::cerr << kHelp;
    } else if (command == "/clear") {
      session_.clear();
      clips_.clear();
    } else if (command == "/audio") {
      add_clip(argument);
    } else if (command == "/save") {
      if (argument.empty()) throw Error(ErrorCode::kUsage, "/save needs a file name", "write for example /save chat.json");
      write_file_atomic(argument, dump_json(session_.transcript(), 2) + "\n");
      std::cerr << "saved " << argument << "\n";
    } else {
      throw Error(ErrorCode::kUsage, "there is no command " + command, "/help lists the commands");
    }
    return true;
  }

  Answer ask(const std::vector<std::string>& clips, const std::string& question, AnswerPrinter& printer) {
    try {
      return session_.ask(clips, question, options_, std::ref(printer));
    } catch (const Error& e) {
      if (clips.empty()) throw;
      throw Error(e.code(), e.what(), e.hint() + "; add clips again with /audio, none waits for the next question");
    }
  }

  void answer(const std::string& question) {
    AnswerPrinter printer(stdout_colour());
    // A clip that cannot be read must not fail every later question.
    const std::vector<std::string> clips = std::move(clips_);
    clips_.clear();
    const Answer answer = ask(clips, question, printer);
    printer.finish();
    for (const HeardAudio& audio : answer.audio) std::cerr << describe(audio) << "\n";
    if (answer.finish_reason == "interrupted") {
      clear_interrupt();
      std::cerr << "(stopped)\n";
    }
  }

  Session& session_;
  AskOptions options_;
  std::vector<std::string> clips_;  // for the next question
};

}  // namespace

void register_chat(CLI::App& app) {
  struct Arguments {
    AskFlags flags;
    std::vector<std::string> clips;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("chat", "talk with the model about clips, turn by turn");
  command->add_option("clips", arguments->clips, "clips of the first question")->type_name("CLIP…");
  arguments->flags.add_to(*command);
  command->callback([arguments] {
    const AskOptions options = arguments->flags.finish();
    Session session(arguments->flags.model_dir(), arguments->flags.session());
    Chat chat(session, options);
    for (const std::string& clip : arguments->clips) chat.add_clip(clip);
    chat.run();
  });
}

}  // namespace areason
