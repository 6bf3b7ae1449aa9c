#include "delivery/endpoint_payload.h"

#include <gtest/gtest.h>

namespace posthaste::delivery {
namespace {

store::HttpEndpoint endpoint(std::string encoding, std::string format) {
  store::HttpEndpoint it;
  it.encoding = std::move(encoding);
  it.format = std::move(format);
  return it;
}

store::Message message() {
  store::Message it;
  it.id = 7;
  it.token = "abcdefghijklmnop";
  it.rcpt_to = "in+x@example.com";
  it.subject = "a<b&c";
  it.timestamp = from_unix_micros(1478169798924355);
  it.size = 120;
  it.inspected = true;
  return it;
}

const store::RawMessage& letter() {
  static const store::RawMessage raw(
      "From: =?utf-8?B?SsO2cmc=?= <j@x.com>\r\nReply-To: r@x.com\r\nIn-Reply-To:\r\n"
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHi\r\n\r\n-- \r\nJ\r\n--b\r\n"
      "Content-Type: text/plain; name=\"a b.txt\"; charset=UTF-8\r\nContent-Disposition: attachment\r\n"
      "Content-Transfer-Encoding: base64\r\n\r\nSGVsbG8gd29ybGQh\r\n--b--\r\n");
  return raw;
}

TEST(EndpointPayload, TakesAMessageApartAsJson) {
  EXPECT_EQ(
      endpoint_payload(endpoint("BodyAsJSON", "Hash"), message(), letter(), "X-Postal-Spam: no\r\n"),
      R"({"id":7,"rcpt_to":"in+x@example.com","mail_from":null,"token":"abcdefghijklmnop",)"
      R"("subject":"a\u003cb\u0026c","message_id":null,"timestamp":1478169798.924355,"size":"120",)"
      R"("spam_status":"NotSpam","bounce":false,"received_with_ssl":null,"to":null,"cc":null,)"
      R"("from":"\"Jörg\" \u003cj@x.com\u003e","date":null,"in_reply_to":null,"references":null,"html_body":null,)"
      R"("attachment_quantity":1,"auto_submitted":null,"reply_to":["r@x.com"],"plain_body":"Hi\n\n-- \nJ",)"
      R"("attachments":[{"filename":"a b.txt","content_type":"text/plain","size":12,)"
      R"("data":"SGVsbG8gd29ybGQh\n"}]})");
}

TEST(EndpointPayload, TakesAMessageApartAsForm) {
  auto it = message();
  it.mail_from = "x@y.com";
  it.bounce = true;
  it.received_with_ssl = true;
  it.spam = true;
  EXPECT_EQ(endpoint_payload(endpoint("FormData", "Hash"), it, letter(), ""),
            "id=7&rcpt_to=in%2Bx%40example.com&mail_from=x%40y.com&token=abcdefghijklmnop&subject=a%3Cb%26c&message_id"
            "&timestamp=1478169798.924355&size=120&spam_status=Spam&bounce=true&received_with_ssl=true&to&cc"
            "&from=%22J%C3%B6rg%22+%3Cj%40x.com%3E&date&in_reply_to&references&html_body&attachment_quantity=1"
            "&auto_submitted&reply_to=r%40x.com&plain_body=Hi%0A%0A--+%0AJ"
            "&attachments%5B0%5D%5Bfilename%5D=a+b.txt"
            "&attachments%5B0%5D%5Bcontent_type%5D=text%2Fplain%3B+charset%3DUTF-8%3B+name%3D%22a+b.txt%22"
            "&attachments%5B0%5D%5Bsize%5D=12&attachments%5B0%5D%5Bdata%5D=SGVsbG8gd29ybGQh%0A");
}

TEST(EndpointPayload, SeparatesRepliesAndLeavesOutFilesOnDemand) {
  auto wanted = endpoint("BodyAsJSON", "Hash");
  wanted.strip_replies = true;
  wanted.include_attachments = false;
  const std::string text = endpoint_payload(wanted, message(), letter(), "");
  EXPECT_TRUE(text.ends_with(R"("plain_body":"Hi","replies_from_plain_body":"-- \nJ"})")) << text;
  EXPECT_TRUE(text.contains(R"("attachment_quantity":1)"));
}

TEST(EndpointPayload, HasNoPlainBodyOfHtmlMail) {
  const store::RawMessage html("Content-Type: text/html\r\n\r\n<p>\r\n");
  auto wanted = endpoint("BodyAsJSON", "Hash");
  EXPECT_TRUE(endpoint_payload(wanted, message(), html, "").ends_with(R"("plain_body":null,"attachments":[]})"));
  wanted.strip_replies = true;
  EXPECT_TRUE(endpoint_payload(wanted, message(), html, "")
                  .ends_with(R"("plain_body":"","replies_from_plain_body":null,"attachments":[]})"));
}

TEST(EndpointPayload, AnEmptyReplyToIsAListWithNull) {
  const store::RawMessage raw("Reply-To:\r\n\r\n");
  EXPECT_TRUE(endpoint_payload(endpoint("BodyAsJSON", "Hash"), message(), raw, "").contains(R"("reply_to":[null],)"));
  EXPECT_TRUE(endpoint_payload(endpoint("FormData", "Hash"), message(), raw, "").contains("&reply_to&"));
}

TEST(EndpointPayload, SendsTheMessageWhole) {
  const store::RawMessage raw("A: 1\n\nbody");
  EXPECT_EQ(endpoint_payload(endpoint("BodyAsJSON", "RawMessage"), message(), raw, "X: 2\r\n"),
            R"({"id":7,"rcpt_to":"in+x@example.com","mail_from":null,"message":"WDogMg0KQTogMQ0KDQpib2R5\n",)"
            R"("base64":true,"size":120})");
  EXPECT_EQ(endpoint_payload(endpoint("FormData", "RawMessage"), message(), raw, "X: 2\r\n"),
            "id=7&rcpt_to=in%2Bx%40example.com&mail_from&message=WDogMg0KQTogMQ0KDQpib2R5%0A&base64=true&size=120");
}

TEST(EndpointPayload, IsTheSameWhenTheLinesAreStored) {
  const auto wanted = endpoint("BodyAsJSON", "RawMessage");
  EXPECT_EQ(endpoint_payload(wanted, message(), store::RawMessage("A: 1\r\n\r\nbody"), "X: 2\r\n"),
            endpoint_payload(wanted, message(), store::RawMessage("X: 2\r\nA: 1\r\n\r\nbody"), ""));
}

TEST(EndpointPayload, IsEmptyForUnknownFormatsAndEncodings) {
  EXPECT_EQ(endpoint_payload(endpoint("BodyAsJSON", "Other"), message(), letter(), ""), "{}");
  EXPECT_EQ(endpoint_payload(endpoint("FormData", "Other"), message(), letter(), ""), "");
  EXPECT_EQ(endpoint_payload(endpoint("Other", "Hash"), message(), letter(), ""), "");
}

}  // namespace
}  // namespace posthaste::delivery
