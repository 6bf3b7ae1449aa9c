#include "mail/received.h"

#include <gtest/gtest.h>

namespace posthaste::mail {
namespace {

Received sample() {
  Received r;
  r.from = "client.test";
  r.client = *IpAddress::parse("1.2.3.4");
  r.by = "mx.test";
  r.with = "SMTP";
  return r;
}

TEST(ReceivedField, IsPostalsLine) {
  auto r = sample();
  EXPECT_EQ(received_field(r),
            "Received: from client.test (1.2.3.4 [1.2.3.4]) by mx.test with SMTP; Thu, 01 Jan 1970 00:00:00 -0000\r\n");
  r.client_name = "ptr.test";
  r.hide_client = true;
  EXPECT_EQ(received_field(r), "Received: by mx.test with SMTP; Thu, 01 Jan 1970 00:00:00 -0000\r\n");
}

TEST(ReceivedField, NamesProtocolAndIdInEhloSessions) {
  auto r = sample();
  r.client = *IpAddress::parse("2001:db8::1");
  r.client_name = "ptr.test";
  r.tagged_ipv6 = true;
  r.with = "ESMTPSA";
  r.id = "ABCD1234-1";
  EXPECT_EQ(received_field(r),
            "Received: from client.test (ptr.test [IPv6:2001:db8::1]) by mx.test with ESMTPSA id ABCD1234-1; "
            "Thu, 01 Jan 1970 00:00:00 -0000\r\n");
}

TEST(CleanHelo, KeepsTheLineWhole) {
  EXPECT_EQ(clean_helo("two words", false), "two words");
  EXPECT_EQ(clean_helo("[127.0.0.1]", false), "[127.0.0.1]");
  EXPECT_EQ(clean_helo("a(b)<c>\\\";\r\n\x7f", false), "a?b??c???????");
  EXPECT_EQ(clean_helo("bücher", false), "b??cher");
  EXPECT_EQ(clean_helo("bücher", true), "bücher");
  EXPECT_EQ(clean_helo("", false), "unknown");
  EXPECT_EQ(clean_helo(std::string(300, 'x'), false).size(), 255u);
}

TEST(CleanPointerName, TakesHostNamesOnly) {
  EXPECT_EQ(clean_pointer_name("mail.client_1.test."), "mail.client_1.test");
  EXPECT_EQ(clean_pointer_name("evil) by mx.test"), "");
}

TEST(ReceivedBy, LooksForWholeWordsInAnyCase) {
  EXPECT_TRUE(received_by("from a by MX.test with SMTP; Thu", "mx.test"));
  EXPECT_TRUE(received_by("by mx.test; Thu", "mx.test"));
  EXPECT_TRUE(received_by("from a\r\n\tby mx.test\r\n\twith SMTP", "mx.test"));
  EXPECT_FALSE(received_by("from a by mx.test.elsewhere.test with SMTP", "mx.test"));
  EXPECT_FALSE(received_by("from mx.test by b.test", "mx.test"));
  EXPECT_FALSE(received_by("", "mx.test"));
}

TEST(ReceivedFrom, FindsTheClientThatOurOwnFieldNames) {
  Received received;
  received.from = "client.test";
  received.client_name = "ptr.test";
  received.client = *IpAddress::parse("2001:db8::1");
  received.tagged_ipv6 = true;
  received.by = "mx.test";
  received.with = "SMTP";
  const auto from = received_from(std::string_view(received_field(received)).substr(9));
  ASSERT_TRUE(from);
  EXPECT_EQ(from->helo, "client.test");
  EXPECT_EQ(from->name, "ptr.test");
  EXPECT_EQ(from->ip.text(), "2001:db8::1");
  EXPECT_EQ(received_from(" from c.test (192.0.2.1 [192.0.2.1]) by mx.test with SMTP; ...")->name, "");
}

TEST(ReceivedFrom, FindsNoneWhereNoneIs) {
  for (const char* value : {"", "by mx.test with HTTP; x", "from a by b", "from a ([]) by", "from a (b [c]) by d",
                            "from a [192.0.2.1]) (b", "from ([192.0.2.1])"})
    EXPECT_FALSE(received_from(value)) << value;
}

}  // namespace
}  // namespace posthaste::mail
