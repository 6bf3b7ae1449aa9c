#include <gtest/gtest.h>

#include "base/time.h"
#include "sql/mariadb_session.h"
#include "sql/mariadb_values.h"
#include "sql/sql.h"
#include "sql/testing_mariadb.h"

namespace posthaste::sql {
namespace {

using testing::MariaDb;

std::optional<Failure> failure_of(const std::function<void()>& work) {
  try {
    work();
    return std::nullopt;
  } catch (const Failure& failure) {
    return failure;
  }
}

std::string text_of(Connection& db, std::string_view sql) {
  std::string value;
  db.query(sql, {}, [&](const Row& row) { value = row.string(0); });
  return value;
}

TEST(MariaDbDriver, SetsTheSession) {
  auto db = MariaDb::shared().connect();
  EXPECT_EQ(text_of(*db, "SELECT @@time_zone"), "+00:00");
  EXPECT_EQ(text_of(*db, "SELECT @@tx_isolation"), "READ-COMMITTED");
  EXPECT_EQ(text_of(*db, "SELECT @@sql_mode"), "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION");
  EXPECT_EQ(text_of(*db, "SELECT @@character_set_client"), "utf8mb4");
  EXPECT_EQ(text_of(*db, "SELECT @@innodb_lock_wait_timeout"), "5");
}

TEST(MariaDbDriver, TakesTheFirstHostThatAnswers) {
  auto options = MariaDb::shared().options();
  options.host = "127.0.0.2, 127.0.0.1";  // the server listens on the second only
  options.connect_timeout = 2s;
  EXPECT_EQ(open_mariadb(options)->scalar("SELECT 1"), 1);
}

TEST(MariaDbDriver, AnUnreachableServerIsSaidToBe) {
  auto options = MariaDb::shared().options();
  options.host = "127.0.0.2";
  const auto failure = failure_of([&] { open_mariadb(options); });
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind(), FailureKind::Unreachable);
  EXPECT_NE(std::string(failure->what()).find("127.0.0.2"), std::string::npos);
}

TEST(MariaDbDriver, AWrongPasswordIsDenied) {
  auto options = MariaDb::shared().options();
  options.password = "wrong";
  const auto failure = failure_of([&] { open_mariadb(options); });
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind(), FailureKind::Denied);
}

TEST(MariaDbDriver, ALostConnectionIsNotAlive) {
  auto db = MariaDb::shared().connect();
  const auto id = db->scalar("SELECT CONNECTION_ID()");
  MariaDb::shared().connect()->run(fmt::format("KILL {}", *id));
  EXPECT_EQ(failure_of([&] { db->scalar("SELECT 1"); })->kind(), FailureKind::Unreachable);
  EXPECT_FALSE(db->alive());
  db->rollback();
  EXPECT_EQ(failure_of([&] { db->scalar("SELECT CONNECTION_ID()"); })->kind(), FailureKind::Unreachable);
}

TEST(MariaDbDriver, ALockThatIsNotFreedIsAConflict) {
  const auto name = MariaDb::shared().create_database("deadlock");
  auto a = MariaDb::shared().connect(name), b = MariaDb::shared().connect(name);
  a->run("CREATE TABLE t (id int PRIMARY KEY, n int) ENGINE=InnoDB");
  a->run("INSERT INTO t VALUES (1, 0), (2, 0)");
  b->script("SET SESSION innodb_lock_wait_timeout = 1");
  Transaction first(*a), second(*b);
  a->run("UPDATE t SET n = 1 WHERE id = 1");
  EXPECT_EQ(failure_of([&] { b->run("UPDATE t SET n = 1 WHERE id = 1"); })->kind(), FailureKind::Conflict);
}

TEST(MariaDbDriver, APacketTooLargeIsRefusedBeforeItIsSent) {
  const auto name = MariaDb::shared().create_database("packet");
  auto db = MariaDb::shared().connect(name);
  db->run("CREATE TABLE t (data longblob) ENGINE=InnoDB");
  const std::string body(17 << 20, 'x');
  const auto failure = failure_of([&] { db->run("INSERT INTO t VALUES (?)", {Blob{body}}); });
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind(), FailureKind::TooLarge);
  EXPECT_NE(std::string(failure->what()).find("SET GLOBAL max_allowed_packet = 33554432"), std::string::npos);
  EXPECT_TRUE(db->alive());
  const std::string fits(15 << 20, 'x');
  EXPECT_EQ(db->run("INSERT INTO t VALUES (?)", {Blob{fits}}).affected, 1);
}

TEST(MariaDbDriver, ValuesThatAColumnCannotHoldAreData) {
  const auto name = MariaDb::shared().create_database("data");
  auto db = MariaDb::shared().connect(name);
  db->run("CREATE TABLE t (id int PRIMARY KEY, name varchar(5)) ENGINE=InnoDB");
  EXPECT_EQ(failure_of([&] { db->run("INSERT INTO t VALUES (1, 'too long')"); })->kind(), FailureKind::Data);
  EXPECT_EQ(failure_of([&] { db->run("INSERT INTO t VALUES (3000000000, 'a')"); })->kind(), FailureKind::Data);
  EXPECT_EQ(failure_of([&] { db->run("INSERT INTO t VALUES (1, ?)", {std::string_view("\xff")}); })->kind(),
            FailureKind::Data);
}

TEST(MariaDbDriver, ATimeAgainstADecimalUsesTheIndex) {
  const auto name = MariaDb::shared().create_database("plan");
  auto db = MariaDb::shared().connect(name);
  db->run("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, stamp decimal(18,6), KEY (stamp)) ENGINE=InnoDB");
  for (int i = 0; i < 200; ++i) db->run("INSERT INTO t (stamp) VALUES (?)", {UnixTime{from_unix_micros(i)}});
  std::string type;
  db->query("EXPLAIN SELECT id, stamp FROM t WHERE stamp < ?", {UnixTime{from_unix_micros(5)}},
            [&](const Row& row) { type = row.string(3); });
  EXPECT_EQ(type, "range");
}

TEST(MariaDbDriver, KnowsTheErrorsOfBrokenNodes) {
  EXPECT_EQ(mariadb_failure_kind(1047, ""), FailureKind::Unreachable);  // Galera
  EXPECT_EQ(mariadb_failure_kind(1290, ""), FailureKind::Unreachable);  // read-only
  EXPECT_EQ(mariadb_failure_kind(2013, ""), FailureKind::Unreachable);
  EXPECT_EQ(mariadb_failure_kind(1040, ""), FailureKind::Unreachable);
  EXPECT_FALSE(mariadb_connection_is_lost(1040));
  EXPECT_EQ(mariadb_failure_kind(1213, ""), FailureKind::Conflict);
  EXPECT_EQ(mariadb_failure_kind(1205, ""), FailureKind::Conflict);
  EXPECT_EQ(mariadb_failure_kind(1114, ""), FailureKind::Full);
  EXPECT_EQ(mariadb_failure_kind(1030, "Got error 28 \"No space left on device\" from storage engine"),
            FailureKind::Full);
  EXPECT_EQ(mariadb_failure_kind(1030, "Got error 168 from storage engine"), FailureKind::Broken);
  EXPECT_EQ(mariadb_failure_kind(167, ""), FailureKind::Data);
}

TEST(UnixDecimals, KeepMicroseconds) {
  EXPECT_EQ(to_unix_decimal(from_unix_micros(1700000000000001)), "1700000000.000001");
  EXPECT_EQ(to_unix_decimal(from_unix_micros(-1)), "-0.000001");
  EXPECT_EQ(from_unix_decimal("-0.000001"), from_unix_micros(-1));
  EXPECT_EQ(from_unix_decimal("1700000000"), from_unix_micros(1700000000000000));
  EXPECT_EQ(from_unix_decimal("1700000000.5"), from_unix_micros(1700000000500000));
  EXPECT_EQ(from_unix_decimal(""), std::nullopt);
}

}  // namespace
}  // namespace posthaste::sql
