// Each form is known by a phrase that its program has written for decades. Below it stand paragraphs, each an address
// and what was said of it; a dividing line ends them, and what came back follows.
#include "mail/text_bounce.h"

#include "base/strings.h"
#include "mail/address.h"

namespace posthaste::mail {

namespace {

constexpr std::size_t kMostText = 64 * 1024;
constexpr std::size_t kMostRecipients = 100;
constexpr std::size_t kLongestDiagnostic = 500;

struct Form {
  std::string_view begins;   // in lower case
  std::string_view divides;  // likewise: the line above the copy of the message
};
constexpr Form kForms[] = {
    {"this is the qmail-send program", "--- below this line is a copy of the message"},
    {"this message was created automatically by mail delivery software", "------ this is a copy of the message"},
    {"your message did not reach some or all of the intended recipients", "------ original message"},
    {"could not be delivered to the following recipients", "------ original message"},
};

std::optional<std::string> address_at_start(std::string_view line) {
  line = trim(line);
  if (line.starts_with('<')) {
    const auto close = line.find('>');
    if (close == std::string_view::npos) return std::nullopt;
    line = line.substr(1, close - 1);
  } else {
    line = line.substr(0, line.find_first_of(" \t:"));
  }
  const auto mailbox = line.size() <= 254 ? parse_mailbox(line) : std::nullopt;
  if (!mailbox || mailbox->domain.empty()) return std::nullopt;
  return mailbox->address;
}

// `5.1.1` behind white space, `#` or `(`.
std::string status_in(std::string_view text) {
  const auto digit = [&](std::size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
  for (std::size_t i = 0; i + 4 < text.size(); ++i) {
    const bool begins = i == 0 || std::string_view(" \t\n#(;").find(text[i - 1]) != std::string_view::npos;
    if (!begins || (text[i] != '4' && text[i] != '5') || text[i + 1] != '.') continue;
    std::size_t end = i + 2;
    while (digit(end)) ++end;
    if (end == i + 2 || end > i + 5 || end >= text.size() || text[end] != '.') continue;
    const std::size_t detail = ++end;
    while (digit(end)) ++end;
    if (end == detail || end > detail + 3 || (end < text.size() && text[end] == '.')) continue;
    return std::string(text.substr(i, end - i));
  }
  return {};
}

// The lines without their white space, in one.
void append_words(std::string& text, std::string_view line) {
  line = trim(line);
  if (line.empty() || text.size() > kLongestDiagnostic) return;
  if (!text.empty()) text += ' ';
  text += line;
}

std::vector<ReportedRecipient> recipients_in(std::string_view text) {
  std::vector<ReportedRecipient> found;
  bool open = false;
  for (const auto line : split(text, '\n')) {
    if (auto address = address_at_start(line)) {
      if (found.size() == kMostRecipients) break;
      found.push_back({.original = {}, .final = std::move(*address), .action = "failed"});
      open = true;
      const auto rest = trim(line);
      append_words(found.back().diagnostic, rest.substr(std::min(rest.find_first_of(" \t"), rest.size())));
    } else if (open && !is_blank(line)) {
      append_words(found.back().diagnostic, line);
    } else {
      open = false;
    }
  }
  for (auto& recipient : found) {
    recipient.status = status_in(recipient.diagnostic);
    recipient.diagnostic = clean_utf8(recipient.diagnostic.substr(0, kLongestDiagnostic));
  }
  return found;
}

std::string_view behind_line(std::string_view text, std::size_t at) {
  const auto end = text.find('\n', at);
  return end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
}

}  // namespace

std::optional<TextBounce> read_text_bounce(std::string_view whole) {
  const std::string text = replace_all(whole.substr(0, kMostText), "\r", "");
  const std::string lower = to_lower(text);
  for (const Form& form : kForms) {
    const auto begin = lower.find(form.begins);
    if (begin == std::string::npos) continue;
    const auto end = lower.find(form.divides, begin);
    TextBounce bounce;
    const auto told = std::string_view(text).substr(begin, end == std::string::npos ? end : end - begin);
    bounce.recipients = recipients_in(behind_line(told, 0));
    if (bounce.recipients.empty()) continue;
    if (end != std::string::npos) {
      const auto copy = behind_line(text, end);
      bounce.returned = copy.substr(std::min(copy.find_first_not_of('\n'), copy.size()));
    }
    return bounce;
  }
  return std::nullopt;
}

}  // namespace posthaste::mail
