#include "smtp/proto/proxy_header.h"

#include <gtest/gtest.h>

#include <string>

namespace posthaste::smtp::proto {
namespace {

using State = ProxyHeader::State;
using namespace std::string_literals;

std::string client(const ProxyHeader& header) { return header.client ? header.client->text() : "none"; }

std::string version2(unsigned char command, unsigned char family, std::string body) {
  std::string out("\r\n\r\n\0\r\nQUIT\n", 12);
  out += char(0x20 | command);
  out += char(family);
  out += char(body.size() >> 8);
  out += char(body.size());
  return out + body;
}

const std::string kV4 = "\x0a\x09\x08\x07\x02\x02\x02\x02\x04\x57\x00\x19"s;

TEST(ProxyHeader, Version1NamesTheClient) {
  const auto four = parse_proxy_header("PROXY TCP4 1.1.1.1 2.2.2.2 1111 2222\r\nHELO x\r\n");
  EXPECT_EQ(four.state, State::Done);
  EXPECT_EQ(four.used, 38u);
  EXPECT_EQ(client(four), "1.1.1.1");
  EXPECT_EQ(client(parse_proxy_header("PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n")), "2001:db8::1");
  EXPECT_EQ(client(parse_proxy_header("PROXY TCP6 ::ffff:1.2.3.4 ::1 1 2\r\n")), "1.2.3.4");
}

TEST(ProxyHeader, Version1UnknownKeepsThePeer) {
  for (const auto* line : {"PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"}) {
    const auto header = parse_proxy_header(line);
    EXPECT_EQ(header.state, State::Done) << line;
    EXPECT_FALSE(header.client);
  }
}

TEST(ProxyHeader, Version1Broken) {
  for (const auto* line :
       {"PROXY TCP4\r\n", "PROXY\r\n", "PROXY TCP4 1.1.1.1 2.2.2.2 1111\r\n", "EHLO x\r\n", "proxy UNKNOWN\r\n",
        "PROXY TCP4 ::1 ::1 1 2\r\n", "PROXY TCP6 1.1.1.1 2.2.2.2 1 2\r\n", "PROXY TCP4 1.1.1.1 2.2.2.2 1 99999\r\n"})
    EXPECT_EQ(parse_proxy_header(line).state, State::Error) << line;
  EXPECT_EQ(parse_proxy_header(std::string(107, 'x')).state, State::Error);
}

TEST(ProxyHeader, WaitsForTheRest) {
  const std::string line = "PROXY TCP4 1.1.1.1 2.2.2.2 1111 2222\r\n", binary = version2(1, 0x11, kV4);
  for (const auto& whole : {line, binary})
    for (std::size_t n = 0; n < whole.size(); ++n)
      EXPECT_EQ(parse_proxy_header(std::string_view(whole).substr(0, n)).state, State::More) << n;
}

TEST(ProxyHeader, Version2NamesTheClient) {
  const auto header = parse_proxy_header(version2(1, 0x11, kV4) + "HELO");
  EXPECT_EQ(header.state, State::Done);
  EXPECT_EQ(header.used, 28u);
  EXPECT_EQ(client(header), "10.9.8.7");
  EXPECT_FALSE(header.tls);
  EXPECT_TRUE(parse_proxy_header(version2(1, 0x11, kV4 + "\x20\x00\x05\x01\x00\x00\x00\x00"s)).tls);
}

TEST(ProxyHeader, Version2LocalKeepsThePeer) {
  const auto header = parse_proxy_header(version2(0, 0, ""));
  EXPECT_EQ(header.state, State::Done);
  EXPECT_FALSE(header.client);
  EXPECT_EQ(parse_proxy_header(version2(1, 0, "")).state, State::Done);
}

TEST(ProxyHeader, Version2Broken) {
  EXPECT_EQ(parse_proxy_header(version2(2, 0x11, kV4)).state, State::Hostile);
  EXPECT_EQ(parse_proxy_header(version2(1, 0x12, kV4)).state, State::Hostile);
  EXPECT_EQ(parse_proxy_header(version2(1, 0x11, "short")).state, State::Hostile);
  EXPECT_EQ(parse_proxy_header(version2(1, 0x11, std::string(5000, 'x'))).state, State::Hostile);
  EXPECT_EQ(parse_proxy_header(version2(1, 0x11, kV4 + "\x04\x00\x09z"s)).state, State::Hostile);
  EXPECT_EQ(parse_proxy_header(version2(1, 0x11, kV4 + "\x03\x00\x04\x01\x02\x03\x04"s)).state, State::Hostile);
}

TEST(ProxyHeader, Version2ChecksumIsVerified) {
  // CRC-32C (RFC 3720) of the header with the checksum field zeroed.
  std::string whole = version2(1, 0x11, kV4 + "\x03\x00\x04\x00\x00\x00\x00"s);
  std::uint32_t crc = ~0u;
  for (const char c : whole) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (0x82F63B78u & (0u - (crc & 1)));
  }
  crc = ~crc;
  for (int i = 0; i < 4; ++i) whole[whole.size() - 4 + i] = char(crc >> (24 - 8 * i));
  EXPECT_EQ(parse_proxy_header(whole).state, State::Done);
}

}  // namespace
}  // namespace posthaste::smtp::proto
