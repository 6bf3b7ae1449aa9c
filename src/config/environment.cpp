#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>

#include "base/strings.h"
#include "config/config.h"

namespace posthaste::config {

namespace {

std::string unquote(std::string_view value) {
  if (value.size() < 2 || (value.front() != '"' && value.front() != '\'') || value.back() != value.front()) {
    const auto comment = value.find(" #");
    return std::string(trim(value.substr(0, comment)));
  }
  const bool literal = value.front() == '\'';
  const std::string inner(value.substr(1, value.size() - 2));
  return literal ? inner : replace_all(replace_all(inner, "\\n", "\n"), "\\\"", "\"");
}

bool is_variable_name(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::ranges::all_of(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; });
}

// `NAME=value` lines; `export` in front, quotes and comments are understood. Other lines are left out, as dotenv does.
std::map<std::string, std::string> parse_dotenv(std::string_view text) {
  std::map<std::string, std::string> variables;
  for (auto line : split(text, '\n')) {
    line = trim(line);
    if (line.starts_with("export ")) line = trim(line.substr(7));
    const auto equals = line.find('=');
    if (line.starts_with('#') || equals == std::string_view::npos) continue;
    const auto name = trim(line.substr(0, equals));
    if (is_variable_name(name)) variables[std::string(name)] = unquote(trim(line.substr(equals + 1)));
  }
  return variables;
}

std::expected<std::optional<int>, std::string> port_variable(const Environment& environment, const std::string& name) {
  const auto text = environment(name);
  if (!text || is_blank(*text)) return std::nullopt;
  const auto port = parse_int(trim(*text));
  if (port && *port >= 1 && *port <= 65535) return static_cast<int>(*port);
  return std::unexpected(fmt::format("{}: must be a port from 1 to 65535, is \"{}\"", name, *text));
}

std::optional<std::string> text_variable(const Environment& environment, const std::string& name) {
  auto text = environment(name);
  if (!text || is_blank(*text)) return std::nullopt;
  return std::string(trim(*text));
}

}  // namespace

Environment with_dotenv(Environment base, std::string_view dotenv) {
  auto variables = std::make_shared<const std::map<std::string, std::string>>(parse_dotenv(dotenv));
  return [base = std::move(base), variables](const std::string& name) -> std::optional<std::string> {
    if (auto real = base(name)) return real;
    const auto found = variables->find(name);
    return found == variables->end() ? std::nullopt : std::optional(found->second);
  };
}

Environment process_environment() {
  std::ifstream file(".env");
  const std::string dotenv{std::istreambuf_iterator<char>(file), {}};
  return with_dotenv(
      [](const std::string& name) -> std::optional<std::string> {
        const char* value = std::getenv(name.c_str());
        return value ? std::optional<std::string>(value) : std::nullopt;
      },
      dotenv);
}

std::expected<ListenOverrides, std::vector<std::string>> listen_overrides(const Environment& environment) {
  ListenOverrides found;
  std::vector<std::string> errors;
  const auto take = [&](const std::string& name, std::optional<int>& into) {
    if (auto port = port_variable(environment, name))
      into = *port;
    else
      errors.push_back(port.error());
  };
  take("PORT", found.port);
  take("HEALTH_SERVER_PORT", found.health_port);
  found.bind_address = text_variable(environment, "BIND_ADDRESS");
  found.health_bind_address = text_variable(environment, "HEALTH_SERVER_BIND_ADDRESS");
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return found;
}

}  // namespace posthaste::config
