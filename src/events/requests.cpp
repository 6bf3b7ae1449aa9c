#include "events/requests.h"

#include <algorithm>
#include <array>

#include "base/random.h"

namespace posthaste::events {

namespace {

constexpr std::array<std::string_view, 10> kPostals = {
    "MessageSent",        "MessageDelayed", "MessageDeliveryFailed", "MessageHeld",          "MessageBounced",
    "MessageLinkClicked", "MessageLoaded",  "DomainDNSError",        "SendLimitApproaching", "SendLimitExceeded"};

std::string_view event_of(std::string_view status) {
  if (status == "Sent") return "MessageSent";
  if (status == "SoftFail") return "MessageDelayed";
  if (status == "HardFail") return "MessageDeliveryFailed";
  if (status == "Held") return "MessageHeld";
  return {};
}

// `payload` is called once, if at all.
template <class Payload>
Requests requests_for(const store::Directory& directory, store::Id server_id, std::string_view event, Payload payload) {
  auto hooks = directory.webhooks(server_id, event);
  std::erase_if(hooks, [&](const store::Webhook* hook) { return hook->all_events && !known_to_postal(event); });
  Requests requests;
  if (hooks.empty()) return requests;
  const std::string text = payload();
  for (const store::Webhook* hook : hooks)
    requests.push_back({hook->id, hook->url, std::string(event), random_uuid(), text});
  return requests;
}

}  // namespace

bool known_to_postal(std::string_view event) { return std::ranges::find(kPostals, event) != kPostals.end(); }

Requests status_requests(const store::Directory& directory, store::Id server_id, const store::Message& message,
                         const store::Delivery& delivery) {
  const auto event = event_of(delivery.status);
  if (event.empty()) return {};
  return requests_for(directory, server_id, event, [&] { return status_payload(message, delivery); });
}

Requests bounced_requests(const store::Directory& directory, store::Id server_id, const store::Message& original,
                          const store::Message& bounce, const store::BounceReport& report) {
  return requests_for(directory, server_id, "MessageBounced",
                      [&] { return bounced_payload(original, bounce, report); });
}

Requests complained_requests(const store::Directory& directory, store::Id server_id, const store::Message& original,
                             const Complaint& complaint, const store::Message& report) {
  return requests_for(directory, server_id, "MessageComplained",
                      [&] { return complained_payload(original, complaint, report); });
}

Requests clicked_requests(const store::Directory& directory, store::Id server_id, const store::Message& message,
                          const Click& click) {
  return requests_for(directory, server_id, "MessageLinkClicked", [&] { return clicked_payload(message, click); });
}

Requests loaded_requests(const store::Directory& directory, store::Id server_id, const store::Message& message,
                         const Load& load) {
  return requests_for(directory, server_id, "MessageLoaded", [&] { return loaded_payload(message, load); });
}

Requests dns_error_requests(const store::Directory& directory, const store::Server& server,
                            const store::Domain& domain) {
  return requests_for(directory, server.id, "DomainDNSError",
                      [&] { return dns_error_payload(directory, server, domain); });
}

Requests send_limit_requests(const store::Directory& directory, const store::Server& server, SendLimit state,
                             std::int64_t volume, std::int64_t limit) {
  const bool exceeded = state == SendLimit::Exceeded;
  return requests_for(directory, server.id, exceeded ? "SendLimitExceeded" : "SendLimitApproaching",
                      [&] { return send_limit_payload(directory, server, volume, limit); });
}

void tell_of_delivery(const store::Directory& directory, store::Message message, store::Conclusion& conclusion) {
  if (!conclusion.delivery) return;
  if (!conclusion.tag.empty()) message.tag = conclusion.tag;
  if (conclusion.inspection) {
    message.inspected = true;
    message.spam = conclusion.inspection->spam;
  }
  auto requests = status_requests(directory, conclusion.server_id, message, *conclusion.delivery);
  std::ranges::move(requests, std::back_inserter(conclusion.requests));
}

}  // namespace posthaste::events
