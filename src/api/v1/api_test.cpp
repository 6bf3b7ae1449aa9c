// Who may call, how, and what happens without the database (http-api.md, cases 1 to 14).
#include "api/v1/testing_api.h"

namespace posthaste::api::v1 {
namespace {

using nlohmann::ordered_json;
using testing::ApiTest;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

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

TEST_F(ApiTest, ABadKeyIsAnsweredBeforeTheBodyIsRead) {
  auto head = request("send/message", "");
  EXPECT_FALSE(api->refuse(head));
  head.headers[0].second = "guess";
  EXPECT_THAT(api->refuse(head)->body, HasSubstr("InvalidServerAPIKey"));
  head.headers.erase(head.headers.begin());
  EXPECT_THAT(api->refuse(head)->body, HasSubstr("AccessDenied"));
  head.method = "DELETE";
  EXPECT_EQ(api->refuse(head)->status, 405);
  head.path = "/api/v1/nothing";
  EXPECT_EQ(api->refuse(head)->status, 404);
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
