// One transaction on a connection that is ready (outbound-delivery.md 12.3, 12.4, 19.5).
#pragma once

#include "smtp/client/commands.h"
#include "smtp/client/connection.h"
#include "smtp/client/handshake.h"

namespace posthaste::smtp::client {

struct Transaction {
  Ready& connection;
  const Timeouts& timeouts;
  bool reset_first = false;  // the one before was refused: RSET comes before MAIL
  bool reused = false;       // there was one before

  Envelope envelope;
  std::vector<std::string_view> pieces;
  std::function<void()> before_dot;
};

struct Ended {
  Outcome outcome;
  bool close = false;  // nothing more can be said on this connection
  bool reset_next = false;
};

io::Task<Ended> run(Transaction transaction);

}  // namespace posthaste::smtp::client
