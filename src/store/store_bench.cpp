// How many messages a second the store takes: callers hand in one message each and wait for the commit, as sessions do.
// Then a worker claims them all and concludes them.
//
//   store_bench [sqlite|mariadb] [messages] [callers] [bytes]
//
// SQLite in a temporary folder (TMPDIR: put it on the disk to be measured), MariaDB as a server of its own with default
// durability.
#include <sys/resource.h>

#include <semaphore>
#include <thread>

#include "base/metrics.h"
#include "base/random.h"
#include "store/testing_store.h"

using namespace posthaste;
using namespace posthaste::store;

namespace {

using Stopwatch = std::chrono::steady_clock;

// Processor time of this process so far, in seconds.
double processor_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& t) { return double(t.tv_sec) + double(t.tv_usec) * 1e-6; };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

class Phase {
 public:
  explicit Phase(std::string_view name) : name_(name) {}
  void end(std::size_t messages) const {
    const double took = std::chrono::duration<double>(Stopwatch::now() - start_).count();
    fmt::print("{:<10} {:>8} messages  {:>7.2f} s  {:>8.0f} /s  {:>6.1f} us of processor each\n", name_, messages, took,
               double(messages) / took, (processor_seconds() - before_) / double(messages) * 1e6);
  }

 private:
  std::string_view name_;
  Stopwatch::time_point start_ = Stopwatch::now();
  double before_ = processor_seconds();
};

// As many as `callers` are under way at any moment; each answer starts the next.
void accept_all(Store& store, std::size_t messages, std::ptrdiff_t callers, const RawMessage& raw) {
  std::counting_semaphore<> free(callers);
  std::atomic<std::size_t> failed = 0;
  for (std::size_t i = 0; i < messages; ++i) {
    Submission s = testing::submission();
    s.raw = raw;
    free.acquire();
    store.accept(std::move(s), false, [&](Result<Stored> result) {
      if (!result) ++failed;
      free.release();
    });
  }
  for (std::ptrdiff_t i = 0; i < callers; ++i) free.acquire();
  if (failed > 0) fmt::print("{} failed\n", failed.load());
}

void conclude_all(Store& store, const std::vector<QueuedMessage>& messages, std::ptrdiff_t callers) {
  std::counting_semaphore<> free(callers);
  std::atomic<std::size_t> failed = 0;
  const std::string headers = "DKIM-Signature: v=1; b=" + std::string(500, 'x') + "\r\nX-Postal-MsgID: abc\r\n";
  for (const QueuedMessage& message : messages) {
    Conclusion c = testing::concluded(message, "Sent");
    c.delivery->details = "Message for user0@receiver.example accepted by 192.0.2.1 (mx.receiver.example)";
    c.delivery->output = "250 2.0.0 OK queued as 12345";
    c.delivery->log_id = random_upper_alphanumeric(8);
    c.delivery->seconds = 0.25;
    c.prepend_headers = headers;
    free.acquire();
    store.conclude(std::move(c), [&](Result<> result) {
      if (!result) ++failed;
      free.release();
    });
  }
  for (std::ptrdiff_t i = 0; i < callers; ++i) free.acquire();
  if (failed > 0) fmt::print("{} failed\n", failed.load());
}

}  // namespace

int main(int count, char** arguments) {
  const auto argument = [&](int n, std::size_t otherwise) {
    return count > n ? std::size_t(std::atol(arguments[n])) : otherwise;
  };
  const bool mariadb = count > 1 && std::string_view(arguments[1]) == "mariadb";
  const std::size_t messages = argument(2, 50'000), callers = argument(3, 100), bytes = argument(4, 10'000);

  const testing::Installation world(mariadb ? sql::Dialect::MariaDb : sql::Dialect::Sqlite,
                                    mariadb ? &sql::testing::MariaDb::durable() : nullptr);
  const auto store = world.open();
  std::string header = "From: a@sender.example\r\nTo: b@receiver.example\r\nSubject: Test\r\n";
  header += "Received: " + std::string(800, 'r') + "\r\n\r\n";
  const RawMessage raw(header + random_alphanumeric(bytes - header.size()));

  const Phase accepting("accept");
  accept_all(*store, messages, std::ptrdiff_t(callers), raw);
  accepting.end(messages);

  const Phase claiming("claim");
  std::vector<QueuedMessage> claimed;
  for (;;) {
    auto some = store->claim(1000, {});
    if (some.empty()) break;
    std::ranges::move(some, std::back_inserter(claimed));
  }
  claiming.end(claimed.size());

  const Phase concluding("conclude");
  conclude_all(*store, claimed, std::ptrdiff_t(callers));
  concluding.end(claimed.size());
  store->close();
  fmt::print("{}", metrics::render({}));
}
