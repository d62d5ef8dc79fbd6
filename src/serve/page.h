#pragma once
// The web page of the server: the files of web/ and the sample clips of examples/clips, which are part of the program, so that
// it needs no folder beside it. Called by server.cpp when the page is wanted. Paths are below "/", sizes in bytes.
// Thread rule: pure functions over constants; the routes run on the HTTP library's threads.
#include <span>
#include <string_view>

namespace httplib {
class Server;
}

namespace areason::serve {

struct PageFile {
  std::string_view path;  // "/page.js"; the page itself is "/"
  std::string_view type;  // of its content, as HTTP names it
  std::string_view bytes;
};
std::span<const PageFile> page_files();

// GET and HEAD of every file, without a key: what they hold is public. Anything that the page does goes by the API.
void add_page(httplib::Server& http);

}  // namespace areason::serve
