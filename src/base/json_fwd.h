#pragma once
// Forward declaration of Json for headers; see base/json.h.
#include <nlohmann/json_fwd.hpp>

namespace areason {
using Json = nlohmann::ordered_json;
}
