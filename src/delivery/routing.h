// Which hosts get a message: relays, the MX hosts of its domain, or the domain itself (outbound-delivery.md 11).
//
// Questions are asked once for a round of connecting: MX first, then the addresses of all hosts at the same time. What
// comes out is a list in the order in which to try, or the reason why there is nothing to try.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/interfaces.h"
#include "base/network.h"
#include "config/config.h"
#include "delivery/destination.h"
#include "io/resolver.h"
#include "io/task.h"
#include "smtp/client/connection.h"
#include "store/directory.h"

namespace posthaste::delivery {

// A host with its addresses, IPv6 before IPv4, each in the order of the answer.
struct Host {
  std::string name;
  std::uint16_t port = 25;
  std::vector<IpAddress> addresses;
  smtp::client::TlsMode tls = smtp::client::TlsMode::Auto;
  std::string username, password;
};

struct Hosts {
  std::vector<Host> hosts;  // perhaps without addresses; perhaps empty
};

// Why no host is tried.
struct NoHosts {
  enum class Why {
    LookupFailed,  // the name servers do not say: soft
    NoSuchDomain,  // NXDOMAIN: soft at first (attempts.h), then hard
    NullMx,        // the domain takes no mail: hard
    Loop,          // only this installation is left, and the domain is not ours: hard
    BadDomain,     // no name that the DNS could know: hard
  };
  Why why = Why::LookupFailed;
  std::string details;  // of the delivery
};

using Routing = std::variant<Hosts, NoHosts>;

// What makes an MX host this installation itself: a name, or an address and port on which it listens (decision 16 of
// the reference's overview).
struct OwnHost {
  std::vector<std::string> names;    // lower case: dns.mx_records, postal.smtp_hostname
  std::vector<IpAddress> addresses;  // on which the SMTP server listens
  std::uint16_t port = 0;
  bool is(const std::string& name) const;
  bool listens_on(const IpAddress& address, std::uint16_t at) const;
};
OwnHost own_host(const config::Config& config, const std::vector<IpAddress>& interfaces);

struct RoutingRules {
  std::vector<config::Relay> relays;  // all mail goes there when there are any
  OwnHost own;
  std::vector<IpAddress> known;  // addresses of an endpoint's host, from the hosts file
  bool domain_is_ours = false;   // mail for it ends here: then our own hosts are not a loop
};

// `domain` as typed behind the last @. Parameters are copies: the coroutine outlives its caller's statements.
io::Task<Routing> route(io::Resolver& resolver, std::string domain, RoutingRules rules);

// An SMTP endpoint's host: no MX, no relays, no question whether it is ourselves. It may be an
// address; `known` are those that this machine's hosts file has for it. A name that cannot be found is no host.
io::Task<Routing> route_to_host(io::Resolver& resolver, Destination destination, std::vector<IpAddress> known);

// The name of the lane: lower case, A-labels where they can be made.
std::string lane_domain(std::string_view domain);

// Mail for this domain ends at this installation: a hosted domain, or one of the installation's own.
bool domain_is_ours(const store::Directory& directory, const config::Config& config, std::string_view domain);

}  // namespace posthaste::delivery
