#include "api/v1/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/v1/json_value.h"
#include "api/v1/parameters.h"

namespace posthaste::api::v1 {
namespace {

using testing::ElementsAre;

TEST(StripAddress, FindsTheAddressAsPostalDoes) {
  const std::pair<const char*, const char*> cases[] = {{"Test <a@b.com>", "a@b.com"},
                                                       {"<a@b.com> x", "a@b.com"},
                                                       {"a@b.com (Joe)", "a@b.com"},
                                                       {" a@b.com ", "a@b.com"},
                                                       {"A <a@b.com>, B <c@d.com>", "c@d.com"},
                                                       {"\"Doe, J\" <a@b.com>", "a@b.com"},
                                                       {"foo", "foo"},
                                                       {"x <>", ""},
                                                       {"", ""}};
  for (const auto& [given, stripped] : cases) EXPECT_EQ(strip_address(given), stripped) << given;
}

TEST(SplitList, DropsEmptyItemsAtTheEnd) {
  EXPECT_THAT(split_list("a, b,c,,"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(split_list("a,,b"), ElementsAre("a", "", "b"));
  EXPECT_THAT(split_list(""), ElementsAre());
}

TEST(DeliverableAddress, HasALocalPartAndADomain) {
  for (const char* good : {"a@b.test", "\"a b\"@c.test",
                           "a+b@b\xC3\xBC"
                           "cher.test",
                           "a@localhost"})
    EXPECT_TRUE(is_deliverable_address(good)) << good;
  for (const char* bad : {"", "foo", "@b", "a@", "a b@c.test", "a@b..c", "Name <a@b.test>", "a@b.test, c@d.test"})
    EXPECT_FALSE(is_deliverable_address(bad)) << bad;
  EXPECT_FALSE(is_deliverable_address(std::string(65, 'a') + "@b.test"));
}

TEST(Json, KeepsOrderAndTheLastOfADuplicate) {
  const auto parsed = parse_json(R"({"b":1,"a":[null,{"x":[]},null],"b":"two","n":12345678901234567890})");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*(*parsed)["b"].text(), "two");
  EXPECT_EQ(parsed->object()->front().first, "b");
  EXPECT_TRUE((*parsed)["n"].real());
  Json copy = *parsed;
  drop_nulls_in_lists(copy);
  EXPECT_EQ(copy["a"].array()->size(), 1u);
  EXPECT_TRUE(copy["missing"].is_null());
  EXPECT_TRUE(copy["missing"].blank());
}

TEST(Json, SaysWhereItIsBroken) {
  EXPECT_EQ(parse_json("{\n  \"a\": x}").error(), "line 2, column 8");
  EXPECT_EQ(parse_json("").error(), "line 1, column 0");
}

TEST(Gunzip, InflatesUpToALimitAndRefusesDamage) {
  // printf 'hello' | gzip -n
  const std::string packed(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\x00\x00\x00", 25);
  EXPECT_EQ(gunzip(packed, 100), "hello");
  EXPECT_GT(gunzip(packed, 3)->size(), 3u);
  EXPECT_EQ(gunzip(packed.substr(0, 15), 100), std::nullopt);
  EXPECT_EQ(gunzip("not gzip", 100), std::nullopt);
}

}  // namespace
}  // namespace posthaste::api::v1
