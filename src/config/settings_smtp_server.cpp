#include <regex>

#include "base/strings.h"
#include "config/field.h"
#include "config/setting.h"

namespace posthaste::config {

namespace {

std::string wrong_pattern(const Value& value) {
  const auto* pattern = std::get_if<std::string>(&value);
  if (!pattern) return {};
  try {
    std::regex compiled(*pattern);
    return {};
  } catch (const std::regex_error& problem) {
    return fmt::format("is not a regular expression: {}", problem.what());
  }
}

std::string wrong_listener(const Value& value) {
  static const std::regex form(
      R"((smtp|submission|submissions|smtps)://(\[[0-9A-Fa-f:.]*\]|[^:/?\[\]]*)(:\d{1,5})?/?(\?.*)?)");
  for (const auto& item : std::get<std::vector<std::string>>(value))
    if (!std::regex_match(item, form))
      return fmt::format("\"{}\" is not of the form smtp://[address]:port, submission://... or smtps://...", item);
  return {};
}

std::string wrong_mechanism(const Value& value) {
  for (const auto& item : std::get<std::vector<std::string>>(value))
    if (!iequals(item, "plain") && !iequals(item, "login") && !iequals(item, "cram-md5"))
      return fmt::format("must be of plain, login, cram-md5, is \"{}\"", item);
  return {};
}

std::string wrong_pair(const Value& value) {
  for (const auto& item : std::get<std::vector<std::string>>(value)) {
    const auto bar = item.find('|');
    if (bar == 0 || bar == std::string::npos || bar + 1 == item.size())
      return fmt::format("must be certificate-path|key-path, is \"{}\"", item);
  }
  return {};
}

Settings listener_settings() {
  return {
      integer("smtp_server.default_port", 25, "Port of the SMTP server; the variable `PORT` replaces it.")
          .v1("smtp_server.port")
          .port()
          .into(FIELD(smtp_server.default_port)),
      text("smtp_server.default_bind_address",
           "::", "Address of the SMTP server (`::` takes IPv4 too); the variable `BIND_ADDRESS` replaces it.")
          .v1("smtp_server.bind_address")
          .into(FIELD(smtp_server.default_bind_address)),
      integer("smtp_server.default_health_server_port", 9091,
              "Port of the SMTP server's health server; the variable `HEALTH_SERVER_PORT` replaces it.")
          .port()
          .into(FIELD(smtp_server.default_health_server_port)),
      text("smtp_server.default_health_server_bind_address", "127.0.0.1",
           "Address of the SMTP server's health server; the variable `HEALTH_SERVER_BIND_ADDRESS` replaces it.")
          .into(FIELD(smtp_server.default_health_server_bind_address)),
      list("smtp_server.listeners", {},
           "Listeners as URLs: `smtp://[::]:25`, `submission://:587`, `smtps://:465`; query `tls=required`, "
           "`auth=required`, `proxy=v1` or `proxy=v2`. Empty: `default_bind_address` and `default_port`.")
          .ours()
          .checked(wrong_listener)
          .into(FIELD(smtp_server.listeners)),
      boolean("smtp_server.proxy_protocol", false, "Expect a PROXY header before the banner.")
          .v1_same()
          .into(FIELD(smtp_server.proxy_protocol)),
      list("smtp_server.proxy_protocol_trusted", {}, "Networks of the proxies; empty: any peer.")
          .ours()
          .networks()
          .into(FIELD(smtp_server.proxy_protocol_trusted)),
      integer("smtp_server.proxy_header_timeout", 5, "Seconds to wait for the PROXY header.")
          .ours()
          .at_least(1)
          .into(FIELD(smtp_server.proxy_header_timeout)),
      boolean("smtp_server.log_connections", false, "Log a line when a connection opens.")
          .v1("smtp_server.log_connect")
          .into(FIELD(smtp_server.log_connections)),
      text("smtp_server.log_ip_address_exclusion_matcher", nullptr,
           "Regular expression; sessions of matching client addresses are not logged.")
          .checked(wrong_pattern)
          .into(FIELD(smtp_server.log_ip_address_exclusion_matcher)),
  };
}

Settings tls_settings() {
  return {
      boolean("smtp_server.tls_enabled", false, "Offer STARTTLS.").v1_same().into(FIELD(smtp_server.tls_enabled)),
      text("smtp_server.tls_certificate_path", "$config-file-root/smtp.cert",
           "Certificate (PEM): the leaf first, then the chain.")
          .v1_same()
          .path()
          .into(FIELD(smtp_server.tls_certificate_path)),
      text("smtp_server.tls_private_key_path", "$config-file-root/smtp.key", "Private key (PEM).")
          .v1_same()
          .path()
          .into(FIELD(smtp_server.tls_private_key_path)),
      text("smtp_server.tls_ciphers", nullptr, "OpenSSL cipher list for TLS 1.2 and older.")
          .v1_same()
          .into(FIELD(smtp_server.tls_ciphers)),
      text("smtp_server.ssl_version", "SSLv23",
           "`TLSv1_2` or `TLSv1_3` set the oldest version; anything else negotiates.")
          .v1_same()
          .into(FIELD(smtp_server.ssl_version)),
      text("smtp_server.tls_min_version", "TLSv1.2", "Oldest version of TLS that is spoken.")
          .ours()
          .one_of({"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"})
          .into(FIELD(smtp_server.tls_min_version)),
      list("smtp_server.tls_certificates", {}, "Further certificates by server name: `certificate-path|key-path`.")
          .ours()
          .checked(wrong_pair)
          .path()
          .into(FIELD(smtp_server.tls_certificates)),
      integer("smtp_server.tls_reload_interval", 60, "Seconds between looks for changed certificate files.")
          .ours()
          .at_least(1)
          .into(FIELD(smtp_server.tls_reload_interval)),
      integer("smtp_server.tls_handshake_timeout", 30, "Seconds that a handshake may take.")
          .ours()
          .at_least(1)
          .into(FIELD(smtp_server.tls_handshake_timeout)),
      boolean("smtp_server.auth_requires_tls", false, "Refuse AUTH in clear (but from loopback) when TLS is enabled.")
          .ours()
          .modern(true)
          .into(FIELD(smtp_server.auth_requires_tls)),
      list("smtp_server.auth_mechanisms", {"plain", "login", "cram-md5"}, "Mechanisms of AUTH that are offered.")
          .ours()
          .checked(wrong_mechanism)
          .into(FIELD(smtp_server.auth_mechanisms)),
      text("smtp_server.mta_sts_mode", "none",
           "MTA-STS policy served for hosted domains: `none`, `testing`, `enforce`.")
          .ours()
          .one_of({"none", "testing", "enforce"}),
      integer("smtp_server.mta_sts_max_age", 604800, "Seconds that the policy may be kept.").ours().at_least(0),
  };
}

Settings dialogue_settings() {
  return {
      text("smtp_server.banner_hostname", nullptr, "Name in the banner.")
          .ours()
          .derives("`postal.smtp_hostname`")
          .into(FIELD(smtp_server.banner_hostname)),
      text("smtp_server.banner_product", "Postal", "Product in the banner.")
          .ours()
          .modern(std::string("Posthaste"))
          .into(FIELD(smtp_server.banner_product)),
      boolean("smtp_server.enhanced_status_codes", true, "Enhanced status codes for clients that said EHLO.")
          .ours()
          .into(FIELD(smtp_server.enhanced_status_codes)),
      boolean("smtp_server.smtputf8", true, "Offer SMTPUTF8.").ours().into(FIELD(smtp_server.smtputf8)),
      boolean("smtp_server.chunking", true, "Offer CHUNKING (BDAT).").ours().into(FIELD(smtp_server.chunking)),
      boolean("smtp_server.pipelining", true, "Offer PIPELINING.").ours().into(FIELD(smtp_server.pipelining)),
      boolean("smtp_server.dsn", false, "Offer DSN.").ours(),
      boolean("smtp_server.requiretls", false, "Offer REQUIRETLS.").ours(),
      text("smtp_server.bare_newlines", "normalize", "A lone CR or LF in a message: `normalize` or `reject`.")
          .ours()
          .one_of({"normalize", "reject"})
          .into(FIELD(smtp_server.bare_newlines)),
      boolean("smtp_server.reverse_dns", true, "Look up the client's name for `Received:`.")
          .ours()
          .into(FIELD(smtp_server.reverse_dns)),
      integer("smtp_server.reverse_dns_timeout", 2, "Seconds for that.")
          .ours()
          .at_least(1)
          .into(FIELD(smtp_server.reverse_dns_timeout)),
      integer("smtp_server.unknown_recipient_reply", 530, "Reply code for an address that nobody here has.")
          .ours()
          .modern(std::int64_t{550})
          .checked([](const Value& value) {
            const auto code = std::get<std::int64_t>(value);
            return code >= 500 && code <= 599 ? std::string() : fmt::format("must be 500 to 599, is {}", code);
          })
          .into(FIELD(smtp_server.unknown_recipient_reply)),
      boolean("smtp_server.accept_any_return_path_domain", true,
              "Accept bounces at `<prefix>.<any domain>` when the mail server's token is right.")
          .ours()
          .into(FIELD(smtp_server.accept_any_return_path_domain)),
      boolean("smtp_server.reject_multiple_from", false, "Refuse messages with several From header fields.")
          .ours()
          .into(FIELD(smtp_server.reject_multiple_from)),
      boolean("smtp_server.reject_unauth_pipelining", false, "Refuse commands sent before their turn.").ours(),
      boolean("smtp_server.coexist_with_postal", false, "Use `posthaste.coexist_with_postal`.").ours(),
  };
}

Settings limit_settings() {
  return {
      integer("smtp_server.max_message_size", 14, "Largest message in MiB.")
          .v1_same()
          .at_least(1)
          .into(FIELD(smtp_server.max_message_size)),
      integer("smtp_server.max_connections", 10000, "Connections at the same time.")
          .ours()
          .at_least(1)
          .into(FIELD(smtp_server.max_connections)),
      integer("smtp_server.max_connections_per_ip", 100, "Of them from one address.")
          .ours()
          .at_least(1)
          .into(FIELD(smtp_server.max_connections_per_ip)),
      integer("smtp_server.max_connections_per_credential", 500, "Of them with one credential.")
          .ours()
          .at_least(1)
          .into(FIELD(smtp_server.max_connections_per_credential)),
      integer("smtp_server.connection_rate_per_ip", 300, "New connections a minute from one address; 0: no limit.")
          .ours()
          .at_least(0)
          .into(FIELD(smtp_server.connection_rate_per_ip)),
      integer("smtp_server.max_recipients", 1000, "Recipients of a transaction.")
          .ours()
          .at_least(1)
          .into(FIELD(smtp_server.max_recipients)),
      integer("smtp_server.max_messages_per_connection", 1000, "Messages of a connection.")
          .ours()
          .at_least(1)
          .into(FIELD(smtp_server.max_messages_per_connection)),
      integer("smtp_server.max_command_line", 2048, "Bytes of a command line.")
          .ours()
          .at_least(512)
          .into(FIELD(smtp_server.max_command_line)),
      integer("smtp_server.max_header_size", 524288, "Bytes of a message's header.")
          .ours()
          .at_least(1024)
          .into(FIELD(smtp_server.max_header_size)),
      integer("smtp_server.max_errors", 20, "Refused commands until the connection is closed.")
          .ours()
          .at_least(1)
          .into(FIELD(smtp_server.max_errors)),
      integer("smtp_server.max_auth_failures", 3, "Failed AUTH commands until the connection is closed.")
          .ours()
          .at_least(1)
          .into(FIELD(smtp_server.max_auth_failures)),
      integer("smtp_server.auth_failures_per_ip", 20, "Failed AUTH commands until an address is blocked from AUTH.")
          .ours()
          .at_least(1)
          .into(FIELD(smtp_server.auth_failures_per_ip)),
      integer("smtp_server.auth_failure_window", 600, "Seconds within which they are counted.")
          .ours()
          .at_least(1)
          .into(FIELD(smtp_server.auth_failure_window)),
      integer("smtp_server.auth_block_time", 900, "Seconds that the block lasts.")
          .ours()
          .at_least(0)
          .into(FIELD(smtp_server.auth_block_time)),
      list("smtp_server.limits_exempt_networks", {"127.0.0.0/8", "::1/128"},
           "Networks to which no limit by address applies.")
          .ours()
          .networks()
          .into(FIELD(smtp_server.limits_exempt_networks)),
      integer("smtp_server.command_timeout", 300, "Seconds to wait for a command.")
          .ours()
          .at_least(1)
          .into(FIELD(smtp_server.command_timeout)),
      integer("smtp_server.data_timeout", 180, "Seconds to wait for more of a message.")
          .ours()
          .at_least(1)
          .into(FIELD(smtp_server.data_timeout)),
      integer("smtp_server.data_min_rate", 500, "Bytes a second that a message must come with; 0: any.")
          .ours()
          .at_least(0)
          .into(FIELD(smtp_server.data_min_rate)),
      integer("smtp_server.max_session_duration", 7200, "Seconds that a connection may last.")
          .ours()
          .at_least(1)
          .into(FIELD(smtp_server.max_session_duration)),
      integer("smtp_server.shutdown_timeout", 9, "Seconds that sessions get to finish at shutdown.")
          .ours()
          .at_least(0)
          .into(FIELD(smtp_server.shutdown_timeout)),
      integer("smtp_server.inflight_memory_limit", 536870912,
              "Bytes of messages that may be in memory while they come in.")
          .ours()
          .at_least(1048576)
          .into(FIELD(smtp_server.inflight_memory_limit)),
  };
}

}  // namespace

Settings smtp_server_settings() {
  Settings all = listener_settings();
  for (auto part : {tls_settings(), dialogue_settings(), limit_settings()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace posthaste::config
