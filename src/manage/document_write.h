// Stored rows as items of a document.
#pragma once

#include "manage/document.h"

namespace posthaste::manage {

// What of an item is written.
struct WriteOptions {
  bool ids = true;       // `id` of rows: in what apply prints, not in an export
  bool keys = true;      // credential keys
  bool secrets = false;  // private keys, password digests: all that another installation needs to take over
};

Tree write_user(const User& user, const WriteOptions& options);
Tree write_ip_address(const IpAddress& address, const WriteOptions& options);
Tree write_ip_pool(const IpPool& pool, const WriteOptions& options);
Tree write_organization(Work& work, const Organization& organization, const WriteOptions& options);
Tree write_server(Work& work, const Server& server, const WriteOptions& options);
Tree write_domain(Work& work, const Domain& domain, const WriteOptions& options);
Tree write_credential(const Credential& credential, const WriteOptions& options);
Tree write_endpoint(const Row<HttpEndpointFields>& endpoint, const WriteOptions& options);
Tree write_endpoint(const Row<SmtpEndpointFields>& endpoint, const WriteOptions& options);
Tree write_endpoint(const Row<AddressEndpointFields>& endpoint, const WriteOptions& options);
Tree write_route(Work& work, const Route& route, const WriteOptions& options);
Tree write_webhook(const Webhook& webhook, const WriteOptions& options);
Tree write_track_domain(Work& work, const TrackDomain& track, const WriteOptions& options);
Tree write_suppression(const Suppression& suppression);

}  // namespace posthaste::manage
