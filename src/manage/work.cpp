#include "manage/work.h"

namespace posthaste::manage {

sql::Result Work::run(std::string_view sql, std::span<const sql::Value> values) {
  return connection_.run(context_.store.main(sql), values);
}

sql::Result Work::run(std::string_view sql, std::initializer_list<sql::Value> values) {
  return run(sql, std::span(values.begin(), values.size()));
}

void Work::query(std::string_view sql, std::initializer_list<sql::Value> values,
                 const std::function<void(const sql::Row&)>& each) {
  connection_.query(context_.store.main(sql), values, each);
}

std::optional<Id> Work::id_of(std::string_view sql, std::initializer_list<sql::Value> values) {
  return connection_.scalar(context_.store.main(sql), values);
}

namespace detail {

namespace {
void drop_provisioned(const Context& context, std::vector<Id>& made) {
  for (Id id : std::exchange(made, {})) context.store.drop(id);
}
}  // namespace

Result<> change(const Context& context, const std::function<Result<>(Work&)>& work, bool trial) {
  Result<> outcome;
  std::vector<Id> made;
  try {
    context.store.change([&](sql::Connection& connection) {
      drop_provisioned(context, made);  // of a run that the database undid
      Work w(context, connection);
      w.trial = trial;
      outcome = work(w);
      made = std::move(w.provisioned);
      if (!outcome || trial) throw Undo();
    });
  } catch (const Undo&) {
    drop_provisioned(context, made);
  } catch (const sql::Failure& failure) {
    drop_provisioned(context, made);
    if (failure.kind() == sql::FailureKind::Duplicate)
      return fail(ErrorKind::Conflict, "has already been taken meanwhile", failure.what());
    if (failure.kind() == sql::FailureKind::Data)
      return fail(ErrorKind::Invalid, "a value does not fit its column", failure.what());
    throw;
  }
  return outcome;
}

}  // namespace detail

}  // namespace posthaste::manage
