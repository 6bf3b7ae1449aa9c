// The counters of the SMTP server (smtp-server.md 15), under Postal's names with Postal's help texts.
#pragma once

#include <string_view>

#include "base/metrics.h"

namespace posthaste::smtp::server::count {

void connection();
void tls_connection();
void exception(std::string_view type, std::string_view error);
void command(std::string_view name);
void client_error(std::string_view label);
void message(std::string_view type, bool tls);

void connections_open(double change);
void inflight_bytes(double bytes);
void tls_handshake_failed();
void tls_reload_failed();
void auth_blocked();
void limit(std::string_view name);
void timeout(std::string_view phase);
void ignored_parameter();
// After each message: bytes and oddities of its text, and how long it took.
void text(double bytes, double long_lines, double bare_newlines);
void stored(double seconds_to_store, double seconds_of_transaction);

// Makes the families known, so that they are shown before their first use.
void declare();

}  // namespace posthaste::smtp::server::count
