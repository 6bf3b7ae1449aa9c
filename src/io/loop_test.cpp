#include "io/loop.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <thread>

#include "io/oneshot.h"
#include "io/pool.h"
#include "io/testing.h"

namespace posthaste::io {
namespace {

using Clock = std::chrono::steady_clock;

Task<int> plus_one(int value) { co_return value + 1; }

Task<> fail_with(std::string text) {
  throw std::runtime_error(text);
  co_return;
}

TEST(Task, GivesValuesAndExceptionsToWhoAwaits) {
  run_task([](Loop&) -> Task<> {
    EXPECT_EQ(co_await plus_one(41), 42);
    EXPECT_THROW(co_await fail_with("broken"), std::runtime_error);
  });
}

TEST(Task, LoopsOverFinishedTasksOnAFlatStack) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers keep the frames";
#endif
  run_task([](Loop&) -> Task<> {
    int value = 0;
    while (value < 1'000'000) value = co_await plus_one(value);
    EXPECT_EQ(value, 1'000'000);
  });
}

TEST(Loop, SleepsAsLongAsAsked) {
  run_task([](Loop& loop) -> Task<> {
    const auto start = Clock::now();
    co_await loop.sleep(30ms);
    EXPECT_GE(Clock::now() - start, 30ms);
    EXPECT_LT(Clock::now() - start, 5s);
  });
}

TEST(Loop, KnowsItselfOnItsThreadOnly) {
  EXPECT_EQ(Loop::current(), nullptr);
  run_task([](Loop& loop) -> Task<> {
    EXPECT_EQ(Loop::current(), &loop);
    co_return;
  });
  EXPECT_EQ(Loop::current(), nullptr);
}

TEST(Loop, OutlivesATaskThatThrows) {
  run_task([](Loop& loop) -> Task<> {
    loop.spawn(fail_with("expected by the test"), "thrower");
    EXPECT_EQ(loop.active_tasks(), 3u);  // this, its time limit, the thrower
    co_await loop.sleep(1ms);
    EXPECT_EQ(loop.active_tasks(), 2u);
  });
}

TEST(Loop, OutlivesAHandlerThatThrows) {
  run_task([](Loop& loop) -> Task<> {
    loop.post([] { throw std::runtime_error("expected by the test"); });
    bool later = false;
    loop.post([&] { later = true; });
    co_await loop.sleep(1ms);
    EXPECT_TRUE(later);
  });
}

struct Witness {
  bool& gone;
  ~Witness() { gone = true; }
};

Task<> sleep_for_ever(Loop& loop, std::unique_ptr<Witness>) { co_await loop.sleep(std::chrono::hours(1'000'000)); }

TEST(Loop, DropsWhatSleepsWhenItEnds) {
  bool gone = false;
  {
    Loop loop;
    loop.spawn(sleep_for_ever(loop, std::make_unique<Witness>(gone)), "sleeper");
    loop.post([&] { loop.stop(); });
    loop.run();
    EXPECT_EQ(loop.active_tasks(), 1u);
    EXPECT_FALSE(gone);
  }
  EXPECT_TRUE(gone);
}

TEST(Loop, DropsATaskThatNeverStarted) {
  bool gone = false;
  {
    Loop loop;
    loop.spawn(sleep_for_ever(loop, std::make_unique<Witness>(gone)), "sleeper");
  }
  EXPECT_TRUE(gone);
}

Task<> visit(Loop& other, OneShot<bool>& arrived) {
  Loop* home = Loop::current();
  co_await SwitchTo{other};
  const bool there = Loop::current() == &other && home != &other;
  arrived.sender()(there);
}

TEST(Runtime, MovesACoroutineToAnotherLoopAndBack) {
  Runtime runtime(2);
  runtime.start();
  OneShot<bool> arrived;
  std::atomic<int> result{-1};
  auto observe = [](OneShot<bool>& from, std::atomic<int>& into) -> Task<> { into = co_await from ? 1 : 0; };
  runtime.at(1).spawn(observe(arrived, result), "observer");
  runtime.at(0).spawn(visit(runtime.at(1), arrived), "visitor");
  EXPECT_TRUE(runtime.wait_idle(5s));
  EXPECT_EQ(result, 1);
}

TEST(Runtime, WaitsUntilIdleOrTheDeadline) {
  Runtime runtime(1);
  runtime.start();
  auto nap = [](Loop& loop) -> Task<> { co_await loop.sleep(80ms); };
  runtime.at(0).spawn(nap(runtime.at(0)), "nap");
  EXPECT_FALSE(runtime.wait_idle(10ms));
  EXPECT_TRUE(runtime.wait_idle(5s));
}

TEST(Runtime, HandsOutLoopsInTurn) {
  Runtime runtime(3);
  EXPECT_EQ(runtime.size(), 3u);
  Loop* first = &runtime.next();
  EXPECT_NE(first, &runtime.next());
  (void)runtime.next();
  EXPECT_EQ(first, &runtime.next());
}

TEST(OneShot, TakesAValueSentBeforeAnyoneAwaits) {
  run_task([](Loop&) -> Task<> {
    OneShot<std::string> shot;
    shot.sender()("early");
    EXPECT_EQ(co_await shot, "early");
  });
}

TEST(OneShot, ResumesOnTheLoopThatAwaits) {
  run_task([](Loop& loop) -> Task<> {
    OneShot<std::string> shot;
    std::jthread sender([send = shot.sender()]() mutable {
      std::this_thread::sleep_for(10ms);
      send("late");
    });
    EXPECT_EQ(co_await shot, "late");
    EXPECT_EQ(Loop::current(), &loop);
  });
}

TEST(Pool, RunsWorkElsewhereAndResumesHere) {
  Pool pool(2);
  run_task([&](Loop& loop) -> Task<> {
    const auto here = std::this_thread::get_id();
    const auto there = co_await pool.run([] { return std::this_thread::get_id(); });
    EXPECT_NE(here, there);
    EXPECT_EQ(Loop::current(), &loop);
    EXPECT_EQ(std::this_thread::get_id(), here);
  });
}

TEST(Pool, CarriesExceptionsOver) {
  Pool pool(1);
  run_task([&](Loop&) -> Task<> {
    EXPECT_THROW(co_await pool.run([]() -> int { throw std::invalid_argument("no"); }), std::invalid_argument);
    bool ran = false;
    co_await pool.run([&] { ran = true; });
    EXPECT_TRUE(ran);
  });
}

TEST(Pool, FinishesWhatWaitsBeforeItEnds) {
  int done = 0;
  {
    Pool pool(1);
    for (int i = 0; i < 100; ++i) pool.post([&] { ++done; });
  }
  EXPECT_EQ(done, 100);
}

}  // namespace
}  // namespace posthaste::io
