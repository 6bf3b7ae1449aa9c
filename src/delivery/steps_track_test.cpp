#include <gtest/gtest.h>

#include "delivery/fake_store.h"
#include "delivery/steps.h"

namespace posthaste::delivery {
namespace {

class Track : public ::testing::Test {
 protected:
  Track() {
    db.dir->track.emplace();
    db.dir->track->name = "click";
    db.dir->track->ssl_enabled = false;
    db.dir->track->excluded_click_domains = "free.test\r\n*.many.test";
    attempt.job.queued = testing::add_message(db, 1, "john@x.test");
    db.raws.insert_or_assign(
        1, store::RawMessage("Content-Type: text/html\r\nSubject: x\r\n\r\n<a href='http://a.test/'>a</a>"));
  }

  // Its answer, with what the steps before it would have found.
  Answer::Kind run() {
    attempt.directory = db.dir;
    attempt.server = db.dir->server(1);
    attempt.domain = db.dir->domain(1);
    attempt.message = db.messages.at(1);
    attempt.raw = raw_of(attempt, tools);
    return track(attempt, tools).kind;
  }
  std::string body() const { return std::string(attempt.raw->body()); }

  testing::FakeStore db;
  config::Config config;
  Signer signer{config};
  SendLimits limits{db};
  Tools tools{db, config, [] { return Time{}; }, [] { return 0.0; }, signer, limits, {0.0, 1.0}};
  Attempt attempt;
};

TEST_F(Track, IsOneStepBeforeInspectionAndSignature) {
  std::vector<std::string_view> names;
  for (const auto& step : outgoing_pipeline()) names.push_back(step.name);
  const auto at = [&](std::string_view name) { return std::ranges::find(names, name) - names.begin(); };
  EXPECT_LT(at("hold_if_suppressed"), at("track"));
  EXPECT_LT(at("track"), at("inspect"));
  EXPECT_LT(at("track"), at("add_headers"));
}

TEST_F(Track, LinksAndPixelPointToTheTrackingHost) {
  EXPECT_EQ(run(), Answer::Kind::GoOn);
  EXPECT_TRUE(body().starts_with("<a href='http://click.example.com/abcdef/"));
  EXPECT_TRUE(body().contains("<img src='http://click.example.com/img/abcdef/tokentokentoken1' alt=''>"));
  EXPECT_EQ(attempt.raw->headers(), "Content-Type: text/html\r\nSubject: x");
  EXPECT_EQ(db.written.size(), 1U);
  EXPECT_TRUE(attempt.conclusion.parsed);
  db.dir->track->ssl_enabled = true;
  run();
  EXPECT_TRUE(body().contains("https://click.example.com/abcdef/"));
}

TEST_F(Track, WithoutATrackingDomainNothingIsWritten) {
  db.dir->track.reset();
  EXPECT_EQ(run(), Answer::Kind::GoOn);
  EXPECT_EQ(body(), "<a href='http://a.test/'>a</a>");
  EXPECT_TRUE(db.written.empty());
  EXPECT_TRUE(attempt.conclusion.parsed);
}

TEST_F(Track, ExcludedDomainsAreLines) {
  db.dir->track->track_loads = false;
  for (const std::string_view host : {"free.test", "a.many.test"}) {
    db.raws.insert_or_assign(1, store::RawMessage(fmt::format("Content-Type: text/plain\r\n\r\nhttp://{}/", host)));
    run();
    EXPECT_TRUE(db.written.empty()) << host;
  }
}

TEST_F(Track, IsDoneOnceForAMessage) {
  db.messages.at(1).parsed = true;
  run();
  EXPECT_EQ(body(), "<a href='http://a.test/'>a</a>");
  EXPECT_TRUE(db.written.empty());
}

// What the accepting process handed over is older than what an interrupted attempt has stored.
TEST_F(Track, AfterwardsTheStoredMessageCounts) {
  attempt.job.queued.raw = store::RawMessage("Content-Type: text/html\r\n\r\nas it came");
  db.messages.at(1).parsed = true;
  run();
  EXPECT_EQ(body(), "<a href='http://a.test/'>a</a>");
}

TEST_F(Track, WhatCannotBeStoredGoesOutAsItCame) {
  db.write_answer = fail(ErrorKind::Invalid, "The message cannot be stored.");
  EXPECT_EQ(run(), Answer::Kind::GoOn);
  EXPECT_EQ(body(), "<a href='http://a.test/'>a</a>");
}

TEST_F(Track, ADatabaseThatIsAwayIsWaitedFor) {
  db.write_answer = fail(ErrorKind::Unavailable, "The database is not available.");
  EXPECT_THROW(run(), sql::Failure);
}

}  // namespace
}  // namespace posthaste::delivery
