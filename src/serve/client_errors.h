#pragma once
// Errors of the layers below, which name flags of the command line and our files, in the words of the API and with the
// request's field. Called by the engine's thread. Thread rule: pure function.
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "serve/clip_files.h"

namespace areason::serve {

// A clip's name in the request and its file.
using NamedClips = std::vector<std::pair<std::string, ClipFilePtr>>;

// A RequestError for what the client can mend; otherwise the error with the clips' names instead of our files.
std::exception_ptr in_clients_words(const std::exception_ptr& error, const NamedClips& clips);

}  // namespace areason::serve
