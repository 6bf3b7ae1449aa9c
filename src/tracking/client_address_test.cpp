#include "tracking/client_address.h"

#include <gtest/gtest.h>

namespace posthaste::tracking {
namespace {

std::string client(io::HttpHeaders headers, std::string_view peer = "127.0.0.1",
                   std::vector<std::string> trusted = {}) {
  io::HttpRequest request;
  request.headers = std::move(headers);
  request.peer = *IpAddress::parse(peer);
  return client_address(request, TrustedProxies(trusted)).text();
}
std::string forwarded(std::string_view chain, std::vector<std::string> trusted = {}) {
  return client({{"X-Forwarded-For", std::string(chain)}}, "127.0.0.1", std::move(trusted));
}

// http-api.md case 71.
TEST(ClientAddress, IsTheLastThatIsNotTrusted) {
  EXPECT_EQ(forwarded("198.51.100.7"), "198.51.100.7");
  EXPECT_EQ(forwarded("198.51.100.7, 10.0.0.1"), "10.0.0.1");
  EXPECT_EQ(forwarded("198.51.100.7, 10.0.0.1", {"10.0.0.0/8"}), "198.51.100.7");
  EXPECT_EQ(forwarded("203.0.113.1, 198.51.100.7, 127.0.0.1"), "198.51.100.7");
  EXPECT_EQ(client({{"X-Forwarded-For", "203.0.113.1"}, {"x-forwarded-for", "198.51.100.7"}}), "198.51.100.7");
}

TEST(ClientAddress, IsTheLeftMostIfAllAreTrusted) {
  EXPECT_EQ(forwarded("fd00::5, ::1"), "fd00::5");
  EXPECT_EQ(client({}), "127.0.0.1");
}

TEST(ClientAddress, APeerThatIsNotTrustedSpeaksForItself) {
  EXPECT_EQ(client({{"X-Forwarded-For", "198.51.100.7"}}, "203.0.113.9"), "203.0.113.9");
}

TEST(ClientAddress, GarbageEndsTheWalk) {
  EXPECT_EQ(forwarded("garbage"), "127.0.0.1");
  EXPECT_EQ(forwarded("198.51.100.7, garbage, 10.0.0.1", {"10.0.0.0/8"}), "10.0.0.1");
  EXPECT_EQ(forwarded(",,"), "127.0.0.1");
}

TEST(ClientAddress, PortsAndForwardedAreRead) {
  EXPECT_EQ(forwarded("198.51.100.7:4711"), "198.51.100.7");
  EXPECT_EQ(forwarded("[2001:db8::1]:80"), "2001:db8::1");
  EXPECT_EQ(forwarded("2001:db8::1"), "2001:db8::1");
  EXPECT_EQ(client({{"Forwarded", "for=203.0.113.1, proto=http;For=\"[2001:db8::7]:80\";by=x"}}), "2001:db8::7");
}

}  // namespace
}  // namespace posthaste::tracking
