#include "base/network.h"
#include "base/strings.h"
#include "config/config.h"

namespace posthaste::config {

namespace {

using Wrong = std::unexpected<std::string>;

std::string percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto digit = [&](std::size_t at) {
      return at < text.size() ? std::string_view("0123456789abcdef").find(ascii_lower(text[at]))
                              : std::string_view::npos;
    };
    if (text[i] == '%' && digit(i + 1) != std::string_view::npos && digit(i + 2) != std::string_view::npos) {
      out += static_cast<char>(digit(i + 1) * 16 + digit(i + 2));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::optional<std::string> mode_named(std::string_view name) {
  for (std::string_view mode : {"None", "Auto", "STARTTLS", "TLS"})
    if (iequals(name, mode)) return std::string(mode);
  if (iequals(name, "STARTLS")) return "STARTTLS";  // Postal's own spelling in some places
  return std::nullopt;
}

std::string read_query(std::string_view query, Relay& relay) {
  for (auto pair : split(query, '&')) {
    const auto equals = pair.find('=');
    if (pair.substr(0, equals) != "ssl_mode") continue;
    const auto value = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    if (value.empty()) continue;
    auto mode = mode_named(value);
    if (!mode) return fmt::format("ssl_mode \"{}\" is none of None, Auto, STARTTLS, TLS", value);
    relay.ssl_mode = *mode;
  }
  return {};
}

std::string read_host_and_port(std::string_view text, Relay& relay) {
  std::string_view port;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return "has no ] behind the address";
    relay.host = text.substr(1, close - 1);
    if (!IpAddress::parse(relay.host)) return fmt::format("\"{}\" is no IP address", relay.host);
    port = text.substr(close + 1);
  } else {
    const auto colon = text.find(':');
    relay.host = text.substr(0, colon);
    if (colon != std::string_view::npos) port = text.substr(colon);
  }
  if (relay.host.empty()) return "names no host";
  if (relay.host.find_first_of(" /\\@\t") != std::string::npos)
    return fmt::format("\"{}\" is no host name", relay.host);
  if (port.empty() || port == ":") return {};
  const auto number = port.starts_with(':') ? parse_int(port.substr(1)) : std::nullopt;
  if (!number || *number < 1 || *number > 65535) return fmt::format("\"{}\" is no port", port.substr(1));
  relay.port = static_cast<int>(*number);
  return {};
}

// Without user and password, which a message must not show.
std::string masked(std::string_view relay) {
  const auto at = relay.rfind('@');
  return at == std::string_view::npos ? std::string(relay) : "...@" + std::string(relay.substr(at + 1));
}

void read_user_info(std::string_view text, Relay& relay) {
  const auto colon = text.find(':');
  relay.username = percent_decode(text.substr(0, colon));
  if (colon != std::string_view::npos) relay.password = percent_decode(text.substr(colon + 1));
}

}  // namespace

std::expected<Relay, std::string> parse_relay(std::string_view text) {
  Relay relay;
  std::string_view rest = trim(text);
  const auto wrong = [&](std::string_view what) { return Wrong(fmt::format("relay \"{}\": {}", masked(text), what)); };
  if (const auto scheme = rest.find("://"); scheme != std::string_view::npos) {
    if (iequals(rest.substr(0, scheme), "smtps")) {
      relay.ssl_mode = "TLS";
      relay.port = 465;
    } else if (!iequals(rest.substr(0, scheme), "smtp")) {
      return wrong("only smtp:// and smtps:// are known");
    }
    rest.remove_prefix(scheme + 3);
  }
  if (const auto question = rest.find('?'); question != std::string_view::npos) {
    if (auto problem = read_query(rest.substr(question + 1), relay); !problem.empty()) return wrong(problem);
    rest = rest.substr(0, question);
  }
  while (rest.ends_with('/')) rest.remove_suffix(1);
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
    read_user_info(rest.substr(0, at), relay);
    rest.remove_prefix(at + 1);
  }
  if (auto problem = read_host_and_port(rest, relay); !problem.empty()) return wrong(problem);
  return relay;
}

}  // namespace posthaste::config
