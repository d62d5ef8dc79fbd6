#include "llm/budget.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/json.h"

namespace areason::llm {
namespace {

// Gemini counts 32 tokens a second of audio (ai.google.dev, "Audio understanding"), Qwen2-Audio 25, OpenAI fewer.
constexpr double kAudioTokensPerSecond = 32;
// Role marks and separators of a message.
constexpr std::int64_t kTokensPerMessage = 8;

// English has about four bytes a token, code and numbers fewer; other scripts about one token for two bytes of UTF-8.
std::int64_t text_tokens(const std::string& text) {
  const auto foreign = std::count_if(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  const auto plain = static_cast<std::int64_t>(text.size()) - foreign;
  return (plain + 2) / 3 + (foreign + 1) / 2;
}

std::int64_t per_token(double price_of_million) { return std::llround(price_of_million * 1e6); }

// Prices and counts come from files and servers: a product that does not fit is the largest amount there is.
Money product(std::int64_t tokens, std::int64_t price) {
  std::int64_t out = 0;
  if (__builtin_mul_overflow(tokens, price, &out)) out = INT64_MAX / 4;
  return {std::min(out, INT64_MAX / 4)};
}

Money operator+(Money a, Money b) { return {std::min(a.pico, INT64_MAX / 4) + std::min(b.pico, INT64_MAX / 4)}; }

double price_member(const Json& entry, const char* name, double fallback, const std::string& what) {
  const auto it = entry.find(name);
  if (it == entry.end() && fallback >= 0) return fallback;
  if (it == entry.end() || !it->is_number() || !(it->get<double>() >= 0) || it->get<double>() > 1e6)
    throw Error(ErrorCode::kInput, what + ": \"" + name + "\" is no price of a million tokens", "for example 0.40");
  return it->get<double>();
}

}  // namespace

Estimate& Estimate::operator+=(const Estimate& other) {
  text += other.text;
  audio += other.audio;
  output += other.output;
  return *this;
}

Estimate estimate_of(const Request& request) {
  Estimate out;
  for (const Message& message : request.messages) {
    out.text += kTokensPerMessage;
    for (const Part& part : message.parts) {
      if (part.audio)
        out.audio += static_cast<std::int64_t>(std::ceil(part.audio->seconds * kAudioTokensPerSecond)) + kTokensPerMessage;
      else
        out.text += text_tokens(part.text);
    }
  }
  out.output = std::max(0, request.parameters.max_output_tokens);
  return out;
}

std::string Money::text() const {
  constexpr std::int64_t kMicro = 1'000'000;
  const std::int64_t micros = pico / kMicro + (pico % kMicro > 0 ? 1 : 0);
  char text[40];
  std::snprintf(text, sizeof text, "%lld.%06lld", static_cast<long long>(micros / kMicro),
                static_cast<long long>(micros % kMicro));
  return text;
}

Money Money::from_units(double units) {
  if (!(units >= 0) || units > 2e6)
    throw Error(ErrorCode::kUsage, "an amount of money must lie between 0 and 2,000,000", "for example 5 or 0.25");
  return {std::llround(units * 1e12)};
}

Money Price::cost(const Estimate& estimate) const {
  return product(estimate.text, input) + product(estimate.audio, audio_input) + product(estimate.output, output);
}

Money Price::cost(const Usage& usage, std::int64_t audio_guess) const {
  const std::int64_t audio = std::min(usage.input, usage.audio > 0 ? usage.audio : audio_guess);
  return product(usage.input - audio, input) + product(audio, audio_input) + product(usage.output, output);
}

Price price_per_million(double input, double audio_input, double output) {
  return {per_token(input), per_token(audio_input), per_token(output)};
}

PriceTable read_prices(const std::string& path) {
  const Json root = read_json_file(path);
  const auto models = root.is_object() ? root.find("models") : root.end();
  if (!root.is_object() || models == root.end() || !models->is_object())
    throw Error(ErrorCode::kInput, path + " has no \"models\"",
                "{\"currency\": \"USD\", \"models\": {\"NAME\": {\"input\": 0.10, \"output\": 0.40}}}, see docs/teachers.md");
  PriceTable table;
  if (root.contains("currency") && root["currency"].is_string()) table.currency = root["currency"].get<std::string>();
  for (const auto& [name, entry] : models->items()) {
    const std::string what = path + ", model " + name;
    if (!entry.is_object()) throw Error(ErrorCode::kInput, what + ": not an object", "{\"input\": 0.10, \"output\": 0.40}");
    const double input = price_member(entry, "input", -1, what);
    table.models[name] =
        price_per_million(input, price_member(entry, "audio_input", input, what), price_member(entry, "output", -1, what));
  }
  return table;
}

Budget::Budget(BudgetLimits limits, PriceTable prices) : limits_(limits), prices_(std::move(prices)) {
  if (limits_.money && prices_.models.empty())
    throw Error(ErrorCode::kUsage, "a budget in money needs prices", "--prices FILE, see docs/teachers.md");
}

void Budget::require_price(const std::string& model) const {
  if (limits_.money && !prices_.models.contains(model))
    throw Error(ErrorCode::kUsage, "the price table has no model " + model + ", so the budget cannot be kept",
                "add it to the file of --prices");
}

Price Budget::price_of(const std::string& model) const {
  const auto it = prices_.models.find(model);
  return it == prices_.models.end() ? Price{} : it->second;
}

bool Budget::fits(const Estimate& estimate, Money cost, std::int64_t on_way_tokens, Money on_way) const {
  const std::int64_t tokens = spent_.input + spent_.output + spent_.unconfirmed_tokens + on_way_tokens + estimate.total();
  if (limits_.tokens > 0 && tokens > limits_.tokens) return false;
  const Money money = spent_.money + spent_.unconfirmed_money + on_way + cost;
  return !limits_.money || money.pico <= limits_.money->pico;
}

bool Budget::reserve(const std::string& model, const Estimate& estimate) {
  require_price(model);
  const Money cost = price_of(model).cost(estimate);
  std::unique_lock lock(mutex_);
  while (!fits(estimate, cost, on_way_tokens_, on_way_)) {
    throw_if_interrupted();
    if (on_way_requests_ == 0 || !fits(estimate, cost, 0, {})) return false;
    settled_.wait_for(lock, std::chrono::milliseconds(100));
  }
  on_way_tokens_ += estimate.total();
  on_way_ = on_way_ + cost;
  ++on_way_requests_;
  return true;
}

void Budget::release(const std::string& model, const Estimate& reserved) {
  on_way_tokens_ -= reserved.total();
  on_way_.pico -= price_of(model).cost(reserved).pico;
  --on_way_requests_;
  settled_.notify_all();
}

void Budget::settle(const std::string& model, const Estimate& reserved, const Usage& usage) {
  const std::lock_guard lock(mutex_);
  release(model, reserved);
  ++spent_.answers;
  spent_.input += usage.input;
  spent_.output += usage.output;
  spent_.money = spent_.money + bill(model, reserved, usage);
}

void Budget::settle_unknown(const std::string& model, const Estimate& reserved) {
  const std::lock_guard lock(mutex_);
  release(model, reserved);
  ++spent_.unconfirmed;
  spent_.unconfirmed_tokens += reserved.total();
  spent_.unconfirmed_money = spent_.unconfirmed_money + price_of(model).cost(reserved);
}

void Budget::settle_free(const std::string& model, const Estimate& reserved) {
  const std::lock_guard lock(mutex_);
  release(model, reserved);
}

Spent Budget::spent() const {
  const std::lock_guard lock(mutex_);
  return spent_;
}

}  // namespace areason::llm
