#include "tracking/machines.h"

#include "base/strings.h"

namespace posthaste::tracking {

namespace {

using store::HitClass;

// Reviewed lists. Parts of user agents, in lower case.
constexpr std::string_view kProxyAgents[] = {"googleimageproxy", "yahoomailproxy", "yahoocachesystem",
                                             "outlookimageproxy", "feedfetcher-google"};
constexpr std::string_view kScannerAgents[] = {
    "barracuda",      "mimecast",
    "proofpoint",     "safelinks",
    "ironport",       "fortiguard",
    "trendmicro",     "symantec",
    "messagelabs",    "cyren",
    "virustotal",     "zscaler",
    "curl/",          "wget/",
    "python-",        "python/",
    "aiohttp",        "httpx/",
    "go-http-client", "java/",
    "libwww-perl",    "lwp::",
    "okhttp",         "apache-httpclient",
    "axios/",         "node-fetch",
    "ruby",           "php/",
    "headlesschrome", "phantomjs",
    "slackbot",       "facebookexternalhit",
    "twitterbot",     "linkedinbot",
    "whatsapp",       "telegrambot",
    "discordbot",     "skypeuripreview",
    "bingbot",        "googlebot",
    "bingpreview",    "crawler",
    "spider",         "applebot",
    "bot/",           "bot;",
};
// Apple's Mail Privacy Protection and Gmail's prefetch say no more than this.
constexpr std::string_view kBareAgent = "Mozilla/5.0";
// Where scanners ask from under the names of usual browsers: Exchange Online Protection and its sandboxes.
constexpr std::string_view kScannerNetworks[] = {"40.94.0.0/16", "40.107.0.0/16", "104.47.0.0/17", "52.100.0.0/14"};
constexpr std::string_view kProxyNetworks[] = {"17.0.0.0/8", "66.249.80.0/20", "74.125.208.0/20"};

template <class Parts>
bool contains_any(std::string_view text, const Parts& parts) {
  return std::ranges::any_of(parts, [&](std::string_view part) { return text.contains(part); });
}

std::vector<IpNetwork> parsed(std::span<const std::string_view> texts) {
  std::vector<IpNetwork> networks;
  for (const std::string_view text : texts) networks.push_back(*IpNetwork::parse(text));
  return networks;
}

bool within(const IpAddress& ip, const std::vector<IpNetwork>& networks) {
  return std::ranges::any_of(networks, [&](const IpNetwork& network) { return network.contains(ip); });
}

bool is_prefetch(const io::HttpRequest& request) {
  constexpr std::string_view kPurposes[] = {"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"};
  return std::ranges::any_of(kPurposes, [&](std::string_view name) {
    const std::string value = to_lower(request.header(name));
    return value.contains("prefetch") || value.contains("preview");
  });
}

}  // namespace

HitClass classify(const io::HttpRequest& request, const IpAddress& client) {
  static const auto scanners = parsed(kScannerNetworks), proxies = parsed(kProxyNetworks);
  const std::string_view given = trim(request.header("User-Agent"));
  const std::string agent = to_lower(given);
  if (is_prefetch(request) || contains_any(agent, kProxyAgents) || given == kBareAgent) return HitClass::Proxy;
  if (agent.empty() || contains_any(agent, kScannerAgents) || within(client, scanners)) return HitClass::Scanner;
  return within(client, proxies) ? HitClass::Proxy : HitClass::Person;
}

std::string agent_family(std::string_view user_agent) {
  // The more special names first: most of them also name what they imitate.
  constexpr std::pair<std::string_view, std::string_view> kFamilies[] = {
      {"GoogleImageProxy", "GoogleImageProxy"},
      {"YahooMailProxy", "YahooMailProxy"},
      {"Thunderbird", "Thunderbird"},
      {"Microsoft Outlook", "Outlook"},
      {"MSOffice", "Outlook"},
      {"Outlook-", "Outlook"},
      {"Edg", "Edge"},
      {"OPR/", "Opera"},
      {"SamsungBrowser", "Samsung Internet"},
      {"Firefox/", "Firefox"},
      {"FxiOS", "Firefox"},
      {"CriOS", "Chrome"},
      {"Chrome/", "Chrome"},
      {"Safari/", "Safari"},
      {"AppleWebKit", "Apple Mail"},
      {"MSIE", "Internet Explorer"},
      {"Trident", "Internet Explorer"},
  };
  for (const auto& [part, family] : kFamilies)
    if (user_agent.contains(part)) return std::string(family);
  const std::string_view first = trim(user_agent);
  return std::string(utf8_prefix(first.substr(0, first.find_first_of("/ (")), 40));
}

IpAddress truncated(const IpAddress& ip) {
  IpAddress out = ip;
  std::fill(out.bytes.begin() + (ip.v6 ? 6 : 3), out.bytes.end(), std::uint8_t(0));
  return out;
}

}  // namespace posthaste::tracking
