#include "store/directory_load.h"

namespace posthaste::store {

namespace {

constexpr int kHttpTimeout = 5;
constexpr int kSmtpPort = 25;

std::vector<HttpEndpoint> read_http_endpoints(Reader& reader) {
  return reader.rows<HttpEndpoint>(
      "SELECT id, server_id, uuid, name, url, encoding, format, strip_replies, include_attachments, timeout "
      "FROM {main}`http_endpoints` ORDER BY id",
      [](Columns& c, HttpEndpoint& e) {
        e.id = c.id();
        e.server_id = c.id();
        for (std::string* text : {&e.uuid, &e.name, &e.url, &e.encoding, &e.format}) *text = c.text();
        e.strip_replies = c.flag();
        e.include_attachments = c.flag();
        e.timeout = int(c.maybe_id().value_or(kHttpTimeout));
      });
}

std::vector<SmtpEndpoint> read_smtp_endpoints(Reader& reader) {
  return reader.rows<SmtpEndpoint>(
      "SELECT id, server_id, uuid, name, hostname, ssl_mode, port FROM {main}`smtp_endpoints` ORDER BY id",
      [](Columns& c, SmtpEndpoint& e) {
        e.id = c.id();
        e.server_id = c.id();
        for (std::string* text : {&e.uuid, &e.name, &e.hostname, &e.ssl_mode}) *text = c.text();
        e.port = int(c.maybe_id().value_or(kSmtpPort));
      });
}

std::vector<AddressEndpoint> read_address_endpoints(Reader& reader) {
  return reader.rows<AddressEndpoint>("SELECT id, server_id, uuid, address FROM {main}`address_endpoints` ORDER BY id",
                                      [](Columns& c, AddressEndpoint& e) {
                                        e.id = c.id();
                                        e.server_id = c.id();
                                        e.uuid = c.text();
                                        e.address = c.text();
                                      });
}

std::vector<AdditionalEndpoint> read_additional_endpoints(Reader& reader) {
  return reader.rows<AdditionalEndpoint>(
      "SELECT id, route_id, endpoint_id, endpoint_type FROM {main}`additional_route_endpoints` ORDER BY id",
      [](Columns& c, AdditionalEndpoint& e) {
        e.id = c.id();
        e.route_id = c.id();
        e.endpoint_id = c.id();
        e.endpoint_type = c.text();
      });
}

std::vector<Webhook> read_webhooks(Reader& reader) {
  auto hooks = reader.rows<Webhook>(
      "SELECT id, server_id, uuid, name, url, all_events, enabled FROM {main}`webhooks` ORDER BY id",
      [](Columns& c, Webhook& w) {
        w.id = c.id();
        w.server_id = c.id();
        for (std::string* text : {&w.uuid, &w.name, &w.url}) *text = c.text();
        w.all_events = c.flag();
        w.enabled = c.flag();
      });
  struct Named {
    Id webhook_id = 0;
    std::string event;
  };
  std::unordered_map<Id, Webhook*> by_id;
  for (Webhook& hook : hooks) by_id.emplace(hook.id, &hook);
  for (Named& named :
       reader.rows<Named>("SELECT webhook_id, event FROM {main}`webhook_events` ORDER BY id", [](Columns& c, Named& n) {
         n.webhook_id = c.id();
         n.event = c.text();
       }))
    if (const auto hook = by_id.find(named.webhook_id); hook != by_id.end() && !hook->second->all_events)
      hook->second->events.push_back(std::move(named.event));
  return hooks;
}

std::vector<TrackDomain> read_track_domains(Reader& reader) {
  return reader.rows<TrackDomain>(
      "SELECT id, server_id, domain_id, uuid, name, dns_status, ssl_enabled, track_clicks, track_loads, "
      "excluded_click_domains FROM {main}`track_domains` ORDER BY id",
      [](Columns& c, TrackDomain& t) {
        t.id = c.id();
        t.server_id = c.id();
        t.domain_id = c.maybe_id().value_or(0);
        t.uuid = c.text();
        t.name = c.text();
        t.dns_status = c.text();
        t.ssl_enabled = c.flag();
        t.track_clicks = c.flag();
        t.track_loads = c.flag();
        t.excluded_click_domains = c.text();
      });
}

}  // namespace

void read_endpoints(Reader& reader, ConfigurationRows& rows) {
  rows.http_endpoints = read_http_endpoints(reader);
  rows.smtp_endpoints = read_smtp_endpoints(reader);
  rows.address_endpoints = read_address_endpoints(reader);
  rows.additional_endpoints = read_additional_endpoints(reader);
  rows.webhooks = read_webhooks(reader);
  rows.track_domains = read_track_domains(reader);
}

}  // namespace posthaste::store
