#include "inspection/spamd_reply.h"

#include <array>
#include <charconv>

#include "base/strings.h"

namespace posthaste::inspection {

namespace {

// Rules about how a message came in. What clients hand in to us comes from dial-up networks with strange names.
constexpr std::array<std::string_view, 6> kNotOfOutgoing = {
    "NO_RECEIVED", "NO_RELAYS", "ALL_TRUSTED", "FREEMAIL_FORGED_REPLYTO", "RDNS_DYNAMIC", "CK_HELO_GENERIC"};

std::string_view take_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  auto line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::optional<std::string_view> behind_last_dashes(std::string_view reply) {
  std::optional<std::string_view> table;
  while (!reply.empty())
    if (take_line(reply).starts_with("---")) table = reply;
  return table;
}

bool blank(char c) { return c == ' ' || c == '\t'; }
bool digit(char c) { return c >= '0' && c <= '9'; }
bool word(char c) { return digit(c) || c == '_' || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z'); }

template <class Is>
std::string_view take(std::string_view& rest, Is is) {
  std::size_t end = 0;
  while (end < rest.size() && is(rest[end])) ++end;
  const auto taken = rest.substr(0, end);
  rest.remove_prefix(end);
  return taken;
}

// `-1.9 BAYES_00 Text`: at most one space or minus, a number, white space, a name, white space, a text.
std::optional<store::SpamCheck> parse_rule(std::string_view line) {
  auto rest = line;
  if (rest.starts_with(' ')) rest.remove_prefix(1);
  const bool minus = line.starts_with('-');
  if (minus) rest.remove_prefix(1);
  const auto number = take(rest, [](char c) { return digit(c) || c == '.'; });
  const bool gap = !take(rest, blank).empty();
  const auto name = take(rest, word);
  const bool second_gap = !take(rest, blank).empty();
  if (number.empty() || !digit(number.front()) || number.size() > 12 || !gap || name.empty() || !second_gap ||
      rest.empty())
    return std::nullopt;

  store::SpamCheck check;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), check.score);
  if (error != std::errc{} || end != number.data() + number.size()) return std::nullopt;
  if (minus) check.score = -check.score;
  check.code = name.substr(0, kMostText);
  check.description = trim(rest).substr(0, kMostText);
  return check;
}

void append(std::string& description, std::string_view more) {
  if (description.size() >= kMostText) return;
  description += ' ';
  description += more.substr(0, kMostText - description.size());
}

bool left_out(const store::SpamCheck& check, bool incoming) {
  return !incoming && std::ranges::find(kNotOfOutgoing, check.code) != kNotOfOutgoing.end();
}

}  // namespace

std::string spamd_request(std::size_t message_size) {
  return fmt::format("REPORT SPAMC/1.2\r\nContent-length: {}\r\n\r\n", message_size);
}

std::optional<SpamScan> parse_spamd_reply(std::string_view reply, bool incoming) {
  auto table = behind_last_dashes(reply);
  if (!table) return std::nullopt;
  std::vector<store::SpamCheck> checks;
  while (!table->empty()) {
    const auto line = take_line(*table);
    if (auto check = parse_rule(line)) {
      if (checks.size() == kMostChecks) break;
      checks.push_back(std::move(*check));
    } else if (checks.empty()) {
      return std::nullopt;
    } else if (is_blank(line)) {
      break;  // what the report says behind its table is not about its last rule
    } else {
      append(checks.back().description, trim(line));
    }
  }
  if (checks.empty()) return std::nullopt;

  SpamScan scan;
  std::erase_if(checks, [&](const auto& check) { return left_out(check, incoming); });
  for (const auto& check : checks) scan.score += check.score;
  scan.checks = std::move(checks);
  return scan;
}

}  // namespace posthaste::inspection
