// Who gets into memory while a slow site has thousands of messages in the table.
#include "delivery/claims.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "delivery/fake_resolver.h"
#include "delivery/fake_store.h"

namespace posthaste::delivery {
namespace {

class ClaimsTest : public ::testing::Test {
 protected:
  ~ClaimsTest() override {
    shared->stopping = true;
    claims.wake();
    soon([&] { return !claims.running(); });
    runtime.stop();
  }

  // Messages to quick.test leave at once, the others when the test says so.
  void take(std::vector<store::QueuedMessage> messages) {
    for (auto& message : messages) {
      shared->settlement.took(message);
      ++taken[message.domain];
      if (message.domain == "quick.test")
        shared->settlement.forget(message);
      else
        held.push_back(std::move(message));
    }
  }
  std::vector<store::QueuedMessage> messages(int count, const std::string& domain) {
    std::vector<store::QueuedMessage> all(std::size_t(count), store::QueuedMessage{});
    for (auto& message : all) message.domain = domain;
    return all;
  }
  void start() {
    runtime.start();
    claims.start();
  }
  bool soon(const std::function<bool()>& is, Duration within = 5s) {
    for (const auto end = Steady::now() + within; Steady::now() < end; std::this_thread::sleep_for(2ms)) {
      if (is()) return true;
    }
    return is();
  }
  template <class Work>
  auto on_loop(Work work) {
    std::promise<std::invoke_result_t<Work>> done;
    runtime.at(0).post([&] {
      if constexpr (std::is_void_v<std::invoke_result_t<Work>>) {
        work();
        done.set_value();
      } else {
        done.set_value(work());
      }
    });
    return done.get_future().get();
  }
  int taken_of(const std::string& domain) {
    return on_loop([&] { return taken[domain]; });
  }

  testing::FakeStore db;
  testing::FakeResolver dns;
  config::Config config;
  WorkerOptions options;
  io::Runtime runtime{1};
  io::Pool pool{2};
  std::map<std::string, int> taken;  // both on the loop
  std::vector<store::QueuedMessage> held;
  std::shared_ptr<Shared> shared = std::make_shared<Shared>(db, config, dns, pool, options, nullptr, Dial{});
  Claims claims{runtime.at(0), shared, [this](auto messages) { take(std::move(messages)); }};
};

TEST_F(ClaimsTest, AMessageToAnotherSiteLeavesWhileThirtyThousandWaitForASlowOne) {
  db.add_claimable(messages(30'000, "slow.test"));
  start();
  ASSERT_TRUE(soon([&] { return taken_of("slow.test") >= 2000; }));
  db.add_claimable(messages(1, "quick.test"));
  EXPECT_TRUE(soon([&] { return taken_of("quick.test") == 1; }, 2s));
  EXPECT_LT(taken_of("slow.test"), 3000);
}

TEST_F(ClaimsTest, ASlowSiteIsClaimedAgainWhenHalfOfItHasGone) {
  db.add_claimable(messages(10'000, "slow.test"));
  shared->settlement.backlogs().when_room([&] { claims.wake(); });
  start();
  ASSERT_TRUE(soon([&] { return taken_of("slow.test") >= 2000; }));
  std::this_thread::sleep_for(1s);  // looks have become rare
  const int before = taken_of("slow.test");
  const auto began = Steady::now();
  on_loop([&] {
    while (held.size() > 1000) {
      shared->settlement.forget(held.back());
      held.pop_back();
    }
  });
  EXPECT_TRUE(soon([&] { return taken_of("slow.test") > before; }));
  EXPECT_LT(Steady::now() - began, 400ms);
  shared->settlement.backlogs().when_room({});
}

TEST_F(ClaimsTest, ManySlowSitesDoNotFillTheWindow) {
  for (int site = 0; site < 20; ++site) db.add_claimable(messages(1500, "slow" + std::to_string(site) + ".test"));
  start();
  ASSERT_TRUE(soon([&] { return taken_of("slow19.test") > 0; }, 20s));
  db.add_claimable(messages(50, "quick.test"));
  EXPECT_TRUE(soon([&] { return taken_of("quick.test") == 50; }));
}

}  // namespace
}  // namespace posthaste::delivery
