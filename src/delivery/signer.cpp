#include "delivery/signer.h"

#include <stdexcept>

#include "base/log.h"

namespace posthaste::delivery {

Signer::Signer(const config::Config& config) : config_(config) {
  auto key = trust::SigningKey::from_file(config.postal.signing_key_path);
  if (!key) {
    log::error("worker", "cannot read the signing key: " + key.error().text,
               {{"path", config.postal.signing_key_path}, {"cause", key.error().cause}});
    return;
  }
  installation_key_ = std::move(*key);
  if (config.delivery.verp) tags_.emplace(*installation_key_);
}

std::string Signer::signature(const store::Domain& domain, const store::RawMessage& raw, Time now) {
  if (domain.dkim_status == "OK") {
    const std::string selector = config_.dns.dkim_identifier + "-" + domain.dkim_identifier_string;
    if (const auto key = key_of(domain)) {
      return trust::dkim_signature(raw.headers(), raw.body(), *key, {domain.name, selector}, now);
    }
  }
  if (!installation_key_) throw std::runtime_error("no signing key at " + config_.postal.signing_key_path);
  return trust::dkim_signature(raw.headers(), raw.body(), *installation_key_,
                               {config_.dns.return_path_domain, config_.dns.dkim_identifier}, now);
}

std::optional<trust::SigningKey> Signer::key_of(const store::Domain& domain) {
  std::lock_guard lock(mutex_);
  Kept& kept = keys_[domain.id];
  if (kept.pem == domain.dkim_private_key && !kept.pem.empty()) return kept.key;
  kept.pem = domain.dkim_private_key;
  auto key = trust::SigningKey::from_pem(domain.dkim_private_key);
  if (!key) {
    log::error("worker", "cannot use the DKIM key of a domain; signing for the installation instead",
               {{"domain", domain.name}, {"error", key.error().text}});
  }
  kept.key = key ? std::optional(*key) : std::nullopt;
  return kept.key;
}

}  // namespace posthaste::delivery
