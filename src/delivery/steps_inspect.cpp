// The step `inspect` of both pipelines: whether the scanners are asked, and what follows from their answer.
#include <cmath>

#include "base/log.h"
#include "delivery/spam_fields.h"
#include "delivery/steps.h"
#include "inspection/inspector.h"

namespace posthaste::delivery {

namespace {

constexpr double kMostScore = 999'999;  // messages.spam_score is a decimal(8,2)

bool outgoing(const Attempt& attempt) { return attempt.message.scope == "outgoing"; }

// Incoming mail gets its lines even where no scanner is set up; outgoing mail is looked at only for a threshold.
bool wanted(const Attempt& attempt) {
  return !attempt.message.inspected && (!outgoing(attempt) || attempt.server->outbound_spam_threshold);
}

double threshold_of(const Attempt& attempt, const Tools& tools) {
  if (outgoing(attempt)) return *attempt.server->outbound_spam_threshold;
  return attempt.server->spam_threshold.value_or(double(tools.config.postal.default_spam_threshold));
}

// The score as it is stored: the decision, the line in the header and the table then agree.
double stored_score(double score) { return std::round(std::clamp(score, -kMostScore, kMostScore) * 100) / 100; }

void log_findings(const Attempt& attempt, double threshold) {
  const auto& found = *attempt.inspection;
  log::info("worker", "message inspected",
            {{"message", attempt.message.id},
             {"server", attempt.queued().server_id},
             {"token", attempt.message.token},
             {"spam", found.spam},
             {"spam_score", decimal(found.score)},
             {"threat", found.threat},
             {"threat_details", found.threat_details},
             {"server_threshold", decimal(threshold)}});
}

// Behind this step the attempt's message says what the table will say once the attempt is concluded.
void take_over(store::Message& message, const store::Inspection& found) {
  message.inspected = true;
  message.spam = found.spam;
  message.spam_score = found.score;
  message.threat = found.threat;
  message.threat_details = found.threat_details;
}

}  // namespace

Answer inspect(Attempt& attempt, Tools& tools) {
  if (!wanted(attempt)) return {};
  if (!attempt.inspection && inspection::scanners_configured(tools.config)) return {Answer::Kind::Inspect};
  if (!attempt.inspection) attempt.inspection.emplace();
  auto& found = *attempt.inspection;
  const double threshold = threshold_of(attempt, tools);
  found.score = stored_score(found.score);
  found.spam = outgoing(attempt) ? found.score >= threshold : found.score > threshold;
  take_over(attempt.message, found);
  log_findings(attempt, threshold);
  if (outgoing(attempt)) return {};

  const auto before = attempt.raw->size();
  attempt.raw = without_spam_fields(*attempt.raw);
  attempt.foreign_verdicts = attempt.raw->size() != before;
  attempt.added_headers = spam_fields(found, threshold) + attempt.added_headers;
  return {};
}

}  // namespace posthaste::delivery
