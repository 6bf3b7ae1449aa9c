#include "io/resolv_conf.h"

#include <fstream>
#include <sstream>

#include "base/network.h"
#include "base/strings.h"

namespace posthaste::io {

bool is_name_server(std::string_view text) {
  if (const auto at = text.find('@'); at != std::string_view::npos) {
    const auto port = parse_int(text.substr(at + 1));
    if (!port || *port < 1 || *port > 65535) return false;
    text = text.substr(0, at);
  }
  const std::string_view address = text.substr(0, text.find('%'));
  const std::string_view zone = text.substr(address.size());
  const bool clean = std::ranges::all_of(zone, [](unsigned char c) { return c > ' ' && c < 0x7f && c != '"'; });
  return clean && IpAddress::parse(address).has_value();
}

std::vector<std::string> parse_name_servers(std::string_view text) {
  constexpr std::string_view kKeyword = "nameserver";
  std::vector<std::string> servers;
  for (std::string_view line : split(text, '\n')) {
    line = trim(line);
    if (!line.starts_with(kKeyword)) continue;
    const std::string_view rest = line.substr(kKeyword.size());
    const std::string_view value = trim(rest);
    if (value.size() == rest.size()) continue;  // another word that begins alike, or no value
    const std::string_view server = value.substr(0, value.find_first_of(" \t#;"));
    if (is_name_server(server)) servers.emplace_back(server);
  }
  return servers;
}

Result<std::vector<std::string>> read_name_servers(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail(ErrorKind::Invalid, "cannot read " + path);
  std::ostringstream text;
  text << file.rdbuf();
  auto servers = parse_name_servers(text.str());
  if (servers.empty()) return fail(ErrorKind::Invalid, path + " names no name server");
  return servers;
}

}  // namespace posthaste::io
