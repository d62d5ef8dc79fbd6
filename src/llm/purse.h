#pragma once
// A budget that is kept outside the process, so that many processes share it (cli makes one of the job store). governed.cpp
// holds the most that an attempt can cost before it is sent and settles it afterwards, beside its own budget.
// Thread rule: every function is safe from any thread. Units: tokens, money.
#include <cstdint>
#include <string>

#include "llm/budget.h"

namespace areason::llm {

class Purse {
 public:
  enum class Answer { kGranted, kLater, kSpent };  // kLater: what is on its way may turn out cheaper; ask again
  struct Hold {
    Answer answer = Answer::kSpent;
    std::int64_t ticket = 0;
  };
  enum class Bill { kKnown, kUnknown, kNothing };  // as Budget::settle, settle_unknown, settle_free
  virtual ~Purse() = default;
  virtual Hold hold(std::int64_t tokens, Money money) = 0;
  virtual void settle(std::int64_t ticket, std::int64_t tokens, Money money, Bill bill) = 0;
  // One line for people: what the limit is and what has been spent.
  virtual std::string state() = 0;
};

}  // namespace areason::llm
