#include "manage/dns_rules.h"

#include <gtest/gtest.h>

namespace posthaste::manage {
namespace {

constexpr auto kUs = "spf.postal.test";
const std::string kRecord = "v=DKIM1; t=s; h=sha256; p=MIIBabc+/=;";
constexpr auto kName = "postal-aB3dEf._domainkey.example.com";
const std::vector<std::string> kHosts = {"mx1.postal.test", "MX2.Postal.Test"};

void expect(const Finding& finding, DnsState state, std::string_view error) {
  EXPECT_EQ(to_text(finding.state), to_text(state));
  EXPECT_EQ(finding.error, error);
}

TEST(SpfRule, FindsOurInclude) {
  expect(judge_spf({"other", "v=spf1 a mx include:spf.postal.test ~all"}, {}, kUs), DnsState::Ok, "");
  expect(judge_spf({"V=SPF1 include: SPF.postal.test. -all"}, {}, kUs), DnsState::Ok, "");
  expect(judge_spf({"v=spf1 redirect=spf.postal.test"}, {}, kUs), DnsState::Ok, "");
}

TEST(SpfRule, FindsItBehindAnotherInclude) {
  expect(judge_spf({"v=spf1 include:mine.example -all"}, {"v=spf1 include:spf.postal.test -all"}, kUs), DnsState::Ok,
         "");
}

TEST(SpfRule, SaysWhatIsWrong) {
  expect(judge_spf({"v=spf10 x", "text"}, {}, kUs), DnsState::Missing, "No SPF record exists for this domain");
  expect(judge_spf({"v=spf1 -all"}, {}, kUs), DnsState::Invalid,
         "An SPF record exists but it doesn't include spf.postal.test");
  expect(judge_spf({"v=spf1 include:spf.postal.test.evil -all"}, {}, kUs), DnsState::Invalid,
         "An SPF record exists but it doesn't include spf.postal.test");
  expect(judge_spf({"v=spf1 -include:spf.postal.test all"}, {}, kUs), DnsState::Invalid,
         "An SPF record exists but it doesn't include spf.postal.test");
  expect(judge_spf({"v=spf1 include:spf.postal.test", "v=spf1 -all"}, {}, kUs), DnsState::Invalid,
         "There are 2 SPF records for this domain. There should only be one.");
}

TEST(DkimRule, AcceptsTheSameKeyInAnyDress) {
  for (auto text : {"v=DKIM1; t=s; h=sha256; p=MIIBabc+/=;", "v=DKIM1; t=s; h=sha256; p=MIIBabc+/=", "p=MIIB abc+/=",
                    "k=rsa; p=MIIBabc+/=; v=DKIM1", "v=DKIM1;h=sha1:sha256;p=MIIBabc+/="})
    expect(judge_dkim({text}, kName, kRecord), DnsState::Ok, "");
}

TEST(DkimRule, SaysWhatIsWrong) {
  const std::string mismatch =
      "The DKIM record at postal-aB3dEf._domainkey.example.com does not match the record we have provided. Please "
      "check "
      "it has been copied correctly.";
  expect(judge_dkim({}, kName, kRecord), DnsState::Missing,
         "No TXT records were returned for postal-aB3dEf._domainkey.example.com");
  expect(judge_dkim({kRecord, "x"}, kName, kRecord), DnsState::Invalid,
         "There are 2 records for at postal-aB3dEf._domainkey.example.com. There should only be one.");
  for (auto text : {"v=DKIM1; p=", "v=DKIM1; p=miibABC+/=", "v=DKIM1; h=sha1; p=MIIBabc+/=", "k=ed25519; p=MIIBabc+/="})
    expect(judge_dkim({text}, kName, kRecord), DnsState::Invalid, mismatch);
}

TEST(MxRule, ComparesNamesRegardlessOfCase) {
  expect(judge_mx({"mx2.postal.test", "mx1.postal.test.", "other"}, "example.com", kHosts), DnsState::Ok, "");
}

TEST(MxRule, SaysWhatIsWrong) {
  expect(judge_mx({}, "example.com", kHosts), DnsState::Missing, "There are no MX records for example.com");
  expect(judge_mx({"mx.other"}, "example.com", kHosts), DnsState::Missing,
         "You have MX records but none of them point to us.");
  expect(judge_mx({"mx1.postal.test"}, "example.com", kHosts), DnsState::Invalid,
         "MX record for MX2.Postal.Test are missing and are required.");
  expect(judge_mx({"c"}, "example.com", {"a", "b", "c"}), DnsState::Invalid,
         "MX records for a and b are missing and are required.");
}

TEST(CnameRule, FollowsTheChain) {
  expect(judge_cname({"RP.postal.test."}, "psrp.example.com", "rp.postal.test", "return path record"), DnsState::Ok,
         "");
  expect(judge_cname({"alias.example", "rp.postal.test"}, "psrp.example.com", "rp.postal.test", "return path record"),
         DnsState::Ok, "");
  expect(judge_cname({}, "psrp.example.com", "rp.postal.test", "return path record"), DnsState::Missing,
         "There is no return path record at psrp.example.com");
  expect(judge_cname({}, "click.example.com", "track.postal.test", "record"), DnsState::Missing,
         "There is no record at click.example.com");
  expect(judge_cname({"elsewhere.test", "x"}, "psrp.example.com", "rp.postal.test", "return path record"),
         DnsState::Invalid,
         "There is a CNAME record at psrp.example.com but it points to elsewhere.test which is incorrect. It should "
         "point to rp.postal.test.");
}

TEST(VerificationRule, WantsTheWholeText) {
  EXPECT_EQ(judge_verification({"x", " postal-verification abc "}, "example.com", "postal-verification abc").state,
            DnsState::Ok);
  EXPECT_EQ(judge_verification({"postal-verification abcd"}, "example.com", "postal-verification abc").state,
            DnsState::Missing);
}

TEST(DmarcRule, WantsOneRecord) {
  EXPECT_EQ(judge_dmarc({"v=DMARC1; p=none"}, "_dmarc.x").state, DnsState::Ok);
  EXPECT_EQ(judge_dmarc({"v=DMARC10"}, "_dmarc.x").state, DnsState::Missing);
  EXPECT_EQ(judge_dmarc({"v=DMARC1; p=none", "v=DMARC1; p=reject"}, "_dmarc.x").state, DnsState::Invalid);
}

}  // namespace
}  // namespace posthaste::manage
