#include "delivery/spam_fields.h"

#include "mail/header.h"

namespace posthaste::delivery {

std::string decimal(double value) {
  std::string text = fmt::format("{:.2f}", value);
  while (text.ends_with('0') && !text.ends_with(".0")) text.pop_back();
  return text;
}

std::string spam_fields(const store::Inspection& inspection, double threshold) {
  const auto yes_or_no = [](bool yes) { return yes ? "yes" : "no"; };
  return fmt::format(
      "X-Postal-Spam: {}\r\nX-Postal-Spam-Threshold: {}\r\nX-Postal-Spam-Score: {}\r\nX-Postal-Threat: {}\r\n",
      yes_or_no(inspection.spam), decimal(threshold), inspection.checks.empty() ? "0" : decimal(inspection.score),
      yes_or_no(inspection.threat));
}

store::RawMessage without_spam_fields(const store::RawMessage& raw) {
  const std::vector<std::string> names(kSpamFields.begin(), kSpamFields.end());
  std::string bytes = mail::without_fields(raw.bytes(), names);
  return bytes.size() == raw.size() ? raw : store::RawMessage(std::move(bytes));
}

}  // namespace posthaste::delivery
