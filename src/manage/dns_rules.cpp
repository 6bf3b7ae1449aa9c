#include "manage/dns_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "base/strings.h"

namespace posthaste::manage {

namespace {

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> found;
  auto blanks = replace_all(text, "\t", " ");
  for (auto word : split(blanks, ' '))
    if (!word.empty()) found.emplace_back(word);
  return found;
}

bool begins_with_version(std::string_view text, std::string_view version) {
  return istarts_with(text, version) &&
         (text.size() == version.size() || !std::isalnum(static_cast<unsigned char>(text[version.size()])));
}

// `v=DKIM1; p=...` as tags; names lower case, blanks within values removed.
std::map<std::string, std::string> tags(std::string_view record) {
  std::map<std::string, std::string> found;
  for (auto part : split(record, ';')) {
    auto equals = part.find('=');
    if (equals == part.npos) continue;
    std::string value;
    for (char c : part.substr(equals + 1))
      if (!is_blank(std::string_view(&c, 1))) value += c;
    found.emplace(to_lower(trim(part.substr(0, equals))), std::move(value));
  }
  return found;
}

std::string value_or(const std::map<std::string, std::string>& tags, const char* name, std::string other) {
  auto found = tags.find(name);
  return found == tags.end() ? std::move(other) : found->second;
}

bool same_key(std::string_view published, std::string_view expected) {
  auto a = tags(published), b = tags(expected);
  auto hashes = value_or(a, "h", "sha256");
  auto accepted = split(hashes, ':');
  return iequals(value_or(a, "v", "DKIM1"), "DKIM1") && iequals(value_or(a, "k", "rsa"), value_or(b, "k", "rsa")) &&
         std::ranges::any_of(accepted, [](auto hash) { return iequals(hash, "sha256"); }) &&
         !value_or(b, "p", "").empty() && value_or(a, "p", "") == value_or(b, "p", "");
}

}  // namespace

std::string_view to_text(DnsState state) {
  switch (state) {
    case DnsState::Ok:
      return "OK";
    case DnsState::Missing:
      return "Missing";
    case DnsState::Invalid:
      return "Invalid";
    case DnsState::Unknown:
      break;
  }
  return "Unknown";
}

bool same_name(std::string_view a, std::string_view b) {
  if (a.ends_with('.')) a.remove_suffix(1);
  if (b.ends_with('.')) b.remove_suffix(1);
  return iequals(a, b);
}

std::vector<std::string> spf_records(const std::vector<std::string>& texts) {
  std::vector<std::string> found;
  for (const auto& text : texts)
    if (begins_with_version(trim(text), "v=spf1")) found.emplace_back(trim(text));
  return found;
}

std::vector<std::string> spf_includes(std::string_view record) {
  std::vector<std::string> names;
  auto terms = words(record);
  for (std::size_t i = 0; i < terms.size(); ++i) {
    std::string_view term = terms[i];
    if (term.starts_with('-')) continue;  // whoever matches is refused
    if (term.starts_with('+') || term.starts_with('?') || term.starts_with('~')) term.remove_prefix(1);
    if (iequals(term, "include:") && i + 1 < terms.size())
      names.push_back(terms[++i]);  // a blank that Postal allows
    else if (istarts_with(term, "include:"))
      names.emplace_back(term.substr(8));
    else if (istarts_with(term, "redirect="))
      names.emplace_back(term.substr(9));
  }
  return names;
}

Finding judge_spf(const std::vector<std::string>& texts, const std::vector<std::string>& included,
                  std::string_view spf_include) {
  auto records = spf_records(texts);
  if (records.empty()) return {DnsState::Missing, "No SPF record exists for this domain"};
  if (records.size() > 1)
    return {DnsState::Invalid,
            fmt::format("There are {} SPF records for this domain. There should only be one.", records.size())};
  auto names_us = [&](const std::string& record) {
    return std::ranges::any_of(spf_includes(record), [&](const auto& name) { return same_name(name, spf_include); });
  };
  if (names_us(records.front()) || std::ranges::any_of(included, names_us)) return {DnsState::Ok, ""};
  return {DnsState::Invalid, fmt::format("An SPF record exists but it doesn't include {}", spf_include)};
}

Finding judge_dkim(const std::vector<std::string>& texts, std::string_view name, std::string_view expected) {
  if (texts.empty()) return {DnsState::Missing, fmt::format("No TXT records were returned for {}", name)};
  if (texts.size() > 1)
    return {DnsState::Invalid,
            fmt::format("There are {} records for at {}. There should only be one.", texts.size(), name)};
  if (same_key(texts.front(), expected)) return {DnsState::Ok, ""};
  return {DnsState::Invalid, fmt::format("The DKIM record at {} does not match the record we have provided. Please "
                                         "check it has been copied correctly.",
                                         name)};
}

Finding judge_mx(const std::vector<std::string>& hosts, std::string_view domain,
                 const std::vector<std::string>& wanted) {
  if (hosts.empty()) return {DnsState::Missing, fmt::format("There are no MX records for {}", domain)};
  std::vector<std::string> missing;
  for (const auto& host : wanted)
    if (std::ranges::none_of(hosts, [&](const auto& found) { return same_name(found, host); })) missing.push_back(host);
  if (missing.empty()) return {DnsState::Ok, ""};
  if (missing.size() == wanted.size()) return {DnsState::Missing, "You have MX records but none of them point to us."};
  return {DnsState::Invalid, fmt::format("MX {} for {} are missing and are required.",
                                         missing.size() == 1 ? "record" : "records", to_sentence(missing))};
}

Finding judge_cname(const std::vector<std::string>& chain, std::string_view name, std::string_view target,
                    std::string_view what) {
  if (chain.empty()) return {DnsState::Missing, fmt::format("There is no {} at {}", what, name)};
  if (std::ranges::any_of(chain, [&](const auto& found) { return same_name(found, target); }))
    return {DnsState::Ok, ""};
  return {DnsState::Invalid,
          fmt::format("There is a CNAME record at {} but it points to {} which is incorrect. It should point to {}.",
                      name, chain.front(), target)};
}

Finding judge_dmarc(const std::vector<std::string>& texts, std::string_view name) {
  auto records = std::ranges::count_if(texts, [](const auto& t) { return begins_with_version(trim(t), "v=DMARC1"); });
  if (records == 0) return {DnsState::Missing, fmt::format("There is no DMARC record at {}", name)};
  if (records == 1) return {DnsState::Ok, ""};
  return {DnsState::Invalid, fmt::format("There are {} DMARC records at {}. There should only be one.", records, name)};
}

Finding judge_verification(const std::vector<std::string>& texts, std::string_view domain, std::string_view expected) {
  if (std::ranges::any_of(texts, [&](const auto& text) { return trim(text) == expected; })) return {DnsState::Ok, ""};
  return {DnsState::Missing, fmt::format("No TXT record of {} is {}", domain, expected)};
}

}  // namespace posthaste::manage
