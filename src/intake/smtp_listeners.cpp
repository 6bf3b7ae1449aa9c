// From the configuration to listeners and their settings.
#include <fmt/format.h>

#include <optional>
#include <regex>

#include "base/log.h"
#include "base/strings.h"
#include "intake/smtp_server.h"

namespace posthaste::intake {

namespace {

using smtp::server::Limits;
using smtp::server::Listening;
using smtp::server::Settings;
using AuthPolicy = Settings::AuthPolicy;

std::vector<IpNetwork> networks(const std::vector<std::string>& texts) {
  std::vector<IpNetwork> found;
  for (const auto& text : texts)
    if (auto network = IpNetwork::parse(text)) found.push_back(*network);
  return found;
}

// Addresses whose sessions are not logged. The pattern was checked when the configuration was read.
std::function<bool(const std::string&)> matcher(const std::string& pattern) {
  if (pattern.empty()) return {};
  return [expression = std::regex(pattern)](const std::string& ip) { return std::regex_search(ip, expression); };
}

void set_mechanisms(Settings& settings, const std::vector<std::string>& names) {
  const auto has = [&](std::string_view name) {
    return std::ranges::any_of(names, [&](const auto& n) { return iequals(n, name); });
  };
  settings.auth_plain = has("plain");
  settings.auth_login = has("login");
  settings.auth_cram_md5 = has("cram-md5");
}

Settings common_settings(const config::Config& config) {
  const auto& smtp = config.smtp_server;
  const auto seconds = [](std::int64_t value) { return Duration(std::chrono::seconds(value)); };
  Settings s;
  s.host = smtp.banner_hostname.empty() ? config.postal.smtp_hostname : smtp.banner_hostname;
  if (!smtp.banner_product.empty()) s.product = smtp.banner_product;
  s.tls_enabled = smtp.tls_enabled;
  s.auth_requires_tls = smtp.auth_requires_tls && smtp.tls_enabled;
  if (!smtp.auth_mechanisms.empty()) set_mechanisms(s, smtp.auth_mechanisms);
  s.proxy_protocol = smtp.proxy_protocol;
  s.proxy_trusted = networks(smtp.proxy_protocol_trusted);
  s.reject_bare_newlines = iequals(smtp.bare_newlines, "reject");
  s.log_connections = smtp.log_connections;
  s.enhanced_status_codes = smtp.enhanced_status_codes;
  s.chunking = smtp.chunking;
  s.pipelining = smtp.pipelining;
  s.smtputf8 = smtp.smtputf8;
  s.max_message_megabytes = std::size_t(smtp.max_message_size);
  s.max_header_size = std::size_t(smtp.max_header_size);
  s.max_command_line = std::size_t(smtp.max_command_line);
  s.max_recipients = std::size_t(smtp.max_recipients);
  s.max_messages = std::size_t(smtp.max_messages_per_connection);
  s.max_errors = std::size_t(smtp.max_errors);
  s.max_auth_failures = std::size_t(smtp.max_auth_failures);
  s.max_connections = std::size_t(smtp.max_connections);
  s.max_connections_per_ip = std::size_t(smtp.max_connections_per_ip);
  s.max_connections_per_credential = std::size_t(smtp.max_connections_per_credential);
  s.connection_rate_per_ip = std::size_t(smtp.connection_rate_per_ip);
  s.auth_failures_per_ip = std::size_t(smtp.auth_failures_per_ip);
  s.auth_failure_window = seconds(smtp.auth_failure_window);
  s.auth_block_time = seconds(smtp.auth_block_time);
  s.inflight_memory_limit = std::uint64_t(smtp.inflight_memory_limit);
  s.command_timeout = seconds(smtp.command_timeout);
  s.data_timeout = seconds(smtp.data_timeout);
  s.data_min_rate = double(smtp.data_min_rate);
  s.tls_handshake_timeout = seconds(smtp.tls_handshake_timeout);
  s.proxy_header_timeout = seconds(smtp.proxy_header_timeout);
  s.max_session = seconds(smtp.max_session_duration);
  s.reverse_dns = smtp.reverse_dns;
  s.reverse_dns_timeout = seconds(smtp.reverse_dns_timeout);
  s.exempt_networks = networks(smtp.limits_exempt_networks);
  s.unlogged = matcher(smtp.log_ip_address_exclusion_matcher);
  return s;
}

std::vector<io::TlsContext::ServerOptions::Pair> pairs(const std::vector<std::string>& texts) {
  std::vector<io::TlsContext::ServerOptions::Pair> found;
  for (const auto& text : texts) {
    const auto bar = text.find('|');
    if (bar != std::string::npos) found.push_back({text.substr(0, bar), text.substr(bar + 1)});
  }
  return found;
}

bool is_on(std::string_view value) { return iequals(value, "true") || iequals(value, "on") || value == "1"; }

// An option behind `?` of a listener's URL. False if it is not known.
bool apply(Settings& s, std::string_view name, std::string_view value) {
  if (name == "auth") {
    s.auth = iequals(value, "required") ? AuthPolicy::Required
             : iequals(value, "off")    ? AuthPolicy::Off
                                        : AuthPolicy::Optional;
  } else if (name == "tls") {
    s.tls_required = iequals(value, "required");
    if (iequals(value, "off")) s.tls_enabled = false;
  } else if (name == "auth_requires_tls") {
    s.auth_requires_tls = is_on(value);
  } else if (name == "auth_mechanisms") {
    std::vector<std::string> names;
    for (const auto part : split(value, ',')) names.emplace_back(part);
    set_mechanisms(s, names);
  } else if (name == "proxy") {
    s.proxy_protocol = is_on(value) || iequals(value, "v1") || iequals(value, "v2");
  } else if (name == "hostname") {
    s.host = value;
  } else if (name == "name") {
    s.name = value;
  } else if (name == "bare_newlines") {
    s.reject_bare_newlines = iequals(value, "reject");
  } else if (const auto size = parse_int(value); name == "max_message_size" && size && *size > 0) {
    s.max_message_megabytes = std::size_t(*size);
  } else {
    return false;
  }
  return true;
}

void set_scheme(Listening& listening, std::string_view scheme) {
  auto& s = listening.settings;
  s.name = scheme;
  listening.port = scheme == "smtp" ? 25 : scheme == "submission" ? 587 : 465;
  if (scheme == "smtp") return;
  s.auth = AuthPolicy::Required;
  if (scheme == "submission") {
    s.auth_requires_tls = s.tls_enabled;
  } else {
    s.implicit_tls = true;
  }
}

// `submission://[::1]:587?tls=required`; the form was checked when the configuration was read.
std::optional<Listening> parse_listener(std::string_view url, const Listening& common) {
  const auto scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return std::nullopt;
  Listening listening = common;
  set_scheme(listening, url.substr(0, scheme_end));

  auto rest = url.substr(scheme_end + 3);
  const auto query_at = rest.find('?');
  auto query = query_at == std::string_view::npos ? std::string_view() : rest.substr(query_at + 1);
  rest = rest.substr(0, query_at);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.starts_with('[')) {
    const auto close = rest.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    listening.address = rest.substr(1, close - 1);
    rest = rest.substr(close + 1);
  } else {
    const auto colon = std::min(rest.find(':'), rest.size());
    listening.address = rest.substr(0, colon);
    rest = rest.substr(colon);
  }
  if (listening.address.empty()) listening.address = "::";
  if (rest.starts_with(':')) {
    const auto port = parse_int(rest.substr(1));
    if (!port || *port < 0 || *port > 65535) return std::nullopt;
    listening.port = std::uint16_t(*port);
  }
  for (const auto part : split(query, '&')) {
    const auto equals = part.find('=');
    if (part.empty()) continue;
    const auto value = equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1);
    if (!apply(listening.settings, part.substr(0, equals), value))
      log::warn("smtp-server", "unknown option of a listener", {{"listener", url}, {"option", part}});
  }
  return listening;
}

}  // namespace

std::vector<Listening> listenings_of(const config::Config& config) {
  const auto& smtp = config.smtp_server;
  Listening common;
  common.address = smtp.default_bind_address.empty() ? "::" : smtp.default_bind_address;
  common.port = std::uint16_t(smtp.default_port);
  common.settings = common_settings(config);
  common.tls = {smtp.tls_certificate_path, smtp.tls_private_key_path, smtp.tls_ciphers,
                smtp.ssl_version,          smtp.tls_min_version,      pairs(smtp.tls_certificates)};
  common.tls_reload_interval = std::chrono::seconds(std::max<std::int64_t>(1, smtp.tls_reload_interval));
  common.limits = std::make_shared<Limits>();

  std::vector<Listening> all;
  for (const auto& url : smtp.listeners) {
    if (auto listening = parse_listener(url, common)) {
      all.push_back(std::move(*listening));
    } else {
      log::error("smtp-server", "a listener's URL cannot be understood", {{"listener", url}});
    }
  }
  if (all.empty()) all.push_back(std::move(common));
  return all;
}

}  // namespace posthaste::intake
