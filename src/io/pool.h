// Threads for what may not run on a loop: blocking calls (database reads, file reads) and long computation (RSA).
#pragma once

#include <cstddef>
#include <exception>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "io/loop.h"
#include "io/oneshot.h"
#include "io/task.h"

namespace posthaste::io {

class Pool {
 public:
  explicit Pool(std::size_t threads);
  ~Pool();  // runs what waits, then joins

  void post(std::move_only_function<void()> work);

  // Runs `work` on a pool thread and resumes on the awaiting loop with what it returned or threw.
  template <class Work, class T = std::invoke_result_t<Work&>>
  Task<T> run(Work work) {
    using Outcome = std::expected<std::conditional_t<std::is_void_v<T>, std::monostate, T>, std::exception_ptr>;
    OneShot<Outcome> done;
    auto send = done.sender();
    post([work = std::move(work), send = std::move(send)]() mutable {
      try {
        if constexpr (std::is_void_v<T>) {
          work();
          send(Outcome(std::monostate{}));
        } else {
          send(Outcome(work()));
        }
      } catch (...) {
        send(Outcome(std::unexpected(std::current_exception())));
      }
    });
    Outcome outcome = co_await done;
    if (!outcome) std::rethrow_exception(outcome.error());
    if constexpr (!std::is_void_v<T>) co_return std::move(*outcome);
  }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace posthaste::io
