#include "llm/text_only.h"

#include <utility>

#include "base/error.h"

namespace areason::llm {
namespace {

class TextOnly : public Provider {
 public:
  explicit TextOnly(ProviderPtr inner) : inner_(std::move(inner)) {}

  Reply complete(const Request& request) override {
    Request told = request;
    for (Message& message : told.messages) {
      for (Part& part : message.parts) {
        if (!part.audio) continue;
        if (part.text.empty())
          throw Error(ErrorCode::kUsage, "a clip without a description was to be put to a model that cannot hear",
                      "give the audio part a text, or ask a model that hears");
        part.audio = nullptr;
      }
    }
    return inner_->complete(told);
  }

  std::string name() const override { return inner_->name() + " (text only)"; }

 private:
  ProviderPtr inner_;
};

}  // namespace

ProviderPtr make_text_only(ProviderPtr inner) { return std::make_shared<TextOnly>(std::move(inner)); }

}  // namespace areason::llm
