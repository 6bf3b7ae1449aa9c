#include "store/source_address.h"

#include <cmath>

#include "base/interfaces.h"
#include "base/random.h"
#include "base/strings.h"
#include "mail/address.h"
#include "mail/header.h"

namespace posthaste::store {

namespace {

// What stands between the last `<` and the first `>` of a field that no parser takes.
std::string_view between_brackets(std::string_view value) {
  if (const auto open = value.rfind('<'); open != std::string_view::npos) value.remove_prefix(open + 1);
  return trim(value.substr(0, value.find('>')));
}

std::string without_tag(std::string_view address) {
  const auto parts = mail::split_address(address);
  return fmt::format("{}@{}", parts.local.substr(0, parts.local.find('+')), parts.domain);
}

// `a@x.test` is that address with or without a tag; `x.test` a domain; `*.x.test` all that are below it.
bool fits(std::string_view condition, std::string_view address) {
  if (condition.contains('@')) return iequals(condition, address) || iequals(condition, without_tag(address));
  const auto domain = mail::split_address(address).domain;
  if (!condition.starts_with("*.")) return iequals(condition, domain);
  const auto below = condition.substr(1);
  return domain.size() > below.size() && iequals(domain.substr(domain.size() - below.size()), below);
}

bool applies(const IpPoolRule& rule, std::span<const std::string> from, std::string_view rcpt_to) {
  const auto any_from = [&](const std::string& condition) {
    return std::ranges::any_of(from, [&](const std::string& address) { return fits(condition, address); });
  };
  return std::ranges::any_of(rule.from, any_from) ||
         std::ranges::any_of(rule.to, [&](const std::string& condition) { return fits(condition, rcpt_to); });
}

}  // namespace

std::vector<std::string> from_addresses(std::string_view headers) {
  std::vector<std::string> addresses;
  for (const auto& field : mail::header_fields(headers)) {
    if (!field.is("From")) continue;
    if (const auto list = mail::parse_address_list(field.value)) {
      for (const auto& mailbox : *list) addresses.push_back(mailbox.address);
    } else {
      addresses.emplace_back(between_brackets(mail::unfold(field.value)));
    }
  }
  return addresses;
}

std::optional<Id> pool_for(const Directory& directory, const Server& server, std::span<const std::string> from,
                           std::string_view rcpt_to) {
  for (const IpPoolRule* rule : directory.ip_pool_rules(server))
    if (applies(*rule, from, rcpt_to)) return rule->ip_pool_id;
  return server.ip_pool_id;
}

double random_unit() { return std::ldexp(double(random_u64() >> 11), -53); }

const IpAddressRow* draw_address(const Directory& directory, Id pool, const Draw& draw) {
  const IpAddressRow* chosen = nullptr;
  double highest = -1, highest_of_zeros = -1;
  for (const IpAddressRow* row : directory.ip_addresses()) {
    if (row->ip_pool_id != pool) continue;
    const double drawn = draw(), weighed = drawn * row->priority;
    // Where all have priority 0 the draw alone decides.
    if (weighed < highest || (weighed == highest && drawn <= highest_of_zeros)) continue;
    chosen = row;
    highest = weighed;
    highest_of_zeros = drawn;
  }
  return chosen;
}

std::optional<Id> source_for(const Directory& directory, const Server& server, std::span<const std::string> from,
                             std::string_view rcpt_to) {
  const auto pool = pool_for(directory, server, from, rcpt_to);
  const IpAddressRow* row = pool ? draw_address(directory, *pool) : nullptr;
  return row ? std::optional(row->id) : std::nullopt;
}

void choose_sources(const Directory& directory, Submission& submission) {
  const Server* server = directory.server(submission.server_id);
  if (!server || directory.ip_addresses().empty()) return;
  const auto from = from_addresses(submission.raw.headers());
  for (NewMessage& message : submission.messages)
    if (message.scope == Scope::Outgoing) message.ip_address_id = source_for(directory, *server, from, message.rcpt_to);
}

bool on_this_machine(const IpAddressRow& row) {
  const auto here = interface_addresses();
  return std::ranges::any_of(std::array{row.ipv4, row.ipv6}, [&](const std::string& text) {
    const auto address = IpAddress::parse(text);
    return address && !address->loopback() && std::ranges::find(here, *address) != here.end();
  });
}

}  // namespace posthaste::store
