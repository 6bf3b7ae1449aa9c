// Links and the open pixel of tracking, put into an outgoing message by splicing (outbound-delivery.md section 15).
//
// Only leaves in which something changes are decoded, edited and encoded again, in their own charset and transfer
// encoding; every other byte stays where it is. Linear in the size of the message, bounded in depth, parts and links.
// Never fails: what cannot be read stays as it is.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace posthaste::mail {

struct TrackRules {
  // What the tracking domain wants; without one nothing. `+notrack` and our own header fields go in any case.
  bool clicks = false, loads = false;
  std::string link_prefix;            // `https://click.example.com/abcdef/`; the link's token follows
  std::string pixel_url;              // `https://click.example.com/img/abcdef/<message token>`
  std::string host;                   // `click.example.com`: links to it stay
  std::vector<std::string> excluded;  // hosts, or `*.example.com` for all below it
};

struct TrackedLink {
  std::string token, url;
};

struct TrackResult {
  std::optional<std::string> headers, body;  // nothing: unchanged
  std::vector<TrackedLink> links;
  int images = 0;
  bool changed() const { return headers || body; }
};

inline constexpr std::size_t kMaxTrackedLinks = 10'000;
inline constexpr std::size_t kMaxTrackedUrl = 65'535;              // the column's bytes
inline constexpr std::size_t kMaxTrackedText = 32u * 1024 * 1024;  // of one part, encoded

// headers: without the last line end; body: what follows the blank line. new_token: called once for each link.
//
// Fields of the message say no: `X-AMP: skip`; `X-Postal-Track: no`, `clicks` or `opens`. The last one counts.
TrackResult track_links(std::string_view headers, std::string_view body, TrackRules rules,
                        const std::function<std::string()>& new_token);

}  // namespace posthaste::mail
