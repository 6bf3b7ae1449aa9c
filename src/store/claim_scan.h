// The rows that a claim takes, found in the order of the index: those that never waited, then those whose time has
// come. Part of the claim; see claim.cpp.
//
// Sites whose messages wait in memory in number are passed over. So that not every claim goes through all their rows
// once more, it begins where the one before it ended, and from the start again when a site is not passed over any more,
// or after a while: rows that are given back or retried by hand may lie before.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "sql/sql.h"
#include "store/messages.h"

namespace posthaste::store {

class ClaimScan {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  // The next claim passes over these. Goes back to the start if need be.
  void pass_over(std::vector<Site> sites, Instant now);

  // Up to `limit` rows that match `claimable` and are due now, locked for update where the engine knows such locks.
  std::vector<QueuedMessage> find(sql::Connection& connection, const sql::Names& names, const std::string& claimable,
                                  bool retries_first, std::size_t limit, Time now);

 private:
  struct Statement {
    std::string select, passed, locking;
    std::vector<sql::Value> passed_values;
  };
  Statement statement(sql::Connection& connection, const sql::Names& names, const std::string& claimable) const;
  void find_fresh(sql::Connection& connection, const sql::Names& names, const Statement& statement, std::size_t limit,
                  std::vector<QueuedMessage>& rows);
  void find_retries(sql::Connection& connection, const Statement& statement, std::size_t limit, Time now,
                    std::vector<QueuedMessage>& rows);

  std::vector<Site> sites_;                     // sorted
  Id after_ = 0;                                // rows that never waited: up to here they are locked or passed over
  Time from_{};                                 // retries: those that were due earlier likewise
  Instant began_{};                             // at the start
  std::chrono::steady_clock::duration took_{};  // from the start
};

}  // namespace posthaste::store
