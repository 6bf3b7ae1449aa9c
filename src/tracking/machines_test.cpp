#include "tracking/machines.h"

#include <gtest/gtest.h>

namespace posthaste::tracking {
namespace {

using store::HitClass;

constexpr std::string_view kBrowser =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36";

HitClass hit(std::string_view agent, std::string_view ip = "198.51.100.7", io::HttpHeaders more = {}) {
  io::HttpRequest request;
  request.headers = std::move(more);
  request.headers.emplace_back("User-Agent", std::string(agent));
  return classify(request, *IpAddress::parse(ip));
}

TEST(Machines, PeopleUseBrowsersAndMailClients) {
  EXPECT_EQ(hit(kBrowser), HitClass::Person);
  EXPECT_EQ(hit("Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Thunderbird/115.3"), HitClass::Person);
}

TEST(Machines, PrefetchersAndProxiesSaySo) {
  EXPECT_EQ(hit(kBrowser, "198.51.100.7", {{"Sec-Purpose", "prefetch;prerender"}}), HitClass::Proxy);
  EXPECT_EQ(hit(kBrowser, "198.51.100.7", {{"X-Moz", "prefetch"}}), HitClass::Proxy);
  EXPECT_EQ(hit("Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"),
            HitClass::Proxy);
  EXPECT_EQ(hit("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"), HitClass::Proxy);
  EXPECT_EQ(hit("Mozilla/5.0"), HitClass::Proxy);
  EXPECT_EQ(hit(kBrowser, "17.58.1.1"), HitClass::Proxy);
}

TEST(Machines, ScannersAreKnownByNameOrNetwork) {
  for (const std::string_view agent : {"", "curl/7.88.1", "python-requests/2.28", "BarracudaCentral", "Slackbot 1.0"})
    EXPECT_EQ(hit(agent), HitClass::Scanner) << agent;
  EXPECT_EQ(hit(kBrowser, "40.94.1.2"), HitClass::Scanner);
}

TEST(Privacy, KeepsAFamilyOrANetwork) {
  EXPECT_EQ(agent_family(kBrowser), "Chrome");
  EXPECT_EQ(agent_family("Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Thunderbird/115.3"), "Thunderbird");
  EXPECT_EQ(agent_family("curl/7.88.1"), "curl");
  EXPECT_EQ(agent_family(""), "");
  EXPECT_EQ(truncated(*IpAddress::parse("198.51.100.7")).text(), "198.51.100.0");
  EXPECT_EQ(truncated(*IpAddress::parse("2001:db8:1:2:3:4:5:6")).text(), "2001:db8:1::");
}

}  // namespace
}  // namespace posthaste::tracking
