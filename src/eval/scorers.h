#pragma once
// The scorers behind make_scorer() and what they share. Used in this folder only. Thread rule: as score.h.
#include <memory>

#include "eval/score.h"

namespace areason {

std::unique_ptr<Scorer> make_choice_scorer(const ScoreOptions& options);       // mmau, mmar
std::unique_ptr<Scorer> make_foundation_scorer(const ScoreOptions& options);   // airbench-foundation
std::unique_ptr<Scorer> make_chat_scorer(const ScoreOptions& options);         // airbench-chat
std::unique_ptr<Scorer> make_translation_scorer(const ScoreOptions& options);  // covost2
std::unique_ptr<Scorer> make_emotion_scorer(const ScoreOptions& options);      // meld

// What every finish() begins with: name and stage are set, the reader's counts have joined the scorer's `own`.
BenchmarkScore opened_score(const ScoreOptions& options, Counts& own, const Counts& of_reader);
// k of n in percent with Wilson's interval.
Figure proportion_figure(std::string name, long k, long n);
// A figure over all samples with its bootstrap interval; its value is the figure of the samples themselves.
Figure bootstrap_figure(const Metric& metric, std::size_t samples, const BootstrapOptions& options);
// Mean of SampleScore::value times `unit` over the picked samples.
Metric mean_metric(std::string name, const std::vector<SampleScore>& samples, double unit);
// Proportions of value == 1 by every group of the samples, in order of appearance; samples whose outcome is "invalid" are left
// out.
std::vector<GroupFigure> group_proportions(const std::vector<SampleScore>& samples);

// The reply's response, with its extraction counted.
std::string response_of(const std::string& reply, Counts& counts);

}  // namespace areason
