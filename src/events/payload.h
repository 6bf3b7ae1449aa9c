// The payloads of events: JSON in Postal's style with its keys in its order (http-api.md 15). Further keys may only
// come behind them, and never some names: section 36.
//
// A payload is what stands in the table while the request waits, so its text also obeys YAML's rules for JSON (data-
// model.md 7.3: a Postal worker may send it), and is at most 60 KiB: long values are cut.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "store/directory.h"
#include "store/messages.h"

namespace posthaste::events {

constexpr std::size_t kMostPayload = 60 * 1024;

// {"id":...,"token":...,"direction":...,...,"tag":...}
std::string message_hash(const store::Message& message);

// MessageSent, MessageDelayed, MessageDeliveryFailed, MessageHeld
std::string status_payload(const store::Message& message, const store::Delivery& delivery);

// With what the bounce said as texts that receivers show, and as the object `bounce_report`.
std::string bounced_payload(const store::Message& original, const store::Message& bounce,
                            const store::BounceReport& report);

// Somebody called the message spam (RFC 5965).
struct Complaint {
  std::string type, user_agent, source_ip, arrival_date, reported_domain;
};
std::string complained_payload(const store::Message& original, const Complaint& complaint,
                               const store::Message& report);

struct Click {
  std::string url, token;  // of the link
  std::string ip_address, user_agent;
  std::optional<bool> bot = {};  // a machine's; nothing: the payload does not say
};
std::string clicked_payload(const store::Message& message, const Click& click);

struct Load {
  std::string ip_address, user_agent;
  std::optional<bool> bot = {};
};
std::string loaded_payload(const store::Message& message, const Load& load);

std::string dns_error_payload(const store::Directory& directory, const store::Server& server,
                              const store::Domain& domain);

std::string send_limit_payload(const store::Directory& directory, const store::Server& server, std::int64_t volume,
                               std::int64_t limit);

// The body of a request: event, timestamp, payload, uuid.
std::string envelope(std::string_view event, Time created_at, std::string_view payload, std::string_view uuid);

}  // namespace posthaste::events
