// Answers an SMTP session's questions from the directory, and makes rows of its messages.
#pragma once

#include "intake/intake.h"
#include "smtp/server/handler.h"

namespace posthaste::intake {

class SmtpHandler : public smtp::server::Handler {
 public:
  explicit SmtpHandler(Intake& intake, Clock clock = system_now)
      : intake_(intake), store_(intake.store()), config_(intake.config()), clock_(std::move(clock)) {}

  std::optional<smtp::server::Login> login(std::string_view key) override;
  std::expected<smtp::server::Login, std::string> login(std::string_view user,
                                                        const std::function<bool(std::string_view key)>& fits) override;
  std::expected<smtp::server::RecipientAnswer, smtp::server::Refusal> recipient(
      const smtp::server::RecipientQuestion& question) override;
  bool hides_client(const smtp::server::Login& login) override;
  std::expected<std::int64_t, smtp::server::Refusal> sender(const smtp::server::Login& login,
                                                            const std::vector<mail::HeaderField>& fields) override;
  io::Task<std::expected<std::string, smtp::server::Refusal>> store(smtp::server::Transaction transaction) override;

 private:
  Intake& intake_;
  store::Store& store_;
  const config::Config& config_;
  Clock clock_;
};

}  // namespace posthaste::intake
