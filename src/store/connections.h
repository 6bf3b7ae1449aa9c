// Connections to one database, lent to one thread at a time.
//
// Borrowers are served in the order in which they asked, so that a pool of one is a fair lock: on SQLite it is the
// file's only writer. Connections are opened on demand and thrown away once they are lost.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "sql/sql.h"

namespace posthaste::store {

class ConnectionPool {
 public:
  using Open = std::function<std::unique_ptr<sql::Connection>()>;

  ConnectionPool(std::size_t limit, Open open) : limit_(limit), open_(std::move(open)) {}
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  // A borrowed connection; goes back when destroyed. The pool must outlive it.
  class Loan {
   public:
    Loan(ConnectionPool& pool, std::unique_ptr<sql::Connection> connection)
        : pool_(&pool), connection_(std::move(connection)) {}
    Loan(Loan&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)), connection_(std::move(other.connection_)) {}
    Loan& operator=(Loan&&) = delete;
    ~Loan() {
      if (pool_) pool_->give_back(std::move(connection_));
    }
    sql::Connection& operator*() const { return *connection_; }
    sql::Connection* operator->() const { return connection_.get(); }

   private:
    ConnectionPool* pool_;
    std::unique_ptr<sql::Connection> connection_;
  };

  // Waits for its turn. Throws sql::Failure when a new connection is needed and cannot be opened.
  Loan borrow();

  // Closes what nobody uses.
  void close_idle();

 private:
  void give_back(std::unique_ptr<sql::Connection> connection);

  const std::size_t limit_;
  const Open open_;
  std::mutex mutex_;
  std::condition_variable turn_;
  std::uint64_t next_ticket_ = 0, serving_ = 0;
  std::size_t lent_ = 0;
  std::vector<std::unique_ptr<sql::Connection>> idle_;
};

using Work = std::function<void(sql::Connection&)>;

// Runs `work` on a connection of the pool, outside a transaction; once more on a new connection if it turned out to be
// lost. For reading, and for single statements that may be repeated.
void with_connection(ConnectionPool& pool, const Work& work);

// Runs `work` in one transaction. Repeats it after conflicts with other transactions (data-model.md 22.4), and once if
// the connection was lost before COMMIT was sent. A lost COMMIT is thrown: its outcome is unknown.
void in_transaction(ConnectionPool& pool, const Work& work);

// 5 to 100 ms, longer with each repeat, never the same for two who collided.
void pause_after_conflict(int repeat);
constexpr int kConflictRepeats = 10;

}  // namespace posthaste::store
