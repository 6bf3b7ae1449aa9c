#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manage/document.h"
#include "manage/problems.h"

namespace posthaste::manage {
namespace {

std::vector<std::string> refused(std::string_view text) {
  auto document = read_document(text);
  return document ? std::vector<std::string>{"accepted"} : error_messages(document.error());
}

TEST(DocumentReading, TellsGivenFromNotGiven) {
  auto document = read_document(R"(
organizations:
  - permalink: acme
    suspended: null
    servers:
      - permalink: mail
        settings: {send_limit: null, spam_threshold: 2.5, outbound_spam_threshold: 5}
        routes:
          - {name: info, domain: sender.test, mode: Endpoint, endpoint: {http: hook}, additional: [{address: a@b}]}
)");
  ASSERT_TRUE(document) << document.error().text;
  EXPECT_FALSE(document->users);
  const auto& acme = document->organizations->front();
  EXPECT_TRUE(acme.suspended.given());
  EXPECT_FALSE(acme.fields.name.given());
  EXPECT_FALSE(acme.domains);
  const auto& mail = acme.servers->front();
  EXPECT_EQ(mail.path, "organizations[acme].servers[mail]");
  EXPECT_TRUE(mail.fields.send_limit.given());
  EXPECT_FALSE(mail.fields.send_limit.has_value());
  EXPECT_EQ(*mail.fields.outbound_spam_threshold, 5.0);
  const auto& route = mail.routes->front();
  EXPECT_EQ(route.endpoint->kind, "http");
  EXPECT_EQ(route.additional->front().name, "a@b");
}

TEST(DocumentReading, NamesEveryUnknownKeyAndWrongValue) {
  EXPECT_THAT(refused("organisations: []\n"), testing::ElementsAre("line 1: organisations: is not a known key"));
  EXPECT_THAT(refused("users:\n  - email_address: a@b\n    admin: maybe\n    emial: x\n"),
              testing::ElementsAre("line 3: users[a@b].admin: must be true or false",
                                   "line 4: users[a@b].emial: is not a known key"));
  EXPECT_THAT(refused("organizations:\n- name: A\n  servers:\n  - name: B\n    settings: {send_limit: many}\n"),
              testing::ElementsAre("line 5: organizations[A].servers[B].settings.send_limit: must be a whole number"));
  EXPECT_THAT(refused("users: {}\n"), testing::ElementsAre("line 1: users: must be a list"));
  EXPECT_THAT(refused("[]"), testing::ElementsAre("line 1: the document: must be a map of keys and values"));
}

TEST(DocumentReading, PlainNumbersMayBeText) {
  auto document = read_document("organizations: [{permalink: 007, name: 12.50}]");
  ASSERT_TRUE(document) << document.error().text;
  EXPECT_EQ(*document->organizations->front().fields.permalink, "007");
  EXPECT_EQ(*document->organizations->front().fields.name, "12.50");
}

TEST(DocumentReading, AnEmptyDocumentSaysNothing) {
  auto document = read_document("");
  ASSERT_TRUE(document);
  EXPECT_FALSE(document->organizations);
}

}  // namespace
}  // namespace posthaste::manage
