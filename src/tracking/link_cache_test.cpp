#include "tracking/link_cache.h"

#include <gtest/gtest.h>

namespace posthaste::tracking {
namespace {

using namespace std::chrono_literals;

const Time kNow = from_unix_micros(1'767'225'600'000'000);

LinkCache::LinkPtr link(std::string url) {
  return std::make_shared<const store::Link>(store::Link{1, 1, "t", std::move(url)});
}

TEST(LinkCache, TheLeastRecentlyUsedGoes) {
  LinkCache cache({.links = 2});
  cache.put(1, "a", link("a"), kNow);
  cache.put(1, "b", link("b"), kNow);
  EXPECT_TRUE(cache.find(1, "a", kNow));
  cache.put(1, "c", link("c"), kNow);
  EXPECT_FALSE(cache.find(1, "b", kNow));
  EXPECT_EQ((*cache.find(1, "a", kNow))->url, "a");
  EXPECT_FALSE(cache.find(2, "a", kNow));
}

TEST(LinkCache, BytesAreBounded) {
  LinkCache cache({.bytes = 1000});
  for (int i = 0; i < 10; ++i) cache.put(1, std::to_string(i), link(std::string(300, 'x')), kNow);
  EXPECT_FALSE(cache.find(1, "6", kNow));
  EXPECT_TRUE(cache.find(1, "7", kNow));
}

TEST(LinkCache, AnAbsenceIsForgotten) {
  LinkCache cache;
  cache.put(1, "a", nullptr, kNow);
  EXPECT_EQ(*cache.find(1, "a", kNow + 29s), nullptr);
  EXPECT_FALSE(cache.find(1, "a", kNow + 30s));
}

}  // namespace
}  // namespace posthaste::tracking
