// Checks of a stored domain against name servers that say what the test tells them.
#include "manage/dns_check.h"

#include <gtest/gtest.h>

#include <map>

#include "io/testing.h"
#include "manage/domains.h"
#include "manage/testing_context.h"
#include "manage/track_domains.h"
#include "trust/dkim.h"

namespace posthaste::manage {
namespace {

using io::DnsAnswer;
using io::DnsStatus;

class FakeResolver : public io::Resolver {
 public:
  std::map<std::string, std::vector<std::string>> texts, cnames, servers;
  std::map<std::string, std::vector<io::MxRecord>> hosts;
  std::map<std::string, std::vector<IpAddress>> addresses;
  std::map<std::string, DnsStatus> failing;  // by name
  bool all_fresh = true;

  io::Task<DnsAnswer<io::MxRecord>> mx(std::string name, bool fresh) override { co_return answer(hosts, name, fresh); }
  io::Task<DnsAnswer<IpAddress>> a(std::string name) override { co_return answer(addresses, name, true); }
  io::Task<DnsAnswer<IpAddress>> aaaa(std::string) override { co_return DnsAnswer<IpAddress>{DnsStatus::NoData, {}}; }
  io::Task<DnsAnswer<std::string>> txt(std::string name, bool fresh) override { co_return answer(texts, name, fresh); }
  io::Task<DnsAnswer<std::string>> cname(std::string name, bool fresh) override {
    co_return answer(cnames, name, fresh);
  }
  io::Task<DnsAnswer<std::string>> ns(std::string name) override { co_return answer(servers, name, true); }
  io::Task<DnsAnswer<std::string>> ptr(IpAddress) override { co_return DnsAnswer<std::string>{DnsStatus::NoData, {}}; }

 private:
  template <class T>
  DnsAnswer<T> answer(const std::map<std::string, std::vector<T>>& known, const std::string& name, bool fresh) {
    all_fresh = all_fresh && fresh;
    if (auto failure = failing.find(name); failure != failing.end()) return {failure->second, {}};
    auto found = known.find(name);
    if (found == known.end()) return {DnsStatus::NxDomain, {}};
    return {DnsStatus::Ok, found->second};
  }
};

class DomainChecks : public ::testing::TestWithParam<sql::Dialect> {
 protected:
  DomainChecks() {
    DomainFields fields{.name = "example.com"};
    fields.dkim_private_key = trust::SigningKey::generate_rsa_pem(1024);
    fields.dkim_identifier_string = "aB3dEf";
    auto domain =
        in_change(managed.context, [&](Work& w) { return create_domain(w, {store::OwnerType::Server, 1}, fields); });
    TrackDomainFields track{.name = "click"};
    track.domain_id = domain.value().id;
    EXPECT_TRUE(in_change(managed.context, [&](Work& w) { return create_track_domain(w, 1, track); }));
    auto key = trust::SigningKey::from_pem(*fields.dkim_private_key);
    dns.texts["postal-aB3dEf._domainkey.example.com"] = {key->record()};
    dns.texts["example.com"] = {"v=spf1 a mx include:spf.postal.test ~all"};
    dns.hosts["example.com"] = {{10, "mx1.postal.test"}, {20, "mx2.postal.test"}};
    dns.cnames["psrp.example.com"] = {"rp.postal.test"};
    dns.cnames["click.example.com"] = {"track.postal.test"};
  }

  DomainCheck check() {
    auto domain = domains_to_check(managed.context, "EXAMPLE.com").at(0);
    std::optional<DomainCheck> done;
    io::run_task([&](io::Loop&) -> io::Task<> {
      auto task = check_domain(dns, managed.context.config, std::move(domain));
      done = co_await std::move(task);
    });
    store_domain_check(managed.context, *done);
    return std::move(*done);
  }
  std::string stored(std::string_view column) {
    return managed.installation.text(
        0, fmt::format("SELECT `{}` FROM {{main}}`domains` WHERE `name` = 'example.com'", column));
  }

  testing::Managed managed{GetParam()};
  FakeResolver dns;
};

TEST_P(DomainChecks, AllIsWellWhenEveryRecordIsThere) {
  auto done = check();
  EXPECT_TRUE(done.ok());
  EXPECT_TRUE(dns.all_fresh);
  for (auto column : {"spf_status", "dkim_status", "mx_status", "return_path_status"})
    EXPECT_EQ(stored(column), "OK") << column;
  EXPECT_EQ(stored("spf_error"), "");
  EXPECT_EQ(managed.installation.text(0, "SELECT `dns_status` FROM {main}`track_domains`"), "OK");
  EXPECT_EQ(managed.store->directory()->domain(done.domain.id)->dkim_status, "OK");
  EXPECT_EQ(done.find("dmarc")->status(), "recommended");
  EXPECT_FALSE(done.ownership_proven());
}

TEST_P(DomainChecks, WithoutMxAndReturnPathADomainMaySend) {
  dns.hosts.clear();
  dns.cnames.clear();
  auto done = check();
  EXPECT_TRUE(done.ok());
  EXPECT_EQ(stored("mx_status"), "Missing");
  EXPECT_EQ(stored("return_path_error"), "There is no return path record at psrp.example.com");
  EXPECT_EQ(done.find("mx")->status(), "optional");
  EXPECT_EQ(managed.installation.text(0, "SELECT `dns_error` FROM {main}`track_domains`"),
            "There is no record at click.example.com");
}

TEST_P(DomainChecks, WhatIsWrongIsStored) {
  dns.texts.erase("postal-aB3dEf._domainkey.example.com");
  dns.cnames["psrp.example.com"] = {"elsewhere.test"};
  auto done = check();
  EXPECT_FALSE(done.ok());
  EXPECT_EQ(stored("dkim_status"), "Missing");
  EXPECT_EQ(stored("return_path_status"), "Invalid");
  EXPECT_EQ(done.error("return-path"), stored("return_path_error"));
}

TEST_P(DomainChecks, WhoCannotBeAskedChangesNothing) {
  check();
  dns.failing["postal-aB3dEf._domainkey.example.com"] = DnsStatus::ServFail;
  dns.failing["psrp.example.com"] = DnsStatus::Timeout;
  auto done = check();
  EXPECT_TRUE(done.ok());
  EXPECT_EQ(done.find("dkim")->status(), "unknown");
  EXPECT_EQ(stored("dkim_status"), "OK");
  EXPECT_EQ(stored("return_path_status"), "OK");
}

TEST_P(DomainChecks, OurIncludeMayBeBehindAnother) {
  dns.texts["example.com"] = {"v=spf1 include:mine.example.com -all"};
  dns.texts["mine.example.com"] = {"v=spf1 include:spf.postal.test -all"};
  EXPECT_TRUE(check().ok());
  dns.failing["mine.example.com"] = DnsStatus::Timeout;
  EXPECT_EQ(check().find("spf")->status(), "unknown");
}

TEST_P(DomainChecks, ReturnPathMayLeadToUsByItsAddresses) {
  dns.cnames.erase("psrp.example.com");
  dns.addresses["psrp.example.com"] = {*IpAddress::parse("192.0.2.1")};
  dns.addresses["rp.postal.test"] = {*IpAddress::parse("192.0.2.1")};
  EXPECT_EQ(check().find("return-path")->status(), "ok");
  dns.addresses["rp.postal.test"] = {*IpAddress::parse("192.0.2.2")};
  EXPECT_EQ(check().find("return-path")->status(), "optional");
}

TEST_P(DomainChecks, TheDomainsOwnNameServersAreAskedUnlessConfiguredOtherwise) {
  auto config = managed.context.config;
  config.postal.use_local_ns_for_domain_verification = false;
  FakeResolver local;
  local.servers["example.com"] = {"ns1.example.net"};
  local.addresses["ns1.example.net"] = {*IpAddress::parse("192.0.2.53"), *IpAddress::parse("192.0.2.54")};
  std::vector<std::string> asked;
  auto make = [&](const io::ResolverOptions& options) -> Result<std::unique_ptr<io::Resolver>> {
    asked = options.servers;
    return std::make_unique<FakeResolver>(dns);
  };
  auto domain = domains_to_check(managed.context, "example.com").at(0);
  std::optional<DomainCheck> done;
  io::run_task([&](io::Loop&) -> io::Task<> {
    auto task = check_domain(local, config, std::move(domain), make);
    done = co_await std::move(task);
  });
  EXPECT_TRUE(done->ok());
  EXPECT_EQ(asked, (std::vector<std::string>{"192.0.2.53", "192.0.2.54"}));
}

TEST_P(DomainChecks, TheVerificationRecordProvesOwnership) {
  auto token = stored("verification_token");
  dns.texts["example.com"].push_back("postal-verification " + token);
  EXPECT_TRUE(check().ownership_proven());
}

INSTANTIATE_TEST_SUITE_P(Engines, DomainChecks, ::testing::Values(sql::Dialect::Sqlite),
                         [](const auto& info) { return testing::engine_name(info); });

// One story suffices for the statements on the other engine.
class DomainChecksOnMariaDb : public DomainChecks {};
TEST_P(DomainChecksOnMariaDb, AreStored) {
  dns.hosts.clear();
  EXPECT_TRUE(check().ok());
  EXPECT_EQ(stored("mx_status"), "Missing");
  EXPECT_EQ(managed.installation.text(0, "SELECT `dns_status` FROM {main}`track_domains`"), "OK");
}
INSTANTIATE_TEST_SUITE_P(Engines, DomainChecksOnMariaDb, ::testing::Values(sql::Dialect::MariaDb),
                         [](const auto& info) { return testing::engine_name(info); });

}  // namespace
}  // namespace posthaste::manage
