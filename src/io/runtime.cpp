#include <pthread.h>

#include <algorithm>
#include <string>
#include <thread>

#include "io/loop.h"

namespace posthaste::io {

struct Runtime::Threads {
  std::vector<std::jthread> running;
};

Runtime::Runtime(std::size_t loops) : threads_(std::make_unique<Threads>()) {
  if (loops == 0) loops = std::max(1u, std::thread::hardware_concurrency());
  loops_.reserve(loops);
  for (std::size_t i = 0; i < loops; ++i) loops_.push_back(std::make_unique<Loop>());
}

Runtime::~Runtime() { stop(); }

Loop& Runtime::next() { return *loops_[turn_.fetch_add(1, std::memory_order_relaxed) % loops_.size()]; }

void Runtime::start() {
  if (!threads_->running.empty()) return;
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    threads_->running.emplace_back([this, i] {
      pthread_setname_np(pthread_self(), ("loop-" + std::to_string(i)).c_str());
      loops_[i]->run();
    });
  }
}

// All threads are joined before the first task is dropped: a task may hold what lives on another loop.
void Runtime::stop() {
  for (auto& loop : loops_) loop->stop();
  threads_->running.clear();
  for (auto& loop : loops_) loop->drop_tasks();
}

bool Runtime::wait_idle(Duration deadline) {
  constexpr auto kStep = std::chrono::milliseconds(5);
  const auto end = std::chrono::steady_clock::now() + deadline;
  const auto idle = [this] {
    return std::ranges::all_of(loops_, [](auto& loop) { return loop->active_tasks() == 0; });
  };
  while (!idle()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(kStep);
  }
  return true;
}

}  // namespace posthaste::io
