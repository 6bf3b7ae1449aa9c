#include "tracking/paths.h"

#include <gtest/gtest.h>

namespace posthaste::tracking {
namespace {

using What = Asked::What;

std::string asked(std::string_view path) {
  const auto found = read_path(path);
  if (found.what == What::Greeting) return "hello";
  if (found.what == What::Robots) return "robots";
  return fmt::format("{} {} {}", found.what == What::Pixel ? "pixel" : "link", found.server, found.token);
}

TEST(TrackingPaths, HaveTheFormsOfTheReference) {
  EXPECT_EQ(asked("/abcdef/AAAAAAAAAAAAAAAA"), "link abcdef AAAAAAAAAAAAAAAA");
  EXPECT_EQ(asked("/img/abcdef/AAAAAAAAAAAAAAAA"), "pixel abcdef AAAAAAAAAAAAAAAA");
  EXPECT_EQ(asked("/IMG/ab/cd"), "pixel ab cd");
  EXPECT_EQ(asked("/img/x"), "link img x");
  EXPECT_EQ(asked("/img/x/"), "link img x");
  for (const std::string_view path :
       {"", "/", "/x", "/x/", "//x/y", "/x_y/z", "/.well-known/acme-challenge/x", "/robots"})
    EXPECT_EQ(asked(path), "hello") << path;
  EXPECT_EQ(asked("/robots.txt"), "robots");
}

TEST(TrackingPaths, AnythingMayFollow) {
  EXPECT_EQ(asked("/abcdef/token/more"), "link abcdef token");
  EXPECT_EQ(asked("/abcdef/token\xE8\xA9\xB3"), "link abcdef token");
  EXPECT_EQ(asked("/img/abcdef/token.png"), "pixel abcdef token");
}

TEST(TrackingPaths, ParametersCountWhateverTheirValue) {
  EXPECT_TRUE(has_parameter("src=", "src"));
  EXPECT_TRUE(has_parameter("a=1&src", "src"));
  EXPECT_FALSE(has_parameter("a=src&xsrc=1", "src"));
  EXPECT_FALSE(has_parameter("", "src"));
}

TEST(TrackingPaths, TheHeaderIsAnIntegerOfOne) {
  for (const std::string_view yes : {"1", "01", "1abc", " 1 ", "1.5"}) EXPECT_TRUE(says_tracking(yes)) << yes;
  for (const std::string_view no : {"", "0", "2", "10", "11", "yes", "true", "-1"})
    EXPECT_FALSE(says_tracking(no)) << no;
}

TEST(TrackingPaths, LocationsAreUrls) {
  EXPECT_EQ(location_of("https://example.com/one?a=1&b=2#c"), "https://example.com/one?a=1&b=2#c");
  EXPECT_EQ(location_of("HTTP://u:p@[2001:db8::1]:80/%20"), "HTTP://u:p@[2001:db8::1]:80/%20");
  EXPECT_EQ(location_of("http://x.test/a b\"<\xC3\xA4>"), "http://x.test/a%20b%22%3C%C3%A4%3E");
  EXPECT_EQ(location_of("http://gr\xC3\xBC"
                        "n.test:8080/\xC3\xBC"),
            "http://xn--grn-ioa.test:8080/%C3%BC");
  for (const std::string_view no :
       {"", "javascript:alert(1)", "ftp://x.test/", "//x.test/", "http://x.test/\r\nSet-Cookie: a"})
    EXPECT_EQ(location_of(no), "") << no;
}

}  // namespace
}  // namespace posthaste::tracking
