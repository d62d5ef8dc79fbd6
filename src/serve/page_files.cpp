// The assembler takes the files in as they are, which costs no time at any size. CMakeLists.txt names the source tree
// (AREASON_SOURCE) and has this file compiled again when one of them changes.
#include <array>

#include "serve/page.h"

// NAME: the bytes from areason_page_NAME up to areason_page_NAME_end.
// clang-format off
#define AREASON_TAKE_IN(name, file)                     \
  asm(".pushsection .rodata\n"                          \
      ".global areason_page_" #name "\n"                \
      ".global areason_page_" #name "_end\n"            \
      "areason_page_" #name ":\n"                       \
      ".incbin \"" AREASON_SOURCE "/" file "\"\n"       \
      "areason_page_" #name "_end:\n"                   \
      ".byte 0\n"                                       \
      ".popsection\n");                                 \
  extern "C" const char areason_page_##name[], areason_page_##name##_end[];
// clang-format on

AREASON_TAKE_IN(index, "web/index.html")
AREASON_TAKE_IN(style, "web/page.css")
AREASON_TAKE_IN(icon, "web/icon.svg")
AREASON_TAKE_IN(page, "web/page.js")
AREASON_TAKE_IN(api, "web/api.js")
AREASON_TAKE_IN(clips, "web/clips.js")
AREASON_TAKE_IN(recorder, "web/recorder.js")
AREASON_TAKE_IN(worklet, "web/recorder-worklet.js")
AREASON_TAKE_IN(samples, "web/samples.js")
AREASON_TAKE_IN(turn, "web/turn.js")
AREASON_TAKE_IN(sounds, "examples/clips/sounds.flac")
AREASON_TAKE_IN(dialogue, "examples/clips/dialogue.flac")
AREASON_TAKE_IN(waltz, "examples/clips/waltz.flac")
AREASON_TAKE_IN(code, "examples/clips/code.flac")

#undef AREASON_TAKE_IN

namespace areason::serve {
namespace {

std::string_view between(const char* begin, const char* end) { return {begin, static_cast<std::size_t>(end - begin)}; }

}  // namespace

std::span<const PageFile> page_files() {
  static constexpr std::string_view kScript = "text/javascript; charset=utf-8";
#define AREASON_BYTES(name) between(areason_page_##name, areason_page_##name##_end)
  static const std::array files = {
      PageFile{"/", "text/html; charset=utf-8", AREASON_BYTES(index)},
      PageFile{"/page.css", "text/css; charset=utf-8", AREASON_BYTES(style)},
      PageFile{"/icon.svg", "image/svg+xml", AREASON_BYTES(icon)},
      PageFile{"/page.js", kScript, AREASON_BYTES(page)},
      PageFile{"/api.js", kScript, AREASON_BYTES(api)},
      PageFile{"/clips.js", kScript, AREASON_BYTES(clips)},
      PageFile{"/recorder.js", kScript, AREASON_BYTES(recorder)},
      PageFile{"/recorder-worklet.js", kScript, AREASON_BYTES(worklet)},
      PageFile{"/samples.js", kScript, AREASON_BYTES(samples)},
      PageFile{"/turn.js", kScript, AREASON_BYTES(turn)},
      PageFile{"/clips/sounds.flac", "audio/flac", AREASON_BYTES(sounds)},
      PageFile{"/clips/dialogue.flac", "audio/flac", AREASON_BYTES(dialogue)},
      PageFile{"/clips/waltz.flac", "audio/flac", AREASON_BYTES(waltz)},
      PageFile{"/clips/code.flac", "audio/flac", AREASON_BYTES(code)},
  };
#undef AREASON_BYTES
  return files;
}

}  // namespace areason::serve
