// A piece of work on the main database: the connection of one Store::change or Store::read, and what rules need
// besides.
#pragma once

#include <exception>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "config/config.h"
#include "sql/sql.h"
#include "store/store.h"

namespace posthaste::manage {

using store::Id;

// What every change of an installation needs.
struct Context {
  store::Store& store;
  const config::Config& config;
  Clock clock = system_now;
};

class Work {
 public:
  Work(const Context& context, sql::Connection& connection)
      : context_(context), connection_(connection), now_(context.clock()) {}

  sql::Result run(std::string_view sql, std::span<const sql::Value> values);
  sql::Result run(std::string_view sql, std::initializer_list<sql::Value> values = {});
  void query(std::string_view sql, std::initializer_list<sql::Value> values,
             const std::function<void(const sql::Row&)>& each);
  std::optional<Id> id_of(std::string_view sql, std::initializer_list<sql::Value> values);
  bool exists(std::string_view sql, std::initializer_list<sql::Value> values) { return id_of(sql, values).has_value(); }

  const config::Config& config() const { return context_.config; }
  store::Store& store() { return context_.store; }
  bool sqlite() const { return connection_.dialect() == sql::Dialect::Sqlite; }
  Time now() const { return now_; }

  // A trial is undone in the end (`plan`): it makes no keys and no message databases.
  bool trial = false;
  // DKIM keys made before, so that the transaction is short; and how many a trial would have needed.
  std::vector<std::string> dkim_keys;
  std::size_t dkim_keys_wanted = 0;
  // Message databases made here, dropped again when the work is undone.
  std::vector<Id> provisioned;

 private:
  const Context& context_;
  sql::Connection& connection_;
  Time now_;
};

namespace detail {
// Leaves Store::change without committing.
struct Undo : std::exception {
  const char* what() const noexcept override { return "change undone"; }
};
Result<> change(const Context& context, const std::function<Result<>(Work&)>& work, bool trial);
}  // namespace detail

// Runs `work(Work&)`, which returns a Result, in one transaction. An error undoes everything. A row that another
// process was quicker to write is an error of kind Conflict.
template <class F>
auto in_change(const Context& context, F&& work) {
  std::invoke_result_t<F&, Work&> outcome = fail(ErrorKind::Internal, "nothing was changed");
  auto run = detail::change(
      context,
      [&](Work& w) -> Result<> {
        outcome = work(w);
        if (!outcome) return std::unexpected(outcome.error());
        return {};
      },
      false);
  if (!run) outcome = std::unexpected(std::move(run.error()));
  return outcome;
}

// The same without effect: what would come out.
template <class F>
auto in_trial(const Context& context, F&& work) {
  std::invoke_result_t<F&, Work&> outcome = fail(ErrorKind::Internal, "nothing was tried");
  auto run = detail::change(
      context,
      [&](Work& w) -> Result<> {
        outcome = work(w);
        return {};
      },
      true);
  if (!run) outcome = std::unexpected(std::move(run.error()));
  return outcome;
}

// Runs `read(Work&)`, which may return anything but void.
template <class F>
auto in_read(const Context& context, F&& read) {
  std::optional<std::invoke_result_t<F&, Work&>> outcome;
  context.store.read([&](sql::Connection& connection) {
    Work work(context, connection);
    outcome.emplace(read(work));
  });
  return std::move(*outcome);
}

}  // namespace posthaste::manage
