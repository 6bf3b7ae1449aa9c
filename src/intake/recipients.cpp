#include "intake/recipients.h"

#include <fmt/format.h>

#include <optional>

#include "base/strings.h"

namespace posthaste::intake {

namespace {

using smtp::server::Login;
using smtp::server::Recipient;
using smtp::server::RecipientAnswer;
using smtp::server::RecipientQuestion;
using smtp::server::Refusal;
using Decision = std::expected<RecipientAnswer, Refusal>;
using Kind = Recipient::Kind;

Decision refuse(int code, std::string_view enhanced, std::string text, std::string_view error) {
  return std::unexpected(Refusal{code, enhanced, std::move(text), error, {}});
}

Decision suspended(std::string_view enhanced) {
  return refuse(535, enhanced, "Mail server has been suspended", "server-suspended");
}

Decision rejected(std::string_view error) {
  return refuse(550, "5.7.1", "Route does not accept incoming messages", error);
}

Decision authentication_required() {
  return refuse(530, "5.7.0", "Authentication required", "authentication-required");
}

RecipientAnswer answer(Kind kind, std::string address, store::Id server_id, store::Id route_id = 0) {
  return {Recipient{kind, std::move(address), server_id, route_id}, std::nullopt};
}

// Configured names as the question's domain is: A-labels, lower case, no trailing dot.
std::string normal(std::string_view domain) { return to_lower(to_ascii_domain(domain).value_or(std::string(domain))); }

// `user+tag`: `rest` begins with the plus.
struct LocalPart {
  std::string_view user, rest;
};
LocalPart cut_tag(std::string_view local) {
  const auto plus = local.find('+');
  return {local.substr(0, plus), plus == std::string_view::npos ? std::string_view() : local.substr(plus)};
}

class Table {
 public:
  Table(const store::Directory& directory, const config::Config& config, const RecipientQuestion& question)
      : directory_(directory), config_(config), question_(question), local_(cut_tag(question.local)) {}

  Decision decide() {
    if (is_return_path()) return return_path();
    if (question_.domain == normal(config_.dns.route_domain)) return route_token();
    if (question_.login) return outgoing(question_.login->credential_id);
    if (const auto* route = route_by_address()) return by_route(*route);
    if (const auto* credential = directory_.credential_by_ip(question_.client))
      if (directory_.server(credential->server_id)) return by_network(*credential);
    return nobody();
  }

 private:
  // A
  bool is_return_path() const {
    const std::string installation = normal(config_.dns.return_path_domain);
    if (question_.domain == installation) return true;
    const std::string prefix = to_lower(config_.dns.custom_return_path_prefix) + ".";
    if (!question_.domain.starts_with(prefix)) return false;
    if (config_.smtp_server.accept_any_return_path_domain) return true;
    const auto rest = question_.domain.substr(prefix.size());
    return rest == installation || directory_.hosted_domain(rest);
  }

  Decision return_path() const {
    const auto* server = local_.user.empty() ? nullptr : directory_.server_by_token(local_.user);
    if (!server) return refuse(550, "5.1.1", "Invalid server token", "invalid-server-token");
    if (directory_.suspended(*server)) return suspended("5.2.1");
    return answer(Kind::Bounce, std::string(question_.address), server->id);
  }

  // B
  Decision route_token() const {
    const auto* route = local_.user.empty() ? nullptr : directory_.route_by_token(local_.user);
    const auto* server = route ? directory_.server(route->server_id) : nullptr;
    const auto* domain = route && route->domain_id ? directory_.domain(*route->domain_id) : nullptr;
    if (!server || !domain) return refuse(550, "5.1.1", "Invalid route token", "invalid-route-token");
    if (directory_.suspended(*server)) return suspended("5.2.1");
    if (route->mode == "Reject") return rejected("route-rejected");
    return answer(Kind::Route, fmt::format("{}{}@{}", route->name, local_.rest, domain->name), server->id, route->id);
  }

  // C: the directory is asked each time, so that a suspension or a deleted key counts at once.
  Decision outgoing(store::Id credential_id) const {
    const auto* credential = directory_.credential(credential_id);
    const auto* server = credential ? directory_.server(credential->server_id) : nullptr;
    if (!server) return authentication_required();
    if (directory_.suspended(*server)) return suspended("5.7.1");
    return answer(Kind::Outgoing, std::string(question_.address), server->id);
  }

  // D
  const store::Route* route_by_address() const {
    if (question_.local.empty()) return nullptr;
    const auto* route = directory_.route_for(local_.user, question_.domain);
    return route && directory_.server(route->server_id) ? route : nullptr;
  }

  Decision by_route(const store::Route& route) const {
    if (directory_.suspended(*directory_.server(route.server_id))) return suspended("5.2.1");
    if (route.mode == "Reject") return rejected("route-rejection");
    return answer(Kind::Route, std::string(question_.address), route.server_id, route.id);
  }

  // E
  Decision by_network(const store::Credential& credential) const {
    auto decision = outgoing(credential.id);
    if (decision) decision->login = login_of(directory_, credential, *directory_.server(credential.server_id));
    return decision;
  }

  // F
  Decision nobody() const {
    if (config_.smtp_server.unknown_recipient_reply == 550 && directory_.hosted_domain(question_.domain))
      return refuse(550, "5.1.1", "No such user here", "unknown-recipient");
    return authentication_required();
  }

  const store::Directory& directory_;
  const config::Config& config_;
  const RecipientQuestion& question_;
  LocalPart local_;
};

}  // namespace

std::expected<RecipientAnswer, Refusal> decide_recipient(const store::Directory& directory,
                                                         const config::Config& config,
                                                         const RecipientQuestion& question) {
  return Table(directory, config, question).decide();
}

Login login_of(const store::Directory& directory, const store::Credential& credential, const store::Server& server) {
  return {credential.id, server.id, directory.path(server)};
}

}  // namespace posthaste::intake
