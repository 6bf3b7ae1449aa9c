#include "io/resolver.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "io/dns_cache.h"
#include "io/dns_wire.h"
#include "io/resolv_conf.h"
#include "io/testing.h"
#include "io/testing_dns.h"

namespace posthaste::io {
namespace {

using namespace std::string_literals;

std::unique_ptr<Resolver> resolver_for(const NameServer& server, Duration timeout = 5s) {
  ResolverOptions options;
  options.servers = {server.address()};
  options.timeout = timeout;
  return std::move(*make_resolver(options));
}

TEST(Resolver, FindsRecordsOfEachType) {
  NameServer server;
  server.set("rcpt.test", dns_type::kMx, {mx_data(10, "MX1.rcpt.test"), mx_data(20, "mx2.rcpt.test")});
  server.set("null.test", dns_type::kMx, {mx_data(0, "")});
  server.set("mx1.rcpt.test", dns_type::kA, {ip_data("192.0.2.7")});
  server.set("mx1.rcpt.test", dns_type::kAaaa, {ip_data("2001:db8::7")});
  server.set("rcpt.test", dns_type::kTxt, {txt_data("v=spf1 ") + txt_data("-all"), txt_data("other")});
  server.set("rcpt.test", dns_type::kNs, {wire_name("ns.rcpt.test")});
  server.set("7.2.0.192.in-addr.arpa", dns_type::kPtr, {wire_name("mx1.rcpt.test")});
  server.set("1.0.0.127.in-addr.arpa", dns_type::kPtr, {wire_name("here.test")});
  server.set("5.0.0.10.in-addr.arpa", dns_type::kPtr, {wire_name("inside.test")});
  auto resolver = resolver_for(server);
  run_task([&](Loop& loop) -> Task<> {
    auto mx = co_await resolver->mx("Rcpt.Test.");
    EXPECT_EQ(Loop::current(), &loop);
    EXPECT_TRUE(mx.ok());
    std::vector<std::string> hosts;
    for (const auto& record : mx.records) hosts.push_back(fmt::format("{} {}", record.preference, record.host));
    std::ranges::sort(hosts);
    EXPECT_EQ(hosts, (std::vector<std::string>{"10 mx1.rcpt.test", "20 mx2.rcpt.test"}));

    auto null_mx = co_await resolver->mx("null.test");
    EXPECT_TRUE(null_mx.ok());
    EXPECT_EQ(null_mx.records.size(), 1u);
    EXPECT_EQ(null_mx.records.at(0).host, "");

    auto a = co_await resolver->a("mx1.rcpt.test");
    EXPECT_EQ(a.records.at(0).text(), "192.0.2.7");
    auto aaaa = co_await resolver->aaaa("mx1.rcpt.test");
    EXPECT_EQ(aaaa.records.at(0).text(), "2001:db8::7");
    auto txt = co_await resolver->txt("rcpt.test");
    std::ranges::sort(txt.records);
    EXPECT_EQ(txt.records, (std::vector<std::string>{"other", "v=spf1 -all"}));
    auto ns = co_await resolver->ns("rcpt.test");
    EXPECT_EQ(ns.records.at(0), "ns.rcpt.test");
    for (const auto& [address, name] :
         {std::pair{"192.0.2.7", "mx1.rcpt.test"}, {"127.0.0.1", "here.test"}, {"10.0.0.5", "inside.test"}}) {
      auto ptr = co_await resolver->ptr(*IpAddress::parse(address));
      EXPECT_TRUE(ptr.ok()) << address;
      EXPECT_EQ(ptr.records.at(0), name);
    }
  });
}

TEST(Resolver, FollowsAliases) {
  NameServer server;
  server.set("alias.test", dns_type::kCname, {wire_name("middle.test")});
  server.set("middle.test", dns_type::kCname, {wire_name("end.test")});
  server.set("end.test", dns_type::kMx, {mx_data(5, "mx.end.test")});
  auto resolver = resolver_for(server);
  run_task([&](Loop&) -> Task<> {
    auto mx = co_await resolver->mx("alias.test");
    EXPECT_TRUE(mx.ok());
    EXPECT_EQ(mx.records.at(0).host, "mx.end.test");
    auto cname = co_await resolver->cname("alias.test");
    EXPECT_EQ(cname.records.at(0), "middle.test");
  });
}

TEST(Resolver, TellsApartWhyThereAreNoRecords) {
  NameServer server;
  server.set("host.test", dns_type::kA, {ip_data("192.0.2.1")});
  server.fail("broken.test", 2);
  server.fail("refused.test", 5);
  auto resolver = resolver_for(server);
  run_task([&](Loop&) -> Task<> {
    for (const auto& [name, status] : {std::pair{"host.test", DnsStatus::NoData},
                                       {"unknown.test", DnsStatus::NxDomain},
                                       {"broken.test", DnsStatus::ServFail},
                                       {"refused.test", DnsStatus::ServFail},
                                       {"two..dots.test", DnsStatus::NxDomain},
                                       {"with space.test", DnsStatus::NxDomain},
                                       {"", DnsStatus::NxDomain}}) {
      auto answer = co_await resolver->mx(name);
      EXPECT_EQ(to_text(answer.status), to_text(status)) << name;
      EXPECT_TRUE(answer.records.empty());
    }
  });
}

TEST(Resolver, GivesUpAtTheDeadlineAndServesOthersMeanwhile) {
  NameServer server;
  server.drop("silent.test");
  server.set("rcpt.test", dns_type::kMx, {mx_data(10, "mx.rcpt.test")});
  auto resolver = resolver_for(server, 400ms);
  run_task([&](Loop& loop) -> Task<> {
    auto ask_silent = [](Resolver& from, DnsStatus& status) -> Task<> {
      auto answer = co_await from.mx("silent.test");
      status = answer.status;
    };
    DnsStatus silent = DnsStatus::Ok;
    const auto start = std::chrono::steady_clock::now();
    loop.spawn(ask_silent(*resolver, silent), "silent");
    auto mx = co_await resolver->mx("rcpt.test");
    EXPECT_TRUE(mx.ok());
    EXPECT_LT(std::chrono::steady_clock::now() - start, 300ms);
    while (silent == DnsStatus::Ok) co_await loop.sleep(5ms);
    EXPECT_EQ(to_text(silent), "timeout");
    EXPECT_LT(std::chrono::steady_clock::now() - start, 3s);
    EXPECT_GT(server.asked("silent.test"), 1) << "asked again before giving up";
    auto after = co_await resolver->mx("rcpt.test", true);
    EXPECT_TRUE(after.ok()) << "the name server counts as alive";
  });
}

TEST(Resolver, KeepsAnswersForTheirTimeAndHalfAMinuteUnlessAskedAfresh) {  // outbound-delivery.md 11.2
  NameServer server;
  server.set("rcpt.test", dns_type::kMx, {mx_data(10, "old.test")});
  server.set("short.test", dns_type::kTxt, {txt_data("old")}, 0);
  auto resolver = resolver_for(server);
  run_task([&](Loop&) -> Task<> {
    (void)co_await resolver->mx("rcpt.test");
    (void)co_await resolver->txt("short.test");
    server.set("rcpt.test", dns_type::kMx, {mx_data(10, "new.test")});
    server.set("short.test", dns_type::kTxt, {txt_data("new")}, 0);

    auto kept = co_await resolver->mx("rcpt.test");
    EXPECT_EQ(kept.records.at(0).host, "old.test");
    EXPECT_EQ(server.asked("rcpt.test"), 1);
    auto kept_short = co_await resolver->txt("short.test");
    EXPECT_EQ(kept_short.records.at(0), "old");
    auto fresh = co_await resolver->mx("rcpt.test", true);
    EXPECT_EQ(fresh.records.at(0).host, "new.test");
    auto afterwards = co_await resolver->mx("rcpt.test");
    EXPECT_EQ(afterwards.records.at(0).host, "new.test");
    EXPECT_EQ(server.asked("rcpt.test"), 2);
  });
}

TEST(Resolver, KeepsWhatIsMissingOnlyWithAnSoa) {
  NameServer server;
  auto resolver = resolver_for(server);
  run_task([&](Loop&) -> Task<> {
    (void)co_await resolver->mx("later.test");
    server.set("later.test", dns_type::kMx, {mx_data(10, "mx.test")});
    auto found = co_await resolver->mx("later.test");
    EXPECT_TRUE(found.ok());

    server.send_soa(true);
    (void)co_await resolver->mx("never.test");
    (void)co_await resolver->mx("never.test");
    EXPECT_EQ(server.asked("never.test"), 1);
  });
}

TEST(Resolver, KeepsAFailureForAMomentButNotForAFreshQuestion) {
  NameServer server;
  server.set("rcpt.test", dns_type::kMx, {mx_data(10, "mx.test")});
  server.fail("rcpt.test", 2);
  auto resolver = resolver_for(server);
  run_task([&](Loop&) -> Task<> {
    auto failed = co_await resolver->mx("rcpt.test");
    EXPECT_EQ(failed.status, DnsStatus::ServFail);
    server.heal("rcpt.test");
    auto kept = co_await resolver->mx("rcpt.test");
    EXPECT_EQ(kept.status, DnsStatus::ServFail);
    auto fresh = co_await resolver->mx("rcpt.test", true);
    EXPECT_TRUE(fresh.ok());
    auto afterwards = co_await resolver->mx("rcpt.test");
    EXPECT_TRUE(afterwards.ok());
  });
}

TEST(Resolver, AnswersHundredsOfQuestionsAtOnce) {
  NameServer server;
  constexpr int kCount = 500;
  for (int i = 0; i < kCount; ++i) server.set(fmt::format("h{}.test", i), dns_type::kA, {ip_data("192.0.2.1")});
  auto resolver = resolver_for(server);
  auto ask = [](Resolver& from, std::string name, int& ok) -> Task<> {
    auto answer = co_await from.a(std::move(name));
    if (answer.ok()) ++ok;
  };
  run_task([&](Loop& loop) -> Task<> {
    int ok = 0;
    for (int i = 0; i < kCount; ++i) loop.spawn(ask(*resolver, fmt::format("h{}.test", i), ok), "question");
    while (loop.active_tasks() > 2) co_await loop.sleep(5ms);
    EXPECT_EQ(ok, kCount);
  });
}

TEST(Resolver, AnswersWhatIsAskedWhenItEnds) {
  NameServer server;
  server.drop("silent.test");
  auto resolver = resolver_for(server);
  auto ask = [](Resolver& from, std::optional<DnsStatus>& status) -> Task<> {
    auto task = from.mx("silent.test");
    auto answer = co_await std::move(task);
    status = answer.status;
  };
  Loop loop;
  std::optional<DnsStatus> status;
  loop.spawn(ask(*resolver, status), "question");
  std::jthread ender([&] {
    while (server.asked("silent.test") == 0) std::this_thread::sleep_for(2ms);
    resolver.reset();
    loop.post([&] { loop.stop(); });
  });
  loop.run();
  EXPECT_EQ(status, DnsStatus::ServFail);
}

TEST(MakeResolver, SaysWhatIsWrongWithItsFile) {
  ResolverOptions options;
  options.resolv_conf_path = "/does/not/exist";
  auto missing = make_resolver(options);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().kind, ErrorKind::Invalid);

  const auto path = std::filesystem::temp_directory_path() / fmt::format("resolv-conf-{}", ::getpid());
  std::ofstream(path) << "search example.com\n";
  options.resolv_conf_path = path.string();
  EXPECT_FALSE(make_resolver(options).has_value());
  std::ofstream(path) << "nameserver 127.0.0.1\n";
  EXPECT_TRUE(make_resolver(options).has_value());
  std::filesystem::remove(path);

  options.servers = {"dns.example.com"};
  EXPECT_FALSE(make_resolver(options).has_value());
}

TEST(ResolvConf, TakesNameServersOnly) {
  EXPECT_EQ(parse_name_servers("# comment\nsearch a.test\nnameserver 192.0.2.1 # first\n  nameserver\tfe80::1%eth0\r\n"
                               "nameserver nonsense\nnameserverx 192.0.2.9\nnameserver\noptions ndots:1\n"),
            (std::vector<std::string>{"192.0.2.1", "fe80::1%eth0"}));
  EXPECT_TRUE(is_name_server("::1@5353"));
  EXPECT_FALSE(is_name_server("::1@0"));
  EXPECT_FALSE(is_name_server("fe80::1%\"x\ny"));
}

TEST(DnsWire, RefusesWhatBreaksTheFormat) {
  EXPECT_EQ(parse_name("\3Foo\4te.t\0"s), "foo.te\\046t");
  EXPECT_EQ(parse_name("\0"s), "");
  EXPECT_FALSE(parse_name("\3fo"s).has_value());
  EXPECT_FALSE(parse_name("\3foo"s).has_value());
  EXPECT_FALSE(parse_name("\0x"s).has_value());
  EXPECT_FALSE(parse_mx("\0\1"s).has_value());
  EXPECT_FALSE(parse_txt("\5abc"s).has_value());
  EXPECT_FALSE(parse_address("abc").has_value());
  EXPECT_FALSE(negative_ttl("").has_value());
  EXPECT_FALSE(negative_ttl(std::string(12, '\xff')).has_value());
}

TEST(DnsCache, IsBoundedAndKeepsWhatIsUsed) {
  DnsCache cache(10);
  const auto now = std::chrono::steady_clock::now();
  const auto reply = std::make_shared<const DnsReply>(DnsReply{.status = DnsStatus::Ok, .ttl = std::chrono::hours(1)});
  for (int i = 0; i < 100; ++i) {
    cache.keep(std::to_string(i), 1, reply, now);
    EXPECT_NE(cache.find("0", 1, now), nullptr) << i;
  }
  EXPECT_EQ(cache.find("50", 1, now), nullptr);
  EXPECT_NE(cache.find("99", 1, now), nullptr);
  EXPECT_EQ(cache.find("99", 15, now), nullptr);
  EXPECT_EQ(cache.find("99", 1, now + std::chrono::hours(2)), nullptr);
}

}  // namespace
}  // namespace posthaste::io
