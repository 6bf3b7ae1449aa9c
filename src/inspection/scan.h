// What scanners are told about a message, and what they say of it.
//
// A scanner that fails never stops mail: its findings then are a check without a score that says so.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/messages.h"

namespace posthaste::inspection {

struct Subject {
  bool incoming = true;
  std::string rcpt_to, mail_from, token;  // mail_from empty: the null sender
  // The client that an incoming message came from, as far as it is known.
  std::string ip, helo, hostname;
};

enum class Outcome {
  Answered,
  Unreadable,  // it answered, but not what its protocol says
  TimedOut,
  Failed,   // not reached, or it hung up
  Skipped,  // not asked, or the message is too large for it
};
std::string_view to_text(Outcome outcome);

struct SpamScan {
  Outcome outcome = Outcome::Answered;
  double score = 0;
  std::vector<store::SpamCheck> checks;
};

struct VirusScan {
  Outcome outcome = Outcome::Answered;
  bool threat = false;
  std::string details;
  std::vector<store::SpamCheck> checks;  // only that nobody looked
};

// One check without a score: `TIMEOUT`, `SKIPPED` or `ERROR`.
SpamScan without_score(Outcome outcome, std::string description);

// Checks of one message that are kept, and bytes of a code or description.
inline constexpr std::size_t kMostChecks = 500, kMostText = 255;

}  // namespace posthaste::inspection
