#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>

#include "io/testing.h"
#include "smtp/client/connection.h"
#include "smtp/client/testing.h"

namespace posthaste::smtp::client {
namespace {

using io::Loop;
using io::run_task;
using io::Task;
using testing::ElementsAre;
using Kind = Outcome::Kind;
using Opened = Result<std::unique_ptr<Connection>>;

// A certificate for mx.test and one for elsewhere.test, both known to the system's store of this process.
class Certificates {
 public:
  Certificates() {
    folder_ = (std::filesystem::temp_directory_path() / "smtp-client-tls-XXXXXX").string();
    if (!::mkdtemp(folder_.data())) throw std::runtime_error("no temporary folder");
    make("mx.test");
    make("elsewhere.test");
    run(fmt::format("cat {0}/mx.test.pem {0}/elsewhere.test.pem > {0}/known.pem", folder_));
    ::setenv("SSL_CERT_FILE", (folder_ + "/known.pem").c_str(), 1);
    make("unknown.test");
  }
  ~Certificates() { std::filesystem::remove_all(folder_); }

  std::shared_ptr<const io::TlsContext> server(const std::string& name) const {
    io::TlsContext::ServerOptions options;
    options.certificate_path = fmt::format("{}/{}.pem", folder_, name);
    options.key_path = fmt::format("{}/{}.key", folder_, name);
    auto context = io::TlsContext::server(options);
    if (!context) throw std::runtime_error(context.error().text + " " + context.error().cause);
    return *context;
  }

 private:
  static void run(const std::string& command) {
    if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
  }
  void make(const std::string& name) {
    run(
        fmt::format("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN={1} "
                    "-addext subjectAltName=DNS:{1} -keyout {0}/{1}.key -out {0}/{1}.pem 2>/dev/null",
                    folder_, name));
  }
  std::string folder_;
};
const Certificates kCertificates;

Task<Outcome> send(Connection& connection) {
  Envelope envelope{"abc@rp.test", "john@x.test"};
  std::vector<std::string_view> pieces{"A: 1\r\n\r\nHi\r\n"};
  std::function<void()> none;
  auto outcome = co_await connection.send(std::move(envelope), std::move(pieces), std::move(none));
  co_return outcome;
}

Task<Opened> open(Target target) {
  Timeouts timeouts;
  auto opened = co_await Connection::open(std::move(target), timeouts);
  co_return std::move(opened);
}

std::string verbs(const Sink& sink) {
  std::string out;
  for (const auto& command : sink.commands) out += command.substr(0, 4) + " ";
  return out;
}

TEST(AutoTls, EncryptsWhateverTheCertificate) {
  run_task([](Loop& loop) -> Task<> {
    Sink sink(loop);
    sink.tls = kCertificates.server("unknown.test");
    auto opened = co_await open(sink.target(TlsMode::Auto));
    EXPECT_TRUE(opened.has_value());
    if (!opened) co_return;
    EXPECT_TRUE((*opened)->tls());
    auto outcome = co_await send(**opened);
    EXPECT_EQ(outcome.kind, Kind::Accepted);
    EXPECT_EQ(verbs(sink), "EHLO STAR EHLO MAIL RCPT DATA ");
    EXPECT_TRUE(sink.over_tls[0]);
  });
}

TEST(AutoTls, FailedHandshakeIsFollowedByClearText) {
  run_task([](Loop& loop) -> Task<> {
    Sink sink(loop);
    sink.tls = kCertificates.server("mx.test");
    sink.break_tls = true;
    auto opened = co_await open(sink.target(TlsMode::Auto));
    EXPECT_TRUE(opened.has_value());
    if (!opened) co_return;
    auto outcome = co_await send(**opened);
    EXPECT_EQ(outcome.kind, Kind::Accepted);
    EXPECT_FALSE((*opened)->tls());
    EXPECT_TRUE((*opened)->tls_failed());
    EXPECT_EQ(sink.connections, 2);
    EXPECT_EQ(verbs(sink), "EHLO STAR EHLO MAIL RCPT DATA ");
  });
}

TEST(AutoTls, RefusedStarttlsIsFollowedByClearText) {
  run_task([](Loop& loop) -> Task<> {
    Sink sink(loop);
    sink.tls = kCertificates.server("mx.test");
    sink.answer("STARTTLS", "454 4.7.0 TLS not available");
    auto opened = co_await open(sink.target(TlsMode::Auto));
    EXPECT_TRUE(opened.has_value());
    if (opened) {
      EXPECT_FALSE((*opened)->tls());
    }
    EXPECT_EQ(sink.connections, 2);
  });
}

TEST(AutoTls, IsClearTextWhereNothingIsOffered) {
  run_task([](Loop& loop) -> Task<> {
    Sink sink(loop);
    auto opened = co_await open(sink.target(TlsMode::Auto));
    EXPECT_TRUE(opened.has_value());
    if (opened) {
      EXPECT_FALSE((*opened)->tls() || (*opened)->tls_failed());
    }
    EXPECT_THAT(sink.commands, ElementsAre("EHLO out.test"));
  });
}

TEST(AutoTls, WordsBehindTheReplyToStarttlsAreNotTaken) {
  run_task([](Loop& loop) -> Task<> {
    Sink sink(loop);
    sink.tls = kCertificates.server("mx.test");
    sink.answer("STARTTLS", "220 go\r\n250 injected");
    auto opened = co_await open(sink.target(TlsMode::Auto));
    EXPECT_FALSE(opened.has_value());
    if (!opened) {
      EXPECT_TRUE(opened.error().text.starts_with("protocol error")) << opened.error().text;
    }
    EXPECT_EQ(sink.connections, 1);
  });
}

TEST(NoTls, DoesNotAskForIt) {
  run_task([](Loop& loop) -> Task<> {
    Sink sink(loop);
    sink.tls = kCertificates.server("mx.test");
    auto opened = co_await open(sink.target(TlsMode::None));
    EXPECT_TRUE(opened.has_value());
    EXPECT_EQ(verbs(sink), "EHLO ");
  });
}

struct Mandatory {
  TlsMode mode;
  std::string certificate;
  bool opens;
};

TEST(MandatoryTls, TakesOnlyTheRightCertificate) {
  run_task([](Loop& loop) -> Task<> {
    const std::vector<Mandatory> rows{
        {TlsMode::StartTls, "mx.test", true},       {TlsMode::StartTls, "elsewhere.test", false},
        {TlsMode::StartTls, "unknown.test", false}, {TlsMode::Tls, "mx.test", true},
        {TlsMode::Tls, "elsewhere.test", false},    {TlsMode::Tls, "unknown.test", false},
    };
    for (const auto& row : rows) {
      Sink sink(loop);
      sink.tls = kCertificates.server(row.certificate);
      sink.implicit_tls = row.mode == TlsMode::Tls;
      auto opened = co_await open(sink.target(row.mode));
      EXPECT_EQ(opened.has_value(), row.opens) << row.certificate << (opened ? "" : opened.error().text);
      EXPECT_EQ(sink.connections, 1);
      if (!opened) continue;
      auto outcome = co_await send(**opened);
      EXPECT_EQ(outcome.kind, Kind::Accepted);
      EXPECT_TRUE(sink.over_tls[0]);
      co_await (*opened)->quit();
    }
  });
}

TEST(MandatoryTls, NeedsTheOffer) {
  run_task([](Loop& loop) -> Task<> {
    Sink sink(loop);
    auto opened = co_await open(sink.target(TlsMode::StartTls));
    EXPECT_FALSE(opened.has_value());
    if (!opened) {
      EXPECT_EQ(opened.error().text, "STARTTLS is not supported on this server");
    }
  });
}

Target with_password(Target target) {
  target.username = "user";
  target.password = "secret";
  return target;
}

TEST(Auth, HappensBehindTls) {
  run_task([](Loop& loop) -> Task<> {
    Sink sink(loop);
    sink.tls = kCertificates.server("mx.test");
    sink.extensions = {"AUTH PLAIN LOGIN"};
    sink.answer("AUTH", "235 2.7.0 welcome");
    Target target = with_password(sink.target(TlsMode::StartTls));
    auto opened = co_await open(std::move(target));
    EXPECT_TRUE(opened.has_value());
    EXPECT_EQ(sink.commands.back(), "AUTH PLAIN AHVzZXIAc2VjcmV0");
  });
}

TEST(Auth, LoginIsADialogue) {
  run_task([](Loop& loop) -> Task<> {
    Sink sink(loop);
    sink.tls = kCertificates.server("mx.test");
    sink.extensions = {"AUTH LOGIN"};
    sink.answer("AUTH", "334 VXNlcm5hbWU6");
    Target target = with_password(sink.target(TlsMode::StartTls));
    sink.answer(to_upper(base64_encode("user")), "334 UGFzc3dvcmQ6");
    sink.answer(to_upper(base64_encode("secret")), "535 5.7.8 no");
    auto opened = co_await open(std::move(target));
    EXPECT_FALSE(opened.has_value());
    if (!opened) {
      EXPECT_EQ(opened.error().text, "535 5.7.8 no");
    }
    EXPECT_EQ(sink.commands.back(), base64_encode("secret"));
  });
}

TEST(Auth, PasswordIsNotShownInClear) {
  run_task([](Loop& loop) -> Task<> {
    Sink sink(loop);
    sink.extensions = {"AUTH PLAIN LOGIN"};
    Target target = with_password(sink.target());
    auto opened = co_await open(std::move(target));
    EXPECT_FALSE(opened.has_value());
    EXPECT_THAT(sink.commands, ElementsAre("EHLO out.test"));
  });
}

}  // namespace
}  // namespace posthaste::smtp::client
