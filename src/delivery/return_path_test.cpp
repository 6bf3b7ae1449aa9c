#include "delivery/return_path.h"

#include <gtest/gtest.h>

#include <regex>

namespace posthaste::delivery {
namespace {

class ReturnPath : public ::testing::Test {
 protected:
  trust::SigningKey key_ = trust::SigningKey::from_pem(trust::SigningKey::generate_rsa_pem(1024)).value();
  ReturnTags tags_{key_};
  store::Server server_ = [] {
    store::Server server;
    server.token = "abcdef";
    return server;
  }();
  store::Domain domain_ = [] {
    store::Domain domain;
    domain.name = "example.com";
    return domain;
  }();
  config::Config config_ = [] {
    config::Config config;
    config.dns.return_path_domain = "rp.example.org";
    config.dns.custom_return_path_prefix = "psrp";
    return config;
  }();
  store::Message message_ = [] {
    store::Message message;
    message.id = 123456;
    return message;
  }();
};

TEST_F(ReturnPath, IsAtTheInstallationUntilTheDomainHasItsRecord) {
  EXPECT_EQ(mail_from(message_, server_, &domain_, config_, nullptr), "abcdef@rp.example.org");
  domain_.return_path_status = "OK";
  EXPECT_EQ(mail_from(message_, server_, &domain_, config_, nullptr), "abcdef@psrp.example.com");
}

TEST_F(ReturnPath, IsEmptyForBounces) {
  message_.bounce = true;
  EXPECT_EQ(mail_from(message_, server_, &domain_, config_, &tags_), "");
}

TEST_F(ReturnPath, CarriesATagInPostalsAlphabet) {
  const auto address = mail_from(message_, server_, &domain_, config_, &tags_);
  EXPECT_TRUE(std::regex_match(address, std::regex(R"(abcdef\+b[a-z2-7]+-[a-z2-7]{10}@rp\.example\.org)"))) << address;
}

TEST_F(ReturnPath, TagsComeBackAsTheMessage) {
  for (store::Id id : {store::Id(1), store::Id(255), store::Id(256), store::Id(123456789), store::Id(1) << 40}) {
    const ReturnTag tag{'b', id};
    EXPECT_EQ(tags_.check("abcdef", tags_.make("abcdef", tag)), tag) << id;
  }
  const ReturnTag forwarded{'f', 9};
  EXPECT_EQ(tags_.check("abcdef", tags_.make("abcdef", forwarded)), forwarded);
}

TEST_F(ReturnPath, SurvivesFoldedCase) {
  auto text = tags_.make("abcdef", {'b', 42});
  for (auto& c : text) c = char(std::toupper(c));
  EXPECT_EQ(tags_.check("abcdef", text), (ReturnTag{'b', 42}));
}

TEST_F(ReturnPath, RefusesTagsThatWereNotGivenOut) {
  const auto good = tags_.make("abcdef", {'b', 42});
  EXPECT_FALSE(tags_.check("ghijkl", good)) << "another mail server's";
  EXPECT_FALSE(tags_.check("abcdef", "f" + good.substr(1))) << "another kind";
  EXPECT_FALSE(tags_.check("abcdef", tags_.make("abcdef", {'b', 43}).substr(0, 3) + good.substr(3))) << "another id";
  for (auto text : {"", "b", "b-", "-", "b1-aaaaaaaaaa", "baaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-aaaaaaaaaa", "news"}) {
    EXPECT_FALSE(tags_.check("abcdef", text)) << text;
  }
  const ReturnTags others(trust::SigningKey::from_pem(trust::SigningKey::generate_rsa_pem(1024)).value());
  EXPECT_FALSE(others.check("abcdef", good)) << "another installation's";
}

TEST(EnvelopeRecipient, KeepsAsciiDomainsAndConvertsOthers) {
  EXPECT_EQ(envelope_recipient("Bob@Remote.TEST"), "Bob@Remote.TEST");
  EXPECT_EQ(envelope_recipient("bob@bücher.test"), "bob@xn--bcher-kva.test");
  EXPECT_EQ(envelope_recipient("jürgen@x.test"), "jürgen@x.test");
}

TEST(EnvelopeRecipient, RefusesWhatWouldBreakTheLine) {
  for (auto text : {"a\r\nRSET@x.test", "a<b@x.test", "nobody", "@x.test", "a@"}) {
    EXPECT_FALSE(envelope_recipient(text)) << text;
  }
  EXPECT_FALSE(envelope_recipient(std::string(250, 'a') + "@x.test"));
}

}  // namespace
}  // namespace posthaste::delivery
