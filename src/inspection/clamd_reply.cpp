#include "inspection/clamd_reply.h"

#include "base/strings.h"

namespace posthaste::inspection {

namespace {

constexpr std::string_view kStream = "stream:", kFound = " FOUND";

}  // namespace

std::array<char, 4> chunk_length(std::size_t size) {
  return {char(size >> 24 & 0xFF), char(size >> 16 & 0xFF), char(size >> 8 & 0xFF), char(size & 0xFF)};
}

VirusScan parse_clamd_reply(std::string_view reply) {
  VirusScan scan;
  const auto text = trim(reply.substr(0, reply.find('\0')));
  if (text.find("size limit exceeded") != std::string_view::npos) {
    scan.outcome = Outcome::Skipped;
    return scan;
  }
  scan.outcome = Outcome::Unreadable;
  scan.details = "Could not scan message";
  if (!text.starts_with(kStream)) return scan;
  const auto verdict = trim(text.substr(kStream.size()));
  if (iequals(verdict, "OK")) {
    scan.outcome = Outcome::Answered;
    scan.details = "No threats found";
  } else if (verdict.ends_with(kFound)) {
    scan.outcome = Outcome::Answered;
    scan.threat = true;
    scan.details = trim(verdict.substr(0, verdict.size() - kFound.size())).substr(0, kMostText);
  }
  return scan;
}

}  // namespace posthaste::inspection
