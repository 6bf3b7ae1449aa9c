#include "mail/address.h"

#include <gtest/gtest.h>

namespace posthaste::mail {
namespace {

// `a@b|c@d`, or `-` for what is not a list.
std::string addresses(std::string_view value) {
  const auto list = parse_address_list(value);
  if (!list) return "-";
  std::string out;
  for (const auto& box : *list) out += (out.empty() ? "" : "|") + box.address;
  return out;
}

std::string name(std::string_view value) {
  const auto box = parse_mailbox(value);
  return box ? box->name : "-";
}

TEST(AddressList, TakesTheUsualForms) {
  EXPECT_EQ(addresses("a@b.test"), "a@b.test");
  EXPECT_EQ(addresses(" <a@b.test> "), "a@b.test");
  EXPECT_EQ(addresses("Ada Admin <a@b.test>"), "a@b.test");
  EXPECT_EQ(addresses("\"Admin, Ada\" <a@b.test>, Bob <b@c.test>,d@e"), "a@b.test|b@c.test|d@e");
  EXPECT_EQ(addresses("Ada\r\n <a@b.test>"), "a@b.test");
  EXPECT_EQ(addresses("ada+tag@b.test"), "ada+tag@b.test");
  EXPECT_EQ(addresses("a@[1.2.3.4]"), "a@[1.2.3.4]");
  EXPECT_EQ(addresses("jürgen@müller.test"), "jürgen@müller.test");
}

TEST(AddressList, KnowsNamesAndTheirEncodings) {
  EXPECT_EQ(name("Ada Admin <a@b.test>"), "Ada Admin");
  EXPECT_EQ(name("J. R. \"Bob\" Smith <a@b.test>"), "J. R. Bob Smith");
  EXPECT_EQ(name("=?utf-8?q?Ad=C3=A4?= <a@b.test>"), "Adä");
  EXPECT_EQ(name("Ad\xe4 <a@b.test>"), "Adä");
  EXPECT_EQ(name("a@b.test (Ada)"), "");
  EXPECT_EQ(name("\"say \\\"hi\\\"\" <a@b.test>"), "say \"hi\"");
}

TEST(AddressList, LooksNotIntoComments) {
  EXPECT_EQ(addresses("evil@bad.test (<me@mine.test>)"), "evil@bad.test");
  EXPECT_EQ(addresses("(<x@y>) a(1)@(2 (nested \\) here))b.test"), "a@b.test");
  EXPECT_EQ(addresses("a@b.test (open"), "-");
}

TEST(AddressList, TakesObsoleteForms) {
  EXPECT_EQ(addresses("a . b @ c . test"), "a.b@c.test");
  EXPECT_EQ(addresses("<@one.test,@two.test:a@b.test>"), "a@b.test");
  EXPECT_EQ(addresses(", ,a@b.test,,"), "a@b.test");
  EXPECT_EQ(addresses("\"a b\"@c.test"), "\"a b\"@c.test");
  EXPECT_EQ(addresses("\"ab\"@c.test"), "ab@c.test");
  EXPECT_EQ(addresses("\"a\".b@c.test"), "a.b@c.test");
}

TEST(AddressList, OpensGroups) {
  EXPECT_EQ(addresses("Friends: a@b.test, Bob <c@d.test>;, e@f.test"), "a@b.test|c@d.test|e@f.test");
  EXPECT_EQ(addresses("undisclosed-recipients:;"), "");
  EXPECT_EQ(addresses("Open: a@b.test"), "-");
  EXPECT_EQ(addresses("A: B: a@b.test;;"), "-");
}

TEST(AddressList, MarksANameThatLooksLikeAnAddress) {
  const auto box = parse_mailbox("ceo@victim.test <me@mine.test>");
  ASSERT_TRUE(box);
  EXPECT_TRUE(box->ambiguous);
  EXPECT_EQ(box->name, "ceo@victim.test");
  EXPECT_EQ(box->address, "me@mine.test");
  EXPECT_FALSE(parse_mailbox("\"ceo@victim.test\" <me@mine.test>")->ambiguous);
}

TEST(AddressList, RefusesWhatIsNone) {
  for (const auto* text :
       {"nobody", "foo bar baz", "a@", "@b.test", "a@b.test c@d.test", "<a@b.test", "a b@c.test",
        "Ada <a@b.test> <c@d.test>", "a@b.test>", "\"open <a@b.test>", "a@b@c", "<>", "a@[1.2", "x <nobody>"})
    EXPECT_EQ(addresses(text), "-") << text;
  EXPECT_EQ(addresses(""), "");
}

TEST(AddressParts, AreCutAtTheLastAt) {
  EXPECT_EQ(split_address("a@b@c.test").local, "a@b");
  EXPECT_EQ(split_address("a@b@c.test").domain, "c.test");
  EXPECT_EQ(split_address("root").local, "root");
  EXPECT_EQ(split_address("root").domain, "");
  EXPECT_EQ(unquote_local_part("\"a \\\"b\""), "a \"b");
  EXPECT_EQ(unquote_local_part("ab"), "ab");
}

}  // namespace
}  // namespace posthaste::mail
