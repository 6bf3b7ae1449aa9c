// What this room uses of Asio. Only for the .cpp files of this room: nothing above compiles Asio.
//
// Asio's own code is compiled once, in asio.cpp, and handlers go to the loop's io_context without type erasure.
#pragma once

#define BOOST_ASIO_SEPARATE_COMPILATION
#define BOOST_ASIO_NO_DEPRECATED

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <coroutine>
#include <memory>

#include "io/loop.h"

namespace posthaste::io {

namespace asio = boost::asio;

using Executor = asio::io_context::executor_type;
using SteadyTime = std::chrono::steady_clock::time_point;
using SteadyTimer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;
using Descriptor = asio::posix::basic_stream_descriptor<Executor>;

class Roots;

struct Loop::Impl {
  Impl();
  ~Impl();

  asio::io_context context{1};
  asio::executor_work_guard<Executor> work{context.get_executor()};
  std::unique_ptr<Roots> roots;
};

// The moment at which something that starts now must be over. Durations beyond a year count as a year.
SteadyTime deadline_after(Duration timeout);

// Lets others on the loop have their turn.
struct Pause {
  Loop& loop;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) const {
    asio::post(loop.impl().context, [handle] { handle.resume(); });
  }
  void await_resume() const noexcept {}
};

}  // namespace posthaste::io
