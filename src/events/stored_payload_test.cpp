#include "events/stored_payload.h"

#include <gtest/gtest.h>

namespace posthaste::events {

TEST(StoredPayload, OurOwnIsTakenAsItIs) {
  EXPECT_EQ(*json_of_payload(R"({"a":"\u003c"})"), R"({"a":"\u003c"})");
  EXPECT_EQ(message_of_payload(R"({"message":{"id":12,"token":"x"}})"), 12);
  EXPECT_EQ(message_of_payload(R"({"original_message":{"id":7,"token":"x"}})"), 7);
  EXPECT_EQ(message_of_payload(R"({"server":{"uuid":"x"}})"), std::nullopt);
}

TEST(StoredPayload, ReadsWhatAPostalWrote) {
  const std::string yaml =
      "---\n:message:\n  :id: 1\n  :token: abc\n  :direction: outgoing\n  :message_id: m@example.com\n"
      "  :subject: '12345'\n  :timestamp: 1700000000.123456\n  :tag:\n:status: Sent\n:details: \"a\\tb <c>\"\n"
      ":output: '250 2.0.0 OK\n\n  '\n:sent_with_ssl: false\n:time: 0.22\n:word: :symbol\n:list:\n- 1\n- x\n"
      ":bytes: !binary |-\n  w6k=\n";
  EXPECT_EQ(
      *json_of_payload(yaml),
      R"({"message":{"id":1,"token":"abc","direction":"outgoing","message_id":"m@example.com",)"
      R"("subject":"12345","timestamp":1700000000.123456,"tag":null},"status":"Sent","details":"a\tb \u003cc\u003e",)"
      R"("output":"250 2.0.0 OK\n","sent_with_ssl":false,"time":0.22,"word":"symbol","list":[1,"x"],"bytes":"é"})");
  EXPECT_EQ(message_of_payload(yaml), 1);
}

TEST(StoredPayload, RefusesWhatNoPostalWrites) {
  EXPECT_FALSE(json_of_payload("--- &a\n:x: *a\n"));
  EXPECT_FALSE(json_of_payload("--- !ruby/object:Gem {}\n:x: !ruby/object:Gem 1\n"));
  EXPECT_FALSE(json_of_payload("- 1\n"));
  EXPECT_FALSE(json_of_payload("text"));
  EXPECT_FALSE(json_of_payload(""));
  EXPECT_FALSE(json_of_payload(std::string(1000, '[')));
  EXPECT_FALSE(json_of_payload(":a: [unclosed"));
}

}  // namespace posthaste::events
