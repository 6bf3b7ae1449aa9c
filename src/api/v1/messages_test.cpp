// messages/message and messages/deliveries (http-api.md, cases 45 to 51).
#include "api/v1/testing_api.h"

namespace posthaste::api::v1 {
namespace {

using nlohmann::ordered_json;
using testing::ApiTest;
using ::testing::ElementsAre;
using ::testing::MatchesRegex;

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

}  // namespace
}  // namespace posthaste::api::v1
