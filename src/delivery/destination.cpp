#include "delivery/destination.h"

#include <fmt/format.h>

#include <charconv>

#include "base/strings.h"
#include "delivery/routing.h"
#include "mail/address.h"

namespace posthaste::delivery {

namespace {

using Kind = Destination::Kind;

std::optional<store::Id> number(std::string_view text) {
  store::Id value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// `incoming-rt:1-ep:2-HTTPEndpoint`; fields that are null are empty.
struct BatchKey {
  std::optional<store::Id> endpoint;
  std::string type;
};
BatchKey parse(std::string_view key) {
  const auto at = key.find("-ep:");
  if (at == std::string_view::npos) return {};
  key.remove_prefix(at + 4);
  const auto dash = key.find('-');
  if (dash == std::string_view::npos) return {};
  return {number(key.substr(0, dash)), std::string(key.substr(dash + 1))};
}

Destination to_host(const store::SmtpEndpoint& endpoint) {
  Destination there;
  there.kind = Kind::Host;
  there.name = endpoint.hostname;
  there.port = std::uint16_t(endpoint.port);
  there.tls = smtp::client::tls_mode(endpoint.ssl_mode).value_or(smtp::client::TlsMode::Auto);
  return there;
}

std::string_view to_text(smtp::client::TlsMode mode) {
  using smtp::client::TlsMode;
  switch (mode) {
    case TlsMode::None:
      return "None";
    case TlsMode::StartTls:
      return "STARTTLS";
    case TlsMode::Tls:
      return "TLS";
    case TlsMode::Auto:
      break;
  }
  return "Auto";
}

}  // namespace

LaneKey lane_key(const Destination& there, std::optional<store::Id> source, bool relays) {
  switch (there.kind) {
    case Kind::Domain:
      return {there.kind, relays ? "(relays)" : lane_domain(there.name), source};
    case Kind::Host:
      return {there.kind, fmt::format("{}:{} {}", to_lower(there.name), there.port, to_text(there.tls)), source};
    case Kind::Http:
      return {there.kind, std::to_string(there.http_endpoint), std::nullopt};
    case Kind::None:
      break;
  }
  return {there.kind, there.name, std::nullopt};
}

Destination destination_of(const store::QueuedMessage& queued, const store::Directory& directory) {
  if (!queued.batch_key.starts_with("incoming-")) return {Kind::Domain, queued.domain};
  const BatchKey key = parse(queued.batch_key);
  std::optional<Destination> there;
  if (key.endpoint) {
    there = destination_of(directory, key.type, *key.endpoint);
  } else if (const auto* route = queued.route_id ? directory.route(*queued.route_id) : nullptr; route) {
    if (route->mode == "Endpoint")
      there = destination_of(directory, route->endpoint_type, route->endpoint_id.value_or(0));
  }
  return there.value_or(Destination{Kind::None, queued.batch_key});
}

std::optional<Destination> destination_of(const store::Directory& directory, const std::string& type, store::Id id) {
  if (type == "SMTPEndpoint") {
    const auto* endpoint = directory.smtp_endpoint(id);
    if (endpoint) return to_host(*endpoint);
  } else if (type == "AddressEndpoint") {
    const auto* endpoint = directory.address_endpoint(id);
    if (endpoint) return Destination{Kind::Domain, std::string(mail::split_address(endpoint->address).domain)};
  } else if (type == "HTTPEndpoint") {
    const auto* endpoint = directory.http_endpoint(id);
    if (!endpoint) return std::nullopt;
    Destination there;
    there.kind = Kind::Http;
    there.http_endpoint = id;
    return there;
  }
  return std::nullopt;
}

}  // namespace posthaste::delivery
