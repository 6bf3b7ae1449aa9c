// The tasks spawned on a loop: coroutines that nobody awaits and that own themselves until they end.
#pragma once

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <mutex>
#include <string_view>
#include <utility>

#include "io/task.h"

namespace posthaste::io {

// Knows the suspended frames, so that a loop that ends for good can destroy what still waits on it.
// A task may move to another loop and end there: hence the lock.
class Roots {
 public:
  struct Node {
    Node* previous = nullptr;
    Node* next = nullptr;
    std::coroutine_handle<> handle;
  };

  void add(Node& node);
  void remove(Node& node);
  std::size_t size() const { return size_.load(std::memory_order_acquire); }

  // Destroys all frames. No loop runs any more.
  void drop();

 private:
  std::mutex mutex_;
  Node* first_ = nullptr;
  std::atomic<std::size_t> size_{0};
};

// Makes a frame around the task, suspended and known to `roots`. Resuming it starts the task; it frees itself at the
// end.
std::coroutine_handle<> make_root(Roots& roots, Task<> task, std::string_view name);

}  // namespace posthaste::io
