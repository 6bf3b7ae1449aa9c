// From nothing to a connection that takes MAIL: TCP, TLS, greeting, EHLO or HELO, AUTH
// (outbound-delivery.md 12.1, 12.2).
#pragma once

#include <expected>
#include <memory>

#include "smtp/client/capabilities.h"
#include "smtp/client/channel.h"
#include "smtp/client/connection.h"

namespace posthaste::smtp::client {

struct Ready {
  std::unique_ptr<Channel> channel;
  Capabilities capabilities;
  bool esmtp = false;
};

struct NotReady {
  Error error;              // its text goes into the delivery's output
  bool tls_failed = false;  // TLS was offered and could not be used: in mode Auto, clear text may work
};

// One try in the given mode. The target's own mode is not looked at.
io::Task<std::expected<Ready, NotReady>> shake_hands(const Target& target, TlsMode tls, const Timeouts& timeouts);

}  // namespace posthaste::smtp::client
