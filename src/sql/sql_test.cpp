// What the two drivers promise alike, told once and run on both.
#include "sql/sql.h"

#include <gtest/gtest.h>

#include <thread>

#include "sql/migration.h"
#include "sql/testing_mariadb.h"

namespace posthaste::sql {
namespace {

const Time kTime = *from_datetime("2026-01-31 10:15:02.123456");

FailureKind kind_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Failure& failure) {
    return failure.kind();
  }
  ADD_FAILURE() << "nothing failed";
  return FailureKind::Broken;
}

class Driver : public ::testing::TestWithParam<Dialect> {
 protected:
  void SetUp() override {
    if (GetParam() == Dialect::MariaDb) database_ = testing::MariaDb::shared().create_database("driver");
    db_ = open();
    if (GetParam() == Dialect::Sqlite)
      db_->script(
          "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, number INTEGER, amount REAL, "
          "whole INTEGER, fine INTEGER, stamp INTEGER, data BLOB, needed TEXT NOT NULL DEFAULT '') STRICT");
    else
      db_->script(
          "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, name varchar(255) UNIQUE, number bigint, "
          "amount decimal(8,2), whole datetime, fine datetime(6), stamp decimal(18,6), data longblob, "
          "needed varchar(10) NOT NULL DEFAULT '') ENGINE=InnoDB");
  }

  std::unique_ptr<Connection> open() {
    if (GetParam() == Dialect::MariaDb) return testing::MariaDb::shared().connect(database_);
    SqliteOptions options;
    options.path = folder_.file("test.db");
    options.create = true;
    return open_sqlite(options);
  }

  std::vector<std::string> names() {
    std::vector<std::string> found;
    db_->query("SELECT name FROM t ORDER BY id", {}, [&](const Row& row) { found.push_back(row.string(0)); });
    return found;
  }

  testing::Folder folder_;
  std::string database_;
  std::unique_ptr<Connection> db_;
};

using Names_ = std::vector<std::string>;

TEST_P(Driver, KeepsEveryKindOfValue) {
  db_->run("INSERT INTO t (name, number, amount, whole, fine, stamp, data) VALUES (?, ?, ?, ?, ?, ?, ?)",
           {std::string_view("Grüße 🎉"), std::int64_t{-9007199254740993}, 12.25, DateTime{kTime}, DateTime{kTime},
            UnixTime{kTime}, Blob{std::string_view("a\0b\xff", 4)}});

  int rows = 0;
  db_->query("SELECT name, number, amount, fine, stamp, data, whole FROM t", {}, [&](const Row& row) {
    ++rows;
    EXPECT_EQ(row.text(0), "Grüße 🎉");
    EXPECT_EQ(row.integer(1), -9007199254740993);
    EXPECT_DOUBLE_EQ(row.real(2), 12.25);
    EXPECT_EQ(row.integer(2), 12);
    EXPECT_EQ(row.date_time(3), kTime);
    EXPECT_EQ(row.unix_time(4), kTime);
    EXPECT_EQ(row.text(5), std::string_view("a\0b\xff", 4));
    const auto truncated = std::chrono::floor<std::chrono::seconds>(kTime);
    EXPECT_EQ(row.date_time(6), GetParam() == Dialect::MariaDb ? Time(truncated) : kTime);
  });
  EXPECT_EQ(rows, 1);
}

TEST_P(Driver, TimesBeforeTheEpochComeBack) {
  const Time early = *from_datetime("1969-07-20 20:17:40.250000");
  db_->run("INSERT INTO t (fine, stamp) VALUES (?, ?)", {DateTime{early}, UnixTime{early}});
  db_->query("SELECT fine, stamp FROM t", {}, [&](const Row& row) {
    EXPECT_EQ(row.date_time(0), early);
    EXPECT_EQ(row.unix_time(1), early);
  });
}

TEST_P(Driver, ComparesTimesToTheMicrosecond) {
  db_->run("INSERT INTO t (name, fine, stamp) VALUES ('a', ?, ?)", {DateTime{kTime}, UnixTime{kTime}});
  const Time later = kTime + 1us;
  EXPECT_EQ(db_->scalar("SELECT COUNT(*) FROM t WHERE fine = ? AND stamp = ?", {DateTime{kTime}, UnixTime{kTime}}), 1);
  EXPECT_EQ(db_->scalar("SELECT COUNT(*) FROM t WHERE fine < ? AND stamp < ?", {DateTime{later}, UnixTime{later}}), 1);
  EXPECT_EQ(db_->scalar("SELECT COUNT(*) FROM t WHERE fine >= ?", {DateTime{later}}), 0);
  EXPECT_EQ(db_->scalar("SELECT COUNT(*) FROM t WHERE stamp >= ?", {UnixTime{later}}), 0);
}

TEST_P(Driver, NullReadsAsNothing) {
  db_->run("INSERT INTO t (name, number, data) VALUES (?, ?, ?)",
           {Null{}, or_null<std::int64_t>({}), null_if_empty("")});
  db_->query("SELECT name, number, amount, fine, stamp, data FROM t", {}, [](const Row& row) {
    for (int i = 0; i < 6; ++i) EXPECT_TRUE(row.is_null(i)) << i;
    EXPECT_EQ(row.text(0), "");
    EXPECT_EQ(row.integer(1), 0);
    EXPECT_EQ(row.real(2), 0);
    EXPECT_EQ(row.date_time(3), std::nullopt);
    EXPECT_EQ(row.unix_time(4), std::nullopt);
    EXPECT_EQ(row.maybe_string(5), std::nullopt);
  });
}

TEST_P(Driver, EmptyTextAndBytesAreNotNull) {
  db_->run("INSERT INTO t (name, data) VALUES (?, ?)", {std::string_view(), Blob{}});
  db_->query("SELECT name, data FROM t", {}, [](const Row& row) {
    EXPECT_FALSE(row.is_null(0));
    EXPECT_FALSE(row.is_null(1));
    EXPECT_EQ(row.text(1), "");
  });
}

TEST_P(Driver, AStatementTakesOtherKindsOfValuesNextTime) {
  const std::string_view insert = "INSERT INTO t (name, number, data) VALUES (?, ?, ?)";
  db_->run(insert, {std::string_view("a"), Null{}, Blob{"x"}});
  db_->run(insert, {Null{}, std::int64_t{7}, Null{}});
  db_->run(insert, {std::string("b"), std::int64_t{8}, Blob{"y"}});
  EXPECT_EQ(names(), (Names_{"a", "", "b"}));
  EXPECT_EQ(db_->scalar("SELECT SUM(number) FROM t"), 15);
}

TEST_P(Driver, ValuesLongerThanTheBufferArriveWhole) {
  std::vector<std::string> bodies;
  for (const std::size_t size : {1023, 1024, 1025, 70000, 3000000}) {
    std::string body(size, 'x');
    for (std::size_t i = 0; i < size; i += 97) body[i] = char(i * 31);
    db_->run("INSERT INTO t (data) VALUES (?)", {Blob{body}});
    db_->run("INSERT INTO t (data) VALUES (?)", {Blob{"short"}});
    bodies.insert(bodies.end(), {body, "short"});
  }
  std::vector<std::string> read;
  db_->query("SELECT data FROM t ORDER BY id", {}, [&](const Row& row) { read.push_back(row.string(0)); });
  EXPECT_TRUE(read == bodies);
}

TEST_P(Driver, ALongValueAfterAShorterOneEndsWhereItEnds) {
  for (const std::size_t size : {1100U, 1679U, 1700U, 3000U, 1200U, 5000U}) {
    const std::string value(size, 'x');
    db_->query("SELECT ?", {Blob{value}}, [&](const Row& row) { EXPECT_EQ(row.text(0), value) << size; });
  }
}

TEST_P(Driver, CountsMatchedRowsAndGivesTheInsertedId) {
  EXPECT_EQ(db_->run("INSERT INTO t (name, number) VALUES ('a', 1), ('b', 1)").affected, 2);
  EXPECT_EQ(db_->run("INSERT INTO t (name, number) VALUES ('c', 1)").insert_id, 3);
  EXPECT_EQ(db_->run("UPDATE t SET number = 1 WHERE id <= 2").affected, 2) << "unchanged rows count";
  EXPECT_EQ(db_->run("UPDATE t SET number = 1 WHERE id = 99").affected, 0);
  EXPECT_EQ(db_->run("DELETE FROM t WHERE id = 3").affected, 1);
}

TEST_P(Driver, ReturningGivesIdsInOrder) {
  std::vector<std::int64_t> ids;
  db_->query("INSERT INTO t (name) VALUES (?),(?),(?) RETURNING id",
             {std::string_view("a"), std::string_view("b"), std::string_view("c")},
             [&](const Row& row) { ids.push_back(row.integer(0)); });
  EXPECT_EQ(ids, (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_EQ(names(), (Names_{"a", "b", "c"}));
}

TEST_P(Driver, OtherStatementsRunWhileAResultIsOpen) {
  db_->run("INSERT INTO t (name, number) VALUES ('a', 1), ('b', 2), ('c', 3)");
  std::int64_t sum = 0;
  db_->query("SELECT id FROM t ORDER BY id", {}, [&](const Row& row) {
    sum += db_->scalar("SELECT number FROM t WHERE id = ?", {row.integer(0)}).value();
  });
  EXPECT_EQ(sum, 6);
}

TEST_P(Driver, AReaderThatThrowsLeavesTheStatementUsable) {
  db_->run("INSERT INTO t (name) VALUES ('a'), ('b')");
  EXPECT_THROW(db_->query("SELECT name FROM t", {}, [](const Row&) { throw std::logic_error("enough"); }),
               std::logic_error);
  int rows = 0;
  db_->query("SELECT name FROM t", {}, [&](const Row&) { ++rows; });
  EXPECT_EQ(rows, 2);
}

TEST_P(Driver, ScalarIsNothingWithoutRowOrForNull) {
  EXPECT_EQ(db_->scalar("SELECT id FROM t"), std::nullopt);
  EXPECT_EQ(db_->scalar("SELECT MAX(id) FROM t"), std::nullopt);
  EXPECT_EQ(db_->scalar("SELECT COUNT(*) FROM t"), 0);
}

TEST_P(Driver, ATransactionIsAllOrNothing) {
  {
    Transaction transaction(*db_);
    db_->run("INSERT INTO t (name) VALUES ('kept')");
    transaction.commit();
  }
  {
    Transaction transaction(*db_);
    db_->run("INSERT INTO t (name) VALUES ('lost')");
  }
  db_ = open();
  EXPECT_EQ(names(), Names_{"kept"});
}

TEST_P(Driver, WhatOthersSeeIsCommitted) {
  auto other = open();
  Transaction transaction(*db_);
  db_->run("INSERT INTO t (name) VALUES ('a')");
  EXPECT_EQ(other->scalar("SELECT COUNT(*) FROM t"), 0);
  transaction.commit();
  EXPECT_EQ(other->scalar("SELECT COUNT(*) FROM t"), 1);
}

TEST_P(Driver, FailuresSayWhatToDo) {
  db_->run("INSERT INTO t (name) VALUES ('a')");
  EXPECT_EQ(kind_of([&] { db_->run("INSERT INTO t (name) VALUES ('a')"); }), FailureKind::Duplicate);
  EXPECT_EQ(kind_of([&] { db_->run("INSERT INTO t (needed) VALUES (?)", {Null{}}); }), FailureKind::Data);
  EXPECT_EQ(kind_of([&] { db_->run("SELECT * FROM `raw-2026-01-31`"); }), FailureKind::MissingTable);
  EXPECT_EQ(kind_of([&] { db_->script("CREATE TABLE t (id int)"); }), FailureKind::Duplicate);
  EXPECT_EQ(kind_of([&] { db_->run("SELEKT 1"); }), FailureKind::Broken);
  EXPECT_EQ(kind_of([&] { db_->run("SELECT ?"); }), FailureKind::Broken) << "a value is missing";
  EXPECT_TRUE(db_->alive());
  EXPECT_EQ(names(), Names_{"a"}) << "the connection works on";
}

TEST_P(Driver, AFailedStatementLeavesTheTransactionToItsOwner) {
  Transaction transaction(*db_);
  db_->run("INSERT INTO t (name) VALUES ('a')");
  EXPECT_EQ(kind_of([&] { db_->run("INSERT INTO t (name) VALUES ('a')"); }), FailureKind::Duplicate);
  db_->run("INSERT INTO t (name) VALUES ('b')");
  transaction.commit();
  EXPECT_EQ(names(), (Names_{"a", "b"}));
}

TEST_P(Driver, PreparesEachTextOnce) {
  Statement& first = db_->prepare("SELECT COUNT(*) FROM t");
  const std::string same = "SELECT COUNT(*) FROM t";
  EXPECT_EQ(&first, &db_->prepare(same));
}

TEST_P(Driver, ManyDifferentStatementsDoNotPileUp) {
  db_->run("INSERT INTO t (name) VALUES ('a'), ('b')");
  int rows = 0;
  db_->query("SELECT id FROM t", {}, [&](const Row&) {
    ++rows;
    for (int i = 0; i < 600; ++i) EXPECT_EQ(db_->scalar(fmt::format("SELECT {} FROM t LIMIT 1", i)), i);
  });
  EXPECT_EQ(rows, 2) << "the open result survived";
  if (GetParam() == Dialect::MariaDb) {
    std::int64_t prepared = 0;
    db_->query("SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'", {}, [&](const Row& row) { prepared = row.integer(1); });
    EXPECT_LE(prepared, 300);
  }
}

TEST_P(Driver, ScriptsRunSeveralStatements) {
  db_->script("INSERT INTO t (name) VALUES ('a;b'); INSERT INTO t (name) VALUES ('c');");
  EXPECT_EQ(names(), (Names_{"a;b", "c"}));
}

TEST_P(Driver, MigrationsRunOnceInOrder) {
  std::vector<int> ran;
  const auto step = [&](int version) {
    return Migration{version, "step", [&ran, version](Connection&) { ran.push_back(version); }};
  };
  const std::vector<Migration> first = {step(1), step(2)}, second = {step(1), step(2), step(3)};
  EXPECT_EQ(migrated_version(*db_, ""), 0);
  EXPECT_EQ(migrate(*db_, "", first).to, 2);
  const auto report = migrate(*db_, "", second);
  EXPECT_EQ(report.from, 2);
  EXPECT_EQ(report.to, 3);
  EXPECT_EQ(migrate(*db_, "", second).from, 3);
  EXPECT_EQ(ran, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(migrated_version(*db_, ""), 3);
}

TEST_P(Driver, AFailedMigrationIsTriedAgain) {
  bool broken = true;
  const std::vector<Migration> steps = {
      {1, "first",
       [](Connection& c) {
         c.run("CREATE TABLE made (id int)" + std::string(c.dialect() == Dialect::Sqlite ? " STRICT" : ""));
       }},
      {2, "second", [&](Connection&) {
         if (broken) throw Failure(FailureKind::Full, "no space");
       }}};
  EXPECT_EQ(kind_of([&] { migrate(*db_, "", steps); }), FailureKind::Full);
  EXPECT_EQ(migrated_version(*db_, ""), 1);
  broken = false;
  EXPECT_EQ(migrate(*db_, "", steps).to, 2);
}

INSTANTIATE_TEST_SUITE_P(Both, Driver, ::testing::Values(Dialect::Sqlite, Dialect::MariaDb),
                         [](const auto& info) { return info.param == Dialect::Sqlite ? "Sqlite" : "MariaDb"; });

TEST(Names, AreBoundWhereTheyStand) {
  const Names mariadb = {"`postal`.", "`postal-server-1`.", "`postal`."};
  EXPECT_EQ(bind_names("SELECT * FROM {message}`messages` m, {queue}`queued_messages`", mariadb),
            "SELECT * FROM `postal-server-1`.`messages` m, `postal`.`queued_messages`");
  EXPECT_EQ(bind_names("DELETE FROM {main}`users`", {}), "DELETE FROM `users`");
  EXPECT_EQ(bind_names("SELECT '{other}' {", mariadb), "SELECT '{other}' {");
}

TEST(Placeholders, AreRowsOfColumns) {
  EXPECT_EQ(placeholders(2, 3), "(?,?,?),(?,?,?)");
  EXPECT_EQ(placeholders(1, 1), "(?)");
  EXPECT_EQ(placeholders(0, 3), "");
}

}  // namespace
}  // namespace posthaste::sql
