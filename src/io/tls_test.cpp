#include "io/tls.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <filesystem>

#include "io/stream.h"
#include "io/testing.h"

namespace posthaste::io {
namespace {

// A certificate for `localhost`, signed by itself, in files that go away with it.
class SelfSigned {
 public:
  explicit SelfSigned(long seconds_valid = 3600)
      : folder_(std::filesystem::temp_directory_path() / fmt::format("tls-test-{}-{}", ::getpid(), ++count_)) {
    std::filesystem::create_directories(folder_);
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -7200);
    X509_gmtime_adj(X509_getm_notAfter(certificate), seconds_valid);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1, -1,
                               0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION* alternative = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost");
    X509_add_ext(certificate, alternative, -1);
    X509_EXTENSION_free(alternative);
    X509_sign(certificate, key, EVP_sha256());
    write(certificate_path(), [&](FILE* file) { PEM_write_X509(file, certificate); });
    write(key_path(), [&](FILE* file) { PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr); });
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  ~SelfSigned() { std::filesystem::remove_all(folder_); }

  std::string certificate_path() const { return (folder_ / "cert.pem").string(); }
  std::string key_path() const { return (folder_ / "key.pem").string(); }

  TlsContext::ServerOptions options() const {
    TlsContext::ServerOptions options;
    options.certificate_path = certificate_path();
    options.key_path = key_path();
    options.min_version = "TLSv1.2";
    return options;
  }
  std::shared_ptr<const TlsContext> context() const {
    auto made = TlsContext::server(options());
    if (!made) throw std::runtime_error(made.error().text + ": " + made.error().cause);
    return *made;
  }

 private:
  template <class Write>
  static void write(const std::string& path, Write write) {
    FILE* file = std::fopen(path.c_str(), "w");
    write(file);
    std::fclose(file);
  }

  static inline int count_ = 0;
  std::filesystem::path folder_;
};

Task<> echo_over_tls(Stream stream, std::shared_ptr<const TlsContext> context) {
  auto info = co_await stream.start_tls_server(context, 5s);
  if (!info) co_return;
  std::vector<char> buffer(64 * 1024);
  while (true) {
    const std::span<char> into(buffer);
    auto got = co_await stream.read_some(into, 5s);
    if (!got) co_return;
    const std::string_view bytes(buffer.data(), *got);
    auto put = co_await stream.write(bytes, 5s);
    if (!put) co_return;
  }
}

std::unique_ptr<Listener> listen_tls(Loop& loop, std::shared_ptr<const TlsContext> context) {
  auto serve = [context](Stream stream) { return echo_over_tls(std::move(stream), context); };
  return std::move(*Listener::open(loop, "127.0.0.1", 0, false, serve));
}

Task<Stream> connect(const Listener& listener) {
  const Endpoint to{*IpAddress::parse("127.0.0.1"), listener.port()};
  auto stream = co_await Stream::connect(to, std::nullopt, 5s);
  if (!stream) throw std::runtime_error(stream.error().text);
  co_return std::move(*stream);
}

Task<std::string> read_exactly(Stream& stream, std::size_t count) {
  std::string text(count, '\0');
  std::size_t have = 0;
  while (have < count) {
    const std::span<char> rest(text.data() + have, count - have);
    auto got = co_await stream.read_some(rest, 5s);
    if (!got) throw std::runtime_error("read failed: " + got.error().text);
    have += *got;
  }
  co_return text;
}

Task<> write_pieces(Stream& stream, const std::vector<std::string_view>& pieces) {
  auto written = co_await stream.write_all(pieces, 5s);
  EXPECT_TRUE(written.has_value());
}

TEST(TlsStream, EchoesSmallAndLargeWrites) {
  const SelfSigned certificate;
  run_task([&](Loop& loop) -> Task<> {
    auto listener = listen_tls(loop, certificate.context());
    Stream stream = co_await connect(*listener);
    auto info = co_await stream.start_tls_client(TlsContext::client(false), "localhost", 5s);
    EXPECT_TRUE(info.has_value());
    EXPECT_EQ(info->version, "TLSv1.3");
    EXPECT_FALSE(info->cipher.empty());
    EXPECT_FALSE(info->verified);
    EXPECT_TRUE(stream.tls());

    std::vector<std::string> texts;
    std::string expected;
    for (int i = 0; i < 600; ++i) texts.push_back(std::string(i % 5 == 0 ? 9000 : i % 300, 'a' + i % 26));
    for (const auto& text : texts) expected += text;
    const std::vector<std::string_view> pieces(texts.begin(), texts.end());
    loop.spawn(write_pieces(stream, pieces), "writer");
    EXPECT_EQ(co_await read_exactly(stream, expected.size()), expected);
  });
}

TEST(TlsStream, ReportsTheEndOfThePeer) {
  const SelfSigned certificate;
  run_task([&](Loop& loop) -> Task<> {
    auto context = certificate.context();
    auto serve = [context](Stream stream) -> Task<> { (void)co_await stream.start_tls_server(context, 5s); };
    auto listener = std::move(*Listener::open(loop, "127.0.0.1", 0, false, serve));
    Stream stream = co_await connect(*listener);
    (void)co_await stream.start_tls_client(TlsContext::client(false), "localhost", 5s);
    std::array<char, 8> buffer;
    auto got = co_await stream.read_some(buffer, 5s);
    EXPECT_FALSE(got.has_value());
    EXPECT_EQ(got.error().kind, ErrorKind::Closed);
  });
}

TEST(TlsStream, RefusesAnUnknownCertificateWhenVerifying) {
  const SelfSigned certificate;
  run_task([&](Loop& loop) -> Task<> {
    auto listener = listen_tls(loop, certificate.context());
    Stream stream = co_await connect(*listener);
    auto info = co_await stream.start_tls_client(TlsContext::client(true), "localhost", 5s);
    EXPECT_FALSE(info.has_value());
    EXPECT_EQ(info.error().kind, ErrorKind::Protocol);
    EXPECT_NE(info.error().cause.find("self-signed"), std::string::npos) << info.error().cause;
  });
}

Task<> talk_plainly(Stream stream) { (void)co_await stream.write("220 no TLS here\r\n", 5s); }

TEST(TlsStream, FailsOnAPeerThatTalksPlainly) {
  run_task([](Loop& loop) -> Task<> {
    auto listener = std::move(*Listener::open(loop, "127.0.0.1", 0, false, talk_plainly));
    Stream stream = co_await connect(*listener);
    auto info = co_await stream.start_tls_client(TlsContext::client(false), "localhost", 5s);
    EXPECT_FALSE(info.has_value());
    EXPECT_EQ(info.error().kind, ErrorKind::Protocol);
  });
}

Task<> stay_silent(Stream) { co_await Loop::current()->sleep(10s); }

TEST(TlsStream, HandshakeHasADeadline) {
  run_task([](Loop& loop) -> Task<> {
    auto listener = std::move(*Listener::open(loop, "127.0.0.1", 0, false, stay_silent));
    Stream stream = co_await connect(*listener);
    auto info = co_await stream.start_tls_client(TlsContext::client(false), "localhost", 30ms);
    EXPECT_FALSE(info.has_value());
    EXPECT_EQ(info.error().kind, ErrorKind::Timeout);
  });
}

Task<> read_until_closed(Stream& stream, std::optional<ErrorKind>& outcome) {
  std::array<char, 8> buffer;
  auto got = co_await stream.read_some(buffer, 10s);
  if (!got) outcome = got.error().kind;
}

TEST(TlsStream, CloseEndsAPendingRead) {
  const SelfSigned certificate;
  run_task([&](Loop& loop) -> Task<> {
    auto listener = listen_tls(loop, certificate.context());
    Stream stream = co_await connect(*listener);
    (void)co_await stream.start_tls_client(TlsContext::client(false), "localhost", 5s);
    std::optional<ErrorKind> outcome;
    loop.spawn(read_until_closed(stream, outcome), "reader");
    co_await loop.sleep(5ms);
    stream.close();
    co_await loop.sleep(5ms);
    EXPECT_EQ(outcome, ErrorKind::Closed);
  });
}

TEST(TlsStream, NegotiatesNoMoreThanAsked) {
  const SelfSigned certificate;
  auto options = certificate.options();
  options.ssl_version = "TLSv1_2";
  run_task([&](Loop& loop) -> Task<> {
    auto listener = listen_tls(loop, *TlsContext::server(options));
    Stream stream = co_await connect(*listener);
    auto info = co_await stream.start_tls_client(TlsContext::client(false), "localhost", 5s);
    EXPECT_TRUE(info.has_value());
    EXPECT_EQ(info->version, "TLSv1.2");
  });
}

TEST(TlsContext, SaysWhatIsWrongWithWhichFile) {
  const SelfSigned good, other, expired(-60);
  const auto error_of = [](const TlsContext::ServerOptions& options) {
    const auto made = TlsContext::server(options);
    if (made) return std::string("nothing is wrong");
    EXPECT_EQ(made.error().kind, ErrorKind::Invalid);
    return made.error().text;
  };
  auto options = good.options();
  options.certificate_path = "/does/not/exist.pem";
  EXPECT_EQ(error_of(options), "the certificate /does/not/exist.pem cannot be read: No such file or directory");

  options = good.options();
  options.key_path = "/does/not/exist.pem";
  EXPECT_EQ(error_of(options), "the private key /does/not/exist.pem cannot be read: No such file or directory");

  options = good.options();
  options.certificate_path = good.key_path();
  EXPECT_EQ(error_of(options), "the file " + good.key_path() + " holds no certificate in PEM form");

  options = good.options();
  options.key_path = good.certificate_path();
  EXPECT_EQ(error_of(options),
            "the file " + good.certificate_path() + " holds no private key in PEM form without a pass phrase");

  options = good.options();
  options.key_path = other.key_path();
  EXPECT_EQ(error_of(options),
            "the private key " + other.key_path() + " does not belong to the certificate " + good.certificate_path());

  EXPECT_TRUE(
      error_of(expired.options()).starts_with("the certificate " + expired.certificate_path() + " has expired on 20"))
      << error_of(expired.options());
}

TEST(TlsContext, LeavesOutACipherListThatOpensslRefuses) {
  const SelfSigned certificate;
  auto options = certificate.options();
  options.ciphers = "TLSv1_1";
  EXPECT_TRUE(TlsContext::server(options).has_value());
}

}  // namespace
}  // namespace posthaste::io
