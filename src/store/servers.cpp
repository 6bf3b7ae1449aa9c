#include "store/schema.h"
#include "store/store_impl.h"

namespace posthaste::store {

void StoreImpl::change_messages(Id server_id, const std::function<void(sql::Connection&)>& work) {
  in_transaction(*databases_->messages(server_id).write, work);
}

void StoreImpl::read_messages(Id server_id, const std::function<void(sql::Connection&)>& work) {
  with_connection(*databases_->messages(server_id).read, work);
}

std::string StoreImpl::message(Id server_id, std::string_view sql) const {
  return sql::bind_names(sql, databases_->names(server_id));
}

Result<> StoreImpl::provision(Id server_id) { return provision_database(*config_, server_id); }

void StoreImpl::drop(Id server_id) {
  databases_->forget(server_id);
  raw_tables_.forget(server_id);
  drop_database(*config_, server_id);
}

}  // namespace posthaste::store
