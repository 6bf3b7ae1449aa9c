// send/message and send/raw (http-api.md, cases 15 to 44).
#include "api/v1/testing_api.h"

namespace posthaste::api::v1 {
namespace {

using nlohmann::ordered_json;
using testing::ApiTest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

// --- send/message

TEST_F(ApiTest, TheFirstFaultIsAnswered) {
  const ordered_json many = std::vector<std::string>(51, "a@a.com"), none = nullptr;
  const ordered_json unnamed = {{{"data", "eA=="}}}, empty = {{{"name", "x"}}};
  const std::pair<const char*, ordered_json> cases[] = {
      {"NoRecipients", {{"to", none}, {"plain_body", none}}},
      {"NoRecipients", {{"to", {"", " "}}}},
      {"TooManyToAddresses", {{"to", many}, {"cc", many}}},
      {"TooManyCCAddresses", {{"cc", many}}},
      {"TooManyBCCAddresses", {{"bcc", many}, {"plain_body", none}}},
      {"NoContent", {{"plain_body", " \n\xC2\xA0"}, {"from", none}}},
      {"FromAddressMissing", {{"from", " "}}},
      {"UnauthenticatedFromAddress", {{"from", "a@elsewhere.example"}, {"attachments", unnamed}}},
      {"UnauthenticatedFromAddress", {{"from", "foo"}}},
      {"UnauthenticatedFromAddress", {{"from", "Boss <ceo@bank.example>, x <me@sender.example>"}}},
      {"AttachmentMissingName", {{"attachments", unnamed}}},
      {"AttachmentMissingData", {{"attachments", empty}}}};
  for (const auto& [expected, fields] : cases) EXPECT_EQ(code(call("send/message", mail(fields))), expected);
}

// http-api.md case 22
TEST_F(ApiTest, TheSenderCountsWhereItIsAllowed) {
  const ordered_json fields = mail({{"from", "a@elsewhere.example"}, {"sender", "s@sender.example"}});
  EXPECT_EQ(code(call("send/message", fields)), "UnauthenticatedFromAddress");
  change_servers("UPDATE {main}`servers` SET allow_sender = 1");
  EXPECT_EQ(call("send/message", fields)["status"], "success");
}

TEST_F(ApiTest, RecipientsAreKeyedByTheirStrippedAddress) {
  const auto keys = [](const ordered_json& answer) {
    std::vector<std::string> found;
    for (const auto& [key, value] : answer["data"]["messages"].items()) found.push_back(key);
    return found;
  };
  EXPECT_THAT(keys(send({{"to", "b@rcpt.test, c@rcpt.test,d@rcpt.test,"}})),
              ElementsAre("b@rcpt.test", "c@rcpt.test", "d@rcpt.test"));
  EXPECT_THAT(keys(send({{"to", {"\"Doe, J\" <J@Rcpt.test>", " b@rcpt.test "}}})),
              ElementsAre("J@Rcpt.test", "b@rcpt.test"));
  EXPECT_THAT(keys(send({{"bcc", {"4@r.t"}}, {"cc", "3@r.t"}, {"to", {"1@r.t", "2@r.t"}}})),
              ElementsAre("1@r.t", "2@r.t", "3@r.t", "4@r.t"));
  const auto twice = send({{"to", {"b@r.t", "c@r.t"}}, {"cc", {"b@r.t"}}});
  EXPECT_THAT(keys(twice), ElementsAre("b@r.t", "c@r.t"));
  EXPECT_EQ(twice["data"]["messages"]["b@r.t"]["id"], twice["data"]["messages"]["c@r.t"]["id"].get<int>() + 1);
}

TEST_F(ApiTest, EverythingThatCanBeSentIsStored) {
  const auto answer =
      send({{"to", {"test@rcpt.test"}},
            {"cc", {"cc@rcpt.test"}},
            {"bcc", {"bcc@rcpt.test"}},
            {"sender", "sender@sender.example"},
            {"subject", "Test"},
            {"tag", "test-tag"},
            {"reply_to", "reply@rcpt.test"},
            {"plain_body", "plain text"},
            {"html_body", "<p>html text</p>"},
            {"headers", {{"x-test-header-1", "111"}, {"X_Under", 5}, {"X-List", {"a", "b"}}}},
            {"attachments", {{{"name", "one.txt"}, {"content_type", "text/plain"}, {"data", "b25lCg=="}}, "text"}}});
  EXPECT_THAT(answer["data"]["message_id"].get<std::string>(),
              MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}@rp\\.postal\\.test"));
  const auto stored = message(answer["data"]["messages"]["bcc@rcpt.test"]["id"]);
  EXPECT_EQ(stored["token"], answer["data"]["messages"]["bcc@rcpt.test"]["token"]);
  const auto& details = stored["details"];
  EXPECT_EQ(details["rcpt_to"], "bcc@rcpt.test");
  EXPECT_EQ(details["mail_from"], "a@sender.example");
  EXPECT_EQ(details["subject"], "Test");
  EXPECT_EQ(details["message_id"], answer["data"]["message_id"]);
  EXPECT_EQ(details["tag"], "test-tag");
  EXPECT_EQ(details["received_with_ssl"], true);
  EXPECT_EQ(details["bounce"], false);
  EXPECT_EQ(stored["plain_body"], "plain text");
  EXPECT_EQ(stored["html_body"], "<p>html text</p>");
  const auto& headers = stored["headers"];
  EXPECT_EQ(headers["sender"][0], "sender@sender.example");
  EXPECT_EQ(headers["reply-to"][0], "reply@rcpt.test");
  EXPECT_EQ(headers["to"].dump(), R"(["test@rcpt.test"])");
  EXPECT_EQ(headers["x-under"][0], "5");
  EXPECT_EQ(headers["x-list"].dump(), R"(["a","b"])");
  ASSERT_EQ(stored["attachments"].size(), 1u);
  EXPECT_EQ(stored["attachments"][0]["data"], "b25lCg==\n");
  EXPECT_EQ(stored["attachments"][0]["size"], 4);
  EXPECT_THAT(header_block(stored), Not(HasSubstr("bcc@rcpt.test")));
  EXPECT_EQ(installation.number(1, "SELECT COUNT(*) FROM {queue}`queued_messages`"), 3);
  EXPECT_EQ(installation.number(1, "SELECT credential_id FROM {message}`messages` WHERE id = 1"), 2);
}

TEST_F(ApiTest, ReceivedNamesTheClientUnlessPrivacyForbids) {
  EXPECT_THAT(header_block(sent()),
              StartsWith("Received: from api (192.0.2.7 [192.0.2.7]) by postal.test with HTTP; "));
  change_servers("UPDATE {main}`servers` SET privacy_mode = 1");
  EXPECT_THAT(header_block(sent()), StartsWith("Received: by postal.test with HTTP; "));
}

TEST_F(ApiTest, HeadersHaveTheirOrder) {
  const std::string block = header_block(sent({{"headers", {{"X-B", "1"}, {"In-Reply-To", "<1@a.test>"}, {"X-A", "2"}}},
                                               {"sender", "s@sender.example"},
                                               {"reply_to", "r@r.t"},
                                               {"cc", {"c@r.t"}}}));
  std::vector<std::string> names;
  for (auto line : split(block, '\n'))
    if (!line.empty() && line[0] != ' ') names.emplace_back(to_lower(line.substr(0, line.find(':'))));
  EXPECT_THAT(names,
              ElementsAre("received", "date", "from", "sender", "reply-to", "to", "cc", "message-id", "in-reply-to",
                          "subject", "mime-version", "content-type", "content-transfer-encoding", "x-b", "x-a"));
}

TEST_F(ApiTest, CustomHeadersCannotBreakTheMessage) {
  const auto bad_name = call("send/message", mail({{"headers", {{"X-A\r\nBcc", "x"}}}}));
  EXPECT_EQ(code(bad_name), "ValidationError");
  EXPECT_TRUE(bad_name["data"]["errors"].contains("headers"));
  EXPECT_EQ(code(call("send/message", mail({{"headers", {{"X-A", {{"b", 1}}}}}}))), "ValidationError");
  EXPECT_THAT(header_block(sent({{"headers", {{"X-A", "a\r\nBcc: v@x"}}}})), Not(HasSubstr("\nBcc")));
  EXPECT_THAT(header_block(sent({{"subject", "a\nX-Evil: 1"}})), Not(HasSubstr("\nX-Evil")));

  const auto dropped = send(
      {{"headers", {{"Bcc", "hidden@r.t"}, {"From", "other@r.t"}, {"Subject", "other"}, {"Message-ID", "<own@r.t>"}}}});
  EXPECT_EQ(dropped["flags"].dump(), R"({"dropped_headers":["Bcc"]})");
  const std::string block = header_block(message(first_id(dropped)));
  EXPECT_THAT(block, Not(HasSubstr("hidden")));
  EXPECT_THAT(block, Not(HasSubstr("other")));
  EXPECT_THAT(block, Not(HasSubstr("<own@r.t>")));
}

TEST_F(ApiTest, SubjectsAreStoredDecodedAndCut) {
  const auto stored = sent({{"subject",
                             "Pr\xC3\xBC"
                             "fung \xE2\x9C\x93"}});
  EXPECT_EQ(stored["details"]["subject"],
            "Pr\xC3\xBC"
            "fung \xE2\x9C\x93");
  EXPECT_TRUE(is_ascii(header_block(stored)));
  EXPECT_EQ(sent({{"subject", std::string(300, 'x')}})["details"]["subject"], std::string(200, 'x'));
  const auto none = sent({{"subject", ""}});
  EXPECT_TRUE(none["details"]["subject"].is_null());
  EXPECT_FALSE(none["headers"].contains("subject"));
}

TEST_F(ApiTest, ProfilesDifferWhereTheReferenceSaysSo) {
  EXPECT_EQ(sent({{"bounce", 0}})["details"]["bounce"], true);
  EXPECT_EQ(sent({{"to", {"foo"}}})["details"]["rcpt_to"], "foo");

  auto& config = installation.config;
  config.profile = config::Profile::Modern;
  config.api.v1_invalid_recipients = "reject";
  config.api.keep_message_id = true;
  config.api.max_message_size = 10000;
  EXPECT_EQ(sent({{"bounce", 0}})["details"]["bounce"], false);
  const auto invalid = call("send/message", mail({{"to", {"foo", "b@r.t"}}}));
  EXPECT_EQ(invalid["data"]["errors"].dump(), R"({"to":["\"foo\" is not a valid e-mail address"]})");
  const auto twice = send({{"to", {"b@r.t"}}, {"cc", {"b@R.t"}}});
  EXPECT_EQ(twice["data"]["messages"].size(), 1u);
  EXPECT_EQ(twice["flags"].dump(), R"({"duplicates":["b@R.t"]})");
  EXPECT_EQ(send({{"headers", {{"Message-ID", "<own@r.t>"}}}})["data"]["message_id"], "own@r.t");
  EXPECT_EQ(code(call("send/message", mail({{"plain_body", std::string(20000, 'x')}}))), "MessageTooLarge");
}

TEST_F(ApiTest, ALargeMessageIsBuiltAsideAndStored) {
  const std::string megabyte(1 << 20, 'x');
  const auto stored = sent({{"attachments", {{{"name", "big"}, {"data", base64_encode(megabyte)}}}}});
  EXPECT_EQ(stored["attachments"][0]["size"], 1 << 20);
}

// --- send/raw

ordered_json raw_mail(std::string_view raw, const ordered_json& more = {}) {
  ordered_json fields = {
      {"rcpt_to", {"Bob@Rcpt.test"}}, {"mail_from", "bounce@elsewhere.test"}, {"data", base64_encode(raw)}};
  for (const auto& [name, value] : more.items()) fields[name] = value;
  return fields;
}
constexpr std::string_view kRaw =
    "From: a@sender.example\r\nSubject: Hello\r\nMessage-ID: <own@sender.test>\r\nDate: Mon, 01 Jan 2024 00:00:00 "
    "+0000\r\nX-Odd:   two  blanks\t\r\n\r\ncaf\xE9\r\n.\r\nend without newline";

TEST_F(ApiTest, AFinishedMessageIsStoredAsItCame) {
  const auto answer = call("send/raw", raw_mail(kRaw));
  EXPECT_EQ(answer["data"]["message_id"], "own@sender.test");
  const auto stored = message(first_id(answer));
  EXPECT_EQ(raw_of(stored), kRaw);
  EXPECT_EQ(stored["details"]["rcpt_to"], "Bob@Rcpt.test");
  EXPECT_EQ(stored["details"]["mail_from"], "bounce@elsewhere.test");
  EXPECT_EQ(stored["details"]["size"], std::to_string(kRaw.size()));
  EXPECT_TRUE(stored["details"]["tag"].is_null());
}

TEST_F(ApiTest, RawParametersAreCheckedInOrder) {
  const std::pair<const char*, ordered_json> cases[] = {{"rcpt_to", {{"rcpt_to", nullptr}, {"mail_from", nullptr}}},
                                                        {"rcpt_to", {{"rcpt_to", "b@r.t"}}},
                                                        {"mail_from", {{"mail_from", " "}, {"data", ""}}},
                                                        {"data", {{"data", nullptr}}}};
  for (const auto& [name, fields] : cases)
    EXPECT_EQ(call("send/raw", raw_mail(kRaw, fields))["data"].dump(),
              fmt::format(R"({{"message":"`{}` parameter is required but is missing"}})", name));
  EXPECT_EQ(code(call("send/raw", raw_mail("From: a@sender.example\r\n\r\na\0b" + std::string(1, '\0')))),
            "ValidationError");
}

TEST_F(ApiTest, OnlyMessagesOfOurOwnPassRaw) {
  const auto refused = [&](const std::string& head) {
    const auto answer = call("send/raw", raw_mail(head + "\r\n\r\nHi\r\n"));
    return answer["status"] == "error" && code(answer) == "UnauthenticatedFromAddress";
  };
  EXPECT_TRUE(refused("From: a@elsewhere.test"));
  EXPECT_TRUE(refused("To: b@r.t"));
  EXPECT_TRUE(refused("From: a@sender.example, b@elsewhere.test"));
  EXPECT_TRUE(refused("From: b@elsewhere.test\r\nFrom: a@sender.example"));
  EXPECT_TRUE(refused("From: b@elsewhere.test\r\nSender: a@sender.example"));
  EXPECT_FALSE(refused("From: \"A, B\" <a@sender.example>"));
  change_servers("UPDATE {main}`servers` SET allow_sender = 1");
  EXPECT_FALSE(refused("From: b@elsewhere.test\r\nSender: a@sender.example"));
}

TEST_F(ApiTest, RawRecipientsAreDistinct) {
  const auto answer = call("send/raw", raw_mail(kRaw, {{"rcpt_to", {"a@b.c", "a@b.c", "d@b.c"}}}));
  EXPECT_EQ(answer["data"]["messages"].size(), 2u);
  EXPECT_EQ(installation.number(1, "SELECT COUNT(*) FROM {message}`messages`"), 2);
  EXPECT_EQ(call("send/raw", raw_mail(kRaw, {{"rcpt_to", ordered_json::array()}}))["data"].dump(),
            R"({"message_id":null,"messages":{}})");
  installation.config.profile = config::Profile::Modern;
  EXPECT_EQ(code(call("send/raw", raw_mail(kRaw, {{"rcpt_to", ordered_json::array()}}))), "NoRecipients");
  EXPECT_EQ(call("send/raw", raw_mail(kRaw, {{"rcpt_to", "<x@b.c>"}}))["data"]["messages"].size(), 1u);
}

}  // namespace
}  // namespace posthaste::api::v1
