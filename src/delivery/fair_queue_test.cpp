#include "delivery/fair_queue.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace posthaste::delivery {
namespace {

std::vector<std::string> drain(FairQueue<std::string>& queue) {
  std::vector<std::string> order;
  while (auto job = queue.pop()) order.push_back(*job);
  return order;
}

TEST(FairQueue, LetsMailServersTakeTurns) {
  FairQueue<std::string> queue;
  for (int i = 0; i < 1000; ++i) queue.push(1, "bulk");
  queue.push(2, "receipt");
  queue.push(3, "password reset");

  auto order = drain(queue);

  order.resize(4);
  EXPECT_EQ(order, (std::vector<std::string>{"bulk", "receipt", "password reset", "bulk"}));
}

TEST(FairQueue, KeepsTheOrderOfEachMailServer) {
  FairQueue<std::string> queue;
  for (auto job : {"1", "2", "3"}) queue.push(1, job);
  EXPECT_EQ(drain(queue), (std::vector<std::string>{"1", "2", "3"}));
  EXPECT_TRUE(queue.empty());
}

TEST(FairQueue, PutsBackInFront) {
  FairQueue<std::string> queue;
  for (auto job : {"1", "2"}) queue.push(1, job);
  queue.push(2, "other");
  const auto taken = queue.pop();
  queue.push_front(1, *taken);
  EXPECT_EQ(queue.size(), 3U);
  const auto order = drain(queue);
  EXPECT_LT(std::ranges::find(order, "1") - order.begin(), std::ranges::find(order, "2") - order.begin());
}

}  // namespace
}  // namespace posthaste::delivery
