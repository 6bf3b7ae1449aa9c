// Mail that came back: what it says of the message it is about (RFC 3464, 6522, 6533, 5965, and the text-only bounces
// of qmail, Exim and Exchange).
//
// Never throws, whatever the bytes; what is read of them is bounded. All texts are valid UTF-8.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace posthaste::mail {

// One recipient's block.
struct ReportedRecipient {
  std::string original, final;  // addresses without their type
  std::string action;           // lower case: failed, delayed, delivered, relayed, expanded; empty: not said
  std::string status;           // `5.1.1`; empty: not said
  std::string diagnostic;       // without its type: `550 5.1.1 no such user`
  std::string remote_mta;       // without its type
  std::string will_retry_until;
};

// What a complaint says (RFC 5965 section 3); empty: not said.
struct Feedback {
  std::string type;  // lower case: abuse, fraud, not-spam, opt-out, ...
  std::string user_agent, source_ip, arrival_date, reported_domain;
  std::string original_mail_from;  // an address
};

struct DeliveryReport {
  enum class Kind {
    Report,     // with a part for machines, delivery-status
    Text,       // a bounce in words that are known
    AutoReply,  // out of office and the like
    Feedback,   // a complaint (RFC 5965)
    Other,      // none of these
  };
  Kind kind = Kind::Other;
  std::string envelope_id, reporting_mta, arrival_date;  // of the whole report
  std::vector<ReportedRecipient> recipients;             // at most 100
  std::string returned;                                  // header block of the message that came back; may be empty
  Feedback feedback;
  std::vector<std::string> texts;  // text parts, decoded
  // Sent by a mail system by its own account: From says mailer-daemon or postmaster.
  bool from_mail_system = false;
};

DeliveryReport read_delivery_report(std::string_view message);

// The fields of a delivery-status part, decoded, as they stand in it.
void read_status_part(std::string_view part, DeliveryReport& report);

// Values of the header X-Postal-MsgID in a header block, in order.
std::vector<std::string> tokens_in_headers(std::string_view headers);

// `X-Postal-MsgID: <token>` wherever it occurs, in any case, folded or quoted, each once, at most 20. With any
// character in place of the X, as Postal reads it.
std::vector<std::string> tokens_in_text(std::string_view text);

}  // namespace posthaste::mail
