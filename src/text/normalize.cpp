#include "text/normalize.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>
#include <unicode/uniset.h>

#include "base/error.h"
#include "text/utf8.h"

namespace areason {
namespace {

const icu::Normalizer2* full_instance(Normalization form) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* result = nullptr;
  switch (form) {
    case Normalization::kNfc:
      result = icu::Normalizer2::getNFCInstance(status);
      break;
    case Normalization::kNfd:
      result = icu::Normalizer2::getNFDInstance(status);
      break;
    case Normalization::kNfkc:
      result = icu::Normalizer2::getNFKCInstance(status);
      break;
    case Normalization::kNfkd:
      result = icu::Normalizer2::getNFKDInstance(status);
      break;
  }
  if (U_FAILURE(status) || result == nullptr)
    throw Error(ErrorCode::kFailure, "ICU has no Unicode normalisation data", "install the package libicu72 or newer");
  return result;
}

// The reference (Hugging Face tokenizers 0.23) normalises by the tables of Unicode 9: marks that are newer keep their place.
// Found by comparing every combining character: all that differ from Unicode 14 came with Unicode 10 or later.
const icu::UnicodeSet& reference_characters() {
  static const icu::UnicodeSet set = [] {
    UErrorCode status = U_ZERO_ERROR;
    icu::UnicodeSet made(icu::UnicodeString("[:age=9.0:]"), status);
    if (U_FAILURE(status))
      throw Error(ErrorCode::kFailure, "ICU has no Unicode character data", "install the package libicu72 or newer");
    made.freeze();
    return made;
  }();
  return set;
}

}  // namespace

std::string normalize_utf8(std::string_view text, Normalization form) {
  if (is_ascii(text)) return std::string(text);  // every form leaves ASCII alone
  std::string out;
  icu::StringByteSink<std::string> sink(&out, static_cast<std::int32_t>(text.size()));
  UErrorCode status = U_ZERO_ERROR;
  const icu::FilteredNormalizer2 normalizer(*full_instance(form), reference_characters());
  normalizer.normalizeUTF8(0, icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())), sink, nullptr, status);
  if (U_FAILURE(status))
    throw Error(ErrorCode::kInput, std::string("a text cannot be normalised: ") + u_errorName(status), "use a shorter text");
  return out;
}

}  // namespace areason
