// The parts of a message that a report can be read from: text and enclosed messages, transfer encoding undone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace posthaste::mail {

struct ReportPart {
  std::string type;   // lower case: `text/plain`, `message/delivery-status`, `message/rfc822`
  std::string bytes;  // decoded; of an enclosed message that message
};

struct ReportParts {
  std::string type;         // of the whole message, lower case
  std::string report_type;  // lower case: `delivery-status`; empty: none
  std::vector<ReportPart> parts;
};

// Depth first; enclosed messages are not looked into. Reads the first few megabytes of the message and the first part
// of a megabyte of each of its parts. Never fails: of a damaged message it gives what is there.
ReportParts report_parts(std::string_view message);

}  // namespace posthaste::mail
