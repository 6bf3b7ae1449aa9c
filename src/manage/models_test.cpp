// The rules of each model in Postal's words, and what a change leaves in the tables. Documents (document_test.cpp) take
// the same statements to MariaDB.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manage/credentials.h"
#include "manage/domains.h"
#include "manage/endpoints.h"
#include "manage/ip_pools.h"
#include "manage/organizations.h"
#include "manage/password.h"
#include "manage/problems.h"
#include "manage/routes.h"
#include "manage/servers.h"
#include "manage/suppressions.h"
#include "manage/testing_context.h"
#include "manage/track_domains.h"
#include "manage/users.h"
#include "manage/webhooks.h"
#include "trust/dkim.h"

namespace posthaste::manage {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

constexpr Id kServer = 1, kOrganization = 1;

class Models : public ::testing::Test {
 protected:
  // One change that is to succeed; its value.
  template <class F>
  auto change(F&& work) {
    auto outcome = in_change(managed.context, work);
    if (!outcome) throw std::runtime_error(outcome.error().text);
    if constexpr (!std::is_void_v<typename decltype(outcome)::value_type>) return std::move(*outcome);
  }
  // The sentences with which it is refused.
  template <class F>
  std::vector<std::string> refused(F&& work) {
    auto outcome = in_change(managed.context, work);
    return outcome ? std::vector<std::string>() : error_messages(outcome.error());
  }
  Id domain(std::string name, bool verified = true) {
    DomainFields fields;
    fields.name = std::move(name);
    if (verified) fields.verified_at = system_now();
    fields.dkim_private_key = key;
    return change([&](Work& w) { return create_domain(w, {store::OwnerType::Server, kServer}, fields); }).id;
  }
  Id http_endpoint(std::string name, Id server = kServer) {
    HttpEndpointFields fields;
    fields.name = std::move(name);
    fields.url = "http://127.0.0.1/";
    fields.encoding = "BodyAsJSON";
    fields.format = "Hash";
    return change([&](Work& w) { return create_endpoint(w, server, fields); }).id;
  }

  static inline const std::string key = trust::SigningKey::generate_rsa_pem(1024);
  testing::Managed managed{sql::Dialect::Sqlite};
};

TEST_F(Models, UserIsStoredWithDigestAndWithoutPassword) {
  UserFields fields{.email_address = "Ada@example.com",
                    .first_name = "Ada",
                    .last_name = "Admin",
                    .admin = true,
                    .password = "correct horse"};
  auto user = change([&](Work& w) { return create_user(w, fields); });

  auto found = in_read(managed.context, [](Work& w) { return find_user(w, "ada@EXAMPLE.com"); });
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, user.id);
  EXPECT_EQ(*found->fields.time_zone, "UTC");
  EXPECT_TRUE(password_matches("correct horse", *found->fields.password_digest));
  EXPECT_THAT(*found->fields.password_digest, MatchesRegex("\\$2a\\$12\\$.*"));
}

TEST_F(Models, UserRules) {
  UserFields good{.email_address = "a@b", .first_name = "A", .last_name = "B", .password = "correct horse"};
  change([&](Work& w) { return create_user(w, good); });
  EXPECT_THAT(refused([&](Work& w) { return create_user(w, good); }),
              ElementsAre("Email address has already been taken"));
  UserFields bad{.email_address = "test.com", .first_name = " ", .password = "short"};
  EXPECT_THAT(refused([&](Work& w) { return create_user(w, bad); }),
              ElementsAre("First name can't be blank", "Last name can't be blank", "Email address is invalid",
                          "Password is too short (minimum is 10 characters)"));
}

TEST_F(Models, OwnerOfAnOrganizationIsNotDeleted) {
  UserFields fields{.email_address = "a@b", .first_name = "A", .last_name = "B", .password = "correct horse"};
  Id user = change([&](Work& w) { return create_user(w, fields); }).id;
  OrganizationFields organization{.name = "Mine"};
  organization.owner_id = user;
  change([&](Work& w) { return create_organization(w, organization); });
  EXPECT_THAT(refused([&](Work& w) { return delete_user(w, user); }),
              ElementsAre("the user owns mine: give it another owner first"));
}

TEST_F(Models, OrganizationPermalinkComesFromTheNameUntilFree) {
  auto made = [&](std::string name) {
    OrganizationFields fields;
    fields.name = std::move(name);
    return *change([&](Work& w) { return create_organization(w, fields); }).fields.permalink;
  };
  EXPECT_EQ(made("Acme Inc"), "acme-inc");
  EXPECT_EQ(made("Acme Inc"), "acme-inc-2");
  EXPECT_THAT(made("日本"), MatchesRegex("org-[a-z0-9]{6}"));
}

TEST_F(Models, OrganizationRules) {
  for (auto [permalink, words] : {std::pair("admin", "Permalink is reserved"),
                                  {"Bad_Name", "Permalink is invalid"},
                                  {"org", "Permalink is reserved"}}) {
    OrganizationFields fields{.name = "X", .permalink = permalink};
    EXPECT_THAT(refused([&](Work& w) { return create_organization(w, fields); }), ::testing::Contains(words));
  }
}

TEST_F(Models, ServerGetsDefaultsTokenAndMessageDatabase) {
  ServerFields fields{.name = "My Server"};
  auto server = change([&](Work& w) { return create_server(w, kOrganization, fields); });
  EXPECT_EQ(*server.fields.permalink, "my-server");
  EXPECT_THAT(*server.fields.token, MatchesRegex("[a-z][a-z0-9]{4}[a-z]"));
  EXPECT_EQ(*server.fields.spam_threshold, 5.0);
  EXPECT_EQ(*server.fields.message_retention_days, 60);
  EXPECT_EQ(managed.installation.number(server.id, "SELECT COUNT(*) FROM {message}`messages`"), 0);
  EXPECT_NE(managed.store->directory()->server("org", "my-server"), nullptr);
}

TEST_F(Models, ServerRules) {
  auto refusal = [&](ServerFields fields) {
    return refused([&](Work& w) { return create_server(w, kOrganization, fields); });
  };
  EXPECT_THAT(refusal({.name = "SERVER", .permalink = "other"}), ElementsAre("Name has already been taken"));
  EXPECT_THAT(refusal({.name = "X", .mode = "Offline"}), ElementsAre("Mode is not included in the list"));
  for (auto permalink : {"LARGE", "lots of spaces", "hello+", "!!!", "[hello]"})
    EXPECT_THAT(refusal({.name = "X", .permalink = permalink}), ElementsAre("Permalink is invalid")) << permalink;
  EXPECT_THAT(refusal({.name = "X", .permalink = "new"}), ElementsAre("Permalink is reserved"));
  ServerFields pooled{.name = "X"};
  pooled.ip_pool_id = 99;
  EXPECT_THAT(refusal(pooled), ElementsAre("IP pool must belong to the organization"));
}

TEST_F(Models, NoLimitSurvivesASave) {
  ServerFields fields;
  fields.message_retention_days = std::nullopt;
  change([&](Work& w) { return update_server(w, kServer, fields); });
  change([&](Work& w) { return update_server(w, kServer, {.name = "Other"}); });
  auto server = in_read(managed.context, [](Work& w) { return find_server(w, kOrganization, "server"); });
  EXPECT_FALSE(server->fields.message_retention_days.has_value());
}

TEST_F(Models, SuspensionIsKnownAtOnce) {
  change([&](Work& w) { return suspend_server(w, kServer, "spam"); });
  auto directory = managed.store->directory();
  EXPECT_TRUE(directory->suspended(*directory->server(kServer)));
  change([&](Work& w) { return suspend_server(w, kServer, std::nullopt); });
  directory = managed.store->directory();
  EXPECT_FALSE(directory->suspended(*directory->server(kServer)));
  EXPECT_FALSE(directory->server(kServer)->suspension_reason);
}

TEST_F(Models, DomainGetsKeySelectorAndToken) {
  DomainFields fields{.name = "new.example"};
  auto domain = change([&](Work& w) { return create_domain(w, {store::OwnerType::Server, kServer}, fields); });
  EXPECT_EQ(trust::SigningKey::from_pem(*domain.fields.dkim_private_key)->bits(), 2048);
  EXPECT_TRUE(domain.fields.dkim_private_key->starts_with("-----BEGIN RSA PRIVATE KEY-----"));
  EXPECT_THAT(*domain.fields.dkim_identifier_string, MatchesRegex("[A-Za-z][A-Za-z0-9]{4}[A-Za-z]"));
  EXPECT_THAT(*domain.fields.verification_token, MatchesRegex("[A-Za-z0-9]{32}"));
  EXPECT_EQ(managed.store->directory()->hosted_domain("new.example"), nullptr);
  change([&](Work& w) { return verify_domain(w, domain.id); });
  EXPECT_NE(managed.store->directory()->hosted_domain("NEW.example"), nullptr);
}

TEST_F(Models, DomainRules) {
  auto refusal = [&](std::string name) {
    DomainFields fields;
    fields.name = std::move(name);
    return refused([&](Work& w) { return create_domain(w, {store::OwnerType::Server, kServer}, fields); });
  };
  EXPECT_THAT(refusal("EXAMPLE.COM"), ElementsAre("Name is invalid"));
  EXPECT_THAT(refusal("example com"), ElementsAre("Name is invalid"));
  EXPECT_THAT(refusal(""), ElementsAre("Name can't be blank"));
  EXPECT_THAT(refusal("sender.example"), ElementsAre("Name is already added"));
  EXPECT_EQ(canonical_domain(" Example.COM. "), "example.com");
  EXPECT_EQ(canonical_domain("Bücher.example"), "xn--bcher-kva.example");
}

TEST_F(Models, DomainOfAnotherOwnerMayHaveTheSameName) {
  DomainFields fields{.name = "sender.example"};
  fields.dkim_private_key = key;
  EXPECT_THAT(refused([&](Work& w) { return create_domain(w, {store::OwnerType::Organization, 1}, fields); }),
              IsEmpty());
}

TEST_F(Models, CredentialRules) {
  auto refusal = [&](CredentialFields fields) {
    return refused([&](Work& w) { return create_credential(w, kServer, fields); });
  };
  EXPECT_THAT(refusal({.type = "POP3", .name = "x"}), ElementsAre("Type is not included in the list"));
  EXPECT_THAT(refusal({.type = "SMTP-IP", .name = "x", .key = "not-an-ip"}),
              ElementsAre("Key must be a valid IPv4 or IPv6 address"));
  EXPECT_THAT(refusal({.type = "SMTP-IP", .name = "x"}), ElementsAre("Key can't be blank"));
  EXPECT_THAT(refusal({.type = "API", .name = "x", .key = "SMTPKEY"}), ElementsAre("Key has already been taken"));
  EXPECT_THAT(refusal({.type = "SMTP-IP", .name = "net", .key = "2001:db8::/48"}), IsEmpty());
}

TEST_F(Models, KeysAreDrawnAndStay) {
  CredentialFields fields{.type = "API", .name = "new"};
  auto credential = change([&](Work& w) { return create_credential(w, kServer, fields); });
  EXPECT_THAT(*credential.fields.key, MatchesRegex("[A-Za-z0-9]{24}"));
  EXPECT_NE(managed.store->directory()->credential_by_key(store::CredentialType::Api, *credential.fields.key), nullptr);
  EXPECT_THAT(refused([&](Work& w) { return update_credential(w, credential.id, {.key = "other"}); }),
              ElementsAre("Key cannot be changed"));
}

TEST_F(Models, EndpointRules) {
  HttpEndpointFields http{.name = "x", .url = "http://a/", .encoding = "XML", .format = "Hash"};
  http.timeout = 4;
  EXPECT_THAT(refused([&](Work& w) { return create_endpoint(w, kServer, http); }),
              ElementsAre("Encoding is not included in the list", "Timeout must be greater than or equal to 5"));
  SmtpEndpointFields smtp{.name = "x", .hostname = "not a host", .ssl_mode = "None"};
  EXPECT_THAT(refused([&](Work& w) { return create_endpoint(w, kServer, smtp); }), ElementsAre("Hostname is invalid"));
  AddressEndpointFields address{.address = "nobody"};
  EXPECT_THAT(refused([&](Work& w) { return create_endpoint(w, kServer, address); }),
              ElementsAre("Address is invalid"));
}

TEST_F(Models, RouteRules) {
  Id unverified = domain("new.example", false);
  auto refusal = [&](RouteFields fields) {
    if (!fields.domain_id.given()) fields.domain_id = Id(1);
    return refused([&](Work& w) { return create_route(w, kServer, fields); });
  };
  EXPECT_THAT(refusal({.name = "a b", .mode = "Accept"}), ElementsAre("Name is invalid"));
  EXPECT_THAT(refusal({.name = "x", .mode = "Accept", .spam_mode = "Delete"}),
              ElementsAre("Spam mode is not included in the list"));
  EXPECT_THAT(refusal({.name = "x", .mode = "Endpoint"}), ElementsAre("Endpoint can't be blank"));
  EXPECT_THAT(refusal({.name = "x", .mode = "Accept", .domain_id = unverified}),
              ElementsAre("Domain has not been verified yet"));
  EXPECT_THAT(refusal({.name = "INFO", .mode = "Accept"}), ::testing::Contains("Name is invalid"));
  EXPECT_THAT(refusal({.name = "info", .mode = "Accept"}),
              ElementsAre("Name is configured on the org/server mail server"));
  EXPECT_THAT(refusal({.name = "__returnpath__", .mode = "Accept"}),
              ElementsAre("Return path routes must point to an HTTP endpoint"));
}

TEST_F(Models, ReturnPathRouteIsOneOfItsServer) {
  managed.installation.add_server(2);
  RouteFields fields{.name = "__returnpath__", .mode = "Endpoint", .endpoint_type = "HTTPEndpoint"};
  auto make = [&](Id server) {
    fields.endpoint_id = http_endpoint("hook", server);
    return refused([&](Work& w) { return create_route(w, server, fields); });
  };
  EXPECT_THAT(make(kServer), IsEmpty());
  EXPECT_THAT(make(2), IsEmpty());
  EXPECT_THAT(make(2), ElementsAre("A return path route already exists for this server"));
}

TEST_F(Models, AdditionalEndpointsAreStoredAndChecked) {
  Id one = http_endpoint("one"), two = http_endpoint("two");
  RouteFields fields{.name = "many", .mode = "Endpoint", .endpoint_type = "HTTPEndpoint"};
  fields.domain_id = Id(1);
  fields.endpoint_id = one;
  fields.additional = std::vector<EndpointRef>{{"HTTPEndpoint", two}};
  auto route = change([&](Work& w) { return create_route(w, kServer, fields); });
  EXPECT_THAT(*route.fields.token, MatchesRegex("[A-Za-z][A-Za-z0-9]{6}[A-Za-z]"));
  auto found = in_read(managed.context, [](Work& w) { return find_route(w, kServer, "many", 1); });
  EXPECT_EQ(found->fields.additional->size(), 1u);

  fields.additional = std::vector<EndpointRef>{{"HTTPEndpoint", one}};
  EXPECT_THAT(refused([&](Work& w) { return update_route(w, route.id, fields); }),
              ElementsAre("You can only add an endpoint to a route once"));
  EXPECT_THAT(refused([&](Work& w) { return update_route(w, route.id, {.mode = "Hold"}); }),
              ElementsAre("Additional routes are not permitted unless the primary route is an actual endpoint"));
}

TEST_F(Models, DeletingAnEndpointRejectsItsRoutes) {
  Id hook = http_endpoint("hook");
  RouteFields fields{.name = "x", .mode = "Endpoint", .endpoint_type = "HTTPEndpoint"};
  fields.domain_id = Id(1);
  fields.endpoint_id = hook;
  change([&](Work& w) { return create_route(w, kServer, fields); });
  change([&](Work& w) { return delete_endpoint<HttpEndpointFields>(w, hook); });
  auto route = in_read(managed.context, [](Work& w) { return find_route(w, kServer, "x", 1); });
  EXPECT_EQ(*route->fields.mode, "Reject");
  EXPECT_FALSE(route->fields.endpoint_id.has_value());
}

TEST_F(Models, DeletingADomainTakesItsRoutes) {
  change([&](Work& w) { return delete_domain(w, 1); });
  EXPECT_EQ(managed.installation.main_number("SELECT COUNT(*) FROM {main}`routes`"), 0);
}

TEST_F(Models, WebhookKeepsItsEventsUnlessItWantsAll) {
  WebhookFields fields{.name = "wh", .url = "https://user@127.0.0.1:8443/a%20b?c=d"};
  fields.events = std::vector<std::string>{"MessageSent", "DomainDNSError", "MessageSent"};
  auto webhook = change([&](Work& w) { return create_webhook(w, kServer, fields); });
  auto events = [&] {
    return *in_read(managed.context, [](Work& w) { return find_webhook(w, kServer, "wh"); })->fields.events;
  };
  EXPECT_THAT(events(), ElementsAre("MessageSent", "DomainDNSError"));
  WebhookFields all;
  all.all_events = true;
  change([&](Work& w) { return update_webhook(w, webhook.id, all); });
  EXPECT_THAT(events(), IsEmpty());
  EXPECT_THAT(refused([&](Work& w) { return create_webhook(w, kServer, {.name = "x", .url = "ftp://a/"}); }),
              ElementsAre("Url is invalid"));
}

TEST_F(Models, TrackDomainRules) {
  TrackDomainFields fields{.name = "click"};
  fields.domain_id = Id(1);
  change([&](Work& w) { return create_track_domain(w, kServer, fields); });
  EXPECT_THAT(refused([&](Work& w) { return create_track_domain(w, kServer, fields); }),
              ElementsAre("Name is already added", "Domain already has a track domain for this server"));
  fields.name = "a_b";
  EXPECT_THAT(refused([&](Work& w) { return create_track_domain(w, kServer, fields); }),
              ::testing::Contains("Name is invalid"));
}

TEST_F(Models, IpAddressRules) {
  Id pool = change([&](Work& w) { return create_ip_pool(w, {.name = "main"}); }).id;
  IpAddressFields fields{.ipv4 = "127.0.0.11", .hostname = "out1.postal.test"};
  auto address = change([&](Work& w) { return create_ip_address(w, pool, fields); });
  EXPECT_EQ(*address.fields.priority, 100);
  fields.priority = 101;
  EXPECT_THAT(refused([&](Work& w) { return create_ip_address(w, pool, fields); }),
              ElementsAre("Ipv4 has already been taken", "Priority must be less than or equal to 100"));
  EXPECT_THAT(refused([&](Work& w) { return delete_ip_pool(w, pool); }),
              ElementsAre("IP pool cannot be deleted while it has IP addresses"));
}

TEST_F(Models, SuppressionsAreAddedChangedAndRemoved) {
  auto set = [&](std::vector<NewSuppression> wanted, bool only = false) {
    return set_suppressions(managed.context, kServer, wanted, only).value();
  };
  EXPECT_THAT(set({{.address = "gone@rcpt.test", .reason = "test"}}).added, ElementsAre("gone@rcpt.test"));
  EXPECT_THAT(set({{.address = "gone@rcpt.test", .reason = "test"}}).changed, IsEmpty());
  EXPECT_THAT(set({{.address = "gone@rcpt.test", .reason = "other"}}).changed, ElementsAre("gone@rcpt.test"));
  EXPECT_EQ(managed.store->suppression(kServer, "gone@rcpt.test", system_now())->reason, "other");
  EXPECT_THAT(set({}, true).removed, ElementsAre("gone@rcpt.test"));
  EXPECT_THAT(suppressions_of(managed.context, kServer), IsEmpty());
  EXPECT_FALSE(set_suppressions(managed.context, kServer, {{.address = "nobody"}}));
}

TEST_F(Models, AnErrorUndoesTheWholeChange) {
  auto outcome = in_change(managed.context, [&](Work& w) -> Result<int> {
    auto made = create_server(w, kOrganization, {.name = "Half"});
    if (!made) return std::unexpected(made.error());
    return fail(ErrorKind::Invalid, "no");
  });
  EXPECT_FALSE(outcome);
  EXPECT_EQ(managed.store->directory()->server("org", "half"), nullptr);
  EXPECT_EQ(managed.installation.main_number("SELECT COUNT(*) FROM {main}`servers`"), 1);
}

}  // namespace
}  // namespace posthaste::manage
