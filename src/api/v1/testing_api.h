// A server with an API key over a real store on SQLite, and ways to call the API.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/v1/api.h"
#include "base/strings.h"
#include "io/testing.h"
#include "store/testing_store.h"

namespace posthaste::api::v1::testing {

using nlohmann::ordered_json;

class ApiTest : public ::testing::Test {
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

}  // namespace posthaste::api::v1::testing
