#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "base/json.h"
#include "base/network.h"
#include "base/random.h"
#include "base/similar.h"
#include "base/strings.h"
#include "base/time.h"

namespace posthaste {
namespace {

TEST(Time, is_written_as_rfc_5322_says) {
  EXPECT_EQ(to_rfc5322(Time{}, "-0000"), "Thu, 01 Jan 1970 00:00:00 -0000");
  EXPECT_EQ(to_rfc5322(from_unix_micros(1700000000123456)), "Tue, 14 Nov 2023 22:13:20 +0000");
}

TEST(Time, goes_to_a_datetime_and_back) {
  const Time time = from_unix_micros(1700000000123456);
  EXPECT_EQ(to_datetime(time), "2023-11-14 22:13:20.123456");
  EXPECT_EQ(from_datetime("2023-11-14 22:13:20.123456"), time);
  EXPECT_EQ(from_datetime("2023-11-14 22:13:20"), from_unix_micros(1700000000000000));
  EXPECT_EQ(from_datetime("2023-11-14 22:13:20.5"), from_unix_micros(1700000000500000));
  EXPECT_EQ(from_datetime("2023-02-30 00:00:00"), std::nullopt);
  EXPECT_EQ(from_datetime("yesterday"), std::nullopt);
  EXPECT_EQ(to_iso8601(time), "2023-11-14T22:13:20.123Z");
  EXPECT_EQ(to_date(time), "2023-11-14");
}

TEST(Strings, base64_matches_known_texts) {
  for (auto [plain, coded] :
       {std::pair{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}}) {
    EXPECT_EQ(base64_encode(plain), coded);
    EXPECT_EQ(base64_decode(coded), plain);
    EXPECT_EQ(base64_decode_lenient(coded), plain);
  }
  EXPECT_EQ(base64_decode("Zg"), "f") << "padding may be missing";
  EXPECT_EQ(base64_decode("Zm9v\r\nYmFy"), std::nullopt);
  EXPECT_EQ(base64_decode("Zg==Zg=="), std::nullopt);
  EXPECT_EQ(base64_decode_lenient("Zm9v\r\n Ym-Fy"), "foobar");
  EXPECT_EQ(base64_decode_lenient("Zg==Zg=="), "f") << "ends at padding";
}

TEST(Strings, invalid_utf8_is_replaced) {
  EXPECT_TRUE(is_utf8("Grüße €😀"));
  EXPECT_FALSE(is_utf8("\xC0\x80"));
  EXPECT_FALSE(is_utf8("\xED\xA0\x80"));
  EXPECT_FALSE(is_utf8("\xE9"));
  EXPECT_EQ(clean_utf8(std::string_view("caf\xE9 \0ok", 8)), "caf\xEF\xBF\xBD ok");
  EXPECT_EQ(utf8_prefix("äöü", 2), "äö");
}

TEST(Strings, lists_read_as_sentences) {
  EXPECT_EQ(to_sentence({"a"}), "a");
  EXPECT_EQ(to_sentence({"a", "b"}), "a and b");
  EXPECT_EQ(to_sentence({"a", "b", "c"}), "a, b, and c");
}

TEST(Strings, numbers_are_whole_texts) {
  EXPECT_EQ(parse_int("-12"), -12);
  EXPECT_EQ(parse_int("12abc"), std::nullopt);
  EXPECT_EQ(parse_int(""), std::nullopt);
}

TEST(Strings, domains_become_a_labels) {
  EXPECT_EQ(to_ascii_domain("bücher.example"), "xn--bcher-kva.example");
  EXPECT_EQ(to_ascii_domain("Example.TEST."), "Example.TEST");
  EXPECT_EQ(to_ascii_domain("straße.example"), "xn--strae-oqa.example");
}

TEST(Network, addresses_are_parsed_and_folded) {
  EXPECT_EQ(IpAddress::parse("::ffff:1.2.3.4")->text(), "1.2.3.4");
  EXPECT_EQ(IpAddress::parse("2001:DB8::1")->text(), "2001:db8::1");
  EXPECT_FALSE(IpAddress::parse("1.2.3"));
  EXPECT_EQ(IpAddress::parse("1.2.3.4")->reverse_name(), "4.3.2.1.in-addr.arpa");
  EXPECT_TRUE(IpAddress::parse("192.168.3.4")->is_private());
  EXPECT_FALSE(IpAddress::parse("8.8.8.8")->is_private());
}

TEST(Network, networks_mask_and_contain) {
  EXPECT_EQ(IpNetwork::parse("10.1.2.3/8")->text(), "10.0.0.0/8");
  EXPECT_EQ(IpNetwork::parse("10.1.2.3/255.255.0.0")->text(), "10.1.0.0/16");
  EXPECT_FALSE(IpNetwork::parse("10.0.0.0/255.0.255.0"));
  EXPECT_FALSE(IpNetwork::parse("10.0.0.0/33"));
  EXPECT_FALSE(IpNetwork::parse("garbage"));
  EXPECT_TRUE(IpNetwork::parse("10.128.0.0/9")->contains(*IpAddress::parse("10.200.1.1")));
  EXPECT_FALSE(IpNetwork::parse("10.128.0.0/9")->contains(*IpAddress::parse("10.100.1.1")));
  EXPECT_FALSE(IpNetwork::parse("0.0.0.0/0")->contains(*IpAddress::parse("::1")));
}

TEST(Random, tokens_have_postals_shapes) {
  EXPECT_TRUE(std::regex_match(random_server_token(), std::regex("[a-z][a-z0-9]{4}[a-z]")));
  EXPECT_TRUE(std::regex_match(random_identifier(8), std::regex("[A-Za-z][A-Za-z0-9]{6}[A-Za-z]")));
  EXPECT_TRUE(std::regex_match(random_uuid(),
                               std::regex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")));
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random_alphanumeric(16));
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(Random, stays_below_its_bound) {
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random_below(7));
  EXPECT_EQ(seen, (std::set<std::uint64_t>{0, 1, 2, 3, 4, 5, 6}));
}

TEST(Json, keeps_order_and_escapes) {
  JsonWriter json(true);
  json.begin_object()
      .field("b", "a<\"\n\xE2\x80\xA8")
      .field("a", 1)
      .key("list")
      .begin_array()
      .value(true)
      .null()
      .value(1.0)
      .end_array();
  json.key("empty").begin_object().end_object().field("time", 1700000000.123456).end_object();
  EXPECT_EQ(json.text(),
            R"({"b":"a\u003c\"\n\u2028","a":1,"list":[true,null,1.0],"empty":{},"time":1700000000.123456})");
}

TEST(Similar, FindsTheWordThatWasMeantOrNone) {
  const std::vector<std::string> words{"queue", "messages", "held", "user"};
  EXPECT_EQ(nearest("quue", words), "queue");
  EXPECT_EQ(nearest("message", words), "messages");
  EXPECT_EQ(nearest("hedl", words), "held");
  EXPECT_EQ(nearest("frobnicate", words), "");
  EXPECT_EQ(nearest("x", words), "");
  EXPECT_EQ(nearest("", words), "");
  EXPECT_EQ(nearest(std::string(100000, 'q'), words), "");
}

}  // namespace
}  // namespace posthaste
