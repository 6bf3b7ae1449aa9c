// The steps that lead an incoming message to its endpoint (inbound-processing.md 9).
#include <fmt/format.h>

#include "base/strings.h"
#include "delivery/incoming_steps.h"
#include "delivery/return_path.h"
#include "mail/header.h"

namespace posthaste::delivery {

namespace {

constexpr std::string_view kTrace = "X-Posthaste-Forwarded";

}  // namespace

// The message's own endpoint, chosen when it was accepted; else the route's of now.
Answer find_endpoint(Attempt& attempt, Tools&) {
  const store::Message& message = attempt.message;
  const store::Route& route = *attempt.route;
  const bool own = message.endpoint_id && !message.endpoint_type.empty();
  if (own || route.mode == "Endpoint") {
    attempt.endpoint_type = own ? message.endpoint_type : route.endpoint_type;
    attempt.endpoint_id = own ? *message.endpoint_id : route.endpoint_id.value_or(0);
  }
  auto there = destination_of(*attempt.directory, attempt.endpoint_type, attempt.endpoint_id);
  if (!there) return failed("Invalid endpoint for route.");
  attempt.destination = std::move(*there);
  return go_on();
}

// What a route forwarded and what comes to it again would go round for ever.
Answer stop_forwarding_loop(Attempt& attempt, Tools&) {
  if (attempt.destination.kind == Destination::Kind::Http) return go_on();
  for (const auto& field : mail::header_fields(attempt.raw->headers())) {
    if (field.is(kTrace) && trim(field.value) == attempt.route->uuid)
      return failed("Mail loop detected: this message has been forwarded by this route before.");
  }
  attempt.trace_header = fmt::format("{}: {}\r\n", kTrace, attempt.route->uuid);
  return go_on();
}

Answer address_forwarding(Attempt& attempt, Tools& tools) {
  if (attempt.destination.kind == Destination::Kind::Http) return go_on();
  const auto* address =
      attempt.endpoint_type == "AddressEndpoint" ? attempt.directory->address_endpoint(attempt.endpoint_id) : nullptr;
  auto recipient = envelope_recipient(address ? address->address : attempt.message.rcpt_to);
  if (!recipient) return failed("The recipient's address is not valid.");
  attempt.envelope.mail_from =
      mail_from(attempt.message, *attempt.server, attempt.domain, tools.config, tools.signer.return_tags());
  attempt.envelope.smtputf8 = !is_ascii(*recipient) || !is_ascii(attempt.envelope.mail_from);
  attempt.envelope.rcpt_to = std::move(*recipient);
  return go_on();
}

Answer note_endpoint_used(Attempt& attempt, Tools& tools) {
  if (attempt.verdict->status != policy::Verdict::Status::SoftFail)
    tools.store.note_endpoint_used(attempt.endpoint_type, attempt.endpoint_id, tools.clock());
  return go_on();
}

}  // namespace posthaste::delivery
