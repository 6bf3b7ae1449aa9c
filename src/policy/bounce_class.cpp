#include "policy/bounce_class.h"

#include "base/strings.h"
#include "policy/classification.h"

namespace posthaste::policy {

namespace {

// Three digits at the beginning of a word, wherever the report puts them: `550 5.1.1 no`, `Remote host said: 550 no`.
int reply_code(std::string_view text) {
  for (std::size_t i = 0; i + 3 <= text.size(); ++i) {
    const bool begins = i == 0 || text[i - 1] == ' ' || text[i - 1] == '\n' || text[i - 1] == ';';
    const bool ends = i + 3 == text.size() || text[i + 3] == ' ' || text[i + 3] == '-';
    const auto digit = [&](std::size_t at) { return text[i + at] >= '0' && text[i + at] <= '9'; };
    if (begins && ends && (text[i] == '4' || text[i] == '5') && digit(1) && digit(2))
      return (text[i] - '0') * 100 + (text[i + 1] - '0') * 10 + (text[i + 2] - '0');
  }
  return 0;
}

Class meaning_of(std::string_view diagnostic) {
  const int code = reply_code(diagnostic);
  return classify({Stage::Rcpt, code == 0 ? 550 : code, diagnostic});
}

bool blames_us(Class meaning) {
  return meaning == Class::Reputation || meaning == Class::SpamContent || meaning == Class::AuthFailure ||
         meaning == Class::Policy;
}

bool says_no_such_user(std::string_view diagnostic) {
  const int code = reply_code(diagnostic);
  const Class meaning = meaning_of(diagnostic);
  return (code == 550 || code == 551 || code == 553) &&
         (meaning == Class::InvalidMailbox || meaning == Class::InactiveMailbox);
}

// `5.1.x` speaks of the recipient, but for two that speak of the sender. `5.1.0` says least, and is what servers answer
// too when they do not like where the mail came from.
bool about_address(std::string_view status, std::string_view diagnostic) {
  if (!status.starts_with("5.1.") || status == "5.1.7" || status == "5.1.8") return false;
  return status != "5.1.0" || !blames_us(meaning_of(diagnostic));
}

BounceClass classify_failure(std::string_view status, std::string_view diagnostic) {
  if (status.starts_with('4')) return BounceClass::Soft;
  if (about_address(status, diagnostic) || status == "5.2.1" || status == "5.4.4") return BounceClass::Hard;
  const bool says_nothing = status.empty() || status == "5.0.0";
  if (says_nothing && says_no_such_user(diagnostic)) return BounceClass::Hard;
  if (status.starts_with("5.7.") || status.starts_with("5.6.") || blames_us(meaning_of(diagnostic)))
    return BounceClass::Policy;
  return BounceClass::Soft;
}

}  // namespace

std::string_view to_text(BounceClass value) {
  static constexpr std::string_view kTexts[] = {"hard", "soft", "policy", "delayed", "success"};
  return kTexts[std::size_t(value)];
}

bool failed(BounceClass value) {
  return value == BounceClass::Hard || value == BounceClass::Soft || value == BounceClass::Policy;
}

BounceClass classify_bounce(std::string_view action, std::string_view status, std::string_view diagnostic) {
  if (iequals(action, "failed")) return classify_failure(status, diagnostic);
  if (iequals(action, "delayed")) return BounceClass::Delayed;
  for (const auto success : {"delivered", "relayed", "expanded"})
    if (iequals(action, success)) return BounceClass::Success;
  if (status.starts_with('2')) return BounceClass::Success;
  return status.starts_with('4') ? BounceClass::Delayed : classify_failure(status, diagnostic);
}

}  // namespace posthaste::policy
