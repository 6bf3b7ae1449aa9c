// One SMTP session as a state machine (smtp-server.md 3 to 17): bytes and events go in, replies and wishes come out.
//
// No socket, no clock, no randomness: whoever drives it brings bytes with receive() until want() is something else than
// Input, does what is wanted, and says so. What has been written to output() is sent before anything that waits.
//
//   receive() -> commands, each answered before the next is read; message text
//   want()    -> ClientName: client_named()   Store: take_transaction(), stored()   StartTls: tls_started()
//                Pause: resumed()             Close: send the output, close
//
// Files: session.cpp lines and commands, session_auth.cpp, session_envelope.cpp MAIL and RCPT, session_text.cpp DATA
// and BDAT, session_replies.cpp replies and ends, session_log.cpp what is told about it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/network.h"
#include "base/time.h"
#include "io/tls.h"
#include "smtp/proto/command.h"
#include "smtp/proto/text_decoder.h"
#include "smtp/server/handler.h"
#include "smtp/server/limits.h"
#include "smtp/server/settings.h"

namespace posthaste::smtp::server {

struct Surroundings {
  Clock clock = system_now;
  std::function<std::string(std::size_t digits)> random_hex;
};

class Session {
 public:
  Session(const Settings& settings, Handler& handler, Limits& limits, Surroundings around, std::string trace_id);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  enum class Want {
    Input,
    ClientName,  // the PTR name, for the Received field
    Store,
    StartTls,
    Pause,  // of pause(): throttling
    Close,
  };

  // A connection from this peer. Greets, or waits for the PROXY header. `tls_ready`: STARTTLS can be had.
  void open(const IpAddress& peer, bool tls_ready);

  // Takes bytes up to the first thing that needs waiting for; returns how many were used.
  std::size_t receive(std::string_view input);

  Want want() const { return want_; }
  std::string& output() { return out_; }
  Duration pause() const { return pause_; }

  void client_named(std::string_view name);  // empty: there is none
  Transaction take_transaction();
  void stored(const std::expected<std::string, Refusal>& outcome);
  void tls_started(const io::TlsInfo& info);
  void resumed();

  // Ends the session with 421 where a reply still makes sense.
  void timed_out();
  void failed();     // an exception: internal error
  void shut_down();  // now, or after the message that is just coming in
  void cut();        // now, also in the middle of a message, but not while it is being stored
  // Right after open(): 421 and nothing else.
  void refuse_connection(std::string_view text);
  // The connection ended; `why` for the log. Called once, at the end.
  void closed(std::string_view why);
  // Bytes came in clear behind STARTTLS: nothing of them may ever be looked at.
  void injected();

  // What the driver's timers depend on.
  enum class Phase { Proxy, Greeting, Command, Text };
  Phase phase() const;
  std::uint64_t progress() const { return progress_; }  // changes with each complete line or chunk
  bool authenticated() const { return login_.has_value(); }
  Time text_began() const { return text_began_; }
  const IpAddress& client() const { return client_; }
  const std::string& trace_id() const { return trace_id_; }
  bool client_known() const { return state_ != State::Proxy; }

 private:
  enum class State { Proxy, Handshake, Welcome, Welcomed, Mail, Rcpt };
  enum class Auth { None, Plain, LoginUser, LoginPassword, Cram };
  enum class Text { None, Data, Chunk };

  // --- session.cpp
  void identify(const IpAddress& client);
  void greet();
  std::size_t take_proxy_header(std::string_view input);
  std::size_t take_line(std::string_view input);
  std::size_t skip_line(std::string_view input);
  void on_line(std::string_view line, bool crlf);
  bool foreign_protocol(std::string_view line);
  void on_command(std::string_view line, bool crlf);
  void on_greeting(const proto::Command& command, bool extended);
  void on_starttls(std::string_view argument);
  void on_rset();
  void count_junk();
  void reset_transaction();
  std::string capabilities() const;

  // --- session_auth.cpp
  void on_auth(std::string_view argument);
  void on_auth_line(std::string_view line);
  void auth_plain(std::string_view response);
  void auth_password(std::string_view response);
  void auth_cram(std::string_view response);
  void try_key(std::string_view key);
  void grant(Login login);
  void auth_failed(int code, std::string_view enhanced, std::string_view text, std::string_view error,
                   std::string_view reason);
  bool auth_refused();
  bool auth_open() const;  // AUTH may be tried here and now
  std::string mechanisms() const;

  // --- session_envelope.cpp
  void on_mail(std::string_view argument);
  bool take_mail_parameters(const proto::Path& path);
  void on_rcpt(std::string_view argument);
  void ask_for(const std::string& address, std::string_view domain);
  void add(RecipientAnswer answer);
  void refused_recipient(const std::string& address, const Refusal& refusal);
  bool needs_smtputf8(std::string_view address);

  // --- session_text.cpp
  void on_data(std::string_view argument, bool crlf);
  void on_bdat(std::string_view argument);
  void begin_text();
  bool out_of_memory() const;
  std::size_t take_text(std::string_view input);
  std::size_t take_chunk(std::string_view input);
  void end_chunk();
  void end_text();
  std::optional<Refusal> check_text();
  std::optional<Refusal> check_newlines() const;
  void refuse_text(const Refusal& refusal);
  void finish_transaction(std::string_view reply);
  std::size_t text_limit() const { return settings_.max_message_size() + received_size_; }
  Refusal too_large() const;

  // --- session_replies.cpp
  void reply(int code, std::string_view enhanced, std::string_view text);
  // A reply that is an error of the client's: counted, and slowed down when there are many.
  void error(int code, std::string_view enhanced, std::string_view text, std::string_view label);
  void refuse(const Refusal& refusal);
  std::string worded(const Refusal& refusal) const;
  void goodbye(std::string_view enhanced, std::string_view text);  // 421 with the host's name, and close
  void close(std::string_view why);
  void slow_down(Duration duration);

  // --- session_log.cpp
  log::Fields about() const;
  void log_input(std::string_view line, bool secret) const;
  void log_output(std::string_view lines) const;
  void warn(const std::string& message) const;
  void log_unauthenticated(const std::string& rcpt) const;
  void log_transaction(std::string_view reply) const;

  const Settings& settings_;
  Handler& handler_;
  Limits& limits_;
  Surroundings around_;
  std::string trace_id_;

  State state_ = State::Welcome;
  Want want_ = Want::Input, after_pause_ = Want::Input;
  Duration pause_{};
  std::string out_, line_;
  bool skipping_ = false;  // the rest of a line that is too long
  bool first_line_ = true;
  std::uint64_t progress_ = 0;

  IpAddress peer_, client_;
  bool exempt_ = false, logged_ = true, stopping_ = false;
  std::optional<std::string> client_name_;
  std::string helo_;
  bool extended_ = false;  // EHLO
  bool tls_ready_ = false;
  std::optional<io::TlsInfo> tls_;
  bool offloaded_tls_ = false;

  Auth auth_ = Auth::None;
  std::string challenge_;
  std::optional<Login> login_;

  // The transaction.
  std::string mail_from_;
  bool smtputf8_ = false;
  std::uint64_t announced_size_ = 0;
  std::vector<Recipient> recipients_;
  std::optional<std::int64_t> domain_id_;
  std::string text_;
  std::size_t received_size_ = 0;
  std::optional<proto::TextDecoder> decoder_;
  Text text_mode_ = Text::None;
  Time text_began_{};
  std::uint64_t stored_size_ = 0;

  // BDAT.
  std::uint64_t chunk_size_ = 0, chunk_left_ = 0;
  bool chunk_last_ = false, chunks_ = false;
  std::optional<Refusal> chunk_refusal_;

  // Counts.
  Memory memory_;
  Place place_;
  Time opened_{};
  std::size_t transactions_ = 0, messages_ = 0, errors_ = 0, auth_failures_ = 0, junk_ = 0, refused_recipients_ = 0;
  std::uint64_t bare_lf_lines_ = 0, bytes_in_ = 0;
  std::string close_reason_;
};

}  // namespace posthaste::smtp::server
