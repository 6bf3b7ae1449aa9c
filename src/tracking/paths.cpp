#include "tracking/paths.h"

#include "base/strings.h"

namespace posthaste::tracking {

namespace {

bool is_token(char c) { return (c >= '0' && c <= '9') || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || c == '-'; }

// `/` and a token from the front; empty and unchanged if there is none.
std::string_view take_part(std::string_view& path) {
  if (!path.starts_with('/')) return {};
  std::size_t end = 1;
  while (end < path.size() && is_token(path[end])) ++end;
  const std::string_view part = path.substr(1, end - 1);
  if (!part.empty()) path.remove_prefix(end);
  return part;
}

// RFC 3986: unreserved, reserved, and the sign of what is encoded already.
bool stands_in_url(unsigned char c) {
  return c < 0x80 && (std::isalnum(c) || std::string_view("-._~:/?#[]@!$&'()*+,;=%").contains(char(c)));
}

}  // namespace

Asked read_path(std::string_view path) {
  if (iequals(path, "/robots.txt")) return {Asked::What::Robots};
  std::string_view rest = path;
  const std::string_view first = take_part(rest);
  const std::string_view second = first.empty() ? std::string_view() : take_part(rest);
  if (second.empty()) return {};
  const std::string_view third = iequals(first, "img") ? take_part(rest) : std::string_view();
  if (!third.empty()) return {Asked::What::Pixel, second, third};
  return {Asked::What::Link, first, second};
}

bool has_parameter(std::string_view query, std::string_view name) {
  return std::ranges::any_of(split(query, '&'),
                             [&](std::string_view pair) { return pair.substr(0, pair.find('=')) == name; });
}

bool says_tracking(std::string_view value) {
  value = trim(value);
  while (value.starts_with('0')) value.remove_prefix(1);
  const bool more_digits = value.size() > 1 && value[1] >= '0' && value[1] <= '9';
  return value.starts_with('1') && !more_digits;
}

std::string location_of(std::string_view url) {
  const std::size_t scheme = istarts_with(url, "http://") ? 7 : istarts_with(url, "https://") ? 8 : 0;
  if (scheme == 0 || url.find_first_of("\r\n") != std::string_view::npos) return {};
  const std::size_t end = std::min(url.find_first_of("/?#\\", scheme), url.size());
  std::string_view authority = url.substr(scheme, end - scheme);
  const std::string_view user = authority.substr(0, authority.rfind('@') + 1);
  authority.remove_prefix(user.size());
  const std::size_t port = authority.starts_with('[') ? std::string_view::npos : authority.find(':');
  const std::string_view host = authority.substr(0, port);
  std::string whole(url.substr(0, scheme));
  whole += user;
  whole += is_ascii(host) ? std::string(host) : to_ascii_domain(host).value_or(std::string(host));
  whole += url.substr(std::size_t(host.data() - url.data()) + host.size());
  std::string out;
  for (const char c : whole) {
    if (stands_in_url(static_cast<unsigned char>(c)))
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace posthaste::tracking
