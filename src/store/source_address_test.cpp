#include "store/source_address.h"

#include <gmock/gmock.h>

#include <random>

#include "store/directory_snapshot.h"
#include "store/testing_store.h"

namespace posthaste::store {
namespace {

using ::testing::ElementsAre;
using testing::Installation;

constexpr Id kServerPool = 1, kNewer = 2, kOlder = 3, kOrganizations = 4;

IpPoolRule rule(Id pool, OwnerType owner, std::vector<std::string> from, std::vector<std::string> to = {}) {
  return {
      .id = pool, .ip_pool_id = pool, .owner_type = owner, .owner_id = 1, .from = std::move(from), .to = std::move(to)};
}

ConfigurationRows rows() {
  ConfigurationRows r;
  r.organizations = {{.id = 1, .name = "Org", .permalink = "org"}};
  r.servers = {{.id = 1, .organization_id = 1, .permalink = "mail", .token = "abcdef", .ip_pool_id = kServerPool},
               {.id = 2, .organization_id = 1, .permalink = "other", .token = "ghijkl"}};
  return r;
}

std::optional<Id> pool(const ConfigurationRows& r, std::vector<std::string> from, std::string_view to, Id server = 1) {
  const Snapshot directory(r);
  return pool_for(directory, *directory.server(server), from, to);
}

TEST(PoolRules, TheFirstThatFitsWinsNewestFirstThenTheOrganizationsThenTheServersPool) {  // outbound 46
  ConfigurationRows r = rows();
  // As they are read: the newest first.
  r.ip_pool_rules = {rule(kOrganizations, OwnerType::Organization, {"a.test", "b.test", "c.test"}),
                     rule(kNewer, OwnerType::Server, {"a.test"}),
                     rule(kOlder, OwnerType::Server, {"a.test", "b.test"})};
  EXPECT_EQ(pool(r, {"x@a.test"}, "y@z.test"), kNewer);
  EXPECT_EQ(pool(r, {"x@b.test"}, "y@z.test"), kOlder);
  EXPECT_EQ(pool(r, {"x@c.test"}, "y@z.test"), kOrganizations);
  EXPECT_EQ(pool(r, {"x@d.test"}, "y@z.test"), kServerPool);
  EXPECT_EQ(pool(r, {"x@a.test"}, "y@z.test", 2), kOrganizations);
  EXPECT_EQ(pool(r, {"x@d.test"}, "y@z.test", 2), std::nullopt);
}

TEST(PoolRules, FitAddressesWithAndWithoutTagAndDomainsInAnyCase) {  // outbound 46
  ConfigurationRows r = rows();
  const auto fits = [&](std::string condition, std::string address) {
    r.ip_pool_rules = {rule(kNewer, OwnerType::Server, {}, {condition})};
    return pool(r, {"x@a.test"}, address) == kNewer;
  };
  EXPECT_TRUE(fits("bob@x.test", "bob+tag@x.test"));
  EXPECT_TRUE(fits("Bob@X.test", "bob@x.TEST"));
  EXPECT_TRUE(fits("x.test", "anybody@X.test"));
  EXPECT_TRUE(fits("*.x.test", "bob@mail.x.test"));
  EXPECT_FALSE(fits("*.x.test", "bob@x.test"));
  EXPECT_FALSE(fits("x.test", "bob@mail.x.test"));
  EXPECT_FALSE(fits("bob@x.test", "rob@x.test"));
  EXPECT_FALSE(fits("x@a.test", "bob@x.test"));  // a condition on To does not look at From
}

TEST(PoolRules, LookAtEveryFromMailbox) {
  EXPECT_THAT(from_addresses("From: J <a@example.com>, \"K, L\" <b@x.test>\r\nTo: c@y.test\r\nfrom: d@z.test\r\n"),
              ElementsAre("a@example.com", "b@x.test", "d@z.test"));
  EXPECT_THAT(from_addresses("From: no list: J @ <a@example.com> at all\r\n"), ElementsAre("a@example.com"));
}

Snapshot with_addresses(int first, int second) {
  ConfigurationRows r = rows();
  r.ip_addresses = {{.id = 1, .ip_pool_id = 9, .ipv4 = "192.0.2.1", .priority = 100},
                    {.id = 5, .ip_pool_id = kServerPool, .ipv4 = "192.0.2.5", .priority = first},
                    {.id = 6, .ip_pool_id = kServerPool, .ipv4 = "192.0.2.6", .priority = second}};
  return Snapshot(r);
}

double share_of_second(int first, int second) {
  const Snapshot directory = with_addresses(first, second);
  std::mt19937_64 engine(47);
  std::uniform_real_distribution<double> uniform;
  int seconds = 0;
  for (int i = 0; i < 100'000; ++i)
    seconds += draw_address(directory, kServerPool, [&] { return uniform(engine); })->id == 6;
  return seconds / 100'000.0;
}

TEST(DrawAddress, IsWeighedAsPostalDoes) {  // outbound 47
  EXPECT_NEAR(share_of_second(100, 50), 0.25, 0.01);
  EXPECT_NEAR(share_of_second(100, 100), 0.5, 0.01);
  EXPECT_EQ(share_of_second(100, 0), 0);
  EXPECT_NEAR(share_of_second(0, 0), 0.5, 0.01);
}

TEST(DrawAddress, RandomNumbersStayBelowOne) {
  for (int i = 0; i < 1000; ++i) {
    const double drawn = random_unit();
    ASSERT_TRUE(drawn >= 0 && drawn < 1) << drawn;
  }
}

TEST(DrawAddress, AnEmptyPoolHasNone) { EXPECT_EQ(draw_address(with_addresses(1, 1), 77), nullptr); }

TEST(ChooseSources, OnlyOutgoingMessagesGetOne) {  // outbound 46
  const Snapshot directory = with_addresses(100, 0);
  Submission given = testing::submission(1, 2);
  given.messages[1].scope = Scope::Incoming;
  choose_sources(directory, given);
  EXPECT_EQ(given.messages[0].ip_address_id, 5);
  EXPECT_EQ(given.messages[1].ip_address_id, std::nullopt);
}

class Sources : public ::testing::TestWithParam<sql::Dialect> {
 protected:
  Sources() {
    world_.run_main(
        "INSERT INTO {main}`ip_addresses` (id, ip_pool_id, ipv4, hostname, priority) VALUES "
        "(5, 1, '192.0.2.5', 'out5.example.org', 100)");
    world_.run_main("UPDATE {main}`servers` SET ip_pool_id = 1 WHERE id = 1");
  }
  Installation& world_ = testing::fresh_installation(GetParam());
};

TEST_P(Sources, RulesAreReadWithTheirLines) {
  world_.run_main(
      "INSERT INTO {main}`ip_pool_rules` (id, uuid, owner_type, owner_id, ip_pool_id, from_text, to_text, "
      "created_at, updated_at) VALUES (1, 'a', 'Server', 1, 7, ' a.test \r\n\r\nb@c.test', NULL, " +
      std::string(world_.sqlite() ? "1000, 1000" : "'2026-01-01', '2026-01-01'") +
      "), (2, 'b', 'Organization', 1, 8, NULL, 'x.test', " +
      (world_.sqlite() ? "2000, 2000" : "'2026-01-02', '2026-01-02'") + "), (3, 'c', 'Server', 1, 9, NULL, 'y.test', " +
      (world_.sqlite() ? "3000, 3000" : "'2026-01-03', '2026-01-03'") + ")");
  const auto store = world_.open();
  const auto directory = store->directory();
  const auto found = directory->ip_pool_rules(*directory->server(1));
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0]->ip_pool_id, 9);
  EXPECT_EQ(found[1]->ip_pool_id, 7);
  EXPECT_THAT(found[1]->from, ElementsAre("a.test", "b@c.test"));
  EXPECT_EQ(found[2]->ip_pool_id, 8);
}

TEST_P(Sources, ARuleOfSomebodyElseIsNoticed) {
  const auto store = world_.open();
  world_.run_main(
      "INSERT INTO {main}`ip_pool_rules` (id, uuid, owner_type, owner_id, ip_pool_id, to_text, created_at, "
      "updated_at) VALUES (1, 'a', 'Server', 1, 7, 'x.test', " +
      std::string(world_.sqlite() ? "1000, 1000)" : "'2026-01-01', '2026-01-01')"));
  store->poll_changes();
  const auto directory = store->directory();
  EXPECT_EQ(directory->ip_pool_rules(*directory->server(1)).size(), 1u);
}

TEST_P(Sources, RowsOfADeletedAddressGoByAny) {  // outbound 51
  const auto store = world_.open();
  Submission given = testing::submission();
  given.messages[0].ip_address_id = 5;
  ASSERT_TRUE(testing::accept(*store, given));
  ASSERT_TRUE(store->claim(10, {}).empty());
  store->change([&](sql::Connection& connection) {
    connection.run(store->main("DELETE FROM {main}`ip_addresses` WHERE id = 5"));
  });
  std::vector<QueuedMessage> claimed;
  for (int i = 0; i < 100 && claimed.empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    claimed = store->claim(10, {});
  }
  ASSERT_EQ(claimed.size(), 1u);
  EXPECT_EQ(claimed[0].ip_address_id, std::nullopt);
  EXPECT_EQ(claimed[0].attempts, 0);
}

TEST_P(Sources, AddressesDeletedWhileNothingRanAreNoticedAtStart) {  // outbound 51
  {
    const auto store = world_.open();
    Submission given = testing::submission();
    given.messages[0].ip_address_id = 5;
    ASSERT_TRUE(testing::accept(*store, given));
  }
  world_.run_main("DELETE FROM {main}`ip_addresses`");
  const auto store = world_.open();
  std::vector<QueuedMessage> claimed;
  for (int i = 0; i < 100 && claimed.empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    claimed = store->claim(10, {});
  }
  EXPECT_EQ(claimed.size(), 1u);
}

TEST_P(Sources, AReleasedMessageIsGivenOneAgain) {
  world_.config.postal.use_ip_pools = true;
  const auto store = world_.open();
  world_.config.postal.use_ip_pools = false;
  const auto stored = testing::accept(*store, testing::submission());
  ASSERT_TRUE(stored);
  const auto claimed = store->claim(10, {});
  ASSERT_EQ(claimed.size(), 1u);
  ASSERT_TRUE(testing::conclude(*store, testing::concluded(claimed[0], "Held")));
  ASSERT_TRUE(store->requeue(1, stored->messages[0].message_id));
  EXPECT_EQ(world_.number(1, "SELECT ip_address_id FROM {queue}`queued_messages`"), 5);
}

INSTANTIATE_TEST_SUITE_P(Engines, Sources, ::testing::Values(sql::Dialect::Sqlite, sql::Dialect::MariaDb),
                         [](const auto& info) { return info.param == sql::Dialect::Sqlite ? "Sqlite" : "MariaDb"; });

}  // namespace
}  // namespace posthaste::store
