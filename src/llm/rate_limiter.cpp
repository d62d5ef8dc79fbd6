#include "llm/rate_limiter.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/interrupt.h"

namespace areason::llm {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

// When the amounts that leave the window one after the other have brought `used` down to `allowed`.
double when_free(std::vector<std::pair<double, std::int64_t>> leaving, std::int64_t used, std::int64_t allowed) {
  std::sort(leaving.begin(), leaving.end());
  for (const auto& [when, amount] : leaving) {
    used -= amount;
    if (used <= allowed) return when;
  }
  return kNever;
}

}  // namespace

RateLimiter::RateLimiter(RateLimits limits, std::shared_ptr<Clock> clock)
    : limits_(std::move(limits)), clock_(std::move(clock)) {
  for (const RateWindow& window : limits_.windows)
    if (!(window.seconds > 0) || window.requests < 0 || window.tokens < 0)
      throw Error(ErrorCode::kUsage, "a rate limit is negative or its window is empty", "give 0 for no limit");
}

RateLimiter::Permit::~Permit() {
  if (!done_) finish(entry_->tokens, Received::kPerhaps);
}

void RateLimiter::Permit::finish(std::int64_t tokens, Received received) {
  {
    const std::lock_guard lock(limiter_->mutex_);
    entry_->finished = limiter_->clock_->now();
    const double arrived = entry_->started + limiter_->limits_.transit_seconds;
    entry_->received = received == Received::kYes ? std::min(arrived, entry_->finished) : arrived;
    entry_->tokens = tokens;
    done_ = true;
  }
  limiter_->finished_.notify_all();
}

std::unique_ptr<RateLimiter::Permit> RateLimiter::acquire(std::int64_t tokens) {
  for (const RateWindow& window : limits_.windows)
    if (window.tokens > 0 && tokens > window.tokens)
      throw Error(
          ErrorCode::kUsage,
          "one request may need " + std::to_string(tokens) + " tokens, the rate limit is " + std::to_string(window.tokens),
          "ask for fewer output tokens or raise the limit of tokens a minute");
  const std::lock_guard turn(turn_);
  for (;;) {
    throw_if_interrupted();
    double when = 0;
    {
      std::unique_lock lock(mutex_);
      const double now = clock_->now();
      forget_old(now);
      when = earliest(tokens, now);
      if (when <= now) {
        entries_.push_back({now, kNever, now + limits_.transit_seconds, tokens});
        return std::make_unique<Permit>(*this, std::prev(entries_.end()));
      }
      if (when == kNever) {
        // Only the end of a running request can say more.
        finished_.wait_for(lock, std::chrono::milliseconds(100));
        continue;
      }
    }
    clock_->sleep_until(when);
  }
}

void RateLimiter::hold_until(double when) {
  const std::lock_guard lock(mutex_);
  hold_until_ = std::max(hold_until_, when);
}

double RateLimiter::earliest(std::int64_t tokens, double now) const {
  double when = std::max(now, hold_until_);
  for (const RateWindow& window : limits_.windows) when = std::max(when, earliest_in(window, tokens, now));
  return when;
}

double RateLimiter::earliest_in(const RateWindow& window, std::int64_t tokens, double now) const {
  std::vector<std::pair<double, std::int64_t>> requests, amounts;
  std::int64_t used = 0;
  for (const Entry& entry : entries_) {
    // The server may count a request at any moment of its way there, and its tokens at the end of the answer.
    const double request_leaves = entry.received + window.seconds;
    const double tokens_leave = entry.finished + window.seconds;
    if (request_leaves > now) requests.emplace_back(request_leaves, 1);
    if (tokens_leave > now) {
      amounts.emplace_back(tokens_leave, entry.tokens);
      used += entry.tokens;
    }
  }
  double when = now;
  const auto count = static_cast<std::int64_t>(requests.size());
  if (window.requests > 0 && count + 1 > window.requests)
    when = std::max(when, when_free(std::move(requests), count, window.requests - 1));
  if (window.tokens > 0 && used + tokens > window.tokens)
    when = std::max(when, when_free(std::move(amounts), used, window.tokens - tokens));
  return when;
}

void RateLimiter::forget_old(double now) {
  double longest = 0;
  for (const RateWindow& window : limits_.windows) longest = std::max(longest, window.seconds);
  for (auto it = entries_.begin(); it != entries_.end();)
    it = std::max(it->finished, it->received) + longest <= now ? entries_.erase(it) : std::next(it);
}

}  // namespace areason::llm
