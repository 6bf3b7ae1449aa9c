// What the outcome of a transaction makes of the message (outbound-delivery.md 12.4): delivery status, the texts of the
// delivery row, and what to do next. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "policy/classification.h"

namespace posthaste::policy {

// An attempt as the SMTP client reports it; the kinds are those of smtp::client::Outcome, in its order.
struct Attempt {
  enum class Kind { Accepted, Refused, Broken, Uncertain, Unfit };
  Kind kind = Kind::Broken;
  Stage stage = Stage::Connect;
  int code = 0;            // of the reply; 0: none
  std::string_view reply;  // all lines, joined by LF
  std::string_view error;  // without a reply: `end of file reached`
  std::string_view rcpt_to;
  std::string_view endpoint;   // `127.0.0.1:25 (mx1.test)`
  std::string_view source_ip;  // empty: not bound
  int attempts = 0;            // made before this one
  bool helo_only = false;      // the conversation avoided ESMTP
};

// Errors with these in front: a reply that did not come in time, one that is none.
constexpr std::string_view kReadTimeout = "Net::ReadTimeout";
constexpr std::string_view kProtocolError = "protocol error";

struct Verdict {
  enum class Status { Sent, SoftFail, HardFail };
  Status status = Status::SoftFail;
  std::string details, output;
  std::optional<int> code;
  Class classification = Class::Unknown;  // means nothing when Sent
  std::optional<Duration> retry_hint;     // SoftFail: when the remote server asked to come back
  bool retry_with_helo = false;           // before it counts: once more, on a new connection, in HELO mode
  bool retry_elsewhere = false;           // nothing was taken: another connection may try without using up an attempt
};
std::string_view to_text(Verdict::Status status);  // `SoftFail`, as in the delivery row

Verdict judge(const Attempt& attempt);

// Details of a message that no server could be asked for: `No SMTP servers were available for x.test. Tried a and b.`,
// `... No hosts to try.` without hosts.
std::string no_servers_details(std::string_view domain, const std::vector<std::string>& hosts);

}  // namespace posthaste::policy
