#include "serve/client_errors.h"

#include <string_view>

#include "serve/chat_request.h"

namespace areason::serve {
namespace {

struct Wording {
  std::string_view ours, clients;
  const char* param;  // "": what is known without it
};
constexpr Wording kWordings[] = {
    {"(--max-new-tokens), or use --structure free", "(max_tokens), or give \"structure\": \"free\"", "max_tokens"},
    {", or start a new conversation (/clear)", ", or fewer messages", "messages"},
    {"use --long-audio windows or truncate", "give \"long_audio\": \"windows\" or \"truncate\"", ""},
    {"separate the choices by |, for example --choices \"a dog|a cat\"", "give for example [\"a dog\", \"a cat\"]", "choices"},
    {"give audio as {\"type\": \"audio\"} parts; the template writes the token", "give audio as input_audio parts", "messages"},
};

bool replace_all(std::string& text, std::string_view from, std::string_view to) {
  bool any = false;
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
    any = true;
  }
  return any;
}

}  // namespace

std::exception_ptr in_clients_words(const std::exception_ptr& error, const NamedClips& clips) {
  try {
    std::rethrow_exception(error);
  } catch (const Error& e) {
    std::string message = e.what(), hint = e.hint(), param = "messages";
    for (const auto& [name, file] : clips)
      if (replace_all(message, file->path(), name)) param = name;
    for (const Wording& w : kWordings)
      if (replace_all(hint, w.ours, w.clients) && *w.param != '\0') param = w.param;
    const Error clients(e.code(), message, hint);
    if (e.code() != ErrorCode::kInput && e.code() != ErrorCode::kUsage) return std::make_exception_ptr(clients);
    return std::make_exception_ptr(RequestError(clients, param));
  } catch (...) {
    return error;
  }
}

}  // namespace areason::serve
