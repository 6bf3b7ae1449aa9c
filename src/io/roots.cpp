#include "io/roots.h"

#include <exception>
#include <string>

#include "base/log.h"

namespace posthaste::io {
namespace {

struct Root {
  struct promise_type : Roots::Node {
    Roots& roots;

    promise_type(Roots& r, Task<>&, std::string&) : roots(r) {
      handle = std::coroutine_handle<promise_type>::from_promise(*this);
      roots.add(*this);
    }
    ~promise_type() { roots.remove(*this); }

    Root get_return_object() { return Root{std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() noexcept { std::terminate(); }  // run_root() lets none out
  };
  std::coroutine_handle<> handle;
};

Root run_root(Roots&, Task<> task, std::string name) {
  try {
    co_await std::move(task);
  } catch (const std::exception& failure) {
    log::error("io", "task ended by an exception", {{"task", name}, {"error", failure.what()}});
  } catch (...) {
    log::error("io", "task ended by an unknown exception", {{"task", name}});
  }
}

}  // namespace

void Roots::add(Node& node) {
  std::lock_guard lock(mutex_);
  node.next = first_;
  if (first_) first_->previous = &node;
  first_ = &node;
  size_.fetch_add(1, std::memory_order_relaxed);
}

void Roots::remove(Node& node) {
  std::lock_guard lock(mutex_);
  (node.previous ? node.previous->next : first_) = node.next;
  if (node.next) node.next->previous = node.previous;
  size_.fetch_sub(1, std::memory_order_release);
}

void Roots::drop() {
  while (true) {
    std::coroutine_handle<> victim;
    {
      std::lock_guard lock(mutex_);
      if (!first_) return;
      victim = first_->handle;
    }
    victim.destroy();  // removes itself
  }
}

std::coroutine_handle<> make_root(Roots& roots, Task<> task, std::string_view name) {
  return run_root(roots, std::move(task), std::string(name)).handle;
}

}  // namespace posthaste::io
