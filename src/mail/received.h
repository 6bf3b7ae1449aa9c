// The Received header field that we put on top of what comes in (smtp-server.md 13), and finding our own again.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/network.h"
#include "base/time.h"

namespace posthaste::mail {

struct Received {
  std::string from;         // HELO name or source word, cleaned; nothing with `hide_client`
  std::string client_name;  // PTR name; empty: the address stands in its place
  IpAddress client;
  bool tagged_ipv6 = false;  // `[IPv6:2001:db8::1]` as RFC 5321 wants it, instead of Postal's plain form
  bool hide_client = false;  // privacy mode: no `from` part
  std::string by;
  std::string with;  // `SMTP`, `ESMTPSA`, `HTTP`
  std::string id;    // empty: left out
  Time time;
};

// `Received: from client.test (ptr.test [1.2.3.4]) by mx.test with SMTP; <date>` with CRLF, in one line.
std::string received_field(const Received& received);

// A HELO name that cannot break the line: foreign characters become `?`, at most 255 bytes, `unknown` if empty.
std::string clean_helo(std::string_view name, bool allow_utf8);

// A PTR name of letters, digits, hyphen, underscore and dot; empty if it is anything else.
std::string clean_pointer_name(std::string_view name);

// Whether a Received value says that this host took the message: `by <host>` as whole words, any case.
bool received_by(std::string_view value, std::string_view host);

// The client that a field of ours names: `from <helo> (<name> [<address>]) by ...`. Nothing if it names none.
struct ReceivedFrom {
  std::string helo, name;  // name empty: the address had none
  IpAddress ip;
};
std::optional<ReceivedFrom> received_from(std::string_view value);

}  // namespace posthaste::mail
