// Clicks and opens: the link behind a token, and what a hit leaves in the tables (data-model.md 13.2).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/store.h"

namespace posthaste::store {

struct Link {
  Id id = 0;
  std::optional<Id> message_id;
  std::string token, url;
};

// Blocking. The exact token; else regardless of case, if it is the only one: gateways lower the case of links.
std::optional<Link> find_link(Store& store, Id server_id, std::string_view token);

// What hit it (http-api.md section 21).
enum class HitClass { Person = 0, Proxy = 1, Scanner = 2 };

enum class Machines {
  Count,   // like people
  Flag,    // likewise; who makes webhook requests is told
  Ignore,  // in the tables of hits alone
};

struct NewHit {
  Id server_id = 0;
  std::optional<Link> link;   // of a click; its message_id is set
  std::string message_token;  // of an open
  std::string ip_address, user_agent;
  HitClass hit_class = HitClass::Person;
  Machines machines = Machines::Count;
  Time when;
};

// The webhook requests of a hit on this message; the class may be another one than was known when the hit came.
using HitRequests =
    std::function<std::vector<NewWebhookRequest>(const NewHit& hit, const Message& message, HitClass hit_class)>;

// Opens of messages that are not there leave nothing.
Write hit_write(NewHit hit, HitRequests requests);

}  // namespace posthaste::store
