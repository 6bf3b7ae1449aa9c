// test-app-smtp: a test message the way that Posthaste's own mails go, through the `smtp` group of the configuration.
#include "app/command.h"
#include "base/json.h"
#include "base/random.h"
#include "base/strings.h"
#include "smtp/client/connection.h"

namespace posthaste::app {

namespace {

using smtp::client::Connection;
using smtp::client::TlsMode;

constexpr auto kTimeout = 10s;

TlsMode tls_mode_of(const config::Config& config) {
  if (config.smtp.enable_starttls) return TlsMode::StartTls;
  return config.smtp.enable_starttls_auto ? TlsMode::Auto : TlsMode::None;
}

std::string message_text(const config::Config& config, const std::string& to) {
  return fmt::format(
      "Date: {}\r\nFrom: {} <{}>\r\nTo: {}\r\nMessage-ID: <{}@{}>\r\nSubject: Postal Test Message\r\n"
      "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
      "This is a test message of your Posthaste installation's own mail settings.\r\n",
      to_rfc5322(system_now()), config.smtp.from_name, config.smtp.from_address, to, random_uuid(),
      config.dns.return_path_domain);
}

io::Task<Result<std::vector<IpAddress>>> addresses_of(io::Resolver& resolver, std::string host) {
  std::vector<IpAddress> found;
  if (const auto literal = IpAddress::parse(host)) {
    found.push_back(*literal);
    co_return found;
  }
  const auto v4 = co_await resolver.a(host);
  found.insert(found.end(), v4.records.begin(), v4.records.end());
  const auto v6 = co_await resolver.aaaa(host);
  found.insert(found.end(), v6.records.begin(), v6.records.end());
  if (found.empty()) co_return fail(ErrorKind::Unavailable, fmt::format("{} has no address.", host));
  co_return found;
}

// The reply to the message, or what went wrong on the way.
io::Task<Result<std::string>> deliver(io::Resolver& resolver, const config::Config& config, std::string to) {
  const auto addresses = co_await addresses_of(resolver, config.smtp.host);
  if (!addresses) co_return std::unexpected(addresses.error());
  smtp::client::Target target;
  target.host = config.smtp.host;
  target.endpoint = {addresses->front(), std::uint16_t(config.smtp.port)};
  target.helo = config.postal.smtp_hostname;
  target.tls = tls_mode_of(config);
  target.username = config.smtp.username;
  target.password = config.smtp.password;
  smtp::client::Timeouts timeouts;
  timeouts.connect = timeouts.command = timeouts.data = timeouts.write = timeouts.final_dot = kTimeout;
  auto connection = co_await Connection::open(target, timeouts);
  if (!connection) co_return std::unexpected(connection.error());

  const std::string text = message_text(config, to);
  smtp::client::Envelope envelope{config.smtp.from_address, to, false};
  std::vector<std::string_view> pieces{text};
  std::function<void()> before_dot = [] {};
  const auto outcome = co_await (*connection)->send(std::move(envelope), std::move(pieces), std::move(before_dot));
  co_await (*connection)->quit();
  if (outcome.kind == smtp::client::Outcome::Kind::Accepted) co_return outcome.reply.text;
  co_return fail(ErrorKind::Unavailable, outcome.reply.text.empty() ? outcome.error : outcome.reply.text);
}

int test(Call& call, const std::string& address) {
  if (address.find('@') == std::string::npos) return call.fail(kUsage, "Give an e-mail address to send to.");
  const auto& config = *call.config;
  const auto sent = call.installation->wait(deliver(call.installation->resolver, config, address));
  const std::string where =
      fmt::format("{}:{}{}", config.smtp.host, config.smtp.port,
                  config.smtp.username.empty() ? "" : fmt::format(" as {}", config.smtp.username));
  if (!sent) return call.fail(kUnreachable, fmt::format("Could not send through {}: {}", where, sent.error().text));
  call.line(call.json ? fmt::format(R"({{"reply":{}}})", json_quote(*sent))
                      : fmt::format("Sent to {} through {}: {}", address, where, *sent));
  return kDone;
}

}  // namespace

void add_test_app_smtp(CommandLine& line) {
  const auto address = std::make_shared<std::string>();
  auto* app = line.root().add_subcommand(
      "test-app-smtp", "Send a test message through the `smtp` settings, as Posthaste's own mails go");
  app->add_option("ADDRESS", *address, "Recipient")->required();
  line.add(app, Needs::Installation, [address](Call& call) { return test(call, *address); });
}

}  // namespace posthaste::app
