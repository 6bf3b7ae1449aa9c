// A value that some thread delivers once and a coroutine awaits on its own loop.
//
//   OneShot<Result<Stored>> stored;
//   store.accept(std::move(submission), stored.sender());   // called later, from any thread
//   auto outcome = co_await stored;                          // resumes on the loop that awaits
//
// The sender may outlive the OneShot and may be dropped unused: then the awaiting side stays suspended for ever, so
// every API that takes a callback promises to call it exactly once.
#pragma once

#include <atomic>
#include <coroutine>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "io/loop.h"

namespace posthaste::io {

template <class T>
class OneShot {
  struct State {
    std::mutex mutex;
    std::optional<T> value;
    std::coroutine_handle<> waiting;
    Loop* loop = nullptr;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();

 public:
  std::move_only_function<void(T)> sender() {
    return [state = state_](T value) {
      std::coroutine_handle<> waiting;
      Loop* loop = nullptr;
      {
        std::lock_guard lock(state->mutex);
        state->value.emplace(std::move(value));
        waiting = std::exchange(state->waiting, {});
        loop = state->loop;
      }
      if (waiting) loop->post([waiting] { waiting.resume(); });
    };
  }

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> handle) {
    std::lock_guard lock(state_->mutex);
    if (state_->value) return false;
    state_->waiting = handle;
    state_->loop = Loop::current();
    return true;
  }
  T await_resume() {
    std::lock_guard lock(state_->mutex);
    return std::move(*state_->value);
  }
};

}  // namespace posthaste::io
