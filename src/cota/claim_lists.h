#pragma once
// Sounds and quotations told one after another, as lists: "A, B and C, in this order", "crow, hooves, drip". Called by the rule
// for order (claim_order.cpp). Thread rule: one thread a Reading.
#include "cota/claim_rules.h"

namespace areason::claims {

void check_lists(Reading& r);

}  // namespace areason::claims
