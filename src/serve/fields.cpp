#include "serve/fields.h"

#include <fmt/format.h>

namespace areason::serve {

Fields::Fields(const Json& object, std::string where) : object_(&object), where_(std::move(where)) {
  if (!object.is_object()) {
    throw RequestError(where_.empty() ? "the body" : where_, "is not a JSON object", "see docs/serve.md for the fields");
  }
}

const Json* Fields::find(const std::string& name) const {
  const auto it = object_->find(name);
  return it == object_->end() || it->is_null() ? nullptr : &*it;
}

std::optional<double> Fields::number(const std::string& name, double low, double high) const {
  const Json* found = find(name);
  if (found == nullptr) return std::nullopt;
  const double value = found->is_number() ? found->get<double>() : 0;
  if (!found->is_number() || !(value >= low && value <= high)) {
    throw RequestError(path(name), "is not a number that this server takes", fmt::format("give one from {} to {}", low, high));
  }
  return value;
}

std::optional<std::int64_t> Fields::integer(const std::string& name, std::int64_t low, std::int64_t high) const {
  const Json* found = find(name);
  if (found == nullptr) return std::nullopt;
  // A number above int64's range is stored as unsigned, and wraps below `low` or above `high` alike: both are refused.
  const bool fits = found->is_number_integer() &&
                    !(found->is_number_unsigned() && found->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX));
  const std::int64_t value = fits ? found->get<std::int64_t>() : 0;
  if (!fits || value < low || value > high) {
    throw RequestError(path(name), "is not a whole number that this server takes",
                       fmt::format("give one from {} to {}", low, high));
  }
  return value;
}

std::optional<bool> Fields::flag(const std::string& name) const {
  const Json* found = find(name);
  if (found == nullptr) return std::nullopt;
  if (!found->is_boolean()) throw RequestError(path(name), "is neither true nor false", "give true or false");
  return found->get<bool>();
}

std::optional<std::string> Fields::text(const std::string& name) const {
  const Json* found = find(name);
  if (found == nullptr) return std::nullopt;
  if (!found->is_string()) throw RequestError(path(name), "is not a string", "put it between quotes");
  return found->get<std::string>();
}

}  // namespace areason::serve
