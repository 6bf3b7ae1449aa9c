#include "config/field.h"
#include "config/setting.h"

namespace posthaste::config {

namespace {

std::string not_negative(const Value& value) {
  const double number = std::get<double>(value);
  return number >= 0 ? std::string() : fmt::format("must not be negative, is {}", number);
}

Settings dns_settings() {
  return {
      list("dns.mx_records", {"mx1.postal.example.com", "mx2.postal.example.com"},
           "MX hosts that hosted domains should name.")
          .v1_same()
          .into(FIELD(dns.mx_records)),
      text("dns.spf_include", "spf.postal.example.com", "Host that domains include in their SPF record.")
          .v1_same()
          .into(FIELD(dns.spf_include)),
      text("dns.return_path_domain", "rp.postal.example.com",
           "Domain of MAIL FROM when a domain has no return path of its own; right-hand side of generated Message-IDs.")
          .v1("dns.return_path")
          .into(FIELD(dns.return_path_domain)),
      text("dns.route_domain", "routes.postal.example.com", "Domain of the routes' forwarding addresses.")
          .v1_same()
          .into(FIELD(dns.route_domain)),
      text("dns.track_domain", "track.postal.example.com", "CNAME target of tracking domains.")
          .v1_same()
          .into(FIELD(dns.track_domain)),
      text("dns.helo_hostname", nullptr, "HELO name of the SMTP client when the source address has none.")
          .v1_same()
          .into(FIELD(dns.helo_hostname)),
      text("dns.dkim_identifier", "postal", "First part of DKIM selectors; selector of the return path domain.")
          .v1_same()
          .into(FIELD(dns.dkim_identifier)),
      text("dns.domain_verify_prefix", "postal-verification", "First word of the verification record.")
          .v1_same()
          .into(FIELD(dns.domain_verify_prefix)),
      text("dns.custom_return_path_prefix", "psrp", "`<prefix>.<domain>` is a domain's own return path.")
          .v1_same()
          .into(FIELD(dns.custom_return_path_prefix)),
      integer("dns.timeout", 5, "Seconds for a DNS answer.").at_least(1).into(FIELD(dns.timeout)),
      text("dns.resolv_conf_path", "/etc/resolv.conf", "File that names the resolvers.")
          .path()
          .into(FIELD(dns.resolv_conf_path)),
      text("dns.dmarc_record", "v=DMARC1; p=none; rua=mailto:postmaster@%{domain}", "DMARC record that is suggested.")
          .ours()
          .into(FIELD(dns.dmarc_record)),
  };
}

Settings client_settings() {
  return {
      integer("smtp_client.open_timeout", 30, "Seconds to connect, TLS included.")
          .v1_same()
          .at_least(1)
          .into(FIELD(smtp_client.open_timeout)),
      integer("smtp_client.read_timeout", 30, "Seconds to wait for a reply. (The reply to a message may take longer.)")
          .v1_same()
          .at_least(1)
          .into(FIELD(smtp_client.read_timeout)),
      boolean("delivery.verp", true, "Give each message its own return path, so that bounces are matched surely.")
          .ours()
          .into(FIELD(delivery.verp)),
      real("delivery.retry_jitter", 0.1, "Spreads retries: each delay is made longer by up to this part of it.")
          .ours()
          .checked(not_negative)
          .into(FIELD(delivery.retry_jitter)),
      real("delivery.retry_scale", 1.0, "Multiplies every retry delay; for tests.")
          .ours()
          .checked(not_negative)
          .into(FIELD(delivery.retry_scale)),
  };
}

Settings own_mail_settings() {
  return {
      text("smtp.host", "127.0.0.1", "Server that takes the mails of the application itself.")
          .v1_same()
          .into(FIELD(smtp.host)),
      integer("smtp.port", 25, "Its port.").v1_same().port().into(FIELD(smtp.port)),
      text("smtp.username", nullptr, "User; empty: no authentication.").v1_same().into(FIELD(smtp.username)),
      text("smtp.password", nullptr, "Password.").v1_same().secret().into(FIELD(smtp.password)),
      text("smtp.authentication_type", "login", "`plain`, `login` or `cram_md5`; empty: no authentication.")
          .optional()
          .expected({"plain", "login", "cram_md5"})
          .into(FIELD(smtp.authentication_type)),
      boolean("smtp.enable_starttls", false, "Insist on STARTTLS.").into(FIELD(smtp.enable_starttls)),
      boolean("smtp.enable_starttls_auto", true, "Use STARTTLS when it is offered.")
          .into(FIELD(smtp.enable_starttls_auto)),
      text("smtp.openssl_verify_mode", "peer", "`peer` checks the server's certificate, `none` does not.")
          .expected({"peer", "none"})
          .into(FIELD(smtp.openssl_verify_mode)),
      text("smtp.from_name", "Postal", "Name of the sender.").v1_same().into(FIELD(smtp.from_name)),
      text("smtp.from_address", "postal@example.com", "Address of the sender.")
          .v1_same()
          .into(FIELD(smtp.from_address)),
  };
}

Setting most_bytes(std::string key, std::int64_t fallback) {
  return integer(std::move(key), fallback, "Bytes; larger messages are not given to it. 0: any.").ours().at_least(0);
}

Settings inspection_settings() {
  constexpr auto kHost = "Its host; a path is that of a UNIX socket.";
  return {
      boolean("rspamd.enabled", false, "Score messages with rspamd; wins over `spamd`.")
          .v1_same()
          .into(FIELD(rspamd.enabled)),
      text("rspamd.host", "127.0.0.1", "Its host.").v1_same().into(FIELD(rspamd.host)),
      integer("rspamd.port", 11334, "Its port.").v1_same().port().into(FIELD(rspamd.port)),
      boolean("rspamd.ssl", false, "Speak HTTPS to it.").v1_same().into(FIELD(rspamd.ssl)),
      text("rspamd.password", nullptr, "Value of the header `Password`.")
          .v1_same()
          .secret()
          .into(FIELD(rspamd.password)),
      text("rspamd.flags", nullptr, "Value of the header `Flags`.").v1_same().into(FIELD(rspamd.flags)),
      text("rspamd.score", "symbols",
           "What counts: `symbols`, as Postal does it (the sum of the symbols that have a description, asked without "
           "naming the client), or `total`, rspamd's own score with all that it can check.")
          .ours()
          .modern("total")
          .one_of({"symbols", "total"})
          .into(FIELD(rspamd.score)),
      most_bytes("rspamd.max_message_size", 52428800).into(FIELD(rspamd.max_message_size)),
      boolean("spamd.enabled", false, "Score messages with SpamAssassin.").v1_same().into(FIELD(spamd.enabled)),
      text("spamd.host", "127.0.0.1", kHost).v1_same().into(FIELD(spamd.host)),
      integer("spamd.port", 783, "Its port.").v1_same().port().into(FIELD(spamd.port)),
      most_bytes("spamd.max_message_size", 0).into(FIELD(spamd.max_message_size)),
      boolean("clamav.enabled", false, "Look for viruses with ClamAV.").v1_same().into(FIELD(clamav.enabled)),
      text("clamav.host", "127.0.0.1", kHost).v1_same().into(FIELD(clamav.host)),
      integer("clamav.port", 2000, "Its port.").v1_same().port().into(FIELD(clamav.port)),
      most_bytes("clamav.max_message_size", 26214400).into(FIELD(clamav.max_message_size)),
      integer("inspection.concurrency", 10, "Messages that are with the scanners at the same time.")
          .ours()
          .at_least(1)
          .into(FIELD(inspection.concurrency)),
  };
}

}  // namespace

Settings delivery_settings() {
  Settings all = dns_settings();
  for (auto part : {client_settings(), own_mail_settings(), inspection_settings()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace posthaste::config
