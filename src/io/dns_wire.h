// DNS data as it is on the wire. Pure; input that breaks the format gives nothing. Only for the .cpp files of this
// room.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/network.h"
#include "io/resolver.h"

namespace posthaste::io {

namespace dns_type {
constexpr int kA = 1, kNs = 2, kCname = 5, kSoa = 6, kPtr = 12, kMx = 15, kTxt = 16, kAaaa = 28;
}

// Lower case, no trailing dot; bytes that a name in text cannot show are written \DDD. The root is empty.
std::optional<std::string> parse_name(std::string_view rdata);
std::optional<MxRecord> parse_mx(std::string_view rdata);
std::optional<std::string> parse_txt(std::string_view rdata);
std::optional<IpAddress> parse_address(std::string_view rdata);

// How long an answer without records may be kept: the TTL of the SOA in the authority section of the packet (RFC 2308).
// Nothing if there is none.
std::optional<std::chrono::seconds> negative_ttl(std::string_view packet);

}  // namespace posthaste::io
