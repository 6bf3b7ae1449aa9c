// The snapshot of the configuration tables: read, swapped, changed.
#include "store/directory_watch.h"
#include "store/store_impl.h"

namespace posthaste::store {

std::shared_ptr<const Directory> StoreImpl::directory() const { return snapshot_.load(); }

void StoreImpl::install(ConfigurationRows rows, std::string mark) {
  const SnapshotPtr before = snapshot();
  auto next = std::make_shared<const Snapshot>(std::move(rows));
  if (before && databases_->sqlite())
    for (const Server* server : next->servers())
      if (!before->server(server->id)) {  // new, or restored with its queue
        due_.note(server->id, Time{});
        requests_.note_due(server->id, Time{});
      }
  if (before &&
      std::ranges::any_of(before->ip_addresses(), [&](const auto* row) { return !next->ip_address(row->id); }))
    sources_gone_ = true;
  snapshot_.store(std::move(next));
  mark_ = std::move(mark);
}

void StoreImpl::reload_directory() {
  const std::scoped_lock lock(reload_mutex_);
  const sql::Names names = databases_->names(0);
  ConfigurationRows rows;
  std::string mark;
  with_connection(*databases_->main().read, [&](sql::Connection& connection) {
    // The mark first: what changes while the tables are read is noticed the next time.
    mark = configuration_mark(connection, names);
    rows = read_configuration(connection, names);
  });
  install(std::move(rows), std::move(mark));
}

void StoreImpl::poll_changes() {
  std::string mark;
  with_connection(*databases_->main().read,
                  [&](sql::Connection& connection) { mark = configuration_mark(connection, databases_->names(0)); });
  {
    const std::scoped_lock lock(reload_mutex_);
    if (mark == mark_) return;
  }
  reload_directory();
}

void StoreImpl::change(const std::function<void(sql::Connection&)>& work) {
  in_transaction(*databases_->main().write, [&](sql::Connection& connection) {
    work(connection);
    announce_change(connection, databases_->names(0));
  });
  reload_directory();
}

void StoreImpl::read(const std::function<void(sql::Connection&)>& work) {
  with_connection(*databases_->main().read, work);
}

std::string StoreImpl::main(std::string_view sql) const { return sql::bind_names(sql, databases_->names(0)); }

}  // namespace posthaste::store
