#include "inspection/scan.h"

namespace posthaste::inspection {

std::string_view to_text(Outcome outcome) {
  switch (outcome) {
    case Outcome::Answered:
      return "answered";
    case Outcome::Unreadable:
      return "unreadable";
    case Outcome::TimedOut:
      return "timeout";
    case Outcome::Failed:
      return "error";
    case Outcome::Skipped:
      return "skipped";
  }
  return "error";
}

SpamScan without_score(Outcome outcome, std::string description) {
  std::string code = "ERROR";
  if (outcome == Outcome::TimedOut) code = "TIMEOUT";
  if (outcome == Outcome::Skipped) code = "SKIPPED";
  SpamScan scan;
  scan.outcome = outcome;
  scan.checks.push_back({std::move(code), std::move(description), 0});
  return scan;
}

}  // namespace posthaste::inspection
