#include "smtp/proto/command.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/strings.h"

namespace posthaste::smtp::proto {

namespace {

constexpr std::array<std::pair<std::string_view, Verb>, 12> kVerbs{{{"MAIL", Verb::Mail},
                                                                    {"RCPT", Verb::Rcpt},
                                                                    {"DATA", Verb::Data},
                                                                    {"EHLO", Verb::Ehlo},
                                                                    {"HELO", Verb::Helo},
                                                                    {"QUIT", Verb::Quit},
                                                                    {"RSET", Verb::Rset},
                                                                    {"NOOP", Verb::Noop},
                                                                    {"AUTH", Verb::Auth},
                                                                    {"BDAT", Verb::Bdat},
                                                                    {"VRFY", Verb::Vrfy},
                                                                    {"STARTTLS", Verb::StartTls}}};

bool letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
bool blank(char c) { return c == ' ' || c == '\t'; }

Verb verb_of(std::string_view word) {
  for (const auto& [name, verb] : kVerbs)
    if (iequals(name, word)) return verb;
  return Verb::Unknown;
}

// `FROM:<...>`: what stands behind the word; nothing if it is not there.
std::optional<std::string_view> behind_word(std::string_view argument, std::string_view word) {
  if (!istarts_with(argument, word)) return std::nullopt;
  argument.remove_prefix(word.size());
  if (!argument.empty() && letter(argument[0])) return std::nullopt;
  return argument;
}

// Position of the bracket that closes; quoted strings hide theirs.
std::size_t closing_bracket(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == '>' && !quoted) {
      return i;
    }
  }
  return std::string_view::npos;
}

std::string_view without_source_route(std::string_view address) {
  if (!address.starts_with('@')) return address;
  const auto colon = address.find(':');
  return colon == std::string_view::npos ? address : address.substr(colon + 1);
}

std::vector<Parameter> parameters_of(std::string_view text) {
  std::vector<Parameter> found;
  while (!(text = trim(text)).empty()) {
    const auto end = text.find_first_of(" \t");
    const auto word = text.substr(0, end);
    const auto equals = word.find('=');
    found.push_back({word.substr(0, equals), equals == std::string_view::npos ? "" : word.substr(equals + 1)});
    text.remove_prefix(word.size());
  }
  return found;
}

// Where the bracketed path begins. In `a@b.test AUTH=<x@y>` the bracket belongs to a parameter.
std::size_t opening_bracket(std::string_view text) {
  const auto open = text.find('<');
  const bool parameter = text.substr(0, open).find_first_of("@=") != std::string_view::npos;
  return parameter ? std::string_view::npos : open;
}

}  // namespace

Command parse_command(std::string_view line) {
  std::size_t n = 0;
  while (n < line.size() && letter(line[n])) ++n;
  Verb verb = verb_of(line.substr(0, n));
  const bool greeting = verb == Verb::Helo || verb == Verb::Ehlo;
  if (n < line.size() && !blank(line[n]) && !(greeting && line[n] == ':')) return {};

  auto argument = line.substr(std::min(n + 1, line.size()));
  while (!argument.empty() && blank(argument.back())) argument.remove_suffix(1);
  if (verb == Verb::Mail || verb == Verb::Rcpt) {
    const auto path = behind_word(argument, verb == Verb::Mail ? "FROM" : "TO");
    if (!path) return {};
    argument = *path;
  }
  return {verb, argument};
}

bool has_control_character(std::string_view line) {
  return std::ranges::any_of(line, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && byte != '\t') || byte == 0x7F;
  });
}

std::optional<Path> parse_path(std::string_view argument) {
  argument = trim(argument);
  if (!argument.starts_with(':')) return Path{.colon = false};
  auto text = trim(argument.substr(1));

  Path path;
  if (const auto open = opening_bracket(text); open != std::string_view::npos) {
    text.remove_prefix(open + 1);
    const auto close = closing_bracket(text);
    if (close == std::string_view::npos) return std::nullopt;
    path.address = without_source_route(trim(text.substr(0, close)));
    path.parameters = parameters_of(text.substr(close + 1));
    return path;
  }
  const auto end = text.find_first_of(" \t");
  path.address = without_source_route(text.substr(0, end));
  if (end != std::string_view::npos) path.parameters = parameters_of(text.substr(end));
  return path;
}

bool within_path_limits(std::string_view address) {
  const auto at = address.rfind('@');
  if (address.size() > 256) return false;
  if (at == std::string_view::npos) return address.size() <= 64;
  return at <= 64 && address.size() - at - 1 <= 255;
}

std::optional<std::uint64_t> parse_size(std::string_view digits) {
  if (digits.empty() || digits.size() > 20) return std::nullopt;
  constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = std::uint64_t(c - '0');
    value = value > (kMax - digit) / 10 ? kMax : value * 10 + digit;
  }
  return value;
}

std::optional<Chunk> parse_bdat(std::string_view argument) {
  argument = trim(argument);
  const auto end = argument.find(' ');
  const auto size = parse_size(argument.substr(0, end));
  if (!size) return std::nullopt;
  if (end == std::string_view::npos) return Chunk{*size, false};
  if (!iequals(trim(argument.substr(end)), "LAST")) return std::nullopt;
  return Chunk{*size, true};
}

}  // namespace posthaste::smtp::proto
