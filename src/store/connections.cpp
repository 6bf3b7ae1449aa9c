#include "store/connections.h"

#include <thread>

#include "base/random.h"

namespace posthaste::store {

ConnectionPool::Loan ConnectionPool::borrow() {
  std::unique_lock lock(mutex_);
  const std::uint64_t ticket = next_ticket_++;
  turn_.wait(lock, [&] { return serving_ == ticket && lent_ < limit_; });
  ++serving_;
  ++lent_;
  std::unique_ptr<sql::Connection> connection;
  if (!idle_.empty()) {
    connection = std::move(idle_.back());
    idle_.pop_back();
  }
  lock.unlock();
  turn_.notify_all();
  if (connection) return Loan(*this, std::move(connection));
  try {
    return Loan(*this, open_());
  } catch (...) {
    give_back(nullptr);
    throw;
  }
}

void ConnectionPool::give_back(std::unique_ptr<sql::Connection> connection) {
  {
    const std::scoped_lock lock(mutex_);
    --lent_;
    if (connection && connection->alive()) idle_.push_back(std::move(connection));
  }
  turn_.notify_all();
}

void ConnectionPool::close_idle() {
  std::vector<std::unique_ptr<sql::Connection>> idle;
  const std::scoped_lock lock(mutex_);
  idle.swap(idle_);
}

void with_connection(ConnectionPool& pool, const Work& work) {
  for (int attempt = 0;; ++attempt) {
    try {
      auto connection = pool.borrow();
      return work(*connection);
    } catch (const sql::Failure& failure) {
      if (failure.kind() != sql::FailureKind::Unreachable || attempt > 0) throw;
      pool.close_idle();  // the others were lost with it
    }
  }
}

void in_transaction(ConnectionPool& pool, const Work& work) {
  int conflicts = 0;
  for (int losses = 0;;) {
    bool committing = false;
    try {
      auto connection = pool.borrow();
      sql::Transaction transaction(*connection);
      work(*connection);
      committing = true;
      transaction.commit();
      return;
    } catch (const sql::Failure& failure) {
      if (failure.kind() == sql::FailureKind::Conflict && conflicts++ < kConflictRepeats) {
        pause_after_conflict(conflicts);
        continue;
      }
      if (failure.kind() != sql::FailureKind::Unreachable || committing || losses++ > 0) throw;
      pool.close_idle();
    }
  }
}

void pause_after_conflict(int repeat) {
  const std::uint64_t most = std::min<std::uint64_t>(95'000, std::uint64_t{8'000} << std::min(repeat, 10));
  std::this_thread::sleep_for(std::chrono::microseconds(5'000 + random_below(most)));
}

}  // namespace posthaste::store
