// People and machines: which hits of links and pixels are prefetches, image proxies and scanners (http-api.md section
// 21). Pure.
#pragma once

#include <string>
#include <string_view>

#include "io/http.h"
#include "store/hits.h"

namespace posthaste::tracking {

// By what the request says of itself, and where it comes from.
store::HitClass classify(const io::HttpRequest& request, const IpAddress& client);

// `Chrome`, `Thunderbird`, `curl`: the agent without what tells machines apart. Empty for empty.
std::string agent_family(std::string_view user_agent);

// To /24 or /48.
IpAddress truncated(const IpAddress& ip);

}  // namespace posthaste::tracking
