// Bounces without a part for machines: the texts of qmail, Exim and Exchange.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mail/delivery_report.h"

namespace posthaste::mail {

struct TextBounce {
  std::vector<ReportedRecipient> recipients;
  std::string returned;  // the message behind the text, or its beginning
};

// `text`: a text part, decoded, line ends of any kind. Nothing if it is in no known form.
std::optional<TextBounce> read_text_bounce(std::string_view text);

}  // namespace posthaste::mail
