#include "smtp/client/authentication.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <stdexcept>

#include "base/strings.h"

namespace posthaste::smtp::client {

namespace {

using Reply = Result<proto::ReceivedReply>;

std::string hmac_md5(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned size = 0;
  if (!HMAC(EVP_md5(), key.data(), int(key.size()), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
            hash.data(), &size)) {
    throw std::runtime_error("OpenSSL cannot compute HMAC-MD5");
  }
  return std::string(reinterpret_cast<char*>(hash.data()), size);
}

io::Task<Reply> login(Channel& channel, std::string username, std::string password, Duration timeout) {
  auto reply = co_await channel.command("AUTH LOGIN", timeout);
  if (!reply || !reply->intermediate()) co_return reply;
  const std::string name = base64_encode(username);
  reply = co_await channel.command(name, timeout);
  if (!reply || !reply->intermediate()) co_return reply;
  const std::string secret = base64_encode(password);
  co_return co_await channel.command(secret, timeout);
}

io::Task<Reply> cram_md5(Channel& channel, std::string username, std::string password, Duration timeout) {
  auto reply = co_await channel.command("AUTH CRAM-MD5", timeout);
  if (!reply || !reply->intermediate()) co_return reply;
  const std::string response = cram_md5_response(reply->lines.back(), username, password);
  co_return co_await channel.command(response, timeout);
}

io::Task<Reply> plain(Channel& channel, std::string username, std::string password, Duration timeout) {
  const std::string secret = std::string(1, '\0') + username + std::string(1, '\0') + password;
  const std::string line = "AUTH PLAIN " + base64_encode(secret);
  co_return co_await channel.command(line, timeout);
}

}  // namespace

std::optional<Mechanism> choose_mechanism(const Capabilities& capabilities, bool tls) {
  if (tls && capabilities.offers_auth("PLAIN")) return Mechanism::Plain;
  if (tls && capabilities.offers_auth("LOGIN")) return Mechanism::Login;
  if (capabilities.offers_auth("CRAM-MD5")) return Mechanism::CramMd5;
  return std::nullopt;
}

std::string cram_md5_response(std::string_view challenge, std::string_view username, std::string_view password) {
  const std::string digest = hex_encode(hmac_md5(password, base64_decode_lenient(challenge)));
  return base64_encode(std::string(username) + " " + digest);
}

io::Task<Result<>> authenticate(Channel& channel, const Capabilities& capabilities, std::string username,
                                std::string password, Duration timeout) {
  const auto mechanism = choose_mechanism(capabilities, channel.tls());
  if (!mechanism && capabilities.auth.empty()) {
    co_return fail(ErrorKind::Unavailable, "AUTH is not supported on this server");
  }
  if (!mechanism)
    co_return fail(ErrorKind::Denied, "No way to authenticate on this server without showing the password");

  Reply reply;
  if (*mechanism == Mechanism::Plain) {
    reply = co_await plain(channel, std::move(username), std::move(password), timeout);
  } else if (*mechanism == Mechanism::Login) {
    reply = co_await login(channel, std::move(username), std::move(password), timeout);
  } else {
    reply = co_await cram_md5(channel, std::move(username), std::move(password), timeout);
  }
  if (!reply) co_return std::unexpected(std::move(reply.error()));
  if (!reply->positive()) co_return fail(ErrorKind::Unavailable, reply->text);
  co_return Result<>();
}

}  // namespace posthaste::smtp::client
