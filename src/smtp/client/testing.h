// For tests: a remote mail server on loopback whose answers a test can write, and what it was told.
//
//   Sink sink(loop);
//   sink.answer("RCPT", "550 5.1.1 no such user");   // the next reply to RCPT; "" closes the connection instead
//
// Names of answers: CONNECT, the verbs, DATA (to the command) and DOT (to the final dot).
#pragma once

#include <deque>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/strings.h"
#include "io/loop.h"
#include "io/stream.h"
#include "smtp/client/connection.h"

namespace posthaste::smtp::client {

class Sink {
 public:
  explicit Sink(io::Loop& loop) {
    auto opened = io::Listener::open(loop, "127.0.0.1", 0, false,
                                     [this](io::Stream stream) { return serve(std::move(stream), ++connections); });
    if (!opened) throw std::runtime_error(opened.error().text);
    listener_ = std::move(*opened);
  }

  void answer(const std::string& to, std::string reply) { answers_[to].push_back(std::move(reply)); }
  Target target(TlsMode tls = TlsMode::None) const {
    return {.host = "mx.test",
            .endpoint = {*IpAddress::parse("127.0.0.1"), listener_->port()},
            .helo = "out.test",
            .tls = tls};
  }
  void stop_listening() { listener_->close(); }

  std::vector<std::string> extensions;
  std::shared_ptr<const io::TlsContext> tls;  // offers STARTTLS
  bool implicit_tls = false;
  bool break_tls = false;  // answers the handshake with something else
  Duration delay_dot{0};

  std::vector<std::string> commands;  // without line ends
  std::vector<std::string> contents;  // as they came, without the final dot
  std::vector<std::string> arrivals;  // what single reads brought
  std::vector<bool> over_tls;         // of each content
  int connections = 0;

 private:
  struct Session {
    io::Stream stream;
    std::string unread;
    std::size_t read = 0;  // of `unread`
  };

  static bool buffered_line(Session& session, std::string& into) {
    const auto end = session.unread.find('\n', session.read);
    if (end == std::string::npos) return false;
    into = session.unread.substr(session.read, end + 1 - session.read);
    session.read = end + 1;
    return true;
  }

  io::Task<bool> fill(Session& session) {
    session.unread.erase(0, std::exchange(session.read, 0));
    std::array<char, 65536> buffer;
    const std::span<char> room(buffer);
    auto got = co_await session.stream.read_some(room, 10s);
    if (!got) co_return false;
    arrivals.emplace_back(buffer.data(), *got);
    session.unread += arrivals.back();
    co_return true;
  }

  // False when the answer is to close.
  io::Task<bool> say(Session& session, std::string to, std::string otherwise, std::string* said = nullptr) {
    std::string reply = std::move(otherwise);
    auto& written = answers_[to];
    if (!written.empty()) {
      reply = written.front();
      written.pop_front();
    }
    if (said) *said = reply;
    if (reply.empty()) co_return false;
    const std::string bytes = reply + "\r\n";
    auto sent = co_await session.stream.write(bytes, 10s);
    co_return sent.has_value() && !reply.starts_with("421");
  }

  std::string hello(bool secure) const {
    std::vector<std::string> lines{"mx.test"};
    lines.insert(lines.end(), extensions.begin(), extensions.end());
    if (tls && !implicit_tls && !secure) lines.push_back("STARTTLS");
    std::string out;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      out += (i + 1 < lines.size() ? "250-" : "250 ") + lines[i] + (i + 1 < lines.size() ? "\r\n" : "");
    }
    return out;
  }

  io::Task<bool> take_content(Session& session) {
    std::string content, next;
    while (next != ".\r\n") {
      content += next;
      next.clear();
      if (buffered_line(session, next)) continue;
      const bool more = co_await fill(session);
      if (!more) co_return false;
    }
    contents.push_back(std::move(content));
    over_tls.push_back(session.stream.tls());
    if (delay_dot > Duration(0)) co_await io::Loop::current()->sleep(delay_dot);
    co_return co_await say(session, "DOT", "250 2.0.0 ok queued");
  }

  io::Task<bool> secure(Session& session) {
    if (break_tls) {
      std::array<char, 4096> hello;
      const std::span<char> room(hello);
      auto got = co_await session.stream.read_some(room, 10s);
      const std::string nonsense = "this is no TLS\r\n";
      auto sent = co_await session.stream.write(nonsense, 10s);
      co_return got.has_value() && sent.has_value() && false;
    }
    auto info = co_await session.stream.start_tls_server(tls, 10s);
    co_return info.has_value();
  }

  io::Task<bool> step(Session& session, std::string command) {
    commands.push_back(std::string(trim(command)));
    const std::string verb = to_upper(command.substr(0, command.find_first_of(" \r\n")));
    std::string said;
    if (verb == "EHLO") co_return co_await say(session, verb, hello(session.stream.tls()));
    if (verb == "DATA") {
      const bool on = co_await say(session, verb, "354 go ahead", &said);
      if (!on || !said.starts_with("354")) co_return on;
      co_return co_await take_content(session);
    }
    if (verb == "STARTTLS") {
      const bool on = co_await say(session, verb, "220 go ahead", &said);
      if (!on || !said.starts_with("220")) co_return on;
      co_return co_await secure(session);
    }
    if (verb == "QUIT") {
      const bool on = co_await say(session, verb, "221 bye");
      co_return on && false;
    }
    co_return co_await say(session, verb, "250 2.0.0 ok");
  }

  io::Task<> serve(io::Stream stream, int) {
    Session session{std::move(stream), {}, 0};
    if (implicit_tls) {
      const bool secured = co_await secure(session);
      if (!secured) co_return;
    }
    bool on = co_await say(session, "CONNECT", "220 mx.test ESMTP");
    std::string command;
    while (on) {
      if (buffered_line(session, command)) {
        on = co_await step(session, command);
      } else {
        on = co_await fill(session);
      }
    }
    session.stream.close();
  }

  std::unique_ptr<io::Listener> listener_;
  std::map<std::string, std::deque<std::string>> answers_;
};

}  // namespace posthaste::smtp::client
