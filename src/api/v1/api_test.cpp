// The API over a real store on SQLite (http-api.md, acceptance cases 1 to 51).
#include "api/v1/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "io/testing.h"
#include "mail/content.h"
#include "store/testing_store.h"

namespace posthaste::api::v1 {
namespace {

using nlohmann::ordered_json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

class ApiTest : public testing::Test {
 protected:
  ApiTest() : installation(sql::Dialect::Sqlite) {
    auto& config = installation.config;
    config.profile = config::Profile::Postal;
    config.postal.web_hostname = "postal.test";
    config.dns.return_path_domain = "rp.postal.test";
    config.api.v1_invalid_recipients = "store";
    start();
  }

  void start() {
    store.reset();
    store = installation.open();
    intake = std::make_unique<intake::Intake>(*store, installation.config, nullptr);
    api = std::make_unique<Api>(*intake, *store, installation.config, pool);
  }
  void change_servers(std::string_view sql) {
    installation.run_main(sql);
    start();
  }

  io::HttpResponse ask(io::HttpRequest request) {
    io::HttpResponse response;
    io::run_task([&](io::Loop&) -> io::Task<> {
      auto task = api->handle(request);
      response = co_await std::move(task);
    });
    return response;
  }
  io::HttpRequest request(const std::string& path, std::string body) {
    io::HttpRequest made;
    made.method = "POST";
    made.path = "/api/v1/" + path;
    made.headers = {{"X-Server-API-Key", "apikey"}, {"Content-Type", "application/json"}};
    made.body = std::move(body);
    made.peer = *IpAddress::parse("192.0.2.7");
    return made;
  }
  ordered_json call(const std::string& path, const ordered_json& parameters) {
    const auto response = ask(request(path, parameters.dump()));
    EXPECT_EQ(response.status, 200) << response.body;
    return ordered_json::parse(response.body);
  }
  static std::string code(const ordered_json& answer) { return answer["data"].value("code", answer.dump()); }

  static ordered_json mail(const ordered_json& more = {}) {
    ordered_json fields = {
        {"to", {"bob@rcpt.test"}}, {"from", "a@sender.example"}, {"subject", "Hello"}, {"plain_body", "Hi"}};
    for (const auto& [name, value] : more.items()) fields[name] = value;
    return fields;
  }
  ordered_json send(const ordered_json& more = {}) {
    const auto answer = call("send/message", mail(more));
    EXPECT_EQ(answer["status"], "success") << answer.dump();
    return answer;
  }
  static std::int64_t first_id(const ordered_json& answer) { return (*answer["data"]["messages"].begin())["id"]; }
  ordered_json message(std::int64_t id, const ordered_json& expansions = true) {
    return call("messages/message", {{"id", id}, {"_expansions", expansions}})["data"];
  }
  ordered_json sent(const ordered_json& more = {}) { return message(first_id(send(more))); }
  static std::string raw_of(const ordered_json& message) {
    return base64_decode_lenient(message["raw_message"].get<std::string>());
  }
  static std::string header_block(const ordered_json& message) {
    const std::string raw = raw_of(message);
    return raw.substr(0, raw.find("\r\n\r\n") + 2);
  }

  io::Pool pool{2};
  store::testing::Installation installation;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<intake::Intake> intake;
  std::unique_ptr<Api> api;
};

// --- who may call

TEST_F(ApiTest, WithoutAKeyAccessIsDenied) {
  auto unsigned_request = request("send/message", "{}");
  unsigned_request.headers.clear();
  const auto response = ask(unsigned_request);
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, MatchesRegex("\\{\"status\":\"error\",\"time\":[0-9]+\\.[0-9]+,\"flags\":\\{\\},\"data\":"
                                          "\\{\"message\":\"Must be authenticated as a server\\.\",\"code\":"
                                          "\"AccessDenied\"\\}\\}"));
  unsigned_request.headers = {{"X-Server-API-Key", " "}};
  EXPECT_THAT(ask(unsigned_request).body, HasSubstr("AccessDenied"));
}

TEST_F(ApiTest, AWrongKeyIsNamedInTheAnswer) {
  auto wrong = request("send/message", "{}");
  wrong.headers = {{"X-Server-API-Key", "<a&b>"}};
  EXPECT_THAT(ask(wrong).body,
              HasSubstr("\"data\":{\"message\":\"The API token provided in X-Server-API-Key was not valid.\","
                        "\"token\":\"\\u003ca\\u0026b\\u003e\",\"code\":\"InvalidServerAPIKey\"}"));
  wrong.headers = {{"X-Server-API-Key", "smtpkey"}};
  EXPECT_THAT(ask(wrong).body, HasSubstr("InvalidServerAPIKey"));
}

TEST_F(ApiTest, KeysCannotBeTriedOut) {
  auto wrong = request("send/message", "{}");
  wrong.headers[0].second = "guess";
  for (int i = 0; i < 30; ++i) EXPECT_EQ(ask(wrong).status, 200);
  const auto response = ask(wrong);
  EXPECT_EQ(response.status, 429);
  EXPECT_THAT(response.body, HasSubstr("TooManyRequests"));
  EXPECT_EQ(code(call("send/message", ordered_json::object())), "NoRecipients");
}

TEST_F(ApiTest, ASuspendedServerIsRefusedWithABareCode) {
  change_servers("UPDATE {main}`servers` SET suspended_at = 1");
  EXPECT_EQ(call("send/message", mail())["data"].dump(), R"({"code":"ServerSuspended"})");
}

// --- surface and parameters

TEST_F(ApiTest, MethodsAndPathsVary) {
  for (const char* method : {"GET", "POST", "PUT", "PATCH"}) {
    auto any = request("send/message", mail().dump());
    any.method = method;
    EXPECT_THAT(ask(any).body, HasSubstr("\"status\":\"success\"")) << method;
  }
  for (const char* path : {"send/message.json", "send/message/", "/send//message"})
    EXPECT_THAT(ask(request(path, "{}")).body, HasSubstr("NoRecipients")) << path;
  for (const char* path : {"send/nothing", "send", "messages/messages"}) {
    auto unknown = request(path, "{}");
    unknown.headers.emplace_back("Accept", "application/json");
    EXPECT_EQ(ask(unknown).body, R"({"status":404,"error":"Not Found"})") << path;
  }
  auto wrong = request("send/message", "");
  wrong.method = "DELETE";
  EXPECT_EQ(ask(wrong).status, 405);
}

TEST_F(ApiTest, ParametersComeAsJsonBodyOrInAFieldOfAForm) {
  const auto with = [&](const char* type, std::string body, std::string query = "") {
    auto made = request("send/message", std::move(body));
    made.headers[1].second = type;
    made.query = std::move(query);
    return ask(made).body;
  };
  const std::string json = mail({{"to", {"b@c.d"}}}).dump();
  std::string encoded;
  for (unsigned char c : json) encoded += fmt::format("%{:02x}", c);
  EXPECT_THAT(with("application/json; charset=utf-8", json), HasSubstr("b@c.d"));
  EXPECT_THAT(with("Application/JSON", json), HasSubstr("b@c.d"));
  EXPECT_THAT(with("", json), HasSubstr("b@c.d"));
  EXPECT_THAT(with("text/plain", json), HasSubstr("NoRecipients"));
  EXPECT_THAT(with("application/x-www-form-urlencoded", "x=1&params=" + encoded), HasSubstr("b@c.d"));
  EXPECT_THAT(with("application/x-www-form-urlencoded", "to=b@c.d&from=a@sender.example"), HasSubstr("NoRecipients"));
  EXPECT_THAT(with("", "", "params=" + encoded), HasSubstr("b@c.d"));
  EXPECT_THAT(with("multipart/form-data; boundary=XX",
                   "--XX\r\nContent-Disposition: form-data; name=\"params\"\r\n\r\n" + json + "\r\n--XX--\r\n"),
              HasSubstr("b@c.d"));
}

TEST_F(ApiTest, TheQueryDoesNotChangeMail) {
  auto made = request("send/message", mail().dump());
  made.query = "from=other@evil.test&subject=Evil";
  EXPECT_EQ(message(first_id(ordered_json::parse(ask(made).body)))["details"]["subject"], "Hello");
  auto lookup = request("messages/message", "{}");
  lookup.query = "id=1";
  EXPECT_THAT(ask(lookup).body, HasSubstr("\"id\":1"));
}

TEST_F(ApiTest, MalformedJsonIsExplained) {
  for (const char* body : {"{\"to\":", "{\"subject\":\"\xff\"}", "{'a':1}", " ", "\xEF\xBB\xBF{}", "{} x"}) {
    const auto response = ask(request("send/message", body));
    EXPECT_EQ(response.status, 400) << body;
    EXPECT_THAT(response.body, HasSubstr("\"status\":\"parameter-error\"")) << body;
    EXPECT_THAT(response.body, HasSubstr("The request body is not valid JSON (")) << body;
  }
  const std::string deep = std::string(101, '[') + std::string(101, ']');
  EXPECT_EQ(ask(request("send/message", deep)).status, 400);
  const std::string fine = std::string(100, '[') + std::string(100, ']');
  EXPECT_EQ(ask(request("send/message", fine)).status, 200);
  for (const char* body : {"", "{}", "[1,2]", "null"})
    EXPECT_THAT(ask(request("send/message", body)).body, HasSubstr("NoRecipients")) << body;
}

TEST_F(ApiTest, AWrongTypeIsAParameterError) {
  const std::pair<const char*, ordered_json> cases[] = {
      {"to", 5}, {"to", ordered_json::array({5})}, {"from", {"a"}}, {"attachments", "x"}, {"plain_body", 5}};
  for (const auto& [name, value] : cases) {
    const auto answer = call("send/message", mail({{name, value}}));
    EXPECT_EQ(answer["status"], "parameter-error");
    EXPECT_EQ(answer["data"].dump(), fmt::format(R"({{"message":"`{}` parameter is invalid"}})", name));
  }
  EXPECT_EQ(send({{"headers", ordered_json::array()}})["flags"].dump(), "{}");
}

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
              testing::StartsWith("Received: from api (192.0.2.7 [192.0.2.7]) by postal.test with HTTP; "));
  change_servers("UPDATE {main}`servers` SET privacy_mode = 1");
  EXPECT_THAT(header_block(sent()), testing::StartsWith("Received: by postal.test with HTTP; "));
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

// --- messages

TEST_F(ApiTest, AnIdIsRequiredAndMayBeUnknown) {
  for (const char* path : {"messages/message", "messages/deliveries"}) {
    for (const ordered_json& none : {ordered_json(nullptr), ordered_json("")})
      EXPECT_EQ(call(path, {{"id", none}})["data"].dump(),
                R"({"message":"`id` parameter is required but is missing"})");
    for (const int id : {0, 999999, -1})
      EXPECT_EQ(
          call(path, {{"id", id}})["data"].dump(),
          fmt::format(R"({{"message":"No message found matching provided ID","id":{},"code":"MessageNotFound"}})", id));
    for (const ordered_json& wrong :
         {ordered_json("x"), ordered_json(1.5), ordered_json(true), ordered_json({{"status` = 'x' -- ", 1}})})
      EXPECT_EQ(call(path, {{"id", wrong}})["data"].dump(), R"({"message":"`id` parameter is invalid"})");
  }
}

TEST_F(ApiTest, AMessageIsFoundByTextAndToken) {
  const auto answer = send();
  const std::string token = (*answer["data"]["messages"].begin())["token"];
  EXPECT_EQ(call("messages/message", {{"id", "1"}})["data"]["id"], 1);
  EXPECT_EQ(call("messages/message", {{"id", token}})["data"]["id"], 1);
  EXPECT_EQ(call("messages/message", {{"id", {{"token", token}}}})["data"]["id"], 1);
}

TEST_F(ApiTest, ExpansionsHaveTheirOrder) {
  const auto id = first_id(send());
  const auto keys = [&](const ordered_json& expansions) {
    std::vector<std::string> found;
    const auto data = message(id, expansions);
    for (const auto& [key, value] : data.items()) found.push_back(key);
    return found;
  };
  const auto all = ElementsAre("id", "token", "status", "details", "inspection", "plain_body", "html_body",
                               "attachments", "headers", "raw_message", "activity_entries");
  EXPECT_THAT(keys(true), all);
  EXPECT_THAT(keys({"details", "status", "nope"}), ElementsAre("id", "token", "status", "details"));
  for (const ordered_json& none : {ordered_json("true"), ordered_json(1), ordered_json(nullptr), ordered_json({"all"})})
    EXPECT_THAT(keys(none), ElementsAre("id", "token"));
}

TEST_F(ApiTest, ANewMessageIsDescribedInFull) {
  const auto stored = sent();
  EXPECT_EQ(stored["status"].dump(),
            R"({"status":"Pending","last_delivery_attempt":null,"held":false,"hold_expiry":null})");
  EXPECT_TRUE(stored["details"]["timestamp"].is_number_float());
  EXPECT_THAT(stored["details"]["size"].get<std::string>(), MatchesRegex("[0-9]+"));
  EXPECT_EQ(stored["details"]["bounce_for_id"], 0);
  EXPECT_EQ(stored["details"]["direction"], "outgoing");
  EXPECT_EQ(stored["inspection"].dump(),
            R"({"inspected":false,"spam":false,"spam_score":0.0,"threat":false,"threat_details":null})");
  EXPECT_EQ(stored["plain_body"], "Hi");
  EXPECT_TRUE(stored["html_body"].is_null());
  EXPECT_EQ(stored["activity_entries"].dump(), R"({"loads":[],"clicks":[]})");
}

TEST_F(ApiTest, OpensAndClicksAreListed) {
  const auto id = first_id(send());
  installation.run(
      1, fmt::format("INSERT INTO {{message}}`links` (id, message_id, url) VALUES (1, {}, 'http://x.test/')", id));
  installation.run(1, fmt::format("INSERT INTO {{message}}`clicks` (message_id, link_id, ip_address, user_agent, "
                                  "timestamp) VALUES ({}, 1, '192.0.2.1', 'UA', 1700000000123456)",
                                  id));
  installation.run(1, fmt::format("INSERT INTO {{message}}`loads` (message_id, ip_address, user_agent, timestamp) "
                                  "VALUES ({}, '192.0.2.1', 'UA', 1700000000000000)",
                                  id));
  EXPECT_EQ(
      message(id, {"activity_entries"})["activity_entries"].dump(),
      R"({"loads":[{"ip_address":"192.0.2.1","user_agent":"UA","timestamp":"2023-11-14T22:13:20.000Z"}],)"
      R"("clicks":[{"url":"http://x.test/","ip_address":"192.0.2.1","user_agent":"UA","timestamp":"2023-11-14T22:13:20.123Z"}]})");
}

TEST_F(ApiTest, DeliveriesHaveTheirKeysInOrder) {
  const auto id = first_id(send());
  EXPECT_EQ(call("messages/deliveries", {{"id", id}})["data"].dump(), "[]");
  auto claimed = store->claim(1, {});
  ASSERT_EQ(claimed.size(), 1u);
  auto conclusion = store::testing::concluded(claimed[0], "SoftFail");
  conclusion.delivery->output = " 450 later \n";
  conclusion.delivery->timestamp = from_unix_micros(1700000000500000);
  ASSERT_TRUE(store::testing::conclude(*store, conclusion));
  EXPECT_EQ(call("messages/deliveries", {{"id", id}})["data"].dump(),
            R"([{"id":1,"status":"SoftFail","details":"","output":"450 later","sent_with_ssl":false,"log_id":null,)"
            R"("time":null,"timestamp":1700000000.5,"code":null}])");
}

// --- what goes wrong elsewhere

TEST_F(ApiTest, WithoutTheDatabaseNothingIsAcknowledged) {
  const auto id = first_id(send());
  installation.run(1, "DROP TABLE {message}`messages`");
  const std::pair<const char*, std::string> calls[] = {{"send/message", mail().dump()},
                                                       {"messages/message", fmt::format(R"({{"id":{}}})", id)}};
  for (const auto& [path, body] : calls) {
    const auto response = ask(request(path, body));
    EXPECT_EQ(response.status, 503) << path << response.body;
    EXPECT_THAT(response.body, HasSubstr("\"code\":\"ServiceUnavailable\"")) << path;
    EXPECT_TRUE(
        std::ranges::any_of(response.headers, [](const auto& header) { return header.first == "Retry-After"; }));
  }
}

TEST_F(ApiTest, ADomainInItsOwnScriptIsStoredInAscii) {
  installation.run_main("UPDATE {main}`domains` SET name = 'xn--bcher-kva.example'");
  start();
  const auto stored = sent({{"from",
                             "a@b\xC3\xBC"
                             "cher.example"},
                            {"to",
                             {"z@b\xC3\xBC"
                              "cher.example"}}});
  EXPECT_EQ(stored["details"]["mail_from"], "a@xn--bcher-kva.example");
  EXPECT_EQ(stored["details"]["rcpt_to"], "z@xn--bcher-kva.example");
  EXPECT_TRUE(is_ascii(header_block(stored)));
}

TEST_F(ApiTest, AMessageThatRetentionTookHasNoContent) {
  const auto id = first_id(send());
  installation.run(
      1, "UPDATE {message}`messages` SET raw_table = NULL, raw_headers_id = NULL, raw_body_id = NULL, size = NULL");
  const auto stored = message(id);
  EXPECT_EQ(stored["raw_message"], "DQoNCg==\n");
  EXPECT_TRUE(stored["plain_body"].is_null());
  EXPECT_TRUE(stored["details"]["size"].is_null());
  EXPECT_EQ(stored["attachments"].dump() + stored["headers"].dump(), "[]{}");
}

TEST_F(ApiTest, ATooLargeBodyIsAnsweredBeforeItIsRead) {
  const auto response = api->too_large(request("send/message", ""));
  EXPECT_EQ(response.status, 413);
  EXPECT_THAT(response.body, HasSubstr("\"code\":\"PayloadTooLarge\""));
}

TEST(ClientAddress, IsTheLastThatNoTrustedProxyReports) {
  const auto ip = [](const char* text) { return *IpAddress::parse(text); };
  io::HttpRequest request;
  request.peer = ip("192.0.2.1");
  request.headers = {{"X-Forwarded-For", "203.0.113.9, 10.0.0.5"}};
  EXPECT_EQ(client_address(request, {}), ip("192.0.2.1"));
  const std::vector<IpNetwork> trusted = {*IpNetwork::parse("192.0.2.0/24"), *IpNetwork::parse("10.0.0.0/8")};
  EXPECT_EQ(client_address(request, trusted), ip("203.0.113.9"));
  request.peer = ip("127.0.0.1");
  EXPECT_EQ(client_address(request, {}), ip("10.0.0.5"));
  request.headers = {};
  EXPECT_EQ(client_address(request, trusted), ip("127.0.0.1"));
}

}  // namespace
}  // namespace posthaste::api::v1
