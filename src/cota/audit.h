#pragma once
// `data audit`: can a class or a package be told by loudness or bandwidth alone? Uses clips of one sound class without
// background. eta squared is the share of the variance that the grouping explains: 0 none, 1 all. Called by the CLI.
#include <string>
#include <vector>

#include "cota/clip_store.h"

namespace areason {

struct AuditRow {
  std::string grouping;  // "class", "package", "package within class"
  std::string quantity;  // "level_db", "bandwidth_hz" (log scale)
  int groups = 0, clips = 0;
  double eta_squared = 0;  // observed
  double by_chance = 0;    // what as many groups of random clips would explain on average
};

std::vector<AuditRow> audit_clips(const std::vector<const Clip*>& clips);
std::string audit_table(const std::vector<AuditRow>& rows);
// Recordings, voices and soundfonts of test-unseen clips that other splits use too; empty when the split is clean.
std::vector<std::string> leaked_sources(const std::vector<const Clip*>& clips);

}  // namespace areason
