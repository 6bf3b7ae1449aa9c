// Sites that claims pass over, on both engines.
#include <gtest/gtest.h>

#include <thread>

#include "store/testing_store.h"

namespace posthaste::store {
namespace {

using namespace std::chrono_literals;
using testing::accept;
using testing::conclude;
using testing::concluded;
using testing::Installation;
using testing::submission;

constexpr Id kServer = Installation::kServer;
const std::vector<Site> kSlow = {{"slow.test", {}}};

class ClaimTest : public ::testing::TestWithParam<sql::Dialect> {
 protected:
  void add(std::size_t count, const std::string& domain, std::optional<Id> source = {}, Id server = kServer) {
    while (count > 0) {
      Submission s = submission(server, std::min<std::size_t>(count, 1000));
      for (NewMessage& m : s.messages) {
        m.rcpt_to = "a@" + domain;
        m.ip_address_id = source;
      }
      count -= s.messages.size();
      ASSERT_TRUE(accept(*store_, std::move(s)));
    }
  }
  std::vector<std::string> domains(const std::vector<QueuedMessage>& messages) {
    std::vector<std::string> all;
    for (const auto& message : messages) all.push_back(message.domain);
    return all;
  }

  Installation& world_ = testing::fresh_installation(GetParam());
  std::unique_ptr<Store> store_ = world_.open();
};

TEST_P(ClaimTest, OneMessageIsFoundBehindThirtyThousandThatArePassedOver) {
  add(30'000, "slow.test");
  EXPECT_EQ(store_->claim(1000, {}).size(), 1000u);
  EXPECT_TRUE(store_->claim(1000, {}, kSlow).empty());
  add(1, "quick.test");
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(domains(store_->claim(1000, {}, kSlow)), std::vector<std::string>{"quick.test"});
  EXPECT_LT(std::chrono::steady_clock::now() - began, 1s);
  EXPECT_EQ(store_->claim(1000, {}).size(), 1000u) << "from the start again";
}

TEST_P(ClaimTest, SitesAreADomainAndASource) {
  add(1, "Slow.TEST");
  add(1, "slow.test", 5);
  add(1, "slow.test.example");
  EXPECT_EQ(domains(store_->claim(10, {5}, kSlow)), (std::vector<std::string>{"slow.test", "slow.test.example"}));
  add(1, "slow.test", 5);
  EXPECT_TRUE(store_->claim(10, {5}, {{"slow.test", {}}, {"slow.test", 5}}).empty());
  EXPECT_EQ(store_->claim(10, {5}, {{"slow.test", 5}}).size(), 1u);
}

TEST_P(ClaimTest, LettersThatTheDatabaseTakesForEqualAreOtherSites) {
  add(1, "m\xc3\xbcller.test");
  EXPECT_EQ(store_->claim(10, {}, {{"muller.test", {}}}).size(), 1u);
  add(1, "m\xc3\xbcller.test");
  EXPECT_TRUE(store_->claim(10, {}, {{"m\xc3\xbcller.test", {}}}).empty());
}

TEST_P(ClaimTest, RetriesOfASiteArePassedOverAsWell) {
  add(5, "slow.test");
  for (const auto& message : store_->claim(10, {})) {
    Conclusion conclusion = concluded(message, "SoftFail", QueueChange::Retry);
    conclusion.retry_at = system_now() - 5s;
    ASSERT_TRUE(conclude(*store_, conclusion));
  }
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(store_->claim(10, {}, kSlow).empty()) << i;
  add(1, "quick.test");
  for (const auto& message : store_->claim(10, {}, kSlow)) {
    EXPECT_EQ(message.domain, "quick.test");
    Conclusion conclusion = concluded(message, "SoftFail", QueueChange::Retry);
    conclusion.retry_at = system_now() - 500ms;
    ASSERT_TRUE(conclude(*store_, conclusion));
  }
  std::this_thread::sleep_for(700ms);
  EXPECT_EQ(domains(store_->claim(10, {}, kSlow)), std::vector<std::string>{"quick.test"});
  EXPECT_EQ(store_->claim(10, {}).size(), 5u);
}

// Every fourth claim begins with them.
TEST_P(ClaimTest, RetriesAreNotStarvedByNewMessages) {
  add(1, "first.test");
  Conclusion conclusion = concluded(store_->claim(10, {}).at(0), "SoftFail", QueueChange::Retry);
  conclusion.retry_at = system_now() - 1s;
  ASSERT_TRUE(conclude(*store_, conclusion));
  add(100, "new.test");
  bool found = false;
  for (int i = 0; i < 4; ++i) found = found || domains(store_->claim(10, {})).front() == "first.test";
  EXPECT_TRUE(found);
}

TEST_P(ClaimTest, RowsThatComeBackBehindTheLastLookAreFoundSoon) {
  add(1, "quick.test");
  const auto claimed = store_->claim(1, {});
  add(10, "slow.test");
  EXPECT_TRUE(store_->claim(10, {}, kSlow).empty());
  Conclusion given_back = concluded(claimed.at(0), "", QueueChange::Keep);
  given_back.delivery.reset();
  ASSERT_TRUE(conclude(*store_, given_back));
  std::vector<QueuedMessage> found;
  for (int i = 0; i < 60 && found.empty(); ++i, std::this_thread::sleep_for(50ms)) found = store_->claim(10, {}, kSlow);
  EXPECT_EQ(domains(found), std::vector<std::string>{"quick.test"});
}

TEST_P(ClaimTest, EachMailServersQueueIsLookedThrough) {
  world_.add_server(2);
  store_->reload_directory();
  add(50, "slow.test");
  add(1, "quick.test", {}, 2);
  EXPECT_EQ(domains(store_->claim(10, {}, kSlow)), std::vector<std::string>{"quick.test"});
  EXPECT_EQ(store_->claim(100, {}).size(), 50u);
}

INSTANTIATE_TEST_SUITE_P(Engines, ClaimTest, ::testing::Values(sql::Dialect::Sqlite, sql::Dialect::MariaDb),
                         [](const auto& info) { return info.param == sql::Dialect::Sqlite ? "Sqlite" : "MariaDb"; });

}  // namespace
}  // namespace posthaste::store
