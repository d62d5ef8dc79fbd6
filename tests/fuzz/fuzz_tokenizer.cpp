// A tokenizer.json of unknown origin; one that loads must encode and decode without surprises.
#include <algorithm>
#include <span>

#include "fuzz.h"
#include "text/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace areason;
  static const fuzz::ScratchDir dir;
  dir.put("tokenizer.json", data, size);
  fuzz::only_errors([&] {
    const Tokenizer tokenizer = Tokenizer::load(dir.path());
    const std::string tail(reinterpret_cast<const char*>(data), std::min<std::size_t>(size, 64));
    for (const std::string& text : {std::string("Hello <|im_end|> w\xC3\xB6rld 12\n\n\xFF"), tail})
      for (const SpecialTokens specials : {SpecialTokens::kParse, SpecialTokens::kAsText}) {
        const std::vector<TokenId> ids = tokenizer.encode(text, specials);
        for (const TokenId id : ids) fuzz::require(id >= 0 && id < tokenizer.size(), "ids lie in the vocabulary");
        tokenizer.decode(ids);
      }
  });
  return 0;
}
