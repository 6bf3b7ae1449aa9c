#include "io/curl.h"

#include <pthread.h>

#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "base/log.h"
#include "io/curl_transfer.h"

namespace posthaste::io {

namespace {

constexpr int kLongestWaitMs = 1000;

struct FreeMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

CURLM* new_multi() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  CURLM* multi = started == CURLE_OK ? curl_multi_init() : nullptr;
  if (!multi) throw std::runtime_error("cannot set up libcurl");
  return multi;
}

}  // namespace

// All calls into the multi handle come from the thread, but for curl_multi_wakeup.
struct Curl::Impl {
  explicit Impl(std::size_t most) : concurrency(std::max<std::size_t>(1, most)), multi(new_multi()) {
    curl_multi_setopt(multi.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(concurrency));
    thread = std::jthread([this] { serve(); });
  }

  void serve() {
    pthread_setname_np(pthread_self(), "http");
    while (take_transfers()) {
      int under_way = 0;
      curl_multi_perform(multi.get(), &under_way);
      finish_transfers();
      if (running.size() < concurrency && !waiting.empty()) continue;
      curl_multi_poll(multi.get(), nullptr, 0, kLongestWaitMs, nullptr);
    }
    give_up();
  }

  // False when it is time to end.
  bool take_transfers() {
    {
      std::lock_guard lock(mutex);
      if (ending) return false;
      while (!handed_over.empty()) {
        waiting.push_back(std::move(handed_over.front()));
        handed_over.pop_front();
      }
    }
    while (running.size() < concurrency && !waiting.empty()) {
      auto next = std::move(waiting.front());
      waiting.pop_front();
      begin(std::move(next));
    }
    return true;
  }

  void begin(std::unique_ptr<Transfer> transfer) {
    auto one = std::make_unique<RunningTransfer>(std::move(transfer));
    CURL* easy = one->easy();
    try {
      one->prepare();
    } catch (const std::exception& failure) {
      log::error("http", "a request cannot be made", {{"error", failure.what()}});
      return one->finish(CURLE_FAILED_INIT);
    }
    if (curl_multi_add_handle(multi.get(), easy) != CURLM_OK) return one->finish(CURLE_FAILED_INIT);
    running.emplace(easy, std::move(one));
  }

  void finish_transfers() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode result = message->data.result;
      auto ended = running.extract(message->easy_handle);
      curl_multi_remove_handle(multi.get(), ended.key());  // `message` is gone from here on
      ended.mapped()->finish(result);
    }
  }

  void give_up() {
    for (auto& [easy, one] : running) {
      curl_multi_remove_handle(multi.get(), easy);
      one->give_up();
    }
    running.clear();
    std::lock_guard lock(mutex);
    for (auto* queue : {&waiting, &handed_over}) {
      for (auto& transfer : *queue) RunningTransfer(std::move(transfer)).give_up();
      queue->clear();
    }
  }

  const std::size_t concurrency;
  std::unique_ptr<CURLM, FreeMulti> multi;
  std::unordered_map<CURL*, std::unique_ptr<RunningTransfer>> running;
  std::deque<std::unique_ptr<Transfer>> waiting;

  std::mutex mutex;
  std::deque<std::unique_ptr<Transfer>> handed_over;
  bool ending = false;
  std::jthread thread;  // last: it uses the others
};

Curl::Curl(std::size_t concurrency) : impl_(std::make_unique<Impl>(concurrency)) {}

Curl::~Curl() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->ending = true;
  }
  curl_multi_wakeup(impl_->multi.get());
  impl_->thread.join();
}

void Curl::start(std::unique_ptr<Transfer> transfer) {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->handed_over.push_back(std::move(transfer));
  }
  curl_multi_wakeup(impl_->multi.get());
}

}  // namespace posthaste::io
