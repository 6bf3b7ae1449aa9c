// Who is told of an event: one request for each enabled webhook of the mail server that wants it, with an id of its
// own.
//
// They belong into the transaction that records the event: Conclusion::requests, or write_requests() of
// store/webhook_rows.h in the `queue` part of a Store::write. Where nobody wants the event, nothing is made.
#pragma once

#include <string_view>
#include <vector>

#include "events/payload.h"
#include "store/directory.h"
#include "store/messages.h"

namespace posthaste::events {

using Requests = std::vector<store::NewWebhookRequest>;

// Sent, SoftFail, HardFail and Held have an event; of other statuses nobody is told.
Requests status_requests(const store::Directory& directory, store::Id server_id, const store::Message& message,
                         const store::Delivery& delivery);
Requests bounced_requests(const store::Directory& directory, store::Id server_id, const store::Message& original,
                          const store::Message& bounce, const store::BounceReport& report);
// To hooks that name it only: Postal has no such event.
Requests complained_requests(const store::Directory& directory, store::Id server_id, const store::Message& original,
                             const Complaint& complaint, const store::Message& report);
Requests clicked_requests(const store::Directory& directory, store::Id server_id, const store::Message& message,
                          const Click& click);
Requests loaded_requests(const store::Directory& directory, store::Id server_id, const store::Message& message,
                         const Load& load);
// To the hooks of this server, whoever owns the domain.
Requests dns_error_requests(const store::Directory& directory, const store::Server& server,
                            const store::Domain& domain);
enum class SendLimit { Approaching, Exceeded };
Requests send_limit_requests(const store::Directory& directory, const store::Server& server, SendLimit state,
                             std::int64_t volume, std::int64_t limit);

// Puts the requests for the conclusion's own delivery into it, with the message as the conclusion leaves it: its new
// tag, and what the inspection found. Call it last.
void tell_of_delivery(const store::Directory& directory, store::Message message, store::Conclusion& conclusion);

// Whether a hook for all events gets this one, too. Those that Postal does not know go to hooks that name them only.
bool known_to_postal(std::string_view event);

}  // namespace posthaste::events
