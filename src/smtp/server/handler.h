// What an SMTP session asks of the installation that it serves: who is it, may it send there, may it send as that, keep
// this. The session knows the protocol; the handler knows accounts, routes and databases.
//
// Questions are answered at once, from memory: a session's loop serves others meanwhile. Only store() may wait.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/network.h"
#include "base/time.h"
#include "io/task.h"
#include "mail/header.h"

namespace posthaste::smtp::server {

// A credential that the session has proved to hold.
struct Login {
  std::int64_t credential_id = 0, server_id = 0;
  std::string account;  // `organization/server`
};

// A reply that says no. `error` is the label of the error metric; empty: not counted.
struct Refusal {
  int code = 550;
  std::string_view enhanced;
  std::string text;
  std::string_view error;
  std::string detail;  // added in brackets for sessions with enhanced codes; always in the log
};

struct Recipient {
  enum class Kind { Outgoing, Bounce, Route };
  Kind kind = Kind::Outgoing;
  std::string address;  // as it is stored
  std::int64_t server_id = 0, route_id = 0;

  bool operator==(const Recipient&) const = default;
};

struct RecipientQuestion {
  std::string_view address;  // as typed, without brackets; has a local part or a domain behind its last @
  std::string_view local;    // before the last @, unquoted
  std::string_view domain;   // behind it: A-labels, lower case, no trailing dot
  const Login* login = nullptr;
  IpAddress client;
};

struct RecipientAnswer {
  Recipient recipient;
  std::optional<Login> login;  // the client's network has a credential: the session holds it from now on
};

// A message with its envelope, complete and checked.
struct Transaction {
  std::string trace_id, mail_from;
  std::vector<Recipient> recipients;
  std::optional<Login> login;
  std::optional<std::int64_t> domain_id;  // as whose user the login sends
  IpAddress client;
  bool tls = false;
  Time time;
  std::string text;  // Received field first, CRLF line ends
};

class Handler {
 public:
  virtual ~Handler() = default;

  // The credential with this key.
  virtual std::optional<Login> login(std::string_view key) = 0;
  // The credential of the account that `user` names (`org/server`, `org_server`) whose key fits. The error is the
  // reason for the log: `no server found matching x`, `invalid credential`.
  virtual std::expected<Login, std::string> login(std::string_view user,
                                                  const std::function<bool(std::string_view key)>& fits) = 0;

  virtual std::expected<RecipientAnswer, Refusal> recipient(const RecipientQuestion& question) = 0;

  // Privacy mode: the Received field does not tell where mail of this login came from.
  virtual bool hides_client(const Login& login) = 0;

  // The domain as whose user this login sends a message with these fields.
  virtual std::expected<std::int64_t, Refusal> sender(const Login& login,
                                                      const std::vector<mail::HeaderField>& fields) = 0;

  // Returns when the message is committed to disk for every recipient: the token of the first.
  virtual io::Task<std::expected<std::string, Refusal>> store(Transaction transaction) = 0;
};

}  // namespace posthaste::smtp::server
