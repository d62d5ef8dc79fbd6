#include "eval/script_run.h"

#include "base/json.h"
#include "eval/python_text.h"

namespace areason {

const Json& script_field(const Json& item, const char* key) {
  if (item.is_array()) throw ScriptStop{"TypeError: list indices must be integers or slices, not str"};
  if (item.is_string()) throw ScriptStop{"TypeError: string indices must be integers, not 'str'"};  // Python 3.11's wording
  if (!item.is_object()) throw ScriptStop{"TypeError: '" + std::string(script_type(item)) + "' object is not subscriptable"};
  const auto found = item.find(key);
  if (found == item.end()) throw ScriptStop{"KeyError: " + py::repr(std::string_view(key))};
  return *found;
}

const std::string& script_text(const Json& value, const char* method) {
  if (!value.is_string())
    throw ScriptStop{"AttributeError: '" + std::string(script_type(value)) + "' object has no attribute '" + method + "'"};
  return value.get_ref<const std::string&>();
}

std::string_view script_type(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null:
      return "NoneType";
    case Json::value_t::boolean:
      return "bool";
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return "int";
    case Json::value_t::number_float:
      return "float";
    case Json::value_t::string:
      return "str";
    case Json::value_t::array:
      return "list";
    default:
      return "dict";
  }
}

std::string script_print(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return "None";
  if (value.is_boolean()) return value.get<bool>() ? "True" : "False";
  if (value.is_number_float()) return py::repr(value.get<double>());
  if (!value.is_structured()) return dump_json(value);
  const auto inner = [](const Json& part) {
    return part.is_string() ? py::repr(std::string_view(part.get_ref<const std::string&>())) : script_print(part);
  };
  std::string out;
  for (const auto& [key, part] : value.items()) {
    out += (out.empty() ? "" : ", ") + (value.is_object() ? py::repr(std::string_view(key)) + ": " : "");
    out += inner(part);
  }
  return (value.is_object() ? "{" : "[") + out + (value.is_object() ? "}" : "]");
}

}  // namespace areason
