#include "io/loop.h"

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

#include "base/log.h"
#include "io/asio.h"
#include "io/roots.h"

namespace posthaste::io {
namespace {

thread_local Loop* current_loop = nullptr;

class CurrentLoop {
 public:
  explicit CurrentLoop(Loop* loop) : before_(std::exchange(current_loop, loop)) {}
  ~CurrentLoop() { current_loop = before_; }

 private:
  Loop* before_;
};

// One handler's exception ends that handler; the loop goes on.
bool run_until_stopped(asio::io_context& context) {
  try {
    context.run();
    return true;
  } catch (const std::exception& failure) {
    log::error("io", "handler ended by an exception", {{"error", failure.what()}});
  } catch (...) {
    log::error("io", "handler ended by an unknown exception");
  }
  return false;
}

struct SleepUntilFired {
  SteadyTimer& timer;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    timer.async_wait([handle](const boost::system::error_code& error) {
      if (!error) handle.resume();  // cancelled: the frame that held the timer is gone
    });
  }
  void await_resume() const noexcept {}
};

}  // namespace

SteadyTime deadline_after(Duration timeout) {
  return std::chrono::steady_clock::now() + std::min<Duration>(timeout, std::chrono::hours(24 * 365));
}

Loop::Impl::Impl() : roots(std::make_unique<Roots>()) {}
Loop::Impl::~Impl() = default;

Loop::Loop() : impl_(std::make_unique<Impl>()) {}

Loop::~Loop() {
  CurrentLoop current(this);
  impl_->roots->drop();
}

Loop* Loop::current() { return current_loop; }

void Loop::post(std::move_only_function<void()> work) { asio::post(impl_->context, std::move(work)); }

void Loop::spawn(Task<> task, std::string_view name) {
  auto root = make_root(*impl_->roots, std::move(task), name);
  asio::post(impl_->context, [root] { root.resume(); });
}

Task<> Loop::sleep(Duration duration) {
  SteadyTimer timer(impl_->context, deadline_after(duration));
  co_await SleepUntilFired{timer};
}

void Loop::run() {
  CurrentLoop current(this);
  while (!run_until_stopped(impl_->context)) {
  }
}

void Loop::stop() { impl_->context.stop(); }

void Loop::drop_tasks() {
  CurrentLoop current(this);
  impl_->roots->drop();
}

std::size_t Loop::active_tasks() const { return impl_->roots->size(); }

void SwitchTo::await_suspend(std::coroutine_handle<> handle) const {
  asio::post(loop.impl().context, [handle] { handle.resume(); });
}

}  // namespace posthaste::io
