// The schema on both engines: what initialize and provisioning leave behind.
#include "store/schema.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "sql/testing_mariadb.h"
#include "store/schema_tables.h"
#include "store/store.h"

namespace posthaste::store {
namespace {

using sql::Dialect;
using sql::testing::MariaDb;

class Schema : public ::testing::TestWithParam<Dialect> {
 protected:
  void SetUp() override {
    config_.posthaste.data_path = folder_.file("data");
    if (GetParam() == Dialect::Sqlite) {
      config_.posthaste.database = "sqlite";
      return;
    }
    use_mariadb();
  }

  void use_mariadb() {
    static int number = 0;
    const auto options = MariaDb::shared().options();
    config_.posthaste.database = "mariadb";
    config_.main_db.host = options.host;
    config_.main_db.port = options.port;
    config_.main_db.username = options.username;
    config_.main_db.password = options.password;
    config_.main_db.database = fmt::format("schema{}", ++number);
    config_.message_db = config_.main_db;
    config_.message_db_prefix = config_.main_db.database;
  }

  std::unique_ptr<sql::Connection> main() {
    if (config_.sqlite()) return sql::open_sqlite({.path = main_file(config_)});
    return sql::open_mariadb(main_options(config_));
  }
  std::unique_ptr<sql::Connection> message(Id id) {
    if (config_.sqlite()) return sql::open_sqlite({.path = server_file(config_, id)});
    return sql::open_mariadb(message_options(config_));
  }
  std::string sql_text(std::string_view text, Id id = 1) { return sql::bind_names(text, names_of(config_, id)); }

  std::vector<Store::InitializeReport> initialize() {
    auto report = Store::initialize(config_);
    EXPECT_TRUE(report) << report.error().text;
    return report.value_or(std::vector<Store::InitializeReport>{});
  }

  void add_server(Id id) {
    main()->run(
        sql_text("INSERT INTO {main}`servers` (id, organization_id, name, permalink, token) VALUES (?, 1, ?, ?, ?)"),
        {id, fmt::format("Server {}", id), fmt::format("server-{}", id), fmt::format("tok{}en", id)});
  }

  sql::testing::Folder folder_;
  config::Config config_;
};

TEST_P(Schema, BeginsWithNothingAndIsReady) {
  const auto report = initialize();
  ASSERT_EQ(report.size(), 1u);
  EXPECT_EQ(report[0].from, 0);
  EXPECT_GE(report[0].to, 1);
  EXPECT_TRUE(check_main_schema(*main(), main_names(config_)));
  for (const auto tables : {schema::main_tables(), schema::own_main_tables()})
    for (const auto& table : tables)
      EXPECT_EQ(main()->scalar(sql_text(fmt::format("SELECT COUNT(*) FROM {{main}}`{}`", table.name))), 0)
          << table.name;
}

TEST_P(Schema, InitializingAgainChangesNothing) {
  initialize();
  add_server(1);
  ASSERT_TRUE(provision_database(config_, 1));
  const auto report = initialize();
  ASSERT_EQ(report.size(), 2u);
  for (const auto& line : report) EXPECT_EQ(line.from, line.to) << line.database;
  EXPECT_EQ(main()->scalar(sql_text("SELECT COUNT(*) FROM {main}`servers`")), 1);
}

TEST_P(Schema, TwoAtOnceDoNotBreakEachOther) {
  std::vector<Result<std::vector<Store::InitializeReport>>> results(3);
  {
    std::vector<std::jthread> threads;
    for (auto& result : results) threads.emplace_back([&] { result = Store::initialize(config_); });
  }
  for (const auto& result : results) EXPECT_TRUE(result) << result.error().text << result.error().cause;
  EXPECT_TRUE(check_main_schema(*main(), main_names(config_)));
}

TEST_P(Schema, WithoutInitializeTheTextSaysWhatToRun) {
  if (config_.sqlite()) {
    std::filesystem::create_directory(config_.posthaste.data_path);
    sql::open_sqlite({.path = main_file(config_), .create = true});
  }
  const auto checked = check_main_schema(*main(), main_names(config_));
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().kind, ErrorKind::Invalid);
  EXPECT_NE(checked.error().text.find("posthaste initialize"), std::string::npos);
}

TEST_P(Schema, AProvisionedDatabaseTakesMail) {
  initialize();
  ASSERT_TRUE(provision_database(config_, 7));
  auto db = message(7);
  const auto names = names_of(config_, 7);
  EXPECT_TRUE(check_message_schema(*db, names));

  create_raw_table(*db, names, "raw-2026-01-31");
  create_raw_table(*db, names, "raw-2026-01-31");
  EXPECT_EQ(db->scalar(sql_text("SELECT COUNT(*) FROM {message}`raw_message_sizes` WHERE size = 0", 7)), 1);
  sql::Transaction transaction(*db);
  const auto raw =
      db->run(sql_text("INSERT INTO {message}`raw-2026-01-31` (data) VALUES (?)", 7), {sql::Blob{"Subject: x"}});
  const auto row = db->run(
      sql_text(
          "INSERT INTO {message}`messages` (token, scope, rcpt_to, timestamp, size, raw_table, raw_headers_id) VALUES "
          "('abc', 'outgoing', 'A@b.example', ?, ?, 'raw-2026-01-31', ?)",
          7),
      {sql::UnixTime{system_now()}, std::int64_t{10}, raw.insert_id});
  db->run(
      sql_text("INSERT INTO {queue}`queued_messages` (server_id, message_id, domain, created_at) VALUES (7, ?, 'b', ?)",
               7),
      {row.insert_id, sql::DateTime{system_now()}});
  transaction.commit();

  db->query(
      sql_text("SELECT held, bounce_for_id, spam_score, size FROM {message}`messages` WHERE rcpt_to = 'a@B.EXAMPLE'",
               7),
      {}, [](const sql::Row& read) {
        EXPECT_FALSE(read.is_null(0));
        EXPECT_EQ(read.integer(1), 0);
        EXPECT_FALSE(read.is_null(2));
        EXPECT_EQ(read.text(3), "10");
      });
  EXPECT_EQ(db->scalar(sql_text("SELECT COUNT(*) FROM {message}`messages` WHERE rcpt_to = 'a@B.EXAMPLE'", 7)), 1);
}

TEST_P(Schema, AUsedDatabaseIsNotReplaced) {
  initialize();
  ASSERT_TRUE(provision_database(config_, 1));
  EXPECT_TRUE(provision_database(config_, 1)) << "an unused one is";
  message(1)->run(sql_text("INSERT INTO {message}`messages` (token) VALUES ('a')"));
  const auto again = provision_database(config_, 1);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::Conflict);
  EXPECT_EQ(message(1)->scalar(sql_text("SELECT COUNT(*) FROM {message}`messages`")), 1);

  drop_database(config_, 1);
  drop_database(config_, 1);
  EXPECT_TRUE(provision_database(config_, 1));
  EXPECT_EQ(message(1)->scalar(sql_text("SELECT COUNT(*) FROM {message}`messages`")), 0);
}

TEST_P(Schema, AMissingMessageDatabaseIsMade) {
  initialize();
  add_server(3);
  EXPECT_EQ(initialize().size(), 2u);
  EXPECT_TRUE(check_message_schema(*message(3), names_of(config_, 3)));
}

TEST_P(Schema, NamesThatMustBeUniqueAre) {
  initialize();
  // The last two are Postal's own (data-model.md, case 2).
  for (const auto& [column, second] : {std::pair("users` (email_address", "A@B.example"),
                                       {"worker_roles` (role", "a@b.example"},
                                       {"scheduled_tasks` (name", "a@b.example"}}) {
    const auto insert = sql_text(fmt::format("INSERT INTO {{main}}`{}) VALUES (?)", column));
    main()->run(insert, {std::string_view("a@b.example")});
    try {
      main()->run(insert, {std::string_view(second)});
      ADD_FAILURE() << column << " stored twice";
    } catch (const sql::Failure& failure) {
      EXPECT_EQ(failure.kind(), sql::FailureKind::Duplicate) << column;
    }
  }
}

TEST_P(Schema, RacingMakersOfADaysTableLeaveOneSizeRow) {
  initialize();
  ASSERT_TRUE(provision_database(config_, 1));
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] { create_raw_table(*message(1), names_of(config_, 1), "raw-2026-02-01"); });
  }
  EXPECT_EQ(message(1)->scalar(sql_text("SELECT COUNT(*) FROM {message}`raw_message_sizes`")), 1);
}

INSTANTIATE_TEST_SUITE_P(Both, Schema, ::testing::Values(Dialect::Sqlite, Dialect::MariaDb),
                         [](const auto& info) { return info.param == Dialect::Sqlite ? "Sqlite" : "MariaDb"; });

// --- only SQLite

class SqliteSchema : public Schema {};
INSTANTIATE_TEST_SUITE_P(Sqlite, SqliteSchema, ::testing::Values(Dialect::Sqlite), [](const auto&) { return "Files"; });

TEST_P(SqliteSchema, TheDataFolderIsTheOwnersAlone) {
  initialize();
  EXPECT_EQ(std::filesystem::status(config_.posthaste.data_path).permissions(), std::filesystem::perms::owner_all);
}

TEST_P(SqliteSchema, EveryTableIsStrictWithTheRightPages) {
  initialize();
  ASSERT_TRUE(provision_database(config_, 1));
  for (const auto& path : {main_file(config_), server_file(config_, 1)}) {
    auto db = sql::open_sqlite({.path = path, .read_only = true});
    EXPECT_EQ(
        db->scalar("SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND sql NOT "
                   "LIKE '%STRICT'"),
        0);
    EXPECT_EQ(db->scalar("PRAGMA page_size"), 16384);
    EXPECT_EQ(db->scalar("PRAGMA auto_vacuum"), 2);
  }
}

TEST_P(SqliteSchema, AFolderThatCannotBeMadeIsNamed) {
  config_.posthaste.data_path = "/proc/posthaste";
  const auto result = Store::initialize(config_);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().text.find("/proc/posthaste"), std::string::npos);
}

// --- only MariaDB

class MariaDbSchema : public Schema {};
INSTANTIATE_TEST_SUITE_P(MariaDb, MariaDbSchema, ::testing::Values(Dialect::MariaDb),
                         [](const auto&) { return "Server"; });

TEST_P(MariaDbSchema, PostalFindsItsBookkeeping) {
  initialize();
  ASSERT_TRUE(provision_database(config_, 1));
  EXPECT_EQ(main()->scalar(sql_text("SELECT COUNT(*) FROM {main}`schema_migrations`")), 18);
  EXPECT_EQ(main()->scalar(sql_text("SELECT COUNT(*) FROM {main}`ar_internal_metadata` WHERE value = 'production'")),
            1);
  EXPECT_EQ(message(1)->scalar(sql_text("SELECT SUM(version) FROM {message}`migrations`")), 210);
}

TEST_P(MariaDbSchema, ACrashInTheMiddleIsMadeGood) {
  initialize();
  main()->script(
      sql_text("DELETE FROM {main}`schema_migrations`; DELETE FROM {main}`posthaste_migrations`; "
               "DROP TABLE {main}`webhooks`; DROP TABLE {main}`posthaste_changes`; "
               "DROP INDEX posthaste_claim ON {main}`queued_messages`"));
  main()->run(sql_text("INSERT INTO {main}`users` (email_address) VALUES ('kept@b.example')"));
  initialize();
  EXPECT_TRUE(check_main_schema(*main(), main_names(config_)));
  EXPECT_EQ(main()->scalar(sql_text("SELECT COUNT(*) FROM {main}`webhooks`")), 0);
  EXPECT_EQ(main()->scalar(sql_text("SELECT COUNT(*) FROM {main}`posthaste_changes`")), 0);
  EXPECT_EQ(main()->scalar(sql_text("SELECT COUNT(*) FROM {main}`users`")), 1);
}

TEST_P(MariaDbSchema, AnOlderPostalIsBroughtUp) {
  initialize();
  main()->script(sql_text(
      "ALTER TABLE {main}`credentials` DROP COLUMN uuid, DROP KEY posthaste_uuid; ALTER TABLE {main}`ip_addresses` "
      "DROP COLUMN "
      "priority; ALTER TABLE {main}`users` DROP COLUMN oidc_uid, DROP COLUMN oidc_issuer; ALTER TABLE {main}`ip_pools` "
      "ADD "
      "COLUMN type varchar(255); DROP TABLE {main}`worker_roles`; ALTER TABLE {main}`authie_sessions` DROP KEY "
      "index_authie_sessions_on_token_hash; DELETE FROM {main}`schema_migrations` WHERE version > '20170421195414'; "
      "INSERT INTO "
      "{main}`credentials` (name) VALUES ('a'), ('b'); INSERT INTO {main}`ip_addresses` (ipv4) VALUES ('192.0.2.1')"));
  initialize();
  EXPECT_EQ(main()->scalar(sql_text("SELECT COUNT(DISTINCT uuid) FROM {main}`credentials`")), 2);
  EXPECT_EQ(main()->scalar(sql_text("SELECT priority FROM {main}`ip_addresses`")), 100);
  EXPECT_EQ(main()->scalar(sql_text("SELECT COUNT(*) FROM {main}`worker_roles`")), 0);
  EXPECT_EQ(main()->scalar(sql_text("SELECT COUNT(*) FROM {main}`schema_migrations`")), 18);
  EXPECT_NO_THROW(main()->run(sql_text("SELECT oidc_uid FROM {main}`users`")));
  EXPECT_THROW(main()->run(sql_text("SELECT type FROM {main}`ip_pools`")), sql::Failure);
  EXPECT_EQ(main()->scalar("SELECT COUNT(*) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? AND INDEX_NAME = "
                           "'index_authie_sessions_on_token_hash'",
                           {config_.main_db.database}),
            1);
}

TEST_P(MariaDbSchema, AnOlderMessageDatabaseIsBroughtUp) {
  initialize();
  add_server(1);
  ASSERT_TRUE(provision_database(config_, 1));
  auto db = message(1);
  db->script(
      sql_text("ALTER TABLE {message}`messages` DROP COLUMN endpoint_id, DROP COLUMN parsed; ALTER TABLE "
               "{message}`links` MODIFY url "
               "varchar(255); ALTER TABLE {message}`messages` CONVERT TO CHARACTER SET utf8; DELETE FROM "
               "{message}`migrations` WHERE "
               "version > 16; INSERT INTO {message}`messages` (subject) VALUES ('plain')"));
  initialize();
  db->run(sql_text("UPDATE {message}`messages` SET subject = '🎉', endpoint_id = 1 WHERE parsed = 0"));
  db->run(sql_text("INSERT INTO {message}`links` (url) VALUES (?)"), {std::string(1000, 'x')});
  EXPECT_TRUE(check_message_schema(*db, names_of(config_, 1)));
}

TEST_P(MariaDbSchema, ForeignDatabasesAreLeftAlone) {
  const auto name = MariaDb::shared().create_database("foreign");
  config_.main_db.database = name;
  MariaDb::shared().connect(name)->run("CREATE TABLE articles (id int PRIMARY KEY)");
  auto refused = Store::initialize(config_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::Conflict);
  EXPECT_NE(refused.error().text.find("articles"), std::string::npos);

  MariaDb::shared().connect(name)->script(
      "CREATE TABLE schema_migrations (version varchar(255) PRIMARY KEY); INSERT INTO schema_migrations VALUES "
      "('20150101000000')");
  refused = Store::initialize(config_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::Invalid);
}

TEST_P(MariaDbSchema, DuplicatesOnlyKeepTheUniqueIndexAway) {
  initialize();
  main()->script(
      sql_text("ALTER TABLE {main}`users` DROP KEY posthaste_email_address; DELETE FROM {main}`posthaste_migrations`; "
               "INSERT INTO {main}`users` (email_address) VALUES ('a@b.example'), ('A@B.example')"));
  initialize();
  EXPECT_EQ(main()->scalar(sql_text("SELECT COUNT(*) FROM {main}`users`")), 2);
  EXPECT_TRUE(check_main_schema(*main(), main_names(config_)));
}

TEST_P(MariaDbSchema, WithoutPrivilegesTheTextSaysWhatToGrant) {
  auto root = MariaDb::shared().connect();
  root->run("CREATE USER IF NOT EXISTS 'poor'@'%' IDENTIFIED BY 'test'");
  config_.main_db.username = "poor";
  config_.message_db.username = "poor";
  const auto denied = Store::initialize(config_);
  ASSERT_FALSE(denied);
  EXPECT_EQ(denied.error().kind, ErrorKind::Denied);
  EXPECT_NE(denied.error().text.find("GRANT ALL PRIVILEGES ON `" + config_.main_db.database + "`.*"),
            std::string::npos);

  root->run(fmt::format("CREATE DATABASE `{}`", config_.main_db.database));
  root->run(fmt::format("GRANT ALL PRIVILEGES ON `{}`.* TO 'poor'@'%'", config_.main_db.database));
  EXPECT_TRUE(Store::initialize(config_)) << "an existing database needs no right to create one";
  const auto provisioned = provision_database(config_, 1);
  ASSERT_FALSE(provisioned);
  EXPECT_NE(provisioned.error().text.find("-server-%`.*"), std::string::npos);
}

TEST_P(MariaDbSchema, ASmallPacketSizeIsNoticed) {
  EXPECT_EQ(packet_size_advice(*main(), config_), "") << "14 MB fit MariaDB's default";
  config_.smtp_server.max_message_size = 50;
  EXPECT_NE(packet_size_advice(*main(), config_).find("SET GLOBAL max_allowed_packet = 67108864"), std::string::npos);
}

TEST_P(MariaDbSchema, AnUnreachableServerIsNamed) {
  config_.main_db.port = 1;
  const auto result = Store::initialize(config_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::Unavailable);
  EXPECT_NE(result.error().text.find("port 1"), std::string::npos);
}

}  // namespace
}  // namespace posthaste::store
