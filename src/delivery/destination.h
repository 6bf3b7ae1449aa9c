// Where a message goes once its pipeline has let it pass, and the lane that it takes there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "smtp/client/connection.h"
#include "store/directory.h"
#include "store/messages.h"

namespace posthaste::delivery {

struct Destination {
  enum class Kind {
    None,    // not known, or nowhere: its lane only prepares
    Domain,  // the relays, or the hosts that take mail for a domain
    Host,    // exactly this host: an SMTP endpoint
    Http,    // an HTTP endpoint
  };
  Kind kind = Kind::None;
  std::string name;  // domain or host as typed
  std::uint16_t port = 25;
  smtp::client::TlsMode tls = smtp::client::TlsMode::Auto;
  store::Id http_endpoint = 0;
};

struct LaneKey {
  Destination::Kind kind = Destination::Kind::None;
  std::string site;  // `example.com` in lower case as A-labels, `(relays)`, `mail.internal:25 Auto`, `4`
  std::optional<store::Id> source;
  auto operator<=>(const LaneKey&) const = default;
};

// Messages for one domain share a lane, whether they were sent or are forwarded to an address there; so do all for one
// host, port and TLS mode, whosever endpoint it is.
LaneKey lane_key(const Destination& destination, std::optional<store::Id> source, bool relays);

// What a queue row alone says, for the choice of its first lane: outgoing mail goes to its domain, incoming mail to the
// endpoint in its batch key or else its route's.
Destination destination_of(const store::QueuedMessage& queued, const store::Directory& directory);

// Nothing when there is no such endpoint. `type` as in the tables: SMTPEndpoint, HTTPEndpoint, AddressEndpoint.
std::optional<Destination> destination_of(const store::Directory& directory, const std::string& type, store::Id id);

}  // namespace posthaste::delivery
