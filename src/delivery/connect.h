// One round of connecting: the hosts of a lane in order, each address of theirs, until one answers.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "delivery/destination.h"
#include "delivery/routing.h"
#include "io/resolver.h"
#include "smtp/client/connection.h"
#include "store/records.h"

namespace posthaste::delivery {

// Where connections come from: the row of ip_addresses that the queue row names, or whatever the system chooses.
struct Source {
  std::optional<IpAddress> v4, v6;
  bool bound = false;  // to the row's addresses; a family that the row lacks is not used
  std::string helo;
  bool helo_only = false;  // for one message that the remote host stumbled over
};
Source source_of(const store::IpAddressRow* row, const config::Config& config);

smtp::client::Timeouts timeouts_of(const config::Config& config);

// Why a round came to nothing; shared by all messages that waited for it, log id included.
struct ConnectFailure {
  std::optional<NoHosts::Why> why;  // none: hosts were there (or none had an address), none could be reached
  std::string details;              // of the delivery, if there is a reason why
  std::vector<std::string> tried;   // host names
  std::string output, log_id;
};

using Connected = std::variant<std::unique_ptr<smtp::client::Connection>, ConnectFailure>;

using Dial = std::function<io::Task<Result<std::unique_ptr<smtp::client::Connection>>>(smtp::client::Target,
                                                                                       smtp::client::Timeouts)>;

// The name in `destination` as the first waiting message has it: texts name it.
io::Task<Connected> connect(io::Resolver& resolver, Dial dial, Destination destination, RoutingRules rules,
                            Source source, smtp::client::Timeouts timeouts);

}  // namespace posthaste::delivery
