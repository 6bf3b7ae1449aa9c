// Event loops: one thread each, one per core. State belongs to one loop; others send it a message with post().
//
// Whoever posts to a loop or resumes its coroutines (pools, resolvers, OneShot senders, listeners) ends before the loop
// does.
#pragma once

#include <atomic>
#include <chrono>
#include <coroutine>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "io/task.h"

namespace posthaste::io {

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // The loop whose thread this is; null on other threads.
  static Loop* current();

  // Runs the work on this loop's thread, later. From any thread.
  void post(std::move_only_function<void()> work);

  // Starts a coroutine on this loop that nobody awaits. `name` appears in the log line if an exception escapes it,
  // which ends the task and nothing else. From any thread.
  void spawn(Task<> task, std::string_view name);

  // Suspends the awaiting coroutine (which runs on this loop). A loop that stops drops what sleeps.
  Task<> sleep(Duration duration);

  // Runs until stop(); handlers' exceptions are logged. The thread that calls becomes the loop's thread.
  void run();
  void stop();
  // After stop() and with no loop running: destroys the tasks that have not ended. The destructor does it too.
  void drop_tasks();

  // Tasks spawned and not yet ended. For graceful stop: wait until it is zero or a deadline passed. From any thread.
  std::size_t active_tasks() const;

  struct Impl;  // holds Asio's io_context; io/asio.h opens it for the files of this room
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// The loops of a process, each in a thread of its own.
class Runtime {
 public:
  explicit Runtime(std::size_t loops);  // 0: as many as there are cores
  ~Runtime();                           // stops and joins

  std::size_t size() const { return loops_.size(); }
  Loop& at(std::size_t index) { return *loops_[index]; }
  Loop& next();  // round robin; from any thread

  void start();
  void stop();  // ends all loops and joins their threads; what waits is dropped
  // Waits until no loop has active tasks or the deadline passed; true if none has.
  bool wait_idle(Duration deadline);

 private:
  struct Threads;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::unique_ptr<Threads> threads_;
  std::atomic<std::size_t> turn_{0};
};

// Moves the awaiting coroutine to another loop.
struct SwitchTo {
  Loop& loop;
  bool await_ready() const noexcept { return Loop::current() == &loop; }
  void await_suspend(std::coroutine_handle<> handle) const;
  void await_resume() const noexcept {}
};

}  // namespace posthaste::io
