#include "train/preset.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/json.h"

namespace areason::train {
namespace {

namespace fs = std::filesystem;

bool given(const std::vector<std::string>& arguments, const std::string& flag) {
  return std::any_of(arguments.begin(), arguments.end(),
                     [&](const std::string& a) { return a == flag || a.rfind(flag + "=", 0) == 0; });
}

std::string value_text(const Json& value) { return value.is_string() ? value.get<std::string>() : dump_json(value); }

void add_flag(const std::string& key, const Json& value, std::vector<std::string>& out) {
  if (value.is_boolean()) {
    if (value.get<bool>()) out.push_back("--" + key);
  } else if (value.is_array()) {
    for (const Json& item : value) out.push_back("--" + key + "=" + value_text(item));
  } else {
    out.push_back("--" + key + "=" + value_text(value));
  }
}

}  // namespace

std::string find_preset(const std::string& name) {
  if (fs::is_regular_file(name)) return name;
  std::error_code ignored;
  const std::string file = "configs/" + name + ".json";
  for (fs::path start : {fs::read_symlink("/proc/self/exe", ignored).parent_path(), fs::current_path(ignored)}) {
    for (;; start = start.parent_path()) {
      if (fs::is_regular_file(start / file)) return (start / file).string();
      if (!start.has_relative_path()) break;
    }
  }
  throw Error(ErrorCode::kUsage, "there is no preset " + name, "name a file, or one of configs/*.json without its ending");
}

std::vector<std::string> with_presets(const std::vector<std::string>& arguments) {
  std::vector<std::string> names, rest, out;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--preset" && i + 1 < arguments.size()) {
      names.push_back(arguments[++i]);
    } else if (arguments[i].rfind("--preset=", 0) == 0) {
      names.push_back(arguments[i].substr(9));
    } else {
      rest.push_back(arguments[i]);
    }
  }
  for (const std::string& name : names) {
    const std::string path = find_preset(name);
    const Json json = read_json_file(path);
    if (!json.is_object() || !json.contains("flags") || !json["flags"].is_object())
      throw Error(ErrorCode::kInput, path + " is no preset", "it needs an object \"flags\" of flag names and values");
    for (const auto& [key, value] : json["flags"].items()) {
      if (!given(rest, "--" + key)) add_flag(key, value, out);
    }
  }
  out.insert(out.end(), rest.begin(), rest.end());
  return out;
}

}  // namespace areason::train
