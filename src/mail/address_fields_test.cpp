#include "mail/address_fields.h"

#include <gtest/gtest.h>

#include <thread>

#include "mail/content.h"
#include "mail/report_parts.h"

namespace posthaste::mail {
namespace {

std::string nested(std::size_t levels) {
  std::string field = "To: ";
  for (std::size_t i = 0; i < levels; ++i) field += i % 30 == 29 ? "a:\r\n " : "a:";
  return field + "\r\n";
}

TEST(DeepAddresses, OrdinaryMessagesStay) {
  EXPECT_FALSE(without_deep_addresses("To: a@b.test, \"x\" <c@d.test>\r\n\r\nTo: be\r\n"));
  EXPECT_FALSE(without_deep_addresses(""));
}

TEST(DeepAddresses, AreBlankedInPlace) {
  const std::string message = "Subject: x\r\n" + nested(2000) + "\r\nbody\r\n";
  const auto changed = without_deep_addresses(message);
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->size(), message.size());
  EXPECT_TRUE(changed->starts_with("Subject: x\r\nTo:  "));
  EXPECT_TRUE(changed->ends_with("\r\n\r\nbody\r\n"));
  EXPECT_EQ(changed->find("a:"), std::string::npos);
}

TEST(DeepAddresses, NobodyFallsIntoThem) {
  const std::string plain = nested(200'000) + "Subject: x\r\n\r\nbody\r\n";
  const std::string inside =
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n" + plain +
      "\r\n--b--\r\n";
  for (const auto& message : {plain, inside}) {
    read_content(message);
    report_parts(message);
  }
  EXPECT_EQ(read_content(plain).plain, "body\n");
}

}  // namespace
}  // namespace posthaste::mail
