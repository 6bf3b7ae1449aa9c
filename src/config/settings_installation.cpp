#include "config/field.h"
#include "config/setting.h"

namespace posthaste::config {

namespace {

std::string wrong_relay(const Value& value) {
  for (const auto& item : std::get<std::vector<std::string>>(value))
    if (auto relay = parse_relay(item); !relay) return relay.error();
  return {};
}

void store_relays(Config& config, const Value& value) {
  config.postal.smtp_relays.clear();
  for (const auto& item : std::get<std::vector<std::string>>(value))
    if (auto relay = parse_relay(item)) config.postal.smtp_relays.push_back(std::move(*relay));
}

Settings postal_settings() {
  return {
      text("postal.web_hostname", "postal.example.com", "Host name of the web interface and the HTTP API.")
          .v1("web.host")
          .into(FIELD(postal.web_hostname)),
      text("postal.web_protocol", "https", "Scheme in front of `web_hostname` in links.")
          .v1("web.protocol")
          .expected({"http", "https"})
          .into(FIELD(postal.web_protocol)),
      text("postal.smtp_hostname", "postal.example.com",
           "Name in the SMTP banner and in `Received:`; the client's HELO name when nothing else is set.")
          .v1("dns.smtp_server_hostname")
          .into(FIELD(postal.smtp_hostname)),
      boolean("postal.use_ip_pools", false, "Send from the addresses of IP pools.")
          .v1("general.use_ip_pools")
          .into(FIELD(postal.use_ip_pools)),
      integer("postal.default_maximum_delivery_attempts", 18, "A message fails for good after this many attempts.")
          .v1("general.maximum_delivery_attempts")
          .at_least(1)
          .into(FIELD(postal.default_maximum_delivery_attempts)),
      integer("postal.default_maximum_hold_expiry_days", 7, "Days until the hold on a message ends by itself.")
          .v1("general.maximum_hold_expiry_days")
          .at_least(0)
          .into(FIELD(postal.default_maximum_hold_expiry_days)),
      integer("postal.default_suppression_list_automatic_removal_days", 30,
              "Days that an address stays on the suppression list.")
          .v1("general.suppression_list_removal_delay")
          .at_least(0)
          .into(FIELD(postal.default_suppression_list_automatic_removal_days)),
      integer("postal.default_spam_threshold", 5, "Spam threshold given to new mail servers.")
          .v1("general.default_spam_threshold")
          .into(FIELD(postal.default_spam_threshold)),
      integer("postal.default_spam_failure_threshold", 20, "Spam failure threshold given to new mail servers.")
          .v1("general.default_spam_failure_threshold")
          .into(FIELD(postal.default_spam_failure_threshold)),
      boolean("postal.use_local_ns_for_domain_verification", false,
              "Check domains through the nameservers of `dns.resolv_conf_path` instead of the domain's own.")
          .v1("general.use_local_ns_for_domains")
          .into(FIELD(postal.use_local_ns_for_domain_verification)),
      boolean("postal.use_resent_sender_header", true, "Put `Resent-Sender:` in front of outgoing messages.")
          .v1("general.use_resent_sender_header")
          .into(FIELD(postal.use_resent_sender_header)),
      text("postal.signing_key_path", "$config-file-root/signing.key",
           "RSA key (PEM) that signs webhooks and mail of domains without a working DKIM record.")
          .path()
          .into(FIELD(postal.signing_key_path)),
      list("postal.smtp_relays", {},
           "Relays that take all outgoing mail: `smtp://[user:password@]host[:port][?ssl_mode=Auto]` (ssl_mode `None`, "
           "`Auto`, `STARTTLS` or `TLS`), `smtps://host` or `host[:port]`. Empty: deliver to the recipient's MX hosts.")
          .v1("smtp_relays")
          .checked(wrong_relay)
          .stored(store_relays),
      list("postal.trusted_proxies", {}, "Addresses and networks whose `X-Forwarded-For` is believed.")
          .networks()
          .into(FIELD(postal.trusted_proxies)),
      integer("postal.queued_message_lock_stale_days", 1,
              "Queue rows that another program locked longer ago are freed. (Postal deletes them.)")
          .at_least(0)
          .into(FIELD(postal.queued_message_lock_stale_days)),
      boolean("postal.batch_queued_messages", true,
              "Accepted for Postal's sake; messages for the same place always share connections.")
          .ignored()
          .into(FIELD(postal.batch_queued_messages)),
      list("postal.allowed_request_destinations", {},
           "Host names, addresses and networks that webhooks and HTTP endpoints may reach although they are private.")
          .into(FIELD(postal.allowed_request_destinations)),
  };
}

Settings posthaste_settings() {
  return {
      text("posthaste.profile", nullptr,
           "`postal` keeps Postal's defaults, `modern` takes those of good practice. Without it: `postal` for a file "
           "without a `posthaste:` section, `modern` otherwise.")
          .ours()
          .one_of({"postal", "modern"})
          .used()
          .derives("by the file"),
      text("posthaste.database", "auto",
           "`sqlite`, `mariadb`, or `auto`: MariaDB if any `main_db` setting is given, SQLite otherwise.")
          .ours()
          .one_of({"auto", "sqlite", "mariadb"})
          .into(FIELD(posthaste.database)),
      text("posthaste.data_path", "$config-file-root/data", "Folder of the SQLite files and the admin socket.")
          .ours()
          .path()
          .into(FIELD(posthaste.data_path)),
      boolean("posthaste.coexist_with_postal", false,
              "Set while Postal's own processes still run on the same databases.")
          .ours()
          .into(FIELD(posthaste.coexist_with_postal)),
  };
}

Settings sign_in_settings() {
  return {
      boolean("oidc.enabled", false, "Offer sign-in through an OpenID Connect provider."),
      boolean("oidc.local_authentication_enabled", true, "Keep sign-in by password beside OpenID Connect."),
      text("oidc.name", "OIDC Provider", "Label of the sign-in button."),
      text("oidc.issuer", nullptr, "Issuer, exactly as in the provider's `iss`; base of discovery.").url(),
      text("oidc.identifier", nullptr, "Client id."),
      text("oidc.secret", nullptr, "Client secret.").secret(),
      list("oidc.scopes", {"openid", "email"}, "Scopes asked for."),
      text("oidc.uid_field", "sub", "Claim with the user's id."),
      text("oidc.email_address_field", "email", "Claim with the e-mail address."),
      text("oidc.name_field", "name", "Claim with the name."),
      boolean("oidc.discovery", true, "Find the endpoints by discovery; otherwise the four below are used."),
      text("oidc.authorization_endpoint", nullptr, "Authorization endpoint without discovery.").url(),
      text("oidc.token_endpoint", nullptr, "Token endpoint without discovery.").url(),
      text("oidc.userinfo_endpoint", nullptr, "User info endpoint without discovery.").url(),
      text("oidc.jwks_uri", nullptr, "Key set without discovery.").url(),
      boolean("oidc.strict", false, "Refuse sign-in when the provider does not say whether the address is verified.")
          .ours(),
      boolean("oidc.pkce", true, "Use PKCE.").ours(),
      text("oidc.require_verified_email", "true",
           "`true`: an address marked unverified is refused; `strict`: one not marked verified, too; `false`: neither.")
          .ours()
          .one_of({"true", "false", "strict"}),
      boolean("oidc.auto_create_users", false, "Create users at their first sign-in.").ours(),
      list("oidc.allowed_email_domains", {}, "Domains of users that may be created; empty: all.").ours(),
      text("oidc.groups_field", "groups", "Claim with the groups.").ours(),
      list("oidc.admin_groups", {}, "Groups whose members are administrators.").ours(),
      list("oidc.role_map", {}, "Memberships that follow from groups: `group=organization:role`.").ours(),
      text("auth.require_two_factor", "none", "Who must use a second factor: `none`, `admins`, `all`.")
          .ours()
          .one_of({"none", "admins", "all"}),
      integer("auth.session_idle_hours", 12, "Hours until an idle session ends.").ours().at_least(1),
      integer("auth.session_persistent_days", 60, "Days that a remembered session lasts.").ours().at_least(1),
      integer("auth.password_minimum_length", 10, "Shortest new password.").ours().at_least(8),
      integer("audit.retention_days", 365, "Days that audit events are kept; 0: for ever.").ours().at_least(0),
      text("ui.default_locale", "en", "Language of the web interface.").ours(),
      boolean("notifications.dns_errors", true, "Mail about DNS records that broke.").ours(),
      boolean("notifications.webhook_failures", true, "Mail about webhooks that keep failing.").ours(),
  };
}

}  // namespace

Settings installation_settings() {
  Settings all = postal_settings();
  for (auto part : {posthaste_settings(), sign_in_settings()}) all.insert(all.end(), part.begin(), part.end());
  all.push_back(text("rails.environment", "production", "`production`, `development` or `test`; a label of logs.")
                    .v1_same()
                    .into(FIELD(rails.environment)));
  all.push_back(text("rails.secret_key", nullptr, "Key material of cookies and tokens.")
                    .v1_same()
                    .secret()
                    .into(FIELD(rails.secret_key)));
  return all;
}

}  // namespace posthaste::config
