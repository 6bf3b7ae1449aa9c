#include "delivery/claims.h"

#include "base/log.h"
#include "delivery/measures.h"
#include "io/oneshot.h"

namespace posthaste::delivery {

namespace {

constexpr std::size_t kBlock = 1000;
constexpr Duration kShortest = 50ms, kLongest = 1s, kLongestWhenBroken = 30s;
constexpr auto kClaimAnyway = 30s;

}  // namespace

std::vector<store::Id> local_ip_ids(const store::Directory& directory) {
  std::vector<store::Id> ids;
  const auto rows = directory.ip_addresses();
  if (rows.empty()) return ids;
  const auto here = interface_addresses();
  const auto is_here = [&](const std::string& text) {
    const auto address = IpAddress::parse(text);
    return address && !address->loopback() && std::ranges::find(here, *address) != here.end();
  };
  for (const auto* row : rows) {
    if (is_here(row->ipv4) || is_here(row->ipv6)) ids.push_back(row->id);
  }
  return ids;
}

void Claims::start() {
  running_ = true;
  loop_.spawn(run(), "claims");
}

void Claims::wake() {
  if (woken_.exchange(true)) return;
  loop_.post([this] {
    if (resume_) std::exchange(resume_, {})();
  });
}

io::Task<> Claims::run() {
  while (!shared_->stopping) {
    const bool found = co_await look();
    co_await rest(pause(found));
  }
  running_ = false;
}

// One look at the table; whether it gave anything.
io::Task<bool> Claims::look() {
  auto& backlogs = shared_->settlement.backlogs();
  const std::size_t limit = std::min(kBlock, backlogs.room());
  if (limit == 0 || shared_->frozen) co_return false;
  // A claim also tells the store which source addresses are here, without which it does not count their rows as due.
  const bool anyway = Steady::now() >= claim_anyway_;
  auto work = [shared = shared_, anyway, limit, full = backlogs.full()] {
    Found found;
    found.next_due = shared->store.next_due();
    if (anyway || (found.next_due && *found.next_due <= shared->options.clock())) {
      found.messages = shared->store.claim(limit, local_ip_ids(*shared->store.directory()), full);
    }
    return found;
  };
  Found found;
  std::string error;
  bool known = false;  // the store has said it
  try {
    found = co_await shared_->pool.run(std::move(work));
  } catch (const std::exception& thrown) {
    error = thrown.what();
    known = sql::unreachable(thrown);
  }
  if (!error.empty()) {
    if (!known && !std::exchange(reported_, true))
      log::error("worker", "messages cannot be claimed; it is tried again", {{"error", error}});
    ++failures_;
    measures().errors.add({{"error", "claim"}});
    co_return false;
  }
  if (std::exchange(reported_, false)) log::info("worker", "messages can be claimed again");
  failures_ = 0;
  if (anyway) claim_anyway_ = Steady::now() + kClaimAnyway;
  next_due_ = found.next_due;
  const bool some = !found.messages.empty();
  if (some) take_(std::move(found.messages));
  co_return some;
}

Duration Claims::pause(bool found_some) {
  if (failures_ > 0) return std::min(kLongestWhenBroken, kLongest * (1 << std::min(failures_ - 1, 5)));
  quiet_ = found_some ? kShortest : std::min(kLongest, quiet_ * 2);
  if (!next_due_) return quiet_;
  const Duration until_due = *next_due_ - shared_->options.clock();
  // Rows that are due and were not ours to take (another host's address, a full site) are no reason to hurry.
  return until_due > Duration::zero() ? std::clamp(until_due, kShortest, quiet_) : quiet_;
}

io::Task<> Claims::timer(std::uint64_t turn, Duration duration) {
  co_await loop_.sleep(duration);
  if (turn == turn_ && resume_) std::exchange(resume_, {})();
}

io::Task<> Claims::rest(Duration duration) {
  if (!woken_.exchange(false)) {
    io::OneShot<bool> over;
    resume_ = [send = std::make_shared<std::move_only_function<void(bool)>>(over.sender())] { (*send)(true); };
    loop_.spawn(timer(++turn_, duration), "claims");
    co_await over;
    woken_ = false;
  }
}

}  // namespace posthaste::delivery
