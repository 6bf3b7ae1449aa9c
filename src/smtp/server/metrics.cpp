#include "smtp/server/metrics.h"

#include <map>
#include <vector>

namespace posthaste::smtp::server::count {

namespace {

using metrics::Counter;
using metrics::Part;

struct Families {
  Counter connections{Part::SmtpServer, "postal_smtp_server_connections_total",
                      "The number of connections made to the Postal SMTP server."};
  Counter exceptions{Part::SmtpServer, "postal_smtp_server_exceptions_total",
                     "The number of server exceptions encountered by the SMTP server", true};
  Counter tls_connections{Part::SmtpServer, "postal_smtp_server_tls_connections_total",
                          "The number of successfuly TLS connections established"};
  Counter commands{Part::SmtpServer, "postal_smtp_server_commands_total",
                   "The number of key commands received by the server", true};
  Counter client_errors{Part::SmtpServer, "postal_smtp_server_client_errors", "The number of errors sent to a client",
                        true};
  Counter messages{Part::SmtpServer, "postal_smtp_server_messages_total",
                   "The number of messages accepted by the SMTP server", true};

  metrics::Gauge connections_open{Part::SmtpServer, "postal_smtp_server_connections_open", "Connections open now"};
  metrics::Gauge inflight{Part::SmtpServer, "postal_smtp_server_inflight_bytes",
                          "Bytes of messages that are being received"};
  Counter handshake_failures{Part::SmtpServer, "postal_smtp_server_tls_handshake_failures_total",
                             "TLS handshakes that failed"};
  Counter reload_failures{Part::SmtpServer, "postal_smtp_server_tls_reload_failures_total",
                          "Attempts to load TLS material that failed"};
  Counter auth_blocks{Part::SmtpServer, "postal_smtp_server_auth_blocks_total",
                      "Addresses blocked from logging in after too many failures"};
  Counter limits{Part::SmtpServer, "postal_smtp_server_limit_rejections_total", "Refusals because of a limit", true};
  Counter timeouts{Part::SmtpServer, "postal_smtp_server_timeouts_total", "Connections ended by a timeout", true};
  Counter ignored_parameters{Part::SmtpServer, "postal_smtp_server_ignored_parameters_total",
                             "Parameters of MAIL and RCPT that were ignored"};
  Counter bytes{Part::SmtpServer, "postal_smtp_server_bytes_received_total", "Bytes of message text received"};
  Counter long_lines{Part::SmtpServer, "postal_smtp_server_long_lines_total", "Lines of more than 998 octets"};
  Counter bare_newlines{Part::SmtpServer, "postal_smtp_server_bare_newlines_total",
                        "Bare CR and LF in message text that were replaced"};
  metrics::Histogram message_bytes{Part::SmtpServer,
                                   "postal_smtp_server_message_bytes",
                                   "Size of messages received",
                                   {1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216}};
  metrics::Histogram store_seconds{Part::SmtpServer, "postal_smtp_server_store_seconds",
                                   "Time from the end of data to the commit"};
  metrics::Histogram transaction_seconds{Part::SmtpServer, "postal_smtp_server_transaction_seconds",
                                         "Time from DATA to the final reply"};
};

const Families& families() {
  static const Families& all = *new Families;
  return all;
}

// Commands and messages are counted several times a message: each thread keeps their series.
const metrics::Series& command_series(std::string_view name) {
  thread_local std::map<std::string, metrics::Series, std::less<>> known;
  const auto found = known.find(name);
  if (found != known.end()) return found->second;
  return known.emplace(name, families().commands.series({{"command", std::string(name)}})).first->second;
}

const metrics::Series& message_series(std::string_view type, bool tls) {
  thread_local std::map<std::string, metrics::Series, std::less<>> all[2];
  auto& known = all[tls ? 1 : 0];
  const auto found = known.find(type);
  if (found != known.end()) return found->second;
  const auto series = families().messages.series({{"type", std::string(type)}, {"tls", tls ? "yes" : "no"}});
  return known.emplace(type, series).first->second;
}

}  // namespace

void declare() { families(); }

void connection() { families().connections.add(); }
void tls_connection() { families().tls_connections.add(); }
void exception(std::string_view type, std::string_view error) {
  families().exceptions.add({{"type", std::string(type)}, {"error", std::string(error)}});
}
void command(std::string_view name) { command_series(name).add(); }
void client_error(std::string_view label) { families().client_errors.add({{"error", std::string(label)}}); }
void message(std::string_view type, bool tls) { message_series(type, tls).add(); }

void connections_open(double change) { families().connections_open.add(change); }
void inflight_bytes(double bytes) { families().inflight.set(bytes); }
void tls_handshake_failed() { families().handshake_failures.add(); }
void tls_reload_failed() { families().reload_failures.add(); }
void auth_blocked() { families().auth_blocks.add(); }
void limit(std::string_view name) { families().limits.add({{"limit", std::string(name)}}); }
void timeout(std::string_view phase) { families().timeouts.add({{"phase", std::string(phase)}}); }
void ignored_parameter() { families().ignored_parameters.add(); }

void text(double bytes, double long_lines, double bare_newlines) {
  families().bytes.add(bytes);
  families().message_bytes.observe(bytes);
  if (long_lines > 0) families().long_lines.add(long_lines);
  if (bare_newlines > 0) families().bare_newlines.add(bare_newlines);
}

void stored(double seconds_to_store, double seconds_of_transaction) {
  families().store_seconds.observe(seconds_to_store);
  families().transaction_seconds.observe(seconds_of_transaction);
}

}  // namespace posthaste::smtp::server::count
