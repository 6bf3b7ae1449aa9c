#include "policy/classification.h"

#include <algorithm>
#include <span>

#include "base/strings.h"

namespace posthaste::policy {

namespace {

struct Rule {
  std::string_view mark;  // in lower case
  Class meaning;
};

using enum Class;

// Marks that one provider or list puts into its replies, with the same meaning behind any code.
constexpr Rule kProviders[] = {
    {"s3140", Reputation},          {"s3150", Reputation},
    {"[tss0", Reputation},          {"[ts0", Reputation},
    {"as(4810)", Reputation},       {"spamhaus", Reputation},
    {"spamcop", Reputation},        {"barracudacentral", Reputation},
    {"sorbs.net", Reputation},      {"uceprotect", Reputation},
    {"dnsbl", Reputation},          {"blocklist", Reputation},
    {"block list", Reputation},     {"blacklist", Reputation},
    {"black list", Reputation},     {"low reputation", Reputation},
    {"bad reputation", Reputation}, {"poor reputation", Reputation},
    {"ip reputation", Reputation},
};

// Subject and detail of enhanced codes that leave no doubt.
constexpr Rule kPlainCodes[] = {
    {"1.1", InvalidMailbox}, {"1.0", InvalidMailbox},  {"1.3", InvalidMailbox},  {"1.2", InvalidDomain},
    {"1.10", InvalidDomain}, {"1.6", InactiveMailbox}, {"2.1", InactiveMailbox}, {"7.13", InactiveMailbox},
    {"2.2", MailboxFull},    {"2.3", MessageTooLarge}, {"3.4", MessageTooLarge}, {"7.28", RateLimited},
    {"7.20", AuthFailure},   {"7.21", AuthFailure},    {"7.22", AuthFailure},    {"7.23", AuthFailure},
    {"7.24", AuthFailure},   {"7.25", AuthFailure},    {"7.26", AuthFailure},    {"7.27", AuthFailure},
    {"4.6", Routing},
};

constexpr Rule kPhrases[] = {
    {"greylist", Greylisted},
    {"graylist", Greylisted},
    {"grey list", Greylisted},
    {"gray list", Greylisted},
    {"grey-list", Greylisted},
    {"gray-list", Greylisted},
    {"mail loop", Routing},
    {"hop count", Routing},
    {"too many hops", Routing},
    {"relaying denied", Routing},
    {"relay access denied", Routing},
    {"unable to relay", Routing},
    {"relay not permitted", Routing},
    {"relaying not allowed", Routing},
    {"unsubscribed", RecipientOptOut},
    {"opted out", RecipientOptOut},
    {"too many", RateLimited},
    {"rate limit", RateLimited},
    {"rate-limit", RateLimited},
    {"ratelimit", RateLimited},
    {"throttl", RateLimited},
    {"mailbox full", MailboxFull},
    {"mailbox is full", MailboxFull},
    {"over quota", MailboxFull},
    {"overquota", MailboxFull},
    {"quota exceeded", MailboxFull},
    {"exceeded storage", MailboxFull},
    {"message too large", MessageTooLarge},
    {"message is too large", MessageTooLarge},
    {"too big", MessageTooLarge},
    {"message size exceeds", MessageTooLarge},
    {"size limit", MessageTooLarge},
    {"smtputf8", Unsupported},
    {"user unknown", InvalidMailbox},
    {"unknown user", InvalidMailbox},
    {"no such user", InvalidMailbox},
    {"no such recipient", InvalidMailbox},
    {"no such mailbox", InvalidMailbox},
    {"unknown recipient", InvalidMailbox},
    {"recipient unknown", InvalidMailbox},
    {"invalid recipient", InvalidMailbox},
    {"invalid mailbox", InvalidMailbox},
    {"user not found", InvalidMailbox},
    {"mailbox not found", InvalidMailbox},
    {"user doesn't exist", InvalidMailbox},
    {"user does not exist", InvalidMailbox},
    {"account does not exist", InvalidMailbox},
    {"address does not exist", InvalidMailbox},
    {"account disabled", InactiveMailbox},
    {"account is disabled", InactiveMailbox},
    {"mailbox disabled", InactiveMailbox},
    {"mailbox is disabled", InactiveMailbox},
    {"mailbox is inactive", InactiveMailbox},
    {"inactive user", InactiveMailbox},
    {"inactive mailbox", InactiveMailbox},
    {"account inactive", InactiveMailbox},
};

// Short names that occur inside others: only whole words count.
constexpr Rule kWords[] = {
    {"spf", AuthFailure},   {"dkim", AuthFailure},    {"dmarc", AuthFailure},       {"rbl", Reputation},
    {"spam", SpamContent},  {"spammy", SpamContent},  {"unsolicited", SpamContent}, {"junk", SpamContent},
    {"virus", SpamContent}, {"malware", SpamContent}, {"phishing", SpamContent},    {"prohibited", Policy},
};

constexpr Rule kContentPhrases[] = {
    {"unacceptable content", SpamContent}, {"content rejected", SpamContent}, {"message content", SpamContent}};

constexpr Rule kErrors[] = {
    {"end of file", Protocol},  {"protocol error", Protocol},
    {"starttls", TlsFailure},   {"tls", TlsFailure},
    {"ssl", TlsFailure},        {"certificate", TlsFailure},
    {"servfail", Dns},          {"nxdomain", InvalidDomain},
    {"null mx", InvalidDomain}, {"dns", Dns},
};

bool alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool has_word(std::string_view text, std::string_view word) {
  for (auto at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
    const auto end = at + word.size();
    if ((at == 0 || !alphanumeric(text[at - 1])) && (end == text.size() || !alphanumeric(text[end]))) return true;
  }
  return false;
}

std::optional<Class> first_contained(std::span<const Rule> rules, std::string_view text) {
  for (const auto& rule : rules) {
    if (text.find(rule.mark) != text.npos) return rule.meaning;
  }
  return std::nullopt;
}

std::optional<Class> first_word(std::span<const Rule> rules, std::string_view text) {
  for (const auto& rule : rules) {
    if (has_word(text, rule.mark)) return rule.meaning;
  }
  return std::nullopt;
}

// Subject and detail: `1.1` of `5.1.1`.
std::string_view detail_of(const std::optional<std::string>& enhanced) {
  return enhanced ? std::string_view(*enhanced).substr(2) : std::string_view();
}

std::optional<Class> by_plain_code(std::string_view detail) {
  for (const auto& rule : kPlainCodes) {
    if (detail == rule.mark) return rule.meaning;
  }
  return std::nullopt;
}

std::optional<Class> by_text(int code, std::string_view text) {
  auto found = first_contained(kPhrases, text);
  if (found == Greylisted && code / 100 != 4) found = std::nullopt;
  if (!found) found = first_word(kWords, text);
  if (!found) found = first_contained(kContentPhrases, text);
  return found;
}

std::optional<Class> by_subject(std::string_view detail) {
  if (detail.starts_with("7.")) return Policy;
  if (detail.starts_with("6.")) return Unsupported;
  if (detail.starts_with("5.")) return Class::Protocol;
  if (detail.starts_with("4.")) return Routing;
  return std::nullopt;
}

bool auth_required(int code) { return code == 530 || code == 534 || code == 535 || code == 538; }

Class by_code(int code, Stage stage) {
  if (code == 552) return stage == Stage::Mail ? MessageTooLarge : MailboxFull;  // to MAIL it is about SIZE (RFC 1870)
  if (code == 555) return Class::Protocol;
  if (code >= 500 && code <= 504) return Class::Protocol;
  return Unknown;
}

// MAIL names the sender: what is said of a mailbox there is not about the recipient.
bool about_mailbox(Class value) {
  return value == InvalidMailbox || value == InvalidDomain || value == InactiveMailbox || value == MailboxFull;
}

Class classify_reply(const Evidence& evidence, std::string_view text) {
  const int code = evidence.code;
  const auto enhanced = enhanced_code(code, text);
  const auto detail = detail_of(enhanced);
  if (auto found = first_contained(kProviders, text)) return *found;
  if (auth_required(code)) return AuthRequired;
  if (auto found = by_plain_code(detail)) return *found;
  if (auto found = by_text(code, text)) return *found;
  if (code == 451 && detail == "7.1" && evidence.attempts == 0) return Greylisted;
  if (code == 421) return RateLimited;
  if (auto found = by_subject(detail)) return *found;
  return by_code(code, evidence.stage);
}

Class classify_error(std::string_view text) { return first_contained(kErrors, text).value_or(Class::Connection); }

}  // namespace

std::string_view to_text(Class value) {
  static constexpr std::string_view kTexts[] = {"invalid_mailbox",
                                                "invalid_domain",
                                                "inactive_mailbox",
                                                "mailbox_full",
                                                "message_too_large",
                                                "spam_content",
                                                "policy",
                                                "auth_failure",
                                                "reputation",
                                                "rate_limited",
                                                "greylisted",
                                                "auth_required",
                                                "protocol",
                                                "unsupported",
                                                "connection",
                                                "dns",
                                                "tls_failure",
                                                "routing",
                                                "recipient_opt_out",
                                                "expired",
                                                "unknown"};
  return kTexts[std::size_t(value)];
}

bool blames_recipient(Class value) {
  return value == InvalidMailbox || value == InactiveMailbox || value == MailboxFull || value == RecipientOptOut;
}

bool blames_sender_host(Class value) { return value == Reputation || value == RateLimited; }

Class classify(const Evidence& evidence) {
  const std::string text = to_lower(evidence.text);
  if (evidence.code == 0) return classify_error(text);
  const Class found = classify_reply(evidence, text);
  return evidence.stage == Stage::Mail && about_mailbox(found) ? Policy : found;
}

std::optional<std::string> enhanced_code(int code, std::string_view reply) {
  for (auto line : split(reply, '\n')) {
    if (line.size() < 9) continue;
    line.remove_prefix(4);
    line = line.substr(0, std::min(line.find_first_not_of("0123456789."), line.size()));
    const auto parts = split(line, '.');
    const bool form = parts.size() == 3 && parts[0].size() == 1 && !parts[1].empty() && parts[1].size() <= 3 &&
                      !parts[2].empty() && parts[2].size() <= 3;
    if (form && parts[0][0] - '0' == code / 100) return std::string(line);
  }
  return std::nullopt;
}

}  // namespace posthaste::policy
