#include "cota/audit.h"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <set>

namespace areason {
namespace {

struct Measured {
  std::string label, package;
  double level = 0, bandwidth = 0;
};

std::vector<Measured> single_sounds(const std::vector<const Clip*>& clips) {
  std::vector<Measured> out;
  for (const Clip* clip : clips) {
    const Scene& scene = clip->scene;
    if (scene.type != SceneType::kSound || scene.events.size() != 1 || scene.events[0].kind != EventKind::kSound) continue;
    const std::string package = scene.sources.empty() ? "" : scene.sources[0].package;
    out.push_back({scene.events[0].label, package, scene.events[0].level_db, std::log2(std::max(1.0, clip->bandwidth_hz))});
  }
  return out;
}

// Share of the variance of `values` between the groups named by `keys`.
AuditRow eta_squared(const std::vector<double>& values, const std::vector<std::string>& keys) {
  AuditRow row;
  row.clips = static_cast<int>(values.size());
  double mean = 0;
  std::map<std::string, std::pair<double, int>> groups;
  for (std::size_t i = 0; i < values.size(); ++i) {
    mean += values[i] / static_cast<double>(values.size());
    groups[keys[i]].first += values[i];
    ++groups[keys[i]].second;
  }
  double between = 0, total = 0;
  for (const auto& [key, sum] : groups) between += sum.second * std::pow(sum.first / sum.second - mean, 2);
  for (const double v : values) total += (v - mean) * (v - mean);
  row.groups = static_cast<int>(groups.size());
  row.eta_squared = total > 0 ? between / total : 0;
  row.by_chance = row.clips > 1 ? std::min(1.0, (row.groups - 1.0) / (row.clips - 1.0)) : 0;
  return row;
}

// Values with the mean of their class taken away.
std::vector<double> within_class(const std::vector<double>& values, const std::vector<std::string>& labels) {
  std::map<std::string, std::pair<double, int>> sums;
  for (std::size_t i = 0; i < values.size(); ++i) {
    sums[labels[i]].first += values[i];
    ++sums[labels[i]].second;
  }
  std::vector<double> out;
  for (std::size_t i = 0; i < values.size(); ++i) out.push_back(values[i] - sums[labels[i]].first / sums[labels[i]].second);
  return out;
}

}  // namespace

std::vector<AuditRow> audit_clips(const std::vector<const Clip*>& clips) {
  std::vector<double> levels, bandwidths;
  std::vector<std::string> labels, packages;
  for (const Measured& m : single_sounds(clips)) {
    levels.push_back(m.level);
    bandwidths.push_back(m.bandwidth);
    labels.push_back(m.label);
    packages.push_back(m.package);
  }
  std::vector<AuditRow> rows;
  const auto add = [&](const char* grouping, const char* quantity, const std::vector<double>& v,
                       const std::vector<std::string>& k) {
    rows.push_back(eta_squared(v, k));
    rows.back().grouping = grouping;
    rows.back().quantity = quantity;
  };
  add("class", "level_db", levels, labels);
  add("class", "bandwidth_hz", bandwidths, labels);
  add("package", "level_db", levels, packages);
  add("package", "bandwidth_hz", bandwidths, packages);
  add("package within class", "level_db", within_class(levels, labels), packages);
  add("package within class", "bandwidth_hz", within_class(bandwidths, labels), packages);
  return rows;
}

std::string audit_table(const std::vector<AuditRow>& rows) {
  std::string out = fmt::format("{:<22}{:<14}{:>8}{:>7}{:>13}{:>11}\n", "grouping", "quantity", "groups", "clips",
                                "eta squared", "by chance");
  for (const AuditRow& r : rows) {
    out += fmt::format("{:<22}{:<14}{:>8}{:>7}{:>13.3f}{:>11.3f}\n", r.grouping, r.quantity, r.groups, r.clips, r.eta_squared,
                       r.by_chance);
  }
  return out;
}

std::vector<std::string> leaked_sources(const std::vector<const Clip*>& clips) {
  std::set<std::string> unseen, others;
  for (const Clip* clip : clips) {
    // The path belongs to it: packages hold files of one name in several folders.
    for (const SourceRef& r : clip->scene.sources)
      (clip->scene.split == "test-unseen" ? unseen : others).insert(r.id + " " + r.path);
  }
  std::vector<std::string> out;
  for (const std::string& id : unseen) {
    if (others.count(id) > 0) out.push_back(id);
  }
  return out;
}

}  // namespace areason
