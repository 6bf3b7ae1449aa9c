#include "api/v1/authentication.h"

#include "api/v1/text.h"
#include "base/strings.h"

namespace posthaste::api::v1 {

namespace {

// An IPv6 customer has a /64 of addresses: they count as one.
std::string key_of(IpAddress address) {
  if (address.v6) std::fill(address.bytes.begin() + 8, address.bytes.end(), std::uint8_t{0});
  return address.text();
}

bool trusted_proxy(const IpAddress& address, const std::vector<IpNetwork>& trusted) {
  static const IpNetwork kUniqueLocal = *IpNetwork::parse("fc00::/7");
  if (address.loopback() || kUniqueLocal.contains(address)) return true;
  return std::ranges::any_of(trusted, [&](const auto& network) { return network.contains(address); });
}

Answer invalid_key(std::string_view key) {
  auto data = writer();
  data.begin_object().field("message", "The API token provided in X-Server-API-Key was not valid.").field("token", key);
  return error("InvalidServerAPIKey", std::move(data));
}

}  // namespace

int FailureLimit::count(const IpAddress& client, Time now) {
  const std::scoped_lock lock(mutex_);
  if (counts_.size() >= kMaxAddresses)
    std::erase_if(counts_, [&](const auto& item) { return item.second.since + kWindow <= now; });
  if (counts_.size() >= kMaxAddresses) counts_.clear();
  Count& count = counts_[key_of(client)];
  if (count.failures == 0 || count.since + kWindow <= now) count = {now, 0};
  if (++count.failures <= kFailures) return 0;
  return static_cast<int>(std::chrono::ceil<std::chrono::seconds>(count.since + kWindow - now).count());
}

std::expected<Caller, Answer> authenticate(const store::Directory& directory, const io::HttpRequest& request,
                                           const IpAddress& client, FailureLimit& failures, Time now) {
  const auto key = request.header("X-Server-API-Key");
  if (is_unicode_blank(key)) return std::unexpected(error("AccessDenied", "Must be authenticated as a server."));
  const auto* credential = directory.credential_by_key(store::CredentialType::Api, key);
  const auto* server = credential ? directory.server(credential->server_id) : nullptr;
  if (!server) {
    const int wait = failures.count(client, now);
    return std::unexpected(wait > 0 ? too_many_requests(wait) : invalid_key(key));
  }
  if (directory.suspended(*server)) return std::unexpected(error("ServerSuspended", ""));
  return Caller{server, credential};
}

IpAddress client_address(const io::HttpRequest& request, const std::vector<IpNetwork>& trusted) {
  if (!trusted_proxy(request.peer, trusted)) return request.peer;
  std::vector<std::string_view> chain;
  for (const auto& [name, value] : request.headers)
    if (iequals(name, "X-Forwarded-For"))
      for (auto part : split(value, ',')) chain.push_back(trim(part));
  IpAddress client = request.peer;
  for (auto entry = chain.rbegin(); entry != chain.rend(); ++entry) {
    const auto address = IpAddress::parse(*entry);
    if (!address) break;
    client = *address;
    if (!trusted_proxy(client, trusted)) break;
  }
  return client;
}

}  // namespace posthaste::api::v1
