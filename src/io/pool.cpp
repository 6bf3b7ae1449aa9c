#include "io/pool.h"

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "base/log.h"

namespace posthaste::io {

struct Pool::Impl {
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<std::move_only_function<void()>> queue;
  bool ending = false;
  std::vector<std::jthread> threads;

  // Null when the pool ends and nothing waits any more.
  std::move_only_function<void()> take() {
    std::unique_lock lock(mutex);
    wake.wait(lock, [this] { return ending || !queue.empty(); });
    if (queue.empty()) return {};
    auto work = std::move(queue.front());
    queue.pop_front();
    return work;
  }

  void serve() {
    pthread_setname_np(pthread_self(), "pool");
    while (auto work = take()) {
      try {
        work();
      } catch (const std::exception& failure) {
        log::error("io", "pool work ended by an exception", {{"error", failure.what()}});
      } catch (...) {
        log::error("io", "pool work ended by an unknown exception");
      }
    }
  }
};

Pool::Pool(std::size_t threads) : impl_(std::make_unique<Impl>()) {
  for (std::size_t i = 0; i < threads; ++i) impl_->threads.emplace_back([impl = impl_.get()] { impl->serve(); });
}

Pool::~Pool() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->ending = true;
  }
  impl_->wake.notify_all();
  impl_->threads.clear();
}

void Pool::post(std::move_only_function<void()> work) {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->queue.push_back(std::move(work));
  }
  impl_->wake.notify_one();
}

}  // namespace posthaste::io
