#include "io/unbound.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unbound.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "base/log.h"
#include "io/dns_wire.h"
#include "io/socket.h"

namespace posthaste::io {
namespace {

using Steady = std::chrono::steady_clock;

constexpr int kClassIn = 1;
constexpr int kRcodeNxDomain = 3;
// Bounds of outbound-delivery.md 11.2: a busy site with a TTL of seconds is not asked for again for every message.
constexpr auto kShortestTtl = std::chrono::seconds(30);
constexpr auto kLongestTtl = std::chrono::hours(24);
constexpr auto kLongestNegativeTtl = std::chrono::seconds(60);
constexpr auto kFailureTtl = std::chrono::seconds(30);

// Zones that unbound answers by itself although names under them may well be served here. `localhost.` stays.
constexpr std::array kServedByOthers = {
    "test.",      "invalid.",          "onion.",
    "home.arpa.", "127.in-addr.arpa.", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa."};

// Four sends, each waiting twice as long as the one before: 15/8 of the deadline. So an early failure is always the
// name servers' answer and not their silence, and what nobody answers ends soon after the deadline.
// A short memory for silent servers: one domain whose queries are dropped must not make the forwarder look dead.
std::string make_config(const std::vector<std::string>& servers, Duration timeout) {
  const auto first_wait = std::max<std::int64_t>(50, timeout / 8 / 1ms);
  std::string config = fmt::format(
      "server:\n"
      "  module-config: \"iterator\"\n"
      "  do-not-query-localhost: no\n"
      "  unblock-lan-zones: yes\n"
      "  outgoing-range: 512\n"
      "  num-queries-per-thread: 2048\n"
      "  outgoing-num-tcp: 32\n"
      "  outbound-msg-retry: 4\n"
      "  infra-cache-min-rtt: {0}\n"
      "  unknown-server-time-limit: {0}\n"
      "  infra-host-ttl: 5\n",
      first_wait);
  for (const char* zone : kServedByOthers) config += fmt::format("  local-zone: \"{}\" nodefault\n", zone);
  config += "forward-zone:\n  name: \".\"\n  forward-no-cache: yes\n";
  for (const auto& server : servers) config += fmt::format("  forward-addr: \"{}\"\n", server);
  return config;
}

// libunbound reads most options from a file only; this one lives in memory.
int apply_config(ub_ctx* context, std::string_view config) {
  Fd file(::memfd_create("unbound.conf", MFD_CLOEXEC));
  if (file.get() < 0) return UB_READFILE;
  if (::write(file.get(), config.data(), config.size()) != static_cast<ssize_t>(config.size())) return UB_READFILE;
  return ub_ctx_config(context, fmt::format("/proc/self/fd/{}", file.get()).c_str());
}

std::chrono::seconds negative_ttl_of(const ub_result& result) {
  if (!result.answer_packet || result.answer_len <= 0) return std::chrono::seconds(0);
  const std::string_view packet(static_cast<const char*>(result.answer_packet),
                                static_cast<std::size_t>(result.answer_len));
  const auto ttl = negative_ttl(packet).value_or(std::chrono::seconds(0));
  return std::min<std::chrono::seconds>(ttl, kLongestNegativeTtl);
}

DnsReply to_reply(const ub_result& result) {
  DnsReply reply;
  reply.ttl = kFailureTtl;
  if (result.bogus) return reply;
  reply.secure = result.secure != 0;
  if (result.havedata) {
    reply.status = DnsStatus::Ok;
    for (int i = 0; result.data[i]; ++i)
      reply.rdata.emplace_back(result.data[i], static_cast<std::size_t>(result.len[i]));
    reply.ttl = std::clamp<std::chrono::seconds>(std::chrono::seconds(result.ttl), kShortestTtl, kLongestTtl);
  } else if (result.rcode == 0 || result.rcode == kRcodeNxDomain) {
    reply.status = result.rcode == 0 ? DnsStatus::NoData : DnsStatus::NxDomain;
    reply.ttl = negative_ttl_of(result);
  }
  return reply;
}

struct FreeContext {
  void operator()(ub_ctx* context) const { ub_ctx_delete(context); }
};

}  // namespace

// All calls into libunbound come from the thread; others hand it questions.
struct Unbound::Impl {
  struct Question {
    std::string name;
    int type = 0;
    Done done;
  };
  struct Asked {
    Impl* owner = nullptr;
    std::uint64_t id = 0;
    int async_id = 0;
    Done done;
  };
  struct Deadline {
    Steady::time_point at;
    std::uint64_t id;
  };

  Impl(std::unique_ptr<ub_ctx, FreeContext> c, int fd, Duration t) : context(std::move(c)), wake(fd), timeout(t) {}

  void rouse() {
    const std::uint64_t one = 1;
    (void)!::write(wake.get(), &one, sizeof one);  // fails only when full, and then it is readable already
  }

  void serve() {
    pthread_setname_np(pthread_self(), "resolver");
    while (take_questions()) {
      std::array<pollfd, 2> ready{pollfd{wake.get(), POLLIN, 0}, pollfd{ub_fd(context.get()), POLLIN, 0}};
      (void)::poll(ready.data(), ready.size(), wait_ms());  // an interrupted wait is a short one
      if (ready[0].revents) {
        std::uint64_t count = 0;
        (void)!::read(wake.get(), &count, sizeof count);
      }
      if (ready[1].revents) (void)ub_process(context.get());  // what it could not read, the deadlines end
      expire(Steady::now());
    }
    give_up();
  }

  // False when it is time to end.
  bool take_questions() {
    std::vector<Question> questions;
    {
      std::lock_guard lock(mutex);
      if (ending) return false;
      questions.swap(waiting);
    }
    for (auto& question : questions) ask(std::move(question));
    return true;
  }

  void ask(Question question) {
    auto asked = std::make_unique<Asked>(Asked{this, ++last_id, 0, std::move(question.done)});
    const int error = ub_resolve_async(context.get(), question.name.c_str(), question.type, kClassIn, asked.get(),
                                       &Impl::on_result, &asked->async_id);
    if (error != UB_NOERROR) return asked->done(to_reply_of(error, nullptr));
    deadlines.push_back({Steady::now() + timeout, asked->id});
    pending.emplace(asked->id, std::move(asked));
  }

  static DnsReply to_reply_of(int error, const ub_result* result) {
    if (error == UB_NOERROR && result) return to_reply(*result);
    if (error == UB_SYNTAX) return DnsReply{.status = DnsStatus::NxDomain};  // what is no name in DNS cannot exist
    log::error("io", "a question to the name servers failed", {{"error", ub_strerror(error)}});
    return DnsReply{};
  }

  static void on_result(void* argument, int error, ub_result* result) {
    auto* asked = static_cast<Asked*>(argument);
    DnsReply reply = to_reply_of(error, result);
    ub_resolve_free(result);
    asked->owner->finish(asked->id, std::move(reply));
  }

  void finish(std::uint64_t id, DnsReply reply) {
    const auto it = pending.find(id);
    if (it == pending.end()) return;
    Done done = std::move(it->second->done);
    pending.erase(it);
    done(std::move(reply));
  }

  // All questions have the same time, so the deadlines are in order.
  void expire(Steady::time_point now) {
    while (!deadlines.empty()) {
      const Deadline next = deadlines.front();
      const auto it = pending.find(next.id);
      if (it != pending.end()) {
        if (next.at > now) return;
        (void)ub_cancel(context.get(), it->second->async_id);  // no callback comes any more
        finish(next.id, DnsReply{.status = DnsStatus::Timeout});
      }
      deadlines.pop_front();
    }
  }

  int wait_ms() const {
    if (deadlines.empty()) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadlines.front().at - Steady::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
  }

  void give_up() {
    context.reset();
    for (auto& [id, asked] : pending) asked->done(DnsReply{});
    std::lock_guard lock(mutex);
    for (auto& question : waiting) question.done(DnsReply{});
    waiting.clear();
  }

  std::unique_ptr<ub_ctx, FreeContext> context;
  Fd wake;
  const Duration timeout;
  std::unordered_map<std::uint64_t, std::unique_ptr<Asked>> pending;
  std::deque<Deadline> deadlines;
  std::uint64_t last_id = 0;

  std::mutex mutex;
  std::vector<Question> waiting;
  bool ending = false;
  std::jthread thread;
};

Result<std::unique_ptr<Unbound>> Unbound::start(const std::vector<std::string>& servers, Duration timeout) {
  std::unique_ptr<ub_ctx, FreeContext> context(ub_ctx_create());
  if (!context) return fail(ErrorKind::Internal, "cannot make a resolver");
  int error = apply_config(context.get(), make_config(servers, timeout));
  if (error == UB_NOERROR) error = ub_ctx_async(context.get(), 1);
  if (error != UB_NOERROR) return fail(ErrorKind::Internal, "cannot set up the resolver", ub_strerror(error));
  const int wake = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wake < 0) return fail(ErrorKind::Internal, "cannot set up the resolver", system_text(errno));

  auto impl = std::make_unique<Impl>(std::move(context), wake, timeout);
  impl->thread = std::jthread([raw = impl.get()] { raw->serve(); });
  return std::unique_ptr<Unbound>(new Unbound(std::move(impl)));
}

Unbound::Unbound(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Unbound::~Unbound() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->ending = true;
  }
  impl_->rouse();
  impl_->thread.join();
}

void Unbound::ask(std::string name, int type, Done done) {
  bool first = false;
  {
    std::lock_guard lock(impl_->mutex);
    first = impl_->waiting.empty();
    impl_->waiting.push_back({std::move(name), type, std::move(done)});
  }
  if (first) impl_->rouse();
}

}  // namespace posthaste::io
