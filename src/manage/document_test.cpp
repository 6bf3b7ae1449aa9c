// Documents on both engines: what apply makes, that a second time changes nothing, plan, prune and export.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "manage/document.h"
#include "manage/problems.h"
#include "manage/testing_context.h"

namespace posthaste::manage {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

constexpr std::string_view kEverything = R"(
users:
  - {email_address: ada@example.test, first_name: Ada, last_name: Admin, password: correct horse, admin: true}
ip_pools:
  - {name: main, default: true, ip_addresses: [{ipv4: 127.0.0.11, ipv6: null, hostname: out1.postal.test, priority: 100}]}
organizations:
  - permalink: acme
    name: Acme
    suspended: null
    owner: ada@example.test
    domains: [{name: org.test, verified: true, use_for_any: true}]
    servers:
      - permalink: mail
        name: Mail
        mode: Live
        ip_pool: main
        settings: {send_limit: 10, message_retention_days: 60, spam_threshold: 2.5, privacy_mode: true}
        domains: [{name: sender.test, verified: true}]
        credentials:
          - {type: SMTP, name: app, key: abcdefghijklmnopqrstuvwx, hold: false}
          - {type: API, name: drawn}
          - {type: SMTP-IP, name: net, key: 198.18.0.0/30}
        http_endpoints:
          - {name: hook, url: "http://127.0.0.1:8090/in", encoding: BodyAsJSON, format: Hash, timeout: 5}
        smtp_endpoints: [{name: inner, hostname: 127.0.0.5, port: 25, ssl_mode: None}]
        address_endpoints: [{address: someone@rcpt.test}]
        routes:
          - {name: info, domain: sender.test, mode: Endpoint, endpoint: {http: hook}, additional: [{address: someone@rcpt.test}]}
          - {name: in, domain: org.test, endpoint: {smtp: inner}}
          - {name: accept, domain: sender.test, mode: Accept}
          - {name: __returnpath__, endpoint: {http: hook}}
        webhooks:
          - {name: all, url: "http://127.0.0.1:8090/wh", all_events: true, events: [], sign: true, enabled: true}
          - {name: some, url: "http://127.0.0.1:8090/wh", events: [MessageSent, DomainDNSError]}
        track_domains: [{name: click, domain: sender.test, ssl_enabled: false}]
        suppressions: [{address: gone@rcpt.test, reason: test}]
)";

class Documents : public ::testing::TestWithParam<sql::Dialect> {
 protected:
  static Document read(std::string_view text) {
    auto document = read_document(text);
    if (!document) throw std::runtime_error(document.error().text);
    return std::move(*document);
  }
  Applied apply(std::string_view text, bool prune = false) {
    auto applied = apply_document(managed.context, read(text), prune);
    if (!applied) throw std::runtime_error(applied.error().text);
    return std::move(*applied);
  }
  std::vector<std::string> refused(std::string_view text) {
    auto applied = apply_document(managed.context, read(text));
    return applied ? std::vector<std::string>() : error_messages(applied.error());
  }
  std::vector<std::string> plan(std::string_view text, bool prune = false) {
    auto changes = plan_document(managed.context, read(text), prune);
    if (!changes) throw std::runtime_error(changes.error().text);
    return lines(*changes);
  }
  static std::vector<std::string> lines(const std::vector<DocumentChange>& changes) {
    std::vector<std::string> texts;
    for (const auto& change : changes) texts.push_back(change.text());
    return texts;
  }
  static Tree& server(Tree& document) { return document.at("organizations").item(0).at("servers").item(0); }
  Tree exported(ExportOptions options = {}) { return export_document(managed.context, options).value(); }

  testing::Managed managed{GetParam()};
};

TEST_P(Documents, ApplyFillsInWhatWasGenerated) {
  auto applied = apply(kEverything);
  Tree& mail = server(applied.document);
  EXPECT_THAT(*mail.at("token").text(), MatchesRegex("[a-z][a-z0-9]{4}[a-z]"));
  EXPECT_GT(*mail.at("id").integer(), 0);
  auto domain = mail.at("domains").item(0);
  EXPECT_THAT(*domain.at("dkim_name").text(),
              MatchesRegex("postal-[A-Za-z][A-Za-z0-9]{4}[A-Za-z]\\._domainkey\\.sender\\.test"));
  EXPECT_TRUE(domain.at("dkim_value").text()->starts_with("v=DKIM1; t=s; h=sha256; p=MIIBIjAN"));
  EXPECT_EQ(domain.at("verification_token").text()->size(), 32u);
  EXPECT_EQ(*mail.at("credentials").item(0).at("key").text(), "abcdefghijklmnopqrstuvwx");
  EXPECT_EQ(mail.at("credentials").item(1).at("key").text()->size(), 24u);
  EXPECT_EQ(mail.at("routes").item(0).at("token").text()->size(), 8u);
  EXPECT_EQ(*mail.at("routes").item(1).at("endpoint").at("smtp").text(), "inner");
  EXPECT_EQ(*mail.at("settings").at("spam_threshold").real(), 2.5);
  EXPECT_EQ(applied.new_track_domains.size(), 1u);

  auto directory = managed.store->directory();
  auto stored = directory->server("acme", "mail");
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->send_limit, 10);
  EXPECT_TRUE(stored->ip_pool_id);
  EXPECT_TRUE(directory->route_for("info", "sender.test"));
  EXPECT_TRUE(directory->return_path_route(stored->id));
  EXPECT_TRUE(managed.store->suppression(stored->id, "gone@rcpt.test", system_now()));
}

TEST_P(Documents, ASecondTimeChangesNothing) {
  auto first = apply(kEverything);
  EXPECT_THAT(plan(kEverything), IsEmpty());
  auto second = apply(kEverything);
  EXPECT_THAT(lines(second.changes), IsEmpty());
  EXPECT_EQ(to_json(second.document), to_json(first.document));
  // What it prints says the same.
  EXPECT_THAT(plan(to_json(first.document)), IsEmpty());
  EXPECT_THAT(plan(to_yaml(first.document)), IsEmpty());
}

TEST_P(Documents, PlanSaysWhatApplyDoesAndChangesNothing) {
  auto planned = plan(kEverything);
  EXPECT_THAT(planned, Contains("create server acme/mail"));
  EXPECT_THAT(planned, Contains("create route acme/mail info@sender.test"));
  EXPECT_FALSE(managed.store->directory()->server("acme", "mail"));
  EXPECT_EQ(lines(apply(kEverything).changes), planned);
}

TEST_P(Documents, OnlyWhatDiffersIsUpdated) {
  apply(kEverything);
  auto changed = apply(R"({"organizations": [{"permalink": "acme", "servers": [{"permalink": "mail",
      "settings": {"send_limit": null}, "webhooks": [{"name": "some", "events": ["MessageSent"]}],
      "credentials": [{"type": "SMTP", "name": "app", "hold": true}], "suspended": "spam"}]}]})");
  EXPECT_THAT(lines(changed.changes),
              ElementsAre("update server acme/mail: send_limit, suspended_at, suspension_reason",
                          "update credential acme/mail SMTP app: hold", "update webhook acme/mail some: events"));
  EXPECT_TRUE(managed.store->directory()->suspended(*managed.store->directory()->server("acme", "mail")));
  apply(R"({"organizations": [{"permalink": "acme", "servers": [{"permalink": "mail", "suspended": null}]}]})");
  EXPECT_FALSE(managed.store->directory()->suspended(*managed.store->directory()->server("acme", "mail")));
}

TEST_P(Documents, RefusalsSayWhereAndChangeNothingOfTheServer) {
  auto messages = refused(R"(
organizations:
  - permalink: org
    servers:
      - permalink: server
        domains: [{name: fine.test, verified: true}]
        routes:
          - {name: a b, domain: fine.test, mode: Accept, spam_mode: Delete}
)");
  EXPECT_THAT(messages,
              ElementsAre("line 8: organizations[org].servers[server].routes[a b@fine.test]: Name is invalid",
                          "line 8: organizations[org].servers[server].routes[a b@fine.test]: Spam mode is not included "
                          "in the list"));
  EXPECT_FALSE(managed.store->directory()->hosted_domain("fine.test"));
  EXPECT_THAT(refused("organizations: [{permalink: org, servers: [{permalink: server, routes: [{name: x, domain: "
                      "sender.example, endpoint: {http: nowhere}}]}]}]"),
              ElementsAre(HasSubstr("HTTP endpoint nowhere does not exist")));
  EXPECT_THAT(refused("organizations: [{permalink: org, servers: [{permalink: LARGE, name: X}]}]"),
              ElementsAre(HasSubstr("Permalink is invalid")));
}

TEST_P(Documents, PruneRemovesWhatTheNamedListsDoNotName) {
  apply(kEverything);
  constexpr std::string_view kLess = R"({"organizations": [{"permalink": "acme", "servers": [{"permalink": "mail",
      "credentials": [{"type": "API", "name": "drawn"}], "http_endpoints": [], "routes": [{"name": "accept",
      "domain": "sender.test", "mode": "Accept"}], "suppressions": []}]}]})";
  auto planned = plan(kLess, true);
  EXPECT_THAT(planned, Contains("remove route acme/mail info"));
  EXPECT_THAT(planned, Contains("remove suppression acme/mail gone@rcpt.test"));
  EXPECT_THAT(planned, Contains("remove organization org"));
  EXPECT_THAT(planned, ::testing::Not(Contains(HasSubstr("webhook"))));
  apply(kLess, true);
  EXPECT_THAT(plan(kLess, true), IsEmpty());
  auto directory = managed.store->directory();
  EXPECT_FALSE(directory->server("org", "server"));
  EXPECT_FALSE(directory->route_for("info", "sender.test"));
  EXPECT_TRUE(directory->route_for("accept", "sender.test"));
  EXPECT_FALSE(directory->credential_by_key(store::CredentialType::Smtp, "abcdefghijklmnopqrstuvwx"));
}

TEST_P(Documents, ADeletedServerComesBackWhenNamed) {
  apply("organizations: [{permalink: org, servers: []}]", true);
  EXPECT_FALSE(managed.store->directory()->server("org", "server"));
  auto applied = apply("organizations: [{permalink: org, servers: [{permalink: server}]}]");
  EXPECT_THAT(lines(applied.changes), Contains("restore server org/server"));
  EXPECT_TRUE(managed.store->directory()->server("org", "server"));
}

TEST_P(Documents, AnExportRebuildsTheInstallationElsewhere) {
  apply(kEverything);
  auto document = exported({.organization = "acme", .with_secrets = true});
  auto users = exported({.with_secrets = true});
  testing::Managed other(sql::Dialect::Sqlite);
  auto whole = read_document(to_yaml(users));
  ASSERT_TRUE(whole) << whole.error().text;
  std::erase_if(*whole->organizations, [](const auto& item) { return *item.fields.permalink == "org"; });
  auto applied = apply_document(other.context, *whole);
  ASSERT_TRUE(applied) << applied.error().text;
  EXPECT_EQ(to_yaml(export_document(other.context, {.organization = "acme", .with_secrets = true}).value()),
            to_yaml(document));
}

TEST_P(Documents, AnExportWithoutSecretsHasNone) {
  apply(kEverything);
  auto text = to_yaml(exported());
  for (auto secret : {"abcdefghijklmnopqrstuvwx", "PRIVATE KEY", "$2a$"}) EXPECT_FALSE(text.contains(secret)) << secret;
  EXPECT_TRUE(text.contains("198.18.0.0/30"));
  EXPECT_FALSE(export_document(managed.context, {.organization = "nobody"}));
}

INSTANTIATE_TEST_SUITE_P(Engines, Documents, ::testing::Values(sql::Dialect::Sqlite, sql::Dialect::MariaDb),
                         [](const auto& info) { return testing::engine_name(info); });

}  // namespace
}  // namespace posthaste::manage
