// An open installation: the store and what commands need besides it. In a running instance it is that instance's; for a
// command in a process of its own it is opened for the time of the command.
#pragma once

#include <exception>
#include <future>
#include <memory>
#include <utility>

#include "base/result.h"
#include "config/config.h"
#include "delivery/worker.h"
#include "intake/intake.h"
#include "io/loop.h"
#include "io/pool.h"
#include "io/resolver.h"
#include "store/store.h"
#include "trust/request_signature.h"

namespace posthaste::app {

struct Installation {
  const config::Config& config;
  store::Store& store;
  io::Resolver& resolver;
  io::Runtime& runtime;
  io::Pool& pool;
  delivery::Worker* worker = nullptr;  // of this process, if it delivers
  intake::Intake* intake = nullptr;
  trust::RequestSigner* request_signer = nullptr;

  // Runs a coroutine on a loop and blocks the calling thread until it ends. Never from a loop. Throws std::future_error
  // when the loops end first: the promise goes with the coroutine that holds it.
  template <class T>
  T wait(io::Task<T> task) {
    std::promise<T> done;
    auto result = done.get_future();
    runtime.next().spawn(fulfil(std::move(task), std::move(done)), "command");
    return result.get();
  }

 private:
  template <class T>
  static io::Task<> fulfil(io::Task<T> task, std::promise<T> done) {
    std::exception_ptr failure;
    try {
      if constexpr (std::is_void_v<T>) {
        co_await std::move(task);
        done.set_value();
      } else {
        done.set_value(co_await std::move(task));
      }
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure) done.set_exception(failure);
  }
};

// Owns what an Installation refers to, for commands that run by themselves.
class OwnInstallation {
 public:
  static Result<std::unique_ptr<OwnInstallation>> open(const config::Config& config);
  ~OwnInstallation();
  Installation& get() { return *installation_; }

 private:
  explicit OwnInstallation(const config::Config& config);

  io::Runtime runtime_{1};
  io::Pool pool_{2};
  std::unique_ptr<io::Resolver> resolver_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<intake::Intake> intake_;
  std::unique_ptr<Installation> installation_;
};

}  // namespace posthaste::app
