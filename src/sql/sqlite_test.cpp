#include <gtest/gtest.h>

#include <thread>

#include "sql/sql.h"
#include "sql/testing_mariadb.h"
#include "sql/wal_size.h"

namespace posthaste::sql {
namespace {

class Sqlite : public ::testing::Test {
 protected:
  std::unique_ptr<Connection> open(SqliteOptions options = {.create = true}) {
    options.path = folder_.file("test.db");
    return open_sqlite(options);
  }

  std::string pragma(Connection& db, std::string_view name) {
    std::string value;
    db.query(fmt::format("PRAGMA {}", name), {}, [&](const Row& row) { value = row.string(0); });
    return value;
  }

  testing::Folder folder_;
};

TEST_F(Sqlite, HasTheSettingsOfEveryConnection) {
  auto db = open();
  db->script("CREATE TABLE t (id INTEGER PRIMARY KEY) STRICT");
  EXPECT_EQ(pragma(*db, "page_size"), "16384");
  EXPECT_EQ(pragma(*db, "auto_vacuum"), "2");
  EXPECT_EQ(pragma(*db, "journal_mode"), "wal");
  EXPECT_EQ(pragma(*db, "synchronous"), "2");
  EXPECT_EQ(pragma(*db, "foreign_keys"), "1");
  EXPECT_EQ(pragma(*db, "secure_delete"), "0");
  EXPECT_EQ(pragma(*db, "busy_timeout"), "10000");
  EXPECT_EQ(pragma(*db, "wal_autocheckpoint"), "1000");

  auto again = open({.manual_checkpoints = true});
  EXPECT_EQ(pragma(*again, "page_size"), "16384");
  EXPECT_EQ(pragma(*again, "wal_autocheckpoint"), "0");
}

TEST_F(Sqlite, AReaderCannotWrite) {
  open()->script("CREATE TABLE t (id INTEGER PRIMARY KEY) STRICT");
  auto reader = open({.read_only = true});
  EXPECT_EQ(reader->scalar("SELECT COUNT(*) FROM t"), 0);
  EXPECT_EQ(pragma(*reader, "mmap_size"), "268435456");
  try {
    reader->run("INSERT INTO t DEFAULT VALUES");
    FAIL() << "written";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.kind(), FailureKind::Denied);
  }
}

TEST_F(Sqlite, AMissingFileIsNotMadeByAccident) {
  try {
    open({});
    FAIL() << "opened";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.kind(), FailureKind::Unreachable);
  }
  EXPECT_FALSE(std::filesystem::exists(folder_.file("test.db")));
}

TEST_F(Sqlite, AFullDiskIsReportedAsFullAndTheTransactionEnds) {
  auto db = open();
  db->script("CREATE TABLE t (data BLOB) STRICT; PRAGMA max_page_count = 20");
  const std::string big(1 << 20, 'x');
  try {
    Transaction transaction(*db);
    db->run("INSERT INTO t VALUES (?)", {Blob{big}});
    transaction.commit();
    FAIL() << "stored";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.kind(), FailureKind::Full);
  }
  Transaction next(*db);
  db->run("INSERT INTO t VALUES (?)", {Blob{"small"}});
  next.commit();
  EXPECT_EQ(db->scalar("SELECT COUNT(*) FROM t"), 1);
}

TEST_F(Sqlite, WritersWaitForEachOther) {
  auto db = open();
  db->script("CREATE TABLE t (id INTEGER PRIMARY KEY) STRICT");
  auto other = open();
  auto first = std::make_unique<Transaction>(*db);
  std::thread second([&] {
    Transaction transaction(*other);
    other->run("INSERT INTO t DEFAULT VALUES");
    transaction.commit();
  });
  std::this_thread::sleep_for(50ms);
  db->run("INSERT INTO t DEFAULT VALUES");
  first->commit();
  second.join();
  EXPECT_EQ(db->scalar("SELECT COUNT(*) FROM t"), 2);
}

TEST_F(Sqlite, TellsHowMuchTheLogHoldsAlsoAfterItBeganAnew) {
  auto db = open({.create = true, .manual_checkpoints = true});
  const auto size = std::make_shared<std::atomic<std::int64_t>>(0);
  report_wal_size(*db, size);
  db->script("CREATE TABLE t (data BLOB) STRICT");
  const std::string large(1 << 20, 'x');
  db->run("INSERT INTO t VALUES (?)", {Blob{large}});
  EXPECT_GE(*size, 1 << 20);

  db->script("PRAGMA wal_checkpoint(PASSIVE)");
  db->run("INSERT INTO t VALUES (?)", {Blob{"small"}});
  EXPECT_GT(*size, 0);
  EXPECT_LT(*size, 1 << 18);
}

TEST_F(Sqlite, SeveralStatementsAreNotTakenForOne) {
  auto db = open();
  EXPECT_THROW(db->run("SELECT 1; SELECT 2"), Failure);
  EXPECT_THROW(db->run(""), Failure);
  EXPECT_NO_THROW(db->run("SELECT 1;\n"));
}

}  // namespace
}  // namespace posthaste::sql
