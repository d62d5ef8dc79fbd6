#pragma once
// A wrapper for models that cannot hear: every clip is replaced by its description (Part::text: labels, transcript, timeline).
// Built by config.h. Thread rule: as the wrapped provider. Errors: Error(kUsage) for a clip without a description.
#include "llm/provider.h"

namespace areason::llm {

ProviderPtr make_text_only(ProviderPtr inner);

}  // namespace areason::llm
