// Puts the items of a document into the installation, one transaction at a time, and notes what that changed.
#pragma once

#include "manage/document.h"

namespace posthaste::manage {

class Putter {
 public:
  Putter(Work& work, bool prune) : work_(work), prune_(prune) {}

  // Each returns the item as it is stored then.
  Result<Tree> user(const Item<UserFields>& item);
  Result<Tree> ip_pool(const IpPoolItem& item);
  // With its domains, without its mail servers.
  Result<Tree> organization(const OrganizationItem& item);
  // With all that belongs to it but suppressions. The organization must be there.
  Result<Tree> server(const ServerItem& item, std::string_view organization, Id organization_id);

  // Removes what of these lists the document does not name: organizations, mail servers, IP pools, users.
  Result<> remove_others(const Document& document);

  std::vector<DocumentChange> changes;
  std::vector<Id> new_track_domains;
  Id last_id = 0;  // of the organization or server put last

 private:
  Result<Tree> domain(const DomainItem& item, Owner owner, std::string_view of);
  Result<Tree> credential(const Item<CredentialFields>& item);
  template <class Fields>
  Result<Tree> endpoint(const Item<Fields>& item);
  Result<Tree> route(const RouteItem& item);
  Result<Tree> webhook(const Item<WebhookFields>& item);
  Result<Tree> track_domain(const TrackDomainItem& item);
  Result<Tree> ip_address(const Item<IpAddressFields>& item, Id pool_id, std::string_view pool);
  Result<> server_lists(const ServerItem& item, Tree& out);
  Result<> remove_other_rows(const ServerItem& item, const Tree& put);
  Result<> remove_other_servers(const OrganizationItem& item);
  std::optional<Domain> usable_domain(std::string_view name);
  Result<EndpointRef> endpoint_ref(const EndpointName& name);

  void note(std::string action, std::string kind, std::string name, std::vector<std::string> details = {});
  template <class Row, class Create, class Update>
  Result<Row> put(std::string_view kind, std::string name, const auto& item, const std::optional<Row>& found,
                  Create&& create, Update&& update);
  // Puts each item of a list and sets the list in `out` under `key`.
  template <class T>
  Result<> put_list(const Named<T>& items, std::string key, Tree& out, auto&& put_one);
  // Deletes the rows whose ids are not among the items put under `key`, if the document named that list.
  template <class Rows>
  Result<> remove_rows(const Tree& put, std::string_view key, std::string_view kind, const Rows& rows, auto&& name_of,
                       auto&& remove);

  Work& work_;
  bool prune_;
  // The mail server whose lists are being put.
  Id server_id_ = 0, organization_id_ = 0;
  std::string server_path_;
};

}  // namespace posthaste::manage
