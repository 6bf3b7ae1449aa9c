// One SMTP connection to a remote host and the transactions on it (outbound-delivery.md section 12).
//
// Knows nothing of messages, queues or databases. A failed transaction says at which stage it failed and whether the
// content may have been taken, so that the caller can decide between retry, failure and doubt.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/network.h"
#include "base/result.h"
#include "base/time.h"
#include "io/stream.h"
#include "io/task.h"

namespace posthaste::smtp::client {

enum class TlsMode {
  None,
  Auto,      // STARTTLS if offered, any certificate; one clear-text retry on a TLS failure
  StartTls,  // mandatory, chain and name verified
  Tls,       // from the first byte, chain and name verified
};
// `None`, `Auto`, `STARTTLS` (and Postal's `STARTLS`), `TLS`; case matters not. Nothing for other words.
std::optional<TlsMode> tls_mode(std::string_view text);

struct Target {
  std::string host;  // for SNI, certificate check and texts
  io::Endpoint endpoint;
  std::optional<IpAddress> source;  // local address to bind
  std::string helo;
  TlsMode tls = TlsMode::Auto;
  std::string username, password;  // AUTH after EHLO when username is not empty
  bool helo_only = false;          // HELO, no extension, no TLS by STARTTLS: for hosts that stumble over ESMTP

  // `1.2.3.4:25 (mx1.example.com)`; IPv6 without brackets
  std::string text() const;
};

struct Timeouts {
  Duration connect = std::chrono::seconds(30);
  Duration command = std::chrono::seconds(300);    // greeting, EHLO, MAIL, RCPT
  Duration data = std::chrono::seconds(120);       // reply to DATA
  Duration write = std::chrono::seconds(180);      // without progress
  Duration final_dot = std::chrono::seconds(600);  // RFC 5321 4.5.3.2.6: cutting this short is how duplicates are born
};

struct Reply {
  int code = 0;      // 0: not a reply
  std::string text;  // all lines with their codes, joined by LF, as Postal stores it
  bool positive() const { return code / 100 == 2; }
  bool temporary() const { return code / 100 == 4; }
  bool permanent() const { return code / 100 == 5; }
};

enum class Stage { Connect, Mail, Rcpt, Data, Content };

struct Outcome {
  enum class Kind {
    Accepted,   // 2xx to the final dot
    Refused,    // the remote host replied otherwise: `reply`, at `stage`
    Broken,     // connection lost, time-out or nonsense before the content was complete; nothing was taken
    Uncertain,  // the same after the final dot had been sent: it may have been taken
    Unfit,      // this host cannot take it: size, SMTPUTF8; `error` says why (nothing was sent)
  };
  Kind kind = Kind::Broken;
  Stage stage = Stage::Connect;
  Reply reply;
  // `end of file reached`, the system's words, `Net::ReadTimeout`, `protocol error: ...`. Broken with a reply: a 421
  // that may have been said to the connection's idleness before this transaction.
  std::string error;
};

struct Envelope {
  std::string mail_from;  // empty: <>
  std::string rcpt_to;
  bool smtputf8 = false;  // needs the capability
};

class Connection {
 public:
  // Connects, greets, starts TLS, authenticates. The error's text is what goes into the delivery's output: the reply as
  // received (`554 go away`), or the system's words (`Connection refused`).
  static io::Task<Result<std::unique_ptr<Connection>>> open(Target target, Timeouts timeouts);
  virtual ~Connection() = default;

  // One transaction. `pieces` together are the message: header and body lines with CRLF, LF or CR line ends; they are
  // sent with CRLF, dots stuffed, a missing last line end added. `before_dot` is called before the write that brings
  // the final dot (with the last stretch of content, to save a packet); only behind it an outcome can be Uncertain. The
  // bytes must stay until the end. After Refused the connection may go on (see usable()).
  virtual io::Task<Outcome> send(Envelope envelope, std::vector<std::string_view> pieces,
                                 std::function<void()> before_dot) = 0;

  virtual bool usable() const = 0;  // another transaction may follow
  virtual int transactions() const = 0;
  virtual bool tls() const = 0;
  virtual bool tls_failed() const { return false; }  // in clear because TLS was offered and failed (Auto)
  virtual const Target& target() const = 0;
  // Says QUIT, waits at most two seconds, closes.
  virtual io::Task<> quit() = 0;
};

}  // namespace posthaste::smtp::client
