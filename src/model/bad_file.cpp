#include "model/bad_file.h"

#include "base/error.h"

namespace areason {

void bad_model_file(const std::string& file, std::string what) {
  for (char& c : what)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  if (what.size() > 400) what = what.substr(0, 400) + "...";
  throw Error(ErrorCode::kModel, file + ": " + what, "download or copy the checkpoint again");
}

}  // namespace areason
