#include "delivery/http_sender.h"

#include <gtest/gtest.h>

#include "base/strings.h"
#include "delivery/retry_after.h"

namespace posthaste::delivery {
namespace {

using Status = policy::Verdict::Status;

const Time kNow = from_unix_micros(784111777000000);  // Sun, 06 Nov 1994 08:49:37 GMT

HttpOutcome judged(int code, std::string body = "", io::HttpFields headers = {}) {
  store::HttpEndpoint endpoint;
  endpoint.url = "https://u:p@hook.test/in";
  io::HttpAnswer answer;
  answer.code = code;
  answer.body = std::move(body);
  answer.headers = std::move(headers);
  answer.took = 1500ms;
  return judge_answer(endpoint, answer, kNow);
}

TEST(JudgeAnswer, MapsCodesAsClientsRelyOn) {
  for (int code : {200, 204, 299}) EXPECT_EQ(judged(code).verdict.status, Status::Sent) << code;
  for (int code : {500, 503, 599, -1, -2, -3, -4, 301, 302, 307, 408, 425, 429})
    EXPECT_EQ(judged(code).verdict.status, Status::SoftFail) << code;
  for (int code : {400, 401, 404, 410, 451, 600, 100}) {
    EXPECT_EQ(judged(code).verdict.status, Status::HardFail) << code;
    EXPECT_TRUE(judged(code).tells_sender) << code;
  }
}

TEST(JudgeAnswer, ShowsNoCredentials) {
  const HttpOutcome outcome = judged(404, "  no such user\n");
  EXPECT_EQ(outcome.verdict.details, "Received a 404 from https://hook.test/in");
  EXPECT_EQ(outcome.verdict.output, "no such user");
  EXPECT_EQ(outcome.verdict.code, 404);
  EXPECT_TRUE(outcome.over_tls);
  EXPECT_EQ(outcome.seconds, 1.5);
}

TEST(JudgeAnswer, KnowsWhenNobodyAnswered) {
  EXPECT_TRUE(judged(-1).unreachable);
  EXPECT_EQ(judged(-3, "Invalid SSL certificate").verdict.details, "Received a -3 from https://hook.test/in");
  EXPECT_EQ(judged(-2).verdict.code, std::nullopt);
  EXPECT_FALSE(judged(500).unreachable);
}

TEST(JudgeAnswer, CutsTheOutputBetweenCharacters) {
  std::string euros;
  for (int i = 0; i < 200; ++i) euros += "\xE2\x82\xAC";
  EXPECT_EQ(judged(200, euros).verdict.output, euros.substr(0, 498));
  EXPECT_EQ(judged(200, std::string(600, 'x')).verdict.output, std::string(500, 'x'));
  EXPECT_TRUE(is_utf8(judged(200, std::string(600, '\x80')).verdict.output));
  EXPECT_TRUE(is_utf8(judged(200, "caf\xE9").verdict.output));
}

TEST(JudgeAnswer, HonoursRetryAfterOfBusyEndpoints) {
  EXPECT_EQ(judged(429, "", {{"retry-after", "120"}}).verdict.retry_hint, 120s);
  EXPECT_EQ(judged(503, "", {{"retry-after", "120"}}).verdict.retry_hint, 120s);
  EXPECT_EQ(judged(500, "", {{"retry-after", "120"}}).verdict.retry_hint, std::nullopt);
  EXPECT_EQ(judged(429).verdict.retry_hint, std::nullopt);
}

TEST(RetryAfter, IsSecondsOrADateWithinADay) {
  EXPECT_EQ(retry_after(" 300 ", kNow), 300s);
  EXPECT_EQ(retry_after("99999999999999999999", kNow), 24h);
  EXPECT_EQ(retry_after("Sun, 06 Nov 1994 08:51:37 GMT", kNow), 120s);
  EXPECT_EQ(retry_after("Sun, 06 Nov 1994 07:49:37 GMT", kNow), 60s);
  EXPECT_EQ(retry_after("Sun, 06 Nov 2094 07:49:37 GMT", kNow), 24h);
  EXPECT_EQ(retry_after("soon", kNow), std::nullopt);
  EXPECT_EQ(retry_after("-5", kNow), std::nullopt);
  EXPECT_EQ(retry_after("", kNow), std::nullopt);
}

}  // namespace
}  // namespace posthaste::delivery
