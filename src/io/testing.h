// For tests: runs a coroutine on a loop of its own until it ended.
//
//   TEST(Stream, EchoesBytes) { run_task([](Loop& loop) -> Task<> { ...; co_return; }); }
//
// The function object lives until the task ended, so a coroutine lambda may capture here. An exception that escapes the
// task is thrown on; a task that does not end within `limit` throws, and what waits is dropped.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <stdexcept>

#include "io/loop.h"
#include "io/task.h"

namespace posthaste::io {

namespace detail {

inline Task<> run_and_stop(Loop& loop, const std::function<Task<>(Loop&)>& body, std::exception_ptr& failure) {
  try {
    auto task = body(loop);
    co_await std::move(task);
  } catch (...) {
    failure = std::current_exception();
  }
  loop.stop();
}

inline Task<> stop_after(Loop& loop, Duration limit, std::exception_ptr& failure) {
  co_await loop.sleep(limit);
  failure = std::make_exception_ptr(std::runtime_error("the task did not end in time"));
  loop.stop();
}

}  // namespace detail

inline void run_task(std::function<Task<>(Loop&)> body, Duration limit = std::chrono::seconds(20)) {
  std::exception_ptr failure;
  Loop loop;
  loop.spawn(detail::stop_after(loop, limit, failure), "limit");
  loop.spawn(detail::run_and_stop(loop, body, failure), "test");
  loop.run();
  loop.drop_tasks();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace posthaste::io
