// The installation as a document: what `export` writes, `plan` compares and `apply` makes true.
//
// A document is a map of lists of items, each found by its key. What it does not name stays; with `prune`, the lists
// that it names are made to hold nothing else (a list that it does not name stays whole). Read-only values that `apply`
// fills in (ids, records) are known and ignored, so that what `apply` and `export` print can be applied again; secrets
// (keys, tokens, digests) are taken for items that are new.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manage/credentials.h"
#include "manage/domains.h"
#include "manage/endpoints.h"
#include "manage/ip_pools.h"
#include "manage/organizations.h"
#include "manage/routes.h"
#include "manage/servers.h"
#include "manage/suppressions.h"
#include "manage/track_domains.h"
#include "manage/tree.h"
#include "manage/users.h"
#include "manage/webhooks.h"

namespace posthaste::manage {

template <class Fields_>
struct Item {
  using Fields = Fields_;
  Fields fields;
  std::string uuid;
  std::string path;  // `organizations[acme].servers[mail]`
  int line = 0;
};
// Nothing: the document does not speak of them.
template <class T>
using Named = std::optional<std::vector<T>>;

struct DomainItem : Item<DomainFields> {
  Field<bool> verified;
};
struct EndpointName {
  std::string kind, name;  // http, smtp, address
};
struct RouteItem : Item<RouteFields> {
  Field<std::string> domain;
  Field<EndpointName> endpoint;
  Named<EndpointName> additional;
};
struct TrackDomainItem : Item<TrackDomainFields> {
  Field<std::string> domain;
};
struct ServerItem : Item<ServerFields> {
  Field<std::string> suspended, ip_pool;
  Named<DomainItem> domains;
  Named<Item<CredentialFields>> credentials;
  Named<Item<HttpEndpointFields>> http_endpoints;
  Named<Item<SmtpEndpointFields>> smtp_endpoints;
  Named<Item<AddressEndpointFields>> address_endpoints;
  Named<RouteItem> routes;
  Named<Item<WebhookFields>> webhooks;
  Named<TrackDomainItem> track_domains;
  Named<NewSuppression> suppressions;
};
struct OrganizationItem : Item<OrganizationFields> {
  Field<std::string> suspended, owner;  // owner: a user's address
  Named<std::string> members, ip_pools;
  Named<DomainItem> domains;
  Named<ServerItem> servers;
};
struct IpPoolItem : Item<IpPoolFields> {
  Named<Item<IpAddressFields>> ip_addresses;
};

struct Document {
  Named<Item<UserFields>> users;
  Named<IpPoolItem> ip_pools;
  Named<OrganizationItem> organizations;
};

// Errors (Invalid) name every unknown key and every value of the wrong kind with line and path; error_messages() gives
// them one by one.
Result<Document> read_document(std::string_view text);

struct DocumentChange {
  std::string action;        // create, update, restore, remove
  std::string kind;          // `domain`
  std::string name;          // `acme/mail sender.test`
  std::string details;       // of an update: what differs
  std::string text() const;  // `update server acme/mail: mode`
};

// What apply would do, in order. Fails where apply would.
Result<std::vector<DocumentChange>> plan_document(const Context& context, const Document& document, bool prune = false);

struct Applied {
  Tree document;  // the same document with what was generated filled in
  std::vector<DocumentChange> changes;
  std::vector<Id> new_track_domains;  // to be checked in the DNS (dns_check.h)
};
// One transaction for users, IP pools and organizations, one for each mail server; what was done before an error stays.
// What is as it should be is not written. Blocks: on a pool thread.
Result<Applied> apply_document(const Context& context, const Document& document, bool prune = false);

struct ExportOptions {
  std::string organization;  // permalink, id or UUID; empty: all, users and IP pools, too
  bool with_secrets = false;
};
Result<Tree> export_document(const Context& context, const ExportOptions& options);

}  // namespace posthaste::manage
