#include "store/directory.h"

#include <gtest/gtest.h>

#include "store/directory_snapshot.h"
#include "store/testing_store.h"

namespace posthaste::store {
namespace {

using testing::Installation;

const Time kThen = Time(std::chrono::days(19000));

ConfigurationRows rows() {
  ConfigurationRows r;
  r.organizations = {{.id = 1, .name = "Org", .permalink = "org"}, {.id = 2, .permalink = "gone", .deleted_at = kThen}};
  r.servers = {{.id = 1, .organization_id = 1, .permalink = "mail", .token = "abcdef"},
               {.id = 2, .organization_id = 1, .permalink = "old", .token = "ghijkl", .deleted_at = kThen},
               {.id = 3, .organization_id = 2, .permalink = "mail", .token = "mnopqr"}};
  return r;
}

TEST(Directory, DeletedMailServersAndThoseOfDeletedOrganizationsAreNotThere) {
  const Snapshot directory(rows());
  EXPECT_EQ(directory.server_by_token("ABCDEF")->id, 1);
  EXPECT_EQ(directory.server_by_token("ghijkl"), nullptr);
  EXPECT_EQ(directory.server_by_token("mnopqr"), nullptr);
  EXPECT_EQ(directory.server("Org", "MAIL")->id, 1);
  EXPECT_EQ(directory.server("gone", "mail"), nullptr);
  EXPECT_EQ(directory.servers().size(), 1u);
  EXPECT_EQ(directory.hidden_servers(), (std::vector<Id>{2, 3}));
  EXPECT_EQ(directory.path(*directory.server(1)), "org/mail");
}

TEST(Directory, SuspensionIsTheServersOrTheOrganizations) {
  ConfigurationRows r = rows();
  EXPECT_FALSE(Snapshot(r).suspended(r.servers[0]));
  r.organizations[0].suspended_at = kThen;
  EXPECT_TRUE(Snapshot(r).suspended(r.servers[0]));
}

TEST(Directory, KeysMatchByteForByteAndByType) {
  ConfigurationRows r = rows();
  r.credentials = {{.id = 1, .server_id = 1, .type = CredentialType::Smtp, .key = "Secret"},
                   {.id = 2, .server_id = 2, .type = CredentialType::Smtp, .key = "Other"}};
  const Snapshot directory(r);
  EXPECT_EQ(directory.credential_by_key(CredentialType::Smtp, "Secret")->id, 1);
  EXPECT_EQ(directory.credential_by_key(CredentialType::Smtp, "secret"), nullptr);
  EXPECT_EQ(directory.credential_by_key(CredentialType::Api, "Secret"), nullptr);
  EXPECT_EQ(directory.credential_by_key(CredentialType::Smtp, "Other"), nullptr);  // of a deleted server
  EXPECT_EQ(directory.smtp_credentials(1).size(), 1u);
}

TEST(Directory, TheLongestNetworkWins) {
  ConfigurationRows r = rows();
  const auto network = [](Id id, std::string key) {
    return Credential{
        .id = id, .server_id = 1, .type = CredentialType::SmtpIp, .key = key, .network = IpNetwork::parse(key)};
  };
  r.credentials = {network(1, "10.0.0.0/8"), network(2, "10.1.0.0/16"), network(3, "10.1.0.0/16"),
                   network(4, "2001:db8::/32"), network(5, "nonsense")};
  const Snapshot directory(r);
  const auto by_ip = [&](std::string_view ip) { return directory.credential_by_ip(*IpAddress::parse(ip)); };
  EXPECT_EQ(by_ip("10.2.3.4")->id, 1);
  EXPECT_EQ(by_ip("10.1.3.4")->id, 2);
  EXPECT_EQ(by_ip("2001:db8::1")->id, 4);
  EXPECT_EQ(by_ip("192.0.2.1"), nullptr);
}

TEST(Directory, TheSendersDomainIsTheServersThenTheOrganizationsThenAny) {
  ConfigurationRows r = rows();
  const auto domain = [](Id id, std::string name, OwnerType owner, bool verified = true) {
    Domain d{.id = id, .owner_type = owner, .owner_id = 1, .name = std::move(name)};
    if (verified) d.verified_at = kThen;
    return d;
  };
  r.domains = {domain(1, "lemons.com", OwnerType::Organization), domain(2, "lemons.com", OwnerType::Server),
               domain(3, "limes.com", OwnerType::Organization), domain(4, "unproven.com", OwnerType::Server, false)};
  {
    const Snapshot directory(r);
    const Server& server = *directory.server(1);
    EXPECT_EQ(directory.sending_domain(server, "LEMONS.com")->id, 2);
    EXPECT_EQ(directory.sending_domain(server, "limes.com")->id, 3);
    EXPECT_EQ(directory.sending_domain(server, "unproven.com"), nullptr);
    EXPECT_EQ(directory.sending_domain(server, "bananas.com"), nullptr);
    EXPECT_EQ(directory.hosted_domain("lemons.COM")->id, 1);
    EXPECT_EQ(directory.hosted_domain("unproven.com"), nullptr);
  }
  r.domains[1].use_for_any = true;
  r.domains[2].use_for_any = true;  // an organization's: without effect
  const Snapshot directory(r);
  EXPECT_EQ(directory.sending_domain(*directory.server(1), "bananas.com")->id, 2);
}

TEST(Directory, ARouteIsFoundByItsNameThenByTheStar) {
  ConfigurationRows r = rows();
  r.domains = {{.id = 1, .owner_id = 1, .name = "in.example"}};
  r.routes = {{.id = 1, .server_id = 1, .domain_id = 1, .name = "*", .token = "tokenA"},
              {.id = 2, .server_id = 1, .domain_id = 1, .name = "info", .token = "tokenB"},
              {.id = 3, .server_id = 1, .name = "__returnpath__", .token = "tokenC"}};
  const Snapshot directory(r);
  EXPECT_EQ(directory.route_for("INFO", "In.Example")->id, 2);
  EXPECT_EQ(directory.route_for("sales", "in.example")->id, 1);
  EXPECT_EQ(directory.route_for("info", "sub.in.example"), nullptr);
  EXPECT_EQ(directory.route_by_token("TOKENb")->id, 2);
  EXPECT_EQ(directory.return_path_route(1)->id, 3);
}

class DirectoryTables : public ::testing::TestWithParam<sql::Dialect> {
 protected:
  Installation& world_ = testing::fresh_installation(GetParam());
};

TEST_P(DirectoryTables, AreReadAtStart) {
  const auto store = world_.open();
  const auto directory = store->directory();
  const Server* server = directory->server("org", "server");
  ASSERT_TRUE(server);
  EXPECT_EQ(server->token, "abcdef");
  EXPECT_EQ(directory->credential_by_key(CredentialType::Api, "apikey")->server_id, 1);
  EXPECT_EQ(directory->credential_by_ip(*IpAddress::parse("10.9.9.9"))->id, 3);
  EXPECT_TRUE(directory->sending_domain(*server, "sender.example"));
  EXPECT_EQ(directory->route_for("info", "sender.example")->token, "RouteTok");
}

TEST_P(DirectoryTables, AChangeHoldsWhenItReturnsAndOldSnapshotsStay) {
  const auto store = world_.open();
  const auto before = store->directory();
  store->change([&](sql::Connection& connection) {
    connection.run(store->main("UPDATE {main}`servers` SET token = 'changd' WHERE id = 1"));
  });
  EXPECT_TRUE(store->directory()->server_by_token("changd"));
  EXPECT_TRUE(before->server_by_token("abcdef"));
  EXPECT_THROW(store->change([&](sql::Connection& connection) {
    connection.run(store->main("UPDATE {main}`servers` SET token = 'undone' WHERE id = 1"));
    throw std::runtime_error("no");
  }),
               std::runtime_error);
  store->reload_directory();
  EXPECT_TRUE(store->directory()->server_by_token("changd"));
}

TEST_P(DirectoryTables, ChangesOfOthersAreNoticed) {
  const auto store = world_.open();
  store->poll_changes();
  const auto before = store->directory();
  store->poll_changes();
  EXPECT_EQ(store->directory(), before);  // nothing changed, nothing was read
  world_.run_main("INSERT INTO {main}`credentials` (id, server_id, type, name, `key`) VALUES (9, 1, 'API', 'n', 'k9')");
  store->poll_changes();
  EXPECT_TRUE(store->directory()->credential_by_key(CredentialType::Api, "k9"));
}

// smtp-server.md case 32
TEST_P(DirectoryTables, ACredentialThatIsNoNetworkIsLeftOutAndNamed) {
  world_.run_main(
      "INSERT INTO {main}`credentials` (id, server_id, type, name, `key`) VALUES (77, 1, 'SMTP-IP', 'n', 'garbage')");
  ::testing::internal::CaptureStderr();
  const auto store = world_.open();
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(store->directory()->credential_by_ip(*IpAddress::parse("1.2.3.4")), nullptr);
  if (GetParam() == sql::Dialect::Sqlite) {  // said once in a process
    EXPECT_NE(said.find("key=garbage"), std::string::npos) << said;
  }
}

TEST_P(DirectoryTables, TheLastUseOfACredentialIsWritten) {
  const Time when = std::chrono::floor<std::chrono::milliseconds>(system_now());
  {
    const auto store = world_.open();
    store->note_credential_used(1, when - std::chrono::seconds(5));
    store->note_credential_used(1, when);
  }
  const auto again = world_.open();
  EXPECT_EQ(again->directory()->credential(1)->last_used_at, when);
}

TEST_P(DirectoryTables, TheLastUseOfAnEndpointIsWritten) {
  world_.run_main("INSERT INTO {main}`smtp_endpoints` (id, server_id, name, hostname) VALUES (5, 1, 'n', 'mx.test')");
  const Time when = std::chrono::floor<std::chrono::seconds>(system_now());
  {
    const auto store = world_.open();
    store->note_endpoint_used("SMTPEndpoint", 5, when);
  }
  const auto again = world_.open();
  bool found = false;
  again->read([&](sql::Connection& connection) {
    connection.query(again->main("SELECT last_used_at FROM {main}`smtp_endpoints` WHERE id = 5"), {},
                     [&](const sql::Row& row) { found = row.date_time(0) == when; });
  });
  EXPECT_TRUE(found);
}

TEST_P(DirectoryTables, WithoutInitializeTheTextSaysWhatToRun) {
  config::Config config = world_.config;
  config.posthaste.data_path += "-nowhere";
  config.main_db.database = "nowhere";
  const auto opened = Store::open(config);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::Invalid);
  EXPECT_NE(opened.error().text.find("posthaste initialize"), std::string::npos) << opened.error().text;
}

INSTANTIATE_TEST_SUITE_P(Engines, DirectoryTables, ::testing::Values(sql::Dialect::Sqlite, sql::Dialect::MariaDb),
                         [](const auto& info) { return info.param == sql::Dialect::Sqlite ? "Sqlite" : "MariaDb"; });

}  // namespace
}  // namespace posthaste::store
