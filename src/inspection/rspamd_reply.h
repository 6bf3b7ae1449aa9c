// rspamd's answer to /checkv2.
#pragma once

#include <optional>
#include <string_view>

#include "inspection/scan.h"

namespace posthaste::inspection {

// How symbols become a score: as Postal counts them (the sum of those that have a description; the others are left
// out), or rspamd's own total, with all of them.
enum class RspamdScore { Symbols, Total };

// Pure. Nothing if it is no JSON object, its `symbols` are none, or it has no total where that is asked for.
std::optional<SpamScan> parse_rspamd_reply(std::string_view json, RspamdScore score);

}  // namespace posthaste::inspection
