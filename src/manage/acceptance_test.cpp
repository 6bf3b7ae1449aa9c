// The acceptance cases of data-model.md about formats and validation, on both engines; models_test.cpp has the rules
// one by one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manage/credentials.h"
#include "manage/domains.h"
#include "manage/endpoints.h"
#include "manage/ip_pools.h"
#include "manage/organizations.h"
#include "manage/problems.h"
#include "manage/routes.h"
#include "manage/servers.h"
#include "manage/testing_context.h"
#include "manage/users.h"
#include "trust/dkim.h"

namespace posthaste::manage {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

constexpr Id kServer = 1, kOrganization = 1;

class Acceptance : public ::testing::TestWithParam<sql::Dialect> {
 protected:
  template <class F>
  auto change(F&& work) {
    auto outcome = in_change(managed.context, work);
    if (!outcome) throw std::runtime_error(outcome.error().text);
    if constexpr (!std::is_void_v<typename decltype(outcome)::value_type>) return std::move(*outcome);
  }
  template <class F>
  std::vector<std::string> refused(F&& work) {
    auto outcome = in_change(managed.context, work);
    return outcome ? std::vector<std::string>() : error_messages(outcome.error());
  }
  std::vector<std::string> add_domain(std::string name, Owner owner = {store::OwnerType::Server, kServer}) {
    DomainFields fields{.name = std::move(name)};
    fields.dkim_private_key = key;
    return refused([&](Work& w) { return create_domain(w, owner, fields); });
  }

  static inline const std::string key = trust::SigningKey::generate_rsa_pem(1024);
  testing::Managed managed{GetParam()};
};

TEST_P(Acceptance, ServersHaveDefaultsAndFormats) {  // 9
  const auto server = change([&](Work& w) { return create_server(w, kOrganization, {.name = "My Server"}); });
  EXPECT_THAT(*server.fields.token, MatchesRegex("[a-z][a-z0-9]{4}[a-z]"));
  EXPECT_THAT(server.uuid, MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  EXPECT_EQ(*server.fields.permalink, "my-server");
  EXPECT_EQ(managed.installation.main_number(fmt::format(
                "SELECT COUNT(*) FROM {{main}}`servers` WHERE id = {} AND raw_message_retention_days = 30 AND "
                "raw_message_retention_size = 2048 AND message_retention_days = 60 AND spam_threshold = 5 AND "
                "spam_failure_threshold = 20 AND outbound_spam_threshold IS NULL AND send_limit IS NULL",
                server.id)),
            1);
}

TEST_P(Acceptance, TheTokenFollowsTheMethodOfVerification) {  // 12
  DomainFields fields{.name = "new.example", .verification_method = "Email"};
  fields.dkim_private_key = key;
  auto domain = change([&](Work& w) { return create_domain(w, {store::OwnerType::Server, kServer}, fields); });
  EXPECT_THAT(*domain.fields.verification_token, MatchesRegex("[0-9]{6}"));
  const auto now = [&](DomainFields changed) {
    return *change([&](Work& w) { return update_domain(w, domain.id, changed); }).fields.verification_token;
  };
  const std::string text = now({.verification_method = "DNS"});
  EXPECT_THAT(text, MatchesRegex("[A-Za-z0-9]{32}"));
  EXPECT_EQ(now({.use_for_any = true}), text);
  EXPECT_EQ(now({.verification_method = "DNS"}), text);
  EXPECT_THAT(now({.verification_method = "Email"}), MatchesRegex("[0-9]{6}"));
}

TEST_P(Acceptance, PermalinksOfOrganizations) {  // 13
  const auto made = [&](std::string name) {
    OrganizationFields fields{.name = std::move(name)};
    return *change([&](Work& w) { return create_organization(w, fields); }).fields.permalink;
  };
  EXPECT_EQ(made("Acme Inc"), "acme-inc");
  EXPECT_EQ(made("Acme Inc"), "acme-inc-2");
  EXPECT_EQ(made("my_server"), "my-server");
  EXPECT_THAT(made("日本"), MatchesRegex("[a-z0-9-]+"));
}

TEST_P(Acceptance, NamesOfDomains) {  // 15
  for (const char* name : {"EXAMPLE.COM", "example.com ", "example com"})
    EXPECT_THAT(add_domain(name), ElementsAre("Name is invalid")) << name;
  EXPECT_THAT(add_domain("example.co.uk"), IsEmpty());
  EXPECT_THAT(add_domain("example.com"), IsEmpty());
  EXPECT_THAT(add_domain("example.com"), ElementsAre("Name is already added"));
  EXPECT_THAT(add_domain("example.com", {store::OwnerType::Organization, kOrganization}), IsEmpty());
}

TEST_P(Acceptance, PermalinksOfServers) {  // 16
  const auto with = [&](std::string permalink) {
    ServerFields fields{.name = "Of " + permalink, .permalink = permalink};
    return refused([&](Work& w) { return create_server(w, kOrganization, fields); });
  };
  for (const char* permalink : {"LARGE", " lots of spaces ", "hello+", "!!!", "[hello]"})
    EXPECT_THAT(with(permalink), ElementsAre("Permalink is invalid")) << permalink;
  EXPECT_THAT(with("new"), ElementsAre("Permalink is reserved"));
  EXPECT_THAT(with("hello-world"), IsEmpty());
  EXPECT_THAT(with("hello1234"), IsEmpty());
}

TEST_P(Acceptance, ThePoolOfAServerIsOneOfItsOrganization) {  // 17
  const Id pool = change([&](Work& w) { return create_ip_pool(w, {.name = "main"}); }).id;
  ServerFields fields;
  fields.ip_pool_id = pool;
  const auto save = [&] { return refused([&](Work& w) { return update_server(w, kServer, fields); }); };
  EXPECT_THAT(save(), ElementsAre("IP pool must belong to the organization"));
  change([&](Work& w) { return set_organization_pools(w, kOrganization, {"main"}); });
  EXPECT_THAT(save(), IsEmpty());
  EXPECT_EQ(managed.store->directory()->server(kServer)->ip_pool_id, pool);
}

TEST_P(Acceptance, UsersNeedAnAddressAndAPassword) {  // 18
  const auto add = [&](std::string address, Field<std::string> password) {
    UserFields fields{.email_address = std::move(address), .first_name = "A", .last_name = "B"};
    fields.password = std::move(password);
    return refused([&](Work& w) { return create_user(w, fields); });
  };
  const Field<std::string> good("correct horse");
  EXPECT_THAT(add("test@example.com", {}), ElementsAre("Password can't be blank"));
  EXPECT_THAT(add("test.com", good), ElementsAre("Email address is invalid"));
  EXPECT_THAT(add("test+tagged@EXAMPLE.COM", good), IsEmpty());
  EXPECT_THAT(add("TEST+tagged@example.com", good), ElementsAre("Email address has already been taken"));
}

TEST_P(Acceptance, KeysOfCredentials) {  // 19
  const auto add = [&](std::string network) {
    CredentialFields fields{.type = "SMTP-IP", .name = "net", .key = std::move(network)};
    return refused([&](Work& w) { return create_credential(w, kServer, fields); });
  };
  EXPECT_THAT(add("not-an-ip"), ElementsAre("Key must be a valid IPv4 or IPv6 address"));
  EXPECT_THAT(add("172.16.0.0/12"), IsEmpty());
  EXPECT_THAT(refused([&](Work& w) { return update_credential(w, 2, {.key = "another"}); }),
              ElementsAre("Key cannot be changed"));
}

TEST_P(Acceptance, TimeoutsOfHttpEndpoints) {  // 21
  const auto with = [&](Field<std::int64_t> timeout) {
    HttpEndpointFields fields{.name = "x", .url = "http://a/", .encoding = "BodyAsJSON", .format = "Hash"};
    fields.timeout = timeout;
    return in_change(managed.context, [&](Work& w) { return create_endpoint(w, kServer, fields); });
  };
  EXPECT_THAT(error_messages(with(4).error()), ElementsAre("Timeout must be greater than or equal to 5"));
  EXPECT_THAT(error_messages(with(61).error()), ElementsAre("Timeout must be less than or equal to 60"));
  const auto made = with({});
  ASSERT_TRUE(made);
  EXPECT_EQ(*made->fields.timeout, 5);
}

TEST_P(Acceptance, RoutesOfADeletedEndpointReject) {  // 22
  HttpEndpointFields hook{.name = "hook", .url = "http://a/", .encoding = "BodyAsJSON", .format = "Hash"};
  const Id id = change([&](Work& w) { return create_endpoint(w, kServer, hook); }).id;
  for (const char* name : {"one", "two", "__returnpath__"}) {
    RouteFields fields{.name = name, .mode = "Endpoint", .endpoint_type = "HTTPEndpoint"};
    if (std::string_view(name) != "__returnpath__") fields.domain_id = Id(1);
    fields.endpoint_id = id;
    change([&](Work& w) { return create_route(w, kServer, fields); });
  }
  change([&](Work& w) { return delete_endpoint<HttpEndpointFields>(w, id); });
  EXPECT_EQ(
      managed.installation.main_number("SELECT COUNT(*) FROM {main}`routes` WHERE mode = 'Reject' AND endpoint_id "
                                       "IS NULL AND name IN ('one', 'two', '__returnpath__')"),
      3);
}

TEST_P(Acceptance, ALimitThatWasEmptiedStaysEmpty) {  // 23
  ServerFields fields;
  fields.message_retention_days = std::nullopt;
  change([&](Work& w) { return update_server(w, kServer, fields); });
  change([&](Work& w) { return update_server(w, kServer, {.name = "Other"}); });
  EXPECT_EQ(managed.installation.main_number(
                "SELECT COUNT(*) FROM {main}`servers` WHERE id = 1 AND message_retention_days IS NULL"),
            1);
}

TEST_P(Acceptance, BlankTextIsStoredAsNull) {  // section 2, rule 1
  ServerFields fields;
  fields.postmaster_address = "  ";
  change([&](Work& w) { return update_server(w, kServer, fields); });
  EXPECT_EQ(managed.installation.main_number(
                "SELECT COUNT(*) FROM {main}`servers` WHERE id = 1 AND postmaster_address IS NULL"),
            1);
}

INSTANTIATE_TEST_SUITE_P(Engines, Acceptance, ::testing::Values(sql::Dialect::Sqlite, sql::Dialect::MariaDb),
                         [](const auto& info) { return testing::engine_name(info); });

}  // namespace
}  // namespace posthaste::manage
