// An installation for tests, on either engine: one organization with one mail server, its domain and credentials.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "sql/testing_mariadb.h"
#include "store/store.h"

namespace posthaste::store::testing {

class Installation {
 public:
  // Initialises the databases and fills them. `mariadb`: the server to use; by default the one that tests share.
  // `messages`: a second one for the message databases.
  explicit Installation(sql::Dialect dialect, sql::testing::MariaDb* mariadb = nullptr,
                        sql::testing::MariaDb* messages = nullptr);

  config::Config config;

  // Throws std::runtime_error with the error's text when it cannot be opened.
  std::unique_ptr<Store> open(const StoreOptions& options = {}) const;

  // Organization `org`, server `server` (token `abcdef`), verified domain `sender.example`, credentials 1 (SMTP key
  // `smtpkey`), 2 (API key `apikey`) and 3 (SMTP-IP 10.0.0.0/8), route `info@sender.example`.
  static constexpr Id kServer = 1;
  void add_server(Id id);  // `server<id>` of the same organization

  // Back to how it began. Much quicker on MariaDB than another one.
  void clear();

  // Straight into the tables, beside any store. Table names as in sql.h.
  std::int64_t number(Id server_id, std::string_view sql, std::initializer_list<sql::Value> values = {}) const;
  std::string text(Id server_id, std::string_view sql) const;
  void run(Id server_id, std::string_view sql) const;  // in the message database
  void run_main(std::string_view sql) const;
  // In the main database; on MariaDB with the queue.
  std::int64_t main_number(std::string_view sql) const;
  bool sqlite() const { return config.sqlite(); }

 private:
  void fill();
  std::unique_ptr<sql::Connection> connect(Id server_id) const;  // 0: main

  sql::testing::Folder folder_;
};

// For tests that run on both engines: as new, and valid until the next call.
Installation& fresh_installation(sql::Dialect dialect);

// A submission of one message with `recipients` recipients.
Submission submission(Id server_id = Installation::kServer, std::size_t recipients = 1, std::string body = "Hello\r\n",
                      std::string subject = "Test");

// Wait for the writer's answer.
Result<Stored> accept(Store& store, Submission submission, bool claim = false);
Result<> conclude(Store& store, Conclusion conclusion);

// A conclusion of this row with a delivery of that status.
Conclusion concluded(const QueuedMessage& message, std::string status, QueueChange queue = QueueChange::Done);

}  // namespace posthaste::store::testing
