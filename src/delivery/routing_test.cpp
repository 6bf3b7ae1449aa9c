#include "delivery/routing.h"

#include <gtest/gtest.h>

#include "base/strings.h"
#include "delivery/fake_resolver.h"
#include "delivery/fake_store.h"
#include "io/testing.h"

namespace posthaste::delivery {
namespace {

using testing::FakeResolver;

class RoutingTest : public ::testing::Test {
 protected:
  Routing route_to(const std::string& domain) {
    Routing found;
    io::run_task([&](io::Loop&) -> io::Task<> { found = co_await route(dns, domain, rules); });
    return found;
  }

  // `mx1.test 192.0.2.1 192.0.2.2; mx2.test 192.0.2.3`, or why there is none
  std::string routed(const std::string& domain) {
    const auto found = route_to(domain);
    if (const auto* none = std::get_if<NoHosts>(&found)) return none->details;
    std::vector<std::string> hosts;
    for (const auto& host : std::get<Hosts>(found).hosts) {
      std::string text = host.name;
      for (const auto& address : host.addresses) text += " " + address.text();
      hosts.push_back(text);
    }
    return join(hosts, "; ");
  }

  FakeResolver dns;
  RoutingRules rules;
};

TEST_F(RoutingTest, TakesMxHostsByPreference) {
  dns.set_mx("x.test", {{20, "mx2.test"}, {10, "mx1.test"}});
  dns.set_a("mx1.test", {"192.0.2.1"});
  dns.set_a("mx2.test", {"192.0.2.2"});
  EXPECT_EQ(routed("x.test"), "mx1.test 192.0.2.1; mx2.test 192.0.2.2");
}

TEST_F(RoutingTest, ShufflesEqualPreferences) {
  dns.set_mx("x.test", {{10, "a.test"}, {10, "b.test"}, {10, "c.test"}});
  std::map<std::string, int> first;
  for (int i = 0; i < 600; ++i) ++first[std::get<Hosts>(route_to("x.test")).hosts.front().name];
  for (auto host : {"a.test", "b.test", "c.test"}) EXPECT_NEAR(first[host], 200, 70) << host;
}

TEST_F(RoutingTest, PutsIpv6BeforeIpv4OfTheSameHost) {
  dns.set_mx("x.test", {{10, "mx.test"}});
  dns.set_a("mx.test", {"192.0.2.1", "192.0.2.2"});
  dns.set_aaaa("mx.test", "2001:db8::1");
  EXPECT_EQ(routed("x.test"), "mx.test 2001:db8::1 192.0.2.1 192.0.2.2");
}

TEST_F(RoutingTest, FallsBackToTheDomainItselfWithoutMx) {
  dns.fail_mx("x.test", io::DnsStatus::NoData);
  dns.set_a("x.test", {"192.0.2.9"});
  EXPECT_EQ(routed("x.test"), "x.test 192.0.2.9");
}

TEST_F(RoutingTest, DoesNotFallBackWhenTheNameServersFail) {
  dns.set_a("x.test", {"192.0.2.9"});
  dns.fail_mx("x.test", io::DnsStatus::ServFail);
  EXPECT_EQ(routed("x.test"), "DNS lookup failed for x.test (SERVFAIL).");
  dns.fail_mx("x.test", io::DnsStatus::Timeout);
  EXPECT_EQ(routed("x.test"), "DNS lookup failed for x.test (timeout).");
  EXPECT_EQ(std::ranges::count(dns.asked, "a x.test"), 0);
}

TEST_F(RoutingTest, HasNoHostForUnknownDomains) {
  const auto found = route_to("nowhere.test");
  EXPECT_EQ(std::get<NoHosts>(found).why, NoHosts::Why::NoSuchDomain);
  EXPECT_EQ(std::get<NoHosts>(found).details, "No SMTP servers were available for nowhere.test. No hosts to try.");
}

TEST_F(RoutingTest, BelievesANullMx) {
  dns.set_mx("x.test", {{0, ""}});
  const auto found = route_to("x.test");
  EXPECT_EQ(std::get<NoHosts>(found).why, NoHosts::Why::NullMx);
  EXPECT_EQ(std::get<NoHosts>(found).details, "The domain x.test does not accept mail (null MX).");
}

TEST_F(RoutingTest, IgnoresAddressesAndEmptyNamesAmongMxHosts) {
  dns.set_mx("x.test", {{0, ""}, {5, "192.0.2.1"}, {10, "mx.test"}});
  dns.set_a("mx.test", {"192.0.2.2"});
  EXPECT_EQ(routed("x.test"), "mx.test 192.0.2.2");
}

TEST_F(RoutingTest, KeepsMxHostsWithoutAddressesAndUsesNoOtherHost) {
  dns.set_mx("x.test", {{10, "nobody.test"}});
  dns.set_a("x.test", {"192.0.2.9"});
  EXPECT_EQ(routed("x.test"), "nobody.test");
}

TEST_F(RoutingTest, DropsItselfAndAllThatAreNoBetter) {
  rules.own = {{"mx.here.test"}, {}, 25};
  dns.set_mx("x.test", {{10, "better.test"}, {20, "MX.here.test"}, {20, "equal.test"}, {30, "worse.test"}});
  dns.set_a("better.test", {"192.0.2.1"});
  EXPECT_EQ(routed("x.test"), "better.test 192.0.2.1");
}

TEST_F(RoutingTest, SaysSoWhenOnlyItselfIsLeft) {
  rules.own = {{}, {*IpAddress::parse("192.0.2.50")}, 25};
  dns.set_mx("x.test", {{10, "elsewhere.test"}});
  dns.set_a("elsewhere.test", {"192.0.2.50"});
  EXPECT_EQ(routed("x.test"), "Mail for x.test loops back to this server.");
  rules.domain_is_ours = true;
  EXPECT_EQ(routed("x.test"), "elsewhere.test 192.0.2.50") << "mail for a domain of ours ends here";
}

TEST_F(RoutingTest, DoesNotTakeAnotherPortOfThisMachineForItself) {
  rules.own = {{}, {*IpAddress::parse("192.0.2.50")}, 2525};
  dns.set_mx("x.test", {{10, "elsewhere.test"}});
  dns.set_a("elsewhere.test", {"192.0.2.50"});
  EXPECT_EQ(routed("x.test"), "elsewhere.test 192.0.2.50");
}

TEST_F(RoutingTest, ConnectsToAddressLiterals) {
  EXPECT_EQ(routed("[192.0.2.7]"), "192.0.2.7 192.0.2.7");
  EXPECT_EQ(routed("[IPv6:2001:db8::7]"), "2001:db8::7 2001:db8::7");
  EXPECT_EQ(std::get<NoHosts>(route_to("[nonsense]")).why, NoHosts::Why::BadDomain);
  EXPECT_TRUE(dns.asked.empty());
}

TEST_F(RoutingTest, AsksForInternationalDomainsByTheirAsciiForm) {
  dns.set_mx("xn--bcher-kva.test", {{10, "mx.test"}});
  dns.set_a("mx.test", {"192.0.2.2"});
  EXPECT_EQ(routed("bücher.test"), "mx.test 192.0.2.2");
}

TEST_F(RoutingTest, SendsEverythingToRelays) {
  rules.relays = {{"relay1.test", 2525, "None", "", ""}, {"10.0.0.5", 465, "TLS", "user", "secret"}};
  dns.set_a("relay1.test", {"192.0.2.1"});
  const auto found = route_to("x.test");
  const auto& hosts = std::get<Hosts>(found).hosts;
  ASSERT_EQ(hosts.size(), 2U);
  EXPECT_EQ(hosts[0].port, 2525);
  EXPECT_EQ(hosts[0].tls, smtp::client::TlsMode::None);
  EXPECT_EQ(hosts[1].addresses.size(), 1U) << "an address needs no DNS";
  EXPECT_EQ(hosts[1].tls, smtp::client::TlsMode::Tls);
  EXPECT_EQ(hosts[1].username, "user");
  EXPECT_EQ(std::ranges::count(dns.asked, "mx x.test"), 0);
}

TEST(DomainIsOurs, KnowsHostedDomainsAndTheInstallations) {
  testing::FakeDirectory directory;
  directory.hosted = {"hosted.test"};
  config::Config config;
  config.dns.return_path_domain = "rp.example.org";
  config.dns.route_domain = "routes.example.org";
  config.dns.custom_return_path_prefix = "psrp";
  for (auto name : {"hosted.test", "Hosted.TEST", "rp.example.org", "routes.example.org", "psrp.hosted.test"}) {
    EXPECT_TRUE(domain_is_ours(directory, config, name)) << name;
  }
  for (auto name : {"x.test", "psrp.x.test", "sub.hosted.test"}) EXPECT_FALSE(domain_is_ours(directory, config, name));
}

TEST(OwnHostTest, ListensWhereTheSmtpServerDoes) {
  config::Config config;
  config.dns.mx_records = {"MX1.here.test"};
  config.postal.smtp_hostname = "smtp.here.test";
  config.smtp_server.default_port = 25;
  const std::vector<IpAddress> interfaces = {*IpAddress::parse("127.0.0.1"), *IpAddress::parse("192.0.2.1")};

  config.smtp_server.default_bind_address = "::";
  EXPECT_TRUE(own_host(config, interfaces).listens_on(interfaces[1], 25));
  EXPECT_FALSE(own_host(config, interfaces).listens_on(interfaces[1], 2525));
  EXPECT_TRUE(own_host(config, interfaces).is("mx1.HERE.test"));
  EXPECT_TRUE(own_host(config, interfaces).is("smtp.here.test"));

  config.smtp_server.default_bind_address = "127.0.0.1";
  EXPECT_FALSE(own_host(config, interfaces).listens_on(interfaces[1], 25));
}

}  // namespace
}  // namespace posthaste::delivery
