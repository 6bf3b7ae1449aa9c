#include "inspection/rspamd_reply.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace posthaste::inspection {

namespace {

using nlohmann::json;

std::optional<double> number(const json& object, const char* name) {
  const auto at = object.find(name);
  if (at == object.end() || !at->is_number()) return std::nullopt;
  const double value = at->get<double>();
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::string text(const json& object, const char* name) {
  const auto at = object.find(name);
  if (at == object.end() || !at->is_string()) return {};
  return at->get_ref<const std::string&>().substr(0, kMostText);
}

std::optional<store::SpamCheck> check_of(const std::string& key, const json& symbol) {
  if (!symbol.is_object()) return std::nullopt;
  store::SpamCheck check;
  check.code = text(symbol, "name");
  if (check.code.empty()) check.code = key.substr(0, kMostText);
  check.description = text(symbol, "description");
  check.score = number(symbol, "score").value_or(0);
  return check;
}

}  // namespace

std::optional<SpamScan> parse_rspamd_reply(std::string_view text, RspamdScore score) {
  const json reply = json::parse(text, nullptr, false);
  if (!reply.is_object()) return std::nullopt;
  SpamScan scan;
  const auto symbols = reply.find("symbols");
  if (symbols != reply.end() && !symbols->is_object()) return std::nullopt;
  if (symbols != reply.end()) {
    for (const auto& [key, symbol] : symbols->items()) {
      auto check = check_of(key, symbol);
      if (!check || (score == RspamdScore::Symbols && check->description.empty())) continue;
      scan.score += check->score;
      if (scan.checks.size() < kMostChecks) scan.checks.push_back(std::move(*check));
    }
  }
  if (score == RspamdScore::Symbols) return scan;
  const auto total = number(reply, "score");
  if (!total) return std::nullopt;
  scan.score = *total;
  return scan;
}

}  // namespace posthaste::inspection
