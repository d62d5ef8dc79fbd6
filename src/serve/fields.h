#pragma once
// Optional, typed fields of a JSON object from the network: absent and null are the same, a wrong type or a value out of range
// is a RequestError naming the field. Called by chat_request.cpp. Thread rule: refers to the object, which must outlive it.
#include <optional>
#include <string>

#include "base/json.h"
#include "serve/chat_request.h"

namespace areason::serve {

class Fields {
 public:
  // `where`: prefix of the names in messages, "" or "messages[0]". Throws RequestError when it is no object.
  Fields(const Json& object, std::string where);
  const Json* find(const std::string& name) const;  // null: absent
  std::optional<double> number(const std::string& name, double low, double high) const;
  std::optional<std::int64_t> integer(const std::string& name, std::int64_t low, std::int64_t high) const;
  std::optional<bool> flag(const std::string& name) const;
  std::optional<std::string> text(const std::string& name) const;
  std::string path(const std::string& name) const { return where_.empty() ? name : where_ + "." + name; }

 private:
  const Json* object_;
  std::string where_;
};

}  // namespace areason::serve
